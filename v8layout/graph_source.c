/* graph_source.c - texts and details of the nodes of a core's graph, looked up in the core when they are
 * shown. */
#include "v8layout/graph_source.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"
#include "v8layout/async_frames.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"

#include <stdio.h>
#include <string.h>

#define MAX_SCRIPT_UNITS                                                                                     \
    (16u << 20) /* a bundle of 16 MB is searched for a declaration; larger ones are not */

struct v8_graph_source *v8_graph_source_create(const struct v8 *v8, uint32_t isolate,
                                               struct pm_graph *graph) {
    struct v8_graph_source *source = calloc(1, sizeof(*source));
    if (!source || !(source->arena = pm_arena_create())) {
        free(source);
        return NULL;
    }
    source->v8 = v8;
    source->isolate = isolate;
    source->graph = graph;
    return source;
}

void v8_graph_source_destroy(void *self) {
    struct v8_graph_source *source = self;
    if (!source) return;
    for (size_t i = 0; i < source->page_count; i++) free(source->pages[i].blocks);
    free(source->pages);
    free(source->slots);
    free(source->roots);
    pm_arena_destroy(source->arena);
    pm_strbuf_deinit(&source->program);
    free(source);
}

static uint64_t identity(const void *self, pm_node node) {
    return v8_graph_address_of(self, node);
}

static pm_node find(const void *self, uint64_t address) {
    return v8_graph_node_of(self, address & ~(uint64_t)3);
}

static void describe(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    const struct v8_graph_source *source = self;
    pm_addr object = v8_graph_address_of(source, node);
    if (object)
        v8_describe(source->v8, v8_tag(object), most, out);
    else
        pm_strbuf_append(out, "(GC roots)");
}

/* ---- edge names ---- */

struct edge_search {
    uint64_t left; /* edges to pass over */
    uint32_t offset;
    bool found;
};

static bool find_edge(void *context, uint32_t offset, pm_node to) {
    struct edge_search *search = context;
    (void)to;
    if (search->left-- > 0) return true;
    search->offset = offset;
    search->found = true;
    return false;
}

/* The slot of the edge'th edge (an index into graph->edges); false = an ephemeron's, which has no slot in
 * this object. */
static bool edge_slot(const struct v8_graph_source *source, pm_node from, uint64_t edge,
                      struct v8_thing *thing, uint32_t *ret) {
    struct edge_search search = {.left = edge - source->graph->first_edge[from]};
    if (!v8_thing_load(source->v8, v8_graph_address_of(source, from), thing)) return false;
    const uint8_t *bytes = pm_mem_view(source->v8->mem, thing->address, thing->size);
    if (!bytes) return false;
    v8_graph_each_edge(source, thing->map, bytes, thing->size, find_edge, &search);
    *ret = search.offset;
    return search.found;
}

static void name(struct pm_edge_name *ret, enum pm_edge_kind kind, const char *text) {
    ret->kind = kind;
    pm_strbuf_append(&ret->text, text);
}

struct property_search {
    const struct v8_graph_source *source;
    pm_addr target;
    struct v8_property found;
    bool is_found;
};

static bool match_property(void *context, const struct v8_property *property) {
    struct property_search *search = context;
    if (property->is_double || v8_target(search->source->v8, property->value) != search->target) return true;
    search->found = *property;
    search->is_found = true;
    return false;
}

static bool name_property(const struct v8_graph_source *source, pm_addr owner, pm_addr target,
                          struct pm_edge_name *ret) {
    struct property_search search = {.source = source, .target = target};
    v8_properties(source->v8, owner, match_property, &search);
    if (!search.is_found) return false;
    if (search.found.is_element) {
        ret->kind = PM_EDGE_ELEMENT;
        ret->index = search.found.index;
        return true;
    }
    ret->kind = PM_EDGE_PROPERTY;
    const char *text = v8_name_text(source->v8, search.found.key, source->arena);
    bool symbol = v8_type_at(source->v8, search.found.key) == V8_T_SYMBOL && !(text && text[0] == '#');
    pm_strbuf_appendf(&ret->text, symbol ? "<symbol %s>" : "%s",
                      text ? text : "?"); /* as V8's snapshots do */
    return true;
}

