/* folder.h - a temporary folder of a test's own, removed at its end. */
#ifndef PM_TESTS_FOLDER_H
#define PM_TESTS_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline char *folder_new(void) {
    const char *where = getenv("TMPDIR");
    char *path = NULL;
    if (asprintf(&path, "%s/postmortem-test-XXXXXX", where && *where ? where : "/tmp") < 0 || !mkdtemp(path))
        abort();
    return path;
}
static inline int folder_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}
static inline void folder_remove(char *path) {
    nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

#endif
