#include "postmortem/report/heapsnapshot_export.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>

#include "postmortem/base/output_file.h"
#include "postmortem/base/vec.h"
#include "postmortem/report/heapsnapshot_strings.h"

#define DETACHED   "Detached "
#define FIELDS     6    /* of a node */
#define TEXT_UNITS 1024 /* V8 cuts strings at this length too */
#define NAME_BYTES 200
#define MAX_GROUPS 250
#define CHUNKS                                                                                               \
    65536 /* ids: 16 bits for the chunk of 256 KB, 15 for the place in it, and 1 as all are odd              \
           */
#define CHUNK_BITS 18
#define NAMED_EDGES                                                                                          \
    256 /* slots of larger stores get their number: finding names takes time for each slot before it */

/* The order of V8's node types. */
static const char *const types[] = {"hidden",
                                    "array",
                                    "string",
                                    "object",
                                    "code",
                                    "closure",
                                    "regexp",
                                    "number",
                                    "native",
                                    "synthetic",
                                    "concatenated string",
                                    "sliced string",
                                    "symbol",
                                    "bigint",
                                    "object shape"};
enum {
    HIDDEN,
    ARRAY,
    STRING,
    OBJECT,
    CODE,
    CLOSURE,
    REGEXP,
    NUMBER,
    NATIVE,
    SYNTHETIC,
    CONS_STRING,
    SLICED_STRING,
    SYMBOL,
    BIGINT,
    SHAPE,
    TYPES
};

/* Roots that hang together below (GC roots). */
struct group {
    char *name;
    pm_node node; /* PM_NO_NODE: one that the graph does not have */
    uint64_t count;
};

struct exporter {
    const struct pm_graph *graph;
    FILE *out;
    struct pm_snapshot_strings *strings;
    bool has_groups;   /* the graph has nodes for (GC roots) and its groups: it came from a snapshot */
    uint64_t grouped;  /* so many of the root's first edges belong to groups */
    uint8_t *group_of; /* of these edges */
    struct group groups[MAX_GROUPS];
    unsigned group_count;
    PM_VEC(pm_node) shortcuts; /* native contexts */
    uint64_t shift;            /* nodes of ours in front of the graph's, the root not counted */
    const char *separator;     /* between edges */
    uint32_t *chunks;          /* hash table: number of the chunk with this id; 0 = free */
    uint64_t chunk_count;
};

/* ------------------------------------------------------------------ numbers and strings */

static void put_number(struct exporter *e, uint64_t value) {
    char digits[20];
    int at = (int)sizeof(digits);
    do digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    fwrite_unlocked(digits + at, 1, sizeof(digits) - (size_t)at, e->out);
}

static void put_numbers(struct exporter *e, const uint64_t *values, size_t count, bool first) {
    for (size_t i = 0; i < count; i++) {
        if (i || !first) putc_unlocked(',', e->out);
        put_number(e, values[i]);
    }
}

static uint32_t add_text(struct exporter *e, const char *text) {
    return pm_snapshot_strings_add(e->strings, text, strlen(text));
}

static uint32_t add_buffer(struct exporter *e, const struct pm_strbuf *text) {
    return pm_snapshot_strings_add(e->strings, pm_strbuf_text(text), text->length);
}

static enum pm_node_kind kind_of(const struct exporter *e, pm_node node) {
    return (enum pm_node_kind)e->graph->kinds[node];
}

static uint64_t index_of(const struct exporter *e, pm_node node) {
    return (node ? node + e->shift : 0) * FIELDS;
}

/* ------------------------------------------------------------------ groups of roots */

static char *described(const struct exporter *e, pm_node node) {
    struct pm_strbuf text = {0};
    e->graph->source->describe(e->graph->source_self, node, NAME_BYTES, &text);
    return pm_strbuf_take(&text);
}

