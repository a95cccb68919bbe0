/* answers.h - the answers of single commands, as blocks of sentences and tables: what every writer for people
 * prints, each in its own form.
 *
 * OWNERSHIP  blocks and cells belong to the answers: pm_answers_destroy(). Texts are untrusted: writers
 * escape them. FAILURE    without memory blocks are missing; nothing crashes. */
#ifndef PM_REPORT_ANSWERS_H
#define PM_REPORT_ANSWERS_H

#include "postmortem/base/arena.h"
#include "postmortem/report/table.h"
#include "postmortem/report/writer.h"

#define PM_ANSWER_COLUMNS 12

struct pm_answer {
    const char *title; /* "Strings" */
    const char *lead;  /* what the table is about, a sentence or several lines; NULL */
    const struct pm_column *columns;
    size_t column_count; /* 0 = no table */
    const char **cells;  /* row by row */
    size_t cell_count, cell_room;
    const char *rest; /* what the table leaves out; NULL */
};

struct pm_answers {
    struct pm_arena *arena;
    const struct pm_diagnosis *diagnosis;
    const struct pm_write_options *options;
    struct pm_answer *items;
    size_t count;
};

struct pm_answers *pm_answers_create(const struct pm_diagnosis *diagnosis,
                                     const struct pm_write_options *options);
void pm_answers_destroy(struct pm_answers *answers);

/* Building: a block, and its cells row by row. */
struct pm_answer *pm_answers_block(struct pm_answers *answers, const char *title, const char *lead,
                                   const struct pm_column *columns, size_t column_count);
void pm_answers_cell(struct pm_answers *answers, struct pm_answer *block, const char *text);
void pm_answers_bytes(struct pm_answers *answers, struct pm_answer *block, uint64_t bytes);
void pm_answers_count(struct pm_answers *answers, struct pm_answer *block, uint64_t count);
void pm_answers_comparisons(struct pm_answers *answers); /* answers_compare.c */
void pm_answers_loops(struct pm_answers *answers);       /* answers_loop.c */

PM_DEFINE_AUTO(answers, struct pm_answers, pm_answers_destroy)

#endif
