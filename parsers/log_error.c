#include "parsers/log_error.h"

#include <string.h>

#include "parsers/stack_text.h"

#define MOST_LINES   500  /* of one error: Node prints 10 frames by default */
#define MOST_MESSAGE 4096 /* bytes kept of a message */
#define MOST_FRAMES  200

void pm_log_error_deinit(struct pm_log_error_reader *reader) {
    pm_strbuf_deinit(&reader->message);
    pm_vec_deinit(&reader->frames);
}

bool pm_log_is_mark(const char *line) {
    size_t blanks = strspn(line, " \t"), marks = strspn(line + blanks, "^");
    return marks && line[blanks + marks + strspn(line + blanks + marks, " \t")] == 0;
}

static const char *trimmed(struct pm_arena *arena, const char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
    return length ? pm_arena_copy(arena, text, length < 400 ? length : 400) : NULL;
}

/* "/app/src/pay.js:12", "file:///app/pay.mjs:3", "node:events:497" */
static bool place_of(struct pm_arena *arena, const char *text, struct pm_position *ret) {
    size_t length = strlen(text), end = length;
    uint64_t line = 0, unit = 1;
    while (end && text[end - 1] >= '0' && text[end - 1] <= '9' && unit < 10000000000) {
        line += unit * (uint64_t)(text[--end] - '0');
        unit *= 10;
    }
    if (end == length || end < 2 || text[end - 1] != ':' || !line || line > UINT32_MAX || text[0] == ' ')
        return false;
    if (strncmp(text, "file://", 7) == 0 && end > 8) {
        text += 7;
        end -= 7;
    }
    *ret = (struct pm_position){.file = pm_arena_copy(arena, text, end - 1), .line = (uint32_t)line};
    return ret->file != NULL;
}

bool pm_log_error_begin(struct pm_log_error_reader *reader, const char *place, const char *source) {
    struct pm_position thrown;
    if (!place_of(reader->arena, place, &thrown)) return false;
    reader->error = (struct pm_log_error){.thrown = thrown, .source = trimmed(reader->arena, source)};
    reader->state = PM_ERROR_HEAD;
    reader->lines = 0;
    reader->in_cause = false;
    reader->frames.count = 0;
    pm_strbuf_clear(&reader->message);
    return true;
}

/* The length of an error's name at `text`: "TypeError", "Error [ERR_X]"; 0 = none. */
static size_t name_length(const char *text) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.");
    if (!length || length > 120) return 0;
    if (text[length] == ' ' && text[length + 1] == '[') {
        size_t code = strcspn(text + length + 2, "]");
        if (text[length + 2 + code] == ']' && code < 100) length += code + 3;
    }
    return text[length] == ':' || text[length] == 0 ? length : 0;
}

/* "TypeError: text" -> name and message; a code in brackets is the error's code. */
static void split(struct pm_arena *arena, const char *text, const char **name_ret, const char **message_ret,
                  const char **code_ret) {
    size_t length = name_length(text);
    const char *open = length ? memchr(text, '[', length) : NULL;
    *name_ret = NULL;
    *message_ret = pm_arena_strdup(arena, text);
    if (!length) return;
    *name_ret = pm_arena_copy(arena, text, open ? (size_t)(open - text) - 1 : length);
    const char *rest = text + length + (text[length] == ':');
    *message_ret = pm_arena_strdup(arena, rest + strspn(rest, " "));
    if (open && code_ret && !*code_ret)
        *code_ret = pm_arena_copy(arena, open + 1, (size_t)(text + length - open) - 2);
}

static bool is_end(const char *line) {
    return strncmp(line, "Node.js v", 9) == 0 || strncmp(line, "(Use `node", 10) == 0 ||
           strncmp(line, "Thrown at:", 10) == 0;
}

static bool is_frame(const char *line) {
    size_t blanks = strspn(line, " ");
    return blanks >= 2 && strncmp(line + blanks, "at ", 3) == 0;
}

