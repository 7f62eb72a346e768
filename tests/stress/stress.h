/* stress.h -- what the programs of tests/stress and tests/model share.
 *
 * Each runs for about SECONDS_MAX seconds (an environment variable; 3 unless
 * told otherwise, 2 if SHORT is set, 40 if LONG is) or a fixed number of operations,
 * more of them if LONG is set (make torture), prints one line and exits 0.  Random choices follow SEED, which is printed.  A
 * program that cannot run here exits 77, its last line saying why. */
#ifndef STRESS_H
#define STRESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KiB ((size_t)1 << 10)
#define MiB ((size_t)1 << 20)

/* Say what is wrong, without allocating, and abort. */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void fail(const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    n = n < (int)sizeof text - 1 ? n : (int)sizeof text - 2;
    text[n++] = '\n';
    if (write(2, text, (size_t)n) < 0)
        _exit(1);
    abort();
}

#define demand(condition)                                                   \
    do {                                                                    \
        if (!(condition))                                                   \
            fail("%s:%d: %s does not hold (errno %d)", __FILE__, __LINE__,  \
                 #condition, errno);                                        \
    } while (0)

__attribute__((noreturn, unused))
static void skip(const char *why)
{
    puts(why);
    exit(77);
}

/* The same value or pointer, of which the compiler knows nothing. */
__attribute__((unused)) static size_t opaque(size_t n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

__attribute__((unused)) static void *launder(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

__attribute__((unused)) static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* When to stop, on the clock of now(). */
__attribute__((unused)) static double deadline(void)
{
    const char *text = getenv("SECONDS_MAX"), *brief = getenv("SHORT");
    return now() + (text != NULL ? atof(text) : brief != NULL && *brief != '\0' ? 2.0
                    : getenv("LONG") != NULL ? 40.0 : 3.0);
}

/* How often to do it: in make check, and in make torture. */
__attribute__((unused)) static int rounds(int quick, int most)
{
    return getenv("LONG") != NULL ? most : quick;
}

__attribute__((unused)) static uint64_t seed(void)
{
    const char *text = getenv("SEED");
    if (text != NULL)
        return strtoull(text, NULL, 0);
    return (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
}

/* Vigna's splitmix64: a good 64-bit value from any state, 0 included. */
__attribute__((unused)) static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

__attribute__((unused)) static size_t draw_below(uint64_t *state, size_t n)
{
    return (size_t)(draw(state) % n);
}

/* A size from 1 to `most` bytes; each power of two is as likely as the next. */
__attribute__((unused)) static size_t draw_size(uint64_t *state, size_t most)
{
    unsigned nbits = 64 - (unsigned)__builtin_clzll(most);
    size_t n = (size_t)1 << draw_below(state, nbits);
    n += draw_below(state, n);
    return n < most ? n : most;
}

/* Mark both ends of a block with a tag; demand that they are there. */
__attribute__((unused)) static void tag_put(void *p, size_t n, unsigned char tag)
{
    unsigned char *b = p;
    b[0] = b[n - 1] = tag;
    b[n / 2] = tag;
}

__attribute__((unused)) static void tag_check(const void *p, size_t n, unsigned char tag)
{
    const unsigned char *b = p;
    if (b[0] != tag || b[n / 2] != tag || b[n - 1] != tag)
        fail("the block of %zu bytes at %p has lost its tag %u", n, p, tag);
}

/* Allocate and free `count` times in a small table, tags checked. */
__attribute__((unused)) static void churn(uint64_t state, int count, size_t most)
{
    enum { N = 64 };
    struct { void *p; size_t n; unsigned char tag; } live[N] = { { NULL, 0, 0 } };

    for (int i = 0; i < count; i++) {
        size_t k = draw_below(&state, N);
        if (live[k].p != NULL)
            tag_check(live[k].p, live[k].n, live[k].tag);
        free(live[k].p);
        live[k].n = draw_size(&state, most);
        live[k].tag = (unsigned char)draw(&state);
        live[k].p = malloc(live[k].n);
        demand(live[k].p != NULL);
        tag_put(live[k].p, live[k].n, live[k].tag);
    }
    for (int k = 0; k < N; k++) {
        if (live[k].p != NULL)
            tag_check(live[k].p, live[k].n, live[k].tag);
        free(live[k].p);
    }
}

/* Bytes of this process in memory; read without allocating.  0 under a sanitizer. */
__attribute__((unused)) static size_t resident_bytes(void)
{
    char text[100] = "";
    if (SANITIZED)
        return 0;
    int fd = open("/proc/self/statm", O_RDONLY);
    demand(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return (size_t)atol(strchr(text, ' ')) * (size_t)sysconf(_SC_PAGESIZE);
}

/* Wait for a child that must exit with status 0; `what` names it if it does not. */
__attribute__((unused)) static void wait_for(pid_t pid, const char *what)
{
    int status = 0;
    pid_t got;
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    demand(got == pid);
    if (WIFSIGNALED(status))
        fail("%s: killed by signal %d%s", what, WTERMSIG(status),
             WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
    if (WEXITSTATUS(status) != 0)
        fail("%s: exit status %d", what, WEXITSTATUS(status));
}

__attribute__((unused)) static pthread_t start(void *(*f)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, f, argument);
    if (error != 0)
        fail("pthread_create: error %d", error);
    return thread;
}

#endif