struct variable_search {
    const struct v8_graph_source *source;
    pm_addr target;
    const char *name;
};

static bool match_variable(void *context, const struct v8_variable *variable) {
    struct variable_search *search = context;
    bool holds = variable->known && !variable->is_double &&
                 v8_target(search->source->v8, variable->value) == search->target;
    if (!holds && (!variable->cell || variable->cell != search->target)) return true;
    search->name = variable->name;
    return false;
}

static bool name_variable(const struct v8_graph_source *source, pm_addr context, pm_addr target,
                          struct pm_edge_name *ret) {
    struct variable_search search = {.source = source, .target = target};
    v8_context_variables(source->v8, context, source->arena, match_variable, &search);
    if (!search.name) return false;
    name(ret, PM_EDGE_CONTEXT, search.name);
    return true;
}

static void name_root(const struct v8_graph_source *source, uint64_t edge, struct pm_edge_name *ret) {
    const struct v8_graph_root *root = edge < source->root_count ? &source->roots[edge] : NULL;
    ret->kind = PM_EDGE_INTERNAL;
    if (!root) return;
    pm_strbuf_append(&ret->text, v8_root_kind_name((enum v8_root_kind)root->kind));
    if (root->kind == V8_ROOT_TABLE && root->index < source->v8->layout.roots_count)
        pm_strbuf_appendf(&ret->text, " %s", source->v8->layout.root_names[root->index]);
    else if (root->kind == V8_ROOT_STACK)
        pm_strbuf_appendf(&ret->text, " of thread %u", root->index);
}

static void edge_name(const void *self, pm_node from, uint64_t edge, struct pm_edge_name *ret) {
    const struct v8_graph_source *source = self;
    const struct v8_layout *layout = &source->v8->layout;
    struct v8_thing thing;
    uint32_t offset;
    ret->kind = PM_EDGE_HIDDEN;
    if (from == 0) {
        name_root(source, edge, ret);
        return;
    }
    if (!edge_slot(source, from, edge, &thing, &offset)) {
        name(ret, PM_EDGE_INTERNAL, "value in WeakMap");
        return;
    }
    pm_addr target = v8_graph_address_of(source, source->graph->edges[edge]);
    const char *field = NULL;
    if (offset == 0)
        field = "map";
    else if (v8_is_js_object(source->v8, thing.map)) {
        if (layout->js_properties.present && offset == layout->js_properties.offset)
            field = "properties";
        else if (layout->js_elements.present && offset == layout->js_elements.offset)
            field = "elements";
        else
            field = v8_receiver_field_at(layout, thing.type, offset);
        if (!field && name_property(source, thing.address, target, ret)) return;
    } else if (v8_is_context_type(thing.type)) {
        if (layout->context_scope_info.present && offset == layout->context_scope_info.offset)
            field = "scope_info";
        else if (layout->context_previous.present && offset == layout->context_previous.offset)
            field = "previous";
        else if (thing.type != V8_T_NATIVE_CONTEXT && name_variable(source, thing.address, target, ret))
            return;
    } else if (thing.type == V8_T_STRING) {
        static const char *const parts[][2] = {[V8_STRING_CONS] = {"first", "second"},
                                               [V8_STRING_SLICED] = {"parent", "parent"},
                                               [V8_STRING_THIN] = {"actual", "actual"}};
        unsigned shape = thing.map->instance_type & V8_STRING_SHAPE_MASK;
        if (shape < sizeof(parts) / sizeof(parts[0])) field = parts[shape][offset > 16];
    } else if (thing.type == V8_T_PROPERTY_CELL && layout->property_cell_value.present &&
               offset == layout->property_cell_value.offset) { /* a property of the global object */
        const char *cell = v8_name_text(
            source->v8, v8_ref(source->v8, thing.address, layout->property_cell_name), source->arena);
        if (cell) {
            name(ret, PM_EDGE_PROPERTY, cell);
            return;
        }
    } else if (v8_is_function_type(thing.type) && layout->function_dispatch_handle.present &&
               offset == layout->function_dispatch_handle.offset) {
        field = "code";
    } else {
        field = v8_field_at(layout, thing.type, offset);
        if (!field && source->graph->kinds[from] == PM_NODE_STORE && offset >= 16) {
            ret->kind = PM_EDGE_INTERNAL;
            pm_strbuf_appendf(&ret->text, "[%u]", (offset - 16) / 8);
            return;
        }
    }
    if (field)
        name(ret, PM_EDGE_INTERNAL, field);
    else
        pm_strbuf_appendf(&ret->text, "+%u", offset);
}

