/* cold.c -- the first malloc(48) of a process and its free, with real addresses.
 *
 *   sh tests/bench/cold.sh
 *
 * builds it from tangled/ and writes figures/data/cold.csv (a value a row) and
 * cold-calls.csv (the system calls for memory, in order).  Nothing is printed before
 * the walk is over: printf would allocate. */

#define _GNU_SOURCE
#include "base.h"
#include "pagemap.h"
#include "pages.h"
#include "run.h"
#include "thread.h"

#include "litmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { NCALLS = 64, LATER = 500 };

/* Every system call for memory, as the room `pages` makes it. */
static struct call {
    long n, a, b, c, d, answer;
} calls[NCALLS];
static unsigned ncalls;

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    long answer = system_call(n, a, b, c, d, e, f);

    if (ncalls < NCALLS)
        calls[ncalls++] = (struct call){ n, a, b, c, d, answer };
    return answer;
}

/* What is to be seen of the walk at one moment. */
struct view {
    struct thread *self;
    struct tcache *cache;
    size_t depth;
    void *slots[8];
    struct run run;
    size_t bin_taken, nused, npages, base_used;
    uint64_t nfills, nflushes;
    unsigned ncalls;
    long nfaults;
};

static long faults(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

static void look(struct view *v, void *p, unsigned c)
{
    v->nfaults = faults();
    v->ncalls = ncalls;
    v->self = thread_self();
    v->cache = &v->self->cache;
    if (thread_has_none(v->self))
        return;
    v->depth = tcache_depth(v->cache, c);
    for (unsigned i = 0; i < 8; i++)
        v->slots[i] = v->cache->slots[c][i];
    v->run = *run_of(pagemap_chunk(p), (uintptr_t)p);
    v->bin_taken = v->cache->arena->bins[c].ntaken;
    v->nfills = v->cache->arena->bins[c].nfills;
    v->nflushes = v->cache->arena->bins[c].nflushes;
    v->nused = v->cache->arena->pages.nused;
    v->npages = v->cache->arena->pages.npages;
    v->base_used = base_stats().used;
}

static void address(FILE *f, const char *name, const void *p)
{
    fprintf(f, "%s,0x%lx\n", name, (unsigned long)(uintptr_t)p);
}

static void number(FILE *f, const char *name, size_t n)
{
    fprintf(f, "%s,%zu\n", name, n);
}

/* An address cut at the grains, as the chapter about bits draws it. */
static void cut(FILE *f, const char *name, const void *block)
{
    uintptr_t p = (uintptr_t)block;
    char key[64];
    const struct {
        const char *field;
        size_t value;
    } fields[] = {
        { "chunk", p / CHUNK },
        { "page", p / PAGE % CHUNK_PAGES },
        { "offset", p % PAGE },
        { "mapindex", p / PAGE },
        { "region", region_index(3, (uint32_t)(p % PAGE)) },
    };

    address(f, name, block);
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        snprintf(key, sizeof key, "%s_%s", name, fields[i].field);
        number(f, key, fields[i].value);
    }
}

static void write_view(FILE *f, const char *when, const struct view *v)
{
    char key[64];
    const struct {
        const char *name;
        size_t value;
    } rows[] = {
        { "depth", v->depth },          { "nfree", v->run.nfree },
        { "taken", v->bin_taken },      { "used_pages", v->nused },
        { "pages", v->npages },         { "records", v->base_used },
        { "fills", v->nfills },         { "flushes", v->nflushes },
        { "calls", v->ncalls },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(key, sizeof key, "%s_%s", when, rows[i].name);
        number(f, key, rows[i].value);
    }
    for (unsigned i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "%s_slot%u", when, i);
        address(f, key, v->slots[i]);
    }
    snprintf(key, sizeof key, "%s_free0", when);
    address(f, key, (void *)v->run.free[0]);
}

static const char *call_name(long n)
{
    switch (n) {
    case SYS_mmap: return "mmap";
    case SYS_mprotect: return "mprotect";
    case SYS_munmap: return "munmap";
    case SYS_madvise: return "madvise";
    case SYS_prlimit64: return "prlimit64";
    default: return "?";
    }
}

