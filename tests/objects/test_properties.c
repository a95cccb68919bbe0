/* Properties: names and number of the properties with objects as values, of every class, against the heap
 * snapshot Node wrote; then the objects of the case, whose every value is known: elements, dictionaries, Map,
 * Set, WeakMap, short texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bags.h"
#include "truth.h"
#include "v8layout/object_access.h"

static const char *const *versions;
static size_t version_count;

/* ---- all properties ---- */

struct all {
    const struct truth *truth;
    bool plain_symbols; /* V8 9.0 writes them as <symbol>, without the description */
    struct bag ours;
    const char *class_name;
    size_t incomplete;
};

/* Edges that are no properties of ours: the prototype, and the two functions of accessors. */
static bool is_own_edge(const char *name) {
    return strcmp(name, "__proto__") != 0 && strncmp(name, "get ", 4) != 0 && strncmp(name, "set ", 4) != 0;
}

/* Left out: numbers, because V8 shows no edges for fields that are known to be double. Names of private
 * fields and methods look like strings. */
static bool visit_property(void *context, const struct v8_property *property) {
    struct all *all = context;
    const struct v8 *v8 = all->truth->core.v8;
    struct pm_arena *arena = all->truth->arena;
    if (property->is_element || !v8_is_pointer(property->value)) return true;
    enum v8_type type = v8_type_at(v8, v8_target(v8, property->value));
    if (type == V8_T_HEAP_NUMBER || (property->is_accessor && type != V8_T_ACCESSOR_PAIR)) return true;
    const char *name = v8_name_text(v8, property->key, arena);
    if (!name || !is_own_edge(name)) return true;
    bool symbol = v8_type_at(v8, property->key) == V8_T_SYMBOL;
    bool private = symbol && strcmp(v8_class_name(v8, property->key, arena), "(system)") == 0;
    bool as_text = !symbol || (private && (name[0] == '#' || strcmp(name, all->class_name) == 0));
    if (symbol && (!name[0] || all->plain_symbols))
        bag_addf(&all->ours, "%s.<symbol>", all->class_name);
    else
        bag_addf(&all->ours, as_text ? "%s.%s" : "%s.<symbol %s>", all->class_name, name);
    return true;
}

static bool visit_object(void *context, const struct v8_object *object) {
    struct all *all = context;
    const struct v8 *v8 = all->truth->core.v8;
    if (!v8_is_js_object(v8, object->map)) return true;
    all->class_name = v8_class_name(v8, object->address, all->truth->arena);
    if (all->class_name[0] == '(') return true; /* closures and regular expressions are named differently */
    if (!v8_properties(v8, object->address, visit_property, all)) all->incomplete++;
    return true;
}

static bool is_pair(const struct snapshot *snapshot, const struct snapshot_edge *edge) {
    return strcmp(snapshot->nodes[edge->to].name, "system / AccessorPair") == 0;
}

/* Accessors under a symbol come three times by the same name: the pair and its functions. */
static bool is_compared(const struct snapshot *snapshot, const struct snapshot_node *node,
                        const struct snapshot_edge *edge) {
    if (strcmp(snapshot->nodes[edge->to].type, "number") == 0) return false;
    if (strncmp(edge->name, "<symbol", 7) != 0 || is_pair(snapshot, edge)) return true;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct snapshot_edge *other = &snapshot->edges[node->first_edge + i];
        if (strcmp(other->name, edge->name) == 0 && is_pair(snapshot, other)) return false;
    }
    return true;
}

