/* Tangled from src.nw/43-arena.nw; edit that, not this. */
/* arena.c -- a set of bins over one page heap. */

#include "arena.h"

#include "base.h"
#include "huge.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"
#include "report.h"

/* Declare the list of arenas.  [43-arena.nw: Joining] */
struct arena **arenas;
uint32_t arena_limit;
static uint32_t narenas;        /* arenas made; atomic */

static struct mutex lock = MUTEX_INIT(RANK_ARENA);

bool arena_start(uint32_t limit)
{
    arenas = base_take(limit * sizeof *arenas);
    arena_limit = arenas == NULL ? 0 : limit;
    return arenas != NULL;
}

/* Make an arena when it is needed.  [43-arena.nw: Joining] */
/* Arena i, made if need be; NULL without memory. */
static struct arena *arena_number(uint32_t i) REQUIRES(&lock)
{
    struct arena *a = arenas[i];

    if (a != NULL)
        return a;
    if ((a = base_take(sizeof *a)) == NULL)
        return NULL;
    for (unsigned c = 1; c < NSMALL; c++)
        bin_start(&a->bins[c], c);
    pageheap_start(&a->pages, a);
    /* Release: who finds the pointer must find a started arena. */
    __atomic_store_n(&arenas[i], a, __ATOMIC_RELEASE);
    __atomic_add_fetch(&narenas, 1, __ATOMIC_RELAXED);
    return a;
}

/* Who else has arena i?  One that does not exist yet has nobody. */
static uint32_t load_of(uint32_t i) REQUIRES(&lock)
{
    return arenas[i] == NULL ? 0 : arenas[i]->nthreads;
}

/* Spread threads over arenas.  [43-arena.nw: Joining] */
/* The first of the arenas with the fewest threads. */
struct arena *arena_join(void)
{
    uint32_t best = 0;
    struct arena *a;

    mutex_lock(&lock);
    for (uint32_t i = 1; i < arena_limit; i++)
        if (load_of(i) < load_of(best))
            best = i;
    a = arena_number(best);
    if (a != NULL)
        a->nthreads++;
    mutex_unlock(&lock);
    return a;
}

void arena_leave(struct arena *a)
{
    mutex_lock(&lock);
    a->nthreads--;
    mutex_unlock(&lock);
}

/* Bring regions home and empty runs to the page heap.
 * [43-arena.nw: Pages, by all means] */
static size_t bring_home(struct arena *a, unsigned c, void *const *regions,
                         unsigned n, const char *call)
{
    size_t nruns = 0;
    struct run *r = bin_put(&a->bins[c], regions, n, call), *next;

    for (; r != NULL; r = next, nruns++) {
        next = (struct run *)r->node.next;
        run_uncut(r);
        pageheap_put(&a->pages, r, RUN_SMALL);
    }
    return nruns;
}

/* Empty magazines into the bitmaps.  [43-arena.nw: Pages, by all means] */
static size_t magazine_bytes(unsigned c)
{
    return sizeof(struct magazine)
           + sizeclasses[c].nmagazine * sizeof(void *);
}

void magazine_free(struct magazine *m, unsigned c)
{
    if (m != NULL)
        base_put(m, magazine_bytes(c));
}

/* Empty magazines into the bitmaps.  Returns how many runs became free. */
static size_t empty_out(struct arena *a, unsigned c, struct magazine *m)
{
    size_t nruns = 0;
    struct magazine *next;

    for (; m != NULL; m = next) {
        next = m->next;
        if (m->nregions > 0)
            nruns += bring_home(a, c, m->regions, m->nregions, "free");
        magazine_free(m, c);
    }
    return nruns;
}

/* Bring home what depots hold.  [43-arena.nw: Pages, by all means] */
/* Bring home what the depots hold and nobody needed lately, or all. */
static size_t settle(struct arena *a, bool all)
{
    size_t nruns = 0;

    for (unsigned c = 1; c < NSMALL; c++)
        nruns += empty_out(a, c, bin_settle(&a->bins[c], all));
    return nruns;
}

/* Get pages, by all means.  [43-arena.nw: Pages, by all means] */
/* Pages for a run.  Before the arena grows, what its depots hold comes home;
 * before we give up, everything that is kept goes back to the system. */
