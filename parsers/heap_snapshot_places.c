#include <string.h>
#include <xxhash.h>

#include "parsers/heap_snapshot_source.h"
#include "postmortem/base/big_array.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_places.c - where functions and classes are defined.
 *
 * The file's locations say for closures where the function begins, for other objects where their constructor
 * does: script id, line and column, all from 0. Most objects share few places, so each place is kept once,
 * and for each node with one 4 bytes: a bit says that it has one, the set bits in front of it are the index.
 *
 * What a script is called stands at its node, which a closure of it leads to: shared -> script. A context has
 * no location: its function is the one whose SharedFunctionInfo has the context's ScopeInfo, or, for the
 * scope of a block, one of the scopes around it. */

#define SCRIPT_TRIES 16 /* closures asked for the name of one script */
#define SCOPE_DEPTH  64 /* scopes of blocks around each other */

/* ------------------------------------------------------------------ reading */

struct reader {
    struct pm_snapshot *snapshot;
    const uint8_t *at, *end;
    uint32_t *place_of_node; /* index + 1 */
    PM_VEC(struct pm_snapshot_place) places;
    uint32_t *slots; /* hash table of places */
    uint64_t slot_count;
};

static uint64_t hash_place(const struct reader *reader, const struct pm_snapshot_place *place) {
    return XXH3_64bits_withSeed(place, sizeof(*place), reader->snapshot->seed);
}

static bool grow_slots(struct reader *reader) {
    uint64_t count = reader->slot_count ? reader->slot_count * 2 : 4096;
    uint32_t *slots = calloc(count, sizeof(*slots));
    if (!slots) return false;
    for (uint32_t i = 0; i < reader->places.count; i++) {
        uint64_t slot = hash_place(reader, &reader->places.items[i]) & (count - 1);
        while (slots[slot]) slot = (slot + 1) & (count - 1);
        slots[slot] = i + 1;
    }
    free(reader->slots);
    reader->slots = slots;
    reader->slot_count = count;
    return true;
}

/* Index + 1 of a place; 0 without memory. */
static uint32_t intern(struct reader *reader, struct pm_snapshot_place place) {
    if (reader->places.count * 2 >= reader->slot_count && !grow_slots(reader)) return 0;
    uint64_t slot = hash_place(reader, &place) & (reader->slot_count - 1);
    for (; reader->slots[slot]; slot = (slot + 1) & (reader->slot_count - 1)) {
        const struct pm_snapshot_place *known = &reader->places.items[reader->slots[slot] - 1];
        if (known->script == place.script && known->line == place.line && known->column == place.column)
            return reader->slots[slot];
    }
    if (!pm_vec_push(&reader->places, place)) return 0;
    return reader->slots[slot] = (uint32_t)reader->places.count;
}

/* A number that may be negative: V8 says -1 where it knows no line. */
static bool take_number(struct reader *reader, uint64_t *ret) {
    bool negative = reader->at < reader->end && *reader->at == '-';
    const uint8_t *next = pm_snapshot_number(reader->at + negative, reader->end, ret);
    if (!next) return false;
    if (negative || *ret >= UINT32_MAX) *ret = UINT32_MAX; /* unknown */
    reader->at = next;
    return true;
}

static struct pm_error *wrong(const struct reader *reader, const char *what) {
    return pm_error_at(PM_ERR_FORMAT, (uint64_t)(reader->at - reader->snapshot->file.bytes), "locations: %s",
                       what);
}

static struct pm_error *read_all(struct reader *reader) {
    const struct pm_snapshot_file *file = &reader->snapshot->file;
    const struct pm_snapshot_meta *meta = &file->meta;
    uint64_t values[PM_SNAPSHOT_FIELDS], object = 0;
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at) reader->at++;
    while (reader->at < reader->end) {
        for (unsigned i = 0; i < meta->location_fields; i++) {
            const uint8_t *start = reader->at;
            if (!take_number(reader, &values[i])) return wrong(reader, "a whole number should be here");
            /* the only one that may be large */
            if (i == meta->location_object && !pm_json_digits(start, reader->end, &object))
                object = UINT64_MAX;
        }
        if (object % meta->node_fields || object / meta->node_fields >= file->node_count)
            return wrong(reader, "one before this belongs to no node");
        uint32_t place =
            intern(reader, (struct pm_snapshot_place){.script = (uint32_t)values[meta->location_script],
                                                      .line = (uint32_t)values[meta->location_line],
                                                      .column = (uint32_t)values[meta->location_column]});
        if (!place) return pm_error_nomem();
        reader->place_of_node[object / meta->node_fields] = place;
    }
    return NULL;
}

