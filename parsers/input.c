#include "parsers/input.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "postmortem/base/checked.h"
#include "postmortem/base/escape.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"

#define BLOCK          4096 /* a file system block: the unit of a hole */
#define PROGRESS_EVERY (16ull << 20)
/* What decompressing leaves free of a file system: others write there, too. */
#define LOOK_EVERY (16ull << 20)
#define LEAST_FREE (1ull << 30) /* or a twentieth, where that is less */

/* The path as it may stand in a message. */
static const char *shown(struct pm_strbuf *buf, const char *path) {
    pm_escape_terminal(buf, path, strlen(path));
    return pm_strbuf_text(buf);
}

static struct pm_error *io_error(const char *path, const char *what, int error) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    return pm_error_create(PM_ERR_IO, "%s: %s: %s", shown(&text, path), what, strerror(error));
}

static struct pm_error *open_error(const char *path, int error) {
    struct pm_error *err = io_error(path, "cannot be opened", error);
    if (error == EACCES || error == EPERM)
        return pm_error_hint(
            err, "cores belong to the user of the dead process, often root: run as that user, or copy "
                 "the file and change its owner");
    if (error == ENOENT)
        return pm_error_hint(err, "check the path; a core may still be inside the pod or container");
    return err;
}

/* ------------------------------------------------------------------ compressed files */

static bool is_zstd_skippable(const uint8_t *head) {
    return head[0] >= 0x50 && head[0] <= 0x5f && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0;
}

