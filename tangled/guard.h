/* Tangled from src.nw/61-guard.nw; edit that, not this. */
/* guard.h -- hardening at the door.
 *
 * Storey 6.  Stands on arena, base, options, pages, mutex, report.
 * To be called only where options.guarded is set. */

#ifndef LIT_GUARD_H
#define LIT_GUARD_H

#include "options.h"
#include "pagemap.h"
#include "sizeclass.h"

enum { GUARD_SEAL = 16 };       /* bytes */

/* Prepare; false without memory.  Does nothing if nothing is guarded. */
bool guard_start(void);

/* What to ask the rooms below for, where the program asked for `size` bytes,
 * at most PTRDIFF_MAX.  Up to TABLE_MAX it is GUARD_SEAL bytes more. */
size_t guard_request(size_t size);

/* Seal a block of `total` bytes that was just taken, for a request of `size`
 * bytes; fill it, if new blocks are to be filled and this one may. */
void *guard_seal(void *p, size_t total, size_t size, bool may_fill);

/* The size that was asked for; dies if p is no live block or its seal is
 * damaged. */
size_t guard_size(const void *p, const char *call);

/* Let the live block at p serve a request of `size` bytes where it lies, if
 * a new block would be just as large. */
bool guard_resize(void *p, size_t size, const char *call);

/* Promise a quarantine.  [61-guard.nw: Quarantine] */
/* Declare the quarantine.  [61-guard.nw: Quarantine] */
/* A block with its class, CLASS_NONE if it is large; and how many bytes it
 * has, seal and all but without the guard page. */
struct resting {
    void *block;
    size_t class : 8, nbytes : 56;
};

enum { QUARANTINE_MAX = 1024 };         /* blocks */

/* A ring: the oldest is at first. */
struct quarantine {
    size_t first, n;
    size_t nbytes;                      /* of all the blocks */
    struct resting blocks[QUARANTINE_MAX];
};

/* In what follows q == NULL is the quarantine that all threads share, under
 * a lock; any other is one thread's. */
INLINE struct resting guard_in_class(const void *p, size_t c)
{
    return (struct resting){ (void *)p, c, sizeclasses[c].size };
}

/* Whatever p is: as a block of the class that the page map has for it. */
INLINE struct resting guard_find(const void *p)
{
    return guard_in_class(p, pagemap_class(p));
}


/* Promise a quarantine, continued.  [61-guard.nw: Quarantine] */
/* A block that will soon be needed: fetch its beginning and its seal. */
INLINE void guard_expect(struct resting r)
{
    uintptr_t p = (uintptr_t)r.block;

    __builtin_prefetch((void *)(p + r.nbytes - GUARD_SEAL), 1);
    __builtin_prefetch(r.block, 1);
}

/* Are there too many blocks in a thread's quarantine, or too large ones? */
INLINE bool guard_is_crowded(const struct quarantine *q)
{
    return q->n == QUARANTINE_MAX || q->nbytes > options.quarantine_bytes;
}


/* Promise a quarantine, continued.  [61-guard.nw: Quarantine] */
/* An empty quarantine for a thread; NULL if there is none to be had. */
struct quarantine *guard_begin(void);

/* The block r, from guard_find, is freed: see that all is well with it, or
 * die.  Returns it if it is to go home at once, nothing if it stays in
 * quarantine. */
struct resting guard_break(struct quarantine *q, struct resting r,
                           const char *call);

/* A block that has been in quarantine for long enough, or nothing; and the
 * oldest of all, or nothing if there is none that may go home. */
struct resting guard_overdue(struct quarantine *q);
struct resting guard_oldest(struct quarantine *q);

/* Give back an empty quarantine, not the shared one. */
void guard_end(struct quarantine *q);

void guard_before_fork(void);
void guard_after_fork(bool in_child);

#endif
