#include <stdlib.h>
#include <string.h>

#include "parsers/heap_snapshot_file.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_sections.c - where the sections of a snapshot are, also in a file that is cut or damaged.
 *
 * V8 writes nodes, edges, recorded allocations, locations, strings, in this order; a process that is killed
 * meanwhile, or a full disk, leaves the first part of it. What is behind the place of the damage is looked
 * for by its key: a quote inside of a string is escaped, so `"strings":` cannot stand in one. A section that
 * is cut ends behind the last number or string that is whole. */

#define MOST_GAPS 16 /* damaged places that are passed over: each costs a search of the rest */

static struct pm_error *start_section(struct pm_json *json, const char *name,
                                      struct pm_snapshot_section *section) {
    if (section->present) return pm_error_at(PM_ERR_FORMAT, json->at, "%s comes twice", name);
    PM_TRY(pm_json_take(json, '['));
    section->present = true;
    section->start = json->at;
    return NULL;
}

/* An array of numbers ends at the next bracket; one that is cut or damaged at its end ends at its last comma.
 */
static struct pm_error *find_numbers(struct pm_json *json, const char *name,
                                     struct pm_snapshot_section *section) {
    PM_TRY(start_section(json, name, section));
    const uint8_t *start = json->bytes + json->at, *end = memchr(start, ']', json->size - json->at);
    uint64_t size = end ? (uint64_t)(end - start) : json->size - json->at;
    const uint8_t *quote = memchr(start, '"', size); /* of the next section: the bracket is lost */
    if (end && !quote) {
        section->end = (uint64_t)(end - json->bytes);
        json->at = section->end + 1;
        return NULL;
    }
    if (quote) size = (uint64_t)(quote - start);
    const uint8_t *comma = size ? memrchr(start, ',', size) : NULL;
    section->cut = true;
    section->end = comma ? (uint64_t)(comma - json->bytes) : section->start;
    json->at = (uint64_t)(start - json->bytes) + size;
    if (quote) return pm_error_at(PM_ERR_FORMAT, json->at, "%s: a number should be here", name);
    return pm_error_at(PM_ERR_FORMAT, json->size, "the file ends inside of its %s", name);
}

/* "3 / part of key (Object @60975) -> value (Object @81517) pair in WeakMap (table @60973)", since V8 8. */
static bool names_ephemeron(const uint8_t *at, const uint8_t *end) {
    static const char part[] = " / part of key (";
    while (at < end && *at >= '0' && *at <= '9') at++;
    return (size_t)(end - at) >= sizeof(part) - 1 && memcmp(at, part, sizeof(part) - 1) == 0;
}

struct posts {
    PM_VEC(uint64_t) at;
    PM_VEC(uint64_t) ephemeron;
    uint64_t count;
};

static bool add_string(struct posts *posts, const uint8_t *start, const uint8_t *end, uint64_t at) {
    if (posts->count % PM_SNAPSHOT_STEP == 0 && !pm_vec_push(&posts->at, at)) return false;
    if (posts->count % 64 == 0 && !pm_vec_push(&posts->ephemeron, 0)) return false;
    if (start < end && *start >= '0' && *start <= '9' && names_ephemeron(start, end))
        posts->ephemeron.items[posts->count / 64] |= UINT64_C(1) << (posts->count % 64);
    posts->count++;
    return true;
}

static struct pm_error *scan_strings(struct pm_json *json, struct posts *posts) {
    const uint8_t *end = json->bytes + json->size;
    for (bool more;;) {
        PM_TRY(pm_json_more(json, posts->count == 0, ']', &more));
        if (!more) return NULL;
        if (pm_json_peek(json) != '"')
            return pm_error_at(PM_ERR_FORMAT, json->at, "strings: a string should be here");
        const uint8_t *start = json->bytes + json->at + 1, *close = pm_json_string_end(start, end);
        if (!close) return pm_error_at(PM_ERR_FORMAT, json->size, "the file ends inside of its strings");
        if (!add_string(posts, start, close, json->at)) return pm_error_nomem();
        json->at = (uint64_t)(close - json->bytes) + 1;
    }
}

static struct pm_error *find_strings(struct pm_json *json, struct pm_snapshot_file *file) {
    struct posts posts = {0};
    PM_TRY(start_section(json, "strings", &file->strings));
    struct pm_error *err = scan_strings(json, &posts);
    file->strings.cut = err != NULL;
    file->strings.end = json->at;
    file->strings.count = posts.count;
    if (!pm_vec_push(&posts.ephemeron, 0)) err = err ? err : pm_error_nomem(); /* of a string that is lost */
    file->string_at = posts.at.items;
    file->ephemeron = posts.ephemeron.items;
    if (err && err->has_where && err->where == json->size && posts.count)
        err = pm_error_prefix(err, "after %llu strings", (unsigned long long)posts.count);
    return err;
}

