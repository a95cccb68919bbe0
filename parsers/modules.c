#include "parsers/modules.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "postmortem/base/checked.h"
#include "postmortem/base/escape.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

#define MAX_SEGMENTS 16 /* PT_LOADs of one file looked at; linkers make 2 to 8 */
#define MAX_VOTERS   32 /* mappings of one file that decide on its bias; usually 4 to 8 */

struct span { /* one mapping of a module's file */
    pm_addr start, end;
    uint64_t file_offset;
    uint64_t bias; /* address = vaddr + bias, for this mapping only */
    uint32_t module;
};

struct module {
    struct pm_module public; /* first */
    char *path, *found;
    size_t first, count; /* its spans, while they are still grouped by file */
    struct pm_elf_segment segments[MAX_SEGMENTS];
    size_t segment_count;
    bool placed;
    bool unlisted;           /* not from NT_FILE: its spans come from the file that is found */
    pm_addr loaded, dynamic; /* of an unlisted library: what the dynamic loader noted, bias and PT_DYNAMIC */
};

struct pm_modules {
    const struct pm_core *core;
    struct pm_module_options options;
    PM_VEC(struct module *) items; /* ascending by start */
    PM_VEC(struct span) spans;     /* file mappings; ascending in the end */
    PM_VEC(struct span) segments;  /* the same by the files' segments, for memory without a file mapping */
    size_t skipped;
    struct module *program, *v8;
    struct pm_elf *exe; /* --exe until a module takes it */
    bool exe_used;
};

/* ------------------------------------------------------------------ small helpers */

static void module_destroy(struct module *module) {
    if (!module) return;
    pm_elf_close(module->public.elf);
    free(module->path);
    free(module->found);
    free(module);
}
PM_DEFINE_AUTO(module, struct module, module_destroy)

void pm_modules_close(struct pm_modules *modules) {
    if (!modules) return;
    for (size_t i = 0; i < modules->items.count; i++) module_destroy(modules->items.items[i]);
    pm_vec_deinit(&modules->items);
    pm_vec_deinit(&modules->spans);
    pm_vec_deinit(&modules->segments);
    pm_elf_close(modules->exe);
    free(modules);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The kernel marks files that were deleted or replaced while they were mapped. */
static size_t clean_length(const char *path) {
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), tail = sizeof(deleted) - 1;
    return length > tail && strcmp(path + length - tail, deleted) == 0 ? length - tail : length;
}

static unsigned elf_machine(const struct pm_core *core) {
    return pm_core_info(core)->machine == PM_MACHINE_X86_64 ? EM_X86_64 : EM_AARCH64;
}

/* What the core itself holds from addr on; not what we filled in from a file. */
static const uint8_t *core_bytes(const struct pm_core *core, pm_addr addr, uint64_t *size_ret) {
    const struct pm_mem_range *range = pm_mem_find(pm_core_memory(core), addr);
    if (!range || !range->bytes || range->from_file) return NULL;
    *size_ret = range->end - addr;
    return range->bytes + (addr - range->start);
}

static uint32_t protection_at(const struct pm_core *core, pm_addr addr) {
    const struct pm_mem_range *range = pm_mem_find(pm_core_memory(core), addr);
    return range ? range->protection : 0;
}

