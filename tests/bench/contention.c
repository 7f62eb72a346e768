/* contention.c -- what one lock costs: pairs of malloc and free in several threads.
 *
 *   contention pairs THREADS WORK TOTAL    pairs among 100 live blocks a thread
 *   contention tail THREADS WORK TOTAL     the same, and how long the slowest pairs took
 *   contention scratch|thrash THREADS SIZE WRITES     false sharing
 *   contention ids THREADS ARENAS          to which arena a hash of the thread's id leads
 *
 * Thread i is bound to the i-th of the processors that the process may use, over and over.
 * Each prints one line of values (ids: one a thread); contention.sh names the columns.
 * The allocator is whatever is preloaded; if it is the one-lock one, it counts. */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "onelock/onelock.h"

extern void onelock_count(struct onelock_counts *) __attribute__((weak));

enum { MOST = 64, NLIVE = 100, LINE = 64, SAMPLES = 40 };

static unsigned nthreads;
static unsigned long total, work, writes;
static size_t size;
static pthread_barrier_t barrier;
static char *object[MOST];              /* scratch, thrash: what each thread has now */
static pthread_t id[MOST];
static uint32_t *took;                  /* tail: ns of each pair, a share for each thread */

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void need(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "contention: %s\n", what);
        exit(2);
    }
}

static uint64_t draw(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

/* Work that touches nothing but registers: `n` dependent steps. */
static uint64_t spin(uint64_t x, unsigned long n)
{
    while (n-- > 0) {
        x = x * 6364136223846793005u + 1;
        __asm__ volatile("" : "+r"(x));
    }
    return x;
}

/* Replace one of 100 blocks of 16 to 271 bytes: free it, allocate another. */
static void *pairs(void *number)
{
    uint64_t x = 88172645463325252u + (uintptr_t)number * 7919;
    char *live[NLIVE] = { NULL };

    pthread_barrier_wait(&barrier);
    for (unsigned long n = total / nthreads; n > 0; n--) {
        uint64_t r = draw(&x);
        char **p = &live[r % NLIVE];
        double before = took != NULL ? now(CLOCK_MONOTONIC) : 0;

        free(*p);
        *p = malloc(16 + (r >> 32) % 256);
        need(*p != NULL, "no memory");
        if (took != NULL)
            took[(uintptr_t)number * (total / nthreads) + n - 1] =
                (uint32_t)((now(CLOCK_MONOTONIC) - before) * 1e9);
        **p = 1;
        if (work != 0)
            x += spin(x, work) == 0;
    }
    for (int i = 0; i < NLIVE; i++)
        free(live[i]);
    return NULL;
}

/* Hoard's two: allocate a small object, write to it often, free it.  In `scratch` a
 * thread first frees an object that the main thread made for it. */
static void *share(void *number)
{
    unsigned me = (unsigned)(uintptr_t)number;

    pthread_barrier_wait(&barrier);
    free(object[me]);
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < SAMPLES; round++) {
        volatile char *p = malloc(size);

        need(p != NULL, "no memory");
        object[me] = (char *)p;
        for (unsigned long n = 0; n < writes; n++)
            p[n % 8]++;
        pthread_barrier_wait(&barrier);         /* main counts who shares a line */
        pthread_barrier_wait(&barrier);
        free((char *)p);
    }
    return NULL;
}

/* Threads whose object has bytes in a line where another thread's has some. */
static unsigned sharers(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < nthreads; i++)
        for (unsigned j = 0; j < nthreads; j++)
            if (i != j && (uintptr_t)object[i] / LINE <= ((uintptr_t)object[j] + size - 1) / LINE
                && (uintptr_t)object[j] / LINE <= ((uintptr_t)object[i] + size - 1) / LINE) {
                n++;
                break;
            }
    return n;
}

static void *nothing(void *number)
{
    (void)number;
    pthread_barrier_wait(&barrier);             /* all exist at once: no id twice */
    return NULL;
}

static void start(void *(*f)(void *))
{
    cpu_set_t may, one;
    unsigned cpu = CPU_SETSIZE - 1;

    need(sched_getaffinity(0, sizeof may, &may) == 0, "cannot ask for processors");
    for (unsigned i = 0; i < nthreads; i++) {
        do
            cpu = (cpu + 1) % CPU_SETSIZE;
        while (!CPU_ISSET(cpu, &may));
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        need(pthread_create(&id[i], NULL, f, (void *)(uintptr_t)i) == 0, "no thread");
        need(pthread_setaffinity_np(id[i], sizeof one, &one) == 0, "cannot bind a thread");
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < nthreads; i++)
        pthread_join(id[i], NULL);
}

