/* Tangled from src.nw/33-pageheap.nw; edit that, not this. */
/* pageheap.c -- one arena's free page runs: fit, split, join, purge. */

#include "pageheap.h"

#include "options.h"
#include "pages.h"

/* Start a page heap.  [33-pageheap.nw: Starting, and checking] */
void pageheap_start(struct pageheap *h, struct arena *arena)
{
    h->arena = arena;
    mutex_start(&h->lock, RANK_PAGEHEAP);
    decay_start(&h->decay, options.decay_ms, 0);
}

/* Ask whether a run is free.  [33-pageheap.nw: Writing a run down] */
static bool is_free(const struct run *r)
{
    return r->state == RUN_DIRTY || r->state == RUN_CLEAN;
}

/* Write down a run.  [33-pageheap.nw: Writing a run down] */
/* Write down a run: pages first .. first + npages - 1 of chunk c.  The last
 * page's record leads back to the first, so that a neighbour finds it. */
static struct run *form(struct chunk *c, size_t first, size_t npages,
                        enum run_state state)
{
    struct run *r = &c->runs[first], *last = r + npages - 1;

    last->state = RUN_NONE;
    last->first = (uint16_t)first;
    r->chunk = c;
    r->first = (uint16_t)first;
    r->npages = (uint16_t)npages;
    r->state = (uint8_t)state;
    return r;
}

/* Put a free run on its shelf.
 * [33-pageheap.nw: On the shelf and off it] */
static struct shelf *shelf_of(struct pageheap *h, const struct run *r)
{
    return r->state == RUN_DIRTY ? &h->dirty : &h->clean;
}

/* Put a free run where pageheap_take will look for it. */
static void shelve(struct pageheap *h, struct run *r) REQUIRES(&h->lock)
{
    struct shelf *s = shelf_of(h, r);

    r->node.key = run_address(r);
    heap_put(&s->runs[r->npages], &r->node);
    bit_set(s->nonempty, r->npages);
    r->chunk->nfree += r->npages;
    if (r->state != RUN_DIRTY)
        return;
    h->ndirty += r->npages;
    r->newer = NULL;
    r->older = h->newest;
    *(r->older == NULL ? &h->oldest : &r->older->newer) = r;
    h->newest = r;
}

/* Take a free run off its shelf.
 * [33-pageheap.nw: On the shelf and off it] */
static void unshelve(struct pageheap *h, struct run *r) REQUIRES(&h->lock)
{
    struct shelf *s = shelf_of(h, r);

    heap_remove(&s->runs[r->npages], &r->node);
    if (s->runs[r->npages].root == NULL)
        bit_clear(s->nonempty, r->npages);
    r->chunk->nfree -= r->npages;
    if (r->state != RUN_DIRTY)
        return;
    h->ndirty -= r->npages;
    *(r->older == NULL ? &h->oldest : &r->older->newer) = r->newer;
    *(r->newer == NULL ? &h->newest : &r->newer->older) = r->older;
}

/* Find the free neighbours of a run.  [33-pageheap.nw: Giving back] */
/* The run in front of r and the one behind it, if they are free in the same
 * way; else NULL. */
static struct run *free_before(const struct run *r)
{
    struct run *b;

    if (r->first == 0)
        return NULL;
    b = &r->chunk->runs[r->chunk->runs[r->first - 1].first];
    return b->state == r->state ? b : NULL;
}

static struct run *free_behind(const struct run *r)
{
    size_t next = (size_t)r->first + r->npages;
    struct run *b = &r->chunk->runs[next];

    return next < CHUNK_PAGES && b->state == r->state ? b : NULL;
}

/* Join a free run with its neighbours.  [33-pageheap.nw: Giving back] */
/* Join r, free but on no shelf, with its free neighbours, and shelve it. */
static struct run *join(struct pageheap *h, struct run *r)
    REQUIRES(&h->lock)
{
    struct run *b;

    if ((b = free_before(r)) != NULL) {
        unshelve(h, b);
        r->state = RUN_NONE;
        r = form(r->chunk, b->first, (size_t)b->npages + r->npages,
                 (enum run_state)b->state);
    }
    if ((b = free_behind(r)) != NULL) {
        unshelve(h, b);
        b->state = RUN_NONE;
        r = form(r->chunk, r->first, (size_t)r->npages + b->npages,
                 (enum run_state)r->state);
    }
    shelve(h, r);
    return r;
}

/* Find the best fit on a shelf.  [33-pageheap.nw: Taking] */
/* The shortest run on the shelf of at least n pages, the lowest of those. */
static struct run *best_fit(const struct shelf *s, size_t n)
{
    size_t i = bit_find(s->nonempty, NSIZE_WORDS, n);

