/* pprof: messages of pprof.proto. A message that follows another one of its kind is merged with it, repeated
 * fields appended; so the file is written in pieces, and memory is that of one of them. */
#include <postmortem/report/pprof.pb-c.h> /* made of pprof.proto */
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* inputs are const */
#include <zlib.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/report/profile_export.h"

#define TEXT_LEVEL  6
#define PACKED_SIZE 65536

struct writer {
    const struct pm_profile *profile;
    FILE *out;
    z_stream zip;
    uint8_t *packed; /* scratch of one message */
    size_t packed_size;
    uint32_t *file_of; /* of each file: its text; 0 = none */
    uint32_t texts;    /* written so far */
};

/* ---- gzip ---- */

static struct pm_error *deflate_all(struct writer *writer, const uint8_t *bytes, size_t size, int flush) {
    uint8_t block[PACKED_SIZE];
    writer->zip.next_in = bytes;
    writer->zip.avail_in = (uInt)size;
    do {
        writer->zip.next_out = block;
        writer->zip.avail_out = sizeof(block);
        if (deflate(&writer->zip, flush) == Z_STREAM_ERROR)
            return pm_error_create(PM_ERR_IO, "zlib refuses to pack the profile");
        size_t length = sizeof(block) - writer->zip.avail_out;
        if (fwrite(block, 1, length, writer->out) != length) return NULL; /* whoever closes it says why */
    } while (writer->zip.avail_out == 0);
    return NULL;
}

static struct pm_error *put(struct writer *writer, const Pprof__Profile *message) {
    size_t size = pprof__profile__get_packed_size(message);
    if (size > UINT32_MAX / 2) return pm_error_create(PM_ERR_LIMIT, "a message of %zu bytes", size);
    if (size > writer->packed_size) {
        uint8_t *larger = realloc(writer->packed, size);
        if (!larger) return pm_error_nomem();
        writer->packed = larger;
        writer->packed_size = size;
    }
    pprof__profile__pack(message, writer->packed);
    return deflate_all(writer, writer->packed, size, Z_NO_FLUSH);
}

/* ---- texts ---- */

static struct pm_error *put_text(struct writer *writer, const char *text, uint32_t *ret) {
    Pprof__Profile message = PPROF__PROFILE__INIT;
    char *texts[] = {(char *)text};
    message.n_string_table = 1;
    message.string_table = texts;
    *ret = writer->texts++;
    return put(writer, &message);
}

/* ---- the head ---- */

static int64_t clamp(uint64_t value, uint64_t unit) {
    if (__builtin_mul_overflow(value, unit, &value) || value > INT64_MAX) return INT64_MAX;
    return (int64_t)value;
}

static struct pm_error *put_head(struct writer *writer) {
    const struct pm_profile *profile = writer->profile;
    bool heap = profile->kind == PM_PROFILE_HEAP;
    /* Texts 0 to 4, in this order. */
    const char *const texts[] = {"", "samples", "count", heap ? "inuse_space" : "cpu",
                                 heap ? "bytes" : "nanoseconds"};
    uint32_t number;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) PM_TRY(put_text(writer, texts[i], &number));
    Pprof__ValueType samples = PPROF__VALUE_TYPE__INIT, value = PPROF__VALUE_TYPE__INIT;
    Pprof__ValueType *types[] = {&samples, &value};
    Pprof__Profile message = PPROF__PROFILE__INIT;
    samples.type = 1;
    samples.unit = 2;
    value.type = message.default_sample_type = 3;
    value.unit = 4;
    message.n_sample_type = 2;
    message.sample_type = types;
    message.period_type = &value;
    if (profile->interval != PM_UNKNOWN) message.period = clamp(profile->interval, heap ? 1 : 1000);
    if (profile->duration != PM_UNKNOWN) message.duration_nanos = clamp(profile->duration, 1000);
    return put(writer, &message);
}

/* ---- functions: one location each ---- */

static struct pm_error *put_function(struct writer *writer, size_t index) {
    const struct pm_profile_function *function = &writer->profile->functions[index];
    Pprof__Profile message = PPROF__PROFILE__INIT;
    Pprof__Function one = PPROF__FUNCTION__INIT, *functions[] = {&one};
    Pprof__Line line = PPROF__LINE__INIT, *lines[] = {&line};
    Pprof__Location location = PPROF__LOCATION__INIT, *locations[] = {&location};
    uint32_t name;
    PM_TRY(put_text(writer, function->name, &name));
    if (function->position.file && !writer->file_of[function->file])
        PM_TRY(put_text(writer, function->position.file, &writer->file_of[function->file]));
    one.id = location.id = line.function_id = index + 1;
    one.name = one.system_name = name;
    one.filename = function->position.file ? writer->file_of[function->file] : 0;
    one.start_line = line.line = function->position.line;
    line.column = function->position.column;
    location.n_line = 1;
    location.line = lines;
    message.n_function = 1;
    message.function = functions;
    message.n_location = 1;
    message.location = locations;
    return put(writer, &message);
}

/* ---- samples ---- */

static struct pm_error *put_samples(struct writer *writer, uint64_t *cut) {
    const struct pm_profile *profile = writer->profile;
    bool heap = profile->kind == PM_PROFILE_HEAP;
    uint32_t *frames PM_AUTO_FREE = malloc(PM_MAX_EXPORTED_FRAMES * sizeof(*frames));
    uint64_t *ids PM_AUTO_FREE = malloc(PM_MAX_EXPORTED_FRAMES * sizeof(*ids));
    int64_t values[2];
    Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples[] = {&sample};
    Pprof__Profile message = PPROF__PROFILE__INIT;
    if (!frames || !ids) return pm_error_nomem();
    message.n_sample = 1;
    message.sample = samples;
    sample.location_id = ids;
    sample.value = values;
    sample.n_value = 2;
    for (size_t i = 0; i < profile->call_count; i++) {
        if (!profile->calls[i].self && !profile->calls[i].count) continue;
        sample.n_location_id = pm_profile_frames(profile, i, frames, cut);
        for (size_t k = 0; k < sample.n_location_id; k++) ids[k] = (uint64_t)frames[k] + 1;
        values[0] = profile->calls[i].count;
        values[1] = clamp(profile->calls[i].self, heap ? 1 : 1000);
        PM_TRY(put(writer, &message));
    }
    return NULL;
}

static struct pm_error *put_all(struct writer *writer, uint64_t *cut) {
    PM_TRY(put_head(writer));
    for (size_t i = 0; i < writer->profile->function_count; i++) PM_TRY(put_function(writer, i));
    PM_TRY(put_samples(writer, cut));
    return deflate_all(writer, NULL, 0, Z_FINISH);
}

struct pm_error *pm_profile_write_pprof(const struct pm_profile *profile, FILE *out, uint64_t *cut_ret) {
    uint32_t *file_of PM_AUTO_FREE = calloc(profile->file_count + 1, sizeof(*file_of));
    struct writer writer = {.profile = profile, .out = out, .file_of = file_of};
    /* 31: the largest window (15), and gzip's head and tail (16). */
    if (!file_of || deflateInit2(&writer.zip, TEXT_LEVEL, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return pm_error_nomem();
    struct pm_error *err = put_all(&writer, cut_ret);
    deflateEnd(&writer.zip);
    free(writer.packed);
    return err;
}