static void add_truth(const struct snapshot *snapshot, struct bag *bag, bool plain_symbols) {
    for (size_t i = 0; i < snapshot->node_count; i++) {
        const struct snapshot_node *node = &snapshot->nodes[i];
        if (strcmp(node->type, "object") != 0 || strncmp(node->name, "system /", 8) == 0) continue;
        int length = (int)strcspn(node->name, "(");
        if (length > 1 && node->name[length] && node->name[length - 1] == ' ')
            length--; /* "global (global)" of V8 14 */
        for (uint32_t k = 0; k < node->edge_count; k++) {
            const struct snapshot_edge *edge = &snapshot->edges[node->first_edge + k];
            bool symbol = strncmp(edge->name, "<symbol", 7) == 0;
            if (strcmp(edge->type, "property") == 0 && is_own_edge(edge->name) &&
                is_compared(snapshot, node, edge))
                bag_addf(bag, "%.*s.%s", length, node->name,
                         symbol && plain_symbols ? "<symbol>" : edge->name);
        }
    }
}

static size_t check_all(const struct truth *truth) {
    struct bag wanted = {0};
    struct all all = {.truth = truth, .plain_symbols = true};
    for (size_t i = 0; i < truth->snapshot->edge_count; i++)
        if (strcmp(truth->snapshot->edges[i].name, "<symbol Symbol.iterator>") == 0)
            all.plain_symbols = false;
    add_truth(truth->snapshot, &wanted, all.plain_symbols);
    truth_walk(truth, visit_object, &all);
    struct difference difference = bags_difference(truth->version, &wanted, &all.ours, 8);
    printf("%s: %zu properties with objects, %zu missing, %zu extra, %zu objects incomplete\n",
           truth->version, wanted.count, difference.missing, difference.extra, all.incomplete);
    bag_deinit(&wanted);
    bag_deinit(&all.ours);
    return difference.missing > 0 || difference.extra > 60 || all.incomplete > 0;
}

/* ---- known objects ---- */

struct tally {
    const struct v8 *v8;
    size_t elements, doubles, named, accessors;
    double sum;
    int64_t smi_sum;
    uint32_t last_index;
};

static bool tally_property(void *context, const struct v8_property *property) {
    struct tally *tally = context;
    tally->accessors += property->is_accessor;
    if (!property->is_element) {
        tally->named++;
        return true;
    }
    tally->elements++;
    tally->last_index = property->index;
    if (property->is_double) {
        tally->doubles++;
        tally->sum += property->number;
    } else if (v8_is_smi(property->value)) {
        tally->smi_sum += v8_smi(property->value);
    }
    return true;
}

static struct tally tally_of(const struct truth *truth, pm_addr object) {
    struct tally tally = {.v8 = truth->core.v8};
    assert_true(v8_properties(truth->core.v8, object, tally_property, &tally));
    return tally;
}

static pm_addr object_of(const struct truth *truth, const char *group, const char *name) {
    return truth_object(truth_value(truth, group, name, NULL));
}

static void check_elements(const struct truth *truth) {
    struct tally tally = tally_of(truth, object_of(truth, "numbers", "smi"));
    assert_int_equal(tally.elements, 100);
    assert_int_equal(tally.smi_sum, 4950);
    tally = tally_of(truth, object_of(truth, "numbers", "doubles"));
    assert_int_equal(tally.doubles, 1000);
    assert_true(tally.sum == 500000); /* 0.5 + ... + 999.5 */
    tally = tally_of(truth, object_of(truth, "numbers", "holeyDoubles"));
    assert_int_equal(tally.doubles, 3);
    assert_true(tally.sum == 7.5);
    assert_int_equal(tally.last_index, 4);
    tally = tally_of(truth, object_of(truth, "objects", "holey"));
    assert_int_equal(tally.elements, 3);
    tally = tally_of(truth, object_of(truth, "objects", "sparse"));
    assert_int_equal(tally.elements, 1);
    assert_int_equal(tally.last_index, 5000000);
    tally = tally_of(truth, object_of(truth, "objects", "numbered"));
    assert_int_equal(tally.elements, 200);
    assert_int_equal(tally.smi_sum, 19900);
    tally = tally_of(truth, object_of(truth, "objects", "bigArray"));
    assert_int_equal(tally.elements, 100000);
    tally = tally_of(truth, object_of(truth, "objects", "arguments"));
    assert_int_equal(tally.elements, 3);
    assert_int_equal(tally.smi_sum, 6);
    tally = tally_of(truth, object_of(truth, "objects", "sloppyArguments"));
    assert_int_equal(tally.elements, 2);
    assert_int_equal(tally.smi_sum, 11); /* a was set to 9 in the function's context */
    tally = tally_of(truth, object_of(truth, "objects", "sealed"));
    assert_int_equal(tally.elements, 3);
}