static struct pm_error *add_module(struct pm_modules *modules, struct module *module) {
    return pm_vec_push(&modules->items, module) ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ what the core says about a file */

static void set_segments(struct module *module, const struct pm_elf *elf) {
    size_t count = pm_elf_segment_count(elf);
    module->segment_count = count < MAX_SEGMENTS ? count : MAX_SEGMENTS;
    for (size_t i = 0; i < module->segment_count; i++) module->segments[i] = *pm_elf_segment(elf, i);
}

static void read_header(struct module *module, const uint8_t *bytes, uint64_t size) {
    const uint8_t *id;
    size_t length;
    size_t count = pm_elf_header_segments(bytes, size, module->segments, MAX_SEGMENTS);
    module->segment_count = count < MAX_SEGMENTS ? count : MAX_SEGMENTS;
    if (pm_elf_header_build_id(bytes, size, &id, &length) && length <= sizeof(module->public.build_id)) {
        memcpy(module->public.build_id, id, length);
        module->public.build_id_length = length;
    }
}

/* The bias that a mapping would have if it showed `segment`; false when the two have no page in common, or
 * the segment cannot be mapped at all. */
static bool bias_of(const struct pm_elf_segment *segment, const struct span *span, uint64_t page,
                    uint64_t *ret) {
    uint64_t start = segment->file_offset & ~(page - 1), end;
    if (!pm_add_u64(segment->file_offset, segment->file_size, &end) || !pm_add_u64(end, page - 1, &end))
        return false;
    end &= ~(page - 1); /* files are mapped by whole pages */
    if (span->file_offset >= end || span->file_offset + (span->end - span->start) <= start) return false;
    *ret = span->start - span->file_offset + segment->file_offset - segment->vaddr;
    return (*ret & (page - 1)) == 0;
}

static bool has_bias(const struct module *module, const struct span *span, uint64_t page, uint64_t bias) {
    uint64_t other;
    for (size_t i = 0; i < module->segment_count; i++)
        if (bias_of(&module->segments[i], span, page, &other) && other == bias) return true;
    return false;
}

/* The loader maps all segments with one bias; a segment that V8 maps once more elsewhere has another. The
 * bias of the most mappings is the loader's (the first one on a tie). */
static size_t choose_bias(const struct pm_modules *modules, struct module *module, uint64_t *ret) {
    uint64_t page = pm_core_info(modules->core)->page_size;
    const struct span *spans = modules->spans.items + module->first;
    size_t best = 0;
    for (size_t i = 0; i < module->count && i < MAX_VOTERS; i++) {
        for (size_t s = 0; s < module->segment_count; s++) {
            uint64_t bias;
            size_t agree = 0;
            if (!bias_of(&module->segments[s], &spans[i], page, &bias)) continue;
            for (size_t k = 0; k < module->count && k < MAX_VOTERS; k++)
                agree += has_bias(module, &spans[k], page, bias);
            if (agree <= best) continue;
            best = agree;
            *ret = bias;
        }
    }
    return best;
}

static bool starts_in(const struct pm_elf_segment *segment, const struct span *span) {
    return segment->file_offset <= span->file_offset &&
           span->file_offset - segment->file_offset < segment->file_size;
}

static void place(struct pm_modules *modules, struct module *module) {
    uint64_t page = pm_core_info(modules->core)->page_size, bias;
    struct span *spans = modules->spans.items + module->first;
    bool known = choose_bias(modules, module, &bias) != 0;
    module->public.bias = known ? bias : spans[0].start - spans[0].file_offset;
    module->public.start = UINT64_MAX;
    module->public.end = 0;
    for (size_t i = 0; i < module->count; i++) {
        struct span *span = &spans[i];
        span->bias = known ? module->public.bias : span->start - span->file_offset;
        if (known && !has_bias(module, span, page, module->public.bias)) {
            for (size_t s = 0; s < module->segment_count; s++) {
                bool exact = starts_in(&module->segments[s], span);
                if (bias_of(&module->segments[s], span, page, &bias) &&
                    (exact || span->bias == module->public.bias))
                    span->bias = bias;
            }
            continue; /* a second view of a piece: not part of the hull */
        }
        if (span->start < module->public.start) module->public.start = span->start;
        if (span->end > module->public.end) module->public.end = span->end;
    }
    if (module->public.start > module->public.end) {
        module->public.start = spans[0].start;
        module->public.end = spans[0].end;
    }
}

/* ------------------------------------------------------------------ verifying a candidate */

static bool same_build_id(const struct module *module, const struct pm_elf *elf) {
    size_t length;
    const uint8_t *id = pm_elf_build_id(elf, &length);
    return id && length == module->public.build_id_length && memcmp(id, module->public.build_id, length) == 0;
}

/* Read-only memory that the core did save must be what the file says. */
static bool saved_text_agrees(const struct pm_modules *modules, const struct module *module,
                              const struct pm_elf *elf) {
    uint64_t size, looked = 0;
    const uint8_t *file = pm_elf_file(elf, &size);
    for (size_t i = 0; i < module->count && looked < 1 << 20; i++) {
        const struct span *span = &modules->spans.items[module->first + i];
        uint64_t length;
        const uint8_t *bytes = core_bytes(modules->core, span->start, &length);
        uint32_t protection = protection_at(modules->core, span->start);
        if (!bytes || protection & PM_MEM_WRITE) continue;
        if (!(protection & PM_MEM_EXECUTE) && span->file_offset) continue; /* may be relocated data */
        if (length > span->end - span->start) length = span->end - span->start;
        if (length > 1 << 16) length = 1 << 16;
        if (span->file_offset >= size) return false;
        if (length > size - span->file_offset) length = size - span->file_offset;
        if (memcmp(file + span->file_offset, bytes, length) != 0) return false;
        looked += length;
    }
    return true;
}

/* Without a build-id: every segment must be mapped where the file wants it, and nothing behind the file's
 * end. */
static bool segments_agree(const struct pm_modules *modules, struct module *module,
                           const struct pm_elf *elf) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    struct module probe = {.first = module->first, .count = module->count};
    uint64_t size, bias, page = info->page_size;
    pm_elf_file(elf, &size);
    set_segments(&probe, elf);
    if (!probe.segment_count || !choose_bias(modules, &probe, &bias)) return false;
    if (bias && pm_elf_is_executable(elf)) return false; /* linked for one place only */
    const struct span *spans = modules->spans.items + module->first;
    for (size_t i = 0; i < module->count; i++)
        if (spans[i].file_offset >= size) return false;
    for (size_t s = 0; s < probe.segment_count; s++) {
        const struct pm_elf_segment *segment = &probe.segments[s];
        bool mapped = segment->file_size == 0;
        for (size_t i = 0; i < module->count && !mapped; i++) {
            uint64_t other;
            mapped = bias_of(segment, &spans[i], page, &other) && other == bias;
        }
        if (!mapped) return false;
    }
    return !module->public.is_program || !info->entry || info->entry == pm_elf_entry(elf) + bias;
}

