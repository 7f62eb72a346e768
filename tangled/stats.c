/* Tangled from src.nw/60-stats.nw; edit that, not this. */
/* stats.c -- walks the rooms below, sums their counters, prints them. */

#include "stats.h"

#include "arena.h"
#include "base.h"
#include "huge.h"
#include "options.h"
#include "pages.h"
#include "report.h"
#include "sample.h"
#include "thread.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

/* Add the counters of a bin, an arena, a thread.
 * [60-stats.nw: The walk] */
static void add_bin(struct stats *s, struct bin *b)
{
    unsigned c = b->class;

    mutex_lock(&b->lock);
    s->classes[c].nruns += b->nruns;
    s->classes[c].ntaken += b->ntaken;
    s->classes[c].nparked += b->nparked;
    s->classes[c].nfills += b->nfills;
    s->classes[c].nflushes += b->nflushes;
    mutex_unlock(&b->lock);
}

/* Add the counters of a bin, an arena, a thread, continued.
 * [60-stats.nw: The walk] */
/* Pages in use that no small run has are those of large regions. */
static void add_arena(struct stats *s, struct arena *a)
{
    size_t used;

    s->narenas++;
    for (unsigned c = 1; c < NSMALL; c++)
        add_bin(s, &a->bins[c]);
    mutex_lock(&a->pages.lock);
    used = a->pages.nused * PAGE;
    s->dirty += a->pages.ndirty * PAGE;
    mutex_unlock(&a->pages.lock);
    s->live += used;
}

/* Add the counters of a bin, an arena, a thread, continued.
 * [60-stats.nw: The walk] */
static void add_thread(const struct tcache *t, void *context)
{
    struct stats *s = context;

    s->nthreads++;
    for (unsigned c = 1; c < NSMALL; c++)
        s->classes[c].ncached += tcache_depth(t, c);
}
/* Tell what is live from what is not.  [60-stats.nw: The walk] */
/* live came in as the pages of all runs; take away what is not in use. */
static void sum_classes(struct stats *s)
{
    for (unsigned c = 1; c < NSMALL; c++) {
        size_t size = sizeclasses[c].size;
        s->cached += s->classes[c].ncached * size;
        s->parked += s->classes[c].nparked * size;
        s->loose += s->classes[c].nruns * sizeclasses[c].npages * PAGE
                    - s->classes[c].ntaken * size;
    }
    size_t free = s->cached + s->parked + s->loose;
    s->live = s->live > free ? s->live - free : 0;
}
/* Add the sampled blocks.  [60-stats.nw: The walk] */
static void add_samples(struct stats *s)
{
    struct sample_stats samples = sample_stats();

    s->live += samples.live;
    s->records += samples.records;
    s->mapped += samples.mapped + samples.records;
    s->nsampled = samples.nlive;
    s->nsamples = samples.ntaken;
    s->nunsampled = samples.nrefused;
}

static void print_samples(int fd, const struct stats *s)
{
    if (options.sample > 0)
        report_line(fd, "  %zu blocks sampled now, %zu ever, %zu found no "
                        "slot", s->nsampled, s->nsamples, s->nunsampled);
}
/* Collect all statistics.  [60-stats.nw: The walk] */
void stats_collect(struct stats *s)
{
    struct chunk_stats chunks = chunk_stats();
    struct huge_stats huge = huge_stats();
    struct base_stats base = base_stats();

    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < arena_limit; i++) {
        struct arena *a = __atomic_load_n(&arenas[i], __ATOMIC_ACQUIRE);
        if (a != NULL)
            add_arena(s, a);
    }
    thread_walk(add_thread, s);
    sum_classes(s);
    /* Add what lies outside the arenas.  [60-stats.nw: The walk] */
    s->live += huge.nbytes;
    s->huge = huge.nbytes;
    s->nhuge = huge.nblocks;
    s->kept = chunks.nkept * CHUNK + huge.kept;
    s->records = base.mapped - base.spare;
    s->nchunks = chunks.nchunks;
    s->mapped = chunks.nchunks * CHUNK + huge.nbytes + huge.kept + base.mapped;
    add_samples(s);
}
/* Ask the kernel how much is resident.
 * [60-stats.nw: The kernel's number] */
/* The second number of /proc/self/statm, in bytes; 0 if it cannot be read. */
static size_t resident(void)
{
    char text[64] = "";
    size_t n = 0;
    long fd = system_call(SYS_openat, AT_FDCWD, (long)"/proc/self/statm",
                          O_RDONLY, 0, 0, 0);

    if (fd < 0)
        return 0;
    system_call(SYS_read, fd, (long)text, sizeof text - 1, 0, 0, 0);
    system_call(SYS_close, fd, 0, 0, 0, 0, 0);
    const char *p = text + strcspn(text, " ");
    if (*p == ' ')
        while (*++p >= '0' && *p <= '9')
            n = 10 * n + (size_t)(*p - '0');
    return n * pages_size;
}
/* Print a row of the report.  [60-stats.nw: The report] */
static void print_row(int fd, const char *name, size_t nbytes,
                      const char *what)
{
    report_line(fd, "  %s %10zu KiB  %s", name, nbytes / 1024, what);
}

static void print_class(int fd, const struct stats *s, unsigned c)
{
    size_t free = s->classes[c].nparked + s->classes[c].ncached;
    size_t taken = s->classes[c].ntaken;

    if (s->classes[c].nruns > 0)
        report_line(fd, "  %8zu %8zu %10zu %10zu %10zu %10zu %10zu",
                    (size_t)sizeclasses[c].size, s->classes[c].nruns,
                    taken > free ? taken - free : 0, s->classes[c].ncached,
                    s->classes[c].nparked, (size_t)s->classes[c].nfills,
                    (size_t)s->classes[c].nflushes);
}
/* Print the report.  [60-stats.nw: The report] */
void stats_report(int fd)
{
    struct stats s;

    stats_collect(&s);
    report_line(fd, "litmalloc: the heap of this process");
    /* Print a row for each owner of bytes.  [60-stats.nw: The report] */
    print_row(fd, "resident", resident(), "the whole process, says the kernel");
    print_row(fd, "mapped  ", s.mapped, "address space taken from the system");
    print_row(fd, "live    ", s.live, "held by the program");
    print_row(fd, "  huge  ", s.huge, "of that, in huge blocks");
    print_row(fd, "cached  ", s.cached, "free, on threads' stacks");
    print_row(fd, "parked  ", s.parked, "free, in depots");
    print_row(fd, "loose   ", s.loose, "free, in runs that are in use");
    print_row(fd, "dirty   ", s.dirty, "free pages not yet given back");
    print_row(fd, "kept    ", s.kept, "free chunks and huge blocks");
    print_row(fd, "records ", s.records, "litmalloc's own");
    report_line(fd, "  %zu arenas, %zu threads, %zu chunks, %zu huge blocks",
                s.narenas, s.nthreads, s.nchunks, s.nhuge);
    print_samples(fd, &s);
    report_line(fd, "  %s", "   class     runs       live     cached     "
                            "parked      fills    flushes");
    for (unsigned c = 1; c < NSMALL; c++)
        print_class(fd, &s, c);
}