/* "(Stack roots) of thread 1" belongs to "(Stack roots)"; what has no such name to "(Strong roots)". */
static char *group_name(const struct exporter *e, uint64_t edge, struct pm_strbuf *rest) {
    struct pm_edge_name name = {0};
    e->graph->source->edge_name(e->graph->source_self, 0, edge, &name);
    const char *text = pm_strbuf_text(&name.text), *end = text[0] == '(' ? strchr(text, ')') : NULL;
    char *group = end ? strndup(text, (size_t)(end - text) + 1) : strdup("(Strong roots)");
    if (rest) pm_strbuf_append(rest, end ? end + 1 + strspn(end + 1, " ") : text);
    pm_strbuf_deinit(&name.text);
    return group;
}

static pm_node node_of_group(const struct exporter *e, const char *name) {
    for (pm_node node = 1; e->has_groups && node < e->graph->node_count && node < 4096; node++) {
        if (kind_of(e, node) != PM_NODE_ROOT) continue;
        char *text PM_AUTO_FREE = described(e, node);
        if (text && strcmp(text, name) == 0) return node;
    }
    return PM_NO_NODE;
}

/* Takes the name over. */
static unsigned find_group(struct exporter *e, char *name) {
    for (unsigned i = 0; i < e->group_count; i++)
        if (strcmp(e->groups[i].name, name) == 0 || i == MAX_GROUPS - 1) {
            free(name);
            return i;
        }
    e->groups[e->group_count] = (struct group){.name = name, .node = node_of_group(e, name)};
    return e->group_count++;
}

static struct pm_error *collect_roots(struct exporter *e) {
    const struct pm_graph *graph = e->graph;
    for (pm_node node = 1; node < graph->node_count && node < 4096 && !e->has_groups; node++) {
        char *name PM_AUTO_FREE = kind_of(e, node) == PM_NODE_ROOT ? described(e, node) : NULL;
        e->has_groups = name && strcmp(name, "(GC roots)") == 0;
    }
    e->grouped = e->has_groups ? graph->transient_roots : graph->first_edge[1];
    e->group_of = malloc(e->grouped + 1);
    if (!e->group_of) return pm_error_nomem();
    for (uint64_t edge = 0; edge < e->grouped; edge++) {
        char *name = group_name(e, edge, NULL);
        if (!name) return pm_error_nomem();
        unsigned group = find_group(e, name);
        e->group_of[edge] = (uint8_t)group;
        e->groups[group].count++;
    }
    if (!e->has_groups) e->shift = 1;
    for (unsigned i = 0; i < e->group_count; i++) e->shift += e->groups[i].node == PM_NO_NODE;
    for (pm_node node = 1; node < graph->node_count && !e->has_groups; node++)
        if (kind_of(e, node) == PM_NODE_NATIVE_CONTEXT && !pm_vec_push(&e->shortcuts, node))
            return pm_error_nomem();
    return NULL;
}

/* Does memory outside the heap get a node of its own? */
static bool has_store(const struct exporter *e, pm_node owner) {
    enum pm_node_kind kind = kind_of(e, owner);
    return !e->graph->from_snapshot && kind != PM_NODE_NATIVE && kind != PM_NODE_STRING;
}

/* ------------------------------------------------------------------ what a node is called */

static int type_of(const struct exporter *e, pm_node node) {
    const char *class = e->graph->classes[e->graph->class_of[node]];
    size_t length = strlen(class);
    switch (kind_of(e, node)) {
    case PM_NODE_ROOT: return SYNTHETIC;
    case PM_NODE_STRING: return STRING;
    case PM_NODE_CONS_STRING: return CONS_STRING;
    case PM_NODE_SLICED_STRING: return SLICED_STRING;
    case PM_NODE_CLOSURE: return CLOSURE;
    default: break;
    }
    if (strcmp(class, "(system)") == 0) return HIDDEN;
    if (strcmp(class, "(compiled code)") == 0) return CODE;
    for (int i = 0; i < TYPES && class[0] == '('; i++)
        if (strlen(types[i]) + 2 == length && memcmp(class + 1, types[i], length - 2) == 0) return i;
    return kind_of(e, node) == PM_NODE_NATIVE ? NATIVE : OBJECT;
}