/* Where the kernel put this program, from the two addresses that the auxiliary vector gives. */
static bool program_bias(const struct pm_core *core, const struct pm_elf *elf, uint64_t *ret) {
    const struct pm_core_info *info = pm_core_info(core);
    uint64_t phdr, bias = 0;
    bool fits =
        !info->entry && !info->phdr && pm_elf_is_executable(elf); /* no notes: only one place is possible */
    if (info->entry) {
        bias = info->entry - pm_elf_entry(elf);
        fits = true;
    }
    if (info->phdr && pm_elf_phdr(elf, &phdr)) {
        if (fits && info->phdr - phdr != bias) return false;
        bias = info->phdr - phdr;
        fits = true;
    }
    *ret = bias;
    return fits && (bias == 0 || !pm_elf_is_executable(elf));
}

static bool library_bias(const struct module *module, const struct pm_elf *elf, uint64_t *ret) {
    uint64_t dynamic, size;
    *ret = module->loaded;
    return pm_elf_dynamic(elf, &dynamic, &size) && dynamic + module->loaded == module->dynamic;
}

/* The spans that the loader made of a file's segments. False when the process has nothing there. */
static bool add_segments(struct pm_modules *modules, struct module *module, const struct pm_elf *elf,
                         uint64_t bias) {
    uint64_t page = pm_core_info(modules->core)->page_size;
    for (size_t i = 0; i < pm_elf_segment_count(elf) && i < MAX_SEGMENTS; i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(elf, i);
        uint64_t skew = segment->file_offset & (page - 1), end;
        if (!segment->file_size) continue;
        if (((segment->vaddr + bias) & (page - 1)) != skew) return false;
        struct span span = {.start = segment->vaddr - skew + bias,
                            .file_offset = segment->file_offset - skew};
        if (!pm_add_u64(span.start, segment->file_size + skew + page - 1, &end)) return false;
        span.end = end & ~(page - 1);
        const struct pm_mem_range *range = pm_mem_find(pm_core_memory(modules->core), span.start);
        if (!range || (segment->flags & PF_X & ~range->protection)) return false;
        if (!pm_vec_push(&modules->spans, span)) return false;
        module->count++;
    }
    return module->count != 0;
}

static void read_placed_header(struct pm_modules *modules, struct module *module) {
    const struct span *spans = modules->spans.items + module->first;
    for (size_t i = 0; i < module->count; i++) {
        uint64_t size;
        const uint8_t *bytes = spans[i].file_offset ? NULL : core_bytes(modules->core, spans[i].start, &size);
        if (!bytes || size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0) continue;
        read_header(module, bytes, size);
        return;
    }
}

/* Without NT_FILE the file itself says what is mapped where; then what the core has there must fit. */
static enum pm_module_state judge_unlisted(struct pm_modules *modules, struct module *module,
                                           const struct pm_elf *elf) {
    uint64_t bias;
    enum pm_module_state state = PM_MODULE_WRONG;
    module->first = modules->spans.count;
    module->count = 0;
    module->public.build_id_length = 0;
    bool fits = module->public.is_program ? program_bias(modules->core, elf, &bias)
                                          : library_bias(module, elf, &bias);
    if (fits && add_segments(modules, module, elf, bias)) {
        read_placed_header(modules, module);
        if (module->public.build_id_length)
            state = same_build_id(module, elf) ? PM_MODULE_VERIFIED : PM_MODULE_WRONG;
        else if (saved_text_agrees(modules, module, elf))
            state = PM_MODULE_UNVERIFIED;
    }
    if (state == PM_MODULE_WRONG) {
        modules->spans.count = module->first;
        module->count = 0;
    }
    return state;
}

