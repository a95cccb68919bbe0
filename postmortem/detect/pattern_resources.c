/* What a process holds of the outside and of V8: streams, sockets, contexts, modules, errors. */
#include <string.h>

#include "postmortem/detect/leak_case.h"

/* ---- streams ---- */

bool pm_pattern_stream(struct pm_case *leak) {
    static const char *const writing[] = {"kBufferedValue", "bufferedRequest", "_writableState",
                                          "kBuffered",      "outputData",      NULL};
    static const char *const reading[] = {"_readableState", NULL};
    size_t out = pm_owner_find(&leak->owner, writing), in = pm_owner_find(&leak->owner, reading);
    size_t sign = out != SIZE_MAX ? out : in;
    if (sign == SIZE_MAX || sign > 3) return false;
    const struct pm_link *state = &leak->owner.links[sign];
    /* the stream is what has the state */
    if (strcmp(state->class_name, "WritableState") == 0 && sign + 1 < leak->owner.link_count)
        state = &leak->owner.links[++sign];
    pm_owner_choose(&leak->owner, sign + 1);
    double length = 0;
    const struct pm_graph_source *source = leak->view->graph->source;
    pm_node holder =
        pm_case_property(leak, state->from, out != SIZE_MAX ? "_writableState" : "_readableState");
    bool known = holder != PM_NO_NODE && source->number &&
                 source->number(leak->view->graph->source_self, holder, "length", &length);
    pm_case_evidence(leak, pm_arena_printf(leak->arena, "stream: %s",
                                           pm_view_describe(leak->view, leak->arena, state->from, 90)));
    if (known)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "its own count: %s buffered",
                                               pm_words_count(leak->arena, (uint64_t)length)));
    leak->id = "stream-buffer";
    leak->what = out != SIZE_MAX ? "chunks waiting to be written to a stream"
                                 : "chunks that nobody reads from a stream";
    leak->about_variable = true;
    leak->advice = out != SIZE_MAX ? "write() returned false and nobody waited for 'drain': use pipeline(), "
                                     "or stop writing until 'drain'."
                                   : "Nobody reads what arrives: consume the stream ('data', pipe, for "
                                     "await), resume() it to throw the data "
                                     "away, or destroy() it.";
    return true;
}

/* ---- sockets ---- */

static bool is_socket_class(const char *name) {
    static const char *const names[] = {
        "Socket",         "TLSSocket",    "WebSocket",         "TCP",           "IncomingMessage",
        "ServerResponse", "Http2Session", "ServerHttp2Stream", "ClientRequest", "ClientHttp2Stream"};
    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

bool pm_pattern_socket(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    if (!is_socket_class(suspect->member_class) || suspect->member_total < PM_SOCKETS_LEAST) return false;
    size_t closed = 0, known = 0;
    for (size_t i = 0; i < suspect->member_count; i++) {
        const struct pm_graph *graph = leak->view->graph;
        bool has = false, open = false;
        for (uint64_t edge = graph->first_edge[suspect->members[i]];
             edge < graph->first_edge[suspect->members[i] + 1]; edge++) {
            pm_node to = graph->edges[edge];
            const char *class_name = pm_view_class(leak->view, to);
            open |= strcmp(class_name, "TCP") == 0 || strcmp(class_name, "TLSWrap") == 0 ||
                    strcmp(class_name, "Pipe") == 0;
            has |= strcmp(class_name, "WritableState") == 0;
        }
        known += has;
        closed += has && !open;
    }
    if (known)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "closed: %.0f %% of those looked at",
                                               100.0 * (double)closed / (double)known));
    bool are_closed = known && closed * 2 > known;
    leak->id = "socket-leak";
    leak->what = are_closed ? "sockets that are closed" : "sockets";
    leak->advice = are_closed ? "Remove a connection from the collection on its 'close' event."
                              : "Limit how many connections may be open, set timeouts (socket.setTimeout, "
                                "keep-alive), and remove "
                                "them on 'close'.";
    return true;
}

/* ---- native contexts ---- */

bool pm_pattern_contexts(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    uint64_t contexts = leak->census.by_kind[PM_NODE_NATIVE_CONTEXT];
    bool members =
        suspect->member_count && pm_view_kind(leak->view, suspect->members[0]) == PM_NODE_NATIVE_CONTEXT;
    if (members) contexts = suspect->member_total;
    if (contexts < PM_CONTEXTS_LEAST) return false;
    pm_case_evidence(
        leak, pm_arena_printf(leak->arena, "native contexts: %s", pm_words_count(leak->arena, contexts)));
    leak->of = ""; /* what is in a context is not what counts */
    leak->id = "native-contexts";
    leak->what = leak->counted ? "entries with whole JavaScript contexts (vm.createContext, jsdom windows)"
                               : "whole JavaScript contexts (vm.createContext, jsdom windows)";
    leak->advice = "Each context has its own globals and built-ins (some 500 kB). Make one and use it again, "
                   "or close it "
                   "(window.close()) and drop every reference to it and to functions made in it.";
    return true;
}

/* ---- modules ---- */

bool pm_pattern_modules(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    bool modules = suspect->member_class && strcmp(suspect->member_class, "Module") == 0;
    if (!modules || suspect->member_total < PM_GROUP_LEAST) return false;
    pm_node file = PM_NO_NODE;
    for (size_t i = 0; i < suspect->member_count && file == PM_NO_NODE; i++)
        file = pm_case_property(leak, suspect->members[i], "filename");
    if (file != PM_NO_NODE)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "one of the modules: %s",
                                               pm_view_describe(leak->view, leak->arena, file, 120)));
    /* the module that loads them */
    static const char *const names[] = {"children", NULL};
    size_t sign = pm_owner_find(&leak->owner, names);
    if (sign != SIZE_MAX) {
        pm_node parent = pm_case_property(leak, leak->owner.links[sign].from, "filename");
        PM_AUTO_STRBUF struct pm_strbuf text = {0};
        const struct pm_graph *graph = leak->view->graph;
        if (parent != PM_NO_NODE && graph->source->text(graph->source_self, parent, 1000, &text))
            leak->position = (struct pm_position){pm_arena_strdup(leak->arena, pm_strbuf_text(&text)), 0, 0};
        leak->name = "children";
    }
    leak->id = pm_view_kind(leak->view, leak->node) == PM_NODE_ARRAY ? "unbounded-array" : "unbounded-object";
    leak->what = "modules, loaded again and again";
    leak->advice = "A module that is removed from require.cache and loaded again stays in the `children` of "
                   "the module that "
                   "loads it: load it once, or remove it there, too.";
    return true;
}

/* ---- errors ---- */

bool pm_pattern_error(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    size_t errors = 0;
    for (size_t i = 0; i < suspect->member_count; i++)
        errors += pm_view_kind(leak->view, suspect->members[i]) == PM_NODE_ERROR;
    bool members = errors * 2 > suspect->member_count && errors >= PM_GROUP_LEAST;
    bool bytes =
        leak->census.by_kind[PM_NODE_ERROR] * 4 > suspect->member_total &&
        leak->census.by_kind[PM_NODE_ERROR] > PM_PROMISE_LEAST &&
        (double)leak->census.bytes_by_kind[PM_NODE_ERROR] > PM_ERROR_PART * (double)leak->census.bytes;
    if (!members && !bytes) return false;
    leak->id = "error-leak";
    leak->what = "errors, each with its captured stack";
    leak->advice = "Keep what is needed of an error (message, code) instead of the error itself: its stack "
                   "keeps the functions that "
                   "were running. Bound the list.";
    return true;
}
