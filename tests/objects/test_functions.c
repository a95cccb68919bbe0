/* Functions: names and positions of all closures, and the variables of all contexts, against the heap
 * snapshot Node wrote; and the closures of the case, whose variables are known. */
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

struct functions {
    const struct truth *truth;
    struct bag closures, variables, references;
    size_t with_file, contexts;
};

static bool visit_variable(void *context, const struct v8_variable *variable) {
    struct functions *functions = context;
    bag_add(&functions->variables, variable->name);
    if (variable->known && v8_is_pointer(variable->value)) bag_add(&functions->references, variable->name);
    return true;
}

static bool visit_object(void *context, const struct v8_object *object) {
    struct functions *functions = context;
    const struct v8 *v8 = functions->truth->core.v8;
    struct v8_function function;
    if (v8_is_context_type((enum v8_type)object->map->type)) {
        functions->contexts++;
        v8_context_variables(v8, object->address, functions->truth->arena, visit_variable, functions);
    }
    if (!v8_is_function_type((enum v8_type)object->map->type)) return true;
    assert_true(v8_function_load(v8, object->address, functions->truth->arena, &function));
    functions->with_file += function.file != NULL;
    if (function.line)
        bag_addf(&functions->closures, "%s %u:%u", function.is_inferred ? "" : function.name, function.line,
                 function.column);
    return true;
}

/* Closures with a script have a location in the snapshot: line and column from 0. */
static void add_closures(const struct snapshot *snapshot, struct bag *bag) {
    for (size_t i = 0; i < snapshot->location_count; i++) {
        const struct snapshot_location *location = &snapshot->locations[i];
        const struct snapshot_node *node = &snapshot->nodes[location->node];
        if (strcmp(node->type, "closure") == 0)
            bag_addf(bag, "%s %u:%u", node->name, location->line + 1, location->column + 1);
    }
}

/* Variables whose value is a heap object are edges of the type "context". */
static void add_variables(const struct snapshot *snapshot, struct bag *bag) {
    for (size_t i = 0; i < snapshot->edge_count; i++)
        if (strcmp(snapshot->edges[i].type, "context") == 0) bag_add(bag, snapshot->edges[i].name);
}

static size_t check_all(const struct truth *truth) {
    struct bag closures = {0}, variables = {0};
    struct functions ours = {.truth = truth};
    add_closures(truth->snapshot, &closures);
    add_variables(truth->snapshot, &variables);
    truth_walk(truth, visit_object, &ours);
    struct difference closure = bags_difference("closures", &closures, &ours.closures, 5);
    struct difference variable = bags_difference("variables", &variables, &ours.variables, 0);
    struct difference reference = bags_difference("references", &variables, &ours.references, 0);
    printf("%s: %zu closures, %zu missing, %zu extra; %zu contexts, %zu variables, %zu missing, of those "
           "with objects %zu extra\n",
           truth->version, closures.count, closure.missing, closure.extra, ours.contexts, variables.count,
           variable.missing, reference.extra);
    /* One closure is a WebAssembly function. V8 leaves out the variables of blocks and classes. */
    size_t wrong = closures.count < 1500 || variables.count < 1000 || closure.missing > 1 ||
                   closure.extra > 20 || variable.missing > 0 || reference.extra > 400;
    /* A ContextCell is an object whatever it holds, so with cells the snapshot has more. */
    if (!truth->core.v8->layout.context_cells) wrong += reference.missing > 0;
    bag_deinit(&closures);
    bag_deinit(&variables);
    bag_deinit(&ours.closures);
    bag_deinit(&ours.variables);
    bag_deinit(&ours.references);
    return wrong;
}

/* ---- known closures ---- */

struct wanted_variable {
    const struct truth *truth;
    const char *name;
    v8_word value;
    bool found;
};

static bool find_variable(void *context, const struct v8_variable *variable) {
    struct wanted_variable *wanted = context;
    if (strcmp(variable->name, wanted->name) != 0) return true;
    wanted->found = variable->known;
    wanted->value = variable->value;
    return false;
}

static v8_word variable_of(const struct truth *truth, pm_addr context, const char *name) {
    struct wanted_variable wanted = {.truth = truth, .name = name};
    v8_context_variables(truth->core.v8, context, truth->arena, find_variable, &wanted);
    if (!wanted.found) fail_msg("%s: no variable %s", truth->version, name);
    return wanted.value;
}

/* function makeCounter(step) { let count = 0; const label = `counter ${step}`; return () => ... count += step
 * ... } */
static void check_counter(const struct truth *truth) {
    const struct v8 *v8 = truth->core.v8;
    pm_addr closure = truth_object(truth_value(truth, "functions", "closures", "7", NULL));
    pm_addr context = v8_ref(v8, closure, v8->layout.function_context);
    assert_true(v8_string_equals(v8, truth_object(variable_of(truth, context, "label")), "counter 7"));
    v8_word count = variable_of(truth, context, "count"), step = variable_of(truth, context, "step");
    assert_true(v8_is_smi(count) && v8_smi(count) == 0);
    assert_true(v8_is_smi(step) && v8_smi(step) == 7);
}