static struct pm_error *read_section(struct pm_json *json, struct pm_json_text key,
                                     struct pm_snapshot_file *file) {
    if (pm_json_is(key, "snapshot")) {
        if (file->meta.node_fields) return pm_error_at(PM_ERR_FORMAT, json->at, "snapshot comes twice");
        return pm_snapshot_meta_read(json, &file->meta);
    }
    if (pm_json_is(key, "nodes")) return find_numbers(json, "nodes", &file->nodes);
    if (pm_json_is(key, "edges")) return find_numbers(json, "edges", &file->edges);
    if (pm_json_is(key, "locations")) return find_numbers(json, "locations", &file->locations);
    if (pm_json_is(key, "strings")) return find_strings(json, file);
    pm_json_peek(json);
    uint64_t start = json->at;
    PM_TRY(pm_json_skip(json));
    struct pm_snapshot_section section = {.present = true, .start = start, .end = json->at};
    if (pm_json_is(key, "trace_function_infos")) file->trace_functions = section;
    if (pm_json_is(key, "trace_tree")) file->trace_tree = section;
    bool allocations = pm_json_is(key, "trace_tree") || pm_json_is(key, "samples") ||
                       pm_json_is(key, "trace_function_infos");
    if (allocations && json->at - start > 2) file->allocation_bytes += json->at - start; /* more than [] */
    return NULL;
}

/* ------------------------------------------------------------------ damage */

struct pm_error *pm_snapshot_damaged(struct pm_snapshot_file *file, struct pm_error *err) {
    if (!err || err->kind != PM_ERR_FORMAT) return err;
    if (file->damage)
        pm_error_destroy(err);
    else
        file->damage = err;
    return NULL;
}

/* Moves to the nearest section behind `from` that was not found yet; false = there is none. */
static bool find_next(struct pm_json *json, uint64_t from, const struct pm_snapshot_file *file) {
    const struct {
        const char *key;
        bool known;
    } sections[] = {
        {"\"nodes\":", file->nodes.present},
        {"\"edges\":", file->edges.present},
        {"\"locations\":", file->locations.present},
        {"\"strings\":", file->strings.present},
    };
    uint64_t end = json->size;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (sections[i].known || from >= end) continue;
        const uint8_t *found =
            memmem(json->bytes + from, end - from, sections[i].key, strlen(sections[i].key));
        if (found) end = (uint64_t)(found - json->bytes);
    }
    json->at = end;
    return end < json->size;
}

/* All sections from here on; *at_ret: where the last one begins. An error may show behind it only: of an
 * array that is not closed, all that follows seems to be a part. */
static struct pm_error *read_sections(struct pm_json *json, bool first, struct pm_snapshot_file *file,
                                      uint64_t *at_ret) {
    struct pm_json_text key;
    *at_ret = json->at;
    for (bool more;; first = false) {
        PM_TRY(pm_json_more(json, first, '}', &more));
        if (!more) return NULL;
        PM_TRY(pm_json_key(json, &key));
        *at_ret = json->at;
        PM_TRY(read_section(json, key, file));
    }
}

static bool has_all(const struct pm_snapshot_file *file) {
    return file->meta.node_fields && file->nodes.present && file->edges.present && file->strings.present;
}

static struct pm_error *without(uint64_t where, const char *section) {
    return pm_error_at(PM_ERR_FORMAT, where, "a heap snapshot without %s", section);
}

/* Sections that the file does not have are empty. */
static struct pm_error *fill_gaps(struct pm_snapshot_file *file, uint64_t end) {
    const char *missing = !file->edges.present ? "edges" : !file->strings.present ? "strings" : NULL;
    if (missing) PM_TRY(pm_snapshot_damaged(file, without(end, missing)));
    if (!file->edges.present) file->edges.cut = true;
    if (file->strings.present) return NULL;
    file->strings.cut = true;
    file->ephemeron = calloc(1, sizeof(*file->ephemeron));
    return file->ephemeron ? NULL : pm_error_nomem();
}

struct pm_error *pm_snapshot_file_open(const uint8_t *bytes, uint64_t size, struct pm_snapshot_file *ret) {
    struct pm_json json = {size ? bytes : (const uint8_t *)"", size, 0};
    uint64_t at = 0;
    *ret = (struct pm_snapshot_file){.bytes = bytes, .size = size};
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) json.at = 3;
    PM_TRY(pm_json_take(&json, '{'));
    struct pm_error *err = read_sections(&json, true, ret, &at);
    for (int gaps = 0; gaps < MOST_GAPS && (err || !has_all(ret)); gaps++) {
        if (!ret->meta.node_fields)
            return err ? err : without(json.at, "snapshot"); /* numbers mean nothing */
        PM_TRY(pm_snapshot_damaged(ret, err));
        err = NULL;
        if (!find_next(&json, at, ret)) break;
        PM_TRY(pm_snapshot_damaged(ret,
                                   pm_error_at(PM_ERR_FORMAT, at, "the file ends before its last section")));
        err = read_sections(&json, true, ret, &at);
    }
    PM_TRY(pm_snapshot_damaged(ret, err));
    if (ret->meta.node_fields && ret->nodes.present) return fill_gaps(ret, json.at);
    err = ret->damage;
    ret->damage = NULL;
    return err ? err : without(json.at, ret->meta.node_fields ? "nodes" : "snapshot");
}
