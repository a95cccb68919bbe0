#include "parsers/heap_snapshot_source.h"

#include <string.h>

#include "postmortem/base/limits.h"

/* heap_snapshot_describe.c - one line about a node:
 *
 *   UserSession {user: "user-17", createdAt: Date} @57373        Map(1500) {"key 500", …} @69489
 *   function handle (server.js:31)    "text…"    slice of "text…"    Symbol(x)    /^a+$/    (GC roots)
 *
 * @57373 is the object's id in the snapshot, as DevTools and memlab show it. */

enum { SHORT_UNITS = 24, LISTED_EDGES = 200 };

static void quote(struct pm_strbuf *out, const char *bytes, size_t length, bool cut) {
    pm_strbuf_append_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '\n')
            pm_strbuf_append(out, "\\n");
        else if (c == '\r')
            pm_strbuf_append(out, "\\r");
        else if (c == '\t')
            pm_strbuf_append(out, "\\t");
        else if (c == '"' || c == '\\')
            pm_strbuf_appendf(out, "\\%c", c);
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            pm_strbuf_appendf(out, "\\x%02x", (unsigned)c);
        else
            pm_strbuf_append_char(out, c);
    }
    pm_strbuf_append(out, cut ? "…\"" : "\"");
}

static void quote_string(const struct pm_snapshot *snapshot, pm_node node, size_t most,
                         struct pm_strbuf *out) {
    PM_AUTO_STRBUF struct pm_strbuf whole = {0}, part = {0};
    if (pm_snapshot_kind(snapshot, node) == PM_NODE_SLICED_STRING) {
        pm_node parent = pm_snapshot_follow(snapshot, node, PM_WORD_PARENT);
        pm_strbuf_append(out, "slice of ");
        if (parent == PM_NO_NODE || !pm_snapshot_text(snapshot, parent, most, &part))
            pm_strbuf_append(out, "a string");
        else
            quote(out, pm_strbuf_text(&part), part.length, true);
        return;
    }
    if (!pm_snapshot_text(snapshot, node, most + 1, &whole)) {
        pm_strbuf_append(out, "\"…\"");
        return;
    }
    pm_snapshot_text(snapshot, node, most, &part);
    quote(out, pm_strbuf_text(&part), part.length, part.length < whole.length);
}

static void append_name(const struct pm_snapshot *snapshot, pm_node node, const char *otherwise,
                        struct pm_strbuf *out) {
    char *name PM_AUTO_FREE = pm_snapshot_node_name(snapshot, node, PM_MAX_NAME);
    pm_strbuf_append(out, name && *name ? name : otherwise);
}

static void symbol_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out) {
    pm_node name = pm_snapshot_follow(snapshot, node, PM_WORD_NAME);
    pm_strbuf_append(out, "Symbol(");
    if (name != PM_NO_NODE) pm_snapshot_text(snapshot, name, PM_MAX_NAME, out);
    pm_strbuf_append_char(out, ')');
}

void pm_snapshot_short_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out) {
    double value;
    switch (pm_snapshot_kind(snapshot, node)) {
    case PM_NODE_STRING:
    case PM_NODE_CONS_STRING:
    case PM_NODE_SLICED_STRING: quote_string(snapshot, node, SHORT_UNITS, out); break;
    case PM_NODE_NUMBER:
        if (pm_snapshot_number_value(snapshot, node, &value))
            pm_strbuf_appendf(out, "%.17g", value);
        else
            pm_strbuf_append(out, "number");
        break;
    case PM_NODE_CLOSURE:
        pm_strbuf_append(out, "function ");
        append_name(snapshot, node, "(anonymous)", out);
        break;
    case PM_NODE_SYMBOL: symbol_text(snapshot, node, out); break;
    case PM_NODE_OTHER: {
        struct pm_json_text word = pm_snapshot_oddball(snapshot, node);
        pm_json_unescape(word, PM_MAX_NAME, out);
        if (!word.length) pm_strbuf_append(out, pm_snapshot_class(snapshot, node));
        break;
    }
    default:
        if (pm_snapshot_class(snapshot, node)[0] == '(')
            append_name(snapshot, node, pm_snapshot_class(snapshot, node), out);
        else
            pm_strbuf_append(out, pm_snapshot_class(snapshot, node));
    }
}

static bool is_listed(const struct pm_snapshot *snapshot, const struct pm_snapshot_edge *edge) {
    if (edge->kind == PM_EDGE_ELEMENT || edge->kind == PM_EDGE_CONTEXT) return true;
    return edge->kind == PM_EDGE_PROPERTY &&
           !pm_snapshot_name_is(snapshot, edge->name, snapshot->words[PM_WORD_PROTO]);
}