static const char *class_of(const struct exporter *e, pm_node node) {
    return e->graph->classes[e->graph->class_of[node]];
}

/* The reader of snapshots puts it into the class, as DevTools does. */
static bool is_detached(const struct exporter *e, pm_node node, int type) {
    return type == NATIVE && strncmp(class_of(e, node), DETACHED, strlen(DETACHED)) == 0;
}

/* The name in a description: "function handle (app.js:12)", "system / PropertyArray @0x7f..", "/^a+$/g". */
static uint32_t add_description(struct exporter *e, pm_node node, int type) {
    char *text PM_AUTO_FREE = described(e, node);
    if (!text) return 0;
    char *start = text, *end = NULL;
    if (type == CLOSURE) {
        if (strncmp(start, "function ", 9) == 0)
            start += 9;
        else if (strncmp(start, "class ", 6) == 0)
            start += 6;
        end = strstr(start, " (");
        if (strncmp(start, "(anonymous)", 11) == 0) end = start;
    } else if (type == REGEXP) {
        if (*start == '/') start++;
        end = strrchr(start, '/');
    } else {
        end = strstr(start, " @");
        char *brace = strstr(start, " {");
        if (brace && (!end || brace < end)) end = brace;
    }
    if (end) *end = 0;
    /* What has no name is described by its class. */
    return add_text(e, strcmp(start, e->graph->classes[e->graph->class_of[node]]) == 0 ? "" : start);
}

static uint32_t add_name(struct exporter *e, pm_node node, int type) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    switch (type) {
    case STRING:
        e->graph->source->text(e->graph->source_self, node, TEXT_UNITS, &text);
        return add_buffer(e, &text);
    case SYNTHETIC: return node ? add_description(e, node, type) : add_text(e, "");
    case ARRAY: return add_text(e, "");
    case NUMBER: return add_text(e, "heap number");
    case CONS_STRING: return add_text(e, "(concatenated string)");
    case SLICED_STRING: return add_text(e, "(sliced string)");
    case SYMBOL: return add_text(e, "symbol");
    case BIGINT: return add_text(e, "bigint");
    case SHAPE: return add_text(e, "system / Map");
    case HIDDEN:
        if (kind_of(e, node) == PM_NODE_SYMBOL) return add_text(e, "private symbol");
        return add_description(e, node, type);
    case CODE:
    case CLOSURE:
    case REGEXP: return add_description(e, node, type);
    default: return add_text(e, class_of(e, node) + (is_detached(e, node, type) ? strlen(DETACHED) : 0));
    }
}

/* An odd number below 2^32: DevTools and memlab keep ids in 32 bits. Those below 2^16 are ours. */
static uint64_t id_of(struct exporter *e, pm_node node) {
    uint64_t identity = e->graph->source->identity(e->graph->source_self, node);
    if (e->graph->from_snapshot) return identity;
    uint32_t chunk = (uint32_t)(identity >> CHUNK_BITS) + 1;
    uint64_t at = ((uint64_t)chunk * UINT64_C(0x9e3779b97f4a7c15) >> 48) % (CHUNKS - 1) + 1;
    if (e->chunk_count >= CHUNKS - 2) return CHUNKS + 1 + 2 * (uint64_t)node; /* a heap of 16 GB */
    while (e->chunks[at] && e->chunks[at] != chunk) at = at % (CHUNKS - 1) + 1;
    if (!e->chunks[at]) {
        e->chunks[at] = chunk;
        e->chunk_count++;
    }
    return at << 16 | (identity & ((1 << CHUNK_BITS) - 1)) >> 3 << 1 | 1;
}

/* ------------------------------------------------------------------ nodes */