/* ---- what the owner of a store calls its contents ---- */

struct entry_search {
    const struct v8_graph_source *source;
    pm_addr target;
    struct pm_strbuf *text;
    bool found;
};

static bool match_entry(void *context, v8_word key, v8_word value) {
    struct entry_search *search = context;
    const struct v8 *v8 = search->source->v8;
    bool is_value = v8_target(v8, value) == search->target;
    if (!is_value && v8_target(v8, key) != search->target) return true;
    pm_strbuf_append(search->text, is_value ? "entry " : "key ");
    v8_describe(v8, key, 60, search->text);
    search->found = true;
    return false;
}

static bool store_edge_name(const void *self, pm_node owner, pm_node from, uint64_t edge,
                            struct pm_edge_name *ret) {
    const struct v8_graph_source *source = self;
    const struct pm_graph *graph = source->graph;
    pm_addr object = v8_graph_address_of(source, owner),
            target = v8_graph_address_of(source, graph->edges[edge]);
    if (graph->kinds[from] != PM_NODE_STORE || !object || !target) return false;
    switch ((enum pm_node_kind)graph->kinds[owner]) {
    case PM_NODE_MAP:
    case PM_NODE_SET:
    case PM_NODE_WEAK_MAP:
    case PM_NODE_WEAK_SET: {
        struct entry_search search = {.source = source, .target = target, .text = &ret->text};
        ret->kind = PM_EDGE_INTERNAL;
        v8_entries(source->v8, object, match_entry, &search);
        return search.found;
    }
    default: return name_property(source, object, target, ret);
    }
}

/* ---- details ---- */

static bool position(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret) {
    const struct v8_graph_source *source = self;
    pm_addr object = v8_graph_address_of(source, node), function = object;
    struct v8_thing thing;
    struct v8_function loaded;
    if (!v8_thing_load(source->v8, object, &thing)) return false;
    if (v8_is_js_object(source->v8, thing.map) && !v8_is_function_type(thing.type))
        function = v8_class_constructor(source->v8, thing.map);
    else if (v8_is_context_type(thing.type)) {
        /* The scope's function has no pointer here; the ScopeInfo has its name and position. */
        function = 0;
    }
    PM_AUTO(arena) struct pm_arena *arena = pm_arena_create();
    if (!function || !arena || !v8_function_load(source->v8, function, arena, &loaded)) return false;
    *ret = (struct pm_graph_position){
        .file = loaded.file ? strdup(loaded.file) : NULL, .line = loaded.line, .column = loaded.column};
    if (function_ret) *function_ret = loaded.name && *loaded.name ? strdup(loaded.name) : NULL;
    return true;
}

/* The program a closure belongs to, and where in it the closure begins. The text of the last one is kept. */
static bool program_of(const struct v8_graph_source *source, pm_node closure, struct v8_function *function,
                       struct pm_arena *arena, struct pm_script_text *ret, uint32_t *line_offset) {
    struct v8_graph_source *keeper = (struct v8_graph_source *)(uintptr_t)source;
    const struct v8_layout *layout = &source->v8->layout;
    v8_word first;
    uint32_t units;
    if (!v8_function_load(source->v8, v8_graph_address_of(source, closure), arena, function) ||
        !function->script || !function->file)
        return false;
    if (keeper->program_script != function->script) {
        pm_addr text = v8_ref(source->v8, function->script, layout->script_source);
        keeper->program_script = 0;
        pm_strbuf_clear(&keeper->program);
        if (!v8_string_length(source->v8, text, &units) || units > MAX_SCRIPT_UNITS ||
            !v8_string_text(source->v8, text, 0, units, &keeper->program) || !keeper->program.length)
            return false;
        keeper->program_script = function->script;
    }
    *line_offset = 0;
    if (v8_field_word(source->v8, function->script, layout->script_line_offset, &first) && v8_is_smi(first) &&
        v8_smi(first) > 0)
        *line_offset = (uint32_t)v8_smi(first);
    *ret = (struct pm_script_text){keeper->program.bytes, keeper->program.length};
    return true;
}