static void check_dictionaries(const struct truth *truth) {
    const struct v8 *v8 = truth->core.v8;
    pm_addr dictionary = object_of(truth, "objects", "dictionary");
    struct tally tally = tally_of(truth, dictionary);
    v8_word value;
    assert_int_equal(tally.named, 2999);
    assert_true(v8_property_named(v8, dictionary, "key2999", &value) && v8_smi(value) == 2999);
    assert_false(v8_property_named(v8, dictionary, "key7", &value));
    assert_false(v8_property_named(v8, dictionary, "key3000", &value));
    tally = tally_of(truth, object_of(truth, "objects", "accessors"));
    assert_int_equal(tally.accessors, 1);
    assert_false(v8_property_named(v8, object_of(truth, "objects", "accessors"), "now", &value));
    tally = tally_of(truth, truth_object(truth_value(truth, "objects", "manyProperties", "7", NULL)));
    assert_int_equal(tally.named, 4);
    tally = tally_of(truth, object_of(truth, "objects", "nullPrototype"));
    assert_int_equal(tally.named, 1);
    assert_true(v8_is_smi(truth_value(truth, "objects", "literals", "42", "nested", "deep", "deeper", NULL)));
    assert_false(
        v8_properties(v8, truth_object(truth_value(truth, "strings", "cons", NULL)), tally_property, &tally));
}

/* The same key by its address (hashed) and by its text (one row after the other). */
struct lookup {
    const struct truth *truth;
    struct v8_thing object;
    size_t looked_up;
};

static bool look_up(void *context, const struct v8_property *property) {
    struct lookup *lookup = context;
    const struct v8 *v8 = lookup->truth->core.v8;
    struct v8_key by_address = {.address = property->key};
    struct v8_key by_text = {.text = v8_name_text(v8, property->key, lookup->truth->arena)};
    v8_word one, two;
    if (property->is_element || lookup->looked_up++ % 50) return true;
    assert_int_equal(v8_own_property(v8, &lookup->object, &by_address, &one), V8_DATA);
    assert_int_equal(v8_own_property(v8, &lookup->object, &by_text, &two), V8_DATA);
    assert_true(one == two && one == property->value);
    return true;
}

static void check_lookups(const struct truth *truth) {
    const struct v8 *v8 = truth->core.v8;
    struct lookup lookup = {.truth = truth};
    v8_word value;
    assert_true(v8_thing_load(v8, object_of(truth, "objects", "dictionary"), &lookup.object));
    assert_true(lookup.object.map->bit_field3 & V8_MAP_IS_DICTIONARY);
    assert_true(v8_properties(v8, lookup.object.address, look_up, &lookup));
    assert_int_equal(lookup.looked_up, 2999);
    /* A name that no object of the dictionary has. */
    struct v8_key absent = {.address =
                                truth_object(truth_value(truth, "strings", "internalized", "0", NULL))};
    assert_int_equal(v8_own_property(v8, &lookup.object, &absent, &value), V8_ABSENT);
    assert_true(v8_thing_load(v8, truth_object(truth_value(truth, "sessions", "3", NULL)), &lookup.object));
    assert_true(v8_properties(v8, lookup.object.address, look_up, &lookup));
}

struct entries {
    const struct truth *truth;
    size_t count, wrong;
    int64_t key_sum, value_sum;
};

static bool tally_entry(void *context, v8_word key, v8_word value) {
    struct entries *entries = context;
    entries->count++;
    if (v8_is_smi(key)) entries->key_sum += v8_smi(key);
    if (v8_is_smi(value)) entries->value_sum += v8_smi(value);
    return true;
}