static void add_frame(struct pm_log_error_reader *reader, const char *line) {
    struct pm_frame frame;
    bool failed = false;
    size_t length = strlen(line);
    bool opens = length > 2 && strcmp(line + length - 2, " {") == 0;
    if (opens) length -= 2;
    if (reader->frames.count < MOST_FRAMES && pm_stack_line(line, length, reader->arena, &frame, &failed)) {
        if (reader->in_cause) {
            if (!reader->error.cause.file) reader->error.cause = frame.position;
        } else if (!pm_vec_push(&reader->frames, frame)) {
            return;
        }
    }
    reader->state = opens ? PM_ERROR_PROPERTIES : reader->state;
}

/* "  code: 'EPAY'," and "  [cause]: TypeError: x" */
static void property(struct pm_log_error_reader *reader, const char *line) {
    struct pm_log_error *error = &reader->error;
    const char *text = line + strspn(line, " ");
    if (strncmp(text, "[cause]: ", 9) == 0 && !error->cause_message) {
        split(reader->arena, text + 9, &error->cause_name, &error->cause_message, NULL);
        reader->in_cause = true;
    } else if (strncmp(text, "code: '", 7) == 0 && !error->code) {
        size_t length = strcspn(text + 7, "'");
        error->code = pm_arena_copy(reader->arena, text + 7, length);
    }
}

static void head(struct pm_log_error_reader *reader, const char *line) {
    if (is_frame(line)) {
        reader->state = PM_ERROR_FRAMES;
        add_frame(reader, line);
        return;
    }
    if (!reader->message.length && !*line) return; /* the empty line behind the mark */
    if (reader->message.length > MOST_MESSAGE) return;
    /* "[UnhandledPromiseRejection: ...] {": without frames the properties follow at once. */
    size_t length = strlen(line);
    bool opens = !reader->message.length && length > 3 && strcmp(line + length - 3, "] {") == 0;
    if (reader->message.length) pm_strbuf_append_char(&reader->message, '\n');
    pm_strbuf_append_bytes(&reader->message, line, opens ? length - 2 : length);
    if (opens) reader->state = PM_ERROR_PROPERTIES;
}

bool pm_log_error_line(struct pm_log_error_reader *reader, const char *line) {
    bool ends = is_end(line) || reader->lines++ > MOST_LINES;
    if (reader->state == PM_ERROR_HEAD && reader->lines > 40) ends = true;
    if (!ends && reader->state == PM_ERROR_HEAD) {
        head(reader, line);
    } else if (!ends && reader->state == PM_ERROR_FRAMES) {
        if (is_frame(line))
            add_frame(reader, line);
        else if (strncmp(line, "Emitted '", 9) != 0)
            ends = true;
    } else if (!ends && line[0] == '}') {
        ends = true;
    } else if (!ends && is_frame(line)) {
        add_frame(reader, line);
    } else if (!ends) {
        property(reader, line);
    }
    if (ends) reader->state = PM_ERROR_NONE;
    return ends;
}

struct pm_log_error *pm_log_error_take(struct pm_log_error_reader *reader) {
    struct pm_log_error *error = &reader->error;
    const char *text = pm_strbuf_text(&reader->message);
    /* What was thrown need not be an error: "Uncaught 'text'", or a rejection with a text. */
    if (strncmp(text, "Uncaught", 8) == 0) text += 8 + strspn(text + 8, ": \n");
    if (strncmp(text, "[UnhandledPromiseRejection: ", 28) == 0) error->rejection = true;
    if (text[0] == '[') text++;
    split(reader->arena, text, &error->name, &error->message, &error->code);
    if (!error->message) return NULL;
    error->rejection |= strstr(error->message, "rejected with the reason") != NULL ||
                        (error->source && strncmp(error->source, "triggerUncaughtException(", 25) == 0);
    error->frame_count = reader->frames.count;
    error->frames = pm_arena_dup(reader->arena, reader->frames.items, reader->frames.count,
                                 sizeof(*reader->frames.items));
    if (!error->frames) error->frame_count = 0;
    return pm_arena_dup(reader->arena, error, 1, sizeof(*error));
}
