#include <string.h>

#include "parsers/heap_snapshot_source.h"
#include "postmortem/base/big_array.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/parallel.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_columns.c - the numbers of a snapshot become the columns of the graph.
 *
 * Arrays of numbers are cut into chunks of text, each of which begins behind a comma. The commas are counted
 * first (at the speed of memory), so every chunk knows the number of its first number, all columns have their
 * exact size, and the chunks can be parsed independently of each other, on all cores:
 *
 *   nodes    type -> kinds, name -> class_of (until pm_snapshot_classify() replaces both), self_size ->
 * shallow, edge_count -> first_edge, which the sum over all nodes then turns into the number of the first
 * edge edges    strong ones -> edges. A chunk knows its nodes by the numbers of their first edges; it keeps
 * its strong edges together from its first edge on, and says in first_edge how many strong ones of its own
 * are in front of each node. Afterwards the chunks are moved together and the sums of those before are added.
 *
 * Records that lie across the border of two chunks belong to the chunk in which they begin.
 *
 * DAMAGE  A single node or edge that cannot be (a type, name or target that the file does not have) costs a
 * name, a size or a reference. Where there are many of them, numbers were lost and the rest means nothing:
 * the nodes end there, as at bytes that are no numbers. Without all nodes, or without all edges, there are no
 * edges at all: what keeps an object alive is not known when some of what refers to it is not. */

#define CHUNK         ((uint64_t)4 << 20)
#define FEW           16 /* wrong records that are a flaw and not the end of a section */
#define FEW_OF_ALL(n) ((n) / 1000)

struct chunk {
    uint64_t start, end;  /* text */
    uint64_t first, last; /* numbers that begin in it: first ... last - 1 */
    bool broken;          /* it was not read to its end */
    uint64_t wrong;       /* records that cannot be */
    const char *problem;  /* of the first of them, or what broke it; NULL = none; a literal */
    uint64_t where;
    bool no_memory;
    /* nodes */
    uint64_t self_size, native_size;
    PM_VEC(struct pm_graph_external) external;
    PM_VEC(pm_node) detached; /* native ones */
    /* edges */
    pm_node first_node, last_node; /* those whose first edge is in it */
    uint64_t before_start;         /* number of the first edge of the node in front of them */
    uint64_t behind_start;         /* and of the one behind them */
    uint64_t strong, weak, shortcut, table;
    PM_VEC(struct pm_snapshot_signpost) signposts;
    PM_VEC(struct pm_snapshot_turn) turns;
};

struct load {
    const char *name; /* of the section at work */
    struct pm_snapshot *snapshot;
    struct pm_snapshot_file *file;
    struct pm_graph *graph;
    struct chunk *chunks;
    size_t chunk_count;
};

/* ------------------------------------------------------------------ chunks */

static void chunks_free(struct load *load) {
    for (size_t i = 0; i < load->chunk_count; i++) {
        pm_vec_deinit(&load->chunks[i].external);
        pm_vec_deinit(&load->chunks[i].detached);
        pm_vec_deinit(&load->chunks[i].signposts);
        pm_vec_deinit(&load->chunks[i].turns);
    }
    free(load->chunks);
    load->chunks = NULL;
    load->chunk_count = 0;
}

typedef uint8_t vector __attribute__((vector_size(16)));

static uint64_t count_commas(const uint8_t *at, const uint8_t *end) {
    uint64_t count = 0;
    while (end - at >= (ptrdiff_t)sizeof(vector)) {
        vector sums = {0}, block;
        for (int i = 0; i < 255 && end - at >= (ptrdiff_t)sizeof(vector); i++, at += sizeof(vector)) {
            memcpy(&block, at, sizeof(block));
            sums -= (vector)(block == (uint8_t)','); /* -1 where equal */
        }
        for (size_t i = 0; i < sizeof(vector); i++) count += sums[i];
    }
    for (; at < end; at++) count += *at == ',';
    return count;
}

static void count_chunk(void *context, size_t item, unsigned worker) {
    struct load *load = context;
    struct chunk *chunk = &load->chunks[item];
    (void)worker;
    chunk->last = count_commas(load->file->bytes + chunk->start, load->file->bytes + chunk->end);
}

static bool is_blank(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at == end;
}

