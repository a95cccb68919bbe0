#include "postmortem/report/writer.h"

#include <string.h>

/* The first one is the default. */
static const struct pm_writer *const writers[] = {
    &pm_writer_text,
    &pm_writer_json,
    &pm_writer_markdown,
    &pm_writer_html,
};

const struct pm_writer *const *pm_writers(size_t *count_ret) {
    *count_ret = sizeof(writers) / sizeof(writers[0]);
    return writers;
}

const struct pm_writer *pm_writer_find(const char *name) {
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
        if (!strcmp(writers[i]->name, name)) return writers[i];
    return NULL;
}
