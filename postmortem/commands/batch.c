/* Many files at once: which of them tell of the same fault. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"
#include "postmortem/batch.h"
#include "postmortem/commands.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"

#define MOST_FILES  10000000 /* 10 million paths: about 1 GB of memory */
#define MOST_FOLDER 100000   /* folders waiting to be looked into: a tree, not a cycle of links */

struct paths {
    PM_VEC(const char *) files, folders;
    struct pm_diagnosis *diagnosis;
};

static void refuse(struct paths *paths, const char *path, const char *why) {
    pm_diagnosis_problem(paths->diagnosis, pm_error_create(PM_ERR_IO, "%s: %s", path, why));
}

/* A file is kept, a folder is looked into later; links to folders are left alone below the first level. */
static void take(struct paths *paths, const char *path, bool follow) {
    struct stat info;
    if ((follow ? stat(path, &info) : lstat(path, &info)) != 0) {
        refuse(paths, path, strerror(errno));
        return;
    }
    if (!follow && S_ISLNK(info.st_mode) && (stat(path, &info) != 0 || !S_ISREG(info.st_mode))) return;
    if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) return; /* sockets, pipes */
    char *copy = pm_arena_strdup(paths->diagnosis->arena, path);
    bool folder = S_ISDIR(info.st_mode);
    if (!copy || (folder ? paths->folders.count >= MOST_FOLDER : paths->files.count >= MOST_FILES)) {
        refuse(paths, path, "too many files");
        return;
    }
    if (folder ? !pm_vec_push(&paths->folders, copy) : !pm_vec_push(&paths->files, copy))
        refuse(paths, path, "out of memory");
}

static void look_into(struct paths *paths, const char *folder) {
    DIR *directory = opendir(folder);
    if (!directory) {
        refuse(paths, folder, strerror(errno));
        return;
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        struct pm_strbuf path PM_AUTO_STRBUF = {0};
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        pm_strbuf_appendf(&path, "%s/%s", folder, entry->d_name);
        take(paths, pm_strbuf_text(&path), false);
    }
    closedir(directory);
}

/* "-": one path in each line of the standard input. */
static void take_list(struct paths *paths) {
    char *line = NULL;
    size_t room = 0;
    for (ssize_t length; (length = getline(&line, &room, stdin)) > 0;) {
        if (line[length - 1] == '\n') line[--length] = 0;
        if (length) take(paths, line, true);
    }
    free(line);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct pm_error *run(struct pm_session *session) {
    const struct pm_options *options = session->options;
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct paths paths = {.diagnosis = diagnosis};
    pm_session_say(session, "looking for files");
    for (size_t i = 0; i < options->file_count; i++)
        if (!strcmp(options->files[i], "-"))
            take_list(&paths);
        else
            take(&paths, options->files[i], true);
    while (paths.folders.count) look_into(&paths, paths.folders.items[--paths.folders.count]);
    pm_sort(paths.files.items, paths.files.count, sizeof(*paths.files.items), by_name);
    diagnosis->batch = pm_batch_create(diagnosis->arena);
    struct pm_error *err = diagnosis->batch ? NULL : pm_error_nomem();
    if (!err && !paths.files.count)
        err = pm_error_create(PM_ERR_NOT_FOUND, "%s: no file in it", options->files[0]);
    if (!err)
        err =
            pm_batch_run(options, paths.files.items, paths.files.count, session->progress, diagnosis->batch);
    pm_vec_deinit(&paths.files);
    pm_vec_deinit(&paths.folders);
    if (err) return err;
    const struct pm_batch *batch = diagnosis->batch;
    if (batch->failed) diagnosis->exit_code = PM_EXIT_PARTIAL;
    for (size_t i = 0; i < batch->group_count; i++)
        if (batch->groups[i]->partial && diagnosis->exit_code == PM_EXIT_COMPLETE)
            diagnosis->exit_code = PM_EXIT_PARTIAL;
    if (!batch->group_count) diagnosis->exit_code = PM_EXIT_FAILED;
    return NULL;
}

const struct pm_command pm_command_batch = {
    .name = "batch",
    .arguments = "DIR|FILE...",
    .summary = "many files, grouped by fault: how often, when, where",
    .details =
        "Looks into folders, reads a list of paths from standard input for '-', and takes the output of "
        "earlier runs (--format json, of diagnose or batch) as input, so that many machines can read "
        "and one can merge. Each file is read in a worker process: one that crashes or hangs it is a "
        "row like one that is damaged.",
    .examples = (const char *const[]){"batch reports/", "batch results/*.json --format markdown",
                                      "batch /dumps --timeout 120 --format json -o batch.json", NULL},
    .least_files = 1,
    .most_files = 1000000,
    .finds_files = true,
    .sections = PM_SHOW_BATCH,
    .run = run,
};