/* Cuts a section into chunks and counts its numbers. */
static struct pm_error *cut(struct load *load, const char *name, struct pm_snapshot_section *section) {
    const uint8_t *bytes = load->file->bytes;
    load->name = name;
    load->chunk_count = 0;
    load->chunks = calloc((section->end - section->start) / CHUNK + 1, sizeof(*load->chunks));
    if (!load->chunks) return pm_error_nomem();
    for (uint64_t start = section->start; start < section->end;) {
        uint64_t end = section->end;
        const uint8_t *comma =
            end - start > CHUNK ? memchr(bytes + start + CHUNK, ',', end - start - CHUNK) : NULL;
        if (comma) end = (uint64_t)(comma - bytes) + 1;
        load->chunks[load->chunk_count++] = (struct chunk){.start = start, .end = end};
        start = end;
    }
    pm_parallel_run(load->chunk_count, count_chunk, load);
    uint64_t total = 0;
    for (size_t i = 0; i < load->chunk_count; i++) {
        uint64_t commas = load->chunks[i].last;
        load->chunks[i].first = total;
        load->chunks[i].last = total += commas;
    }
    if (total || !is_blank(bytes + section->start, bytes + section->end)) total++; /* one more than commas */
    if (load->chunk_count) load->chunks[load->chunk_count - 1].last = total;
    section->count = total;
    return NULL;
}

struct flaws { /* what the chunks found wrong */
    bool broken;
    uint64_t wrong;
    const char *problem; /* the first one */
    uint64_t where;
};

static struct pm_error *run(struct load *load, pm_parallel_item *item, struct flaws *ret) {
    *ret = (struct flaws){0};
    pm_parallel_run(load->chunk_count, item, load);
    for (size_t i = 0; i < load->chunk_count; i++) {
        const struct chunk *chunk = &load->chunks[i];
        if (chunk->no_memory) return pm_error_nomem();
        ret->broken |= chunk->broken;
        ret->wrong += chunk->wrong;
        if (!chunk->problem || ret->problem) continue;
        ret->problem = chunk->problem;
        ret->where = chunk->where;
    }
    return NULL;
}

static bool is_few(uint64_t wrong, uint64_t all) {
    return wrong <= FEW || wrong <= FEW_OF_ALL(all);
}

static struct pm_error *flaw_error(const struct load *load, const struct flaws *flaws) {
    if (flaws->broken || flaws->wrong < 2)
        return pm_error_at(PM_ERR_FORMAT, flaws->where, "%s: %s", load->name, flaws->problem);
    return pm_error_at(PM_ERR_FORMAT, flaws->where, "%s: %s; %llu such places", load->name, flaws->problem,
                       (unsigned long long)flaws->wrong);
}

static void note(const struct load *load, struct chunk *chunk, const uint8_t *at, const char *problem) {
    if (chunk->problem) return;
    chunk->problem = problem;
    chunk->where = (uint64_t)(at - load->file->bytes);
}

static void fail(const struct load *load, struct chunk *chunk, const uint8_t *at, const char *problem) {
    note(load, chunk, at, problem);
    chunk->broken = true;
}

/* The first record that begins in a chunk: its number, and where it is. NULL = failed. */
static const uint8_t *first_record(const struct load *load, struct chunk *chunk, const uint8_t *end,
                                   unsigned fields, uint64_t *record_ret) {
    const uint8_t *at = load->file->bytes + chunk->start;
    uint64_t ignored, number = chunk->first;
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    for (; number % fields; number++) {
        const uint8_t *next = pm_snapshot_number(at, end, &ignored);
        if (!next) return fail(load, chunk, at, "a whole number should be here"), NULL;
        at = next;
    }
    *record_ret = number / fields;
    return at;
}

static uint64_t records_until(uint64_t numbers, unsigned fields) {
    return (numbers + fields - 1) / fields;
}

/* Made for a constant number of fields, so that the loop over them is none. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE const uint8_t *take_record(const struct load *load, struct chunk *chunk, const uint8_t *at,
                                         const uint8_t *end, unsigned fields, uint64_t *values) {
    for (unsigned i = 0; i < fields; i++) {
        const uint8_t *next = pm_snapshot_number(at, end, &values[i]);
        if (__builtin_expect(!next, 0)) return fail(load, chunk, at, "a whole number should be here"), NULL;
        at = next;
    }
    return at;
}

/* ------------------------------------------------------------------ nodes */

