/* Tangled from src.nw/40-run.nw; edit that, not this. */
/* run.h -- pages cut into equal regions, with the bitmap of the free ones.
 *
 * Storey 4.  Stands on chunk, pagemap, sizeclass.  Not locked: the bin that
 * the run belongs to is. */

#ifndef LIT_RUN_H
#define LIT_RUN_H

#include "chunk.h"
#include "sizeclass.h"

/* Declare cutting and taking.  [40-run.nw: What must hold] */
/* Cut a run of sizeclasses[c].npages pages into regions of class c, all
 * free, and enter it in the page map. */
void run_cut(struct run *r, unsigned c);

/* Take an empty run out of the page map, so that its pages can go back. */
void run_uncut(struct run *r);

/* Take up to `want` free regions, lowest address first, and store them from
 * out[-1] downward: the lowest is last in the array, on top of a stack.
 * Returns how many; fewer than `want` only if the run is empty then. */
unsigned run_take(struct run *r, unsigned want, void **out);

/* Take the first free region from number i on, around the end.  The run has
 * one. */
void *run_take_from(struct run *r, unsigned i);

/* Put a region back into its run.  [40-run.nw: Putting a region back] */
/* What may be wrong with a pointer that comes home. */
enum run_answer { RUN_OK, RUN_INTERIOR, RUN_FREE_ALREADY };

/* Put back the regions of an array of n, from the first on, as long as they
 * lie in this run; *nput says how many did.  The answer is about the one we
 * stopped at: RUN_OK if it lies elsewhere, or there was none. */
INLINE enum run_answer run_put(struct run *r, void *const *regions,
                               unsigned n, unsigned *nput)
{
    size_t size = sizeclasses[r->class].size;
    size_t end = size * sizeclasses[r->class].nregions;
    enum run_answer answer = RUN_OK;
    unsigned done = 0, hint = r->hint;

    for (; done < n; done++) {
        size_t offset = (uintptr_t)regions[done] - run_address(r);
        /* Set the bit of the region at that offset, or say what is wrong.
         * [40-run.nw: Putting a region back] */
        if (offset >= end) {
            answer = offset < (size_t)r->npages * PAGE ? RUN_INTERIOR : RUN_OK;
            break;
        }
        unsigned i = region_index(r->class, (uint32_t)offset), word = i / 64;
        uint64_t bit = UINT64_C(1) << (i % 64);
        if (unlikely(i * size != offset || r->free[word] & bit)) {
            answer = i * size != offset ? RUN_INTERIOR : RUN_FREE_ALREADY;
            break;
        }
        r->free[word] |= bit;
        hint = word < hint ? word : hint;
    }
    *nput = done;
    r->nfree += done;
    r->hint = (uint8_t)hint;
    return answer;
}

/* Find out where an address lies.  [40-run.nw: Where an address lies] */
/* Is p the start of a region that is taken?  Needs no lock while that region
 * is live: then the run is, and what we read of it is constant, but for the
 * other bits of a word. */
enum run_answer run_asks(const struct run *r, uintptr_t p);

/* Does address p lie in the run? */
INLINE bool run_holds(const struct run *r, uintptr_t p)
{
    return p - run_address(r) < (uintptr_t)r->npages * PAGE;
}

/* The run that page of chunk `c` belongs to which holds p, when a small run
 * lies there: each of its pages knows the first. */
INLINE struct run *run_of(struct chunk *c, uintptr_t p)
{
    return &c->runs[c->runs[(p - c->address) / PAGE].first];
}

bool run_check(const struct run *r);

#endif
