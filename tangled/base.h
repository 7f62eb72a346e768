/* Tangled from src.nw/21-base.nw; edit that, not this. */
/* base.h -- memory for our own records.
 *
 * Storey 2.  Stands on pages, mutex.  Records never share a page with what
 * the program owns. */

#ifndef LIT_BASE_H
#define LIT_BASE_H

#include "bits.h"

/* A block of `size` bytes, zeroed, aligned to a cache line; NULL if the
 * system refuses memory.  Any thread; takes the base lock; makes system
 * calls outside it. */
void *base_take(size_t size);

/* The same, but whatever lay there before may still be there. */
void *base_take_raw(size_t size);

/* Give back a block of the size it was asked for with. */
void base_put(void *block, size_t size);

/* Give memory of records that nobody has back to the system, if there is
 * much, or all that can be.  Returns the bytes given back. */
size_t base_purge(bool all);

/* Declare what base tells of itself.  [21-base.nw: The files] */
struct base_stats {
    size_t mapped;              /* bytes taken from the system or .bss */
    size_t used;                /* bytes handed out */
    size_t spare;               /* bytes of pieces without memory */
};

struct base_stats base_stats(void);

void base_before_fork(void);
void base_after_fork(bool in_child);

#endif