static void run_pairs(void)
{
    struct onelock_counts a = { 0 }, b = { 0 };
    struct rusage u, v;
    double wall, cpu;

    pthread_barrier_init(&barrier, NULL, nthreads + 1);
    start(pairs);
    getrusage(RUSAGE_SELF, &u);
    if (onelock_count)
        onelock_count(&a);
    wall = now(CLOCK_MONOTONIC);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    pthread_barrier_wait(&barrier);
    finish();
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (onelock_count)
        onelock_count(&b);
    getrusage(RUSAGE_SELF, &v);
    printf("%.1f,%.1f,%llu,%llu,%ld,%ld\n", wall * 1e9 / (double)total, cpu * 1e9 / (double)total,
           (unsigned long long)(b.locked - a.locked), (unsigned long long)(b.waited - a.waited),
           v.ru_nvcsw - u.ru_nvcsw, v.ru_nivcsw - u.ru_nivcsw);
}

static int in_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void run_tail(void)
{
    size_t n = total / nthreads * nthreads;

    took = mmap(NULL, n * sizeof *took, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    need(took != MAP_FAILED, "no memory");
    pthread_barrier_init(&barrier, NULL, nthreads + 1);
    start(pairs);
    pthread_barrier_wait(&barrier);
    finish();
    qsort(took, n, sizeof *took, in_order);
    printf("%u,%u,%u,%u\n", took[n / 2], took[n - 1 - n / 100], took[n - 1 - n / 1000],
           took[n - 1 - n / 10000]);
}

static void run_share(int scratch)
{
    unsigned long sum = 0;
    double wall = 0;

    for (unsigned i = 0; i < nthreads; i++)
        object[i] = scratch ? malloc(size) : NULL;
    pthread_barrier_init(&barrier, NULL, nthreads + 1);
    start(share);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < SAMPLES; round++) {
        double t = now(CLOCK_MONOTONIC);

        pthread_barrier_wait(&barrier);
        wall += now(CLOCK_MONOTONIC) - t;
        sum += sharers();
        pthread_barrier_wait(&barrier);
    }
    finish();
    printf("%.2f,%.0f\n", wall * 1e9 / ((double)SAMPLES * (double)writes),
           100.0 * (double)sum / ((double)SAMPLES * nthreads));
}

/* The arena by modulo, by modulo the next prime (as FreeBSD's 1.114), by a good hash,
 * by round robin. */
static void run_ids(unsigned narenas)
{
    unsigned prime = narenas;

    for (unsigned d = 2; d < prime; d++)
        if (prime % d == 0) {
            prime++;
            d = 1;
        }
    pthread_barrier_init(&barrier, NULL, nthreads + 1);
    start(nothing);
    for (unsigned i = 0; i < nthreads; i++) {
        uint64_t key = (uint64_t)id[i];

        printf("%u,0x%llx,%llu,%llu,%llu,%u\n", i, (unsigned long long)key,
               (unsigned long long)(key % narenas), (unsigned long long)(key % prime),
               (unsigned long long)((key >> 12) * 11400714819323198485u >> 32) % narenas,
               i % narenas);
    }
    pthread_barrier_wait(&barrier);
    finish();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    unsigned long a[3] = { 0 };

    for (int i = 0; i < 3 && i + 2 < argc; i++)
        a[i] = strtoul(argv[i + 2], NULL, 10);
    nthreads = (unsigned)a[0];
    need(argc >= 4 && 0 < nthreads && nthreads <= MOST,
         "usage: contention pairs|tail THREADS WORK TOTAL | scratch THREADS SIZE WRITES | "
         "thrash THREADS SIZE WRITES | ids THREADS ARENAS; 1 to 64 threads");
    if ((strcmp(mode, "pairs") == 0 || strcmp(mode, "tail") == 0) && argc == 5) {
        work = a[1];
        total = a[2];
        need(total >= nthreads, "fewer pairs than threads");
        if (mode[0] == 'p')
            run_pairs();
        else
            run_tail();
    } else if ((strcmp(mode, "scratch") == 0 || strcmp(mode, "thrash") == 0) && argc == 5) {
        size = a[1];
        writes = a[2];
        need(size >= 8 && writes > 0, "a size of at least 8, at least 1 write");
        run_share(mode[0] == 's');
    } else if (strcmp(mode, "ids") == 0) {
        need(a[1] > 0, "at least one arena");
        run_ids((unsigned)a[1]);
    } else {
        need(0, "the first argument is pairs, tail, scratch, thrash or ids, with its numbers");
    }
    return 0;
}
