/* Tangled from src.nw/12-mutex.nw; edit that, not this. */
/* mutex.h -- a lock that knows its rank.
 *
 * Storey 1.  Stands on bits.  Source: Drepper, "Futexes Are Tricky", 2011,
 * mutex 2. */

#ifndef LIT_MUTEX_H
#define LIT_MUTEX_H

#include "bits.h"

/* Name the ranks.  [12-mutex.nw: The lock] */
/* The map read downward.  A thread may take a lock only if it holds none of
 * the same rank or of a higher number. */
enum rank {
    RANK_START, RANK_GUARD, RANK_THREAD, RANK_ARENA, RANK_BIN, RANK_HUGE,
    RANK_PAGEHEAP, RANK_CHUNK, RANK_PAGEMAP, RANK_BASE
};

/* Declare the mutex.  [12-mutex.nw: The lock] */
struct CAPABILITY("mutex") mutex {
    _Atomic uint32_t word;      /* 0 free, 1 held, 2 held and waited for */
    uint32_t rank;
};

#define MUTEX_INIT(rank) { 0, (rank) }

/* Ask whether there may be a second thread.
 * [12-mutex.nw: Is a lock needed at all?] */
/* Is there no second thread?  Then no lock is needed.  The C library keeps
 * this flag from 2.32 on; where there is none we take every lock. */
extern char __libc_single_threaded __attribute__((weak));

INLINE bool mutex_is_needed(void)
{
    return &__libc_single_threaded == NULL || !__libc_single_threaded;
}

void mutex_start(struct mutex *m, enum rank rank);
void mutex_wait(struct mutex *m);
void mutex_wake(struct mutex *m);
void mutex_note(const struct mutex *m, bool taken);

/* Lock and unlock.  [12-mutex.nw: Lock and unlock] */
/* Take and release.  Any thread; leaves errno alone.  Both sides ask whether
 * the lock is needed: nobody starts or ends a thread while holding one. */
INLINE UNCHECKED void mutex_lock(struct mutex *m) ACQUIRE(m)
{
    uint32_t unlocked = 0;

    if (DEBUG)
        mutex_note(m, true);
    if (!mutex_is_needed())
        return;
    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &m->word, &unlocked, 1, memory_order_acquire,
            memory_order_relaxed)))
        mutex_wait(m);
}

INLINE UNCHECKED void mutex_unlock(struct mutex *m) RELEASE(m)
{
    if (DEBUG)
        mutex_note(m, false);
    if (!mutex_is_needed())
        return;
    if (unlikely(atomic_exchange_explicit(&m->word, 0,
                                          memory_order_release) == 2))
        mutex_wake(m);
}

/* Declare what fork does with a lock.  [12-mutex.nw: Around a fork] */
/* Around fork: every lock of the library is taken, so ranks do not count.
 * In the child only the caller exists, and a lock is simply made new. */
void mutex_lock_for_fork(struct mutex *m);
void mutex_unlock_after_fork(struct mutex *m);
void mutex_renew_in_child(struct mutex *m);

#endif
