/* Tangled from src.nw/42-huge.nw; edit that, not this. */
/* huge.h -- allocations larger than LARGE_MAX, each a mapping of its own.
 *
 * Storey 4.  Stands on base, chunk, decay, fresh, pages, mutex, options. */

#ifndef LIT_HUGE_H
#define LIT_HUGE_H

#include "bits.h"

/* Promise blocks with pages of their own.  [42-huge.nw: Taking] */
/* A block of at least `size` bytes at a multiple of `alignment`, a power of
 * two.  NULL without memory.  *zeroed: are all its bytes zero?  Any thread;
 * system calls are made outside the lock. */
void *huge_take(size_t size, size_t alignment, bool *zeroed);

/* Give a block back; false if `p` is not the start of one. */
bool huge_put(void *p);

/* The usable bytes of the block that starts at `p`; 0 if none does. */
size_t huge_size(const void *p);

/* Did the request for the block at `p` say `size`, or as many pages? */
bool huge_was_asked(const void *p, size_t size);

/* The block that holds address `p`, or NULL; *size gets its size.  Slow:
 * for messages about bad pointers. */
void *huge_find(const void *p, size_t *size);

/* Promise to resize and to purge huge blocks.  [42-huge.nw: Resizing] */
/* Make the block at `p` hold `size` bytes, moving pages and not bytes if the
 * system does not refuse.
 * Returns where it is now; NULL, and nothing has changed, without memory. */
void *huge_resize(void *p, size_t size);

/* Unmap freed blocks that were kept for too long, or all of them.  Returns
 * the bytes given back. */
size_t huge_purge(uint64_t now_ms, bool all);

void huge_start(void);

/* Declare what is counted of huge blocks.  [42-huge.nw: Purging] */
struct huge_stats {
    size_t nblocks, nbytes;     /* in use */
    size_t kept;                /* bytes of freed blocks still mapped */
};

struct huge_stats huge_stats(void);

void huge_before_fork(void);
void huge_after_fork(bool in_child);

#endif
