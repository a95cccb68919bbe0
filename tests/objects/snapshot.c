#include "snapshot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "postmortem/base/strbuf.h"

/* The arrays of numbers and strings are read by hand: as a cJSON tree they take a gigabyte. */

struct numbers {
    uint32_t *items;
    size_t count;
};

static const char *after(const char *text, const char *end, const char *key) {
    size_t length = strlen(key);
    const char *at = memmem(text, (size_t)(end - text), key, length);
    return at ? at + length : NULL;
}

static bool read_numbers(const char *text, const char *end, const char *key, struct numbers *ret) {
    const char *at = after(text, end, key);
    if (!at) return false;
    size_t capacity = 0;
    for (const char *scan = at; scan < end && *scan != ']'; scan++) capacity += *scan == ',' || *scan == '[';
    ret->items = calloc(capacity + 1, sizeof(*ret->items));
    ret->count = 0;
    while (ret->items && at < end && *at != ']') {
        if (*at >= '0' && *at <= '9')
            ret->items[ret->count++] = (uint32_t)strtoull(at, (char **)&at, 10);
        else
            at++;
    }
    return ret->items != NULL;
}

static uint32_t hex4(const char *at) {
    char digits[5] = {at[0], at[1], at[2], at[3], 0};
    return (uint32_t)strtoul(digits, NULL, 16);
}

static const char *read_string(const char *at, const char *end, char **ret) {
    struct pm_strbuf text = {0};
    for (at++; at < end && *at != '"'; at++) {
        if (*at != '\\') {
            pm_strbuf_append_char(&text, *at);
        } else if (*++at == 'u' && end - at > 5) {
            uint32_t unit = hex4(at + 1);
            at += 4;
            if (unit >= 0xd800 && unit < 0xdc00 && end - at > 7 && at[1] == '\\' && at[2] == 'u') {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (hex4(at + 3) - 0xdc00);
                at += 6;
            }
            pm_strbuf_append_utf8(&text, unit);
        } else {
            static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
            const char *found = strchr(from, *at);
            pm_strbuf_append_char(&text, found ? to[found - from] : *at);
        }
    }
    *ret = pm_strbuf_take(&text);
    return at + 1;
}

static bool read_strings(const char *text, const char *end, struct snapshot *snapshot) {
    const char *at = after(text, end, "\n\"strings\":[");
    size_t capacity = 0;
    if (!at) return false;
    while (at < end && *at != ']') {
        if (*at != '"') {
            at++;
            continue;
        }
        if (snapshot->string_count == capacity) {
            capacity = capacity ? capacity * 2 : 65536;
            char **grown = realloc(snapshot->strings, capacity * sizeof(*grown));
            if (!grown) return false;
            snapshot->strings = grown;
        }
        at = read_string(at, end, &snapshot->strings[snapshot->string_count++]);
    }
    return true;
}

/* The position of a name in an array of names. */
static int position(const cJSON *names, const char *name) {
    int at = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, names) {
        if (strcmp(item->valuestring, name) == 0) return at;
        at++;
    }
    return -1;
}

/* Type names of the snapshot live as long as the program: there are a dozen. */
static const char *type_name(const cJSON *types, uint32_t number) {
    static const char *const known[] = {"hidden",
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
                                        "object shape",
                                        "wasm object",
                                        "context",
                                        "element",
                                        "property",
                                        "internal",
                                        "shortcut",
                                        "weak"};
    const cJSON *item = cJSON_GetArrayItem(cJSON_GetArrayItem(types, 0), (int)number);
    for (size_t i = 0; item && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], item->valuestring) == 0) return known[i];
    return "";
}

static void fill(struct snapshot *snapshot, const cJSON *meta, const struct numbers *nodes,
                 const struct numbers *edges, const struct numbers *locations) {
    const cJSON *fields = cJSON_GetObjectItem(meta, "node_fields"),
                *types = cJSON_GetObjectItem(meta, "node_types");
    const cJSON *edge_types = cJSON_GetObjectItem(meta, "edge_types");
    uint32_t width = (uint32_t)cJSON_GetArraySize(fields), first = 0;
    int type = position(fields, "type"), name = position(fields, "name"),
        size = position(fields, "self_size"), count = position(fields, "edge_count");
    const char *node_type_names[32], *edge_type_names[32];
    for (uint32_t i = 0; i < 32; i++) {
        node_type_names[i] = type_name(types, i);
        edge_type_names[i] = type_name(edge_types, i);
    }
    snapshot->node_count = nodes->count / width;
    snapshot->nodes = calloc(snapshot->node_count + 1, sizeof(*snapshot->nodes));
    for (size_t i = 0; i < snapshot->node_count; i++) {
        const uint32_t *row = nodes->items + i * width;
        snapshot->nodes[i] = (struct snapshot_node){.type = node_type_names[row[type] & 31],
                                                    .name = snapshot->strings[row[name]],
                                                    .self_size = row[size],
                                                    .edge_count = row[count],
                                                    .first_edge = first};
        first += row[count];
    }
    snapshot->edge_count = edges->count / 3;
    snapshot->edges = calloc(snapshot->edge_count + 1, sizeof(*snapshot->edges));
    for (size_t i = 0; i < snapshot->edge_count; i++) {
        const uint32_t *row = edges->items + 3 * i;
        const char *edge_type = edge_type_names[row[0] & 31];
        bool by_index = strcmp(edge_type, "element") == 0 || strcmp(edge_type, "hidden") == 0;
        snapshot->edges[i] = (struct snapshot_edge){
            .type = edge_type, .name = by_index ? "" : snapshot->strings[row[1]], .to = row[2] / width};
    }
    snapshot->location_count = locations->count / 4;
    snapshot->locations = calloc(snapshot->location_count + 1, sizeof(*snapshot->locations));
    for (size_t i = 0; i < snapshot->location_count; i++) {
        const uint32_t *row = locations->items + 4 * i;
        snapshot->locations[i] =
            (struct snapshot_location){.node = row[0] / width, .line = row[2], .column = row[3]};
    }
}

struct snapshot *snapshot_parse(const char *text, size_t size) {
    const char *end = text + size;
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    struct numbers nodes = {0}, edges = {0}, locations = {0};
    const char *head = after(text, end, "{\"snapshot\":");
    cJSON *object = head ? cJSON_ParseWithLengthOpts(head, (size_t)(end - head), NULL, false) : NULL;
    const cJSON *meta = cJSON_GetObjectItem(object, "meta");
    bool read = snapshot && meta && read_numbers(text, end, "\n\"nodes\":[", &nodes) &&
                read_numbers(text, end, "\n\"edges\":[", &edges) &&
                read_numbers(text, end, "\n\"locations\":[", &locations) && read_strings(text, end, snapshot);
    if (read) {
        fill(snapshot, meta, &nodes, &edges, &locations);
    } else {
        snapshot_destroy(snapshot);
        snapshot = NULL;
    }
    cJSON_Delete(object);
    free(nodes.items);
    free(edges.items);
    free(locations.items);
    return snapshot;
}

void snapshot_destroy(struct snapshot *snapshot) {
    if (!snapshot) return;
    for (size_t i = 0; i < snapshot->string_count; i++) free(snapshot->strings[i]);
    free(snapshot->strings);
    free(snapshot->nodes);
    free(snapshot->edges);
    free(snapshot->locations);
    free(snapshot);
}
