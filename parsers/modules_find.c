#include "parsers/modules_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "postmortem/base/checked.h"
#include "postmortem/base/escape.h"

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The kernel marks files that were deleted or replaced while they were mapped. */
size_t pm_module_path_length(const char *path) {
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), tail = sizeof(deleted) - 1;
    return length > tail && strcmp(path + length - tail, deleted) == 0 ? length - tail : length;
}

static unsigned elf_machine(const struct pm_core *core) {
    return pm_core_info(core)->machine == PM_MACHINE_X86_64 ? EM_X86_64 : EM_AARCH64;
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
        const uint8_t *bytes = pm_module_core_bytes(modules->core, span->start, &length);
        uint32_t protection = pm_module_protection(modules->core, span->start);
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
    pm_module_set_segments(&probe, elf);
    if (!probe.segment_count || !pm_module_choose_bias(modules, &probe, &bias)) return false;
    if (bias && pm_elf_is_executable(elf)) return false; /* linked for one place only */
    const struct span *spans = modules->spans.items + module->first;
    for (size_t i = 0; i < module->count; i++)
        if (spans[i].file_offset >= size) return false;
    for (size_t s = 0; s < probe.segment_count; s++) {
        const struct pm_elf_segment *segment = &probe.segments[s];
        bool mapped = segment->file_size == 0;
        for (size_t i = 0; i < module->count && !mapped; i++) {
            uint64_t other;
            mapped = pm_module_bias_of(segment, &spans[i], page, &other) && other == bias;
        }
        if (!mapped) return false;
    }
    return !module->public.is_program || !info->entry || info->entry == pm_elf_entry(elf) + bias;
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
        const uint8_t *bytes =
            spans[i].file_offset ? NULL : pm_module_core_bytes(modules->core, spans[i].start, &size);
        if (!bytes || size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0) continue;
        pm_module_read_header(module, bytes, size);
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
    bool fits = module->public.is_program ? pm_module_program_bias(modules->core, elf, &bias)
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

void pm_module_find_file(struct pm_modules *modules, struct module *module) {
    char *path PM_AUTO_FREE = strndup(module->path, pm_module_path_length(module->path));
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
struct pm_error *pm_modules_refuse_exe(struct pm_modules *modules) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    if (info->has_files || info->entry || info->phdr || !modules->program) return wrong_exe(modules);
    struct module *program = modules->program;
    program->public.state = PM_MODULE_WRONG;
    program->public.found = program->found = strdup(modules->options.exe);
    return program->found ? NULL : pm_error_nomem();
}