static void write_calls(const char *path)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        exit(1);
    fprintf(f, "# tests/bench/cold.sh\nnumber,call,where,bytes\n");
    for (unsigned i = 0; i < ncalls; i++) {
        struct call *k = &calls[i];
        if (k->n == SYS_prlimit64)
            fprintf(f, "%u,prlimit64,–,–\n", i + 1);
        else
            fprintf(f, "%u,%s,0x%lx,%ld\n", i + 1, call_name(k->n),
                    (unsigned long)(k->n == SYS_mmap ? k->answer : k->a),
                    k->b);
    }
    fclose(f);
}

static struct view before, first, freed, full;
static struct {
    void *p, *again, *later, *blocks[LATER];
    unsigned ncold, nwarm;
    size_t capacity, nruns, given;
    uint64_t nfills;
    struct run run;             /* the first run, at home */
    size_t bin_taken, nused;
} walk;

/* Take and free LATER blocks more, counting what that costs. */
static void go_on(struct thread *t)
{
    for (unsigned i = 0; i < LATER; i++)
        walk.later = walk.blocks[i] = malloc(48);
    walk.nwarm = ncalls - walk.ncold;
    walk.capacity = (size_t)(t->cache.limit[3] - t->cache.slots[3]);
    walk.nruns = t->cache.arena->bins[3].nruns;
    walk.nfills = t->cache.arena->bins[3].nfills;
    for (unsigned i = 0; i < LATER; i++)
        free(walk.blocks[i]);
    look(&full, walk.p, 3);
}

/* In a constructor, and the first of all: the library's own has not run yet. */
__attribute__((constructor(101))) static void walk_through(void)
{
    look(&before, NULL, 3);
    walk.p = malloc(48);
    look(&first, walk.p, 3);
    walk.ncold = ncalls;
    free(walk.p);
    look(&freed, walk.p, 3);
    walk.again = malloc(48);
    free(walk.again);

    struct thread *t = thread_self();
    go_on(t);
    walk.given = lit_purge();
    walk.run = pagemap_chunk(walk.p)->runs[0];
    walk.bin_taken = t->cache.arena->bins[3].ntaken;
    walk.nused = t->cache.arena->pages.nused;
}

static void write_rooms(FILE *f)
{
    struct thread *t = first.self;
    struct arena *a = t->cache.arena;
    struct chunk *k = pagemap_chunk(walk.p);

    address(f, "thread_none", &thread_none);
    number(f, "none_before", thread_has_none(before.self));
    number(f, "class", t->cache.class_of[48]);
    address(f, "thread", t);
    number(f, "thread_bytes", sizeof *t);
    address(f, "arena", a);
    number(f, "arena_bytes", sizeof *a);
    number(f, "arena_limit", arena_limit);
    address(f, "chunk_record", k);
    number(f, "chunk_record_bytes", sizeof *k);
    address(f, "chunk", (void *)k->address);
    address(f, "map", pagemap_classes);
    number(f, "map_pages", pagemap_npages);
    number(f, "map_class", pagemap_class(walk.p));
    address(f, "first_run", run_of(k, (uintptr_t)walk.p));
    number(f, "faults", (size_t)(first.nfaults - before.nfaults));
}

static void write_walk(FILE *f)
{
    cut(f, "block", walk.p);
    cut(f, "later", walk.later);
    number(f, "same_again", walk.again == walk.p);
    number(f, "warm_calls", walk.nwarm);
    number(f, "later_capacity", walk.capacity);
    number(f, "later_runs", walk.nruns);
    number(f, "later_fills", walk.nfills);
    write_view(f, "first", &first);
    write_view(f, "freed", &freed);
    write_view(f, "full", &full);
    number(f, "purged", walk.given);
    number(f, "home_nfree", walk.run.nfree);
    number(f, "home_taken", walk.bin_taken);
    number(f, "home_used_pages", walk.nused);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/cold-calls.csv", folder);
    ncalls = walk.ncold;
    write_calls(path);
    snprintf(path, sizeof path, "%s/cold.csv", folder);
    if ((f = fopen(path, "w")) == NULL)
        return 1;
    fprintf(f, "# tests/bench/cold.sh\nwhat,value\n");
    write_rooms(f);
    write_walk(f);
    return fclose(f) != 0;
}