static bool declaration(const void *self, pm_node closure, const char *name, bool is_property,
                        struct pm_graph_position *ret) {
    PM_AUTO(arena) struct pm_arena *arena = pm_arena_create();
    struct v8_function function;
    struct pm_script_text text;
    struct pm_script_place place;
    uint32_t line_offset;
    if (!arena || !program_of(self, closure, &function, arena, &text, &line_offset)) return false;
    size_t near = function.line > line_offset
                      ? pm_script_offset(text, function.line - line_offset, function.column)
                      : 0;
    if (!pm_script_declaration(text, name, near, is_property, &place)) return false;
    *ret = (struct pm_graph_position){.file = strdup(function.file),
                                      .line = place.line + line_offset,
                                      .column = place.column,
                                      .in_function = place.in_function,
                                      .imported = place.imported};
    return ret->file != NULL;
}

static bool use(const void *self, pm_node closure, enum pm_graph_use what, const char *name,
                uint64_t *count_ret, char **function_ret, struct pm_graph_position *ret) {
    PM_AUTO(arena) struct pm_arena *arena = pm_arena_create();
    struct v8_function function;
    struct pm_script_text text;
    struct pm_script_uses uses;
    uint32_t line_offset;
    if (!arena || !program_of(self, closure, &function, arena, &text, &line_offset) ||
        !pm_script_uses(text, (enum pm_script_use)what, name, &uses))
        return false;
    *ret = (struct pm_graph_position){
        .file = strdup(function.file), .line = uses.first.line + line_offset, .column = uses.first.column};
    *function_ret = uses.function_length ? strndup(uses.function, uses.function_length) : NULL;
    *count_ret = uses.count;
    return ret->file != NULL;
}

/* Where a suspended generator or async function goes on: at its `await` or `yield`. */
static bool suspended(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret) {
    const struct v8_graph_source *source = self;
    struct v8_suspended at;
    PM_AUTO(arena) struct pm_arena *arena = pm_arena_create();
    if (!arena || !v8_suspended_at(source->v8, v8_graph_address_of(source, node), arena, &at)) return false;
    *ret = (struct pm_graph_position){
        .file = at.file ? strdup(at.file) : NULL, .line = at.line, .column = at.column};
    *function_ret = at.name && *at.name ? strdup(at.name) : NULL;
    return true;
}

static pm_node constructor(const void *self, pm_node node) {
    const struct v8_graph_source *source = self;
    struct v8_thing thing;
    if (!v8_thing_load(source->v8, v8_graph_address_of(source, node), &thing) ||
        !v8_is_js_object(source->v8, thing.map))
        return PM_NO_NODE;
    return v8_graph_node_of(source, v8_class_constructor(source->v8, thing.map));
}

static bool text(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    const struct v8_graph_source *source = self;
    return v8_string_text(source->v8, v8_graph_address_of(source, node), 0,
                          most > UINT32_MAX ? UINT32_MAX : (uint32_t)most, out);
}

struct count_context {
    uint64_t count;
};
static bool count_property(void *context, const struct v8_property *property) {
    struct count_context *count = context;
    (void)property;
    count->count++;
    return true;
}

static bool entries(const void *self, pm_node node, uint64_t *count_ret, uint64_t *capacity_ret) {
    const struct v8_graph_source *source = self;
    pm_addr object = v8_graph_address_of(source, node);
    uint32_t count, capacity = 0;
    struct v8_thing thing;
    if (!v8_thing_load(source->v8, object, &thing)) return false;
    if (v8_entry_count(source->v8, object, &count, &capacity)) {
        *count_ret = count;
        *capacity_ret = capacity;
        return true;
    }
    v8_word length;
    if (thing.type == V8_T_JS_ARRAY &&
        v8_field_word(source->v8, object, source->v8->layout.js_array_length, &length) && v8_is_smi(length) &&
        v8_smi(length) >= 0) {
        struct v8_thing elements;
        *count_ret = *capacity_ret = (uint64_t)v8_smi(length);
        if (v8_thing_load(source->v8, v8_ref(source->v8, object, source->v8->layout.js_elements),
                          &elements) &&
            elements.size >= 16)
            *capacity_ret = (elements.size - 16) / 8;
        return true;
    }
    if (!v8_is_js_object(source->v8, thing.map)) return false;
    struct count_context properties = {0};
    v8_properties(source->v8, object, count_property, &properties);
    *count_ret = *capacity_ret = properties.count;
    return true;
}

