/* Tangled from src.nw/32-decay.nw; edit that, not this. */
/* decay.h -- how many pages may stay dirty now: a pure function.
 *
 * Storey 3.  Stands on bits.  Not locked: the owner of the record is.
 * Source: Evans, jemalloc 4.1 (2016), decay-based purging. */

#ifndef LIT_DECAY_H
#define LIT_DECAY_H

#include "bits.h"

enum { DECAY_STEPS = 64 };

/* Declare the record of decay.  [32-decay.nw: The record] */
struct decay {
    int64_t step_ms;            /* one step of the curve; -1: keep all */
    uint64_t step;              /* number of the newest step entered */
    size_t ndirty;              /* dirty pages when it was */
    uint32_t added[DECAY_STEPS];  /* dirtied in step s, and not taken again */
};

/* Forget everything; pages stay dirty for `decay_ms` at most, -1 for ever.
 * A time from 1 to 63 counts as 64. */
void decay_start(struct decay *d, int64_t decay_ms, uint64_t now_ms);

/* Compute the weight of an age.  [32-decay.nw: The curve] */
/* The share of pages that may still be dirty `age` steps after they became
 * so: 2^30 at 0, falling to 0 at DECAY_STEPS along 1 - (6x^5 - 15x^4 + 10x^3).
 * Exact: 64^5 is 2^30. */
INLINE uint64_t decay_weight(uint64_t age)
{
    uint64_t x = age < DECAY_STEPS ? age : DECAY_STEPS;

    return POW2(30) - x * x * x * (6 * x * x - 15 * 64 * x + 10 * 64 * 64);
}

/* There are `ndirty` dirty pages now.  How many may there be? */
size_t decay_allowed(struct decay *d, uint64_t now_ms, size_t ndirty);

/* Of the dirty pages n were purged; what is missing next time beyond those
 * was taken again. */
void decay_purged(struct decay *d, size_t n);

#endif