    return i < NSIZES ? (struct run *)s->runs[i].root : NULL;
}

/* Cut pages out of a free run.  [33-pageheap.nw: Aligned runs] */
/* Cut `npages` pages out of free run r, from page `first` of its chunk on;
 * what is left in front and behind stays free. */
static struct run *split(struct pageheap *h, struct run *r, size_t first,
                         size_t npages, enum run_state state)
    REQUIRES(&h->lock)
{
    struct chunk *c = r->chunk;
    size_t start = r->first, end = start + r->npages;
    enum run_state left = (enum run_state)r->state;

    unshelve(h, r);
    if (first > start)
        shelve(h, form(c, start, first - start, left));
    if (first + npages < end)
        shelve(h, form(c, first + npages, end - first - npages, left));
    h->nused += npages;
    return form(c, first, npages, state);
}

/* Find the first aligned page.  [33-pageheap.nw: Aligned runs] */
/* The first page at or behind the start of r whose address is aligned. */
static size_t aligned_first(const struct run *r, size_t alignment)
{
    return (round_up(run_address(r), alignment) - r->chunk->address) / PAGE;
}

/* Take a run of pages.  [33-pageheap.nw: Taking] */
/* Dirty pages first: they are in memory, and a clean one costs a fault. */
struct run *pageheap_take(struct pageheap *h, size_t npages,
                          size_t alignment, enum run_state state,
                          bool *zeroed)
{
    size_t wanted = npages + alignment / PAGE - 1;
    struct run *r = NULL;
    struct backing f = { 0 };

    mutex_lock(&h->lock);
    if (wanted <= CHUNK_PAGES && (r = best_fit(&h->dirty, wanted)) == NULL)
        r = best_fit(&h->clean, wanted);
    if (r != NULL) {
        bool clean = r->state == RUN_CLEAN;
        *zeroed = clean && pages_size <= PAGE;
        r = split(h, r, aligned_first(r, alignment), npages, state);
        if (clean)
            f = fresh_plan(&r->chunk->frontier, r->first, npages, h->nused);
    }
    assert(pageheap_check(h));
    mutex_unlock(&h->lock);
    if (r != NULL)
        fresh_back(r->chunk->address, f);
    return r;
}

/* Grow by a chunk.  [33-pageheap.nw: Growing] */
bool pageheap_grow(struct pageheap *h)
{
    struct chunk *c = chunk_take(h->arena);

    if (c == NULL)
        return false;
    mutex_lock(&h->lock);
    h->npages += CHUNK_PAGES;
    if (!c->dirty)
        c->frontier = (struct frontier){ 0 };
    shelve(h, form(c, 0, CHUNK_PAGES, c->dirty ? RUN_DIRTY : RUN_CLEAN));
    mutex_unlock(&h->lock);
    return true;
}

/* Take an empty chunk off the shelves.  [33-pageheap.nw: Giving back] */
/* Take an empty chunk off the shelves; it may lie there as several runs. */
static void clear_shelves_of(struct pageheap *h, struct chunk *c)
    REQUIRES(&h->lock)
{
    c->dirty = false;
    for (size_t i = 0; i < CHUNK_PAGES; i += c->runs[i].npages) {
        c->dirty |= c->runs[i].state == RUN_DIRTY;
        unshelve(h, &c->runs[i]);
        c->runs[i].state = RUN_NONE;
    }
    h->npages -= CHUNK_PAGES;
}

/* Make a run free, and say if its chunk is.
 * [33-pageheap.nw: Giving back] */
/* Make r free in that state.  Returns its chunk if that is all free now and
 * to be given back, when the lock is free again; else NULL. */
static struct chunk *release(struct pageheap *h, struct run *r,
                             enum run_state state) REQUIRES(&h->lock)
{
    struct chunk *c = r->chunk;

    r->state = (uint8_t)state;
    join(h, r);
    if (c->nfree < CHUNK_PAGES)
        return NULL;
    clear_shelves_of(h, c);
    return c;
}

/* Give a run of pages back.  [33-pageheap.nw: Giving back] */
bool pageheap_put(struct pageheap *h, struct run *r, enum run_state state)
{
    struct chunk *empty = NULL;
    bool good;

    mutex_lock(&h->lock);
    good = r->state == state;
    if (good) {
        h->nused -= r->npages;
        empty = release(h, r, RUN_DIRTY);
    }
    assert(pageheap_check(h));
    mutex_unlock(&h->lock);
    if (empty != NULL)
        chunk_put(empty);
    return good;
}

/* Shorten a large run.  [33-pageheap.nw: Longer and shorter] */
/* Shorten a large run; the pages cut off become a dirty run. */
static void shorten(struct pageheap *h, struct run *r, size_t npages)
    REQUIRES(&h->lock)
{
    size_t cut = r->npages - npages;
    struct run *rest = form(r->chunk, r->first + npages, cut, RUN_DIRTY);

    form(r->chunk, r->first, npages, RUN_LARGE);
    h->nused -= cut;
    join(h, rest);
}

