#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#include "parsers/heap_snapshot_source.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_names.c - names of edges by text, and the classes and kinds of the nodes.
 *
 * CLASS  DevTools' rule (HeapSnapshotNode.className,
 * front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts), which is also the one for cores: objects and
 * native nodes are called by their names, hidden ones (system), code (compiled code), all others by their
 * type in parentheses. "Detached " stands in front of detached native nodes. KIND   by type; hidden nodes by
 * the names of V8's classes; objects by the name of a built-in constructor. An object of another class may
 * still be a Map or an Error: the first few objects of each class are asked for the names along their
 * prototype chains (a prototype carries the name of what it derives from). */

/* ------------------------------------------------------------------ names of edges */

/* The text of a string; `room` is for those with escapes. */
static struct pm_json_text plain_text(const struct pm_snapshot *snapshot, uint64_t index,
                                      struct pm_strbuf *room) {
    struct pm_json_text text = pm_snapshot_string(&snapshot->file, index);
    if (!text.length || !memchr(text.bytes, '\\', text.length)) return text;
    pm_strbuf_clear(room);
    pm_json_unescape(text, SIZE_MAX, room);
    return (struct pm_json_text){(const uint8_t *)pm_strbuf_text(room), room->length};
}

static bool same_text(struct pm_json_text a, struct pm_json_text b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* The slot where a text is or should be. */
static uint64_t slot_of(const struct pm_snapshot *snapshot, struct pm_json_text text,
                        struct pm_strbuf *room) {
    uint64_t mask = snapshot->name_slots - 1;
    uint64_t slot = XXH3_64bits_withSeed(text.bytes, text.length, snapshot->seed) & mask;
    while (snapshot->names[slot] != PM_NO_NAME &&
           !same_text(plain_text(snapshot, snapshot->names[slot], room), text))
        slot = (slot + 1) & mask;
    return slot;
}

/* Slots of tables are named by their numbers, millions of them, and nobody asks for them by name. */
static bool is_number(struct pm_json_text text) {
    for (uint64_t i = 0; i < text.length; i++)
        if (text.bytes[i] < '0' || text.bytes[i] > '9') return false;
    return text.length > 0;
}

static void add_name(struct pm_snapshot *snapshot, uint32_t name, struct pm_strbuf *first,
                     struct pm_strbuf *second) {
    uint64_t slot = slot_of(snapshot, plain_text(snapshot, name, first), second);
    if (snapshot->names[slot] == PM_NO_NAME)
        snapshot->names[slot] = name;
    else
        snapshot->names_repeat = true;
}

uint32_t pm_snapshot_name(const struct pm_snapshot *snapshot, const char *text) {
    PM_AUTO_STRBUF struct pm_strbuf room = {0};
    struct pm_json_text wanted = {(const uint8_t *)text, strlen(text)};
    return snapshot->names ? snapshot->names[slot_of(snapshot, wanted, &room)] : PM_NO_NAME;
}

bool pm_snapshot_name_is(const struct pm_snapshot *snapshot, uint64_t name, uint32_t wanted) {
    if (name == wanted || !snapshot->names_repeat || wanted == PM_NO_NAME) return name == wanted;
    PM_AUTO_STRBUF struct pm_strbuf first = {0}, second = {0};
    return same_text(plain_text(snapshot, name, &first), plain_text(snapshot, wanted, &second));
}

struct pm_error *pm_snapshot_names_build(struct pm_snapshot *snapshot) {
    static const char *const words[PM_WORD_COUNT] = {
        [PM_WORD_TABLE] = "table",
        [PM_WORD_ELEMENTS] = "elements",
        [PM_WORD_PROPERTIES] = "properties",
        [PM_WORD_FIRST] = "first",
        [PM_WORD_SECOND] = "second",
        [PM_WORD_PARENT] = "parent",
        [PM_WORD_SHARED] = "shared",
        [PM_WORD_SCRIPT] = "script",
        [PM_WORD_SCRIPT_OR_DEBUG_INFO] = "script_or_debug_info",
        [PM_WORD_NAME] = "name",
        [PM_WORD_SCOPE_INFO] = "scope_info",
        [PM_WORD_NAME_OR_SCOPE_INFO] = "name_or_scope_info",
        [PM_WORD_VALUE] = "value",
        [PM_WORD_PROTO] = "__proto__",
        [PM_WORD_CONSTRUCTOR] = "constructor",
        [PM_WORD_SOURCE] = "source",
        [PM_WORD_FUNCTION] = "function",
        [PM_WORD_MAP] = "map",
        [PM_WORD_EXTENSION] = "extension",
        [PM_WORD_GLOBAL_OBJECT] = "global_object",
        [PM_WORD_GLOBAL_PROXY] = "global_proxy_object",
    };
    PM_AUTO_STRBUF struct pm_strbuf first = {0}, second = {0};
    uint64_t strings = snapshot->file.strings.count, count = 0;
    /* Nobody who writes a file shall know which names meet in one slot. */
    if (getrandom(&snapshot->seed, sizeof(snapshot->seed), GRND_NONBLOCK) < 0)
        snapshot->seed = (uintptr_t)snapshot;
    for (uint64_t i = 0; i <= strings / 64; i++)
        for (uint64_t bits = snapshot->used[i]; bits; bits &= bits - 1) {
            uint64_t name = i * 64 + (unsigned)__builtin_ctzll(bits);
            if (is_number(pm_snapshot_string(&snapshot->file, name)))
                snapshot->used[i] &= ~(bits & -bits);
            else
                count++;
        }
    snapshot->name_slots = 64;
    while (snapshot->name_slots < count * 2) snapshot->name_slots *= 2;
    snapshot->names = malloc(snapshot->name_slots * sizeof(*snapshot->names));
    if (!snapshot->names) return pm_error_nomem();
    memset(snapshot->names, 0xff, snapshot->name_slots * sizeof(*snapshot->names));
    for (uint64_t i = 0; i <= strings / 64; i++)
        for (uint64_t bits = snapshot->used[i]; bits; bits &= bits - 1)
            add_name(snapshot, (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(bits)), &first, &second);
    free(snapshot->used);
    snapshot->used = NULL;
    for (int i = 0; i < PM_WORD_COUNT; i++) snapshot->words[i] = pm_snapshot_name(snapshot, words[i]);
    return first.failed || second.failed ? pm_error_nomem() : NULL;
}

/* ------------------------------------------------------------------ classes */

struct class {
    const char *name;
    uint64_t hash;
    pm_node samples[3];
    uint8_t sample_count;
};

struct classes {
    struct pm_snapshot *snapshot;
    struct pm_graph *graph;
    PM_VEC(struct class) rows;
    uint32_t *slots; /* hash table of rows */
    uint64_t slot_count;
    uint32_t *of_name[2];  /* class of an object by the number of its name; plain and detached */
    uint8_t *hidden_kinds; /* kind of a hidden node by its name, 0 = not looked up */
    uint32_t of_type[PM_SNAPSHOT_TYPES + 1];
};

#define NO_CLASS UINT32_MAX

static bool grow_slots(struct classes *classes) {
    uint64_t count = classes->slot_count ? classes->slot_count * 2 : 1024, mask = count - 1;
    uint32_t *slots = malloc(count * sizeof(*slots));
    if (!slots) return false;
    memset(slots, 0xff, count * sizeof(*slots));
    for (uint32_t i = 0; i < classes->rows.count; i++) {
        uint64_t slot = classes->rows.items[i].hash & mask;
        while (slots[slot] != NO_CLASS) slot = (slot + 1) & mask;
        slots[slot] = i;
    }
    free(classes->slots);
    classes->slots = slots;
    classes->slot_count = count;
    return true;
}

/* The number of the class with this name, a new one perhaps; NO_CLASS without memory. */
static uint32_t intern(struct classes *classes, const char *name, size_t length) {
    if (classes->rows.count * 2 >= classes->slot_count && !grow_slots(classes)) return NO_CLASS;
    uint64_t hash = XXH3_64bits_withSeed(name, length, classes->snapshot->seed),
             mask = classes->slot_count - 1;
    uint64_t slot = hash & mask;
    for (; classes->slots[slot] != NO_CLASS; slot = (slot + 1) & mask) {
        const struct class *row = &classes->rows.items[classes->slots[slot]];
        if (row->hash == hash && strlen(row->name) == length && memcmp(row->name, name, length) == 0)
            return classes->slots[slot];
    }
    struct class row = {.name = pm_arena_copy(classes->snapshot->arena, name, length), .hash = hash};
    uint32_t number = (uint32_t)classes->rows.count;
    if (!row.name || !pm_vec_push(&classes->rows, row)) return NO_CLASS;
    return classes->slots[slot] = number;
}

/* Names are cut at PM_MAX_NAME; a NUL would end them earlier than their length says, so it becomes a blank.
 */
static uint32_t intern_text(struct classes *classes, const char *before, struct pm_json_text text,
                            const char *behind) {
    PM_AUTO_STRBUF struct pm_strbuf name = {0};
    pm_strbuf_append(&name, before);
    pm_json_unescape(text, PM_MAX_NAME, &name);
    pm_strbuf_append(&name, behind);
    if (name.failed) return NO_CLASS;
    for (size_t i = 0; i < name.length; i++)
        if (!name.bytes[i]) name.bytes[i] = ' ';
    return intern(classes, pm_strbuf_text(&name), name.length);
}

static uint32_t class_of_name(struct classes *classes, uint32_t name, bool detached) {
    uint32_t *known = &classes->of_name[detached][name];
    if (*known == NO_CLASS)
        *known = intern_text(classes, detached ? "Detached " : "",
                             pm_snapshot_string(&classes->snapshot->file, name), "");
    return *known;
}

/* Are nodes of this type called by their own names? */
static bool is_named(enum pm_snapshot_type type) {
    return type == PM_SNAPSHOT_OBJECT || type == PM_SNAPSHOT_NATIVE;
}

static uint32_t class_of_type(struct classes *classes, unsigned type) {
    const struct pm_snapshot_meta *meta = &classes->snapshot->file.meta;
    uint32_t *known = &classes->of_type[type];
    if (*known != NO_CLASS) return *known;
    static const struct pm_json_text system = {(const uint8_t *)"system", 6},
                                     code = {(const uint8_t *)"compiled code", 13};
    enum pm_snapshot_type meaning = meta->node_types[type];
    struct pm_json_text name = meaning == PM_SNAPSHOT_HIDDEN ? system
                               : meaning == PM_SNAPSHOT_CODE ? code
                                                             : meta->node_type_names[type];
    return *known = intern_text(classes, "(", name, is_named(meaning) ? ", name not saved)" : ")");
}

/* ------------------------------------------------------------------ kinds */

struct kind_row {
    const char *name;
    enum pm_node_kind kind;
};

static enum pm_node_kind look_up(const struct kind_row *rows, size_t count, struct pm_json_text name,
                                 enum pm_node_kind otherwise) {
    for (size_t i = 0; i < count; i++)
        if (pm_json_is(name, rows[i].name)) return rows[i].kind;
    return otherwise;
}
#define LOOK_UP(rows, name, otherwise) look_up(rows, sizeof(rows) / sizeof((rows)[0]), name, otherwise)

/* V8's own classes, of the type hidden in one version or another. */
static enum pm_node_kind kind_of_hidden(struct pm_json_text name) {
    static const struct kind_row rows[] = {
        {"system / NativeContext", PM_NODE_NATIVE_CONTEXT},
        {"system / Context", PM_NODE_CONTEXT},
        {"system / PromiseReaction", PM_NODE_PROMISE_REACTION},
        {"private symbol", PM_NODE_SYMBOL},
        {"system / PropertyArray", PM_NODE_STORE},
        {"system / EmbedderDataArray", PM_NODE_STORE},
        {"system / ArrayList", PM_NODE_STORE},
        {"system / SloppyArgumentsElements", PM_NODE_STORE},
        {"system / SwissNameDictionary", PM_NODE_STORE},
        {"system / DescriptorArray", PM_NODE_SHAPE},
        {"system / TransitionArray", PM_NODE_SHAPE},
        {"system / PrototypeInfo", PM_NODE_SHAPE},
        {"system / EnumCache", PM_NODE_SHAPE},
        {"system / Map", PM_NODE_SHAPE},
        {"system / BytecodeArray", PM_NODE_CODE},
        {"system / BytecodeWrapper", PM_NODE_CODE},
        {"system / CodeWrapper", PM_NODE_CODE},
        {"system / BaselineData", PM_NODE_CODE},
        {"system / InterpreterData", PM_NODE_CODE},
        {"system / ScopeInfo", PM_NODE_CODE},
        {"system / FeedbackCell", PM_NODE_CODE},
        {"system / FeedbackVector", PM_NODE_CODE},
        {"system / FeedbackMetadata", PM_NODE_CODE},
        {"system / ClosureFeedbackCellArray", PM_NODE_CODE},
        {"system / PreparseData", PM_NODE_CODE},
        {"system / UncompiledDataWithPreparseData", PM_NODE_CODE},
        {"system / UncompiledDataWithoutPreparseData", PM_NODE_CODE},
        {"system / ArrayBoilerplateDescription", PM_NODE_CODE},
        {"system / ObjectBoilerplateDescription", PM_NODE_CODE},
        {"system / AllocationSite", PM_NODE_CODE},
        {"system / SharedFunctionInfoWrapper", PM_NODE_CODE},
    };
    static const char map[] = "system / Map (";
    if (name.length > sizeof(map) && memcmp(name.bytes, map, sizeof(map) - 1) == 0) return PM_NODE_SHAPE;
    return LOOK_UP(rows, name, PM_NODE_OTHER);
}

/* Built-in constructors; PM_NODE_OBJECT = none of them. */
static enum pm_node_kind kind_of_constructor(struct pm_json_text name) {
    static const struct kind_row rows[] = {
        {"Array", PM_NODE_ARRAY},
        {"Map", PM_NODE_MAP},
        {"Set", PM_NODE_SET},
        {"WeakMap", PM_NODE_WEAK_MAP},
        {"WeakSet", PM_NODE_WEAK_SET},
        {"Promise", PM_NODE_PROMISE},
        {"Generator", PM_NODE_GENERATOR},
        {"AsyncGenerator", PM_NODE_GENERATOR},
        {"system / Context", PM_NODE_CONTEXT},
        {"system / NativeContext", PM_NODE_NATIVE_CONTEXT},
        {"ArrayBuffer", PM_NODE_ARRAY_BUFFER},
        {"SharedArrayBuffer", PM_NODE_ARRAY_BUFFER},
        {"DataView", PM_NODE_TYPED_ARRAY},
        {"Int8Array", PM_NODE_TYPED_ARRAY},
        {"Uint8Array", PM_NODE_TYPED_ARRAY},
        {"Uint8ClampedArray", PM_NODE_TYPED_ARRAY},
        {"Int16Array", PM_NODE_TYPED_ARRAY},
        {"Uint16Array", PM_NODE_TYPED_ARRAY},
        {"Int32Array", PM_NODE_TYPED_ARRAY},
        {"Uint32Array", PM_NODE_TYPED_ARRAY},
        {"Float16Array", PM_NODE_TYPED_ARRAY},
        {"Float32Array", PM_NODE_TYPED_ARRAY},
        {"Float64Array", PM_NODE_TYPED_ARRAY},
        {"BigInt64Array", PM_NODE_TYPED_ARRAY},
        {"BigUint64Array", PM_NODE_TYPED_ARRAY},
        {"Date", PM_NODE_DATE},
        {"Error", PM_NODE_ERROR},
        {"AggregateError", PM_NODE_ERROR},
        {"EvalError", PM_NODE_ERROR},
        {"RangeError", PM_NODE_ERROR},
        {"ReferenceError", PM_NODE_ERROR},
        {"SyntaxError", PM_NODE_ERROR},
        {"TypeError", PM_NODE_ERROR},
        {"URIError", PM_NODE_ERROR},
    };
    return LOOK_UP(rows, name, PM_NODE_OBJECT);
}

static bool begins_with(struct pm_json_text text, const char *prefix) {
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

static enum pm_node_kind kind_of_type(enum pm_snapshot_type type) {
    switch (type) {
    case PM_SNAPSHOT_ARRAY: return PM_NODE_STORE;
    case PM_SNAPSHOT_STRING: return PM_NODE_STRING;
    case PM_SNAPSHOT_OBJECT: return PM_NODE_OBJECT;
    case PM_SNAPSHOT_CODE: return PM_NODE_CODE;
    case PM_SNAPSHOT_CLOSURE: return PM_NODE_CLOSURE;
    case PM_SNAPSHOT_REGEXP: return PM_NODE_REGEXP;
    case PM_SNAPSHOT_NUMBER: return PM_NODE_NUMBER;
    case PM_SNAPSHOT_NATIVE: return PM_NODE_NATIVE;
    case PM_SNAPSHOT_SYNTHETIC: return PM_NODE_ROOT;
    case PM_SNAPSHOT_CONS_STRING: return PM_NODE_CONS_STRING;
    case PM_SNAPSHOT_SLICED_STRING: return PM_NODE_SLICED_STRING;
    case PM_SNAPSHOT_SYMBOL: return PM_NODE_SYMBOL;
    case PM_SNAPSHOT_BIGINT: return PM_NODE_BIGINT;
    case PM_SNAPSHOT_SHAPE: return PM_NODE_SHAPE;
    case PM_SNAPSHOT_WASM: return PM_NODE_OBJECT;
    case PM_SNAPSHOT_HIDDEN:
    case PM_SNAPSHOT_OTHER: break;
    }
    return PM_NODE_OTHER;
}

/* Synthetic nodes are roots and groups of them; up to V8 12 also the embedder's objects, "Node /
 * Environment". */
static enum pm_node_kind kind_of_node(struct classes *classes, enum pm_snapshot_type type, uint32_t name) {
    const struct pm_snapshot_file *file = &classes->snapshot->file;
    if (type == PM_SNAPSHOT_SYNTHETIC)
        return begins_with(pm_snapshot_string(file, name), "Node / ") ? PM_NODE_NATIVE : PM_NODE_ROOT;
    if (type != PM_SNAPSHOT_HIDDEN) return kind_of_type(type);
    uint8_t *known = &classes->hidden_kinds[name];
    if (!*known) *known = (uint8_t)(1 + (unsigned)kind_of_hidden(pm_snapshot_string(file, name)));
    return (enum pm_node_kind)(*known - 1);
}

/* ------------------------------------------------------------------ all nodes */

static struct pm_error *classify_all(struct classes *classes) {
    struct pm_graph *graph = classes->graph;
    const struct pm_snapshot_meta *meta = &classes->snapshot->file.meta;
    const pm_node *next_detached = classes->snapshot->detached;
    uint64_t named_nodes = 0, lost = 0;
    for (pm_node node = 0; node < graph->node_count; node++) {
        unsigned number = graph->kinds[node];
        enum pm_snapshot_type type = meta->node_types[number];
        uint32_t name = graph->class_of[node];
        bool named = is_named(type) && pm_snapshot_saved(&classes->snapshot->file, name),
             detached = node == *next_detached;
        next_detached += detached;
        uint32_t class = named ? class_of_name(classes, name, detached) : class_of_type(classes, number);
        if (class == NO_CLASS) return pm_error_nomem();
        named_nodes += is_named(type);
        lost += is_named(type) && !named;
        graph->class_of[node] = class;
        graph->kinds[node] = (uint8_t)kind_of_node(classes, type, name);
        struct class *row = &classes->rows.items[class];
        if (type == PM_SNAPSHOT_OBJECT && row->sample_count < 3) row->samples[row->sample_count++] = node;
    }
    graph->kinds[0] = PM_NODE_ROOT;
    graph->names_lost = lost > named_nodes / 10;
    return NULL;
}

/* The prototype of an object. The work is bounded by `edges_left`, for all objects together: a file may have
 * a million classes, all of whose objects have one prototype with a million properties. */
static pm_node prototype_of(const struct pm_snapshot *snapshot, pm_node node, uint64_t *edges_left) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    if (*edges_left < PM_SNAPSHOT_MANY) return PM_NO_NODE;
    *edges_left -= PM_SNAPSHOT_MANY; /* to get there */
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (*edges_left && pm_snapshot_edges_next(&edges, &edge)) {
        --*edges_left;
        if (edge.kind == PM_EDGE_PROPERTY &&
            pm_snapshot_name_is(snapshot, edge.name, snapshot->words[PM_WORD_PROTO]))
            return edge.to;
    }
    return PM_NO_NODE;
}

static enum pm_node_kind kind_by_prototypes(const struct pm_snapshot *snapshot, pm_node node,
                                            uint64_t *edges_left) {
    struct pm_snapshot_node record;
    for (int i = 0; i < 16; i++) {
        node = prototype_of(snapshot, node, edges_left);
        if (node == PM_NO_NODE) break;
        pm_snapshot_node_at(&snapshot->file, node, &record);
        if (record.type != PM_SNAPSHOT_OBJECT) break;
        enum pm_node_kind kind = kind_of_constructor(pm_snapshot_string(&snapshot->file, record.name));
        if (kind != PM_NODE_OBJECT) return kind;
    }
    return PM_NODE_OBJECT;
}

static enum pm_node_kind kind_of_class(const struct classes *classes, const struct class *class,
                                       uint64_t *edges_left) {
    struct pm_json_text name = {(const uint8_t *)class->name, strlen(class->name)};
    enum pm_node_kind kind = kind_of_constructor(name);
    /* `global` in Node.js; `global (global*)` for the object itself and `global (global)` for its proxy in V8
     * 14 */
    static const char *const globals[] = {"global", "global (global*)", "global (global)", "Window"};
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
        if (pm_json_is(name, globals[i])) return PM_NODE_GLOBAL;
    for (uint8_t i = 0; i < class->sample_count && kind == PM_NODE_OBJECT && !pm_json_is(name, "Object"); i++)
        kind = kind_by_prototypes(classes->snapshot, class->samples[i], edges_left);
    return kind;
}

static struct pm_error *sharpen_kinds(struct classes *classes) {
    struct pm_graph *graph = classes->graph;
    uint64_t edges_left = graph->edge_count + 1000000;
    bool any = false;
    uint8_t *kinds PM_AUTO_FREE = malloc(classes->rows.count + 1);
    if (!kinds) return pm_error_nomem();
    for (size_t i = 0; i < classes->rows.count; i++) {
        kinds[i] = (uint8_t)kind_of_class(classes, &classes->rows.items[i], &edges_left);
        any |= kinds[i] != PM_NODE_OBJECT;
    }
    for (pm_node node = 0; any && node < graph->node_count; node++)
        if (graph->kinds[node] == PM_NODE_OBJECT) graph->kinds[node] = kinds[graph->class_of[node]];
    return NULL;
}

/* vm contexts: their global objects are called like what they were made from. */
static void mark_globals(struct classes *classes) {
    static const enum pm_snapshot_word words[] = {PM_WORD_EXTENSION, PM_WORD_GLOBAL_OBJECT,
                                                  PM_WORD_GLOBAL_PROXY};
    struct pm_graph *graph = classes->graph;
    for (pm_node node = 0; node < graph->node_count; node++) {
        if (graph->kinds[node] != PM_NODE_NATIVE_CONTEXT) continue;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            pm_node global = pm_snapshot_follow(classes->snapshot, node, words[i]);
            if (global != PM_NO_NODE && graph->kinds[global] == PM_NODE_OBJECT)
                graph->kinds[global] = PM_NODE_GLOBAL;
        }
    }
}