static struct run *take_pages(struct arena *a, size_t npages,
                              size_t alignment, enum run_state state,
                              bool *zeroed)
{
    struct run *r = pageheap_take(&a->pages, npages, alignment, state,
                                  zeroed);

    if (r == NULL && settle(a, true) > 0)
        r = pageheap_take(&a->pages, npages, alignment, state, zeroed);
    while (r == NULL
           && (pageheap_grow(&a->pages)
               || (arena_purge_all() > 0 && pageheap_grow(&a->pages))))
        r = pageheap_take(&a->pages, npages, alignment, state, zeroed);
    return r;
}

/* Fill a stack.  [43-arena.nw: Filling a stack] */
/* One run more for the bin of class c. */
static bool supply(struct arena *a, unsigned c)
{
    bool zeroed;
    struct run *r = take_pages(a, sizeclasses[c].npages, PAGE, RUN_SMALL,
                               &zeroed);

    if (r == NULL)
        return false;
    run_cut(r, c);
    bin_add(&a->bins[c], r);
    return true;
}

unsigned arena_fill(struct arena *a, unsigned c, unsigned want, void **out)
{
    unsigned got;

    while ((got = bin_take(&a->bins[c], want, out)) == 0)
        if (!supply(a, c))
            return 0;
    return got;
}

bool arena_unpark(struct arena *a, unsigned c, struct magazine **m)
{
    return bin_unpark(&a->bins[c], m);
}

/* Say what is wrong with a pointer.  [43-arena.nw: A bad pointer] */
/* There is no live allocation at p.  Say what is, and die. */
static COLD _Noreturn void bad_pointer(const char *call, const void *p)
{
    struct chunk *c = pagemap_chunk(p);
    size_t size = 0;
    void *start = huge_find(p, &size);

    /* Look for a run that holds the address.  [43-arena.nw: A bad pointer] */
    if (start == NULL && c != NULL && c->arena != NULL) {
        struct run *r = pageheap_find(c, (uintptr_t)p);
        if (r->state == RUN_LARGE || r->state == RUN_SMALL) {
            size = sizeclasses[r->class].size;
            uintptr_t offset = (uintptr_t)p - run_address(r);
            start = (void *)(run_address(r) + offset / size * size);
        }
    }
    /* A slot that is not ours has a chunk in the map, but at no address. */
    if (start == p || (start == NULL && c != NULL && c->address != 0))
        report_die("%s(): double free of %p: a block that is free already",
                   call, p);
    if (start != NULL)
        report_die("%s(): invalid pointer %p: inside a block of %zu bytes "
                   "at %p", call, p, size, start);
    report_die("%s(): invalid pointer %p: not from this allocator (a second "
               "malloc linked in, or RTLD_DEEPBIND?)", call, p);
}

/* Find the arena a region is from.  [43-arena.nw: Flushing a stack] */
/* The arena that `region` is from. */
static struct arena *owner(const void *region, const char *call)
{
    struct chunk *c = pagemap_chunk(region);
    struct arena *a = c == NULL ? NULL : c->arena;

    if (unlikely(a == NULL))
        bad_pointer(call, region);
    return a;
}

bool arena_has(const struct arena *a, const void *region)
{
    const struct chunk *c = pagemap_chunk(region);

    return c != NULL && c->arena == a;
}

/* See how far one arena reaches.  [43-arena.nw: Flushing a stack] */
/* Do n regions lie in one chunk?  One pass without a branch, which the
 * compiler turns into vector instructions. */
static bool in_one_chunk(void *const *regions, unsigned n)
{
    uintptr_t differ = 0;

    for (unsigned i = 0; i < n; i++)
        differ |= (uintptr_t)regions[i] ^ (uintptr_t)regions[0];
    return differ < CHUNK;
}

/* How many regions from the first on are of arena a?  Neighbours in one
 * chunk need one look. */
static unsigned prefix(void *const *regions, unsigned n, struct arena *a,
                       const char *call)
{
    uintptr_t last = (uintptr_t)regions[0];
    unsigned i = 1;

    for (; i < n; i++) {
        uintptr_t p = (uintptr_t)regions[i];
        if ((p ^ last) >= CHUNK && owner((void *)p, call) != a)
            break;
        last = p;
    }
    return i;
}

/* Gather the regions of one arena.  [43-arena.nw: Flushing a stack] */
/* Move the regions of arena a, to which the first belongs, to the front.
 * Returns how many there are. */
