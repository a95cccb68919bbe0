#include "tests/support/core_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/bytes.h"

struct part {
    uint64_t start, saved, memory_size, at; /* at: offset in data */
    uint32_t flags;
};

struct mapped {
    uint64_t start, end, offset;
    char *path;
};

struct core_builder {
    unsigned machine;
    bool extended;
    uint64_t unit;
    struct bytes data, notes, out;
    struct part *parts;
    size_t part_count, part_room;
    struct mapped *files;
    size_t file_count;
    struct pm_input input;
};

struct core_builder *core_builder_new(unsigned machine) {
    struct core_builder *core = bytes_need(calloc(1, sizeof(*core)));
    core->machine = machine;
    core->unit = 4096;
    return core;
}

void core_builder_destroy(struct core_builder *core) {
    if (!core) return;
    for (size_t i = 0; i < core->file_count; i++) free(core->files[i].path);
    free(core->files);
    free(core->parts);
    bytes_free(&core->data);
    bytes_free(&core->notes);
    bytes_free(&core->out);
    free(core);
}

void core_builder_segment(struct core_builder *core, pm_addr start, const void *bytes, uint64_t saved,
                          uint64_t memory_size, uint32_t flags) {
    if (core->part_count == core->part_room) {
        core->part_room = core->part_room ? core->part_room * 2 : 64;
        core->parts = bytes_need(realloc(core->parts, core->part_room * sizeof(*core->parts)));
    }
    core->parts[core->part_count++] = (struct part){start, saved, memory_size, core->data.size, flags};
    bytes_add(&core->data, bytes, saved);
}

static void add_note(struct bytes *out, const char *owner, uint32_t type, const void *bytes, size_t size) {
    uint32_t head[3] = {(uint32_t)strlen(owner) + 1, (uint32_t)size, type};
    bytes_add(out, head, sizeof(head));
    bytes_add(out, owner, head[0]);
    bytes_align(out, 4);
    bytes_add(out, bytes, size);
    bytes_align(out, 4);
}

void core_builder_note(struct core_builder *core, const char *owner, uint32_t type, const void *bytes,
                       size_t size) {
    add_note(&core->notes, owner, type, bytes, size);
}

void core_builder_thread(struct core_builder *core, uint32_t tid, int signal, const struct pm_regs *regs,
                         uint64_t thread_pointer) {
    static const int x86_64_order[27] = {15, 14, 13, 12, 6,  3, 11, 10, 9,  8,  0,  2,  1, 4,
                                         5,  -1, 16, -1, -1, 7, -1, -2, -1, -1, -1, -1, -1};
    uint8_t status[392] = {0};
    uint16_t cursig = (uint16_t)signal;
    memcpy(status, &signal, 4);
    memcpy(status + 12, &cursig, 2);
    memcpy(status + 32, &tid, 4);
    bool x86_64 = core->machine == EM_X86_64;
    for (size_t i = 0; i < (x86_64 ? 27 : 33); i++) {
        int number = x86_64 ? x86_64_order[i] : (int)i;
        uint64_t value = number >= 0 ? regs->value[number] : number == -2 ? thread_pointer : 0;
        memcpy(status + 112 + i * 8, &value, 8);
    }
    core_builder_note(core, "CORE", NT_PRSTATUS, status, x86_64 ? 336 : 392);
    if (!x86_64 && thread_pointer) core_builder_note(core, "LINUX", NT_ARM_TLS, &thread_pointer, 8);
}

void core_builder_prpsinfo(struct core_builder *core, uint32_t pid, uint32_t ppid, const char *name,
                           const char *args) {
    uint8_t info[136] = {0};
    memcpy(info + 24, &pid, 4);
    memcpy(info + 28, &ppid, 4);
    memcpy(info + 40, name, strnlen(name, 16));
    memcpy(info + 56, args, strnlen(args, 80));
    core_builder_note(core, "CORE", NT_PRPSINFO, info, sizeof(info));
}

void core_builder_siginfo(struct core_builder *core, int signal, int code, uint64_t payload) {
    uint8_t info[128] = {0};
    memcpy(info, &signal, 4);
    memcpy(info + 8, &code, 4);
    memcpy(info + 16, &payload, 8);
    core_builder_note(core, "CORE", NT_SIGINFO, info, sizeof(info));
}

