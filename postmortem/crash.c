#include "postmortem/crash.h"

#include <dlfcn.h>
#include <libunwind.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#ifndef PM_VERSION
#define PM_VERSION "unknown"
#endif

#define SECONDS_FOR_REPORT 10 /* the backtrace may wait for a lock that the crashed thread holds */
#define MOST_FRAMES        64
#define STACK_SIZE         65536 /* the handler's own, for a stack that overflowed; MINSIGSTKSZ is 2 to 12 KB */

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

struct position {
    char phase[80], path[400];
};

/* The next position is written beside the current one, which a handler may be reading. */
static struct position positions[2];
static _Atomic(const struct position *) current;
static _Atomic uint64_t offset;
static _Atomic pid_t reporter; /* the thread that is writing the report */

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/* ------------------------------------------------------------------ text without stdio */

struct line {
    char bytes[1024];
    size_t length;
};

static void put(struct line *line, const char *text) {
    while (*text && line->length < sizeof(line->bytes) - 1) line->bytes[line->length++] = *text++;
}

static void put_number(struct line *line, uint64_t value, unsigned base) {
    char digits[24];
    size_t at = sizeof(digits);
    digits[--at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (base == 16) put(line, "0x");
    put(line, digits + at);
}

static void print(struct line *line) {
    put(line, "\n");
    line->bytes[sizeof(line->bytes) - 2] = '\n';
    const char *at = line->bytes;
    while (line->length) {
        ssize_t done = write(STDERR_FILENO, at, line->length);
        if (done <= 0) break;
        at += done;
        line->length -= (size_t)done;
    }
    line->length = 0;
}

static const char *signal_name(int number) {
    switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGABRT: return "SIGABRT";
    }
    return "a signal";
}

/* ------------------------------------------------------------------ the report */

static void print_frame(struct line *line, unsigned number, uintptr_t pc, bool exact) {
    Dl_info info;
    put(line, "  #");
    put_number(line, number, 10);
    put(line, number < 10 ? "  " : " ");
    put_number(line, pc, 16);
    if (pc && dladdr((void *)(exact ? pc : pc - 1), &info) && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');
        put(line, " ");
        put(line, slash ? slash + 1 : info.dli_fname);
        put(line, "+"); /* what addr2line takes */
        put_number(line, pc - (uintptr_t)info.dli_fbase, 16);
        if (info.dli_sname) {
            put(line, " ");
            put(line, info.dli_sname);
        }
    }
    print(line);
}

/* The frames above the signal trampoline are the handler's own; libunwind marks the first one behind it. */
static void print_backtrace(struct line *line) {
    unw_context_t context;
    unw_cursor_t cursor;
    bool interrupted = false;
    unw_getcontext(&context);
    if (unw_init_local(&cursor, &context) != UNW_ESUCCESS) return;
    unsigned number = 0;
    while (number < MOST_FRAMES && unw_step(&cursor) > 0) {
        unw_word_t pc;
        bool first = !interrupted && unw_is_signal_frame(&cursor) > 0;
        interrupted |= first;
        if (interrupted && unw_get_reg(&cursor, UNW_REG_IP, &pc) == UNW_ESUCCESS)
            print_frame(line, number++, pc, first);
    }
}

static void report(int number, const siginfo_t *info) {
    struct line line = {.length = 0};
    put(&line,
        "\npostmortem: this is a bug in postmortem, not in the program you are looking at. It died of ");
    put(&line, signal_name(number));
    if (info->si_code > 0 && number != SIGABRT) {
        put(&line, " at ");
        put_number(&line, (uintptr_t)info->si_addr, 16);
    }
    put(&line, ".");
    print(&line);
    const struct position *position = atomic_load(&current);
    put(&line, "  version " PM_VERSION);
    if (position) {
        put(&line, ", while ");
        put(&line, position->phase);
        if (position->path[0]) {
            put(&line, ": ");
            put(&line, position->path);
        }
        uint64_t where = atomic_load(&offset);
        if (where) {
            put(&line, ", at ");
            put_number(&line, where, 16);
        }
    }
    print(&line);
    if (number == SIGBUS) {
        put(&line, "  A file that is cut short or replaced while it is read does this as well.");
        print(&line);
    }
    print_backtrace(&line);
    put(&line,
        "Please report the lines above, and the coverage line that another command prints for this input "
        "(postmortem stacks FILE).");
    print(&line);
    put(&line, "Do not send the input: it can hold secrets.");
    print(&line);
}

static void on_crash(int number, siginfo_t *info, void *context) {
    (void)context;
    pid_t nobody = 0, self = gettid();
    if (atomic_compare_exchange_strong(&reporter, &nobody, self)) {
        signal(SIGALRM, SIG_DFL);
        alarm(SECONDS_FOR_REPORT);
        report(number, info);
    } else if (nobody != self) {
        for (;;) pause(); /* another thread has crashed first; the process ends with its report */
    }
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) signal(signals[i], SIG_DFL);
    /* A fault comes again as soon as we return, with the registers as they were; what was sent must be sent
     * again. */
    if (info->si_code <= 0) raise(number);
}

/* ------------------------------------------------------------------ setting it up */

void pm_crash_install(void) {
    if (HAS_SANITIZER) return;
    static char handler_stack[STACK_SIZE];
    stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) sigaction(signals[i], &action, NULL);
}

/* What a terminal would act on becomes '?'. */
static void copy(char *to, size_t size, const char *from) {
    size_t length = 0;
    for (; from && from[length] && length < size - 1; length++) {
        unsigned char c = (unsigned char)from[length];
        to[length] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    to[length] = 0;
}

void pm_crash_position(const char *phase, const char *path) {
    struct position *next = atomic_load(&current) == &positions[0] ? &positions[1] : &positions[0];
    copy(next->phase, sizeof(next->phase), phase);
    copy(next->path, sizeof(next->path), path);
    atomic_store(&offset, 0);
    atomic_store(&current, next);
}

void pm_crash_offset(uint64_t value) {
    atomic_store_explicit(&offset, value, memory_order_relaxed);
}