static enum pm_module_state judge(struct pm_modules *modules, struct module *module,
                                  const struct pm_elf *elf) {
    if (pm_elf_machine(elf) != elf_machine(modules->core)) return PM_MODULE_WRONG;
    if (module->unlisted) return judge_unlisted(modules, module, elf);
    if (module->public.build_id_length)
        return same_build_id(module, elf) ? PM_MODULE_VERIFIED : PM_MODULE_WRONG;
    return segments_agree(modules, module, elf) && saved_text_agrees(modules, module, elf)
               ? PM_MODULE_UNVERIFIED
               : PM_MODULE_WRONG;
}

/* ------------------------------------------------------------------ finding candidates */

/* Opens path as if root were "/", so that the absolute links of a container image stay inside. */
static int open_below(const char *root, const char *path) {
    int folder PM_AUTO_CLOSE = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    while (*path == '/') path++;
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_IN_ROOT};
    long fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* Linux before 5.6, some sandboxes */
        fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return (int)fd;
}

/* Takes the file when it is the module's. False only means: go on with the next candidate. */
static bool try_open(struct pm_modules *modules, struct module *module, const char *root, const char *path) {
    char *full PM_AUTO_FREE = NULL;
    if (asprintf(&full, "%s%s%s", root ? root : "", root && *path != '/' ? "/" : "", path) < 0) {
        full = NULL;
        return false;
    }
    int fd PM_AUTO_CLOSE =
        root ? open_below(root, path) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct pm_elf *elf PM_AUTO(elf) = NULL;
    if (fd < 0) return false;
    struct pm_error *err = pm_elf_open_fd(fd, full, &elf);
    if (err) {
        pm_error_destroy(err); /* something else lies there */
        return false;
    }
    enum pm_module_state state = judge(modules, module, elf);
    if (state == PM_MODULE_WRONG && module->public.state == PM_MODULE_WRONG) return false;
    module->public.state = state;
    free(module->found);
    module->public.found = module->found = PM_TAKE(full);
    if (state == PM_MODULE_WRONG) return false;
    module->public.elf = PM_TAKE(elf);
    return true;
}

static bool try_sysroot(struct pm_modules *modules, struct module *module, const char *path) {
    static const char *const folders[] = {"lib",
                                          "lib64",
                                          "usr/lib",
                                          "usr/lib64",
                                          "usr/local/lib",
                                          "usr/local/bin",
                                          "usr/bin",
                                          "lib/x86_64-linux-gnu",
                                          "usr/lib/x86_64-linux-gnu",
                                          "lib/aarch64-linux-gnu",
                                          "usr/lib/aarch64-linux-gnu",
                                          ""};
    const char *root = modules->options.sysroot, *name = base_name(path);
    if (try_open(modules, module, root, path)) return true;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *at PM_AUTO_FREE = NULL;
        if (asprintf(&at, "%s/%s", folders[i], name) < 0) {
            at = NULL;
            return false;
        }
        if (try_open(modules, module, root, at)) return true;
    }
    return false;
}

static bool try_exe(struct pm_modules *modules, struct module *module) {
    if (!modules->exe || modules->exe_used) return false;
    if (!module->public.is_program && !module->unlisted && !same_build_id(module, modules->exe)) return false;
    enum pm_module_state state = judge(modules, module, modules->exe);
    if (state == PM_MODULE_WRONG) return false; /* it may still be one of the libraries */
    module->public.state = state;
    module->public.found = module->found = strdup(pm_elf_path(modules->exe));
    module->public.elf = PM_TAKE(modules->exe);
    modules->exe_used = true;
    return true;
}

static void find_file(struct pm_modules *modules, struct module *module) {
    char *path PM_AUTO_FREE = strndup(module->path, clean_length(module->path));
    if (!path || try_exe(modules, module)) return;
    if (modules->options.sysroot && try_sysroot(modules, module, path)) return;
    if (modules->options.beside) {
        const char *name = base_name(path);
        char *at PM_AUTO_FREE = NULL;
        if (asprintf(&at, "%s/%s", modules->options.beside, name) < 0) {
            at = NULL;
            return;
        }
        if (*name && try_open(modules, module, NULL, at)) return;
    }
    if (path[0] == '/') try_open(modules, module, NULL, path);
}

/* ------------------------------------------------------------------ --exe */

static void append_build_id(struct pm_strbuf *text, const uint8_t *id, size_t length) {
    if (!length) pm_strbuf_append(text, "none");
    for (size_t i = 0; i < length; i++) pm_strbuf_appendf(text, "%02x", id[i]);
}

