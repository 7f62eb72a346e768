/* onelock_map.c -- photographs of the one-lock allocator's heap while a program runs.
 *
 * LD_PRELOAD=onelock_map.so:libonelock.so, and in the environment:
 *   MAP_FILE     a matrix: a line a moment, a value a bucket of addresses: percent of
 *                it in live pieces, or -1 where nothing is ours
 *   MAP_SUMS     a line a moment: calls so far, bytes held, bytes live, free pieces
 *   MAP_EVERY    calls of malloc and free between two moments
 *   MAP_BUCKET   bytes of a bucket
 *   MAP_NBUCKETS buckets in a line
 * Only a program's first thread of one process is meant; children write nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onelock/onelock.h"

enum { MOST = 4096 };

static int map_fd = -1, sums_fd = -1;
static unsigned long every, nbuckets, ncalls;
static size_t bucket;
static pid_t pid;
static const char *lowest;
static size_t live[MOST], ours[MOST], nfree;
static void *(*next_malloc)(size_t);
static void (*next_free)(void *);

static unsigned long setting(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *map = getenv("MAP_FILE"), *sums = getenv("MAP_SUMS");

    every = setting("MAP_EVERY");
    bucket = setting("MAP_BUCKET");
    nbuckets = setting("MAP_NBUCKETS");
    if (map == NULL || sums == NULL || every == 0 || bucket == 0 || nbuckets > MOST)
        return;
    sums_fd = open(sums, O_WRONLY | O_APPEND | O_CLOEXEC);
    map_fd = open(map, O_WRONLY | O_APPEND | O_CLOEXEC);
    pid = getpid();
}

static void add(void *context, const void *piece, size_t size, bool is_live)
{
    size_t at;

    (void)context;
    if (lowest == NULL)
        lowest = piece;
    at = (size_t)((const char *)piece - lowest);
    nfree += !is_live;
    while (size > 0 && at / bucket < nbuckets) {
        size_t part = bucket - at % bucket < size ? bucket - at % bucket : size;

        ours[at / bucket] += part;
        live[at / bucket] += is_live ? part : 0;
        at += part;
        size -= part;
    }
}

static void put(int fd, const char *text, size_t n)
{
    if (write(fd, text, n) != (ssize_t)n)
        _exit(3);
}

static void photograph(void)
{
    static char line[MOST * 4 + 100];
    struct onelock_counts counts;
    size_t n = 0;

    memset(live, 0, sizeof live);
    memset(ours, 0, sizeof ours);
    nfree = 0;
    onelock_walk(add, NULL);
    for (unsigned long i = 0; i < nbuckets; i++)
        n += (size_t)(ours[i] == 0 ? sprintf(line + n, "%s-1", i ? "," : "")
                      : sprintf(line + n, "%s%zu", i ? "," : "", live[i] * 100 / bucket));
    line[n++] = '\n';
    put(map_fd, line, n);
    onelock_count(&counts);
    n = (size_t)sprintf(line, "%lu,%zu,%zu,%zu\n", ncalls, counts.held, counts.live, nfree);
    put(sums_fd, line, n);
}

static void count_call(void)
{
    if (map_fd >= 0 && sums_fd >= 0 && ++ncalls % every == 0 && getpid() == pid)
        photograph();
}

void *malloc(size_t n)
{
    if (next_malloc == NULL)
        *(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
    count_call();
    return next_malloc(n);
}

void free(void *p)
{
    if (next_free == NULL)
        *(void **)&next_free = dlsym(RTLD_NEXT, "free");
    count_call();
    next_free(p);
}
