#include "tests/support/elf_builder.h"

#include "tests/support/bytes.h"

#define PAGE 4096

struct part {
    uint64_t vaddr, file_size, memory_size, at;
    uint32_t flags;
};

struct symbol {
    Elf64_Sym raw;
    char *name;
    uint32_t hash;
};

struct symbols {
    struct symbol *items;
    size_t count;
};

struct elf_builder {
    unsigned machine, type;
    uint64_t base, entry;
    struct part parts[16];
    size_t part_count;
    struct bytes data, id, out;
    bool has_tls, has_dynamic;
    Elf64_Phdr tls, dynamic;
    struct symbols tables[2];
};

struct elf_builder *elf_builder_new(unsigned machine, unsigned type, uint64_t base) {
    struct elf_builder *elf = bytes_need(calloc(1, sizeof(*elf)));
    elf->machine = machine;
    elf->type = type;
    elf->base = base;
    return elf;
}

void elf_builder_destroy(struct elf_builder *elf) {
    if (!elf) return;
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; i < elf->tables[t].count; i++) free(elf->tables[t].items[i].name);
        free(elf->tables[t].items);
    }
    bytes_free(&elf->data);
    bytes_free(&elf->id);
    bytes_free(&elf->out);
    free(elf);
}

void elf_builder_segment(struct elf_builder *elf, uint64_t vaddr, const void *bytes, uint64_t file_size,
                         uint64_t memory_size, uint32_t flags) {
    if (elf->part_count == 16) abort();
    elf->parts[elf->part_count++] = (struct part){vaddr, file_size, memory_size, elf->data.size, flags};
    bytes_add(&elf->data, bytes, file_size);
}

void elf_builder_build_id(struct elf_builder *elf, const void *bytes, size_t size) {
    bytes_free(&elf->id);
    bytes_add(&elf->id, bytes, size);
}

void elf_builder_entry(struct elf_builder *elf, uint64_t vaddr) {
    elf->entry = vaddr;
}

void elf_builder_tls(struct elf_builder *elf, uint64_t vaddr, uint64_t memory_size, uint64_t alignment) {
    elf->has_tls = true;
    elf->tls = (Elf64_Phdr){.p_type = PT_TLS, .p_vaddr = vaddr, .p_memsz = memory_size, .p_align = alignment};
}

void elf_builder_dynamic(struct elf_builder *elf, uint64_t vaddr, uint64_t size) {
    elf->has_dynamic = true;
    elf->dynamic = (Elf64_Phdr){.p_type = PT_DYNAMIC, .p_vaddr = vaddr, .p_memsz = size};
}

static uint32_t gnu_hash(const char *name) {
    uint32_t hash = 5381;
    for (; *name; name++) hash = hash * 33 + (uint8_t)*name;
    return hash;
}

void elf_builder_symbol(struct elf_builder *elf, const char *name, uint64_t value, uint64_t size,
                        unsigned info, unsigned section, bool dynamic) {
    struct symbols *table = &elf->tables[dynamic];
    table->items = bytes_need(realloc(table->items, (table->count + 1) * sizeof(*table->items)));
    table->items[table->count++] = (struct symbol){.raw = {.st_info = (unsigned char)info,
                                                           .st_shndx = (Elf64_Section)section,
                                                           .st_value = value,
                                                           .st_size = size},
                                                   .name = bytes_need(strdup(name)),
                                                   .hash = gnu_hash(name)};
}

/* ------------------------------------------------------------------ the file */