/* Sizes that the column of 8-byte units cannot say, and memory outside V8's heap, go to `external`. */
static bool place_size(struct load *load, struct chunk *chunk, pm_node node, enum pm_snapshot_type type,
                       uint64_t size) {
    uint64_t units = type == PM_SNAPSHOT_NATIVE ? 0 : size / 8;
    if (units > UINT32_MAX) units = UINT32_MAX;
    load->graph->shallow[node] = (uint32_t)units;
    chunk->self_size += size;
    if (type == PM_SNAPSHOT_NATIVE) chunk->native_size += size;
    struct pm_graph_external rest = {.node = node, .bytes = size - units * 8};
    return rest.bytes == 0 || pm_vec_push(&chunk->external, rest);
}

ALWAYS_INLINE const char *wrong_node(const struct pm_snapshot_file *file, uint64_t type, uint64_t name,
                                     uint64_t size, uint64_t edges) {
    if (type >= file->meta.node_type_count) return "a node of a type that meta does not have";
    if (name >= file->strings.count && !file->strings.cut)
        return "the name of a node is no string of the file";
    if (size > PM_SNAPSHOT_LARGEST) return "the size of a node is impossible";
    if (edges > file->edges.count && !file->edges.cut) return "a node with more edges than there are";
    return NULL;
}

ALWAYS_INLINE void parse_nodes(struct load *load, struct chunk *chunk, unsigned fields) {
    struct pm_snapshot_file *file = load->file;
    struct pm_graph *graph = load->graph;
    const struct pm_snapshot_meta *meta = &file->meta;
    const uint8_t *end = file->bytes + file->nodes.end;
    uint64_t values[PM_SNAPSHOT_FIELDS + 1], node;
    values[PM_SNAPSHOT_FIELDS] = 0;
    uint64_t strings = file->strings.count, last = records_until(chunk->last, fields);
    const uint8_t *at = first_record(load, chunk, end, fields, &node);
    for (; at && node < last; node++) {
        const uint8_t *start = at;
        at = take_record(load, chunk, at, end, fields, values);
        if (!at) return;
        uint64_t type = values[meta->type], name = values[meta->name], size = values[meta->self_size];
        const char *problem = wrong_node(file, type, name, size, values[meta->edge_count]);
        if (__builtin_expect(problem != NULL, 0)) {
            note(load, chunk, start, problem);
            chunk->wrong++;
        }
        if (type > meta->node_type_count) type = meta->node_type_count;
        if (name > strings) name = strings;
        if (size > PM_SNAPSHOT_LARGEST) size = 0;
        graph->kinds[node] = (uint8_t)type;
        graph->class_of[node] = (uint32_t)name;
        graph->first_edge[node] = values[meta->edge_count];
        if (node % PM_SNAPSHOT_STEP == 0)
            file->node_at[node / PM_SNAPSHOT_STEP] = (uint64_t)(start - file->bytes);
        bool detached = values[meta->detachedness] == 2 && meta->node_types[type] == PM_SNAPSHOT_NATIVE;
        if (!place_size(load, chunk, (pm_node)node, meta->node_types[type], size) ||
            (detached && !pm_vec_push(&chunk->detached, (pm_node)node))) {
            chunk->no_memory = true;
            return;
        }
    }
}

static void nodes_of_chunk(void *context, size_t item, unsigned worker) {
    struct load *load = context;
    struct chunk *chunk = &load->chunks[item];
    (void)worker;
    switch (load->file->meta.node_fields) {
    case 6: parse_nodes(load, chunk, 6); break;
    case 7: parse_nodes(load, chunk, 7); break;
    default: parse_nodes(load, chunk, load->file->meta.node_fields);
    }
}

