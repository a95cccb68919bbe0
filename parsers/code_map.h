/* code_map.h - what code is at an address while a --prof log is read: V8 makes, moves and overwrites code all
 * the time, so the answer is that of the moment.
 *
 * Ranges never overlap: new code takes the place of all that it covers, also in part. FAILURE  without
 * memory. */
#ifndef PM_PARSERS_CODE_MAP_H
#define PM_PARSERS_CODE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "postmortem/base/error.h"

struct pm_code {
    uint64_t start, end;
    uint64_t name; /* offset of its row's name in the log */
    uint32_t name_length;
    uint32_t function; /* index, once somebody asked; UINT32_MAX */
    uint8_t type;      /* enum pm_prof_type */
};

struct pm_code_map {
    void *root; /* of tsearch() */
};

struct pm_error *pm_code_map_put(struct pm_code_map *map, const struct pm_code *code);
/* The code from one address on is now at another one; false = there was none. */
bool pm_code_map_move(struct pm_code_map *map, uint64_t from, uint64_t to);
struct pm_code *pm_code_map_find(const struct pm_code_map *map, uint64_t address); /* NULL = none */
void pm_code_map_deinit(struct pm_code_map *map);

#endif
