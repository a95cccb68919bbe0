#include "postmortem/model/report_facts.h"

#include <string.h>

const struct pm_report_limit *pm_report_limit(const struct pm_report_facts *facts, const char *name) {
    static const char *const units[] = {"", "_blocks", "_bytes", "_kbytes", "_seconds"};
    size_t length = strlen(name);
    for (size_t i = 0; i < facts->limit_count; i++) {
        if (strncmp(facts->limits[i].name, name, length) != 0) continue;
        for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++)
            if (!strcmp(facts->limits[i].name + length, units[k])) return &facts->limits[i];
    }
    return NULL;
}

static const char *value_of(const struct pm_env_value *rows, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(rows[i].name, name)) return rows[i].value;
    return NULL;
}

const char *pm_report_component(const struct pm_report_facts *facts, const char *name) {
    return value_of(facts->header.components, facts->header.component_count, name);
}

const char *pm_report_variable(const struct pm_report_facts *facts, const char *name) {
    return value_of(facts->environment, facts->environment_count, name);
}

const struct pm_report_space *pm_report_space(const struct pm_report_facts *facts, const char *name) {
    for (size_t i = 0; i < facts->heap.space_count; i++)
        if (!strcmp(facts->heap.spaces[i].name, name)) return &facts->heap.spaces[i];
    return NULL;
}
