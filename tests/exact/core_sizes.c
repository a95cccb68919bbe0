/* core_sizes.c - what a core's graph says, for exact.js to compare with what others find in the snapshot that
 * V8 wrote of the same process. One line of JSON for each core that is named: core_sizes [--without-payload]
 * FOLDER...
 *
 * --without-payload: external strings count without their text, as in snapshots of V8 up to 12.4.
 *
 *   objects, bytes     reachable, with read-only ones
 *   external           bytes outside the heap that they own: buffers, strings
 *   top                largest retained first: [class, store?, address, shallow, external, retained, edge];
 * edge = the name under which the dominator (or the first referrer) knows it classes            [name, count,
 * shallow, retained]; retained counts an object once, with the outermost of its class */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parsers/core_file.h"
#include "postmortem/base/big_array.h"
#include "postmortem/base/escape.h"
#include "postmortem/model/dominators.h"
#include "postmortem/report/heapsnapshot_export.h"
#include "v8layout/graph.h"

#define TOP 1500

struct class {
    const char *name;
    uint64_t count, shallow, retained;
    uint32_t open; /* objects of it on the way from the root */
};

struct sizes {
    struct v8 *v8;
    struct pm_graph *graph;
    struct pm_dominators *dominators;
    struct pm_dominator_children *children;
    struct class *classes;
};

static void put_text(const char *text, size_t length) {
    PM_AUTO_STRBUF struct pm_strbuf escaped = {0};
    pm_escape_json(&escaped, text, length);
    printf("\"%s\"", pm_strbuf_text(&escaped));
}

static void put_edge(const struct pm_graph *graph, pm_node node, pm_node dominator) {
    struct pm_path_step *steps = NULL;
    size_t count = 0, best = 0;
    struct pm_edge_name name = {0};
    struct pm_error *err = pm_graph_referrers(graph, node, &steps, &count);
    for (size_t i = 0; i < count; i++)
        if (steps[i].node == dominator) best = i;
    if (!err && count)
        graph->source->edge_name(graph->source_self, steps[best].node, steps[best].edge, &name);
    put_text(pm_strbuf_text(&name.text), name.text.length);
    pm_strbuf_deinit(&name.text);
    pm_error_destroy(err);
    free(steps);
}

static uint64_t own_size(const struct pm_graph *graph, pm_node node) {
    return pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node);
}

/* The TOP largest, by insertion. */
static void put_top(const struct sizes *sizes) {
    const struct pm_graph *graph = sizes->graph;
    const uint64_t *retained = sizes->dominators->retained;
    pm_node top[TOP];
    size_t count = 0;
    for (pm_node node = 1; node < graph->node_count; node++) {
        size_t at = count < TOP ? count++ : TOP - 1;
        if (at == TOP - 1 && count == TOP && retained[top[at]] >= retained[node] && top[at]) continue;
        for (; at && retained[top[at - 1]] < retained[node]; at--) top[at] = top[at - 1];
        top[at] = node;
    }
    printf("\"top\":[");
    for (size_t i = 0; i < count; i++) {
        const char *class = graph->classes[graph->class_of[top[i]]];
        printf("%s[", i ? "," : "");
        put_text(class, strlen(class));
        printf(",%d,\"0x%llx\",%llu,%llu,%llu,", graph->kinds[top[i]] == PM_NODE_STORE,
               (unsigned long long)graph->source->identity(graph->source_self, top[i]),
               (unsigned long long)pm_graph_shallow(graph, top[i]),
               (unsigned long long)pm_graph_external_of(graph, top[i]), (unsigned long long)retained[top[i]]);
        put_edge(graph, top[i], sizes->dominators->dominator[top[i]]);
        printf("]");
    }
    printf("]");
}

/* Depth first through the dominator tree; `at` is the next child of each node on the way. */
static void add_classes(struct sizes *sizes) {
    const struct pm_graph *graph = sizes->graph;
    const struct pm_dominator_children *children = sizes->children;
    struct way {
        pm_node node;
        uint64_t at;
    } *way = PM_BIG_ARRAY(struct way, (size_t)graph->node_count + 1);
    if (!way) abort();
    size_t depth = 0;
    way[depth++] = (struct way){0, children->first[0]};
    while (depth) {
        struct way *here = &way[depth - 1];
        if (here->at == children->first[here->node + 1]) {
            sizes->classes[graph->class_of[here->node]].open--;
            depth--;
            continue;
        }
        pm_node node = children->child[here->at++];
        struct class *class = &sizes->classes[graph->class_of[node]];
        class->count++;
        class->shallow += own_size(graph, node);
        if (class->open++ == 0) class->retained += sizes->dominators->retained[node];
        way[depth++] = (struct way){node, children->first[node]};
    }
    free(way);
}

static int compare_classes(const void *a, const void *b) {
    const struct class *x = a, *y = b;
    return x->retained > y->retained ? -1 : x->retained < y->retained;
}

