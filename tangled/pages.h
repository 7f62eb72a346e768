/* Tangled from src.nw/20-pages.nw; edit that, not this. */
/* pages.h -- the only file that makes memory system calls.
 *
 * Storey 2.  Stands on bits.  Sizes and addresses are multiples of the
 * system's page unless said otherwise.  Any thread; no lock; leaves errno
 * alone; failure is NULL or false and changes nothing. */

#ifndef LIT_PAGES_H
#define LIT_PAGES_H

#include "bits.h"

/* The system's page, bytes: 4, 16, 64 KiB. */
extern HIDDEN size_t pages_size;

/* Ask the system for its page size; called once, first of all rooms. */
void pages_start(void);

/* Declare the ways to take pages.  [20-pages.nw: The files] */
/* Fresh zeroed memory, readable and writable, anywhere. */
void *pages_map(size_t size);

/* The same at a multiple of `alignment`, a power of two. */
void *pages_map_aligned(size_t size, size_t alignment);

/* The same exactly at `at`.  *taken tells whether it failed because
 * something else lies there. */
void *pages_map_at(void *at, size_t size, bool *taken);

/* Addresses that read as zero and cost no memory, nor any commitment. */
void *pages_reserve(size_t size);

/* Let `p`, from pages_reserve, be written to. */
bool pages_make_writable(void *p, size_t size);

/* Back mapped memory before it is touched, in one call; what has memory
 * stays as it is.  Where the kernel does not know how, nothing happens. */
void pages_populate(void *p, size_t size);

/* The same with huge pages, if it can be; p and size are multiples of
 * HUGE_PAGE.  Afterwards the memory is as after pages_keep_small. */
void pages_populate_huge(void *p, size_t size);

/* Back this memory by single pages only, or by huge ones where a touch may
 * bring one, whatever the system prefers. */
void pages_keep_small(void *p, size_t size);
void pages_prefer_huge(void *p, size_t size);

/* Declare the ways to give them back.  [20-pages.nw: The files] */
/* Give back memory and addresses.  May fail when the process has as many
 * mappings as the system allows; then the memory is still there. */
bool pages_unmap(void *p, size_t size);

/* Give back the memory, keep the addresses: they read as zero from here on.
 * False if it is locked (mlock): then the old bytes may still be there. */
bool pages_purge(void *p, size_t size);

/* Make pages that trap when they are touched, and undo that: then they read
 * as zero.  Where the kernel can, this splits no mapping. */
bool pages_guard(void *p, size_t size);
bool pages_unguard(void *p, size_t size);

/* Make a mapping longer or shorter; if it may move and does, the pages move
 * without being copied.  Returns where it is now. */
void *pages_resize(void *p, size_t old_size, size_t size, bool may_move);

/* Declare the questions to the system.  [20-pages.nw: The files] */
/* The most address space this process may have, bytes; SIZE_MAX: no limit. */
size_t pages_address_limit(void);

/* Milliseconds of a clock that is cheap and never goes back. */
uint64_t pages_now_ms(void);

/* A word of the randomness that the kernel gives each process; always the
 * same one. */
uint64_t pages_random(void);

/* How every call above reaches the kernel.  Weak, so that a test can refuse
 * what it likes. */
long pages_system_call(long n, long a, long b, long c, long d, long e,
                       long f);

#endif
