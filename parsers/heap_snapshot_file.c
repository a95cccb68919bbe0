#include "parsers/heap_snapshot_file.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ meta */

struct field {
    const char *name;
    unsigned *place;
    bool needed;
};

/* Reads the names of a record's fields and notes the places of those in the table. */
static struct pm_error *read_fields(struct pm_json json, const char *what, const struct field *fields,
                                    size_t count, unsigned *count_ret) {
    struct pm_json_text name;
    unsigned place = 0;
    for (size_t i = 0; i < count; i++) *fields[i].place = PM_SNAPSHOT_FIELDS;
    PM_TRY(pm_json_take(&json, '['));
    for (bool more;; place++) {
        PM_TRY(pm_json_more(&json, place == 0, ']', &more));
        if (!more) break;
        if (place == PM_SNAPSHOT_FIELDS)
            return pm_error_at(PM_ERR_LIMIT, json.at, "snapshot.meta.%s has more than %d fields", what,
                               PM_SNAPSHOT_FIELDS);
        PM_TRY(pm_json_string(&json, &name));
        for (size_t i = 0; i < count; i++)
            if (pm_json_is(name, fields[i].name)) *fields[i].place = place;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].needed && *fields[i].place == PM_SNAPSHOT_FIELDS)
            return pm_error_at(PM_ERR_FORMAT, json.at, "snapshot.meta.%s has no field %s", what,
                               fields[i].name);
    *count_ret = place;
    return NULL;
}

/* Moves to the list of type names: the element of node_types or edge_types that belongs to the field `type`.
 */
static struct pm_error *find_types(struct pm_json *json, unsigned place) {
    bool more;
    PM_TRY(pm_json_take(json, '['));
    for (unsigned i = 0;; i++) {
        PM_TRY(pm_json_more(json, i == 0, ']', &more));
        if (!more) return pm_error_at(PM_ERR_FORMAT, json->at, "snapshot.meta: the list of types is missing");
        if (i == place) return pm_json_take(json, '[');
        PM_TRY(pm_json_skip(json));
    }
}