/* key `key ${i}` -> {i} */
static bool check_pair(void *context, v8_word key, v8_word value) {
    struct entries *entries = context;
    const struct v8 *v8 = entries->truth->core.v8;
    v8_word number;
    char wanted[32];
    if (!v8_property_named(v8, truth_object(value), "i", &number) || !v8_is_smi(number)) {
        entries->wrong++;
        return true;
    }
    snprintf(wanted, sizeof(wanted), "key %d", v8_smi(number));
    entries->wrong += !v8_string_equals(v8, truth_object(key), wanted);
    entries->key_sum += v8_smi(number);
    entries->count++;
    return true;
}

static void check_collections(const struct truth *truth) {
    const struct v8 *v8 = truth->core.v8;
    struct entries entries = {.truth = truth};
    uint32_t count, capacity;
    pm_addr map = object_of(truth, "collections", "map");
    assert_true(v8_entry_count(v8, map, &count, &capacity));
    assert_int_equal(count, 1500);
    assert_true(capacity >= count);
    assert_true(v8_entries(v8, map, check_pair, &entries));
    assert_int_equal(entries.count, 1500);
    assert_int_equal(entries.wrong, 0);
    assert_int_equal(entries.key_sum, 1999 * 1000 - 499 * 250);
    entries = (struct entries){.truth = truth};
    assert_true(v8_entries(v8, object_of(truth, "collections", "set"), tally_entry, &entries));
    assert_int_equal(entries.count, 1000);
    assert_int_equal(entries.key_sum, 499500);
    assert_int_equal(entries.value_sum, 499500);
    entries = (struct entries){.truth = truth};
    pm_addr small = truth_object(truth_value(truth, "collections", "smallMaps", "49", NULL));
    assert_true(v8_entries(v8, small, tally_entry, &entries));
    assert_int_equal(entries.count, 1);
    assert_int_equal(entries.key_sum, 49);
    entries = (struct entries){.truth = truth};
    assert_true(v8_entries(v8, object_of(truth, "collections", "weakMap"), tally_entry, &entries));
    assert_int_equal(entries.count, 200);
    assert_true(v8_entry_count(v8, object_of(truth, "collections", "weakSet"), &count, NULL));
    assert_int_equal(count, 200);
    assert_false(v8_entry_count(v8, object_of(truth, "objects", "dictionary"), &count, NULL));
}

/* ---- short texts ---- */

/* `wanted` may end with "@": any address. */
static void expect_text(const struct truth *truth, v8_word word, size_t most, const char *wanted) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    v8_describe(truth->core.v8, word, most, &text);
    char *at = strstr(pm_strbuf_text(&text), " @0x");
    if (at && wanted[strlen(wanted) - 1] == '@') at[2] = 0;
    if (strcmp(pm_strbuf_text(&text), wanted) != 0)
        fail_msg("%s: '%s' is not '%s'", truth->version, pm_strbuf_text(&text), wanted);
}

static void check_primitives(const struct truth *truth) {
    expect_text(truth, truth_value(truth, "numbers", "smi", "42", NULL), 80, "42");
    expect_text(truth, truth_value(truth, "numbers", "bigints", "0", NULL), 80, "1n");
    expect_text(truth, truth_value(truth, "numbers", "bigints", "20", NULL), 80,
                "1393796574908163946345982392040522594123776n");
    expect_text(truth, truth_value(truth, "numbers", "negativeBigint", NULL), 80,
                "-100000000000000000000000000000000000000000000000000n");
    expect_text(truth, truth_value(truth, "numbers", "heapNumbers", "7", "value", NULL), 80,
                "7.700000000000001");
    expect_text(truth, truth_value(truth, "accounts", "7", "balance", NULL), 80, "-1.25");
    expect_text(truth, truth_value(truth, "objects", "symbols", "3", NULL), 80, "Symbol(symbol 3)");
    expect_text(truth, truth_value(truth, "objects", "holey", "2", NULL), 80, "\"three\"");
    expect_text(truth, truth_value(truth, "strings", "cons", NULL), 20, "\"part 0;part 1;par…\"");
    expect_text(truth, 3, 80, "<cleared>");
    expect_text(truth, 0x4141414141414141, 80, "<unreadable 0x4141414141414141>");
}

