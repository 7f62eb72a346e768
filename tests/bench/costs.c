/* costs.c -- what the ground and the system cost, in nanoseconds.
 *
 *   cc -O2 -o build/costs tests/bench/costs.c -pthread && build/costs
 *
 * Its rows are in figures/data/lockcosts.csv and systemcosts.csv.  Each row is the least of many rounds: noise only ever adds. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200, N = 1000 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The least time of one `what`, of `n` at a time. */
#define MEASURE(name, n, what)                                     \
    do {                                                           \
        double least = 1e18;                                       \
        for (int r = 0; r < ROUNDS; r++) {                         \
            double start = now();                                  \
            for (int i = 0; i < (n); i++) {                        \
                what;                                              \
            }                                                      \
            double t = (now() - start) / (n);                      \
            if (t < least)                                         \
                least = t;                                         \
        }                                                          \
        printf("%s,%.1f\n", name, least);                          \
    } while (0)

static _Atomic uint32_t word;
static volatile char flag;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_pair(void)
{
    uint32_t unlocked = 0;

    atomic_compare_exchange_strong_explicit(&word, &unlocked, 1,
                                            memory_order_acquire,
                                            memory_order_relaxed);
    atomic_exchange_explicit(&word, 0, memory_order_release);
}

static void skipped_pair(void)
{
    if (flag)
        lock_pair();
    if (flag)
        lock_pair();
}

static char *map(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        exit(1);
    return p;
}

static void clock_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
}

static void *nothing(void *p)
{
    return p;
}

static double least[6] = { 1e18, 1e18, 1e18, 1e18, 1e18, 1e18 };

static void note(int what, double start)
{
    double t = now() - start;

    if (t < least[what])
        least[what] = t;
}

static void touch(char *p, size_t size)
{
    for (size_t k = 0; k < size; k += 4096)
        p[k] = 1;
}

/* A chunk touched page by page; the same once its pages are there (ns for a
 * page); a piece made read-only; all copied; moved; purged. */
static void measure_pages(char *p, size_t chunk)
{
    static const char *const names[6] = { "fault", "touch", "protect",
                                          "copy", "move", "purge" };
    char *q = map(chunk);
    double t;

    memset(q, 1, chunk);
    for (int r = 0; r < ROUNDS; r++) {
        char *hole = map(chunk);
        madvise(p, chunk, MADV_NOHUGEPAGE);
        t = now(), touch(p, chunk), note(0, t);
        t = now(), touch(p, chunk), note(1, t);
        t = now(), mprotect(p, 16384, PROT_READ), note(2, t);
        mprotect(p, 16384, PROT_READ | PROT_WRITE);
        t = now(), memcpy(q, p, chunk), note(3, t);
        t = now();
        p = mremap(p, chunk, chunk, MREMAP_MAYMOVE | MREMAP_FIXED, hole);
        note(4, t);
        t = now(), madvise(p, chunk, MADV_DONTNEED), note(5, t);
    }
    for (int i = 0; i < 6; i++)
        printf("%s,%.1f\n", names[i], i < 2 ? least[i] * 4096 / chunk
                                            : least[i]);
}

int main(void)
{
    size_t chunk = (size_t)4 << 20;
    pthread_t t;
    char *p = map(chunk);

    printf("what,ns\n");
    MEASURE("skipped", N, skipped_pair());
#ifdef __x86_64__
    MEASURE("pause", N, __builtin_ia32_pause());
#endif
    MEASURE("lock", N, lock_pair());
    pthread_create(&t, NULL, nothing, NULL);    /* now its locks are real */
    pthread_join(t, NULL);
    MEASURE("pthread", N, (pthread_mutex_lock(&mutex),
                           pthread_mutex_unlock(&mutex)));
    MEASURE("call", N, syscall(SYS_getppid));
    MEASURE("clock", N, clock_of(CLOCK_MONOTONIC));
    MEASURE("coarse", N, clock_of(CLOCK_MONOTONIC_COARSE));
    MEASURE("map", 50, munmap(map(chunk), chunk));
    measure_pages(p, chunk);
    return 0;
}