/* What the chunks found is put together in their order. */
static struct pm_error *gather_nodes(struct load *load, struct pm_snapshot_facts *facts) {
    struct pm_graph *graph = load->graph;
    struct pm_snapshot *snapshot = load->snapshot;
    for (size_t i = 0; i < load->chunk_count; i++) {
        const struct chunk *chunk = &load->chunks[i];
        if (!pm_add_u64(facts->self_size, chunk->self_size, &facts->self_size))
            return pm_error_at(PM_ERR_FORMAT, chunk->start, "nodes: their sizes are impossible");
        facts->native_size += chunk->native_size;
        facts->detached_nodes += chunk->detached.count;
        graph->external_count += chunk->external.count;
    }
    graph->external = malloc((graph->external_count + 1) * sizeof(*graph->external));
    snapshot->detached = malloc((facts->detached_nodes + 1) * sizeof(*snapshot->detached));
    if (!graph->external || !snapshot->detached) return pm_error_nomem();
    size_t external = 0, detached = 0;
    for (size_t i = 0; i < load->chunk_count; i++) {
        const struct chunk *chunk = &load->chunks[i];
        for (size_t k = 0; k < chunk->external.count; k++)
            graph->external[external++] = chunk->external.items[k];
        for (size_t k = 0; k < chunk->detached.count; k++)
            snapshot->detached[detached++] = chunk->detached.items[k];
    }
    snapshot->detached[detached] = PM_NO_NODE;
    return NULL;
}

/* first_edge: from the number of edges of each node to the number of its first one. */
static struct pm_error *sum_edges(struct load *load) {
    struct pm_graph *graph = load->graph;
    uint64_t sum = 0, edges = load->file->edges.count / load->file->meta.edge_fields;
    for (size_t i = 0; i < graph->node_count; i++) {
        uint64_t count = graph->first_edge[i];
        graph->first_edge[i] = sum;
        sum += count;
        if (sum > edges) break;
    }
    if (sum != edges)
        return pm_error_at(PM_ERR_FORMAT, load->file->edges.start,
                           "the nodes have %s edges than the %llu that the file has",
                           sum > edges ? "more" : "fewer", (unsigned long long)edges);
    graph->first_edge[graph->node_count] = sum;
    return NULL;
}

/* Ends a section in front of the `numbers`-th number from its end. */
static void shorten(const struct pm_snapshot_file *file, struct pm_snapshot_section *section,
                    uint64_t numbers) {
    for (section->cut = true; numbers > 0 && section->end > section->start; numbers--) {
        const uint8_t *comma = memrchr(file->bytes + section->start, ',', section->end - section->start);
        section->end = comma ? (uint64_t)(comma - file->bytes) : section->start;
    }
}

/* What does not make a whole record at the end of a section is left out. */
static struct pm_error *cut_records(struct load *load, const char *name, struct pm_snapshot_section *section,
                                    unsigned fields) {
    PM_TRY(cut(load, name, section));
    uint64_t rest = section->count % fields, numbers = section->count;
    if (rest == 0) return NULL;
    chunks_free(load);
    PM_TRY(pm_snapshot_damaged(load->file, pm_error_at(PM_ERR_FORMAT, section->end,
                                                       "%s: %llu numbers are no whole number of %s of %u",
                                                       name, (unsigned long long)numbers, name, fields)));
    shorten(load->file, section, rest);
    return cut(load, name, section);
}

static void drop_nodes(struct pm_snapshot_file *file, struct pm_graph *graph) {
    free(graph->first_edge);
    free(graph->class_of);
    free(graph->shallow);
    free(graph->kinds);
    free(file->node_at);
    graph->first_edge = NULL;
    graph->class_of = graph->shallow = NULL;
    graph->kinds = NULL;
    file->node_at = NULL;
}

/* Columns for the nodes of the section; parses them. */
static struct pm_error *parse_all_nodes(struct load *load, struct flaws *flaws) {
    struct pm_snapshot_file *file = load->file;
    struct pm_graph *graph = load->graph;
    uint64_t count = file->nodes.count / file->meta.node_fields;
    if (count >= PM_NO_NODE)
        return pm_error_at(PM_ERR_LIMIT, file->nodes.start, "%llu nodes; at most %u can be analysed",
                           (unsigned long long)count, PM_NO_NODE - 1);
    graph->node_count = file->node_count = (pm_node)count;
    graph->first_edge = PM_BIG_ARRAY(uint64_t, count + 1);
    graph->class_of = PM_BIG_ARRAY(uint32_t, count);
    graph->shallow = PM_BIG_ARRAY(uint32_t, count);
    graph->kinds = PM_BIG_ARRAY(uint8_t, count);
    file->node_at = malloc((count / PM_SNAPSHOT_STEP + 1) * sizeof(*file->node_at));
    if (!graph->first_edge || !graph->class_of || !graph->shallow || !graph->kinds || !file->node_at)
        return pm_error_nomem();
    return run(load, nodes_of_chunk, flaws);
}