/* Lengthen a large run.  [33-pageheap.nw: Longer and shorter] */
/* Lengthen a large run by the front of the free run behind it. */
static bool lengthen(struct pageheap *h, struct run *r, size_t npages)
    REQUIRES(&h->lock)
{
    size_t next = (size_t)r->first + r->npages, more = npages - r->npages;
    struct run *b = &r->chunk->runs[next];

    if (next >= CHUNK_PAGES || !is_free(b) || b->npages < more)
        return false;
    b = split(h, b, next, more, RUN_NONE);
    form(r->chunk, r->first, npages, RUN_LARGE);
    return true;
}

/* Resize a large run where it is.  [33-pageheap.nw: Longer and shorter] */
bool pageheap_resize(struct pageheap *h, struct run *r, size_t npages)
{
    bool done = true;

    mutex_lock(&h->lock);
    if (npages < r->npages)
        shorten(h, r, npages);
    else if (npages > r->npages)
        done = lengthen(h, r, npages);
    assert(pageheap_check(h));
    mutex_unlock(&h->lock);
    return done;
}

/* Take a run that was dirty too long.  [33-pageheap.nw: Purging] */
/* Take the oldest dirty run off the shelf if there is one too many.  Decay
 * is asked even when there is none: it must see that there was none. */
static struct run *take_expired(struct pageheap *h, uint64_t now_ms,
                                bool all) REQUIRES(&h->lock)
{
    size_t allowed = decay_allowed(&h->decay, now_ms, h->ndirty);
    struct run *r = h->oldest;

    if (r == NULL || (!all && h->ndirty <= allowed))
        return NULL;
    unshelve(h, r);
    decay_purged(&h->decay, r->npages);
    r->state = RUN_PURGING;
    return r;
}

/* Give the memory of a run back.  [33-pageheap.nw: Purging] */
/* Give a run's memory back, as far as it covers whole system pages.  Returns
 * the bytes given back. */
static size_t purge_run(const struct run *r, bool *done)
{
    uintptr_t start = round_up(run_address(r), pages_size);
    uintptr_t end = round_down(run_address(r) + (size_t)r->npages * PAGE,
                               pages_size);

    *done = end <= start || pages_purge((void *)start, end - start);
    return *done && end > start ? end - start : 0;
}

/* Purge what was dirty too long.  [33-pageheap.nw: Purging] */
/* The system call is made without the lock: a run that is being purged is
 * nobody's, on no shelf, and no neighbour joins it. */
size_t pageheap_purge(struct pageheap *h, uint64_t now_ms, bool all)
{
    struct run *r;
    size_t nbytes = 0;
    bool done = true;

    mutex_lock(&h->lock);
    while (done && (r = take_expired(h, now_ms, all)) != NULL) {
        mutex_unlock(&h->lock);
        nbytes += purge_run(r, &done);
        mutex_lock(&h->lock);
        r->chunk->frontier.has_holes |= done;
        struct chunk *empty = release(h, r, done ? RUN_CLEAN : RUN_DIRTY);
        if (empty != NULL) {
            mutex_unlock(&h->lock);
            chunk_put(empty);
            mutex_lock(&h->lock);
        }
    }
    assert(pageheap_check(h));
    mutex_unlock(&h->lock);
    return nbytes;
}

/* Find the run of an address.  [33-pageheap.nw: Finding a run] */
/* A walk from the chunk's start: only messages about bad pointers need it. */
struct run *pageheap_find(struct chunk *c, uintptr_t p)
{
    size_t page = (p - c->address) / PAGE, i = 0;

    while (i + c->runs[i].npages <= page && c->runs[i].npages > 0)
        i += c->runs[i].npages;
    return &c->runs[i];
}

/* Say what must hold of a page heap.
 * [33-pageheap.nw: Starting, and checking] */
bool pageheap_check(struct pageheap *h)
{
    size_t ndirty = 0;

    for (struct run *r = h->oldest; r != NULL; r = r->newer) {
        assert(r->state == RUN_DIRTY);                          /* P1 */
        assert(&r->chunk->runs[r->first] == r);                 /* P2 */
        assert(free_before(r) == NULL);                         /* P3 */
        assert(free_behind(r) == NULL);
        assert(bit_test(h->dirty.nonempty, r->npages));         /* P4 */
        ndirty += r->npages;
    }
    assert(ndirty == h->ndirty);                                /* P5 */
    assert(h->nused + h->ndirty <= h->npages);                  /* P6 */
    return true;
}
