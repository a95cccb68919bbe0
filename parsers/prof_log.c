/* A V8 --prof log (isolate-*.log): a row for each piece of code that is made or moved, and for each tick of
 * the profiler the stack as addresses. Rows of V8 8 to 14:
 *
 *   shared-library,/usr/bin/node,0x400000,0xb71000,0
 *   code-creation,JS,10,995196,0x1c188ec4f530,107,tick /app/app.js:10:36,0x1d5cb646ebf8,~
 *                 type,kind,us,start,size,name[,shared function info,tier]
 *   code-move,0x2cc200,0x2cd000
 *   tick,0x14cca59,173059,0,0x0,0,0x2d8da61b4cbc,+0x20,overflow
 *        pc,us,pc is a callback of C++,callback or top of the stack,state of V8,callers ...
 *   profiler,begin,1000                                              microseconds between two ticks
 *
 * A tick counts as one interval, as in `node --prof-process`: V8 does not tick while the loop waits, so that
 * the time until the next one says nothing. Turns of the loop cannot be told apart therefore. */
#include <string.h>
#include <xxhash.h>

#include "parsers/code_map.h"
#include "parsers/prof_names.h"
#include "parsers/profile.h"
#include "parsers/profile_reader.h"

#define NONE             UINT32_MAX
#define DEFAULT_INTERVAL 1000 /* us */
#define FRAMES_MOST      512  /* V8 writes 255 */

/* V8's StateTag. */
enum { STATE_GC = 1, STATE_IDLE = 8, STATE_IDLE_EXTERNAL = 10 };

struct reader {
    const char *text; /* the whole log */
    struct pm_raw_profile raw;
    struct pm_code_map code, libraries;
    uint32_t *table; /* calls by caller and function, open addressing, index + 1 */
    size_t mask;
    uint64_t ticks, first_us, last_us, interval;
    uint64_t overflowed; /* ticks before which some were lost */
    uint64_t bad_rows;
};

/* ------------------------------------------------------------------ fields */

struct row {
    const char *at, *end;
};

static bool next_field(struct row *row, struct row *ret) {
    if (!row->at) return false;
    const char *comma = memchr(row->at, ',', (size_t)(row->end - row->at));
    *ret = (struct row){row->at, comma ? comma : row->end};
    row->at = comma ? comma + 1 : NULL;
    return true;
}

static bool is(const struct row *field, const char *word) {
    size_t length = strlen(word);
    return (size_t)(field->end - field->at) == length && !memcmp(field->at, word, length);
}

