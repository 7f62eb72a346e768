/* Tangled from src.nw/12-mutex.nw; edit that, not this. */
/* mutex.c -- a lock that knows its rank. */

#include "mutex.h"

#include <linux/futex.h>
#include <sys/syscall.h>

/* Say how long to spin.  [12-mutex.nw: The files] */
enum { SPINS = 100 };

/* Start a lock.  [12-mutex.nw: The files] */
void mutex_start(struct mutex *m, enum rank rank)
{
    atomic_store_explicit(&m->word, 0, memory_order_relaxed);
    m->rank = rank;
}

/* Wait for a lock that is taken.  [12-mutex.nw: Waiting] */
/* Spin a while, for most locks here are held for less than a microsecond;
 * then sleep.  2 in the word asks the holder to wake somebody. */
COLD void mutex_wait(struct mutex *m)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t unlocked = 0;
        relax();
        if (atomic_load_explicit(&m->word, memory_order_relaxed) == 0
            && atomic_compare_exchange_strong_explicit(
                &m->word, &unlocked, 1, memory_order_acquire,
                memory_order_relaxed))
            return;
    }
    while (atomic_exchange_explicit(&m->word, 2, memory_order_acquire) != 0)
        system_call(SYS_futex, (long)&m->word, FUTEX_WAIT_PRIVATE, 2, 0, 0,
                    0);
}

/* Wake one that sleeps.  [12-mutex.nw: Waiting] */
COLD void mutex_wake(struct mutex *m)
{
    system_call(SYS_futex, (long)&m->word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

/* Check the order in which locks are taken.
 * [12-mutex.nw: The check: ranks] */
/* Debug builds: one bit a rank that this thread holds. */
static THREAD_LOCAL uint32_t held;

void mutex_note(const struct mutex *m, bool taken)
{
    uint32_t bit = (uint32_t)POW2(m->rank);

    if (taken) {
        assert(held < bit);     /* nothing of this rank or below it */
        held |= bit;
    } else {
        assert(held & bit);
        held &= ~bit;
    }
}

/* Take and release around a fork.  [12-mutex.nw: Around a fork] */
UNCHECKED void mutex_lock_for_fork(struct mutex *m)
{
    uint32_t unlocked = 0;

    if (mutex_is_needed()
        && !atomic_compare_exchange_strong_explicit(
            &m->word, &unlocked, 1, memory_order_acquire,
            memory_order_relaxed))
        mutex_wait(m);
}

UNCHECKED void mutex_unlock_after_fork(struct mutex *m)
{
    if (mutex_is_needed()
        && atomic_exchange_explicit(&m->word, 0, memory_order_release) == 2)
        mutex_wake(m);
}

/* Make a lock new in the child.  [12-mutex.nw: Around a fork] */
void mutex_renew_in_child(struct mutex *m)
{
    atomic_store_explicit(&m->word, 0, memory_order_relaxed);
}