static void put_head(struct exporter *e, uint64_t nodes, uint64_t edges) {
    fputs("{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\","
          "\"detachedness\"],"
          "\"node_types\":[[",
          e->out);
    for (int i = 0; i < TYPES; i++) fprintf(e->out, "%s\"%s\"", i ? "," : "", types[i]);
    fputs("],\"string\",\"number\",\"number\",\"number\",\"number\"],"
          "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],\"edge_types\":[[\"context\",\"element\","
          "\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],\"string_or_number\",\"node\"],"
          "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\",\"line\","
          "\"column\"],"
          "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"],"
          "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
          "\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]},\"node_count\":",
          e->out);
    put_number(e, nodes);
    fputs(",\"edge_count\":", e->out);
    put_number(e, edges);
    fputs(",\"trace_function_count\":0},\n\"nodes\":[", e->out);
}

static void put_node(struct exporter *e, int type, uint32_t name, uint64_t id, uint64_t size, uint64_t edges,
                     uint64_t detachedness) {
    const uint64_t values[FIELDS] = {(uint64_t)type, name, id, size, edges, detachedness};
    fputs_unlocked(e->separator, e->out);
    e->separator = "\n,";
    put_numbers(e, values, FIELDS, true);
}

/* The group whose edges a node of the graph gets back; NULL. */
static const struct group *group_at(const struct exporter *e, pm_node node) {
    if (kind_of(e, node) != PM_NODE_ROOT) return NULL;
    for (unsigned i = 0; i < e->group_count; i++)
        if (e->groups[i].node == node) return &e->groups[i];
    return NULL;
}

static uint64_t root_edges(const struct exporter *e) {
    uint64_t own = e->graph->first_edge[1] - e->grouped, made = 0;
    for (unsigned i = 0; i < e->group_count; i++) made += e->groups[i].node == PM_NO_NODE;
    return e->has_groups ? own + made : 1 + e->shortcuts.count;
}

static void put_nodes(struct exporter *e) {
    const struct pm_graph *graph = e->graph;
    size_t external = 0;
    e->separator = "";
    uint64_t id = 1, groups = 0;
    put_node(e, SYNTHETIC, add_text(e, ""), graph->from_snapshot ? id_of(e, 0) : id, 0, root_edges(e), 0);
    for (unsigned i = 0; i < e->group_count; i++) groups += e->groups[i].node == PM_NO_NODE;
    if (!e->has_groups) put_node(e, SYNTHETIC, add_text(e, "(GC roots)"), id += 2, 0, groups, 0);
    for (unsigned i = 0; i < e->group_count; i++)
        if (e->groups[i].node == PM_NO_NODE)
            put_node(e, SYNTHETIC, add_text(e, e->groups[i].name), id += 2, 0, e->groups[i].count, 0);
    for (pm_node node = 1; node < graph->node_count; node++) {
        int type = type_of(e, node);
        uint64_t size = pm_graph_shallow(graph, node),
                 edges = graph->first_edge[node + 1] - graph->first_edge[node];
        const struct group *group = group_at(e, node);
        if (group) edges += group->count;
        while (external < graph->external_count && graph->external[external].node < node) external++;
        if (external < graph->external_count && graph->external[external].node == node) {
            if (has_store(e, node))
                edges++;
            else
                size += graph->external[external].bytes;
        }
        put_node(e, type, add_name(e, node, type), id_of(e, node), size, edges,
                 is_detached(e, node, type) ? 2 : 0);
    }
    for (size_t i = 0; i < graph->external_count; i++) {
        const struct pm_graph_external *store = &graph->external[i];
        /* Where the owner is, 8 bytes on, no other object begins. */
        if (has_store(e, store->node))
            put_node(e, NATIVE, add_text(e, "system / JSArrayBufferData"), id_of(e, store->node) + 2,
                     store->bytes, 0, 0);
    }
}

/* ------------------------------------------------------------------ edges */

static void put_edge(struct exporter *e, enum pm_edge_kind kind, uint64_t name, uint64_t to_index) {
    const uint64_t values[] = {(uint64_t)kind, name, to_index};
    fputs_unlocked(e->separator, e->out);
    e->separator = "\n,";
    put_numbers(e, values, 3, true);
}

