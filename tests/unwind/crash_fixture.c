/* crash_fixture.c - crashes in the way its argument says, with postmortem's crash handler installed. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "postmortem/crash.h"

#define NOINLINE __attribute__((noinline))

static volatile int zero, *volatile nowhere = (volatile int *)0x10;

/* Not static, so that the dynamic symbols name them. */
int write_nowhere(void);
int overflow_stack(int depth);

NOINLINE int write_nowhere(void) {
    *nowhere = 1;
    return zero;
}

NOINLINE int overflow_stack(int depth) {
    volatile char block[1000];
    block[zero] = (char)depth;
    return zero ? 0 : overflow_stack(depth + 1) + block[0];
}

static void *in_thread(void *argument) {
    write_nowhere();
    return argument;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    pm_crash_install();
    if (strcmp(how, "nothing") != 0) {
        pm_crash_position("opening", "/elsewhere/core");
        pm_crash_position("walking the heap", "/data/core.\x1b[31m4711");
        pm_crash_offset(0xabc0);
    }
    pthread_t threads[8];
    if (strcmp(how, "segv") == 0 || strcmp(how, "nothing") == 0) {
        return write_nowhere() + 1;
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "divide") == 0) {
        return argc * 1000 / zero;
    } else if (strcmp(how, "overflow") == 0) {
        return overflow_stack(1);
    } else if (strcmp(how, "sent") == 0) {
        raise(SIGSEGV);
    } else if (strcmp(how, "bus") == 0) {
        FILE *file = tmpfile();
        if (file && ftruncate(fileno(file), 4096) == 0) {
            char *bytes = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fileno(file), 0);
            return bytes[5000 + zero];
        }
    } else if (strcmp(how, "threads") == 0) {
        for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, in_thread, NULL);
        for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    }
    return 0;
}
