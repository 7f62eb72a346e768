/* Tangled from src.nw/61-guard.nw; edit that, not this. */
/* guard.h -- hardening at the door.
 *
 * Storey 6.  Stands on arena, base, options, pages, mutex, report.
 * To be called only where options.guarded is set. */

#ifndef LIT_GUARD_H
#define LIT_GUARD_H

#include "bits.h"

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
/* The block at p, whatever that is, will soon be freed: fetch its seal. */
void guard_expect(const void *p);

/* Where freed blocks rest.  NULL is the shared one, which has a lock; any
 * other is one thread's. */
struct quarantine;

/* An empty quarantine for a thread; NULL if there is none to be had. */
struct quarantine *guard_begin(void);

/* The block at p is freed: see that all is well with it, or die.  Returns it
 * if it is to go home at once, NULL if it stays in quarantine. */
void *guard_break(struct quarantine *q, void *p, const char *call);

/* A block that has been in quarantine for long enough, or NULL; and the
 * oldest of all, or NULL if there is none that may go home. */
void *guard_overdue(struct quarantine *q);
void *guard_oldest(struct quarantine *q);

/* Give back an empty quarantine, not the shared one. */
void guard_end(struct quarantine *q);

void guard_before_fork(void);
void guard_after_fork(bool in_child);

#endif