static enum pm_snapshot_type node_type(struct pm_json_text name) {
    static const struct {
        const char *name;
        enum pm_snapshot_type type;
    } types[] = {
        {"hidden", PM_SNAPSHOT_HIDDEN},
        {"array", PM_SNAPSHOT_ARRAY},
        {"string", PM_SNAPSHOT_STRING},
        {"object", PM_SNAPSHOT_OBJECT},
        {"code", PM_SNAPSHOT_CODE},
        {"closure", PM_SNAPSHOT_CLOSURE},
        {"regexp", PM_SNAPSHOT_REGEXP},
        {"number", PM_SNAPSHOT_NUMBER},
        {"native", PM_SNAPSHOT_NATIVE},
        {"synthetic", PM_SNAPSHOT_SYNTHETIC},
        {"concatenated string", PM_SNAPSHOT_CONS_STRING},
        {"sliced string", PM_SNAPSHOT_SLICED_STRING},
        {"symbol", PM_SNAPSHOT_SYMBOL},
        {"bigint", PM_SNAPSHOT_BIGINT},
        {"object shape", PM_SNAPSHOT_SHAPE},
        {"wasm object", PM_SNAPSHOT_WASM},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (pm_json_is(name, types[i].name)) return types[i].type;
    return PM_SNAPSHOT_OTHER;
}

/* A type that is not known is taken for an internal reference, which is what it would have been before. */
static enum pm_edge_kind edge_type(struct pm_json_text name) {
    static const char *const names[] = {"context", "element",  "property", "internal",
                                        "hidden",  "shortcut", "weak"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (pm_json_is(name, names[i])) return (enum pm_edge_kind)i;
    return PM_EDGE_INTERNAL;
}

static struct pm_error *read_types(struct pm_json json, struct pm_snapshot_meta *meta, bool nodes) {
    struct pm_json_text name;
    unsigned count = 0;
    PM_TRY(find_types(&json, nodes ? meta->type : meta->edge_type));
    for (bool more;; count++) {
        PM_TRY(pm_json_more(&json, count == 0, ']', &more));
        if (!more) break;
        if (count == PM_SNAPSHOT_TYPES)
            return pm_error_at(PM_ERR_LIMIT, json.at, "snapshot.meta has more than %d types",
                               PM_SNAPSHOT_TYPES);
        PM_TRY(pm_json_string(&json, &name));
        if (nodes) {
            meta->node_types[count] = node_type(name);
            meta->node_type_names[count] = name;
        } else {
            meta->edge_types[count] = edge_type(name);
        }
    }
    *(nodes ? &meta->node_type_count : &meta->edge_type_count) = count;
    if (nodes) meta->node_type_names[count] = (struct pm_json_text){(const uint8_t *)"unknown type", 12};
    return NULL;
}

static struct pm_error *read_location_fields(struct pm_json json, struct pm_snapshot_meta *meta) {
    const struct field fields[] = {
        {"object_index", &meta->location_object, true},
        {"script_id", &meta->location_script, true},
        {"line", &meta->location_line, true},
        {"column", &meta->location_column, true},
    };
    return read_fields(json, "location_fields", fields, 4, &meta->location_fields);
}

static struct pm_error *read_node_fields(struct pm_json json, struct pm_snapshot_meta *meta) {
    const struct field fields[] = {
        {"type", &meta->type, true},
        {"name", &meta->name, true},
        {"id", &meta->id, true},
        {"self_size", &meta->self_size, true},
        {"edge_count", &meta->edge_count, true},
        {"detachedness", &meta->detachedness, false},
        {"trace_node_id", &meta->trace, false},
    };
    return read_fields(json, "node_fields", fields, 7, &meta->node_fields);
}

static struct pm_error *read_edge_fields(struct pm_json json, struct pm_snapshot_meta *meta) {
    const struct field fields[] = {
        {"type", &meta->edge_type, true},
        {"name_or_index", &meta->edge_name, true},
        {"to_node", &meta->edge_to, true},
    };
    return read_fields(json, "edge_fields", fields, 3, &meta->edge_fields);
}

/* The keys of meta may come in any order; their values are read when all are found. */
static struct pm_error *read_meta(struct pm_json *json, struct pm_snapshot_meta *ret) {
    struct pm_snapshot_meta own = *ret, *meta = &own;
    enum { NODE_FIELDS, NODE_TYPES, EDGE_FIELDS, EDGE_TYPES, LOCATION_FIELDS, LISTS };
    static const char *const names[LISTS] = {"node_fields", "node_types", "edge_fields", "edge_types",
                                             "location_fields"};
    struct pm_json lists[LISTS] = {{0}};
    struct pm_json_text key;
    PM_TRY(pm_json_take(json, '{'));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(json, first, '}', &more));
        if (!more) break;
        PM_TRY(pm_json_key(json, &key));
        for (int i = 0; i < LISTS; i++)
            if (pm_json_is(key, names[i])) lists[i] = *json;
        PM_TRY(pm_json_skip(json));
    }
    for (int i = 0; i < LOCATION_FIELDS; i++)
        if (!lists[i].bytes) return pm_error_at(PM_ERR_FORMAT, json->at, "snapshot.meta has no %s", names[i]);
    PM_TRY(read_node_fields(lists[NODE_FIELDS], meta));
    PM_TRY(read_types(lists[NODE_TYPES], meta, true));
    PM_TRY(read_edge_fields(lists[EDGE_FIELDS], meta));
    PM_TRY(read_types(lists[EDGE_TYPES], meta, false));
    if (lists[LOCATION_FIELDS].bytes) PM_TRY(read_location_fields(lists[LOCATION_FIELDS], meta));
    *ret = own;
    return NULL;
}