static bool number(const void *self, pm_node node, const char *property, double *ret) {
    const struct v8_graph_source *source = self;
    v8_word word;
    if (!v8_property_named(source->v8, v8_graph_address_of(source, node), property, &word)) return false;
    if (v8_is_smi(word)) {
        *ret = v8_smi(word);
        return true;
    }
    pm_addr object = v8_target(source->v8, word);
    switch (v8_oddball_of(source->v8, word)) {
    case V8_TRUE: *ret = 1; return true;
    case V8_FALSE: *ret = 0; return true;
    default: break;
    }
    uint64_t bits;
    if (v8_type_at(source->v8, object) != V8_T_HEAP_NUMBER || !source->v8->layout.heap_number_value.present ||
        !pm_mem_u64(source->v8->mem, object + source->v8->layout.heap_number_value.offset, &bits))
        return false;
    memcpy(ret, &bits, sizeof(bits));
    return true;
}

static pm_node property(const void *self, pm_node node, const char *property_name) {
    const struct v8_graph_source *source = self;
    v8_word word;
    if (!v8_property_named(source->v8, v8_graph_address_of(source, node), property_name, &word))
        return PM_NO_NODE;
    return v8_graph_node_of(source, v8_target(source->v8, word));
}

struct key_search {
    const struct v8_graph_source *source;
    uint64_t left;
    v8_word key;
    uint32_t index;
    bool is_index, found;
};

static bool nth_entry(void *context, v8_word key, v8_word value) {
    struct key_search *search = context;
    (void)value;
    if (search->left-- > 0) return true;
    search->key = key;
    search->found = true;
    return false;
}

static bool nth_property(void *context, const struct v8_property *found) {
    struct key_search *search = context;
    if (search->left-- > 0) return true;
    search->key = found->key ? v8_tag(found->key) : 0;
    search->index = found->index;
    search->is_index = found->is_element;
    search->found = true;
    return false;
}

static bool next_key(const void *self, pm_node node, uint64_t *cursor, struct pm_strbuf *key_text,
                     double *number_ret, bool *is_number_ret) {
    const struct v8_graph_source *source = self;
    struct key_search search = {.source = source, .left = *cursor};
    pm_addr object = v8_graph_address_of(source, node);
    *is_number_ret = false;
    if (!v8_entries(source->v8, object, nth_entry, &search) && !search.found)
        v8_properties(source->v8, object, nth_property, &search);
    if (!search.found) return false;
    (*cursor)++;
    if (search.is_index || v8_is_smi(search.key)) {
        *number_ret = search.is_index ? (double)search.index : (double)v8_smi(search.key);
        *is_number_ret = true;
        return true;
    }
    uint64_t bits;
    pm_addr key = v8_target(source->v8, search.key);
    if (v8_type_at(source->v8, key) == V8_T_HEAP_NUMBER &&
        pm_mem_u64(source->v8->mem, key + source->v8->layout.heap_number_value.offset, &bits)) {
        memcpy(number_ret, &bits, sizeof(bits));
        *is_number_ret = true;
        return true;
    }
    if (!v8_string_text(source->v8, key, 0, PM_MAX_NAME, key_text))
        v8_describe(source->v8, search.key, PM_MAX_NAME, key_text);
    return true;
}

const struct pm_graph_source v8_graph_source_functions = {
    .destroy = v8_graph_source_destroy,
    .identity = identity,
    .find = find,
    .describe = describe,
    .edge_name = edge_name,
    .store_edge_name = store_edge_name,
    .position = position,
    .declaration = declaration,
    .constructor = constructor,
    .text = text,
    .entries = entries,
    .number = number,
    .property = property,
    .next_key = next_key,
    .weak_edges = v8_graph_weak_edges,
    .use = use,
    .suspended = suspended,
};
