/* contention_spin.h -- before onelock.c: a lock that is taken is tried SPINS times more,
 * with a pause between, before the C library's mutex is asked to sleep.  -1: for ever. */
#define _GNU_SOURCE
#include <pthread.h>

static int lock_after_spinning(pthread_mutex_t *m)
{
    for (long n = 0; SPINS < 0 || n < SPINS; n++) {
        if (pthread_mutex_trylock(m) == 0)
            return 0;
        __builtin_ia32_pause();
    }
    return pthread_mutex_lock(m);
}

#define pthread_mutex_lock lock_after_spinning
