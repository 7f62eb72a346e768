/* Tangled from src.nw/33-pageheap.nw; edit that, not this. */
/* pageheap.h -- one arena's free page runs: fit, split, join, purge.
 *
 * Storey 3.  Stands on chunk, decay, pages, heap, mutex, options. */

#ifndef LIT_PAGEHEAP_H
#define LIT_PAGEHEAP_H

#include "chunk.h"
#include "decay.h"
#include "mutex.h"

enum { NSIZES = CHUNK_PAGES + 1, NSIZE_WORDS = NSIZES / 64 + 1 };

/* Declare a shelf.  [33-pageheap.nw: The picture] */
/* The free runs of one sort, dirty or clean, by their length. */
struct shelf {
    struct heap runs[NSIZES];           /* of n pages, lowest address first */
    uint64_t nonempty[NSIZE_WORDS];     /* a bit a length */
};

/* Declare the page heap.  [33-pageheap.nw: The picture] */
struct pageheap {
    struct arena *arena;        /* whose we are; constant */

    /* Guarded by lock (rank PAGEHEAP). */
    struct mutex lock;
    struct run *oldest, *newest;        /* dirty runs, by when they got so */
    size_t ndirty;              /* pages in them */
    size_t npages;              /* pages in all chunks */
    size_t nused;               /* pages in runs taken */
    struct decay decay;
    struct shelf dirty, clean;
};

void pageheap_start(struct pageheap *h, struct arena *arena);

/* Promise a run of pages.  [33-pageheap.nw: The picture] */
/* Take a run of `npages` pages whose address is a multiple of `alignment`,
 * from the chunks we have; NULL if no free run is long enough.
 * *zeroed tells whether all its bytes are zero.
 *
 * npages      1 .. CHUNK_PAGES
 * alignment   bytes; a power of two, PAGE or more; NULL for ever if npages +
 *             alignment / PAGE - 1 is more than CHUNK_PAGES */
struct run *pageheap_take(struct pageheap *h, size_t npages,
                          size_t alignment, enum run_state state,
                          bool *zeroed) EXCLUDES(&h->lock);

/* Promise the rest of the page heap.  [33-pageheap.nw: The picture] */
/* Get one chunk more from the room below; false without memory. */
bool pageheap_grow(struct pageheap *h) EXCLUDES(&h->lock);

/* Give back a run that is in that state; false, and nothing done, if it is
 * not.  A small run's pages must be out of the page map already. */
bool pageheap_put(struct pageheap *h, struct run *r, enum run_state state)
    EXCLUDES(&h->lock);

/* Make a large run `npages` long where it is: longer if the pages behind it
 * are free, or shorter.  False, and nothing changed, if they are not. */
bool pageheap_resize(struct pageheap *h, struct run *r, size_t npages)
    EXCLUDES(&h->lock);

/* Give memory of dirty runs back to the system, oldest first, until no more
 * are left than may be dirty now; or all.  Returns the bytes given back. */
size_t pageheap_purge(struct pageheap *h, uint64_t now_ms, bool all)
    EXCLUDES(&h->lock);

/* The run that page of `c` belongs to which holds address p. */
struct run *pageheap_find(struct chunk *c, uintptr_t p);

/* Debug builds and tests: is everything as the chapter says? */
bool pageheap_check(struct pageheap *h) REQUIRES(&h->lock);


#endif