static struct pm_error *wrong_exe(const struct pm_modules *modules) {
    static const char hint[] =
        "take the node binary from the image that the process ran in; `readelf -n FILE` prints a "
        "file's build-id";
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    const struct module *program = modules->program;
    size_t length = 0;
    const uint8_t *id = pm_elf_build_id(modules->exe, &length);
    pm_escape_terminal(&text, modules->options.exe, strlen(modules->options.exe));
    pm_strbuf_append(&text, ": not the program of this core: its build-id is ");
    append_build_id(&text, id, id ? length : 0);
    if (pm_elf_machine(modules->exe) != elf_machine(modules->core)) {
        pm_strbuf_append(&text, ", and it was built for another machine");
    } else if (!program) {
        pm_strbuf_append(&text, ", and the core does not say which program it is of");
    } else {
        pm_strbuf_append(&text, *program->path ? ", the core's program " : ", the core's program");
        pm_escape_terminal(&text, program->path, strlen(program->path));
        if (program->public.build_id_length) {
            pm_strbuf_append(&text, " has ");
            append_build_id(&text, program->public.build_id, program->public.build_id_length);
        } else {
            pm_strbuf_append(&text, " (whose build-id is not in the core) is mapped with other segments");
        }
    }
    return pm_error_hint(pm_error_create(PM_ERR_FORMAT, "%s", pm_strbuf_text(&text)), hint);
}

/* A core that was cut off before its notes knows no program that --exe could contradict. */
static struct pm_error *refuse_exe(struct pm_modules *modules) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    if (info->has_files || info->entry || info->phdr || !modules->program) return wrong_exe(modules);
    struct module *program = modules->program;
    program->public.state = PM_MODULE_WRONG;
    program->public.found = program->found = strdup(modules->options.exe);
    return program->found ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ cores with NT_FILE */

struct row {
    const struct pm_core_mapping *mapping;
    size_t length; /* of the path without " (deleted)" */
};

static int by_path(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    size_t length = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->mapping->path, y->mapping->path, length);
    if (order) return order;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return x->mapping->start < y->mapping->start ? -1 : x->mapping->start > y->mapping->start;
}

/* Is this file an ELF image? Its header page says so; where the core has none, something executable in it
 * does. */
static bool is_module(const struct pm_modules *modules, const struct row *rows, size_t count,
                      const uint8_t **header_ret, uint64_t *size_ret) {
    bool executable = false, other = false;
    *header_ret = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct pm_core_mapping *mapping = rows[i].mapping;
        uint64_t size;
        if (protection_at(modules->core, mapping->start) & PM_MEM_EXECUTE) executable = true;
        const uint8_t *bytes = mapping->file_offset ? NULL : core_bytes(modules->core, mapping->start, &size);
        if (!bytes || *header_ret) continue;
        if (size > mapping->end - mapping->start) size = mapping->end - mapping->start;
        if (size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0) {
            *header_ret = bytes;
            *size_ret = size;
        } else {
            other = true;
        }
    }
    return *header_ret || (executable && !other);
}

static bool covers(const struct row *rows, size_t count, pm_addr addr) {
    for (size_t i = 0; i < count; i++)
        if (addr >= rows[i].mapping->start && addr < rows[i].mapping->end) return true;
    return false;
}

static struct pm_error *add_file(struct pm_modules *modules, const struct row *rows, size_t count) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    const uint8_t *header;
    uint64_t size = 0;
    if (!is_module(modules, rows, count, &header, &size) || modules->items.count >= PM_MAX_MODULES)
        return NULL;
    struct module *module PM_AUTO(module) = calloc(1, sizeof(*module));
    if (!module || !(module->path = strndup(rows[0].mapping->path, rows[0].length))) return pm_error_nomem();
    module->public.path = module->path;
    module->public.state = PM_MODULE_MISSING;
    module->first = modules->spans.count;
    module->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct pm_core_mapping *mapping = rows[i].mapping;
        struct span span = {mapping->start, mapping->end, mapping->file_offset, 0, 0};
        if (!pm_vec_push(&modules->spans, span)) return pm_error_nomem();
    }
    if (header) read_header(module, header, size);
    pm_addr known = info->phdr ? info->phdr : info->entry;
    if (known && !modules->program && covers(rows, count, known)) {
        module->public.is_program = true;
        modules->program = module;
    }
    PM_TRY(add_module(modules, module));
    module = NULL;
    return NULL;
}