struct pm_error *pm_snapshot_meta_read(struct pm_json *json, struct pm_snapshot_meta *meta) {
    struct pm_json_text key;
    meta->claimed_nodes = meta->claimed_edges = UINT64_MAX;
    PM_TRY(pm_json_take(json, '{'));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(json, first, '}', &more));
        if (!more) break;
        PM_TRY(pm_json_key(json, &key));
        if (pm_json_is(key, "meta"))
            PM_TRY(read_meta(json, meta));
        else if (pm_json_is(key, "node_count"))
            PM_TRY(pm_json_whole(json, &meta->claimed_nodes));
        else if (pm_json_is(key, "edge_count"))
            PM_TRY(pm_json_whole(json, &meta->claimed_edges));
        else if (pm_json_is(key, "extra_native_bytes"))
            PM_TRY(pm_json_whole(json, &meta->extra_native_bytes));
        else
            PM_TRY(pm_json_skip(json));
    }
    if (!meta->node_fields) return pm_error_at(PM_ERR_FORMAT, json->at, "snapshot has no meta");
    return NULL;
}

void pm_snapshot_file_close(struct pm_snapshot_file *file) {
    free(file->node_at);
    free(file->edge_at);
    free(file->string_at);
    free(file->ephemeron);
    free(file->signposts);
    free(file->turns);
    pm_error_destroy(file->damage);
    *file = (struct pm_snapshot_file){0};
}

/* ------------------------------------------------------------------ numbers */

