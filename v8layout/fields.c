#include "v8layout/fields.h"

#include "v8layout/fields/finder.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* fields.c - where each field of each kind of object is, without asking for a version.
 *
 * For a field there are up to three witnesses:
 *   published   v8dbg_class_<Class>__<field>__... in the binary, if there
 *   seen        the offsets this field had in the V8 versions we looked into: the columns of fields/rules.c
 *   the slots   what objects of this core hold at an offset: `shared` of a JSFunction is the slot with a
 *               SharedFunctionInfo, in every JSFunction
 *
 * Objects decide. Some hundred of each kind are taken from pages all over the heap, and an offset that they
 * contradict is not used, whoever published it. What they confirm is PUBLISHED, if it was, else DISCOVERED.
 * What they cannot tell (a raw number, or a kind of object this heap has none of) follows the column that
 * agrees best with the decided fields, those of the same kind of object first: VARIANT. When objects
 * contradict all known offsets, the one slot that fits is taken.
 *
 * TO ADD a version: nothing, as long as each of its fields stands where it stood in some column; else a
 * column. */

static const struct {
    const char *name, *class_name, *field_names;
    size_t at; /* in struct v8_layout */
} fields[F_COUNT] = {
#define V8_FIELD(id, type, class_name, field_names, what)                                                    \
    [F_##id] = {#id, class_name, field_names, offsetof(struct v8_layout, id)},
#include "v8layout/fields.def"
#undef V8_FIELD
};

static struct v8_field *field_at(struct v8_layout *layout, enum field_id id) {
    return (struct v8_field *)((char *)layout + fields[id].at);
}

struct score {
    unsigned yes, no;
};

static struct score score(struct finder *f, enum field_id id, uint32_t offset) {
    const struct rule *rule = &v8_field_rules[id];
    struct score result = {0};
    for (uint16_t i = 0; i < f->count[rule->kind]; i++) {
        const struct sample *sample = &f->samples[rule->kind][i];
        enum verdict verdict = NO;
        v8_word word;
        enum v8_type type;
        if (rule->check) {
            verdict = rule->check(f, sample, offset);
        } else if (v8_sample_word(f, sample, offset, &word)) {
            unsigned is = v8_classify(f->v8, word, &type);
            bool listed = false;
            for (size_t k = 0; k < sizeof(rule->types) / sizeof(rule->types[0]) && rule->types[k]; k++)
                listed = listed || rule->types[k] == type;
            verdict = listed || (is & rule->yes) ? YES : is & rule->unsure ? UNSURE : NO;
        }
        result.yes += verdict == YES;
        result.no += verdict == NO;
    }
    return result;
}

/* Is anything known about this field that objects can confirm or contradict? */
static bool can_check(const struct rule *rule) {
    return rule->check || rule->yes || rule->unsure || rule->types[0];
}

static bool contradicts(struct score score) {
    return score.no * 50 > score.yes + score.no;
}

static void decide(struct finder *f, enum field_id id, uint32_t offset, enum v8_origin origin) {
    *field_at(&f->v8->layout, id) =
        (struct v8_field){.offset = (uint16_t)offset, .present = true, .origin = (uint8_t)origin};
}

static void vote(struct finder *f, enum field_id id, uint32_t offset) {
    const struct rule *rule = &v8_field_rules[id];
    for (unsigned c = 0; c < V8_COLUMNS; c++)
        if (rule->seen[c] == offset) {
            f->votes[c]++;
            f->kind_votes[rule->kind][c]++;
        }
}

/* The one slot that fits, when no known offset does. */
static uint32_t search_slots(struct finder *f, enum field_id id) {
    const struct rule *rule = &v8_field_rules[id];
    uint32_t found = 0, step = rule->check ? rule->step : 8;
    if (f->count[rule->kind] < 3 || step == 0 || !(rule->check || rule->yes || rule->types[0])) return 0;
    for (uint32_t offset = 8; offset < 256; offset += step) {
        struct score result = score(f, id, offset);
        if (result.yes == 0 || contradicts(result)) continue;
        if (found) return 0;
        found = offset;
    }
    return found;
}

/* What objects say, first round: true = decided. */
static bool decide_by_objects(struct finder *f, enum field_id id) {
    const struct rule *rule = &v8_field_rules[id];
    int64_t published = 0;
    bool is_published =
        fields[id].field_names[0] &&
        v8_facts_class_field(f->v8->facts, fields[id].class_name, fields[id].field_names, &published) &&
        published > 0 && published < 4096;
    if (is_published) {
        struct score result = can_check(rule) ? score(f, id, (uint32_t)published) : (struct score){0};
        if (!contradicts(result)) {
            decide(f, id, (uint32_t)published, V8_PUBLISHED);
            vote(f, id, (uint32_t)published);
            return true;
        }
    }
    uint32_t confirmed = 0, possible = 0;
    bool several = false, is_constant = true;
    for (unsigned c = 0; c < V8_COLUMNS; c++) {
        uint32_t offset = rule->seen[c];
        is_constant = is_constant && offset == rule->seen[0];
        if (offset == 0 || offset == confirmed || !can_check(rule) || f->count[rule->kind] == 0) continue;
        struct score result = score(f, id, offset);
        if (contradicts(result)) continue;
        possible = offset;
        if (result.yes == 0) continue;
        several = several || confirmed;
        confirmed = offset;
    }
    if (is_published && (confirmed || (possible && possible != published))) {
        f->overruled++;
        snprintf(f->overruled_name, sizeof(f->overruled_name), "%s", fields[id].name);
    }
    if (confirmed && !several) {
        decide(f, id, confirmed, V8_DISCOVERED);
        vote(f, id, confirmed);
        return true;
    }
    if (!confirmed && !possible && can_check(rule) && (confirmed = search_slots(f, id))) {
        decide(f, id, confirmed, V8_DISCOVERED);
        return true;
    }
    return false;
}

unsigned v8_best_column(const struct finder *f, enum kind kind) {
    unsigned best = 0;
    for (unsigned c = 1; c < V8_COLUMNS; c++)
        if (f->kind_votes[kind][c] * 8 + f->votes[c] >= f->kind_votes[kind][best] * 8 + f->votes[best])
            best = c;
    return best;
}

/* Second round: the column that agrees best, unless objects contradict it. */
static void decide_by_column(struct finder *f, enum field_id id) {
    const struct rule *rule = &v8_field_rules[id];
    uint32_t offset = rule->seen[v8_best_column(f, rule->kind)];
    if (offset == 0) return;
    if (can_check(rule) && contradicts(score(f, id, offset))) {
        for (unsigned c = 0; c < V8_COLUMNS; c++)
            if (rule->seen[c] && !contradicts(score(f, id, rule->seen[c]))) {
                decide(f, id, rule->seen[c], V8_VARIANT);
                return;
            }
        return;
    }
    decide(f, id, offset, V8_VARIANT);
}

static void report(struct finder *f) {
    struct v8 *v8 = f->v8;
    unsigned origins[V8_KNOWN + 1] = {0};
    for (enum field_id id = 0; id < F_COUNT; id++) {
        const struct v8_field *field = field_at(&v8->layout, id);
        origins[field->present ? field->origin : V8_MISSING]++;
    }
    if (v8->check_count == sizeof(v8->checks) / sizeof(v8->checks[0])) return;
    struct v8_check *check = &v8->checks[v8->check_count++];
    check->name = "fields";
    check->score = 1;
    int written = snprintf(
        check->detail, sizeof(check->detail), "%u published, %u discovered, %u by variant, %u not in this V8",
        origins[V8_PUBLISHED], origins[V8_DISCOVERED], origins[V8_VARIANT], origins[V8_MISSING]);
    if (f->overruled && written > 0 && (size_t)written < sizeof(check->detail))
        snprintf(check->detail + written, sizeof(check->detail) - (size_t)written,
                 "; %u published offsets overruled (%s)", f->overruled, f->overruled_name);
}

struct pm_error *v8_discover_fields(struct v8 *v8) {
    struct finder *f = calloc(1, sizeof(*f));
    bool decided[F_COUNT];
    if (!f || !(f->walker = v8_walker_create(v8))) {
        free(f);
        return pm_error_nomem();
    }
    f->v8 = v8;
    v8_collect_samples(f);
    for (enum field_id id = 0; id < F_COUNT; id++) decided[id] = decide_by_objects(f, id);
    for (enum field_id id = 0; id < F_COUNT; id++)
        if (!decided[id] && v8_field_rules[id].kind != K_NONE) decide_by_column(f, id);
    v8_find_forms(f);
    report(f);
    v8_walker_destroy(f->walker);
    free(f);
    return NULL;
}

const char *v8_field_at(const struct v8_layout *layout, enum v8_type type, uint32_t offset) {
#define V8_FIELD(id, owner, class_name, fields, what)                                                        \
    if (type == V8_T_##owner && layout->id.present && layout->id.offset == offset) {                         \
        const char *underscore = strchr(#id, '_');                                                           \
        return underscore ? underscore + 1 : #id;                                                            \
    }
#include "v8layout/fields.def"
#undef V8_FIELD
    return NULL;
}

const char *v8_receiver_field_at(const struct v8_layout *layout, enum v8_type type, uint32_t offset) {
    switch (type) {
    case V8_T_JS_SET: type = V8_T_JS_MAP; break;
    case V8_T_JS_WEAK_SET: type = V8_T_JS_WEAK_MAP; break;
    case V8_T_JS_ASYNC_FUNCTION_OBJECT:
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: {
        const char *field = v8_field_at(layout, V8_T_JS_GENERATOR_OBJECT, offset);
        if (field) return field;
        break;
    }
    default:
        if (v8_is_function_type(type)) type = V8_T_JS_FUNCTION;
    }
    return v8_field_at(layout, type, offset);
}
