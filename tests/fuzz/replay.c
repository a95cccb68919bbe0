/* replay.c - runs a fuzz target without libFuzzer: every file of the seed folders, then a fixed number of
 * mutations of them.
 *
 *     replay_NAME FOLDER... [-n MUTATIONS] [-s SECONDS]
 *
 * The mutations are the same each time (the generator's seed is fixed), so that a failure comes again. What
 * kills the target, or keeps it busy for ten seconds, is left as crash-NAME in the working directory: it
 * belongs into the seed folder, with the mistake mended. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST   (1 << 20)
#define TOO_LONG  10 /* seconds; a seed takes milliseconds, also under the sanitizers */
#define MOST_LEFT 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct seed {
    uint8_t *bytes;
    size_t size;
};

static struct seed *seeds;
static size_t seed_count;
static struct seed running;
static char crash_name[MOST_LEFT];

/* ---- what is left of a failure ---- */

static void leave_input(void) {
    FILE *file = running.bytes ? fopen(crash_name, "wb") : NULL;
    if (!file) return;
    fwrite(running.bytes, 1, running.size, file);
    fclose(file);
    fprintf(stderr, "replay: the input is in %s\n", crash_name);
}

static void die(int signal_number) {
    static const char slow[] = "replay: the target took too long\n";
    if (signal_number == SIGALRM && write(STDERR_FILENO, slow, sizeof(slow) - 1) < 0) _exit(1);
    leave_input();
    signal(signal_number, SIG_DFL);
    raise(signal_number == SIGALRM ? SIGKILL : signal_number);
}

static void run(const uint8_t *bytes, size_t size) {
    /* A block of its own: reading over its end is seen. */
    running = (struct seed){malloc(size ? size : 1), size};
    if (!running.bytes) abort();
    if (size) memcpy(running.bytes, bytes, size);
    alarm(TOO_LONG);
    LLVMFuzzerTestOneInput(running.bytes, size);
    alarm(0);
    free(running.bytes);
    running = (struct seed){0};
}

/* ---- seeds ---- */

static int read_seed(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return perror(path), 1;
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    struct seed seed = {malloc(end > 0 ? (size_t)end : 1), end > 0 ? (size_t)end : 0};
    int bad = !seed.bytes || fread(seed.bytes, 1, seed.size, file) != seed.size;
    fclose(file);
    struct seed *more = realloc(seeds, (seed_count + 1) * sizeof(*seeds));
    if (!more || bad) abort();
    seeds = more;
    seeds[seed_count++] = seed;
    return 0;
}

static int read_folder(const char *folder) {
    struct dirent **names;
    int bad = 0, found = scandir(folder, &names, NULL, alphasort);
    if (found < 0) return perror(folder), 1;
    for (int i = 0; i < found; i++) {
        char path[MOST_LEFT];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.') bad |= read_seed(path);
        free(names[i]);
    }
    free(names);
    return bad;
}

/* ---- mutations ---- */

static uint64_t state = 0x9e3779b97f4a7c15ull;

static size_t below(size_t limit) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return limit ? (size_t)((state * 0x2545f4914f6cdd1dull) >> 33) % limit : 0;
}

/* Values and texts that have broken parsers before. */
static const char *const words[] = {
    "\0\0\0\0",
    "\xff\xff\xff\xff",
    "\xff\xff\xff\x7f",
    "\0\0\0\x80",
    "\xff\xff\xff\xff\xff\xff\xff\xff",
    "1e999",
    "-1",
    "null",
    "{}",
    "[]",
    "\"\"",
    "\"\\ud800\"",
    "true",
    "0.5",
    "18446744073709552000",
    "[[[[[[[[[[[[",
    "{\"a\":{\"a\":",
    "\x1b[2J",
    "\n",
    "\xf0\x9f\x98",
};
static const size_t word_sizes[] = {4, 4, 4, 4, 8, 5, 2, 4, 2, 2, 2, 8, 4, 3, 20, 12, 10, 4, 1, 3};

/* Puts `size` bytes in place of `gone` bytes at `at`. */
static size_t splice(uint8_t *bytes, size_t length, size_t at, size_t gone, const void *from, size_t size) {
    if (gone > length - at) gone = length - at;
    if (length - gone + size > LONGEST) return length;
    memmove(bytes + at + size, bytes + at + gone, length - at - gone);
    if (size) memcpy(bytes + at, from, size);
    return length - gone + size;
}

static size_t mutate_once(uint8_t *bytes, size_t length) {
    size_t at = below(length + 1), word = below(sizeof(words) / sizeof(words[0]));
    const struct seed *other = &seeds[below(seed_count)];
    size_t from = below(other->size + 1), part = below(other->size - from + 1);
    uint8_t byte = (uint8_t)below(256), block[64];
    if (part > MOST_LEFT) part = MOST_LEFT;
    switch (below(9)) {
    case 0:
        if (at < length) bytes[at] ^= (uint8_t)(1u << below(8));
        return length;
    case 1:
        if (at < length) bytes[at] = byte;
        return length;
    case 2: return below(4) ? length : at; /* cut off */
    case 3: return splice(bytes, length, at, below(16), NULL, 0);
    case 4: return splice(bytes, length, at, 0, words[word], word_sizes[word]);
    case 5: return splice(bytes, length, at, word_sizes[word], words[word], word_sizes[word]);
    case 6: return splice(bytes, length, at, below(2) ? part : 0, other->bytes + from, part);
    case 7: memset(block, byte, sizeof(block)); return splice(bytes, length, at, 0, block, below(64));
    default: /* the same bytes twice: keys, records */
        part = length - at < 64 ? length - at : 64;
        memcpy(block, bytes + at, part);
        return splice(bytes, length, below(length + 1), 0, block, part);
    }
}

static size_t mutate(size_t count, double seconds) {
    uint8_t *bytes = malloc(LONGEST + MOST_LEFT);
    struct timespec start, now;
    size_t done = 0;
    if (!bytes) abort();
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (; done < count; done++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((double)(now.tv_sec - start.tv_sec) > seconds) break;
        const struct seed *seed = &seeds[below(seed_count)];
        size_t length = seed->size < LONGEST ? seed->size : LONGEST;
        memcpy(bytes, seed->bytes, length);
        for (size_t i = 1 + below(5); i; i--) length = mutate_once(bytes, length);
        run(bytes, length);
    }
    free(bytes);
    return done;
}

int main(int argc, char **argv) {
    size_t mutations = 0;
    double seconds = 5;
    int bad = 0;
    const char *slash = strrchr(argv[0], '/');
    snprintf(crash_name, sizeof(crash_name), "crash-%s", slash ? slash + 1 : argv[0]);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-n") && i + 1 < argc)
            mutations = strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "-s") && i + 1 < argc)
            seconds = strtod(argv[++i], NULL);
        else
            bad |= read_folder(argv[i]);
    }
    signal(SIGALRM, die);
    signal(SIGABRT, die);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(leave_input);
    for (size_t i = 0; i < seed_count; i++) run(seeds[i].bytes, seeds[i].size);
    size_t done = seed_count ? mutate(mutations, seconds) : 0;
    printf("%zu files, %zu mutations\n", seed_count, done);
    for (size_t i = 0; i < seed_count; i++) free(seeds[i].bytes);
    size_t count = seed_count;
    free(seeds);
    return bad || !count;
}
