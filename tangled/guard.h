/* Tangled from src.nw/61-guard.nw; edit that, not this. */
/* guard.h -- hardening at the door.
 *
 * Storey 6.  Stands on arena, base, options, pages, mutex, report.
 * To be called only where options.guarded is set. */

#ifndef LIT_GUARD_H
#define LIT_GUARD_H

#include "bits.h"

/* Prepare; false without memory.  Does nothing if nothing is guarded. */
bool guard_start(void);

/* What to ask the rooms below for, where the program asked for `size` bytes,
 * at most PTRDIFF_MAX. */
size_t guard_request(size_t size);

/* Seal a block that was just taken (NULL: returns NULL) for a request of
 * `size` bytes; fill it, if new blocks are to be filled and this one may. */
void *guard_seal(void *p, size_t size, bool may_fill);

/* The size that was asked for; dies if p is no live block or its seal is
 * damaged. */
size_t guard_size(const void *p, const char *call);

/* A block is freed: see that all is well with it, or die.  Returns it if it
 * is to go home at once, NULL if it stays in quarantine. */
void *guard_break(void *p, const char *call);

/* A block that has been in quarantine for long enough, or NULL. */
void *guard_overdue(void);

void guard_before_fork(void);
void guard_after_fork(bool in_child);

#endif
