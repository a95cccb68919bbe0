/* Stacks whose memory lies: words of the stack, of code and of the heap are changed at random in a private
 * copy of the core, after the layout was found. The walk always ends, inside its limits; the sanitizers see
 * the rest. */
#include "stack_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "postmortem/base/limits.h"

enum { ROUNDS = 30, STACK_BYTES = 65536 };

static uint64_t state_of_random;
static uint64_t next_random(void) {
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return state_of_random;
}

/* The same file, mapped so that we may write into our copy of it. */
static struct pm_input *writable_copy(const struct pm_input *input) {
    static struct pm_input copy;
    FILE *file = fopen(input->path, "rb");
    assert_non_null(file);
    copy = *input;
    void *bytes = mmap(NULL, input->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
    assert_true(bytes != MAP_FAILED);
    copy.bytes = bytes;
    fclose(file);
    return &copy;
}

static uint8_t *writable(const struct pm_input *input, const struct pm_mem *mem, pm_addr address) {
    const uint8_t *bytes = pm_mem_view(mem, address, 8);
    if (!bytes || bytes < input->bytes || bytes >= input->bytes + input->size) return NULL; /* of a binary */
    return (uint8_t *)(uintptr_t)bytes;
}

static uint64_t other_value(const struct v8 *v8, uint64_t value) {
    const struct v8_page *page = &v8->pages[next_random() % v8->page_count];
    switch (next_random() % 6) {
    case 0: return next_random();
    case 1: return next_random() % 256;
    case 2: return value ^ 1ull << next_random() % 64;
    case 3: return value + (next_random() % 17) * 8 - 64;
    case 4: return (next_random() & UINT32_MAX) << 32; /* a Smi */
    default:
        return page->start + (next_random() % (page->end - page->start + 1)) / 8 * 8 +
               1; /* a tagged pointer */
    }
}

static void change(const struct pm_input *input, const struct v8 *v8, pm_addr address) {
    uint64_t value;
    uint8_t *at = writable(input, v8->mem, address);
    if (!at) return;
    memcpy(&value, at, sizeof(value));
    value = other_value(v8, value);
    memcpy(at, &value, sizeof(value));
}

static void damage(const struct pm_input *input, const struct v8 *v8) {
    unsigned what = (unsigned)(next_random() % 3);
    const struct pm_core_thread *thread = pm_core_thread(v8->core, 0);
    pm_addr sp = thread->regs.value[pm_unwind_arch(pm_core_info(v8->core)->machine)->sp];
    for (uint64_t i = what == 1 ? 0 : 1 + next_random() % 40; i > 0; i--)
        change(input, v8, sp + next_random() % STACK_BYTES / 8 * 8);
    for (uint64_t i = what == 0 ? 0 : next_random() % 100000; i > 0; i--) {
        const struct v8_page *page = &v8->pages[next_random() % v8->page_count];
        if (page->end > page->start + 8)
            change(input, v8, page->start + next_random() % (page->end - page->start - 8) / 8 * 8);
    }
}

static void check_round(const char *folder, const struct pm_input *original) {
    struct pm_input *input = writable_copy(original);
    struct pm_core *core PM_AUTO(core) = NULL;
    struct pm_modules *modules PM_AUTO(modules) = NULL;
    struct pm_unwinder *unwinder PM_AUTO(unwinder) = NULL;
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct v8 *v8 = NULL;
    char exe[700];
    snprintf(exe, sizeof(exe), "%s/node", folder);
    struct pm_module_options options = {.exe = exe};
    assert_null(pm_core_open(input, &core));
    assert_null(pm_modules_open(core, &options, &modules));
    assert_null(v8_open(core, modules, &(struct v8_options){0}, &v8));
    assert_null(pm_unwinder_create(core, modules, &unwinder));
    damage(input, v8);
    assert_null(v8_collect_stacks(v8, core, modules, unwinder, diagnosis));
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        assert_true(thread->frame_count <= PM_MAX_FRAMES);
        for (size_t k = 0; k < thread->frame_count; k++)
            assert_true(!thread->frames[k].function || strlen(thread->frames[k].function) < 100000);
    }
    v8_close(v8);
    munmap((void *)(uintptr_t)input->bytes, input->size);
}

static void check(const char *name, const char *version) {
    struct real_core real;
    struct pm_error *err = real_core_open(name, version, NULL, &real);
    assert_null(err);
    for (unsigned round = 0; round < ROUNDS; round++) {
        state_of_random = 0x9e3779b97f4a7c15ull * (round + 1) + strlen(name);
        check_round(real.folder, real.input);
    }
    real_core_close(&real);
}

static void test_damaged(void **state) {
    (void)state;
    check("stack-turbofan", "24.21.0");
    check("stack-async", "18.20.8");
    check("stack-callbacks", "16.20.2");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
