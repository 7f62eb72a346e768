/* workloads.c -- small programs that do little but allocate.
 *
 *   workloads NAME [THREADS]     does the work
 *   workloads                    lists the names
 *
 * Environment: AFTER=1 writes one line when the load has ended and one second
 * later, with resident and live KiB, for the table's column "after". */

#define _GNU_SOURCE
#include "workloads.h"

#include <time.h>
#include <unistd.h>

int nthreads = 1;
size_t live_at_end, live_at_peak;

struct start {
    void (*work)(int number);
    int number;
};

static void *start_thread(void *argument)
{
    struct start *s = argument;

    s->work(s->number);
    return NULL;
}

void in_threads(void (*work)(int number))
{
    pthread_t t[MAX_THREADS];
    struct start s[MAX_THREADS];

    for (int i = 0; i < nthreads; i++) {
        s[i] = (struct start){ work, i };
        if (nthreads > 1 && pthread_create(&t[i], NULL, start_thread, &s[i])) {
            fprintf(stderr, "workloads: cannot start thread %d\n", i);
            exit(1);
        }
    }
    if (nthreads == 1)
        work(0);
    else
        for (int i = 0; i < nthreads; i++)
            pthread_join(t[i], NULL);
}

void *demand(size_t size)
{
    void *p = malloc(size);

    if (p == NULL) {
        fprintf(stderr, "workloads: no memory for %zu bytes\n", size);
        exit(1);
    }
    return p;
}

void *demand_more(void *p, size_t size)
{
    p = realloc(p, size);
    if (p == NULL) {
        fprintf(stderr, "workloads: no memory for %zu bytes\n", size);
        exit(1);
    }
    return p;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1) {
        perror("workloads: /proc/self/statm");
        exit(1);
    }
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A second in which the process has little to do: every 10 ms it asks for
 * some blocks of all sizes, as a server does that still gets a request now
 * and then.  An allocator that gives memory back during calls can do so. */
static void quiet_second(void)
{
    struct timespec pause = { 0, 10 * 1000 * 1000 };

    for (int i = 0; i < 100; i++) {
        char *p[64];
        nanosleep(&pause, NULL);
        for (int k = 0; k < 64; k++)
            p[k] = written((size_t)32 << k % 11);
        for (int k = 0; k < 64; k++)
            free(p[k]);
    }
}

static void report_after(long before)
{
    long end = resident_kib();

    quiet_second();
    printf("%ld %ld %ld %zu %zu\n", before, end, resident_kib(),
           live_at_end / 1024, live_at_peak / 1024);
}

static const struct workload *find(const char *name)
{
    for (const struct workload *w = published; w->name != NULL; w++)
        if (strcmp(w->name, name) == 0)
            return w;
    for (const struct workload *w = everyday; w->name != NULL; w++)
        if (strcmp(w->name, name) == 0)
            return w;
    return NULL;
}

static void list(void)
{
    fprintf(stderr, "usage: workloads NAME [THREADS]\n");
    for (const struct workload *w = published; w->name != NULL; w++)
        fprintf(stderr, "  %-14s%s\n", w->name, w->what);
    for (const struct workload *w = everyday; w->name != NULL; w++)
        fprintf(stderr, "  %-14s%s\n", w->name, w->what);
}

int main(int argc, char **argv)
{
    const struct workload *w = argc > 1 ? find(argv[1]) : NULL;
    long before;

    nthreads = argc > 2 ? atoi(argv[2]) : 1;
    if (w == NULL || nthreads < 1 || nthreads > MAX_THREADS) {
        list();
        return 2;
    }
    before = getenv("AFTER") != NULL ? resident_kib() : 0;
    w->run();
    if (getenv("AFTER") != NULL)
        report_after(before);
    return 0;
}
