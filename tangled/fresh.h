/* Tangled from src.nw/32-fresh.nw; edit that, not this. */
/* fresh.h -- how pages that had no memory come to have it.
 *
 * Storey 3.  Stands on bits, options, pages. */

#ifndef LIT_FRESH_H
#define LIT_FRESH_H

#include "bits.h"

enum {
    HUGE_PAGE = 2 * 1024 * 1024,        /* bytes */
    HUGE_PAGES = HUGE_PAGE / PAGE,      /* our pages in one */
    AHEAD_MAX = 4                       /* pages backed ahead at most */
};

/* Declare the frontier and the plan.  [32-fresh.nw: The picture] */
/* Of a chunk. */
struct frontier {
    uint16_t page;              /* below it pages had memory once */
    bool has_holes;             /* ... and some gave it back */
};

/* Pages of a chunk; a number of 0: none. */
struct backing {
    uint16_t first, npages;     /* to be backed by single pages */
    uint16_t first_huge, nhuge; /* to be backed by huge pages */
};

/* Is a heap that has so many bytes in use to have huge pages from now on? */
bool fresh_wants_huge(size_t nbytes);

/* Pages first .. first + npages - 1 of a chunk, all clean, are about to be
 * used, in a heap that uses `nused` pages with them.  Which pages shall have
 * memory at once?  Moves the frontier.  The frontier's owner holds its lock. */
struct backing fresh_plan(struct frontier *f, size_t first, size_t npages,
                        size_t nused);

/* Do what was planned for the chunk at that address.  Any thread, no lock. */
void fresh_back(uintptr_t chunk, struct backing plan);

#endif
