/* log_error.h - an uncaught exception, as Node prints it at the end of a process, read line by line.
 *
 *     /app/src/pay.js:12
 *       throw new PaymentError('cannot pay', { cause: e });
 *       ^
 *
 *     PaymentError: cannot pay
 *         at charge (/app/src/pay.js:12:9) {
 *       code: 'EPAY',
 *       [cause]: TypeError: x is not a function
 *           at ...
 *     }
 *
 *     Node.js v22.23.3 */
#ifndef PM_PARSERS_LOG_ERROR_H
#define PM_PARSERS_LOG_ERROR_H

#include "postmortem/base/strbuf.h"
#include "postmortem/base/vec.h"
#include "postmortem/model/gc_log.h"

enum pm_log_error_state {
    PM_ERROR_NONE,
    PM_ERROR_HEAD, /* behind the mark: name and message */
    PM_ERROR_FRAMES,
    PM_ERROR_PROPERTIES, /* inside { } */
};

struct pm_log_error_reader {
    struct pm_arena *arena; /* borrowed */
    enum pm_log_error_state state;
    unsigned lines; /* since the mark */
    struct pm_log_error error;
    struct pm_strbuf message;
    PM_VEC(struct pm_frame) frames;
    bool in_cause;
};

void pm_log_error_deinit(struct pm_log_error_reader *reader);
/* Is it the line with nothing but the mark (^, ^^^^)? */
bool pm_log_is_mark(const char *line);
/* Begins with the two lines before the mark; false = they are not Node's. */
bool pm_log_error_begin(struct pm_log_error_reader *reader, const char *place, const char *source);
/* One more line; true = the error is complete without it (state is PM_ERROR_NONE then). */
bool pm_log_error_line(struct pm_log_error_reader *reader, const char *line);
/* The finished error in the arena; NULL without memory. */
struct pm_log_error *pm_log_error_take(struct pm_log_error_reader *reader);

#endif
