#include "real_core.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct pm_error *find_folder(const char *name, const char *version, char *folder, size_t size) {
    const char *source = getenv("POSTMORTEM_SOURCE");
    char command[1024];
    snprintf(command, sizeof(command), "'%s/corpora/make-core' '%s' '%s'", source ? source : ".", name,
             version);
    FILE *pipe = popen(command, "r");
    char *line = pipe ? fgets(folder, (int)size, pipe) : NULL;
    int status = pipe ? pclose(pipe) : -1;
    if (!line || status != 0) return pm_error_create(PM_ERR_IO, "%s failed with status %d", command, status);
    folder[strcspn(folder, "\n")] = 0;
    return NULL;
}

/* strip moves the segments within the file, and keeps the build-id. */
static struct pm_error *strip_copy(const char *exe, char *copy) {
    char command[1500];
    int file = mkstemp(copy);
    if (file < 0) return pm_error_create(PM_ERR_IO, "no temporary file");
    close(file);
    snprintf(command, sizeof(command), "strip -o '%s' '%s'", copy, exe);
    return system(command) == 0 ? NULL : pm_error_create(PM_ERR_IO, "%s failed", command);
}

struct pm_error *real_core_open(const char *name, const char *version, const char *hide,
                                struct real_core *ret) {
    struct real_core core = {0};
    char path[700], exe[700], sysroot[700];
    struct pm_error *err = find_folder(name, version, core.folder, sizeof(core.folder));
    if (err) return err;
    snprintf(path, sizeof(path), "%s/core", core.folder);
    snprintf(exe, sizeof(exe), "%s/node", core.folder);
    snprintf(sysroot, sizeof(sysroot), "%s/sysroot", core.folder);
    struct pm_module_options modules = {.exe = exe, .beside = core.folder};
    if (access(sysroot, F_OK) == 0) {
        modules.sysroot = sysroot;
        if (strncmp(version, "deb", 3) == 0) modules.exe = NULL; /* V8 is in a library of the sysroot */
    }
    char stripped[] = "/tmp/postmortem-strip-XXXXXX";
    bool strip = hide && strcmp(hide, "strip") == 0;
    struct v8_options options = {.hide = strip ? NULL : hide};
    if (strip) {
        modules.exe = stripped;
        err = strip_copy(exe, stripped);
    }
    if (!err) err = pm_input_open(path, NULL, NULL, &core.input);
    if (!err) err = pm_core_open(core.input, &core.core);
    if (!err) err = pm_modules_open(core.core, &modules, &core.modules);
    if (strip) unlink(stripped);
    if (!err) err = v8_open(core.core, core.modules, &options, &core.v8);
    if (err)
        real_core_close(&core);
    else
        *ret = core;
    return err;
}

void real_core_close(struct real_core *core) {
    v8_close(core->v8);
    pm_modules_close(core->modules);
    pm_core_close(core->core);
    pm_input_close(core->input);
    core->v8 = NULL;
    core->modules = NULL;
    core->core = NULL;
    core->input = NULL;
}

char *real_core_file(const struct real_core *core, const char *file, size_t *size_ret) {
    char path[700];
    snprintf(path, sizeof(path), "%s/%s", core->folder, file);
    FILE *stream = fopen(path, "rb");
    if (!stream) return NULL;
    fseek(stream, 0, SEEK_END);
    long size = ftell(stream);
    rewind(stream);
    char *bytes = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (bytes && fread(bytes, 1, (size_t)size, stream) != (size_t)size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(stream);
    if (bytes) bytes[size] = 0;
    if (size_ret) *size_ret = (size_t)size;
    return bytes;
}

void real_core_versions(int argc, char **argv, const char *const **versions_ret, size_t *count_ret) {
    static const char *const six[] = {"16.20.2", "18.20.8", "20.20.2", "22.23.3", "24.21.0", "26.10.0"};
    *versions_ret = argc > 1 ? (const char *const *)argv + 1 : six;
    *count_ret = argc > 1 ? (size_t)argc - 1 : sizeof(six) / sizeof(six[0]);
}
