/* Tangled from src.nw/43-arena.nw; edit that, not this. */
/* arena.h -- a set of bins over one page heap; large allocations; threads
 * are spread over arenas.
 *
 * Storey 4.  Stands on bin, huge, pageheap, base, options.  `call` is always
 * the name of the public function, for messages about bad pointers. */

#ifndef LIT_ARENA_H
#define LIT_ARENA_H

#include "bin.h"
#include "pageheap.h"

/* Declare the arena.  [43-arena.nw: The picture] */
struct arena {
    uint32_t nthreads;          /* that have us; guarded by the list's lock */
    uint64_t settle_ms;         /* time of the next look at the depots */
    struct bin bins[NSMALL];
    struct pageheap pages;
};

/* Set by arena_start, then constant; an entry is NULL until the arena is
 * needed, then constant. */
extern HIDDEN struct arena **arenas;
extern HIDDEN uint32_t arena_limit;

/* Promise to spread threads over arenas.  [43-arena.nw: Joining] */
/* Make room for `limit` arenas; false without memory. */
bool arena_start(uint32_t limit);

/* Choose an arena for a thread that begins, and let go of it when it ends.
 * NULL without memory. */
struct arena *arena_join(void);
void arena_leave(struct arena *a);

/* Promise small regions, in batches.  [43-arena.nw: Filling a stack] */
/* Fill a stack: up to `want` regions of small class c, stored from out[-1]
 * downward.  Returns how many; 0 without memory. */
unsigned arena_fill(struct arena *a, unsigned c, unsigned want, void **out);

/* Exchange an empty magazine of class c, or NULL, for a full one from the
 * depot.  False, and *m stays what it is, if there is none. */
bool arena_unpark(struct arena *a, unsigned c, struct magazine **m);

/* Take n regions of small class c off a thread's hands: each goes to the
 * arena it is from, into the depot if there is room, else home.  *spare is
 * an empty magazine to begin with, or NULL, before and after; without
 * `spare` nothing is parked.  Reorders the array. */
void arena_flush(unsigned c, void **regions, unsigned n,
                 struct magazine **spare, const char *call);

/* Give a magazine's memory back; NULL is allowed. */
void magazine_free(struct magazine *m, unsigned c);

/* Is this region from that arena? */
bool arena_has(const struct arena *a, const void *region);

/* Promise large regions, and the size of any.
 * [43-arena.nw: Large regions] */
/* A region of large class c at a multiple of `alignment` (bytes, at most
 * LARGE_MAX). */
void *arena_take_large(struct arena *a, unsigned c, size_t alignment,
                       bool *zeroed);

/* Make the large region at `p` one of large class c where it is. */
bool arena_resize_large(void *p, unsigned c);

/* The usable size of what starts at `p`, a live allocation of any kind; if
 * it is not one, say so and die. */
size_t arena_size(const void *p, const char *call);

/* Free what is no small region: a large one, a huge block, or nothing of
 * ours (says so and dies). */
void arena_put_other(void *p, const char *call);

/* Promise to keep house.  [43-arena.nw: Keeping house] */
/* From time to time: bring home what the depots do not need, give dirty
 * pages back as decay tells. */
void arena_tick(struct arena *a, uint64_t now_ms);

/* Give back everything that can be.  Returns the bytes given back. */
size_t arena_purge_all(void);

void arena_before_fork(void);
void arena_after_fork(bool in_child);

/* In the child of a fork, after the above: one thread is left, or none that
 * has joined an arena (NULL). */
void arena_stay_alone(struct arena *mine);

#endif
