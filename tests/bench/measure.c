/* measure COMMAND... - runs a command and prints "wall user system peak": seconds, and the peak of its
 * private memory in bytes (RssAnon: what it allocated, without the mapped core), looked up every 2 ms. Its
 * output goes to /dev/null. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static unsigned long long private_bytes(pid_t pid) {
    char path[64], line[256];
    unsigned long long kilobytes = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "RssAnon: %llu", &kilobytes) == 1) break;
    fclose(file);
    return kilobytes * 1024;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    unsigned long long peak = 0;
    int status = 0;
    struct rusage usage;
    if (argc < 2) return 64;
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    while (wait4(child, &status, WNOHANG, &usage) == 0) {
        unsigned long long bytes = private_bytes(child);
        if (bytes > peak) peak = bytes;
        usleep(2000);
    }
    printf("%.3f %.3f %.3f %llu\n", now() - start, seconds(usage.ru_utime), seconds(usage.ru_stime), peak);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
