/* The graph of a core against V8: every strong root V8 names (Heap::IterateRoots, written by the truth addon)
 * leads to an object that is reachable in our graph; and of a process that wrote a heap snapshot and aborted
 * at once, reachable objects and bytes are within 1 % of the snapshot's. */
#include "real_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "postmortem/model/dominators.h"
#include "v8layout/graph.h"

static const char *const *versions;
static size_t version_count;

struct root_record {
    uint64_t slot, value;
    uint32_t kind, strong;
};

/* Roots that are not collected yet, a handful in a process: the tables of the compilation cache, and objects
 * that only the C++ heap of the embedder keeps (traced handles). */
static bool is_left_out(const char *kinds, uint32_t kind) {
    static const char *const left_out[] = {"(Traced handles)"};
    for (const char *line = kinds; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *name;
        if (strtoul(line, &name, 10) != kind) continue;
        for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
            if (strncmp(name + 1, left_out[i], strlen(left_out[i])) == 0) return true;
    }
    return false;
}

static unsigned check_roots(const char *version) {
    struct real_core core;
    struct pm_graph *graph = NULL;
    struct pm_dominators *dominators = NULL;
    struct pm_error *err = real_core_open("objects", version, NULL, &core);
    if (!err) err = v8_graph_create(core.v8, 0, &graph);
    if (!err) err = pm_dominators_create(graph, &dominators);
    if (err) {
        fprintf(stderr, "%s: %s\n", version, err->message);
        return 1;
    }
    size_t size, strong = 0;
    unsigned wrong = 0;
    char *kinds = real_core_file(&core, "root-kinds.txt", NULL);
    char *bytes = real_core_file(&core, "roots.bin", &size);
    for (size_t at = 0; bytes && at + sizeof(struct root_record) <= size; at += sizeof(struct root_record)) {
        struct root_record root;
        memcpy(&root, bytes + at, sizeof(root));
        if (!root.strong || !v8_is_strong(root.value) || is_left_out(kinds, root.kind)) continue;
        pm_node node = graph->source->find(graph->source_self, root.value);
        if (node == PM_NO_NODE) continue; /* read-only objects are not in the graph */
        strong++;
        if (dominators->dominator[node] == PM_NO_NODE && wrong++ < 5)
            fprintf(stderr, "  %s: strong root of kind %u at 0x%llx is not reachable\n", version, root.kind,
                    (unsigned long long)root.slot);
    }
    printf("%s: %zu strong roots of V8, %u not reachable\n", version, strong, wrong);
    if (strong < 1000) wrong++;
    free(kinds);
    free(bytes);
    pm_dominators_destroy(dominators);
    pm_graph_destroy(graph);
    real_core_close(&core);
    return wrong;
}

/* Nodes and self sizes of a snapshot, without the synthetic and native ones (they are no objects of the
 * heap). */
static bool read_snapshot(const char *text, double *nodes_ret, double *bytes_ret) {
    cJSON *snapshot = cJSON_Parse(text);
    const cJSON *meta = cJSON_GetObjectItem(cJSON_GetObjectItem(snapshot, "snapshot"), "meta");
    const cJSON *fields = cJSON_GetObjectItem(meta, "node_fields"), *field, *number;
    const cJSON *types = cJSON_GetArrayItem(cJSON_GetObjectItem(meta, "node_types"), 0);
    int field_count = cJSON_GetArraySize(fields), type_at = -1, size_at = -1, position = 0, native = -1,
        synthetic = -1, i = 0;
    double size = 0, nodes = 0, bytes = 0;
    cJSON_ArrayForEach(field, fields) {
        if (strcmp(field->valuestring, "type") == 0) type_at = i;
        if (strcmp(field->valuestring, "self_size") == 0) size_at = i;
        i++;
    }
    i = 0;
    cJSON_ArrayForEach(field, types) {
        if (strcmp(field->valuestring, "native") == 0) native = i;
        if (strcmp(field->valuestring, "synthetic") == 0) synthetic = i;
        i++;
    }
    int type = -1;
    cJSON_ArrayForEach(number, cJSON_GetObjectItem(snapshot, "nodes")) {
        if (position == type_at) type = (int)number->valuedouble;
        if (position == size_at) size = number->valuedouble;
        if (++position < field_count) continue;
        position = 0;
        if (type == native || type == synthetic) continue;
        nodes++;
        bytes += size;
    }
    cJSON_Delete(snapshot);
    *nodes_ret = nodes;
    *bytes_ret = bytes;
    return nodes > 0;
}

static unsigned check_snapshot(const char *version) {
    struct real_core core;
    struct pm_graph *graph = NULL;
    struct pm_dominators *dominators = NULL;
    struct pm_error *err = real_core_open("snapshot", version, NULL, &core);
    if (!err) err = v8_graph_create(core.v8, 0, &graph);
    if (!err) err = pm_dominators_create(graph, &dominators);
    if (err) {
        fprintf(stderr, "%s: %s\n", version, err->message);
        return 1;
    }
    double nodes = 0, bytes = 0;
    char *text = real_core_file(&core, "heap.heapsnapshot", NULL);
    bool read = text && read_snapshot(text, &nodes, &bytes);
    uint64_t own = 0, count = 0, strings = 0;
    for (pm_node i = 1; i < graph->node_count; i++)
        if (dominators->dominator[i] != PM_NO_NODE) own += pm_graph_shallow(graph, i), count++;
    /* Snapshots of V8 13 and later add the payload of external strings to the string's own size. */
    for (size_t i = 0; i < graph->external_count; i++)
        if (graph->kinds[graph->external[i].node] == PM_NODE_STRING) strings += graph->external[i].bytes;
    /* The snapshot shows read-only objects too; the graph leaves them out. */
    struct v8_walk_stats read_only = {0};
    for (size_t i = 0; i < core.v8->page_count; i++)
        if (core.v8->pages[i].space == V8_SPACE_RO) {
            struct v8_walker *walker = v8_walker_create(core.v8);
            v8_walk_page(walker, &core.v8->pages[i], NULL, NULL, &read_only);
            v8_walker_destroy(walker);
        }
    double ours = (double)(own + read_only.object_bytes - (read_only.object_bytes > 700000 ? 12 * 65536 : 0));
    double with_strings = ours + (double)strings;
    double difference = (ours - bytes) / bytes, other = (with_strings - bytes) / bytes;
    if (difference < 0 ? -difference > (other < 0 ? -other : other)
                       : difference > (other < 0 ? -other : other))
        difference = other;
    double objects = ((double)(count + read_only.objects) - nodes) / nodes;
    printf("%s: %.0f objects, snapshot %.0f (%+.2f %%); bytes %+.2f %%\n", version,
           (double)(count + read_only.objects), nodes, 100 * objects, 100 * difference);
    free(text);
    pm_dominators_destroy(dominators);
    pm_graph_destroy(graph);
    real_core_close(&core);
    return !read || difference > 0.01 || difference < -0.01 || objects > 0.01 || objects < -0.01;
}

static void test_roots(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < version_count; i++) wrong += check_roots(versions[i]);
    assert_int_equal(wrong, 0);
}

static void test_snapshot(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < version_count; i++) wrong += check_snapshot(versions[i]);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_roots), cmocka_unit_test(test_snapshot)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
