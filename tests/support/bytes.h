/* bytes.h - a growing block of bytes for the builders of tests. Without memory the test program ends. */
#ifndef PM_TESTS_BYTES_H
#define PM_TESTS_BYTES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t *data;
    size_t size, room;
};

static inline void *bytes_need(void *pointer) {
    if (!pointer) abort();
    return pointer;
}
static inline void bytes_free(struct bytes *b) {
    free(b->data);
    *b = (struct bytes){0};
}
/* NULL adds zeroes. */
static inline void bytes_add(struct bytes *b, const void *from, size_t size) {
    if (b->size + size > b->room || !b->data) {
        b->room = (b->size + size) * 2 + 64;
        b->data = bytes_need(realloc(b->data, b->room));
    }
    if (from)
        memcpy(b->data + b->size, from, size);
    else
        memset(b->data + b->size, 0, size);
    b->size += size;
}
static inline void bytes_align(struct bytes *b, size_t unit) {
    bytes_add(b, NULL, (unit - b->size % unit) % unit);
}
static inline void bytes_put(struct bytes *b, size_t at, const void *from, size_t size) {
    if (at + size > b->size) abort();
    memcpy(b->data + at, from, size);
}
/* Writes a file and returns its path (malloc). */
static inline char *bytes_write(const void *data, size_t size, const char *folder, const char *name) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0) abort();
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
    return path;
}

#endif
