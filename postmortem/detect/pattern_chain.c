/* Chains and lists: ropes, scopes, prototypes, linked lists. */
#include <string.h>

#include "postmortem/detect/leak_case.h"

static bool is_chain_of(const struct pm_suspect *suspect, enum pm_node_kind kind, unsigned part) {
    return suspect->chain_kinds[kind] * part > suspect->chain_seen;
}

/* An edge `prototype` or V8's own from shape to object leads along the chain. */
static bool by_prototype(const struct pm_case *leak) {
    pm_node node = leak->suspect->link;
    for (unsigned i = 0; i < 12 && pm_view_child_count(leak->view, node); i++) {
        pm_node next = pm_view_child(leak->view, node, 0);
        uint64_t edge = pm_view_edge_to(leak->view, node, next);
        enum pm_edge_kind kind;
        const char *name =
            edge == UINT64_MAX ? NULL : pm_view_edge(leak->view, leak->arena, node, edge, &kind);
        if (name && (strcmp(name, "__proto__") == 0 || strcmp(name, "prototype") == 0)) return true;
        node = next;
    }
    return false;
}

bool pm_pattern_chain(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    if (suspect->kind != PM_SUSPECT_CHAIN) return false;
    const char *depth = pm_words_count(leak->arena, suspect->depth);
    leak->about_variable = true;
    pm_owner_choose(&leak->owner, pm_owner_list(&leak->owner));
    if (strstr(pm_view_describe(leak->view, leak->arena, suspect->link, 40), "WeakCell")) {
        leak->id = "finalization-registry";
        leak->what =
            pm_arena_printf(leak->arena, "values registered with a FinalizationRegistry, %s of them", depth);
        leak->advice =
            "A registered value stays until the object it was registered for is gone: let go of these "
            "objects, or call unregister(), and register no large values.";
        return true;
    }
    if (is_chain_of(suspect, PM_NODE_CONS_STRING, 2)) {
        leak->id = "rope";
        leak->what = pm_arena_printf(leak->arena, "a rope of %s concatenated strings", depth);
        leak->advice = "A string that only grows by += is kept as a tree of all its pieces: cut it, write it "
                       "out, or collect "
                       "pieces in a bounded array.";
        return true;
    }
    if (is_chain_of(suspect, PM_NODE_SHAPE, 5) || by_prototype(leak)) {
        leak->id = "prototype-chain";
        leak->what = pm_arena_printf(leak->arena, "a chain of %s prototypes", depth);
        leak->advice = "Object.create or a class made from the previous object at each step keeps all of "
                       "them: copy the values "
                       "instead.";
        return true;
    }
    if (is_chain_of(suspect, PM_NODE_CONTEXT, 5)) {
        leak->id = "context-chain";
        leak->what = pm_arena_printf(leak->arena, "a chain of %s closure scopes", depth);
        leak->advice = "Each closure keeps the scope in which the previous one was made. Do not refer to the "
                       "previous value from "
                       "a function of the same scope; set it to null when it is replaced.";
        struct pm_position position = pm_view_position(
            leak->view, leak->arena,
            leak->census.a_closure != PM_NO_NODE ? leak->census.a_closure : leak->node, NULL);
        pm_case_position(leak, "creator", NULL, position);
        return true;
    }
    leak->id = "linked-list";
    leak->what = pm_arena_printf(leak->arena, "a linked list of at least %s links", depth);
    leak->advice = "Unlink what is done, and bound the list's length.";
    return true;
}

bool pm_pattern_list(struct pm_case *leak) {
    bool properties =
        pm_view_kind(leak->view, leak->node) == PM_NODE_OBJECT && leak->entries <= PM_DICTIONARY;
    if (!leak->suspect->links_each_other || (leak->counted && !properties)) return false;
    leak->counted = false;
    leak->id = "linked-list";
    pm_owner_choose(&leak->owner, pm_owner_list(&leak->owner));
    leak->about_variable = true;
    leak->what = pm_arena_printf(leak->arena, "a linked list of %s links",
                                 pm_words_count(leak->arena, leak->suspect->member_total));
    leak->advice = "Unlink what is done, and bound the list's length.";
    return true;
}
