/* signals.c -- a signal every fraction of a millisecond, in all threads, while
 * they allocate: interrupted waits and system calls must do no harm. */
#include "stress.h"
#include <sys/time.h>

enum { NTHREADS = 4 };

static atomic_ulong nsignals;
static double end;

static void handler(int signal)
{
    (void)signal;
    nsignals++;
}

static void *thread(void *argument)
{
    uint64_t state = (uintptr_t)argument;
    while (now() < end)
        churn(draw(&state), 500, 3 * MiB);
    return NULL;
}

int main(void)
{
    pthread_t threads[NTHREADS];
    uint64_t first_seed = seed();
    struct sigaction action = { .sa_handler = handler };    /* no SA_RESTART */
    struct itimerval every = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
    end = deadline();

    demand(sigaction(SIGALRM, &action, NULL) == 0);
    demand(setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (uintptr_t i = 0; i < NTHREADS; i++)
        threads[i] = start(thread, (void *)(first_seed + i));
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    demand(nsignals > 100);
    printf("signals: %lu signals, seed %llu\n", (unsigned long)nsignals,
           (unsigned long long)first_seed);
    return 0;
}
