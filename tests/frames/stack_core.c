#include "stack_core.h"

#include <stdlib.h>
#include <string.h>

struct pm_error *stack_core_open(const char *name, const char *version, const char *hide,
                                 struct stack_core *ret) {
    struct stack_core core = {0};
    struct pm_error *err = real_core_open(name, version, hide, &core.real);
    if (err) return err;
    core.diagnosis = pm_diagnosis_create();
    if (!core.diagnosis) err = pm_error_nomem();
    if (!err) err = pm_unwinder_create(core.real.core, core.real.modules, &core.unwinder);
    if (!err)
        err =
            v8_collect_stacks(core.real.v8, core.real.core, core.real.modules, core.unwinder, core.diagnosis);
    if (err)
        stack_core_close(&core);
    else
        *ret = core;
    return err;
}

void stack_core_close(struct stack_core *core) {
    pm_diagnosis_destroy(core->diagnosis);
    pm_unwinder_destroy(core->unwinder);
    core->diagnosis = NULL;
    core->unwinder = NULL;
    real_core_close(&core->real);
}

const struct pm_thread *stack_core_main(const struct stack_core *core) {
    for (size_t i = 0; i < core->diagnosis->thread_count; i++)
        if (core->diagnosis->threads[i].role == PM_ROLE_MAIN) return &core->diagnosis->threads[i];
    return NULL;
}

const struct pm_thread *stack_core_crashed(const struct stack_core *core) {
    for (size_t i = 0; i < core->diagnosis->thread_count; i++)
        if (core->diagnosis->threads[i].crashed) return &core->diagnosis->threads[i];
    return NULL;
}

bool stack_frame_is(const struct pm_frame *frame, const char *name, const char *file) {
    if (!frame->function || !frame->position.file) return false;
    const char *slash = strrchr(frame->position.file, '/');
    const char *last = strrchr(file, '/');
    if (strcmp(slash ? slash + 1 : frame->position.file, last ? last + 1 : file) != 0) return false;
    size_t length = strcspn(frame->function, "[");
    while (length && frame->function[length - 1] == ' ') length--;
    size_t wanted = strlen(name);
    if (length < wanted || strncmp(frame->function + length - wanted, name, wanted) != 0) return false;
    return length == wanted || strchr(". ", frame->function[length - wanted - 1]) != NULL;
}

size_t stack_pairs(int argc, char **argv, const struct stack_pair *everyday, size_t count,
                   const struct stack_pair **ret) {
    static struct stack_pair pairs[1024];
    size_t given = 0;
    for (int i = 1; i + 1 < argc && given < sizeof(pairs) / sizeof(pairs[0]); i += 2)
        pairs[given++] = (struct stack_pair){argv[i], argv[i + 1]};
    *ret = given ? pairs : everyday;
    return given ? given : count;
}