static const char *compression_of(const uint8_t *head, size_t size) {
    static const struct {
        const char *name, *magic;
        size_t length;
    } known[] = {
        {"gzip", "\x1f\x8b\x08", 3},    {"zstd", "\x28\xb5\x2f\xfd", 4}, {"lz4", "\x04\x22\x4d\x18", 4},
        {"lz4", "\x02\x21\x4c\x18", 4}, {"xz", "\xfd\x37zXZ\x00", 6},    {"bzip2", "BZh", 3},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (size >= known[i].length && memcmp(head, known[i].magic, known[i].length) == 0)
            return known[i].name;
    return size >= 4 && is_zstd_skippable(head) ? "zstd" : NULL;
}

static int unnamed_file_in(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    char *name PM_AUTO_FREE = NULL; /* not every file system knows O_TMPFILE */
    if (asprintf(&name, "%s/postmortem-XXXXXX", folder) < 0) {
        name = NULL;
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0) unlink(name);
    return fd;
}

/* An unlinked file in TMPDIR, else beside the input (it had room for one), else where temporary files go. */
static int temporary_file(const char *path, char **folder_ret) {
    const char *wanted = getenv("TMPDIR");
    const char *slash = strrchr(path, '/');
    char *beside PM_AUTO_FREE =
        slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    const char *folders[] = {wanted && *wanted ? wanted : beside, beside, "/var/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        int fd = folders[i] ? unnamed_file_in(folders[i]) : -1;
        if (fd >= 0) {
            *folder_ret = strdup(folders[i]);
            return fd;
        }
    }
    return -1;
}

static bool is_zero(const uint8_t *bytes, size_t size) {
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static int write_all(int fd, const uint8_t *bytes, size_t size, uint64_t offset) {
    while (size) {
        ssize_t written = pwrite(fd, bytes, size, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

/* Writes the blocks that hold something and leaves the others out. Adds what it wrote to `written`. */
static int write_sparse(int fd, const uint8_t *bytes, size_t size, uint64_t offset, uint64_t *written) {
    while (size) {
        size_t run = 0;
        while (run < size && !is_zero(bytes + run, size - run < BLOCK ? size - run : BLOCK))
            run += size - run < BLOCK ? size - run : BLOCK;
        int error = write_all(fd, bytes, run, offset);
        if (error) return error;
        *written += run;
        size_t skip = size - run < BLOCK ? size - run : BLOCK;
        bytes += run + skip;
        size -= run + skip;
        offset += run + skip;
    }
    return 0;
}

struct unpack {
    struct archive *archive;
    const char *path, *folder;
    int fd;
    uint64_t size;
    uint64_t written, looked; /* without holes; when the free space was looked at */
    bool truncated;
    pm_input_progress *progress;
    void *context;
};

static struct pm_error *archive_problem(const struct unpack *u, const char *what) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0}, reason PM_AUTO_STRBUF = {0};
    const char *said = archive_error_string(u->archive);
    return pm_error_create(PM_ERR_FORMAT, "%s: %s: %s", shown(&text, u->path), what,
                           shown(&reason, said ? said : "unknown reason"));
}

static struct pm_error *write_problem(const struct unpack *u, int error) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0}, folder PM_AUTO_STRBUF = {0};
    return pm_error_hint(pm_error_create(PM_ERR_IO, "%s: decompressing to %s failed after %llu MB: %s",
                                         shown(&text, u->path), shown(&folder, u->folder),
                                         (unsigned long long)(u->size >> 20), strerror(error)),
                         "set TMPDIR to a folder with more room, or decompress the file yourself");
}

/* A small file that unpacks to a huge one must not fill the disk. */
static struct pm_error *check_room(struct unpack *u) {
    struct statvfs disk;
    if (u->written - u->looked < LOOK_EVERY) return NULL;
    u->looked = u->written;
    if (fstatvfs(u->fd, &disk) != 0 || !disk.f_blocks) return NULL;
    uint64_t unit = disk.f_frsize, least = (uint64_t)disk.f_blocks * unit / 20;
    if ((uint64_t)disk.f_bavail * unit > (least < LEAST_FREE ? least : LEAST_FREE)) return NULL;
    PM_AUTO_STRBUF struct pm_strbuf text = {0}, folder = {0};
    return pm_error_hint(pm_error_create(PM_ERR_LIMIT,
                                         "%s: unpacks to more than there is room for in %s (%llu MB so far)",
                                         shown(&text, u->path), shown(&folder, u->folder),
                                         (unsigned long long)(u->written >> 20)),
                         "set TMPDIR to a folder with more room, or decompress the file yourself");
}

static struct pm_error *unpack_blocks(struct unpack *u) {
    uint64_t reported = 0;
    for (;;) {
        const void *bytes;
        size_t size;
        la_int64_t offset;
        int status = archive_read_data_block(u->archive, &bytes, &size, &offset);
        if (status == ARCHIVE_RETRY) continue;
        if (status == ARCHIVE_EOF) return NULL;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
            if (!u->size) return archive_problem(u, "cannot be decompressed");
            u->truncated = true; /* what came before is worth reading */
            return NULL;
        }
        if (!pm_range_inside((uint64_t)offset, size, u->size, PM_MAX_DECOMPRESSED)) {
            struct pm_strbuf text PM_AUTO_STRBUF = {0};
            return pm_error_create(PM_ERR_LIMIT, "%s: unpacks to more than %llu GB", shown(&text, u->path),
                                   PM_MAX_DECOMPRESSED >> 30);
        }
        int error = write_sparse(u->fd, bytes, size, (uint64_t)offset, &u->written);
        if (error) return write_problem(u, error);
        PM_TRY(check_room(u));
        u->size = (uint64_t)offset + size;
        if (u->progress && u->size - reported >= PROGRESS_EVERY) {
            reported = u->size;
            u->progress(u->context, (uint64_t)archive_filter_bytes(u->archive, -1));
        }
    }
}

