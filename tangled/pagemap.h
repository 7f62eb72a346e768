/* Tangled from src.nw/30-pagemap.nw; edit that, not this. */
/* pagemap.h -- address -> class and chunk, in one load each, no lock.
 *
 * Storey 3.  Stands on base, pages, mutex.
 *
 * Chunks are asked for inside a window of addresses that begins at 0.  For
 * each PAGE of the window the map has one byte, the class of what lies
 * there, and for each CHUNK one pointer.  What nobody has set reads as 0. */

#ifndef LIT_PAGEMAP_H
#define LIT_PAGEMAP_H

#include "bits.h"

struct chunk;

/* Declare the map.  [30-pagemap.nw: What is declared] */
/* Set by pagemap_start before any pointer is given out, then constant.
 * Zeros before that: a window of no pages. */
extern HIDDEN uint8_t *pagemap_classes;        /* [pagemap_npages] */
extern HIDDEN uintptr_t pagemap_npages;
extern HIDDEN struct chunk **pagemap_chunks;    /* [npages / CHUNK_PAGES] */

/* Choose the window and reserve the map for it; false without memory. */
bool pagemap_start(size_t window_bytes);

/* Look up the class of an address.  [30-pagemap.nw: Looking up] */
/* The class of the small run that `p` lies in, CLASS_NONE if it lies in
 * none.  Any thread, any p, even one that is not ours.
 * Relaxed: whoever has a valid p got it after the byte was written. */
INLINE size_t pagemap_class(const void *p)
{
    uintptr_t i = (uintptr_t)p / PAGE;

    if (unlikely(i >= pagemap_npages))
        return 0;
    return __atomic_load_n(&pagemap_classes[i], __ATOMIC_RELAXED);
}

/* Look up the chunk of an address.  [30-pagemap.nw: Looking up] */
/* The chunk `p` lies in, or NULL.  Any thread, any p. */
INLINE struct chunk *pagemap_chunk(const void *p)
{
    uintptr_t i = (uintptr_t)p / PAGE;

    if (unlikely(i >= pagemap_npages))
        return NULL;
    return __atomic_load_n(&pagemap_chunks[i / CHUNK_PAGES],
                           __ATOMIC_RELAXED);
}

/* Make the map of the chunk-sized piece of the window at `address` writable
 * and enter `c` for it.  NULL takes it out.  False without memory. */
bool pagemap_enter(uintptr_t address, struct chunk *c);

/* Say that `npages` pages from `address` on are of class c.  The caller owns
 * those pages. */
void pagemap_set(uintptr_t address, size_t npages, unsigned c);

void pagemap_before_fork(void);
void pagemap_after_fork(bool in_child);

#endif