void core_builder_auxv(struct core_builder *core, const uint64_t *pairs, size_t pair_count) {
    struct bytes all = {0};
    uint64_t end[2] = {AT_NULL, 0};
    bytes_add(&all, pairs, pair_count * 16);
    bytes_add(&all, end, sizeof(end));
    core_builder_note(core, "CORE", NT_AUXV, all.data, all.size);
    bytes_free(&all);
}

void core_builder_file(struct core_builder *core, pm_addr start, pm_addr end, uint64_t file_offset,
                       const char *path) {
    core->files = bytes_need(realloc(core->files, (core->file_count + 1) * sizeof(*core->files)));
    core->files[core->file_count++] = (struct mapped){start, end, file_offset, bytes_need(strdup(path))};
}

void core_builder_file_unit(struct core_builder *core, uint64_t unit) {
    core->unit = unit;
}

void core_builder_extended(struct core_builder *core) {
    core->extended = true;
}

static void add_files(const struct core_builder *core, struct bytes *out) {
    struct bytes note = {0};
    uint64_t head[2] = {core->file_count, core->unit};
    if (!core->file_count) return;
    bytes_add(&note, head, sizeof(head));
    for (size_t i = 0; i < core->file_count; i++) {
        const struct mapped *file = &core->files[i];
        uint64_t row[3] = {file->start, file->end, file->offset / core->unit};
        bytes_add(&note, row, sizeof(row));
    }
    for (size_t i = 0; i < core->file_count; i++)
        bytes_add(&note, core->files[i].path, strlen(core->files[i].path) + 1);
    add_note(out, "CORE", NT_FILE, note.data, note.size);
    bytes_free(&note);
}

static uint8_t *build_32(struct core_builder *core, size_t *size_ret) {
    Elf32_Ehdr header = {.e_type = ET_CORE,
                         .e_machine = (Elf32_Half)core->machine,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(header),
                         .e_ehsize = sizeof(header),
                         .e_phentsize = sizeof(Elf32_Phdr)};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    bytes_add(&core->out, &header, sizeof(header));
    *size_ret = core->out.size;
    return core->out.data;
}

uint8_t *core_builder_bytes(struct core_builder *core, size_t *size_ret) {
    bytes_free(&core->out);
    if (core->machine == EM_386 || core->machine == EM_ARM) return build_32(core, size_ret);
    struct bytes notes = {0};
    if (core->notes.size) bytes_add(&notes, core->notes.data, core->notes.size);
    add_files(core, &notes);
    size_t headers = core->part_count + 1;
    bool extended = core->extended || headers >= PN_XNUM;
    uint64_t notes_at = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);
    uint64_t data_at = (notes_at + notes.size + 4095) & ~4095ull;
    Elf64_Ehdr header = {.e_type = ET_CORE,
                         .e_machine = (Elf64_Half)core->machine,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(header),
                         .e_ehsize = sizeof(header),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = (Elf64_Half)(extended ? PN_XNUM : headers),
                         .e_shoff = extended ? data_at + core->data.size : 0};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    bytes_add(&core->out, &header, sizeof(header));
    Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes.size, .p_align = 4};
    bytes_add(&core->out, &note, sizeof(note));
    for (size_t i = 0; i < core->part_count; i++) {
        const struct part *part = &core->parts[i];
        Elf64_Phdr load = {.p_type = PT_LOAD,
                           .p_flags = part->flags,
                           .p_offset = data_at + part->at,
                           .p_vaddr = part->start,
                           .p_filesz = part->saved,
                           .p_memsz = part->memory_size,
                           .p_align = 4096};
        bytes_add(&core->out, &load, sizeof(load));
    }
    bytes_add(&core->out, notes.data, notes.size);
    bytes_align(&core->out, 4096);
    bytes_add(&core->out, core->data.data, core->data.size);
    Elf64_Shdr section = {.sh_info = (Elf64_Word)headers};
    if (extended) bytes_add(&core->out, &section, sizeof(section));
    bytes_free(&notes);
    *size_ret = core->out.size;
    return core->out.data;
}

struct pm_input *core_builder_input(struct core_builder *core) {
    size_t size;
    const uint8_t *bytes = core_builder_bytes(core, &size);
    core->input =
        (struct pm_input){.path = (char *)"test.core", .bytes = bytes, .size = size, .file_size = size};
    return &core->input;
}

char *core_builder_write(struct core_builder *core, const char *folder) {
    size_t size;
    const uint8_t *bytes = core_builder_bytes(core, &size);
    return bytes_write(bytes, size, folder, "core");
}
