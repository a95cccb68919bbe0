/* fuzz_core.c - any bytes as a core: header, segments, notes, address space, command line, the modules'
 * headers in memory, and the stacks by what call frame information there is. */
#include <stdlib.h>

#include "parsers/core_file.h"
#include "parsers/elf_file.h"
#include "parsers/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_memory(const struct pm_mem *mem) {
    uint8_t bytes[32];
    uint64_t word, length;
    for (size_t i = 0; i < pm_mem_range_count(mem) && i < 64; i++) {
        const struct pm_mem_range *range = pm_mem_range_at(mem, i);
        if (range->start >= range->end) abort(); /* a range holds something */
        pm_mem_u64(mem, range->start, &word);
        pm_mem_u64(mem, range->end - 4, &word);
        pm_mem_probe(mem, range->start, sizeof(bytes));
        pm_mem_copy(mem, range->end - 16, bytes, sizeof(bytes));
        const uint8_t *view = pm_mem_view_some(mem, range->start, &length);
        if (view && length) (void)*(const volatile uint8_t *)(view + length - 1);
        free(pm_mem_string(mem, range->start, 256));
        pm_error_destroy(pm_mem_read(mem, range->start, sizeof(bytes), bytes));

        const uint8_t *id;
        size_t id_length;
        struct pm_elf_segment segments[8];
        if (!view) continue;
        if (pm_elf_header_build_id(view, length, &id, &id_length) && id_length)
            (void)*(const volatile uint8_t *)id;
        pm_elf_header_segments(view, length, segments, 8);
    }
}

static void ask_process(const struct pm_core *core) {
    size_t count;
    char **words = pm_core_argv(core, &count);
    for (size_t i = 0; words && i < count; i++)
        if (!words[i]) abort();
    free(words);
    words = pm_core_environ(core, &count);
    free(words);
    for (size_t i = 0; i < pm_core_thread_count(core); i++) (void)pm_core_thread(core, i)->tid;
    for (size_t i = 0; i < pm_core_mapping_count(core); i++)
        if (!pm_core_mapping(core, i)->path) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_core *core PM_AUTO(core) = NULL;
    struct pm_input input = {.path = (char *)"core", .bytes = data, .size = size, .file_size = size};
    pm_format_of(&input);
    struct pm_error *err = pm_core_open(&input, &core);
    if (err) {
        if (core) abort();
        pm_error_destroy(err);
        return 0;
    }
    ask_process(core);
    ask_memory(pm_core_memory(core));
    return 0;
}