static struct pm_error *classify(struct classes *classes) {
    struct pm_graph *graph = classes->graph;
    uint64_t strings = classes->snapshot->file.strings.count;
    classes->hidden_kinds = calloc(strings + 1, 1);
    if (!classes->hidden_kinds) return pm_error_nomem();
    for (int i = 0; i < (classes->snapshot->detached[0] == PM_NO_NODE ? 1 : 2); i++) {
        classes->of_name[i] = malloc((strings + 1) * sizeof(uint32_t));
        if (!classes->of_name[i]) return pm_error_nomem();
        memset(classes->of_name[i], 0xff, (strings + 1) * sizeof(uint32_t));
    }
    PM_TRY(classify_all(classes));
    PM_TRY(sharpen_kinds(classes));
    mark_globals(classes);
    graph->classes = malloc((classes->rows.count + 1) * sizeof(*graph->classes));
    if (!graph->classes) return pm_error_nomem();
    for (size_t i = 0; i < classes->rows.count; i++) graph->classes[i] = classes->rows.items[i].name;
    graph->class_count = classes->rows.count;
    return NULL;
}

struct pm_error *pm_snapshot_classify(struct pm_snapshot *snapshot, struct pm_graph *graph) {
    struct classes classes = {.snapshot = snapshot, .graph = graph};
    memset(classes.of_type, 0xff, sizeof(classes.of_type));
    snapshot->arena = pm_arena_create();
    if (!snapshot->arena) return pm_error_nomem();
    struct pm_error *err = classify(&classes);
    pm_vec_deinit(&classes.rows);
    free(classes.slots);
    free(classes.of_name[0]);
    free(classes.of_name[1]);
    free(classes.hidden_kinds);
    return err;
}