/* From one number per node to one per node that has a place. */
static struct pm_error *pack(struct reader *reader) {
    struct pm_snapshot *snapshot = reader->snapshot;
    size_t nodes = snapshot->file.node_count, count = 0;
    snapshot->located = calloc(nodes / 64 + 1, sizeof(uint64_t));
    snapshot->located_before = calloc(nodes / 64 + 1, sizeof(uint32_t));
    if (!snapshot->located || !snapshot->located_before) return pm_error_nomem();
    for (size_t i = 0; i < nodes; i++) {
        if (i % 64 == 0) snapshot->located_before[i / 64] = (uint32_t)count;
        if (!reader->place_of_node[i]) continue;
        snapshot->located[i / 64] |= UINT64_C(1) << (i % 64);
        reader->place_of_node[count++] = reader->place_of_node[i] - 1;
    }
    snapshot->place_of = pm_big_array_shrink(reader->place_of_node, count, sizeof(uint32_t));
    reader->place_of_node = NULL;
    snapshot->places = reader->places.items;
    snapshot->place_count = reader->places.count;
    reader->places.items = NULL;
    return NULL;
}

static const struct pm_snapshot_place *place_of(const struct pm_snapshot *snapshot, pm_node node) {
    if (!snapshot->located) return NULL;
    uint64_t word = snapshot->located[node / 64], bit = UINT64_C(1) << (node % 64);
    if (!(word & bit)) return NULL;
    size_t index = snapshot->located_before[node / 64] + (size_t)__builtin_popcountll(word & (bit - 1));
    return &snapshot->places[snapshot->place_of[index]];
}

/* ------------------------------------------------------------------ scripts */

