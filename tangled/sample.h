/* Tangled from src.nw/62-sample.nw; edit that, not this. */
/* sample.h -- one block in so many on a page of its own, between pages that
 * trap, with the stacks of those who took it and freed it.
 *
 * Storey 6.  Stands on thread, options, pages, mutex, report. */

#ifndef LIT_SAMPLE_H
#define LIT_SAMPLE_H

#include "thread.h"

/* Promise to choose and to place.  [62-sample.nw: Laws] */
/* Map the slots; called once.  Without memory nothing is sampled, and a line
 * says so. */
void sample_start(void);

/* From here on blocks are sampled: called when the C library is ready to
 * tell who calls, outside of all locks. */
void sample_begin(void);

/* A block for a request of thread t, zeroed, if it is to be sampled; NULL if
 * not.  `alignment` is a power of two, at least QUANTUM. */
void *sample_take(struct thread *t, size_t size, size_t alignment);

/* Hand out a ration of class c, as far as the next block that is to be
 * sampled.  Called after a slow path has taken a region. */
void sample_serve(struct thread *t, unsigned c);

/* Promise to know a sampled block.  [62-sample.nw: Laws] */
/* Where the slots are; set by sample_start, zeros before. */
extern HIDDEN uintptr_t sample_area;
extern HIDDEN size_t sample_area_bytes;

/* Does p lie among the slots?  Any p. */
INLINE bool sample_has(const void *p)
{
    return (uintptr_t)p - sample_area < sample_area_bytes;
}

/* What the program asked for; dies if no live block begins at p. */
size_t sample_size(const void *p, const char *call);

/* Dies if the block at p is not a live one of `size` bytes. */
void sample_check_size(const void *p, size_t size, const char *call);

/* Free; dies if it is no live block, or its margins are damaged. */
void sample_put(void *p, const char *call);

/* Declare what is counted of samples.  [62-sample.nw: Laws] */
struct sample_stats {
    size_t nlive, ntaken;       /* blocks: now, and ever */
    size_t nrefused;            /* for which there was no slot */
    size_t live, mapped, records;       /* bytes */
};

struct sample_stats sample_stats(void);

void sample_before_fork(void);
void sample_after_fork(bool in_child);

#endif