static void put_headers(struct elf_builder *elf, const uint64_t *offsets, uint64_t note_at,
                        uint64_t note_size) {
    Elf64_Phdr headers[32];
    size_t count = 0;
    headers[count++] =
        (Elf64_Phdr){.p_type = PT_PHDR, .p_flags = PF_R, .p_offset = 64, .p_vaddr = elf->base + 64};
    headers[count++] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = PF_R,
                                    .p_vaddr = elf->base,
                                    .p_filesz = PAGE,
                                    .p_memsz = PAGE,
                                    .p_align = PAGE};
    for (size_t i = 0; i < elf->part_count; i++)
        headers[count++] = (Elf64_Phdr){.p_type = PT_LOAD,
                                        .p_flags = elf->parts[i].flags,
                                        .p_offset = offsets[i],
                                        .p_vaddr = elf->parts[i].vaddr,
                                        .p_filesz = elf->parts[i].file_size,
                                        .p_memsz = elf->parts[i].memory_size,
                                        .p_align = PAGE};
    if (note_size)
        headers[count++] = (Elf64_Phdr){.p_type = PT_NOTE,
                                        .p_flags = PF_R,
                                        .p_offset = note_at,
                                        .p_vaddr = elf->base + note_at,
                                        .p_filesz = note_size,
                                        .p_memsz = note_size,
                                        .p_align = 4};
    if (elf->has_tls) headers[count++] = elf->tls;
    if (elf->has_dynamic) headers[count++] = elf->dynamic;
    Elf64_Ehdr header = {.e_type = (Elf64_Half)elf->type,
                         .e_machine = (Elf64_Half)elf->machine,
                         .e_version = EV_CURRENT,
                         .e_entry = elf->entry,
                         .e_phoff = 64,
                         .e_ehsize = sizeof(header),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = (Elf64_Half)count,
                         .e_shentsize = sizeof(Elf64_Shdr)};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    headers[0].p_filesz = headers[0].p_memsz = count * sizeof(Elf64_Phdr);
    bytes_put(&elf->out, 0, &header, sizeof(header));
    bytes_put(&elf->out, 64, headers, count * sizeof(Elf64_Phdr));
}

static int by_bucket(const void *a, const void *b) {
    return (int)(((const struct symbol *)a)->hash % 3) - (int)(((const struct symbol *)b)->hash % 3);
}

/* Appends the symbol table and its names; returns their section headers. */
static void put_table(struct elf_builder *elf, const struct symbols *table, Elf64_Shdr *symbols,
                      Elf64_Shdr *names) {
    struct bytes text = {0};
    Elf64_Sym none = {0};
    bytes_add(&text, "", 1);
    bytes_align(&elf->out, 8);
    symbols->sh_offset = elf->out.size;
    bytes_add(&elf->out, &none, sizeof(none));
    for (size_t i = 0; i < table->count; i++) {
        Elf64_Sym raw = table->items[i].raw;
        raw.st_name = (Elf64_Word)text.size;
        bytes_add(&text, table->items[i].name, strlen(table->items[i].name) + 1);
        bytes_add(&elf->out, &raw, sizeof(raw));
    }
    symbols->sh_size = elf->out.size - symbols->sh_offset;
    symbols->sh_entsize = sizeof(Elf64_Sym);
    names->sh_type = SHT_STRTAB;
    names->sh_offset = elf->out.size;
    names->sh_size = text.size;
    bytes_add(&elf->out, text.data, text.size);
    bytes_free(&text);
}

/* .gnu.hash with 3 buckets; the symbols are sorted by bucket already. */
static void put_gnu_hash(struct elf_builder *elf, const struct symbols *table, Elf64_Shdr *ret) {
    uint32_t head[4] = {3, 1, 1, 6}, buckets[3] = {0};
    uint64_t bloom = UINT64_MAX;
    bytes_align(&elf->out, 8);
    ret->sh_type = SHT_GNU_HASH;
    ret->sh_offset = elf->out.size;
    for (size_t i = table->count; i-- > 0;) buckets[table->items[i].hash % 3] = (uint32_t)i + 1;
    bytes_add(&elf->out, head, sizeof(head));
    bytes_add(&elf->out, &bloom, sizeof(bloom));
    bytes_add(&elf->out, buckets, sizeof(buckets));
    for (size_t i = 0; i < table->count; i++) {
        bool last = i + 1 == table->count || table->items[i + 1].hash % 3 != table->items[i].hash % 3;
        uint32_t chain = (table->items[i].hash & ~1u) | last;
        bytes_add(&elf->out, &chain, sizeof(chain));
    }
    ret->sh_size = elf->out.size - ret->sh_offset;
}