static unsigned gather(void **regions, unsigned n, struct arena *a,
                       const char *call)
{
    unsigned k;

    if (__atomic_load_n(&narenas, __ATOMIC_RELAXED) == 1
        || in_one_chunk(regions, n))
        return n;
    k = prefix(regions, n, a, call);
    for (unsigned i = k + 1; i < n; i++) {
        void *p = regions[i];
        if (owner(p, call) == a) {
            regions[i] = regions[k];
            regions[k++] = p;
        }
    }
    return k;
}

/* Park a group of regions.  [43-arena.nw: Flushing a stack] */
/* Put n regions of one arena into a magazine in its depot, if there is room
 * and they are worth one. */
static bool park_group(struct arena *a, unsigned c, void *const *regions,
                       unsigned n, struct magazine **spare)
{
    if (n < sizeclasses[c].nmagazine / 4)
        return false;
    if (*spare == NULL && (*spare = base_take_raw(magazine_bytes(c))) == NULL)
        return false;
    (*spare)->nregions = n;
    __builtin_memcpy((*spare)->regions, regions, n * sizeof *regions);
    return bin_park(&a->bins[c], spare);
}

/* Flush a stack.  [43-arena.nw: Flushing a stack] */
void arena_flush(unsigned c, void **regions, unsigned n,
                 struct magazine **spare, const char *call)
{
    bool park = spare != NULL && sizeclasses[c].nmagazine > 0;

    while (n > 0) {
        struct arena *a = owner(regions[0], call);
        unsigned k = gather(regions, n, a, call);
        if (park && k > sizeclasses[c].nmagazine)
            k = sizeclasses[c].nmagazine;
        if (!park || !park_group(a, c, regions, k, spare))
            bring_home(a, c, regions, k, call);
        regions += k;
        n -= k;
    }
}

/* Take a large region.  [43-arena.nw: Large regions] */
void *arena_take_large(struct arena *a, unsigned c, size_t alignment,
                       bool *zeroed)
{
    struct run *r = take_pages(a, sizeclasses[c].npages, alignment,
                               RUN_LARGE, zeroed);

    if (r == NULL)
        return NULL;
    r->class = (uint8_t)c;
    return (void *)run_address(r);
}

/* Put a large region back.  [43-arena.nw: Large regions] */
/* The run of the large region that starts at p; dies if none does. */
static struct run *large_run(const void *p, const char *call)
{
    struct chunk *c = pagemap_chunk(p);
    struct run *r = NULL;

    if (c != NULL && c->arena != NULL)
        r = &c->runs[((uintptr_t)p - c->address) / PAGE];
    if (r == NULL || r->state != RUN_LARGE
        || run_address(r) != (uintptr_t)p)
        bad_pointer(call, p);
    return r;
}

/* Resize a large region where it is.  [43-arena.nw: Large regions] */
bool arena_resize_large(void *p, unsigned c)
{
    struct run *r = large_run(p, "realloc");

    if (!pageheap_resize(&r->chunk->arena->pages, r, sizeclasses[c].npages))
        return false;
    r->class = (uint8_t)c;
    return true;
}

/* Find the size of any allocation.  [43-arena.nw: The size of anything] */
/* Does p lie in a chunk that an arena has?  A place in the window that was
 * somebody else's when we wanted it has a chunk without an arena: a huge
 * block may lie there. */
static bool is_in_arena(const void *p)
{
    struct chunk *c = pagemap_chunk(p);

    return c != NULL && c->arena != NULL;
}

size_t arena_size(const void *p, const char *call)
{
    unsigned c = pagemap_class(p);
    size_t size;

    if (sizeclass_is_small(c)) {
        struct chunk *k = pagemap_chunk(p);
        if (run_asks(run_of(k, (uintptr_t)p), (uintptr_t)p) != RUN_OK)
            bad_pointer(call, p);
        return sizeclasses[c].size;
    }
    if (is_in_arena(p))
        return sizeclasses[large_run(p, call)->class].size;
    if ((size = huge_size(p)) == 0)
        bad_pointer(call, p);
    return size;
}

/* Free what no stack takes.  [43-arena.nw: The size of anything] */
/* Of two threads that free a region at once, one finds that it came too
 * late: pageheap_put looks again under its lock. */
