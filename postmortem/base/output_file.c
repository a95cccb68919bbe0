#include "postmortem/base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "postmortem/base/escape.h"

static struct pm_error *file_error(const char *path) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    int reason = errno;
    pm_escape_terminal(&text, path, strlen(path));
    return pm_error_create(PM_ERR_IO, "%s: %s", pm_strbuf_text(&text), strerror(reason));
}

static void forget(struct pm_output *output) {
    free(output->path);
    free(output->temporary);
    *output = (struct pm_output){0};
}

struct pm_error *pm_output_open(const char *path, struct pm_output *ret) {
    struct stat info;
    bool exists = stat(path, &info) == 0, regular = !exists || S_ISREG(info.st_mode);
    PM_AUTO_STRBUF struct pm_strbuf temporary = {0};
    pm_strbuf_appendf(&temporary, regular ? "%s.XXXXXX" : "%s", path);
    struct pm_output output = {
        .regular = regular, .path = strdup(path), .temporary = pm_strbuf_take(&temporary)};
    if (!output.path || !output.temporary) return forget(&output), pm_error_nomem();
    int fd = regular ? mkostemp(output.temporary, O_CLOEXEC) : open(path, O_WRONLY | O_CLOEXEC);
    output.file = fd >= 0 ? fdopen(fd, "w") : NULL;
    mode_t mask = umask(0);
    umask(mask);
    struct pm_error *err = NULL;
    if (!output.file || (regular && fchmod(fd, exists ? info.st_mode & 0777 : 0666 & ~mask) != 0))
        err = file_error(path);
    if (!err) {
        *ret = output;
        return NULL;
    }
    if (output.file)
        fclose(output.file);
    else if (fd >= 0)
        close(fd);
    if (regular && fd >= 0) unlink(output.temporary);
    forget(&output);
    return err;
}

struct pm_error *pm_output_close(struct pm_output *output, struct pm_error *err) {
    bool regular = output->regular;
    if (!err && (fflush(output->file) != 0 || ferror(output->file))) err = file_error(output->path);
    if (!err && regular && fsync(fileno(output->file)) != 0) err = file_error(output->path);
    if (fclose(output->file) != 0 && !err) err = file_error(output->path);
    if (!err && regular && rename(output->temporary, output->path) != 0) err = file_error(output->path);
    if (err && regular) unlink(output->temporary);
    forget(output);
    return err;
}
