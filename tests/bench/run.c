/* run.c -- starts one program and says what it cost.
 *
 *   run LIBRARY COMMAND ARGUMENT...      LIBRARY: what to preload, or -
 *
 * Writes one line to fd 3: wall, user and system seconds, peak resident KiB,
 * page faults.  The command's output is thrown away; its errors are not.
 *
 * Why not Python's own wait4: a process counts the peak of what it was before
 * exec as its own, and a Python is larger than most of what we measure. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

int main(int argc, char **argv)
{
    struct rusage u;
    double begin;
    int status;
    pid_t child;

    if (argc < 3) {
        fprintf(stderr, "usage: run LIBRARY|- COMMAND ARGUMENT...\n");
        return 2;
    }
    begin = now();
    child = fork();
    if (child == 0)
        become(argv[1], argv + 2);
    if (child < 0 || wait4(child, &status, 0, &u) < 0) {
        perror("run");
        return 1;
    }
    dprintf(3, "%.6f %.6f %.6f %ld %ld\n", now() - begin, seconds(u.ru_utime),
            seconds(u.ru_stime), u.ru_maxrss, u.ru_minflt + u.ru_majflt);
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "run: %s: killed by signal %d\n", argv[2],
                WTERMSIG(status));
        return 1;
    }
    return WEXITSTATUS(status);
}
