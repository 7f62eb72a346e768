/* fresh.c -- what a page costs that had no memory, by the way it gets it.
 *
 *   fresh            a line a way: NAME BATCH_KIB US_A_PAGE US_TO_UNMAP HUGE_KIB
 *
 * 64 MiB are mapped, backed, written one byte a page, and unmapped, in nine rounds of
 * which the medians count; the ways take turns.  Processor time of this thread. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { ROUNDS = 9, MIB = 1 << 20, SIZE = 64 * MIB, PAGE = 4096 };

static const struct way { const char *name; size_t batch; int huge; } ways[] = {
    { "touched", 0, 0 },            { "4 KiB", PAGE, 0 },
    { "16 KiB", 16 << 10, 0 },      { "64 KiB", 64 << 10, 0 },
    { "256 KiB", 256 << 10, 0 },    { "2 MiB", 2 * MIB, 0 },
    { "huge", 2 * MIB, 1 },
};
enum { NWAYS = sizeof ways / sizeof *ways };

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void demand(int answer, const char *what)
{
    if (answer != 0) {
        perror(what);
        exit(1);
    }
}

static void back(char *p, const struct way *w)
{
    if (w->huge)
        demand(madvise(p, w->batch, MADV_HUGEPAGE), "MADV_HUGEPAGE");
    demand(madvise(p, w->batch, MADV_POPULATE_WRITE), "MADV_POPULATE_WRITE");
    if (w->huge)
        demand(madvise(p, w->batch, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
}

/* KiB of [p, p + SIZE) that lie in huge pages. */
static long huge_kib(const char *p)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    unsigned long from, to;
    long kib = 0, n;
    int inside = 0;
    char line[512];

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = from < (unsigned long)p + SIZE && to > (unsigned long)p;
        else if (inside && sscanf(line, "AnonHugePages: %ld", &n) == 1)
            kib += n;
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(void)
{
    static double cost[NWAYS][ROUNDS], away[NWAYS][ROUNDS];
    long huge[NWAYS] = { 0 };

    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < NWAYS; i++) {
            const struct way *w = &ways[i];
            char *all = mmap(NULL, SIZE + 2 * MIB, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            demand(all == MAP_FAILED, "mmap");
            char *p = all + (-(unsigned long)all & (2 * MIB - 1));
            demand(madvise(p, SIZE, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
            double t = now_us();
            for (size_t at = 0; at < SIZE; at += PAGE) {
                if (w->batch > 0 && at % w->batch == 0)
                    back(p + at, w);
                p[at] = 1;
            }
            cost[i][r] = (now_us() - t) / (SIZE / PAGE);
            huge[i] = huge_kib(p);
            t = now_us();
            demand(munmap(all, SIZE + 2 * MIB), "munmap");
            away[i][r] = (now_us() - t) / (SIZE / PAGE);
        }
    for (int i = 0; i < NWAYS; i++) {
        qsort(cost[i], ROUNDS, sizeof(double), by_size);
        qsort(away[i], ROUNDS, sizeof(double), by_size);
        printf("%s,%zu,%.3f,%.3f,%ld\n", ways[i].name, ways[i].batch >> 10,
               cost[i][ROUNDS / 2], away[i][ROUNDS / 2], huge[i]);
    }
    return 0;
}