static struct pm_error *no_nodes(const struct pm_snapshot_file *file) {
    return pm_error_at(PM_ERR_FORMAT, file->nodes.start, "the snapshot has no nodes%s",
                       file->nodes.cut ? " that can be read" : "");
}

static struct pm_error *read_nodes(struct load *load, struct pm_snapshot_facts *facts) {
    struct pm_snapshot_file *file = load->file;
    unsigned fields = file->meta.node_fields;
    struct flaws flaws;
    if (file->strings.count >= PM_NO_NAME)
        return pm_error_at(PM_ERR_LIMIT, file->strings.start, "%llu strings; at most %u can be analysed",
                           (unsigned long long)file->strings.count, PM_NO_NAME - 1);
    for (;;) {
        PM_TRY(cut_records(load, "nodes", &file->nodes, fields));
        uint64_t count = file->nodes.count / fields;
        if (count == 0) return no_nodes(file);
        PM_TRY(parse_all_nodes(load, &flaws));
        if (flaws.problem) PM_TRY(pm_snapshot_damaged(file, flaw_error(load, &flaws)));
        if (!flaws.broken && is_few(flaws.wrong, count)) return gather_nodes(load, facts);
        /* Once more, with the nodes in front of the first flaw. */
        chunks_free(load);
        drop_nodes(file, load->graph);
        file->nodes.end = flaws.where;
        shorten(file, &file->nodes, 1);
    }
}

/* ------------------------------------------------------------------ edges */

struct edge_run { /* what goes along the edges of a chunk */
    const uint8_t *at, *end;
    pm_node *out;
    uint64_t strong, weak, shortcut, table;
    uint64_t next_post;
};