static struct pm_error *gather(struct pm_modules *modules) {
    size_t count = pm_core_mapping_count(modules->core);
    struct row *rows PM_AUTO_FREE = calloc(count + 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) {
        rows[i].mapping = pm_core_mapping(modules->core, i);
        rows[i].length = clean_length(rows[i].mapping->path);
    }
    pm_sort(rows, count, sizeof(*rows), by_path);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && rows[end].length == rows[i].length &&
               memcmp(rows[end].mapping->path, rows[i].mapping->path, rows[i].length) == 0)
            end++;
        PM_TRY(add_file(modules, rows + i, end - i));
        i = end;
    }
    return NULL;
}

/* ------------------------------------------------------------------ placing, and text from the files */

static bool writable_in_file(const struct module *module, const struct span *span, uint64_t page) {
    uint64_t bias;
    for (size_t i = 0; i < module->segment_count; i++)
        if (bias_of(&module->segments[i], span, page, &bias) && bias == span->bias &&
            module->segments[i].flags & PF_W)
            return true;
    return false;
}

/* Program text that the core has not saved. Never data: what a writable segment held at the end is not in the
 * file, and relocated data that was made read-only later comes from a writable segment too. */
static struct pm_error *fill_text(struct pm_modules *modules, const struct module *module) {
    uint64_t size, page = pm_core_info(modules->core)->page_size;
    const uint8_t *file = pm_elf_file(module->public.elf, &size);
    for (size_t i = 0; i < module->count; i++) {
        const struct span *span = &modules->spans.items[module->first + i];
        const struct pm_mem_range *range = pm_mem_find(pm_core_memory(modules->core), span->start);
        uint32_t protection = range ? range->protection : PM_MEM_READ;
        if (protection & PM_MEM_WRITE || writable_in_file(module, span, page) || span->file_offset >= size)
            continue;
        uint64_t length = span->end - span->start;
        if (length > size - span->file_offset) length = size - span->file_offset;
        PM_TRY(pm_mem_fill(pm_core_memory(modules->core), span->start, file + span->file_offset, length,
                           protection));
    }
    return NULL;
}

static struct pm_error *place_and_fill(struct pm_modules *modules, struct module *module) {
    if (module->placed) return NULL;
    module->placed = true;
    if (module->public.elf) set_segments(module, module->public.elf);
    if (module->count) place(modules, module);
    bool from_disk = module->found && module->public.elf;
    return from_disk ? fill_text(modules, module) : NULL;
}

/* ------------------------------------------------------------------ cores without NT_FILE (qemu)
 *
 * The program is found through the auxiliary vector. Its libraries are in the list that the dynamic loader
 * keeps for debuggers (glibc and musl, <link.h>): DT_DEBUG of the program's PT_DYNAMIC points to
 *
 *     struct r_debug { int version; struct link_map *map; ... }           at 0 and 8
 *     struct link_map { bias, char *name, PT_DYNAMIC's address, next }    at 0, 8, 16, 24
 */

static struct pm_error *add_unlisted(struct pm_modules *modules, char *path, struct module **ret) {
    struct module *module PM_AUTO(module) = calloc(1, sizeof(*module));
    if (!module || !(module->path = strdup(path))) return pm_error_nomem();
    module->public.path = module->path;
    module->public.state = PM_MODULE_MISSING;
    module->unlisted = true;
    module->first = modules->spans.count;
    PM_TRY(add_module(modules, module));
    *ret = PM_TAKE(module);
    return NULL;
}

static pm_addr loader_list(const struct pm_core *core, const struct module *program) {
    const struct pm_mem *mem = pm_core_memory(core);
    uint64_t vaddr, size, bias, tag, value;
    if (!pm_elf_dynamic(program->public.elf, &vaddr, &size) ||
        !program_bias(core, program->public.elf, &bias))
        return 0;
    for (uint64_t at = 0; at < size; at += 16) {
        if (!pm_mem_u64(mem, vaddr + bias + at, &tag) || !pm_mem_u64(mem, vaddr + bias + at + 8, &value) ||
            !tag)
            return 0;
        if (tag == DT_DEBUG) return pm_mem_u64(mem, value + 8, &value) ? value : 0;
    }
    return 0;
}

static bool is_listed(const struct pm_modules *modules, pm_addr dynamic) {
    for (size_t i = 0; i < modules->items.count; i++)
        if (modules->items.items[i]->dynamic == dynamic) return true;
    return false;
}