/* Edges of a group, in the order of the roots. */
static void put_group_edges(struct exporter *e, unsigned group, uint64_t from_index) {
    uint64_t count = from_index;
    for (uint64_t edge = 0; edge < e->grouped; edge++) {
        if (e->group_of[edge] != group) continue;
        PM_AUTO_STRBUF struct pm_strbuf rest = {0};
        free(group_name(e, edge, &rest));
        uint64_t to = index_of(e, e->graph->edges[edge]);
        if (rest.length)
            put_edge(e, PM_EDGE_INTERNAL, add_buffer(e, &rest), to);
        else
            put_edge(e, PM_EDGE_HIDDEN, count, to);
        count++;
    }
}

static void put_edge_of(struct exporter *e, pm_node from, uint64_t edge, uint64_t number) {
    const struct pm_graph *graph = e->graph;
    uint64_t to = index_of(e, graph->edges[edge]);
    struct pm_edge_name name = {0};
    bool large = graph->first_edge[from + 1] - graph->first_edge[from] > NAMED_EDGES;
    if (large && !graph->from_snapshot && kind_of(e, from) == PM_NODE_STORE) {
        put_edge(e, PM_EDGE_HIDDEN, number, to);
        return;
    }
    graph->source->edge_name(graph->source_self, from, edge, &name);
    if (name.kind == PM_EDGE_HIDDEN && name.text.length)
        name.kind = PM_EDGE_INTERNAL; /* hidden ones have numbers */
    bool numbered = name.kind == PM_EDGE_ELEMENT || name.kind == PM_EDGE_HIDDEN;
    put_edge(e, name.kind, numbered ? name.index : add_buffer(e, &name.text), to);
    pm_strbuf_deinit(&name.text);
}

/* The root's, and those of the nodes of ours in front of the graph's. */
static void put_root_edges(struct exporter *e) {
    const struct pm_graph *graph = e->graph;
    uint64_t made = e->has_groups ? 1 : 2, number = 0; /* first of our groups */
    char digits[24];
    for (uint64_t edge = e->grouped; edge < graph->first_edge[1]; edge++) put_edge_of(e, 0, edge, edge);
    if (!e->has_groups) {
        put_edge(e, PM_EDGE_ELEMENT, 1, FIELDS);
        for (size_t i = 0; i < e->shortcuts.count; i++) {
            snprintf(digits, sizeof(digits), "%zu", i + 2);
            put_edge(e, PM_EDGE_SHORTCUT, add_text(e, digits), index_of(e, e->shortcuts.items[i]));
        }
    }
    for (unsigned i = 0; i < e->group_count; i++) {
        if (e->groups[i].node != PM_NO_NODE) continue;
        put_edge(e, PM_EDGE_ELEMENT, number + 1, (made + number) * FIELDS);
        number++;
    }
    for (unsigned i = 0; i < e->group_count; i++)
        if (e->groups[i].node == PM_NO_NODE) put_group_edges(e, i, 0);
}

static void put_edges(struct exporter *e) {
    const struct pm_graph *graph = e->graph;
    uint64_t store = (graph->node_count + e->shift) * FIELDS;
    size_t external = 0;
    e->separator = "";
    put_root_edges(e);
    for (pm_node node = 1; node < graph->node_count; node++) {
        uint64_t first = graph->first_edge[node], end = graph->first_edge[node + 1];
        for (uint64_t edge = first; edge < end; edge++) put_edge_of(e, node, edge, edge - first);
        const struct group *group = group_at(e, node);
        if (group) put_group_edges(e, (unsigned)(group - e->groups), end - first);
        while (external < graph->external_count && graph->external[external].node < node) external++;
        if (external < graph->external_count && graph->external[external].node == node &&
            has_store(e, node)) {
            put_edge(e, PM_EDGE_INTERNAL, add_text(e, "backing_store"), store);
            store += FIELDS;
        }
    }
}

/* ------------------------------------------------------------------ locations */

/* Line and column from 1, and the number of the file's name among the strings, which serves as the script's
 * id. */
struct place {
    bool asked, known;
    uint64_t script, line, column;
};

