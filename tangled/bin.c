/* Tangled from src.nw/41-bin.nw; edit that, not this. */
/* bin.c -- the runs of one class in one arena and its depot. */

#include "bin.h"

#include "options.h"
#include "pagemap.h"
#include "pages.h"
#include "report.h"

enum { PARKED_BYTES_MIN = 64 * 1024, PREFETCH = 8 };

/* Start a bin.  [41-bin.nw: The file] */
void bin_start(struct bin *b, unsigned c)
{
    b->class = c;
    b->random = (uintptr_t)b ^ pages_random();  /* no two throw alike */
    mutex_start(&b->lock, RANK_BIN);
}

/* Stand in line, and leave it.  [41-bin.nw: Taking] */
static void wait_in_line(struct bin *b, struct run *r) REQUIRES(&b->lock)
{
    r->node.key = run_address(r);
    r->waiting = true;
    heap_put(&b->waiting, &r->node);
}

static void leave_line(struct bin *b, struct run *r) REQUIRES(&b->lock)
{
    heap_remove(&b->waiting, &r->node);
    r->waiting = false;
}

/* Choose the run to take from.  [41-bin.nw: Taking] */
/* Make the current run one with a free region: the lowest that waits, or the
 * spare.  False if there is none. */
static bool choose_current(struct bin *b) REQUIRES(&b->lock)
{
    struct run *r = (struct run *)b->waiting.root;

    if (r != NULL)
        leave_line(b, r);
    else if ((r = b->spare) != NULL)
        b->spare = NULL;
    if (r != NULL)
        b->current = r;
    return r != NULL;
}

/* Take regions from the runs.  [41-bin.nw: Taking] */
static unsigned take_some(struct bin *b, unsigned want, void **out)
    REQUIRES(&b->lock)
{
    if (likely(!options.random_place))
        return run_take(b->current, want, out);
    out[-1] = run_take_from(b->current, random_next(&b->random)
                                            % sizeclasses[b->class].nregions);
    return 1;
}

/* Take regions from the runs, continued.  [41-bin.nw: Taking] */
unsigned bin_take(struct bin *b, unsigned want, void **out)
{
    unsigned got = 0;

    mutex_lock(&b->lock);
    while (got < want) {
        if ((b->current == NULL || b->current->nfree == 0)
            && !choose_current(b))
            break;
        got += take_some(b, want - got, out - got);
    }
    b->ntaken += got;
    b->nfills += got > 0;
    assert(bin_check(b));
    mutex_unlock(&b->lock);
    return got;
}

/* Add a run that was just cut.  [41-bin.nw: Taking] */
void bin_add(struct bin *b, struct run *r)
{
    mutex_lock(&b->lock);
    b->nruns++;
    wait_in_line(b, r);
    mutex_unlock(&b->lock);
}

/* See what becomes of a run that got regions back.
 * [41-bin.nw: Bringing regions home] */
/* A run has got back at least one region.  If that was all it had out, it
 * becomes the spare, or it leaves: returns true. */
static bool run_gained(struct bin *b, struct run *r) REQUIRES(&b->lock)
{
    if (r == b->current)
        return false;
    if (r->nfree < sizeclasses[b->class].nregions) {
        if (!r->waiting)
            wait_in_line(b, r);
        return false;
    }
    if (r->waiting)
        leave_line(b, r);
    if (b->spare == NULL) {
        b->spare = r;
        return false;
    }
    b->nruns--;
    return true;
}

/* Find the run that a region is from.
 * [41-bin.nw: Bringing regions home] */
/* The run a region is from, NULL if it lies in no arena's chunk (any more);
 * that it lies in a run of this class is for the next function to see. */
static struct run *home_of(void *region)
{
    struct chunk *c = pagemap_chunk(region);

    return c == NULL || c->arena == NULL ? NULL
                                         : run_of(c, (uintptr_t)region);
}

static bool is_ours(const struct bin *b, const struct run *r, void *region)
{
    return r != NULL && r->state == RUN_SMALL && r->class == b->class
           && run_holds(r, (uintptr_t)region);
}

/* The records of the next runs are fetched while we work on this one. */
static void fetch_ahead(void *const *regions, unsigned i, unsigned n)
{
    if (i + PREFETCH < n)
        __builtin_prefetch(home_of(regions[i + PREFETCH]), 1);
}

/* Say what came home that should not have.
 * [41-bin.nw: Bringing regions home] */
/* Say what came home that should not have, and die, without the lock: a
 * handler of SIGABRT may allocate. */
static COLD _Noreturn void bad_region(struct bin *b, const char *call,
                                      enum run_answer answer, void *p)
    RELEASE(&b->lock)
{
    size_t size = sizeclasses[b->class].size;

    mutex_unlock(&b->lock);
    if (answer == RUN_FREE_ALREADY)
        report_die("%s(): double free of %p: a block of %zu bytes, "
                   "free already", call, p, size);
    /* The run is still there: it was asked for the answer. */
    uintptr_t run = run_address(home_of(p));
    report_die("%s(): invalid pointer %p: inside a block of %zu bytes at %p",
               call, p, size,
               (void *)(run + ((uintptr_t)p - run) / size * size));
}