static void check_objects(const struct truth *truth) {
    expect_text(truth, truth_value(truth, "sessions", "17", NULL), 200,
                "UserSession {id: 17, user: \"user-17\", createdAt: Date 2023-11-14T22:13:20.017Z} @");
    expect_text(truth, truth_value(truth, "sessions", "17", NULL), 60,
                "UserSession {id: 17, user: \"user-17\", …} @");
    expect_text(truth, truth_value(truth, "objects", "frozen", NULL), 200, "Object {a: 1, b: Array(2)} @");
    expect_text(truth, truth_value(truth, "objects", "sealed", NULL), 200, "Array(3) [1, \"two\", 3.5] @");
    /* V8 9 itself calls it Map, because of the toStringTag it inherits. */
    bool is_v8_9 = strncmp(truth->version, "16.", 3) == 0 || strncmp(truth->version, "17.", 3) == 0;
    expect_text(truth, truth_value(truth, "subclassed", "0", NULL), 200,
                is_v8_9 ? "Map(1) {1 => 2} @" : "TaggedMap(1) {1 => 2} @");
    expect_text(truth, truth_value(truth, "collections", "smallSets", "3", NULL), 200, "Set(1) {3} @");
    expect_text(truth, truth_value(truth, "objects", "errors", "4", NULL), 200, "RangeError: error 4 @");
    expect_text(truth, truth_value(truth, "objects", "regexps", "2", NULL), 200, "/^item-2(?<rest>.*)$/u @");
    expect_text(truth, truth_value(truth, "objects", "dates", "1", NULL), 200,
                "Date 1970-01-12T13:46:40.000Z @");
    expect_text(truth, truth_value(truth, "objects", "boxed", "1", NULL), 200, "String(\"s\") @");
    expect_text(truth, truth_value(truth, "objects", "accessors", NULL), 200, "Object {now: <accessor>} @");
    expect_text(truth, truth_value(truth, "promises", "pending", NULL), 200, "Promise {<pending>} @");
    expect_text(truth, truth_value(truth, "promises", "fulfilled", "1", NULL), 200,
                "Promise {<fulfilled>: Object} @");
    expect_text(truth, truth_value(truth, "promises", "rejected", NULL), 200,
                "Promise {<rejected>: Error} @");
    expect_text(truth, truth_value(truth, "binary", "floats", "9", NULL), 200, "Float64Array(80 bytes) @");
    expect_text(truth, truth_value(truth, "binary", "arrayBuffers", "3", NULL), 200,
                "ArrayBuffer(4000 bytes) @");
    expect_text(truth, truth_value(truth, "binary", "bigBuffer", NULL), 200, "Buffer(1000000 bytes) @");
    expect_text(truth, truth_value(truth, "functions", "evaluated", NULL), 200, "function evaluated");
    expect_text(truth, truth_value(truth, "functions", "bound", "1", NULL), 200,
                "function bound makeCounter (population.js:189)");
    expect_text(truth, truth_value(truth, "functions", "proxies", "1", NULL), 200, "Proxy(Object) @");
}

static void test_properties(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < version_count; i++) {
        struct truth truth;
        if (!truth_open("snapshot", versions[i], NULL, true, &truth)) {
            wrong++;
            continue;
        }
        wrong += check_all(&truth);
        check_elements(&truth);
        check_dictionaries(&truth);
        check_lookups(&truth);
        check_collections(&truth);
        check_primitives(&truth);
        check_objects(&truth);
        truth_close(&truth);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_properties)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