static void mark_used(uint64_t *used, uint64_t name) {
    uint64_t bit = UINT64_C(1) << (name % 64);
    if (!(__atomic_load_n(&used[name / 64], __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(&used[name / 64], bit, __ATOMIC_RELAXED);
}

/* `count` edges that leave `from`. */
ALWAYS_INLINE bool parse_edges_of(struct load *load, struct chunk *chunk, struct edge_run *run, pm_node from,
                                  enum pm_snapshot_type type, uint64_t count, bool many, unsigned fields,
                                  unsigned node_fields) {
    const struct pm_snapshot_file *file = load->file;
    uint64_t values[PM_SNAPSHOT_FIELDS];
    const uint8_t *at = run->at, *end = run->end;
    for (; count; count--) {
        const uint8_t *start = at;
        if (many && run->strong >= run->next_post) {
            struct pm_snapshot_signpost post = {.strong = run->strong, .at = (uint64_t)(start - file->bytes)};
            run->next_post = run->strong + PM_SNAPSHOT_MANY;
            if (!pm_vec_push(&chunk->signposts, post)) return chunk->no_memory = true, false;
        }
        at = take_record(load, chunk, at, end, fields, values);
        if (!at) return false;
        struct pm_snapshot_edge edge;
        const char *problem = pm_snapshot_edge_of(file, values, node_fields, &edge);
        if (__builtin_expect(problem != NULL, 0)) {
            note(load, chunk, start, problem);
            chunk->wrong++;
            continue;
        }
        if (pm_snapshot_strong(file, from, type, edge.kind, edge.name)) {
            run->out[run->strong++] = edge.to;
            if (pm_snapshot_is_named(edge.kind)) mark_used(load->snapshot->used, edge.name);
        } else {
            run->weak += edge.kind == PM_EDGE_WEAK;
            run->shortcut += edge.kind == PM_EDGE_SHORTCUT;
            run->table += edge.kind == PM_EDGE_INTERNAL;
        }
    }
    run->at = at;
    return true;
}

ALWAYS_INLINE void parse_edges(struct load *load, struct chunk *chunk, unsigned fields,
                               unsigned node_fields) {
    struct pm_snapshot_file *file = load->file;
    struct pm_graph *graph = load->graph;
    uint64_t edge, last = records_until(chunk->last, fields), start = chunk->before_start;
    struct edge_run run = {.end = file->bytes + file->edges.end};
    run.at = first_record(load, chunk, run.end, fields, &edge);
    run.out = graph->edges + edge;
    if (!run.at) return;
    for (pm_node node = chunk->first_node; /* 0 = there is none in front */; node++) {
        /* The rest of the node in front; then it is this one's turn. */
        uint64_t end = node < chunk->last_node ? graph->first_edge[node] : chunk->behind_start;
        if (node > 0) {
            bool many = end - start >= PM_SNAPSHOT_MANY;
            uint64_t stop = end < last ? end : last;
            pm_node from = node - 1;
            if (edge < stop &&
                !parse_edges_of(load, chunk, &run, from, file->meta.node_types[graph->kinds[from]],
                                stop - edge, many, fields, node_fields))
                return;
            edge = stop > edge ? stop : edge;
            struct pm_snapshot_turn turn = {.node = from, .end = (uint64_t)(run.at - file->bytes)};
            if (many && node < chunk->last_node && !pm_vec_push(&chunk->turns, turn)) {
                chunk->no_memory = true;
                return;
            }
        }
        if (node >= chunk->last_node) break;
        start = end;
        graph->first_edge[node] = run.strong;
        run.next_post = run.strong + PM_SNAPSHOT_MANY;
        if (node % PM_SNAPSHOT_STEP == 0)
            file->edge_at[node / PM_SNAPSHOT_STEP] = (uint64_t)(run.at - file->bytes);
    }
    chunk->strong = run.strong;
    chunk->weak = run.weak;
    chunk->shortcut = run.shortcut;
    chunk->table = run.table;
}

static void edges_of_chunk(void *context, size_t item, unsigned worker) {
    struct load *load = context;
    struct chunk *chunk = &load->chunks[item];
    const struct pm_snapshot_meta *meta = &load->file->meta;
    (void)worker;
    if (meta->edge_fields == 3 && meta->node_fields == 6)
        parse_edges(load, chunk, 3, 6);
    else if (meta->edge_fields == 3 && meta->node_fields == 7)
        parse_edges(load, chunk, 3, 7);
    else
        parse_edges(load, chunk, meta->edge_fields, meta->node_fields);
}

/* The first node whose first edge is not before `edge`. */
static pm_node node_from(const struct pm_graph *graph, uint64_t edge) {
    pm_node low = 0, high = graph->node_count;
    while (low < high) {
        pm_node middle = low + (high - low) / 2;
        if (graph->first_edge[middle] < edge)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* While a chunk runs, others change first_edge: what it needs from its neighbours it is told before. */
static void deal_nodes(struct load *load) {
    struct pm_graph *graph = load->graph;
    unsigned fields = load->file->meta.edge_fields;
    for (size_t i = 0; i < load->chunk_count; i++) {
        struct chunk *chunk = &load->chunks[i];
        chunk->first_node = i ? node_from(graph, records_until(chunk->first, fields)) : 0;
        if (i) chunk[-1].last_node = chunk->first_node;
    }
    load->chunks[load->chunk_count - 1].last_node = graph->node_count;
    for (size_t i = 0; i < load->chunk_count; i++) {
        struct chunk *chunk = &load->chunks[i];
        chunk->before_start = chunk->first_node ? graph->first_edge[chunk->first_node - 1] : 0;
        chunk->behind_start = graph->first_edge[chunk->last_node];
    }
}

/* Moves the strong edges of all chunks together. */
static struct pm_error *join_edges(struct load *load, struct pm_snapshot_facts *facts) {
    struct pm_graph *graph = load->graph;
    struct pm_snapshot_file *file = load->file;
    unsigned fields = file->meta.edge_fields;
    uint64_t base = 0;
    for (size_t i = 0; i < load->chunk_count; i++) {
        const struct chunk *chunk = &load->chunks[i];
        memmove(graph->edges + base, graph->edges + records_until(chunk->first, fields),
                chunk->strong * sizeof(*graph->edges));
        for (pm_node node = chunk->first_node; node < chunk->last_node; node++)
            graph->first_edge[node] += base;
        for (size_t k = 0; k < chunk->signposts.count; k++) chunk->signposts.items[k].strong += base;
        file->signpost_count += chunk->signposts.count;
        file->turn_count += chunk->turns.count;
        facts->weak_edges += chunk->weak;
        facts->shortcut_edges += chunk->shortcut;
        facts->table_edges += chunk->table;
        base += chunk->strong;
    }
    graph->edge_count = graph->first_edge[graph->node_count] = base;
    graph->edges = pm_big_array_shrink(graph->edges, base, sizeof(*graph->edges));
    file->signposts = malloc((file->signpost_count + 1) * sizeof(*file->signposts));
    file->turns = malloc((file->turn_count + 1) * sizeof(*file->turns));
    if (!file->signposts || !file->turns) return pm_error_nomem();
    size_t signposts = 0, turns = 0;
    for (size_t i = 0; i < load->chunk_count; i++) {
        const struct chunk *chunk = &load->chunks[i];
        for (size_t k = 0; k < chunk->signposts.count; k++)
            file->signposts[signposts++] = chunk->signposts.items[k];
        for (size_t k = 0; k < chunk->turns.count; k++) file->turns[turns++] = chunk->turns.items[k];
    }
    return NULL;
}

static struct pm_error *read_edges(struct load *load, struct pm_snapshot_facts *facts) {
    struct pm_snapshot_file *file = load->file;
    struct pm_graph *graph = load->graph;
    uint64_t edges = file->edges.count / file->meta.edge_fields;
    struct flaws flaws;
    if (file->edges.cut || file->nodes.cut)
        return pm_error_at(PM_ERR_FORMAT, file->edges.end, "the edges are not complete");
    PM_TRY(sum_edges(load));
    graph->edges = PM_BIG_ARRAY(pm_node, edges);
    file->edge_at = malloc(((size_t)graph->node_count / PM_SNAPSHOT_STEP + 1) * sizeof(*file->edge_at));
    if (!graph->edges || !file->edge_at) return pm_error_nomem();
    if (load->chunk_count == 0) { /* "edges":[] */
        for (size_t i = 0; i <= graph->node_count / PM_SNAPSHOT_STEP; i++) file->edge_at[i] = file->edges.end;
        return NULL;
    }
    deal_nodes(load);
    PM_TRY(run(load, edges_of_chunk, &flaws));
    if (flaws.broken || !is_few(flaws.wrong, edges)) return flaw_error(load, &flaws);
    if (flaws.problem) PM_TRY(pm_snapshot_damaged(file, flaw_error(load, &flaws)));
    facts->wrong_edges = flaws.wrong;
    return join_edges(load, facts);
}

/* The graph has its nodes only. */
static struct pm_error *drop_edges(struct load *load) {
    struct pm_graph *graph = load->graph;
    free(graph->edges);
    free(load->file->edge_at);
    load->file->edge_at = NULL;
    graph->edges = PM_BIG_ARRAY(pm_node, 1);
    graph->edge_count = 0;
    graph->references_lost = true;
    if (!graph->edges) return pm_error_nomem();
    memset(graph->first_edge, 0, ((size_t)graph->node_count + 1) * sizeof(*graph->first_edge));
    return NULL;
}

/* ------------------------------------------------------------------ both */

static struct pm_error *read_both(struct load *nodes, struct load *edges, struct pm_snapshot_facts *facts) {
    struct pm_snapshot *snapshot = nodes->snapshot;
    struct pm_snapshot_file *file = &snapshot->file;
    snapshot->used = calloc(file->strings.count / 64 + 1, sizeof(uint64_t));
    if (!snapshot->used) return pm_error_nomem();
    /* How many edges there are is needed to check the nodes. */
    PM_TRY(cut_records(edges, "edges", &file->edges, file->meta.edge_fields));
    PM_TRY(read_nodes(nodes, facts));
    struct pm_error *err = read_edges(edges, facts);
    if (!err) return NULL;
    PM_TRY(pm_snapshot_damaged(file, err));
    return drop_edges(edges);
}

struct pm_error *pm_snapshot_read_columns(struct pm_snapshot *snapshot, struct pm_graph *graph,
                                          struct pm_snapshot_facts *facts) {
    struct load nodes = {.snapshot = snapshot, .file = &snapshot->file, .graph = graph}, edges = nodes;
    struct pm_error *err = read_both(&nodes, &edges, facts);
    chunks_free(&nodes);
    chunks_free(&edges);
    return err;
}