static void put_classes(struct sizes *sizes) {
    size_t count = sizes->graph->class_count;
    sizes->classes = calloc(count, sizeof(*sizes->classes));
    if (!sizes->classes) abort();
    for (size_t i = 0; i < count; i++) sizes->classes[i].name = sizes->graph->classes[i];
    add_classes(sizes);
    qsort(sizes->classes, count, sizeof(*sizes->classes), compare_classes);
    printf("\"classes\":[");
    for (size_t i = 0; i < count && i < TOP; i++) {
        const struct class *class = &sizes->classes[i];
        printf("%s[", i ? "," : "");
        put_text(class->name, strlen(class->name));
        printf(",%llu,%llu,%llu]", (unsigned long long)class->count, (unsigned long long)class->shallow,
               (unsigned long long)class->retained);
    }
    printf("]");
    free(sizes->classes);
}

static void put_totals(const struct sizes *sizes) {
    const struct pm_graph *graph = sizes->graph;
    uint64_t objects = 0, bytes = 0, external = 0, strings = 0;
    for (pm_node node = 1; node < graph->node_count; node++) {
        if (sizes->dominators->dominator[node] == PM_NO_NODE) continue;
        uint64_t outside = pm_graph_external_of(graph, node);
        objects++;
        bytes += pm_graph_shallow(graph, node);
        *(graph->kinds[node] == PM_NODE_STRING ? &strings : &external) += outside;
    }
    struct v8_walk_stats read_only = {0};
    for (size_t i = 0; i < sizes->v8->page_count; i++) {
        if (sizes->v8->pages[i].space != V8_SPACE_RO) continue;
        struct v8_walker *walker = v8_walker_create(sizes->v8);
        v8_walk_page(walker, &sizes->v8->pages[i], NULL, NULL, &read_only);
        v8_walker_destroy(walker);
    }
    printf("\"objects\":%llu,\"bytes\":%llu,\"all\":%u,\"read_only\":[%llu,%llu],\"external\":%llu,"
           "\"strings\":%llu,",
           (unsigned long long)objects, (unsigned long long)bytes, graph->node_count - 1,
           (unsigned long long)read_only.objects, (unsigned long long)read_only.object_bytes,
           (unsigned long long)external, (unsigned long long)strings);
}

/* V8 before 12.5 does not count what external strings have outside the heap. */
static void drop_payload(struct pm_graph *graph) {
    size_t kept = 0;
    for (size_t i = 0; i < graph->external_count; i++)
        if (graph->kinds[graph->external[i].node] != PM_NODE_STRING)
            graph->external[kept++] = graph->external[i];
    graph->external_count = kept;
}

static bool without_payload;
static const char *export_to;

static struct pm_error *put_core(const char *folder) {
    struct pm_input *input PM_AUTO(input) = NULL;
    struct pm_core *core PM_AUTO(core) = NULL;
    struct pm_modules *modules PM_AUTO(modules) = NULL;
    struct pm_graph *graph PM_AUTO(graph) = NULL;
    struct pm_dominators *dominators PM_AUTO(dominators) = NULL;
    struct pm_dominator_children *children PM_AUTO(dominator_children) = NULL;
    char path[1024], exe[1024], sysroot[1024];
    snprintf(path, sizeof(path), "%s/core", folder);
    snprintf(exe, sizeof(exe), "%s/node", folder);
    struct pm_module_options options = {.exe = exe, .beside = folder};
    snprintf(sysroot, sizeof(sysroot), "%s/sysroot", folder);
    if (access(sysroot, F_OK) == 0) { /* of Debian's node V8 is in a library below it */
        options.sysroot = sysroot;
        options.exe = NULL;
    }
    struct v8_options v8_options = {0};
    PM_TRY(pm_input_open(path, NULL, NULL, &input));
    PM_TRY(pm_core_open(input, &core));
    PM_TRY(pm_modules_open(core, &options, &modules));
    struct sizes sizes = {0};
    PM_TRY(v8_open(core, modules, &v8_options, &sizes.v8));
    struct pm_error *err = v8_graph_create(sizes.v8, 0, &graph);
    if (!err && without_payload) drop_payload(graph);
    if (!err && export_to)
        err = pm_heapsnapshot_export(graph, export_to);
    else if (!err)
        err = pm_dominators_create(graph, &dominators);
    if (!err && dominators) err = pm_dominator_children_create(graph, dominators, &children);
    if (!err && dominators) {
        sizes.graph = graph;
        sizes.dominators = dominators;
        sizes.children = children;
        printf("{");
        put_totals(&sizes);
        put_top(&sizes);
        printf(",");
        put_classes(&sizes);
        printf("}\n");
    }
    pm_graph_destroy(PM_TAKE(graph)); /* borrows v8 */
    v8_close(sizes.v8);
    return err;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--export") == 0 && i + 1 < argc) {
            export_to = argv[++i];
            continue;
        }
        if (strcmp(argv[i], "--without-payload") == 0) {
            without_payload = true;
            continue;
        }
        struct pm_error *err = put_core(argv[i]);
        if (!err) continue;
        fprintf(stderr, "%s: %s\n", argv[i], err->message);
        pm_error_destroy(err);
        return 1;
    }
    return 0;
}
