/* Tangled from src.nw/31-chunk.nw; edit that, not this. */
/* chunk.h -- large aligned pieces taken from the system, kept and given back.
 *
 * Storey 3.  Stands on pagemap, decay, base, pages, heap, mutex, options. */

#ifndef LIT_CHUNK_H
#define LIT_CHUNK_H

#include "bits.h"
#include "fresh.h"
#include "heap.h"

/* Say what a run can be for.  [31-chunk.nw: What a run is for] */
/* What a run is for.  A chunk is all runs, side by side. */
enum run_state {
    RUN_NONE,                   /* not the first page of a run */
    RUN_DIRTY,                  /* free; its pages hold old bytes */
    RUN_CLEAN,                  /* free; its pages cost nothing and are zero */
    RUN_PURGING,                /* on its way from dirty to clean */
    RUN_SMALL,                  /* cut into regions */
    RUN_LARGE                   /* one region */
};

/* Declare the run.  [31-chunk.nw: One record a page] */
/* One record a page, out of line.  That of a run's first page describes the
 * run; the others only know the way there. */
struct run {
    /* In a heap of free runs (page heap) or of waiting runs (bin). */
    struct heapnode node;       /* key: the address */

    /* Set by the page heap when the run is formed. */
    struct chunk *chunk;
    uint16_t first;             /* index of the run's first page */
    uint16_t npages;
    uint8_t state;              /* enum run_state */

    /* Small runs; guarded by the lock of the bin. */
    uint8_t class;
    bool waiting;               /* in the bin's heap */
    uint8_t hint;               /* no free region in a word below this one */
    uint32_t nfree;             /* regions not taken */

    union {
        /* Small runs; guarded by the lock of the bin. */
        uint64_t free[PAGE / QUANTUM / 64];     /* a bit a region: 1 free */
        /* Dirty runs; guarded by the lock of the page heap. */
        struct {
            struct run *older, *newer;
        };
    };
} __attribute__((aligned(CACHE_LINE)));

static_assert(sizeof(struct run) == 192, "a run record is three cache lines");

/* Declare the chunk.  [31-chunk.nw: One record a chunk] */
struct chunk {
    /* Kept by this room, under its lock, while nobody owns the chunk. */
    struct heapnode node;       /* key: the address */
    struct chunk *older, *newer;

    uintptr_t address;          /* constant */

    /* Of the owner. */
    struct arena *arena;        /* NULL: nobody's */
    bool dirty;                 /* when handed over: pages hold old bytes */
    struct frontier frontier;   /* how far its pages had memory */
    uint32_t nfree;             /* pages in free runs */
    struct run runs[CHUNK_PAGES];
};

/* Tell the address of a run.  [31-chunk.nw: One record a chunk] */
/* The address of the first byte of a run. */
INLINE uintptr_t run_address(const struct run *r)
{
    return r->chunk->address + (uintptr_t)r->first * PAGE;
}

/* Take a chunk for `arena`: one that was given back, or a new one.  NULL if
 * the system refuses memory.  Any thread; system calls are made outside the
 * lock.  c->dirty tells whether it may hold old bytes. */
struct chunk *chunk_take(struct arena *arena);

/* Give a chunk back.  It is kept for a while, then unmapped. */
void chunk_put(struct chunk *c);

/* Unmap what has been kept for too long, or all of it.  Returns the bytes
 * given back.  Any thread. */
size_t chunk_purge(uint64_t now_ms, bool all);

void chunk_start(void);

struct chunk_stats {
    size_t nchunks;             /* mapped, used or kept */
    size_t nkept;               /* of those, nobody's */
};

struct chunk_stats chunk_stats(void);

void chunk_before_fork(void);
void chunk_after_fork(bool in_child);

#endif