static struct pm_error *gather_libraries(struct pm_modules *modules) {
    const struct pm_mem *mem = pm_core_memory(modules->core);
    pm_addr at = loader_list(modules->core, modules->program);
    for (size_t count = 0; at && count < PM_MAX_MODULES; count++) {
        uint64_t bias, name, dynamic, next;
        if (!pm_mem_u64(mem, at, &bias) || !pm_mem_u64(mem, at + 8, &name) ||
            !pm_mem_u64(mem, at + 16, &dynamic) || !pm_mem_u64(mem, at + 24, &next))
            return NULL;
        if (is_listed(modules, dynamic)) return NULL; /* a damaged list may go round */
        at = next;
        if (count == 0) {
            modules->program->dynamic = dynamic; /* the first one is the program */
            continue;
        }
        char *path PM_AUTO_FREE = pm_mem_string(mem, name, 4096);
        if (!path || path[0] != '/') continue; /* the vdso has no path */
        struct module *module;
        PM_TRY(add_unlisted(modules, path, &module));
        module->loaded = bias;
        module->dynamic = dynamic;
        module->public.bias = bias;
        module->public.start = module->public.end = bias;
        find_file(modules, module);
    }
    return NULL;
}

static struct pm_error *gather_unlisted(struct pm_modules *modules) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    char *path PM_AUTO_FREE =
        info->execfn ? pm_mem_string(pm_core_memory(modules->core), info->execfn, 4096) : NULL;
    if (!path && info->name) path = strdup(info->name);
    if (!path) path = strdup("");
    if (!path) return pm_error_nomem();
    PM_TRY(add_unlisted(modules, path, &modules->program));
    modules->program->public.is_program = true;
    find_file(modules, modules->program);
    if (!modules->program->public.elf) return NULL;
    PM_TRY(place_and_fill(modules, modules->program)); /* the loader's own name is in the program's text */
    PM_TRY(pm_mem_finish(pm_core_memory(modules->core)));
    return gather_libraries(modules);
}

/* ------------------------------------------------------------------ the vdso */

static struct pm_error *add_vdso(struct pm_modules *modules) {
    pm_addr start = pm_core_info(modules->core)->sysinfo_ehdr;
    uint64_t size;
    const uint8_t *bytes = start ? core_bytes(modules->core, start, &size) : NULL;
    if (!bytes) return NULL;
    struct module *module PM_AUTO(module) = calloc(1, sizeof(*module));
    if (!module || !(module->path = strdup("[vdso]"))) return pm_error_nomem();
    struct pm_error *err = pm_elf_open_memory(bytes, size, "[vdso]", &module->public.elf);
    if (err) {
        pm_error_destroy(err);
        return NULL;
    }
    module->public.path = module->path;
    module->public.state = PM_MODULE_VERIFIED; /* these are the process's own bytes */
    read_header(module, bytes, size);
    module->first = modules->spans.count;
    module->count = 1;
    struct span span = {start, start + size, 0, 0, 0};
    if (!pm_vec_push(&modules->spans, span)) return pm_error_nomem();
    PM_TRY(add_module(modules, module));
    module = NULL;
    return NULL;
}

/* ------------------------------------------------------------------ putting it together */

static bool is_v8(const struct module *module) {
    static const char *const names[] = {"v8dbg_frametype_EntryFrame", "v8dbg_SmiTag",
                                        "_ZN2v87Isolate10GetCurrentEv"};
    struct pm_elf_symbol symbol;
    for (size_t i = 0; module->public.elf && i < sizeof(names) / sizeof(names[0]); i++)
        if (pm_elf_find_symbol(module->public.elf, names[i], &symbol)) return true;
    return false;
}

static void find_v8(struct pm_modules *modules) {
    if (modules->program && is_v8(modules->program)) modules->v8 = modules->program;
    for (size_t i = 0; !modules->v8 && i < modules->items.count; i++)
        if (is_v8(modules->items.items[i])) modules->v8 = modules->items.items[i];
}

static int by_module_start(const void *a, const void *b) {
    const struct module *x = *(struct module *const *)a, *y = *(struct module *const *)b;
    return x->public.start < y->public.start ? -1 : x->public.start > y->public.start;
}