void arena_put_other(void *p, const char *call)
{
    bool done;

    if (is_in_arena(p)) {
        struct run *r = large_run(p, call);
        done = pageheap_put(&r->chunk->arena->pages, r, RUN_LARGE);
    } else {
        done = huge_put(p);
    }
    if (!done)
        bad_pointer(call, p);
}

/* Find the arena behind ours.  [43-arena.nw: Keeping house] */
/* The arena behind `a` in the list, so that one whose threads have all ended
 * is looked after, too. */
static struct arena *neighbour(const struct arena *a)
{
    uint32_t i = 0;

    while (i + 1 < arena_limit
           && __atomic_load_n(&arenas[i], __ATOMIC_RELAXED) != a)
        i++;
    /* Pairs with the release in arena_number. */
    struct arena *b = __atomic_load_n(&arenas[(i + 1) % arena_limit],
                                      __ATOMIC_ACQUIRE);
    return b != NULL ? b : arenas[0];
}

/* Look after arenas from time to time.  [43-arena.nw: Keeping house] */
static void look_after(struct arena *a, uint64_t now_ms)
{
    int64_t decay_ms = options.decay_ms;
    uint64_t due = __atomic_load_n(&a->settle_ms, __ATOMIC_RELAXED);

    /* Relaxed: two threads that both find it due both settle; no harm. */
    if (decay_ms >= 0 && now_ms >= due) {
        __atomic_store_n(&a->settle_ms, now_ms + (uint64_t)decay_ms / 8,
                         __ATOMIC_RELAXED);
        if (due != 0) {
            settle(a, false);
            base_purge(false);
        }
    }
    pageheap_purge(&a->pages, now_ms, false);
}

void arena_tick(struct arena *a, uint64_t now_ms)
{
    struct arena *b = neighbour(a);

    look_after(a, now_ms);
    if (b != a)
        look_after(b, now_ms);
    chunk_purge(now_ms, false);
    huge_purge(now_ms, false);
}

/* Give back everything that can be.  [43-arena.nw: Keeping house] */
size_t arena_purge_all(void)
{
    uint64_t now_ms = pages_now_ms();
    size_t nbytes = 0;

    for (uint32_t i = 0; i < arena_limit; i++) {
        struct arena *a = __atomic_load_n(&arenas[i], __ATOMIC_ACQUIRE);
        if (a == NULL)
            continue;
        settle(a, true);
        nbytes += pageheap_purge(&a->pages, now_ms, true);
    }
    return nbytes + chunk_purge(now_ms, true) + huge_purge(now_ms, true)
           + base_purge(true);
}

/* Hold all locks before fork.  [43-arena.nw: Around fork] */
/* In the order of the map: the list, then every arena's bins, then the huge
 * room, then every arena's page heap, then the rooms below. */
UNCHECKED void arena_before_fork(void)
{
    mutex_lock_for_fork(&lock);
    for (uint32_t i = 0; i < arena_limit; i++)
        for (unsigned c = 1; c < NSMALL && arenas[i] != NULL; c++)
            mutex_lock_for_fork(&arenas[i]->bins[c].lock);
    huge_before_fork();
    for (uint32_t i = 0; i < arena_limit; i++)
        if (arenas[i] != NULL)
            mutex_lock_for_fork(&arenas[i]->pages.lock);
    chunk_before_fork();
    pagemap_before_fork();
    base_before_fork();
}

/* Let go of all locks after fork.  [43-arena.nw: Around fork] */
UNCHECKED void arena_after_fork(bool in_child)
{
    void (*open)(struct mutex *) =
        in_child ? mutex_renew_in_child : mutex_unlock_after_fork;

    base_after_fork(in_child);
    pagemap_after_fork(in_child);
    chunk_after_fork(in_child);
    huge_after_fork(in_child);
    for (uint32_t i = 0; i < arena_limit; i++)
        for (unsigned c = 0; c < NSMALL && arenas[i] != NULL; c++)
            open(c == 0 ? &arenas[i]->pages.lock : &arenas[i]->bins[c].lock);
    open(&lock);
}

/* Forget the threads that are not in the child.
 * [43-arena.nw: Around fork] */
void arena_stay_alone(struct arena *mine)
{
    mutex_lock(&lock);
    for (uint32_t i = 0; i < arena_limit; i++)
        if (arenas[i] != NULL)
            arenas[i]->nthreads = arenas[i] == mine;
    mutex_unlock(&lock);
}