static struct place place_of(struct exporter *e, pm_node node) {
    struct pm_graph_position position = {0};
    char *function PM_AUTO_FREE = NULL;
    struct place place = {.asked = true};
    if (!e->graph->source->position(e->graph->source_self, node, &function, &position)) return place;
    if (position.line) {
        place =
            (struct place){.asked = true, .known = true, .line = position.line, .column = position.column};
        place.script = add_text(e, position.file ? position.file : "");
    }
    free(position.file);
    return place;
}

/* Functions, and objects: where their constructor is. In a core that takes time, so one object is asked for
 * all of its class. */
static struct pm_error *put_locations(struct exporter *e) {
    const struct pm_graph *graph = e->graph;
    bool first = true;
    struct place *of_class PM_AUTO_FREE = calloc(graph->class_count + 1, sizeof(*of_class));
    if (!of_class) return pm_error_nomem();
    for (pm_node node = 1; node < graph->node_count; node++) {
        enum pm_node_kind kind = kind_of(e, node);
        int type = type_of(e, node);
        if (kind == PM_NODE_CONTEXT || (type != CLOSURE && type != OBJECT && !graph->from_snapshot)) continue;
        struct place *shared = &of_class[graph->class_of[node]];
        bool own = graph->from_snapshot || type == CLOSURE;
        if (own || !shared->asked) *shared = place_of(e, node);
        if (!shared->known) continue;
        const uint64_t values[] = {index_of(e, node), shared->script, shared->line - 1,
                                   shared->column ? shared->column - 1 : 0};
        if (!first) fputs_unlocked("\n,", e->out);
        put_numbers(e, values, 4, true);
        first = false;
    }
    return NULL;
}

/* ------------------------------------------------------------------ all of it */

static struct pm_error *write_all(struct exporter *e) {
    const struct pm_graph *graph = e->graph;
    PM_TRY(collect_roots(e));
    e->chunks = calloc(CHUNKS, sizeof(*e->chunks));
    if (!e->chunks) return pm_error_nomem();
    uint64_t stores = 0, made = 0;
    for (size_t i = 0; i < graph->external_count; i++) stores += has_store(e, graph->external[i].node);
    for (unsigned i = 0; i < e->group_count; i++) made += e->groups[i].node == PM_NO_NODE;
    add_text(e, "<dummy>");
    put_head(e, graph->node_count + e->shift + stores,
             graph->edge_count + stores + made + (e->has_groups ? 0 : 1 + e->shortcuts.count));
    put_nodes(e);
    fputs("],\n\"edges\":[", e->out);
    put_edges(e);
    fputs("],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[", e->out);
    PM_TRY(put_locations(e));
    fputs("],\n\"strings\":[", e->out);
    PM_TRY(pm_snapshot_strings_finish(e->strings, e->out));
    fputs("]}", e->out);
    if (fflush(e->out) != 0 || ferror(e->out))
        return pm_error_create(PM_ERR_IO, "the heap snapshot could not be written: %s", strerror(errno));
    return NULL;
}

struct pm_error *pm_heapsnapshot_write(const struct pm_graph *graph, FILE *out, const char *spool_folder) {
    struct pm_snapshot_strings *strings PM_AUTO(snapshot_strings) = NULL;
    PM_TRY(pm_snapshot_strings_create(spool_folder, &strings));
    struct exporter *e PM_AUTO_FREE = calloc(1, sizeof(*e));
    if (!e) return pm_error_nomem();
    e->graph = graph;
    e->out = out;
    e->strings = strings;
    struct pm_error *err = write_all(e);
    for (unsigned i = 0; i < e->group_count; i++) free(e->groups[i].name);
    pm_vec_deinit(&e->shortcuts);
    free(e->group_of);
    free(e->chunks);
    return err;
}

struct pm_error *pm_heapsnapshot_export(const struct pm_graph *graph, const char *path) {
    struct pm_output output;
    char *folder PM_AUTO_FREE = strdup(path);
    if (!folder) return pm_error_nomem();
    PM_TRY(pm_output_open(path, &output));
    return pm_output_close(
        &output, pm_heapsnapshot_write(graph, output.file, output.regular ? dirname(folder) : NULL));
}