static int by_span_start(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static struct pm_error *add_whole_segments(struct pm_modules *modules, const struct module *module,
                                           uint32_t number) {
    for (size_t i = 0; i < module->segment_count && module->count; i++) {
        const struct pm_elf_segment *segment = &module->segments[i];
        struct span span = {
            .start = segment->vaddr + module->public.bias, .bias = module->public.bias, .module = number};
        if (!pm_add_u64(span.start, segment->memory_size, &span.end)) continue;
        if (!pm_vec_push(&modules->segments, span)) return pm_error_nomem();
    }
    return NULL;
}

static struct pm_error *place_all(struct pm_modules *modules) {
    for (size_t i = 0; i < modules->items.count; i++) {
        PM_TRY(place_and_fill(modules, modules->items.items[i]));
    }
    PM_TRY(pm_mem_finish(pm_core_memory(modules->core)));
    if (modules->items.count)
        pm_sort(modules->items.items, modules->items.count, sizeof(*modules->items.items), by_module_start);
    for (size_t i = 0; i < modules->items.count; i++) {
        const struct module *module = modules->items.items[i];
        for (size_t k = 0; k < module->count; k++)
            modules->spans.items[module->first + k].module = (uint32_t)i;
        PM_TRY(add_whole_segments(modules, module, (uint32_t)i));
    }
    if (modules->segments.count)
        pm_sort(modules->segments.items, modules->segments.count, sizeof(*modules->segments.items),
                by_span_start);
    if (modules->spans.count)
        pm_sort(modules->spans.items, modules->spans.count, sizeof(*modules->spans.items), by_span_start);
    return NULL;
}

static struct pm_error *open_exe(struct pm_modules *modules) {
    if (!modules->options.exe) return NULL;
    return pm_error_hint(pm_elf_open(modules->options.exe, &modules->exe),
                         "--exe wants the node binary that the process ran");
}

struct pm_error *pm_modules_open(const struct pm_core *core, const struct pm_module_options *options,
                                 struct pm_modules **ret) {
    struct pm_modules *modules PM_AUTO(modules) = calloc(1, sizeof(*modules));
    if (!modules) return pm_error_nomem();
    modules->core = core;
    if (options) modules->options = *options;
    PM_TRY(open_exe(modules));
    if (pm_core_info(core)->has_files) {
        PM_TRY(gather(modules));
        for (size_t i = 0; i < modules->items.count; i++) find_file(modules, modules->items.items[i]);
    } else {
        PM_TRY(gather_unlisted(modules));
    }
    if (modules->exe && !modules->exe_used) PM_TRY(refuse_exe(modules));
    PM_TRY(add_vdso(modules));
    PM_TRY(place_all(modules));
    find_v8(modules);
    *ret = PM_TAKE(modules);
    return NULL;
}

/* ------------------------------------------------------------------ accessors */

size_t pm_modules_count(const struct pm_modules *modules) {
    return modules->items.count;
}

size_t pm_modules_skipped(const struct pm_modules *modules) {
    return modules->skipped;
}

const struct pm_module *pm_modules_at(const struct pm_modules *modules, size_t index) {
    return &modules->items.items[index]->public;
}

const struct pm_module *pm_modules_program(const struct pm_modules *modules) {
    return modules->program ? &modules->program->public : NULL;
}

static const struct span *find_span(const struct span *spans, size_t count, pm_addr addr) {
    size_t low = 0, high = count;
    while (low < high) { /* the first one that starts behind addr */
        size_t middle = low + (high - low) / 2;
        if (spans[middle].start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low && addr < spans[low - 1].end ? &spans[low - 1] : NULL;
}

const struct pm_module *pm_modules_find(const struct pm_modules *modules, pm_addr addr, uint64_t *vaddr_ret) {
    const struct span *span = find_span(modules->spans.items, modules->spans.count, addr);
    if (!span) span = find_span(modules->segments.items, modules->segments.count, addr);
    if (!span) return NULL;
    if (vaddr_ret) *vaddr_ret = addr - span->bias;
    return &modules->items.items[span->module]->public;
}

pm_addr pm_module_address(const struct pm_module *module, uint64_t vaddr) {
    return vaddr + module->bias;
}

static bool symbol_in(const struct pm_module *module, const char *name, pm_addr *addr_ret,
                      uint64_t *size_ret) {
    struct pm_elf_symbol symbol;
    if (!module->elf || !pm_elf_find_symbol(module->elf, name, &symbol) || symbol.type == STT_TLS)
        return false;
    *addr_ret = pm_module_address(module, symbol.value);
    if (size_ret) *size_ret = symbol.size;
    return true;
}

bool pm_modules_symbol(const struct pm_modules *modules, const char *name, pm_addr *addr_ret,
                       uint64_t *size_ret, const struct pm_module **module_ret) {
    const struct pm_module *found = NULL;
    if (modules->program && symbol_in(&modules->program->public, name, addr_ret, size_ret))
        found = &modules->program->public;
    for (size_t i = 0; !found && i < modules->items.count; i++) {
        const struct pm_module *module = &modules->items.items[i]->public;
        if (!module->is_program && symbol_in(module, name, addr_ret, size_ret)) found = module;
    }
    if (found && module_ret) *module_ret = found;
    return found != NULL;
}

const struct pm_module *pm_modules_v8(const struct pm_modules *modules) {
    return modules->v8 ? &modules->v8->public : NULL;
}