static int compare_scripts(const void *a, const void *b) {
    const struct pm_snapshot_script *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static struct pm_snapshot_script *find_script(const struct pm_snapshot *snapshot, uint32_t id) {
    struct pm_snapshot_script wanted = {.id = id};
    return snapshot->script_count
               ? bsearch(&wanted, snapshot->scripts, snapshot->script_count, sizeof(wanted), compare_scripts)
               : NULL;
}

/* One row for each script id that occurs. */
static struct pm_error *list_scripts(struct pm_snapshot *snapshot) {
    size_t count = 0;
    snapshot->scripts = calloc(snapshot->place_count + 1, sizeof(*snapshot->scripts));
    if (!snapshot->scripts) return pm_error_nomem();
    for (size_t i = 0; i < snapshot->place_count; i++) snapshot->scripts[i].id = snapshot->places[i].script;
    pm_sort(snapshot->scripts, snapshot->place_count, sizeof(*snapshot->scripts), compare_scripts);
    for (size_t i = 0; i < snapshot->place_count; i++)
        if (i == 0 || snapshot->scripts[i].id != snapshot->scripts[count - 1].id)
            snapshot->scripts[count++] = snapshot->scripts[i];
    snapshot->script_count = count;
    struct pm_snapshot_script *fit = realloc(snapshot->scripts, (count + 1) * sizeof(*fit));
    if (fit) snapshot->scripts = fit;
    return NULL;
}

pm_node pm_snapshot_script_of(const struct pm_snapshot *snapshot, pm_node closure) {
    pm_node shared = pm_snapshot_follow(snapshot, closure, PM_WORD_SHARED);
    if (shared == PM_NO_NODE) return PM_NO_NODE;
    pm_node script = pm_snapshot_follow(snapshot, shared, PM_WORD_SCRIPT);
    return script != PM_NO_NODE ? script : pm_snapshot_follow(snapshot, shared, PM_WORD_SCRIPT_OR_DEBUG_INFO);
}

/* The name of the script of a closure: of the script's node, or of its edge `name`. */
static const char *script_name(struct pm_snapshot *snapshot, pm_node closure) {
    pm_node script = pm_snapshot_script_of(snapshot, closure);
    if (script == PM_NO_NODE) return NULL;
    pm_node name = pm_snapshot_follow(snapshot, script, PM_WORD_NAME);
    bool named = name != PM_NO_NODE && snapshot->graph->kinds[name] == PM_NODE_STRING;
    char *text PM_AUTO_FREE = pm_snapshot_node_name(snapshot, named ? name : script, PM_SNAPSHOT_TEXT);
    /* A script without a name is called like its class. */
    if (!text || !*text || (!named && (text[0] == '(' || strncmp(text, "system / ", 9) == 0))) return NULL;
    return pm_arena_strdup(snapshot->arena, text);
}

static void name_scripts(struct pm_snapshot *snapshot) {
    size_t left = snapshot->script_count;
    for (size_t word = 0; left && word <= snapshot->file.node_count / 64; word++)
        for (uint64_t bits = snapshot->located[word]; bits; bits &= bits - 1) {
            pm_node node = (pm_node)(word * 64 + (unsigned)__builtin_ctzll(bits));
            if (snapshot->graph->kinds[node] != PM_NODE_CLOSURE) continue;
            struct pm_snapshot_script *script = find_script(snapshot, place_of(snapshot, node)->script);
            if (!script || script->name || script->tries++ >= SCRIPT_TRIES) continue;
            script->name = script_name(snapshot, node);
            left -= script->name != NULL;
        }
}

struct pm_error *pm_snapshot_places_read(struct pm_snapshot *snapshot) {
    const struct pm_snapshot_file *file = &snapshot->file;
    struct reader reader = {.snapshot = snapshot};
    if (!file->locations.present || !file->meta.location_fields) return NULL;
    reader.at = file->bytes + file->locations.start;
    reader.end = file->bytes + file->locations.end;
    reader.place_of_node = PM_BIG_ARRAY(uint32_t, file->node_count);
    struct pm_error *err = reader.place_of_node ? read_all(&reader) : pm_error_nomem();
    if (!err) err = pack(&reader);
    free(reader.place_of_node);
    free(reader.slots);
    pm_vec_deinit(&reader.places);
    if (!err) err = list_scripts(snapshot);
    if (!err) name_scripts(snapshot);
    return err;
}

void pm_snapshot_places_free(struct pm_snapshot *snapshot) {
    free(snapshot->located);
    free(snapshot->located_before);
    free(snapshot->place_of);
    free(snapshot->places);
    free(snapshot->scripts);
    free(snapshot->scopes);
}

/* ------------------------------------------------------------------ functions of contexts */

static int compare_scopes(const void *a, const void *b) {
    const struct pm_snapshot_scope *left = a, *right = b;
    return left->scope < right->scope ? -1 : left->scope > right->scope;
}

static int compare_shared(const void *a, const void *b) {
    const struct pm_snapshot_scope *left = a, *right = b;
    return left->shared < right->shared ? -1 : left->shared > right->shared;
}

/* All (ScopeInfo, SharedFunctionInfo), then the closures that share them. */
static bool make_scopes(struct pm_snapshot *snapshot) {
    const struct pm_graph *graph = snapshot->graph;
    PM_VEC(struct pm_snapshot_scope) rows = {0};
    for (pm_node node = 0; node < graph->node_count; node++) {
        if (graph->kinds[node] != PM_NODE_CODE) continue;
        pm_node scope = pm_snapshot_follow(snapshot, node, PM_WORD_NAME_OR_SCOPE_INFO);
        struct pm_snapshot_scope row = {.scope = scope, .shared = node, .closure = PM_NO_NODE};
        if (scope == PM_NO_NODE || graph->kinds[scope] == PM_NODE_STRING) continue;
        if (!pm_vec_push(&rows, row)) return pm_vec_deinit(&rows), false;
    }
    for (pm_node node = 0; rows.count && node < graph->node_count; node++) {
        if (graph->kinds[node] != PM_NODE_CLOSURE) continue;
        struct pm_snapshot_scope wanted = {.shared = pm_snapshot_follow(snapshot, node, PM_WORD_SHARED)};
        struct pm_snapshot_scope *row =
            bsearch(&wanted, rows.items, rows.count, sizeof(wanted), compare_shared);
        if (row && row->closure == PM_NO_NODE) row->closure = node;
    }
    pm_sort(rows.items, rows.count, sizeof(*rows.items), compare_scopes);
    snapshot->scopes = rows.items;
    snapshot->scope_count = rows.count;
    return true;
}

/* The scope around the scope of a block: the only other ScopeInfo that a ScopeInfo refers to. */
static pm_node outer_scope(const struct pm_snapshot *snapshot, pm_node scope) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    struct pm_snapshot_node record;
    pm_snapshot_edges_of(&snapshot->file, scope, &edges);
    uint64_t name = edges.from.name;
    while (pm_snapshot_edges_next(&edges, &edge)) {
        if (edge.kind == PM_EDGE_WEAK || edge.to == scope) continue;
        pm_snapshot_node_at(&snapshot->file, edge.to, &record);
        if (record.name == name) return edge.to;
    }
    return PM_NO_NODE;
}

