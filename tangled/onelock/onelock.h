/* Tangled from src.nw/03-onelock.nw; edit that, not this. */
/* onelock.h -- what onelock.c says beyond malloc.h: for tests and pictures. */

#ifndef ONELOCK_H
#define ONELOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct onelock_counts {
    uint64_t locked;            /* times the lock was taken */
    uint64_t waited;            /* times it was not free at once */
    size_t live;                /* bytes in live pieces, tags included */
    size_t held;                /* bytes that we have from the kernel */
};

void onelock_count(struct onelock_counts *counts);

/* Is the heap as it should be?  Writes what is wrong to fd 2. */
bool onelock_check(void);

/* Show each piece of the heap to `visit`, lowest first; it must not allocate.
 * Pieces that are mapped on their own are not shown. */
void onelock_walk(void (*visit)(void *context, const void *piece, size_t size,
                                bool live), void *context);

#endif