const uint8_t *pm_snapshot_separator(const uint8_t *at, const uint8_t *end) {
    bool comma = false;
    for (; at < end; at++) {
        if (*at == ',' && !comma)
            comma = true;
        else if (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t')
            break;
    }
    return comma || at == end ? at : NULL;
}

/* ------------------------------------------------------------------ nodes and edges */

static const uint8_t *skip_numbers(const uint8_t *at, const uint8_t *end, uint64_t count) {
    uint64_t ignored;
    while (count-- && at) at = pm_snapshot_number(at, end, &ignored);
    return at;
}

static const uint8_t *take_node(const struct pm_snapshot_file *file, const uint8_t *at,
                                struct pm_snapshot_node *ret) {
    const struct pm_snapshot_meta *meta = &file->meta;
    const uint8_t *end = file->bytes + file->nodes.end;
    uint64_t values[PM_SNAPSHOT_FIELDS + 1];
    for (unsigned i = 0; i < meta->node_fields; i++) {
        values[i] = 0;
        if (at) at = pm_snapshot_number(at, end, &values[i]);
    }
    values[PM_SNAPSHOT_FIELDS] = 0; /* fields that the file does not have */
    uint64_t type = values[meta->type] < meta->node_type_count ? values[meta->type] : meta->node_type_count,
             name = values[meta->name], size = values[meta->self_size];
    *ret = (struct pm_snapshot_node){
        .type = meta->node_types[type],
        .type_number = (unsigned)type,
        .name = name < file->strings.count ? name : file->strings.count,
        .id = values[meta->id],
        .self_size = size > PM_SNAPSHOT_LARGEST ? 0 : size,
        .edge_count = values[meta->edge_count],
        .trace = values[meta->trace],
        .detached = values[meta->detachedness] == 2,
    };
    return at;
}

void pm_snapshot_node_at(const struct pm_snapshot_file *file, pm_node node, struct pm_snapshot_node *ret) {
    const uint8_t *at = file->bytes + file->node_at[node / PM_SNAPSHOT_STEP];
    uint64_t before = (uint64_t)(node % PM_SNAPSHOT_STEP) * file->meta.node_fields;
    take_node(file, skip_numbers(at, file->bytes + file->nodes.end, before), ret);
}

/* Passes over a node; tells how many edges it has. */
static const uint8_t *pass_node(const struct pm_snapshot_file *file, const uint8_t *at, uint64_t *edges_ret) {
    const uint8_t *end = file->bytes + file->nodes.end;
    uint64_t value = 0;
    for (unsigned i = 0; i < file->meta.node_fields && at; i++) {
        at = pm_snapshot_number(at, end, &value);
        if (i == file->meta.edge_count) *edges_ret = value;
    }
    return at;
}

/* Where the edges of a node with many end. */
static uint64_t turn_behind(const struct pm_snapshot_file *file, pm_node node) {
    size_t low = 0, high = file->turn_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->turns[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return file->turns[low].end;
}

void pm_snapshot_edges_of(const struct pm_snapshot_file *file, pm_node node, struct pm_snapshot_edges *ret) {
    pm_node group = node / PM_SNAPSHOT_STEP;
    const uint8_t *record = file->bytes + file->node_at[group], *edge = NULL;
    uint64_t before = 0, count = 0; /* edges to skip */
    ret->file = file;
    ret->node = node;
    ret->at = NULL;
    ret->left = 0;
    if (!file->edge_at) {
        pm_snapshot_node_at(file, node, &ret->from);
        return;
    }
    edge = file->bytes + file->edge_at[group];
    for (pm_node at = group * PM_SNAPSHOT_STEP; at < node; at++) {
        record = pass_node(file, record, &count);
        if (count < PM_SNAPSHOT_MANY) {
            before += count;
        } else {
            before = 0;
            edge = file->bytes + turn_behind(file, at);
        }
    }
    take_node(file, record, &ret->from);
    ret->at = skip_numbers(edge, file->bytes + file->edges.end, before * file->meta.edge_fields);
    ret->left = ret->from.edge_count;
}

void pm_snapshot_edges_seek(struct pm_snapshot_edges *edges, uint64_t first, uint64_t edge) {
    const struct pm_snapshot_file *file = edges->file;
    struct pm_snapshot_edge skipped;
    uint64_t at = first;
    size_t low = 0, high = edges->left < PM_SNAPSHOT_MANY ? 0 : file->signpost_count;
    while (low < high) { /* the first signpost behind the edge */
        size_t middle = low + (high - low) / 2;
        if (file->signposts[middle].strong <= edge)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && file->signposts[low - 1].strong > first) {
        at = file->signposts[low - 1].strong;
        edges->at = file->bytes + file->signposts[low - 1].at;
        edges->left = UINT64_MAX;
    }
    while (at < edge && pm_snapshot_edges_next(edges, &skipped)) at += skipped.strong;
}

bool pm_snapshot_edges_next(struct pm_snapshot_edges *edges, struct pm_snapshot_edge *ret) {
    const struct pm_snapshot_file *file = edges->file;
    const struct pm_snapshot_meta *meta = &file->meta;
    const uint8_t *end = file->bytes + file->edges.end;
    uint64_t values[PM_SNAPSHOT_FIELDS];
    while (edges->left > 0) {
        const uint8_t *at = edges->at;
        for (unsigned i = 0; i < meta->edge_fields; i++) {
            if (!at || at >= end) return false;
            at = pm_snapshot_number(at, end, &values[i]);
        }
        edges->left--;
        edges->at = at;
        if (pm_snapshot_edge_of(file, values, meta->node_fields, ret)) continue; /* damaged: none */
        ret->strong = pm_snapshot_strong(file, edges->node, edges->from.type, ret->kind, ret->name);
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------ strings */

struct pm_json_text pm_snapshot_string(const struct pm_snapshot_file *file, uint64_t index) {
    static const char lost[] = "(name not saved)";
    if (!pm_snapshot_saved(file, index))
        return (struct pm_json_text){(const uint8_t *)lost, sizeof(lost) - 1};
    const uint8_t *end = file->bytes + file->strings.end;
    const uint8_t *at = file->bytes + file->string_at[index / PM_SNAPSHOT_STEP] + 1, *close;
    for (uint64_t i = index % PM_SNAPSHOT_STEP;; i--) {
        close = pm_json_string_end(at, end);
        if (!close || i == 0) break;
        for (at = close + 1; *at != '"'; at++) {
        } /* checked: a comma and white space */
        at++;
    }
    return (struct pm_json_text){at, close ? (uint64_t)(close - at) : 0};
}
