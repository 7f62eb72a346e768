/* Tangled from src.nw/70-malloc.nw; edit that, not this. */
/* malloc.h -- the door: what the other rooms on its storey may use of it.
 *
 * Storey 7.  Stands on thread. */

#ifndef LIT_MALLOC_H
#define LIT_MALLOC_H

#include "thread.h"

/* Like malloc, but errno stays as it was. */
void *door_take(size_t size);

/* Like aligned_alloc, for any power of two, but errno stays as it was. */
void *door_take_aligned(size_t size, size_t alignment);

/* Like free, from operator delete. */
void door_put(void *p);

/* Free p; `size` and `alignment` are what it was asked for with, as far as
 * the caller knows.  `call` is the public function's name. */
void door_put_sized(void *p, size_t size, size_t alignment,
                    const char *call);

#endif