static void put_sections(struct elf_builder *elf, const uint64_t *offsets) {
    static const char names[] = "\0.part\0.symtab\0.strtab\0.dynsym\0.dynstr\0.gnu.hash\0.shstrtab";
    Elf64_Shdr sections[40] = {{0}};
    Elf64_Word part_name = 1, symtab = 7, strtab = 15, dynsym = 23, dynstr = 31, hash = 39, shstrtab = 49;
    unsigned count = 1;
    sections[count++] = (Elf64_Shdr){.sh_name = part_name,
                                     .sh_type = SHT_PROGBITS,
                                     .sh_flags = SHF_ALLOC,
                                     .sh_addr = elf->base,
                                     .sh_size = PAGE};
    for (size_t i = 0; i < elf->part_count; i++)
        sections[count++] = (Elf64_Shdr){.sh_name = part_name,
                                         .sh_type = SHT_PROGBITS,
                                         .sh_flags = SHF_ALLOC,
                                         .sh_addr = elf->parts[i].vaddr,
                                         .sh_offset = offsets[i],
                                         .sh_size = elf->parts[i].memory_size};
    if (elf->tables[0].count) {
        sections[count] = (Elf64_Shdr){.sh_name = symtab, .sh_type = SHT_SYMTAB, .sh_link = count + 1};
        sections[count + 1].sh_name = strtab;
        put_table(elf, &elf->tables[0], &sections[count], &sections[count + 1]);
        count += 2;
    }
    if (elf->tables[1].count) {
        qsort(elf->tables[1].items, elf->tables[1].count, sizeof(*elf->tables[1].items), by_bucket);
        sections[count] = (Elf64_Shdr){
            .sh_name = dynsym, .sh_type = SHT_DYNSYM, .sh_flags = SHF_ALLOC, .sh_link = count + 1};
        sections[count + 1].sh_name = dynstr;
        put_table(elf, &elf->tables[1], &sections[count], &sections[count + 1]);
        sections[count + 2].sh_name = hash;
        put_gnu_hash(elf, &elf->tables[1], &sections[count + 2]);
        count += 3;
    }
    sections[count] = (Elf64_Shdr){
        .sh_name = shstrtab, .sh_type = SHT_STRTAB, .sh_offset = elf->out.size, .sh_size = sizeof(names)};
    bytes_add(&elf->out, names, sizeof(names));
    count++;
    bytes_align(&elf->out, 8);
    uint64_t at = elf->out.size;
    uint16_t number = (uint16_t)count, index = (uint16_t)(count - 1);
    bytes_add(&elf->out, sections, count * sizeof(*sections));
    bytes_put(&elf->out, offsetof(Elf64_Ehdr, e_shoff), &at, 8);
    bytes_put(&elf->out, offsetof(Elf64_Ehdr, e_shnum), &number, 2);
    bytes_put(&elf->out, offsetof(Elf64_Ehdr, e_shstrndx), &index, 2);
}

uint8_t *elf_builder_bytes(struct elf_builder *elf, size_t *size_ret) {
    uint64_t offsets[16], note_at = 0x800, note_size = 0;
    bytes_free(&elf->out);
    bytes_add(&elf->out, NULL, PAGE);
    if (elf->id.size) {
        uint32_t head[4] = {4, (uint32_t)elf->id.size, NT_GNU_BUILD_ID, 0x00554e47 /* "GNU" */};
        bytes_put(&elf->out, note_at, head, sizeof(head));
        bytes_put(&elf->out, note_at + 16, elf->id.data, elf->id.size);
        note_size = 16 + ((elf->id.size + 3) & ~3ull);
    }
    for (size_t i = 0; i < elf->part_count; i++) {
        const struct part *part = &elf->parts[i];
        bytes_align(&elf->out, PAGE);
        bytes_add(&elf->out, NULL, part->vaddr % PAGE);
        offsets[i] = elf->out.size;
        bytes_add(&elf->out, elf->data.data + part->at, part->file_size);
    }
    put_headers(elf, offsets, note_at, note_size);
    put_sections(elf, offsets);
    *size_ret = elf->out.size;
    return elf->out.data;
}

char *elf_builder_write(struct elf_builder *elf, const char *folder, const char *name) {
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(elf, &size);
    return bytes_write(bytes, size, folder, name);
}
