#include <stdlib.h>
#include <string.h>

#include "parsers/heap_snapshot_source.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_traces.c - who allocated an object, in snapshots that recorded it (.heaptimeline,
 * --track-heap-objects; V8: AllocationTracker).
 *
 *   trace_function_infos  function_id name script_name script_id line column, lines from 1, 0 = unknown
 *   trace_tree            id function_info_index count size [children], one after the other in the brackets
 *
 * A node's trace_node_id leads to a leaf; the way from it to the top of the tree is the stack, innermost
 * first. Where in a function the allocation stood is not recorded: line and column are the function's. What
 * is damaged ends the list at hand. */

enum { FUNCTION_FIELDS = 6, TRACE_FIELDS = 4 };

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',')) at++;
    return at;
}

/* Reads `count` numbers; NULL = there are fewer. */
static const uint8_t *take_numbers(const uint8_t *at, const uint8_t *end, uint64_t *values, unsigned count) {
    for (unsigned i = 0; i < count && at; i++) {
        at = skip_blanks(at, end);
        bool negative = at < end && *at == '-';
        at = pm_json_digits(at + negative, end, &values[i]);
        if (negative) values[i] = 0;
    }
    return at;
}

static bool read_functions(struct pm_snapshot *snapshot) {
    const struct pm_snapshot_section *section = &snapshot->file.trace_functions;
    const uint8_t *at = snapshot->file.bytes + section->start, *end = snapshot->file.bytes + section->end;
    PM_VEC(struct pm_snapshot_maker) makers = {0};
    uint64_t values[FUNCTION_FIELDS];
    if (at < end && *at == '[') at++;
    while ((at = take_numbers(at, end, values, FUNCTION_FIELDS))) {
        struct pm_snapshot_maker maker = {.name = values[1],
                                          .script = values[2],
                                          .line = (uint32_t)values[4],
                                          .column = (uint32_t)values[5]};
        if (!pm_vec_push(&makers, maker)) break;
    }
    snapshot->makers = makers.items;
    snapshot->maker_count = makers.count;
    return true;
}

static int compare_traces(const void *a, const void *b) {
    const struct pm_snapshot_trace *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* The open brackets are a list of ids: the tree is as deep as the stacks were. */
static void read_tree(struct pm_snapshot *snapshot) {
    const struct pm_snapshot_section *section = &snapshot->file.trace_tree;
    const uint8_t *at = snapshot->file.bytes + section->start, *end = snapshot->file.bytes + section->end;
    PM_VEC(struct pm_snapshot_trace) traces = {0};
    PM_VEC(uint64_t) open = {0};
    uint64_t last = 0, values[TRACE_FIELDS];
    for (bool fine = true; fine && (at = skip_blanks(at, end)) < end;) {
        if (*at == '[') {
            fine = pm_vec_push(&open, last);
            at++;
        } else if (*at == ']' && open.count) {
            open.count--;
            at++;
        } else {
            at = take_numbers(at, end, values, TRACE_FIELDS);
            if (!at || !open.count) break;
            struct pm_snapshot_trace trace = {values[0], open.items[open.count - 1], values[1]};
            fine = pm_vec_push(&traces, trace);
            last = values[0];
        }
    }
    pm_vec_deinit(&open);
    pm_sort(traces.items, traces.count, sizeof(*traces.items), compare_traces);
    snapshot->traces = traces.items;
    snapshot->trace_count = traces.count;
}

static const struct pm_snapshot_trace *find_trace(const struct pm_snapshot *snapshot, uint64_t id) {
    struct pm_snapshot_trace wanted = {.id = id};
    return snapshot->trace_count
               ? bsearch(&wanted, snapshot->traces, snapshot->trace_count, sizeof(wanted), compare_traces)
               : NULL;
}

static void put_maker(const struct pm_snapshot *snapshot, const struct pm_snapshot_maker *maker,
                      struct pm_strbuf *out) {
    PM_AUTO_STRBUF struct pm_strbuf script = {0};
    size_t before = out->length;
    pm_json_unescape(pm_snapshot_string(&snapshot->file, maker->name), PM_MAX_NAME, out);
    if (out->length == before) pm_strbuf_append(out, "(anonymous)");
    pm_json_unescape(pm_snapshot_string(&snapshot->file, maker->script), PM_SNAPSHOT_TEXT, &script);
    if (script.length && maker->line)
        pm_strbuf_appendf(out, " (%s:%u)", pm_strbuf_text(&script), maker->line);
    else if (script.length)
        pm_strbuf_appendf(out, " (%s)", pm_strbuf_text(&script));
}

bool pm_snapshot_allocation(const void *self, pm_node node, size_t frames, struct pm_strbuf *out) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot *lazy = (struct pm_snapshot *)(uintptr_t)snapshot; /* read at the first call */
    struct pm_snapshot_node record;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    if (!record.trace) return false;
    pthread_mutex_lock(&lazy->scopes_lock);
    if (!lazy->traces_made) {
        lazy->traces_made = read_functions(lazy);
        read_tree(lazy);
    }
    pthread_mutex_unlock(&lazy->scopes_lock);
    size_t listed = 0;
    const struct pm_snapshot_trace *trace = find_trace(snapshot, record.trace);
    /* Function 0 is the tree's top; a damaged tree may have a circle. */
    for (; trace && trace->function && trace->function < snapshot->maker_count && listed < frames; listed++) {
        if (listed) pm_strbuf_append_char(out, '\n');
        put_maker(snapshot, &snapshot->makers[trace->function], out);
        trace = find_trace(snapshot, trace->parent);
    }
    return listed > 0;
}
