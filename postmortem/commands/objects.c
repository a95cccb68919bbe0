/* objects: the instances of one class. The class of an object nearly always follows from its map, so names
 * are asked once per map; only the largest instances are kept. */
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/commands.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"
#include "v8layout/objects.h"

#define USUAL_ROWS   20
#define MOST_SUMMARY 100

enum verdict_of_map { UNSEEN, OTHER_CLASS, WANTED_CLASS, BY_OBJECT };
struct seen_map {
    uint8_t verdict;
    const char *name; /* BY_OBJECT: of objects with nothing of their own */
};

struct search {
    const struct v8 *v8;
    const char *class_name;
    struct pm_arena *arena, *names;
    PM_VEC(struct seen_map) maps; /* index: map id */
    struct pm_object_row *rows;   /* a heap, the smallest on top, so that it can give way */
    size_t count, most;
    struct pm_object_list *list;
    bool failed;
};

static void sift_down(struct search *search, size_t at) {
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < search->count; child++)
            if (search->rows[child].size < search->rows[least].size) least = child;
        if (least == at) return;
        struct pm_object_row row = search->rows[at];
        search->rows[at] = search->rows[least];
        search->rows[least] = row;
        at = least;
    }
}

static bool grow_rows(struct search *search) {
    size_t wanted = search->count ? search->count * 2 : 64;
    if (wanted > search->most) wanted = search->most;
    struct pm_object_row *rows = reallocarray(search->rows, wanted, sizeof(*rows));
    if (!rows) return false;
    search->rows = rows;
    return true;
}

static void keep(struct search *search, const struct v8_object *object) {
    struct pm_object_row row = {.address = object->address, .size = object->size};
    if (search->count < search->most) {
        bool full = search->count == 0 || (search->count >= 64 && (search->count & (search->count - 1)) == 0);
        if (full && !grow_rows(search)) {
            search->failed = true;
            return;
        }
        size_t at = search->count++;
        search->rows[at] = row;
        while (at && search->rows[(at - 1) / 2].size > search->rows[at].size) {
            struct pm_object_row parent = search->rows[(at - 1) / 2];
            search->rows[(at - 1) / 2] = search->rows[at];
            search->rows[at] = parent;
            at = (at - 1) / 2;
        }
    } else if (search->count && search->rows[0].size < row.size) {
        search->rows[0] = row;
        sift_down(search, 0);
    }
}

static bool is_wanted(struct search *search, const struct v8_object *object) {
    uint32_t id = object->map->id;
    while (search->maps.count <= id)
        if (!pm_vec_push(&search->maps, (struct seen_map){0})) return search->failed = true, false;
    struct seen_map *seen = &search->maps.items[id];
    if (seen->verdict == UNSEEN) {
        bool all = v8_class_name_of_map(search->v8, object->map, search->names, &seen->name);
        if (!all)
            seen->verdict = BY_OBJECT;
        else
            seen->verdict =
                seen->name && !strcmp(seen->name, search->class_name) ? WANTED_CLASS : OTHER_CLASS;
    }
    if (seen->verdict != BY_OBJECT) return seen->verdict == WANTED_CLASS;
    const char *name = v8_class_name_of_object(search->v8, object->address, seen->name, search->names);
    return name && !strcmp(name, search->class_name);
}

static bool visit(void *context, const struct v8_object *object) {
    struct search *search = context;
    if (is_wanted(search, object)) {
        search->list->count++;
        search->list->bytes += object->size;
        keep(search, object);
    }
    return !search->failed;
}

static int by_size(const void *left, const void *right) {
    const struct pm_object_row *a = left, *b = right;
    if (a->size != b->size) return a->size < b->size ? 1 : -1;
    return a->address < b->address ? -1 : a->address > b->address;
}

static struct pm_error *finish(struct search *search) {
    struct pm_object_list *list = search->list;
    if (search->count) qsort(search->rows, search->count, sizeof(*search->rows), by_size);
    list->rows = pm_arena_dup(search->arena, search->rows, search->count, sizeof(*search->rows));
    if (search->count && !list->rows) return pm_error_nomem();
    list->row_count = search->count;
    for (size_t i = 0; i < list->row_count; i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        v8_describe(search->v8, v8_tag(list->rows[i].address), MOST_SUMMARY, &text);
        list->rows[i].summary = text.length ? pm_arena_copy(search->arena, text.bytes, text.length) : NULL;
    }
    return NULL;
}

static struct pm_error *run(struct pm_session *session) {
    PM_TRY(pm_session_need_v8(session));
    const struct pm_options *options = session->options;
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_arena *names PM_AUTO(arena) = pm_arena_create();
    struct search search = {.v8 = session->v8,
                            .class_name = options->class_name,
                            .arena = diagnosis->arena,
                            .names = names,
                            .most = options->limit ? options->limit : USUAL_ROWS};
    search.list = pm_arena_alloc(diagnosis->arena, sizeof(*search.list));
    if (!names || !search.list) return pm_error_nomem();
    search.list->class_name = pm_arena_strdup(diagnosis->arena, options->class_name);
    struct v8_walk_stats stats = {0};
    pm_session_say(session, "reading the heap");
    /* One walker for all pages: the numbers of its maps are the keys of search.maps. */
    struct v8_walker *walker = v8_walker_create(session->v8);
    bool more = walker != NULL;
    for (size_t i = 0; more && i < session->v8->page_count; i++) {
        const struct v8_page *page = &session->v8->pages[i];
        if (session->progress && i % 256 == 0)
            session->progress("reading the heap", i, session->v8->page_count);
        if (page->live) more = v8_walk_page(walker, page, visit, &search, &stats);
    }
    search.failed |= !walker;
    diagnosis->read_objects = stats.objects;
    if (stats.unparsed_bytes)
        pm_diagnosis_skip(diagnosis, "heap bytes", stats.unparsed_gaps, stats.unparsed_bytes, "not parsed");
    diagnosis->object_list = search.list;
    struct pm_error *err = search.failed ? pm_error_nomem() : finish(&search);
    v8_walker_destroy(walker);
    pm_vec_deinit(&search.maps);
    free(search.rows);
    if (!err && !search.list->count)
        err = pm_error_hint(pm_error_create(PM_ERR_NOT_FOUND, "%s: no object of class '%s'",
                                            session->input->path, options->class_name),
                            "The command histogram lists the classes as they are spelled.");
    return err;
}

const struct pm_command pm_command_objects = {
    .name = "objects",
    .arguments = "FILE --class NAME",
    .summary = "the instances of a class, largest first",
    .details = "The class is a name of the command histogram: UserSession, Map, (closure), (string).",
    .examples = (const char *const[]){"objects core.4711 --class UserSession --limit 50", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_OBJECT_LIST,
    .run = run,
};
