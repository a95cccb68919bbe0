#include "postmortem/report/heapsnapshot_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <xxhash.h>

#include "postmortem/base/escape.h"

struct slot {
    XXH128_hash_t hash;
    uint32_t number; /* + 1; 0 = free */
};

struct pm_snapshot_strings {
    FILE *file;
    struct slot *slots;
    uint64_t slot_count; /* a power of two */
    uint32_t count;
    struct pm_strbuf escaped;
    bool no_memory, no_room;
};

static int open_unnamed(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
    char *path = NULL; /* a file system that does not know unnamed files */
    if (asprintf(&path, "%s/.postmortem-XXXXXX", folder) < 0) return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    free(path);
    return fd;
}

static FILE *open_spool(const char *folder) {
    const char *wanted = getenv("TMPDIR");
    const char *const folders[] = {folder, wanted && *wanted ? wanted : NULL, "/var/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        int fd = folders[i] ? open_unnamed(folders[i]) : -1;
        FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
        if (file) return file;
        if (fd >= 0) close(fd);
    }
    return NULL;
}

struct pm_error *pm_snapshot_strings_create(const char *folder, struct pm_snapshot_strings **ret) {
    struct pm_snapshot_strings *strings PM_AUTO(snapshot_strings) = calloc(1, sizeof(*strings));
    if (!strings) return pm_error_nomem();
    strings->slot_count = 4096;
    strings->slots = calloc(strings->slot_count, sizeof(*strings->slots));
    if (!strings->slots) return pm_error_nomem();
    strings->file = open_spool(folder);
    if (!strings->file)
        return pm_error_hint(pm_error_create(PM_ERR_IO,
                                             "no temporary file for the strings of the snapshot: %s",
                                             strerror(errno)),
                             "Set TMPDIR to a folder with room.");
    *ret = PM_TAKE(strings);
    return NULL;
}

void pm_snapshot_strings_destroy(struct pm_snapshot_strings *strings) {
    if (!strings) return;
    if (strings->file) fclose(strings->file);
    pm_strbuf_deinit(&strings->escaped);
    free(strings->slots);
    free(strings);
}

static struct slot *slot_of(struct slot *slots, uint64_t count, XXH128_hash_t hash) {
    uint64_t at = hash.low64 & (count - 1);
    while (slots[at].number && !XXH128_isEqual(slots[at].hash, hash)) at = (at + 1) & (count - 1);
    return &slots[at];
}

static bool grow(struct pm_snapshot_strings *strings) {
    uint64_t count = strings->slot_count * 2;
    struct slot *slots = calloc(count, sizeof(*slots));
    if (!slots) return false;
    for (uint64_t i = 0; i < strings->slot_count; i++)
        if (strings->slots[i].number) *slot_of(slots, count, strings->slots[i].hash) = strings->slots[i];
    free(strings->slots);
    strings->slots = slots;
    strings->slot_count = count;
    return true;
}

uint32_t pm_snapshot_strings_add(struct pm_snapshot_strings *strings, const char *text, size_t length) {
    XXH128_hash_t hash = XXH3_128bits(text, length);
    struct slot *slot = slot_of(strings->slots, strings->slot_count, hash);
    if (slot->number) return slot->number - 1;
    if ((uint64_t)strings->count * 10 >= strings->slot_count * 7) {
        if (!grow(strings)) {
            strings->no_memory = true;
            return 0;
        }
        slot = slot_of(strings->slots, strings->slot_count, hash);
    }
    *slot = (struct slot){hash, ++strings->count};
    struct pm_strbuf *escaped = &strings->escaped;
    pm_strbuf_clear(escaped);
    pm_strbuf_append(escaped, strings->count > 1 ? ",\n\"" : "\"");
    pm_escape_json(escaped, text, length);
    pm_strbuf_append_char(escaped, '"');
    if (escaped->failed) strings->no_memory = true;
    if (fwrite(pm_strbuf_text(escaped), 1, escaped->length, strings->file) != escaped->length)
        strings->no_room = true;
    return strings->count - 1;
}

struct pm_error *pm_snapshot_strings_finish(struct pm_snapshot_strings *strings, FILE *out) {
    char block[65536];
    size_t length;
    if (strings->no_memory) return pm_error_nomem();
    if (strings->no_room || fflush(strings->file) != 0 || fseek(strings->file, 0, SEEK_SET) != 0)
        return pm_error_create(PM_ERR_IO, "temporary file for the strings of the snapshot: %s",
                               strerror(errno));
    while ((length = fread(block, 1, sizeof(block), strings->file)) > 0)
        if (fwrite(block, 1, length, out) != length) return NULL; /* the caller sees it at `out` */
    if (ferror(strings->file))
        return pm_error_create(PM_ERR_IO, "temporary file for the strings of the snapshot: %s",
                               strerror(errno));
    return NULL;
}
