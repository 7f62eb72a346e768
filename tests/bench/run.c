/* run.c -- starts one program and says what it cost.
 *
 *   run LIBRARY COMMAND ARGUMENT...      LIBRARY: what to preload, or -
 *
 * Writes one line to fd 3: wall, user and system seconds, peak resident KiB,
 * page faults, how many of them stopped the program, and the peak as wait4(2)
 * reports it.  Faults: the kernel counts pages that it was asked to populate
 * as such, too; -1: it does not let us count those that stop (see
 * perf_event_open(2)).  The command's output is thrown away; its errors are
 * not.
 *
 * The peak is the larger of two numbers.  That of wait4 is read from counters
 * to which each processor adds 32 pages at a time, one for files and one for
 * the rest: a process of 1.5 MiB may seem to have 1.2.  The other is VmHWM of
 * proc(5), for which a kernel of today (6.18 is one) asks all processors; we
 * stop the process when it is about to end, and read it.  So the peak of a
 * process that ends at its peak is exact.
 *
 * Why not Python's own wait4: a process counts the peak of what it was before
 * exec as its own, and a Python is larger than most of what we measure. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void become(const char *library, char **command)
{
    int null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(null, 1);
    if (null > 2)
        close(null);
    close(3);
    /* A script says itself for which of its programs the library is. */
    setenv("BENCH_LIBRARY", strcmp(library, "-") == 0 ? "" : library, 1);
    if (strcmp(library, "-") != 0 && getenv("BENCH_SCRIPT") == NULL)
        setenv("LD_PRELOAD", library, 1);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* Count what stops the process and its children from its exec on. */
static int count_exceptions(pid_t child)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof attr,
                                    .config = PERF_COUNT_SW_PAGE_FAULTS,
                                    .disabled = 1,
                                    .inherit = 1,
                                    .enable_on_exec = 1 };

    return (int)syscall(SYS_perf_event_open, &attr, child, -1, -1,
                        PERF_FLAG_FD_CLOEXEC);
}

static long counted(int fd)
{
    uint64_t n;

    return fd >= 0 && read(fd, &n, sizeof n) == sizeof n ? (long)n : -1;
}

/* The peak that the kernel tells of a process that still has its memory; 0: it
 * does not. */
static long peak_kib(pid_t child)
{
    char name[64], line[256];
    long kib = 0;
    FILE *f;

    snprintf(name, sizeof name, "/proc/%d/status", (int)child);
    f = fopen(name, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kib;
}

/* Wait for the end of a process that we seized; what it is sent meanwhile
 * reaches it.  One that may not be seized is only waited for. */
static int see_off(pid_t child, int *status, struct rusage *u, long *peak)
{
    *peak = 0;
    for (;;) {
        if (wait4(child, status, 0, u) < 0)
            return -1;
        if (!WIFSTOPPED(*status))
            break;
        int event = *status >> 16, sent = event == 0 ? WSTOPSIG(*status) : 0;
        if (event == PTRACE_EVENT_EXIT)
            *peak = peak_kib(child);
        ptrace(event == PTRACE_EVENT_STOP && WSTOPSIG(*status) != SIGTRAP
                   ? PTRACE_LISTEN
                   : PTRACE_CONT,
               child, NULL, (void *)(long)sent);
    }
    if (*peak < u->ru_maxrss)
        *peak = u->ru_maxrss;
    return 0;
}

int main(int argc, char **argv)
{
    struct rusage u;
    long peak;
    int ready[2], counter = -1;
    double begin;
    int status;
    pid_t child;

    if (argc < 3) {
        fprintf(stderr, "usage: run LIBRARY|- COMMAND ARGUMENT...\n");
        return 2;
    }
    if (pipe(ready) != 0) {
        perror("run");
        return 1;
    }
    child = fork();
    if (child == 0) {
        char word;
        close(ready[1]);
        if (read(ready[0], &word, 1) != 1)
            _exit(127);
        close(ready[0]);
        become(argv[1], argv + 2);
    }
    if (child > 0) {
        counter = count_exceptions(child);
        ptrace(PTRACE_SEIZE, child, NULL, (void *)PTRACE_O_TRACEEXIT);
    }
    begin = now();
    if (write(ready[1], "", 1) != 1)
        perror("run");
    if (child < 0 || see_off(child, &status, &u, &peak) < 0) {
        perror("run");
        return 1;
    }
    dprintf(3, "%.6f %.6f %.6f %ld %ld %ld %ld\n", now() - begin,
            seconds(u.ru_utime), seconds(u.ru_stime), peak,
            u.ru_minflt + u.ru_majflt, counted(counter), u.ru_maxrss);
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "run: %s: killed by signal %d\n", argv[2],
                WTERMSIG(status));
        return 1;
    }
    return WEXITSTATUS(status);
}