/* Bring regions home.  [41-bin.nw: Bringing regions home] */
struct run *bin_put(struct bin *b, void *const *regions, unsigned n,
                    const char *call)
{
    struct run *leaving = NULL, *r;
    enum run_answer answer;

    mutex_lock(&b->lock);
    for (unsigned i = 0, nput; i < n; i += nput) {
        fetch_ahead(regions, i, n);
        r = home_of(regions[i]);
        /* Die unless the region lies in a run of ours.
         * [41-bin.nw: Bringing regions home] */
        if (unlikely(!is_ours(b, r, regions[i])))
            bad_region(b, call, RUN_FREE_ALREADY, regions[i]);
        answer = run_put(r, regions + i, n - i, &nput);
        if (unlikely(answer != RUN_OK))
            bad_region(b, call, answer, regions[i + nput]);
        if (run_gained(b, r)) {
            r->node.next = (struct heapnode *)leaving;
            leaving = r;
        }
    }
    b->ntaken -= n;
    b->nflushes++;
    assert(bin_check(b));
    mutex_unlock(&b->lock);
    return leaving;
}

/* Park a magazine, if the depot may hold it.  [41-bin.nw: The depot] */
/* Atomic, for bin_unpark looks at it without the lock. */
static void set_depot(struct bin *b, struct magazine *m) REQUIRES(&b->lock)
{
    __atomic_store_n(&b->depot, m, __ATOMIC_RELAXED);
}

/* The depot may hold as many regions as were in use at once lately; half as
 * many of the smallest class, so that magazines, at eight bytes a region,
 * never take more than a quarter of what those took. */
static bool may_park(struct bin *b, size_t n) REQUIRES(&b->lock)
{
    size_t used = b->ntaken - b->nparked;
    size_t size = sizeclasses[b->class].size;
    size_t share = size < 32 ? 2 * size : 64;

    if (b->npeak < used)
        b->npeak = used;
    return (b->nparked + n) * 64 <= b->npeak * share
           || (b->nparked + n) * size <= PARKED_BYTES_MIN;
}

bool bin_park(struct bin *b, struct magazine **m)
{
    struct magazine *full = *m;
    bool parked;

    mutex_lock(&b->lock);
    parked = may_park(b, full->nregions);
    if (parked) {
        full->next = b->depot;
        set_depot(b, full);
        b->nmagazines++;
        b->nparked += full->nregions;
        if ((*m = b->empty) != NULL)
            b->empty = b->empty->next;
    }
    mutex_unlock(&b->lock);
    return parked;
}

/* Take a magazine out of the depot.  [41-bin.nw: The depot] */
static void keep_empty(struct bin *b, struct magazine *m) REQUIRES(&b->lock)
{
    m->nregions = 0;
    m->next = b->empty;
    b->empty = m;
}

static struct magazine *unpark(struct bin *b) REQUIRES(&b->lock)
{
    struct magazine *m = b->depot;

    if (m == NULL)
        return NULL;
    set_depot(b, m->next);
    b->nparked -= m->nregions;
    if (--b->nmagazines < b->nmagazines_low)
        b->nmagazines_low = b->nmagazines;
    return m;
}

bool bin_unpark(struct bin *b, struct magazine **m)
{
    struct magazine *full;

    /* Relaxed: an empty depot is the usual case, and a stale answer costs
     * no more than a look into the bitmaps. */
    if (__atomic_load_n(&b->depot, __ATOMIC_RELAXED) == NULL)
        return false;
    mutex_lock(&b->lock);
    full = unpark(b);
    if (full != NULL) {
        if (*m != NULL)
            keep_empty(b, *m);
        *m = full;
    }
    mutex_unlock(&b->lock);
    return full != NULL;
}

/* Send home what nobody needed.  [41-bin.nw: The depot] */
/* What lay in the depot all the time was not needed (Bonwick and Adams'
 * working set).  The peak fades by an eighth a call. */
struct magazine *bin_settle(struct bin *b, bool all)
{
    struct magazine *out, *m;

    mutex_lock(&b->lock);
    uint32_t n = all ? b->nmagazines : b->nmagazines_low;
    out = b->empty;
    b->empty = NULL;
    while (n-- > 0 && (m = unpark(b)) != NULL) {
        m->next = out;
        out = m;
    }
    b->nmagazines_low = b->nmagazines;
    b->npeak -= b->npeak / 8;
    mutex_unlock(&b->lock);
    return out;
}

/* Check a bin.  [41-bin.nw: The check] */
static size_t count_waiting(const struct bin *b, const struct heapnode *n)
{
    size_t count = 0;

    for (; n != NULL; n = n->next) {
        const struct run *r = (const struct run *)n;
        assert(run_check(r));
        assert(r->waiting);                                     /* B1 */
        assert(r != b->current && r != b->spare);               /* B2 */
        assert(r->nfree > 0);                                   /* B3 */
        assert(n->child == NULL || n->child->key > n->key);     /* B4 */
        count += 1 + count_waiting(b, n->child);
    }
    return count;
}

bool bin_check(struct bin *b)
{
    size_t n = count_waiting(b, b->waiting.root);

    assert(b->current == NULL || run_check(b->current));
    assert(b->spare == NULL
           || b->spare->nfree == sizeclasses[b->class].nregions);   /* B5 */
    assert(n + (b->current != NULL) + (b->spare != NULL) <= b->nruns);
    assert(b->nparked <= b->ntaken);                            /* B6 */
    return true;
}