static struct pm_error *unpack(struct unpack *u, int from) {
    struct archive *archive = u->archive;
    /* No more than these: others would run programs or guess. */
    bool ready = archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
                 archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
                 archive_read_support_filter_xz(archive) == ARCHIVE_OK &&
                 archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
                 archive_read_support_filter_lz4(archive) == ARCHIVE_OK &&
                 archive_read_support_format_raw(archive) == ARCHIVE_OK &&
                 archive_read_open_fd(archive, from, 1 << 18) == ARCHIVE_OK;
    struct archive_entry *entry;
    if (!ready || archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        return archive_problem(u, "cannot be decompressed");
    PM_TRY(unpack_blocks(u));
    if (ftruncate(u->fd, (off_t)u->size) != 0) return write_problem(u, errno);
    return NULL;
}

static struct pm_error *decompress(struct pm_input *input, int from, pm_input_progress *progress,
                                   void *context, int *fd_ret) {
    char *folder PM_AUTO_FREE = NULL;
    int fd PM_AUTO_CLOSE = temporary_file(input->path, &folder);
    if (fd < 0)
        return pm_error_hint(io_error(input->path, "no temporary file for decompressing it", errno),
                             "set TMPDIR to a folder that can be written");
    struct unpack u = {.path = input->path,
                       .folder = folder ? folder : "?",
                       .fd = fd,
                       .progress = progress,
                       .context = context,
                       .archive = archive_read_new()};
    if (!u.archive) return pm_error_nomem();
    struct pm_error *err = unpack(&u, from);
    archive_read_free(u.archive);
    if (err) return err;
    input->size = u.size;
    input->truncated = u.truncated;
    input->decompressed = true;
    *fd_ret = fd;
    fd = -1;
    return NULL;
}

/* ------------------------------------------------------------------ opening */

static struct pm_error *map(struct pm_input *input, int fd) {
    if (!input->size) return NULL;
    if (input->size > SIZE_MAX / 2) return io_error(input->path, "cannot be mapped", EFBIG);
    void *bytes = mmap(NULL, input->size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (bytes == MAP_FAILED) return io_error(input->path, "cannot be mapped", errno);
    input->bytes = bytes;
    input->mapped = true;
    return NULL;
}

/* A process may reserve terabytes: the kernel leaves what was never touched out of the core. */
enum { MOST_HOLES = 65536 };
#define SPARSE_SIZE (1ull << 30)
#define LARGE_HOLE  (16ull << 20)

static void find_holes(struct pm_input *input, int fd) {
    struct stat info;
    PM_VEC(struct pm_hole) holes = {0};
    if (input->size < SPARSE_SIZE || fstat(fd, &info) != 0 ||
        (uint64_t)info.st_blocks * 512 > input->size / 2)
        return;
    for (uint64_t at = 0; at < input->size && holes.count < MOST_HOLES;) {
        off_t start = lseek(fd, (off_t)at, SEEK_HOLE);
        if (start < 0 || (uint64_t)start >= input->size) break;
        off_t data = lseek(fd, start, SEEK_DATA);
        uint64_t end = data < 0 ? input->size : (uint64_t)data;
        struct pm_hole hole = {(uint64_t)start, end};
        if (end - (uint64_t)start >= LARGE_HOLE && !pm_vec_push(&holes, hole)) break;
        at = end;
    }
    input->holes = holes.items;
    input->hole_count = holes.count;
}

/* Opens without waiting for a writer (a FIFO) and without side effects of devices; only regular files pass.
 */
static struct pm_error *open_regular(const char *path, int *fd_ret, uint64_t *size_ret) {
    int fd PM_AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return open_error(path, errno);
    struct stat info;
    if (fstat(fd, &info) != 0) return io_error(path, "cannot be opened", errno);
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (S_ISDIR(info.st_mode))
        return pm_error_hint(pm_error_create(PM_ERR_IO, "%s: is a directory", shown(&text, path)),
                             "name the file itself; for many files use: postmortem batch DIR");
    if (!S_ISREG(info.st_mode))
        return pm_error_hint(pm_error_create(PM_ERR_IO, "%s: is not a regular file", shown(&text, path)),
                             "write the data to a file first");
    *size_ret = (uint64_t)info.st_size;
    *fd_ret = fd;
    fd = -1;
    return NULL;
}

struct pm_error *pm_input_open(const char *path, pm_input_progress *progress, void *context,
                               struct pm_input **ret) {
    struct pm_input *input PM_AUTO(input) = calloc(1, sizeof(*input));
    if (!input || !(input->path = strdup(path))) return pm_error_nomem();
    int fd PM_AUTO_CLOSE = -1;
    PM_TRY(open_regular(path, &fd, &input->size));
    input->file_size = input->size;
    uint8_t head[8];
    ssize_t got = pread(fd, head, sizeof(head), 0);
    if (got < 0) return io_error(path, "cannot be read", errno);
    if (compression_of(head, (size_t)got)) {
        int unpacked PM_AUTO_CLOSE = -1;
        PM_TRY(decompress(input, fd, progress, context, &unpacked));
        PM_TRY(map(input, unpacked));
        find_holes(input, unpacked);
    } else {
        PM_TRY(map(input, fd));
        find_holes(input, fd);
    }
    *ret = PM_TAKE(input);
    return NULL;
}

void pm_input_close(struct pm_input *input) {
    if (!input) return;
    if (input->bytes) munmap((void *)(uintptr_t)input->bytes, input->size);
    free(input->path);
    free(input->holes);
    free(input);
}

void pm_input_release(const struct pm_input *input, uint64_t start, uint64_t end) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    start = pm_align_up(start, page);
    end -= end % page;
    if (input->mapped && end > start && end <= input->size)
        madvise((void *)(uintptr_t)(input->bytes + start), end - start, MADV_DONTNEED);
}
