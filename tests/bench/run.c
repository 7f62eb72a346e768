/* run.c -- starts one program and says what it cost.
 *
 *   run [-c COPIES] LIBRARY COMMAND ARGUMENT...    LIBRARY: to preload, or -
 *
 * With -c the command runs so many times at once: the copies are let go in one
 * moment, each on a processor of its own.  Wall is then the time until the last
 * has ended, and the peak that of the largest; the rest are sums.
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
 * Before it starts anything it writes to 192 MiB of memory and gives them back.
 * A virtual machine may hand memory that lay free for some seconds, in pieces of
 * 2 MiB, back to its host, and whoever touches it next waits until the host has
 * found other memory: tens of milliseconds for a process of 100 MiB that uses
 * huge pages, by the time that has passed since the run before it.
 *
 * Why not Python's own wait4: a process counts the peak of what it was before
 * exec as its own, and a Python is larger than most of what we measure. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64 };             /* copies */
enum { WARM_BYTES = 192 * 1024 * 1024, HUGE_PAGE = 2 * 1024 * 1024 };

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

/* Make the host give us the memory that the command will ask for. */
static void warm(void)
{
    char *p = mmap(NULL, WARM_BYTES + HUGE_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return;
    madvise(p, WARM_BYTES + HUGE_PAGE, MADV_HUGEPAGE);
    for (size_t i = 0; i < WARM_BYTES; i += 4096)
        p[i] = 1;
    munmap(p, WARM_BYTES + HUGE_PAGE);
}

/* Stay on one of the processors that we may use, by its place among them. */
static int pin(int place)
{
    cpu_set_t all, one;

    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return -1;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && place-- == 0)
            CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one);
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

static long counted(const int *fd, int copies)
{
    uint64_t n, sum = 0;

    for (int i = 0; i < copies; i++, sum += n)
        if (fd[i] < 0 || read(fd[i], &n, sizeof n) != sizeof n)
            return -1;
    return (long)sum;
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

/* Wait for the end of the processes that we seized; what they are sent
 * meanwhile reaches them.  One that may not be seized is only waited for.  The
 * status is that of one that failed, if there is one; the peak, the largest. */
static int see_off(int copies, int *status, long *peak)
{
    *status = 0;
    *peak = 0;
    while (copies > 0) {
        int s;
        pid_t child = waitpid(-1, &s, 0);
        if (child < 0)
            return -1;
        if (!WIFSTOPPED(s)) {
            copies--;
            if (s != 0)
                *status = s;
            continue;
        }
        int event = s >> 16, sent = event == 0 ? WSTOPSIG(s) : 0;
        if (event == PTRACE_EVENT_EXIT) {
            long kib = peak_kib(child);
            *peak = kib > *peak ? kib : *peak;
        }
        ptrace(event == PTRACE_EVENT_STOP && WSTOPSIG(s) != SIGTRAP
                   ? PTRACE_LISTEN
                   : PTRACE_CONT,
               child, NULL, (void *)(long)sent);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static char go[MOST];
    struct rusage u;
    long peak;
    int ready[2], counter[MOST], copies = 1, status;
    double begin, wall;

    if (argc > 2 && strcmp(argv[1], "-c") == 0) {
        copies = atoi(argv[2]);
        argc -= 2;
        argv += 2;
    }
    if (argc < 3 || copies < 1 || copies > MOST) {
        fprintf(stderr,
                "usage: run [-c COPIES] LIBRARY|- COMMAND ARGUMENT...\n");
        return 2;
    }
    warm();
    if (pipe(ready) != 0) {
        perror("run");
        return 1;
    }
    for (int i = 0; i < copies; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("run");
            return 1;
        }
        if (child == 0) {
            char word;
            close(ready[1]);
            if (copies > 1 && pin(i) != 0) {
                fprintf(stderr, "run: there is no processor for copy %d\n",
                        i + 1);
                _exit(127);
            }
            if (read(ready[0], &word, 1) != 1)
                _exit(127);
            close(ready[0]);
            become(argv[1], argv + 2);
        }
        counter[i] = count_exceptions(child);
        ptrace(PTRACE_SEIZE, child, NULL, (void *)PTRACE_O_TRACEEXIT);
    }
    begin = now();
    if (write(ready[1], go, (size_t)copies) != copies)
        perror("run");
    if (see_off(copies, &status, &peak) < 0) {
        perror("run");
        return 1;
    }
    wall = now() - begin;
    getrusage(RUSAGE_CHILDREN, &u);
    dprintf(3, "%.6f %.6f %.6f %ld %ld %ld %ld\n", wall, seconds(u.ru_utime),
            seconds(u.ru_stime), peak > u.ru_maxrss ? peak : u.ru_maxrss,
            u.ru_minflt + u.ru_majflt, counted(counter, copies), u.ru_maxrss);
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "run: %s: killed by signal %d\n", argv[2],
                WTERMSIG(status));
        return 1;
    }
    return WEXITSTATUS(status);
}