/* {name: "x", …}, as far as there is room. */
static void list_properties(const struct pm_snapshot *snapshot, pm_node node, size_t most,
                            struct pm_strbuf *out) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    size_t listed = 0, seen = 0;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge) && seen++ < LISTED_EDGES) {
        if (!is_listed(snapshot, &edge)) continue;
        PM_AUTO_STRBUF struct pm_strbuf item = {0};
        if (pm_snapshot_is_named(edge.kind)) {
            pm_json_unescape(pm_snapshot_string(&snapshot->file, edge.name), PM_MAX_NAME, &item);
            pm_strbuf_append(&item, ": ");
        }
        pm_snapshot_short_text(snapshot, edge.to, &item);
        pm_strbuf_append(out, listed++ ? ", " : " {");
        if (out->length + item.length > most) {
            pm_strbuf_append(out, "…");
            break;
        }
        pm_strbuf_append_bytes(out, pm_strbuf_text(&item), item.length);
    }
    if (listed) pm_strbuf_append_char(out, '}');
}

static void list_keys(const struct pm_snapshot *snapshot, pm_node node, size_t most, struct pm_strbuf *out) {
    uint64_t cursor = 0;
    double value;
    bool is_number;
    for (size_t listed = 0;; listed++) {
        PM_AUTO_STRBUF struct pm_strbuf key = {0}, item = {0};
        if (!pm_snapshot_next_key(snapshot, node, &cursor, &key, &value, &is_number)) {
            if (listed) pm_strbuf_append_char(out, '}');
            return;
        }
        if (is_number)
            pm_strbuf_appendf(&item, "%.17g", value);
        else
            quote(&item, pm_strbuf_text(&key), key.length, false);
        pm_strbuf_append(out, listed ? ", " : " {");
        if (out->length + item.length > most) {
            pm_strbuf_append(out, "…}");
            return;
        }
        pm_strbuf_append_bytes(out, pm_strbuf_text(&item), item.length);
    }
}

static void describe_closure(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out) {
    char *function PM_AUTO_FREE = NULL;
    struct pm_graph_position position;
    pm_snapshot_short_text(snapshot, node, out);
    if (!pm_snapshot_position(snapshot, node, &function, &position) || !position.file) return;
    const char *slash = strrchr(position.file, '/');
    bool base = slash && slash[1] && strncmp(position.file, "node:", 5) != 0;
    pm_strbuf_appendf(out, " (%s", base ? slash + 1 : position.file);
    if (position.line) pm_strbuf_appendf(out, ":%u", position.line);
    pm_strbuf_append_char(out, ')');
    free(position.file);
}

/* Cuts at the beginning of a character; `least` bytes stay in any case. */
static void cut(struct pm_strbuf *out, size_t start, size_t most) {
    if (out->length - start <= most) return;
    size_t at = start + (most > 3 ? most - 3 : 0);
    while (at > start && ((unsigned char)out->bytes[at] & 0xc0) == 0x80) at--;
    out->length = at;
    out->bytes[at] = 0;
    if (most >= 3) pm_strbuf_append(out, "…");
}

void pm_snapshot_describe(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    const struct pm_snapshot *snapshot = self;
    PM_AUTO_STRBUF struct pm_strbuf line = {0};
    enum pm_node_kind kind = pm_snapshot_kind(snapshot, node);
    uint64_t count, capacity;
    bool counted = false;
    switch (kind) {
    case PM_NODE_STRING:
    case PM_NODE_CONS_STRING:
    case PM_NODE_SLICED_STRING: quote_string(snapshot, node, most < 8 ? most : most - 5, &line); break;
    case PM_NODE_CLOSURE: describe_closure(snapshot, node, &line); break;
    case PM_NODE_NUMBER:
    case PM_NODE_SYMBOL:
    case PM_NODE_OTHER: pm_snapshot_short_text(snapshot, node, &line); break;
    case PM_NODE_ROOT: append_name(snapshot, node, "(root)", &line); break;
    case PM_NODE_REGEXP:
        pm_strbuf_append_char(&line, '/');
        append_name(snapshot, node, "", &line);
        pm_strbuf_append_char(&line, '/');
        break;
    default:
        pm_snapshot_short_text(snapshot, node, &line);
        counted = (pm_snapshot_is_hashed(kind) || kind == PM_NODE_ARRAY) &&
                  pm_snapshot_entries(self, node, &count, &capacity);
        if (counted) pm_strbuf_appendf(&line, "(%llu)", (unsigned long long)count);
        if (kind == PM_NODE_MAP || kind == PM_NODE_SET)
            list_keys(snapshot, node, most < 64 ? 0 : most - 24, &line);
        else if (kind != PM_NODE_STORE && kind != PM_NODE_CODE && kind != PM_NODE_SHAPE)
            list_properties(snapshot, node, most < 64 ? 0 : most - 24, &line);
        pm_strbuf_appendf(&line, " @%llu", (unsigned long long)pm_snapshot_identity(self, node));
    }
    cut(&line, 0, most);
    pm_strbuf_append_bytes(out, pm_strbuf_text(&line), line.length);
}