/* "0x1f" or "31". */
static bool number_of(struct row field, uint64_t *ret) {
    bool hexadecimal = field.end - field.at > 2 && field.at[0] == '0' && (field.at[1] | 32) == 'x';
    uint64_t base = hexadecimal ? 16 : 10, value = 0;
    const char *p = field.at + (hexadecimal ? 2 : 0);
    if (p == field.end) return false;
    for (; p < field.end; p++) {
        unsigned one = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0') : (unsigned)((*p | 32) - 'a' + 10);
        if (one >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, one, &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool next_number(struct row *row, uint64_t *ret) {
    struct row field;
    return next_field(row, &field) && number_of(field, ret);
}

/* ------------------------------------------------------------------ code */

static struct pm_error *add_code(struct reader *reader, struct row row) {
    struct row type, name;
    uint64_t kind, time, start, size;
    if (!next_field(&row, &type) || !next_number(&row, &kind) || !next_number(&row, &time) ||
        !next_number(&row, &start) || !next_number(&row, &size) || !next_field(&row, &name) ||
        size > UINT64_MAX - start || name.end - name.at > UINT32_MAX) {
        reader->bad_rows++;
        return NULL;
    }
    struct pm_code code = {
        .start = start,
        .end = start + size,
        .name = (uint64_t)(name.at - reader->text),
        .name_length = (uint32_t)(name.end - name.at),
        .function = NONE,
        .type = (uint8_t)pm_prof_type(type.at, (size_t)(type.end - type.at)),
    };
    return pm_code_map_put(&reader->code, &code);
}

static struct pm_error *add_library(struct reader *reader, struct row row) {
    struct row name;
    uint64_t start, end;
    if (!next_field(&row, &name) || !next_number(&row, &start) || !next_number(&row, &end) || end < start ||
        name.end - name.at > UINT32_MAX) {
        reader->bad_rows++;
        return NULL;
    }
    struct pm_code code = {.start = start,
                           .end = end,
                           .name = (uint64_t)(name.at - reader->text),
                           .name_length = (uint32_t)(name.end - name.at),
                           .function = NONE,
                           .type = PM_PROF_LIBRARY};
    return pm_code_map_put(&reader->libraries, &code);
}

static void move_code(struct reader *reader, struct row row) {
    uint64_t from, to;
    if (!next_number(&row, &from) || !next_number(&row, &to))
        reader->bad_rows++;
    else
        pm_code_map_move(&reader->code, from, to);
}

/* Code of V8 inside the binary (its builtins) is told as code, the rest of the binary as a library. */
static struct pm_code *find_code(const struct reader *reader, uint64_t address) {
    struct pm_code *code = pm_code_map_find(&reader->code, address);
    return code ? code : pm_code_map_find(&reader->libraries, address);
}

/* ------------------------------------------------------------------ functions and calls */

static struct pm_error *intern(struct reader *reader, const struct pm_profile_function *function,
                               uint32_t *ret) {
    const char *file = function->position.file ? function->position.file : "";
    const uint64_t parts[5] = {XXH3_64bits(function->name, strlen(function->name)),
                               XXH3_64bits(file, strlen(file)), function->position.line,
                               function->position.column, function->kind};
    bool known;
    PM_TRY(pm_raw_profile_function(&reader->raw, XXH3_64bits(parts, sizeof(parts)), &known, ret));
    return known || pm_vec_push(&reader->raw.functions, *function) ? NULL : pm_error_nomem();
}

static struct pm_error *function_of(struct reader *reader, struct pm_code *code, uint32_t *ret) {
    struct pm_profile_function function;
    if (code->function == NONE) {
        if (!pm_prof_function(reader->raw.arena, (enum pm_prof_type)code->type, reader->text + code->name,
                              code->name_length, &function))
            return pm_error_nomem();
        PM_TRY(intern(reader, &function, &code->function));
    }
    *ret = code->function;
    return NULL;
}

static struct pm_error *grow(struct reader *reader) {
    size_t slots = reader->mask ? (reader->mask + 1) * 2 : 1024;
    uint32_t *table = calloc(slots, sizeof(*table));
    if (!table) return pm_error_nomem();
    free(reader->table);
    reader->table = table;
    reader->mask = slots - 1;
    for (size_t i = 0; i < reader->raw.calls.count; i++) {
        const uint32_t key[2] = {reader->raw.calls.items[i].caller, reader->raw.calls.items[i].function};
        size_t slot = XXH3_64bits(key, sizeof(key)) & reader->mask;
        while (table[slot]) slot = (slot + 1) & reader->mask;
        table[slot] = (uint32_t)i + 1;
    }
    return NULL;
}

static struct pm_error *call_of(struct reader *reader, uint32_t caller, uint32_t function, uint32_t *ret) {
    const uint32_t key[2] = {caller, function};
    if (reader->raw.calls.count * 2 >= reader->mask) PM_TRY(grow(reader));
    size_t slot = XXH3_64bits(key, sizeof(key)) & reader->mask;
    for (; reader->table[slot]; slot = (slot + 1) & reader->mask) {
        const struct pm_raw_call *call = &reader->raw.calls.items[reader->table[slot] - 1];
        if (call->caller != caller || call->function != function) continue;
        *ret = reader->table[slot] - 1;
        return NULL;
    }
    struct pm_raw_call call = {.id = PM_UNKNOWN, .function = function, .caller = caller};
    if (reader->raw.calls.count >= NONE - 1 || !pm_vec_push(&reader->raw.calls, call))
        return pm_error_nomem();
    *ret = (uint32_t)reader->raw.calls.count - 1;
    reader->table[slot] = *ret + 1;
    return NULL;
}

/* ------------------------------------------------------------------ ticks */

struct tick {
    uint64_t pc, time, is_callback, top, state;
    uint64_t frames[FRAMES_MOST]; /* addresses, the innermost first */
    size_t count;
};

/* Callers are addresses, or differences to the address before. */
static bool read_tick(struct reader *reader, struct row row, struct tick *tick) {
    struct row field;
    if (!next_number(&row, &tick->pc) || !next_number(&row, &tick->time) ||
        !next_number(&row, &tick->is_callback) || !next_number(&row, &tick->top) ||
        !next_number(&row, &tick->state))
        return false;
    /* Inside a callback of C++ the callback stands for the pc. */
    uint64_t before = tick->is_callback ? tick->top : tick->pc;
    tick->count = 0;
    tick->frames[tick->count++] = before;
    struct pm_code *top = tick->is_callback || !tick->top ? NULL : find_code(reader, tick->top);
    /* A frame that is only being made: its function is on top of the stack. */
    if (top && top->type == PM_PROF_JAVASCRIPT) tick->frames[tick->count++] = tick->top;
    while (next_field(&row, &field)) {
        uint64_t value;
        if (field.at < field.end && *field.at == 'o') {
            reader->overflowed++;
            continue;
        }
        bool less = field.at < field.end && *field.at == '-', more = field.at < field.end && *field.at == '+';
        if (less || more) field.at++;
        if (!number_of(field, &value)) return false;
        if (less || more) value = before = less ? before - value : before + value;
        if (tick->count < FRAMES_MOST) tick->frames[tick->count++] = value;
    }
    return true;
}

static struct pm_error *special(struct reader *reader, enum pm_call_kind kind, const char *name,
                                uint32_t *ret) {
    struct pm_profile_function function = {.name = name, .kind = kind};
    return intern(reader, &function, ret);
}

/* The functions of a tick, the innermost first. Without code of JavaScript it is the program's own. */
static struct pm_error *functions_of(struct reader *reader, const struct tick *tick, uint32_t *functions,
                                     size_t *count_ret) {
    size_t count = 0;
    bool any_code = false;
    for (size_t i = 0; i < tick->count; i++) {
        struct pm_code *code = find_code(reader, tick->frames[i]);
        uint32_t function;
        if (!code && i == 0)
            PM_TRY(special(reader, PM_CALL_NATIVE, "(code not in the log)", &functions[count++]));
        /* Code of V8's startup snapshot is in no log: such callers are left out, as node --prof-process does.
         */
        if (!code || code->type == PM_PROF_HANDLER) continue;
        any_code |= code->type != PM_PROF_LIBRARY;
        PM_TRY(function_of(reader, code, &function));
        bool again = count && code->type == PM_PROF_LIBRARY && functions[count - 1] == function;
        if (!again) functions[count++] = function;
    }
    if (!any_code) {
        count = 1;
        PM_TRY(special(reader, PM_CALL_PROGRAM, "(program)", &functions[0]));
    }
    *count_ret = count;
    return NULL;
}

static struct pm_error *add_tick(struct reader *reader, struct row row) {
    struct tick tick;
    uint32_t functions[FRAMES_MOST], call = 0;
    size_t count = 1;
    if (!read_tick(reader, row, &tick)) {
        reader->bad_rows++;
        return NULL;
    }
    if (tick.state == STATE_GC)
        PM_TRY(special(reader, PM_CALL_GC, "(garbage collector)", &functions[0]));
    else if (tick.state == STATE_IDLE || tick.state == STATE_IDLE_EXTERNAL)
        PM_TRY(special(reader, PM_CALL_IDLE, "(idle)", &functions[0]));
    else
        PM_TRY(functions_of(reader, &tick, functions, &count));
    while (count--) PM_TRY(call_of(reader, call, functions[count], &call));
    if (reader->raw.calls.items[call].hits < NONE) reader->raw.calls.items[call].hits++;
    if (!reader->ticks++) reader->first_us = tick.time;
    if (tick.time > reader->last_us) reader->last_us = tick.time;
    return NULL;
}

/* ------------------------------------------------------------------ the whole */

static struct pm_error *add_row(struct reader *reader, struct row row) {
    struct row event, word;
    uint64_t interval;
    if (row.at < row.end && row.end[-1] == '\r') row.end--;
    next_field(&row, &event);
    if (is(&event, "tick")) return add_tick(reader, row);
    if (is(&event, "code-creation")) return add_code(reader, row);
    if (is(&event, "shared-library")) return add_library(reader, row);
    if (is(&event, "code-move")) move_code(reader, row);
    if (is(&event, "profiler") && next_field(&row, &word) && is(&word, "begin") &&
        next_number(&row, &interval) && interval && interval < 1000000000)
        reader->interval = interval;
    return NULL;
}

static struct pm_error *read_rows(struct reader *reader, const struct pm_input *input) {
    uint32_t root;
    PM_TRY(special(reader, PM_CALL_ROOT, "(root)", &root));
    PM_TRY(call_of(reader, NONE, root, &root));
    const char *at = reader->text, *end = at + input->size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        PM_TRY(add_row(reader, (struct row){at, newline ? newline : end}));
        at = newline ? newline + 1 : end;
    }
    return NULL;
}

static void note(const struct reader *reader, const struct pm_input *input, struct pm_profile *profile,
                 struct pm_diagnosis *diagnosis) {
    bool cut = input->size && input->bytes[input->size - 1] != '\n';
    if (cut) {
        profile->incomplete = "the log ends in the middle of a row";
        pm_diagnosis_skip(diagnosis, "end of the profile", PM_UNKNOWN, PM_UNKNOWN, profile->incomplete);
        if (profile->input < diagnosis->input_count) diagnosis->inputs[profile->input].complete = false;
    }
    uint64_t bad = reader->bad_rows - (cut && reader->bad_rows); /* the row that is cut is told already */
    if (bad) pm_diagnosis_skip(diagnosis, "rows of the log", bad, PM_UNKNOWN, "they do not have V8's form");
    if (reader->overflowed)
        pm_diagnosis_skip(diagnosis, "ticks", PM_UNKNOWN, PM_UNKNOWN,
                          "V8 could not write as fast as it ticked: some are lost");
}

static struct pm_error *build(struct reader *reader, const struct pm_input *input,
                              struct pm_diagnosis *diagnosis) {
    struct pm_profile *profile = pm_arena_alloc(diagnosis->arena, sizeof(*profile));
    uint64_t detached;
    if (!profile) return pm_error_nomem();
    *profile = (struct pm_profile){.input = diagnosis->input_count ? diagnosis->input_count - 1 : 0,
                                   .kind = PM_PROFILE_CPU,
                                   .source = "prof-log",
                                   .samples = reader->ticks,
                                   .interval = reader->interval ? reader->interval : DEFAULT_INTERVAL,
                                   .interval_estimated = !reader->interval,
                                   .duration = reader->last_us - reader->first_us,
                                   .long_tasks = PM_UNKNOWN,
                                   .long_task_time = PM_UNKNOWN};
    for (size_t i = 0; i < reader->raw.calls.count; i++)
        reader->raw.calls.items[i].self = reader->raw.calls.items[i].hits * profile->interval;
    PM_TRY(pm_raw_profile_build(&reader->raw, profile, NULL, &detached));
    note(reader, input, profile, diagnosis);
    return pm_diagnosis_append(diagnosis, (void ***)&diagnosis->profiles, &diagnosis->profile_count, profile);
}

struct pm_error *pm_prof_log_load(const struct pm_input *input, struct pm_diagnosis *diagnosis) {
    struct reader reader = {.text = (const char *)input->bytes};
    pm_raw_profile_init(&reader.raw, diagnosis->arena);
    struct pm_error *err = read_rows(&reader, input);
    if (!err && !reader.ticks)
        err = pm_error_hint(pm_error_create(PM_ERR_FORMAT, "%s: a log of V8 without a tick of the profiler",
                                            input->path ? input->path : "the file"),
                            "node --prof writes one; other flags of V8 write logs of the same form.");
    if (!err) err = build(&reader, input, diagnosis);
    pm_code_map_deinit(&reader.code);
    pm_code_map_deinit(&reader.libraries);
    free(reader.table);
    pm_raw_profile_deinit(&reader.raw);
    return err;
}
