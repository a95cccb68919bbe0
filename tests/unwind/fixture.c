/* fixture.c - a process with interesting stacks that writes down, with LLVM libunwind, what they are, and
 * then dies (or, with the argument "wait", stays, so that gcore can be used on it).
 *
 * Each thread ends in record(), which never returns: from its caller outward the stack in the core is the one
 * that was recorded. Output on stdout: "thread TID NAME", then one line "pc sp" for each frame, hexadecimal;
 * at the end "ready". */
#include <alloca.h>
#include <libunwind.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

enum { MOST_FRAMES = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int threads_ready, threads_expected;
static bool wait_at_end;
static volatile int sink, zero; /* what the compiler must not know */

__attribute__((noreturn)) static void stay(void) {
    for (;;) pause();
}

/* Noreturn: the compiler may let a caller end with the call, so that the return address is behind its end. */
__attribute__((noreturn)) NOINLINE static void record(const char *name, bool last) {
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t pcs[MOST_FRAMES], sps[MOST_FRAMES];
    int count = 0;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    while (count < MOST_FRAMES && unw_step(&cursor) > 0) {
        unw_get_reg(&cursor, UNW_REG_IP, &pcs[count]);
        unw_get_reg(&cursor, UNW_REG_SP, &sps[count]);
        if (pcs[count] == 0) break;
        count++;
    }
    pthread_mutex_lock(&lock);
    while (last && threads_ready < threads_expected) pthread_cond_wait(&changed, &lock);
    printf("thread %d %s\n", gettid(), name);
    for (int i = 0; i < count; i++) printf("%lx %lx\n", (unsigned long)pcs[i], (unsigned long)sps[i]);
    if (last) puts("ready");
    fflush(stdout);
    threads_ready++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    if (last && !wait_at_end) abort();
    stay();
}

/* ------------------------------------------------------------------ deep recursion with frames of changing
 * size */

NOINLINE static int recurse(int depth, bool last) {
    volatile char *block = alloca((size_t)(depth * 40 + 8));
    block[0] = (char)depth;
    if (depth == 0 && zero == 0) record("recursion", last);
    if (depth == 0) return 0;
    int below = recurse(depth - 1, last);
    return below + block[0];
}

static void *recursion(void *argument) {
    sink = recurse(60, argument != NULL);
    return NULL;
}

/* ------------------------------------------------------------------ through libc: qsort, pthread_once */

NOINLINE static int compare(const void *a, const void *b) {
    if (*(const int *)a == 7 || *(const int *)b == 7) record("callback", false);
    return *(const int *)a - *(const int *)b;
}

static void *callback(void *argument) {
    int numbers[] = {5, 3, 8, 7, 1, 9, 2};
    qsort(numbers, sizeof(numbers) / sizeof(*numbers), sizeof(*numbers), compare);
    sink = numbers[0];
    return argument;
}

static void once_only(void) {
    record("once", false);
}

static void *once(void *argument) {
    static pthread_once_t control = PTHREAD_ONCE_INIT;
    pthread_once(&control, once_only);
    return argument;
}

/* ------------------------------------------------------------------ signals */

static void on_signal(int number) {
    record(number == SIGUSR1 ? "signal" : "fault", false);
}

static void *sent_signal(void *argument) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    pthread_kill(pthread_self(), SIGUSR1);
    return argument;
}

/* The interrupted frame is a leaf without a frame of its own; the handler is on another stack. The fault is
 * not at the first instruction: this LLVM libunwind looks up pc - 1 behind signal trampolines, too. */
NOINLINE static int fault_here(volatile int *where, int value) {
    sink = value;
    *where = value;
    return value * 2;
}

static void *fault(void *argument) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    static volatile int *volatile nowhere = (volatile int *)8;
    sink = fault_here(nowhere, 3) + 1;
    return argument;
}

/* ------------------------------------------------------------------ shapes of frames */

/* Over-aligned and of variable size: gcc describes the CFA by an expression. */
NOINLINE static int aligned(int size) {
    volatile char fixed[100] __attribute__((aligned(64)));
    volatile char *block = alloca((size_t)size);
    fixed[size % 100] = 1;
    block[size - 1] = 2;
    if (fixed[1] + block[0] != 99) record("shapes", false);
    return fixed[0] + block[0];
}

NOINLINE static int many_registers(int a, int b, int c, int d, int e, int f, int g, int h) {
    for (int i = 0; i < 8; i++) { /* what must survive the calls fills the preserved registers */
        a += b * sink;
        c ^= d + sink;
        e -= f | sink;
        g += h;
        if (i == 7) sink = aligned(1000 + a % 2);
    }
    return a + b + c + d + e + f + g + h + sink;
}

NOINLINE static int large_frame(void) {
    volatile char block[200000];
    block[0] = 1;
    block[sizeof(block) - 1] = 2;
    int value = many_registers(1, 2, 3, 4, 5, 6, 7, 8);
    return value + block[0];
}

/* The call is a jump: no frame of this function is left. */
NOINLINE static int tail(int unused) {
    sink = unused;
    return large_frame();
}

NOINLINE static int variadic(int count, ...) {
    va_list arguments;
    va_start(arguments, count);
    double sum = 0;
    for (int i = 0; i < count; i++) sum += va_arg(arguments, double);
    int value = tail((int)sum);
    va_end(arguments);
    return value + 1;
}

static void *shapes(void *argument) {
    sink = variadic(3, 1.0, 2.0, 3.0);
    return argument;
}

int main(int argc, char **argv) {
    wait_at_end = argc > 1 && strcmp(argv[1], "wait") == 0;
    static void *(*const starts[])(void *) = {recursion, callback, once, sent_signal, fault, shapes};
    threads_expected = sizeof(starts) / sizeof(*starts);
    for (int i = 0; i < threads_expected; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, starts[i], NULL) != 0) return 1;
    }
    recursion(argv);
    return 1;
}
