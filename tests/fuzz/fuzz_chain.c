/* fuzz_chain.c - any bytes as the file of a run: unpacked, told apart, read, examined, redacted, written in
 * every format. What is written as JSON must be JSON. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "postmortem/options.h"
#include "postmortem/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the bytes are: the level of redaction and the command change with them, the same each time. */
static unsigned mix(const uint8_t *data, size_t size) {
    unsigned sum = (unsigned)size;
    for (size_t i = 0; i < size && i < 4096; i++) sum = sum * 31 + data[i];
    return sum >> 4;
}

static int file_of(const uint8_t *data, size_t size) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) abort();
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(fd, data + done, size - done);
        if (wrote <= 0) abort();
        done += (size_t)wrote;
    }
    return fd;
}

static void write_all(const struct pm_options *options, const struct pm_diagnosis *diagnosis) {
    size_t count;
    const struct pm_writer *const *writers = pm_writers(&count);
    for (size_t i = 0; i < count; i++) {
        struct pm_write_options writing = {.sections = options->command->sections, .columns = 100};
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (!out) abort();
        writers[i]->write(diagnosis, &writing, out);
        fclose(out);
        if (strlen(text) != length) abort(); /* no NUL in any output */
        if (writers[i] == &pm_writer_json) {
            cJSON *root = cJSON_Parse(text);
            if (!root) abort();
            cJSON_Delete(root);
        }
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct pm_command *const commands[] = {&pm_command_diagnose, &pm_command_diagnose,
                                                        &pm_command_dominators, &pm_command_strings};
    int fd PM_AUTO_CLOSE = file_of(data, size);
    char path[64];
    const char *const files[] = {path};
    unsigned choice = mix(data, size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct pm_options options = {.command = commands[choice % 4],
                                 .files = files,
                                 .file_count = 1,
                                 .writer = choice & 64 ? &pm_writer_text : &pm_writer_html,
                                 .redaction = (enum pm_redaction)(choice / 4 % 3),
                                 .fail_on = -1};
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    if (!diagnosis) return 0;
    struct pm_error *err = pm_run(&options, NULL, diagnosis);
    if (err && !err->message) abort();
    pm_diagnosis_problem(diagnosis, err); /* a run that failed is written, too: as JSON for a batch */
    write_all(&options, diagnosis);
    return 0;
}
