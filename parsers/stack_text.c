#include "parsers/stack_text.h"

#include <string.h>

/* A text that shrinks from both ends. */
struct span {
    const char *start, *end;
};

static bool starts(struct span *span, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(span->end - span->start) < length || memcmp(span->start, word, length) != 0) return false;
    span->start += length;
    return true;
}

/* Takes ":123" off the end. */
static bool take_number(struct span *span, uint32_t *ret) {
    const char *p = span->end;
    uint64_t value = 0, unit = 1;
    while (p > span->start && p[-1] >= '0' && p[-1] <= '9' && unit < 10000000000) {
        value += unit * (uint64_t)(*--p - '0');
        unit *= 10;
    }
    if (p == span->end || p == span->start || p[-1] != ':' || value > UINT32_MAX) return false;
    span->end = p - 1;
    *ret = (uint32_t)value;
    return true;
}

/* file:line:column, or file:line */
static bool take_position(struct span place, struct pm_arena *arena, struct pm_position *ret, bool *failed) {
    uint32_t last, before;
    if (!take_number(&place, &last)) return false;
    struct pm_position position = {.line = last};
    if (take_number(&place, &before)) position = (struct pm_position){.line = before, .column = last};
    starts(&place, "file://");
    if (place.start == place.end) return false;
    position.file = pm_arena_copy(arena, place.start, (size_t)(place.end - place.start));
    *failed |= !position.file;
    if (position.file) *ret = position;
    return position.file != NULL;
}

/* "eval at render (/app/t.js:3:5), <anonymous>:1:7": the innermost parentheses hold the place in a file. */
static struct span outer_place(struct span place) {
    struct span rest = place;
    while (starts(&rest, "eval at ")) {
        const char *open = memchr(rest.start, '(', (size_t)(rest.end - rest.start));
        if (!open) break;
        rest.start = open + 1;
        place = rest;
    }
    const char *close = memchr(place.start, ')', (size_t)(place.end - place.start));
    if (close) place.end = close;
    return place;
}

bool pm_stack_line(const char *line, size_t length, struct pm_arena *arena, struct pm_frame *ret,
                   bool *failed_ret) {
    struct span text = {line, line + length};
    while (text.start < text.end && (*text.start == ' ' || *text.start == '\t')) text.start++;
    while (text.end > text.start && (text.end[-1] == ' ' || text.end[-1] == '\r' || text.end[-1] == '\n'))
        text.end--;
    if (!starts(&text, "at ")) return false;
    struct pm_frame frame = {.kind = PM_FRAME_JS, .offset = PM_UNKNOWN};
    frame.is_async = starts(&text, "async ");
    struct span name = text, place = text;
    const char *open = NULL;
    if (text.end > text.start && text.end[-1] == ')')
        for (const char *p = text.start; p + 1 < text.end; p++)
            if (p[0] == ' ' && p[1] == '(') { /* the first one: a place may have parentheses of its own */
                open = p;
                break;
            }
    if (open) {
        name.end = open;
        place = (struct span){open + 2, text.end - 1};
        frame.constructor = starts(&name, "new ");
        if (frame.constructor) name.start -= 4;
        frame.function = pm_arena_copy(arena, name.start, (size_t)(name.end - name.start));
        if (!frame.function) {
            *failed_ret = true;
            return false;
        }
    }
    if (!take_position(outer_place(place), arena, &frame.position, failed_ret)) {
        if (!open) return false; /* prose that begins with "at" */
        frame.kind = PM_FRAME_BUILTIN;
    }
    *ret = frame;
    return true;
}
