/* gc_row.h - one line of --trace-gc, in every shape V8 8 to 14 writes it.
 *
 *   [31068:0x71c5570]  1088 ms: Mark-sweep (reduce) 51.7 (57.6) -> 51.7 (57.3) MB, 53.6 / 0.0 ms  (+ 2.1 ms
 * in 9 steps since start of marking, ...) (average mu = 0.067, current mu = 0.001) allocation failure GC in
 * ... Node 22:  ... MB, pooled: 0 MB, 1.07 / 0.00 ms ...     Node 26:  Incremental Mark-Compact ...
 *   --trace-gc-nvp:      [...]  167 ms: pause=4.4 mutator=11.3 gc=mc ... total_size_before=21105440 ...
 *   the same in Node 26: [pid:0x...:0]  17 ms: GC: {"pause":1.132,"gc":"s","start_object_size":4972408, ...}
 */
#ifndef PM_PARSERS_GC_ROW_H
#define PM_PARSERS_GC_ROW_H

#include "postmortem/model/gc_log.h"

/* "[pid:0xisolate]" or "[pid:0xisolate:n]" at `text`; returns what follows, NULL = it is none. */
const char *pm_gc_prefix(const char *text, uint64_t *pid_ret, pm_addr *isolate_ret);

struct pm_gc_row_text {
    struct pm_gc_row row; /* reason is NULL */
    uint64_t pid;
    pm_addr isolate;
    const char *reason; /* not terminated */
    size_t reason_length;
    const char *end; /* of what was taken */
};

/* The first row at or behind `text` (NUL-terminated); false = there is none. */
bool pm_gc_row_find(const char *text, struct pm_gc_row_text *ret);

#endif