/* The row of the function a context belongs to; NULL. */
static const struct pm_snapshot_scope *scope_of(const struct pm_snapshot *snapshot, pm_node context) {
    struct pm_snapshot *lazy =
        (struct pm_snapshot *)(uintptr_t)snapshot; /* the list is made at the first call */
    pthread_mutex_lock(&lazy->scopes_lock);
    if (!lazy->scopes_made) lazy->scopes_made = make_scopes(lazy);
    pthread_mutex_unlock(&lazy->scopes_lock);
    struct pm_snapshot_scope wanted = {.scope = pm_snapshot_follow(snapshot, context, PM_WORD_SCOPE_INFO)};
    for (int i = 0; i < SCOPE_DEPTH && wanted.scope != PM_NO_NODE && snapshot->scope_count; i++) {
        const struct pm_snapshot_scope *row =
            bsearch(&wanted, snapshot->scopes, snapshot->scope_count, sizeof(wanted), compare_scopes);
        if (row) return row;
        wanted.scope = outer_scope(snapshot, wanted.scope);
    }
    return NULL;
}

/* ------------------------------------------------------------------ positions */

static char *non_empty(char *text) {
    if (text && *text) return text;
    free(text);
    return NULL;
}

bool pm_snapshot_position(const void *self, pm_node node, char **function_ret,
                          struct pm_graph_position *ret) {
    const struct pm_snapshot *snapshot = self;
    pm_node named = node; /* what the function's name is taken from */
    *function_ret = NULL;
    *ret = (struct pm_graph_position){0};
    if (snapshot->graph->kinds[node] == PM_NODE_CONTEXT) {
        const struct pm_snapshot_scope *row = scope_of(snapshot, node);
        if (!row) return false;
        named = row->shared;
        node = row->closure;
    }
    const struct pm_snapshot_place *place = node == PM_NO_NODE ? NULL : place_of(snapshot, node);
    if (!place && named == node) return false;
    char *function = non_empty(pm_snapshot_node_name(snapshot, named, PM_MAX_NAME));
    if (function && strcmp(function, "(shared function info)") == 0) { /* V8's name for one without a name */
        free(function);
        function = NULL;
    }
    bool has_name = function != NULL;
    if (function_ret)
        *function_ret = function;
    else
        free(function);
    if (!place) return has_name;
    const struct pm_snapshot_script *script = find_script(snapshot, place->script);
    if (script && script->name) ret->file = strdup(script->name);
    if (place->line != UINT32_MAX) ret->line = place->line + 1;
    if (place->line != UINT32_MAX && place->column != UINT32_MAX) ret->column = place->column + 1;
    return true;
}