static void check_known(const struct truth *truth) {
    const struct v8 *v8 = truth->core.v8;
    struct v8_function function;
    pm_addr evaluated = truth_object(truth_value(truth, "functions", "evaluated", NULL));
    assert_true(v8_function_load(v8, evaluated, truth->arena, &function));
    assert_string_equal(function.name, "evaluated");
    assert_int_equal(function.line, 1);
    assert_int_equal(function.column, 20); /* (function evaluated( */
    assert_true(function.script && !function.file);
    pm_addr session = truth_object(truth_value(truth, "sessions", "0", NULL));
    pm_addr constructor = v8_map_constructor(v8, v8_map(v8, session));
    assert_true(v8_function_load(v8, constructor, truth->arena, &function));
    assert_string_equal(function.name, "UserSession");
    assert_non_null(strstr(function.file, "/population.js"));
    assert_int_equal(function.line, 12);
    pm_addr bytecode = v8_shared_bytecode(v8, function.shared);
    assert_int_equal(v8_type_at(v8, bytecode), V8_T_BYTECODE_ARRAY);
    assert_false(v8_function_load(v8, session, truth->arena, &function));
    assert_int_equal(v8_shared_bytecode(v8, session), 0);
    check_counter(truth);
}

/* The last code offset of a table is inside of the bytecode, and its source position inside of the function.
 */
struct tables {
    const struct truth *truth;
    size_t tables, wrong, entry_only;
};

static bool visit_table(void *context, const struct v8_object *object) {
    struct tables *tables = context;
    const struct v8 *v8 = tables->truth->core.v8;
    struct v8_function function;
    if (object->map->type != V8_T_SHARED_FUNCTION_INFO) return true;
    pm_addr bytecode = v8_shared_bytecode(v8, object->address);
    pm_addr table = v8_ref(v8, bytecode, v8->layout.bytecode_source_positions);
    if (!bytecode || !v8_function_load(v8, object->address, tables->truth->arena, &function)) return true;
    int32_t inlining;
    int32_t last = v8_source_position(v8, table, INT32_MAX, &inlining);
    if (last < 0) {
        tables->entry_only++;
        return true;
    }
    tables->tables++;
    assert_int_equal(inlining, -1);
    /* A constructor runs the initialisers of its class' fields, which stand elsewhere in the class. */
    if (function.start >= 0 && (last < function.start || last > function.end)) tables->wrong++;
    return true;
}

static size_t check_tables(const struct truth *truth) {
    struct tables tables = {.truth = truth};
    truth_walk(truth, visit_table, &tables);
    printf("%s: %zu source position tables, %zu lead out of their function, %zu have none\n", truth->version,
           tables.tables, tables.wrong, tables.entry_only);
    return tables.tables < 300 || tables.wrong * 50 > tables.tables;
}

static void test_functions(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < version_count; i++) {
        struct truth truth;
        if (!truth_open("snapshot", versions[i], NULL, true, &truth)) {
            wrong++;
            continue;
        }
        wrong += check_all(&truth);
        wrong += check_tables(&truth);
        check_known(&truth);
        truth_close(&truth);
    }
    assert_int_equal(wrong, 0);
}

/* ---- modules ---- */

struct module_search {
    const struct truth *truth;
    size_t compiled, imported, exported;
};

static bool check_module_variable(void *context, const struct v8_variable *variable) {
    struct module_search *search = context;
    const struct v8 *v8 = search->truth->core.v8;
    struct v8_function function;
    if (!variable->known ||
        !v8_function_load(v8, truth_object(variable->value), search->truth->arena, &function))
        return true;
    search->compiled += strcmp(variable->name, "compiled") == 0 && strcmp(function.name, "fromScript") == 0;
    search->imported += strcmp(variable->name, "evaluate") == 0 && strcmp(function.name, "evaluate") == 0;
    search->exported += strcmp(variable->name, "main") == 0 && strcmp(function.name, "main") == 0;
    return true;
}

static bool visit_module(void *context, const struct v8_object *object) {
    struct module_search *search = context;
    if (object->map->type == V8_T_MODULE_CONTEXT)
        v8_context_variables(search->truth->core.v8, object->address, search->truth->arena,
                             check_module_variable, search);
    return true;
}

/* app.mjs has a local `compiled`, imports `evaluate` and exports `main`; evaluate.mjs exports `evaluate`. */
static void test_modules(void **state) {
    (void)state;
    for (size_t i = 0; i < version_count; i++) {
        struct truth truth;
        if (!truth_open("stack-eval-esm", versions[i], NULL, false, &truth)) fail();
        struct module_search search = {.truth = &truth};
        truth_walk(&truth, visit_module, &search);
        assert_int_equal(search.compiled, 1);
        assert_int_equal(search.imported, 2);
        assert_int_equal(search.exported, 1);
        truth_close(&truth);
    }
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_functions), cmocka_unit_test(test_modules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
