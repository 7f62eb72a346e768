/* fork_storm.c -- threads allocate while others fork; every child, and a thread
 * started in it, can allocate at once, whatever was locked at the fork.  A long storm
 * ends after 100000 children or 25 minutes. */
/* timeout: 300 */
#include "stress.h"

enum { NFORKERS = 2, NCHURNERS = 3, FEW = 100 };

static atomic_bool stop;
static uint64_t first_seed;
static int nforks;                      /* of each forker, at most */
static double end;                      /* no more than the first FEW after it */
static atomic_int nchildren;

static void *churner(void *argument)
{
    uint64_t state = (uintptr_t)argument;
    while (!stop)
        churn(draw(&state), 2000, 300 * KiB);
    return NULL;
}

static void *in_child(void *inherited)
{
    churn(first_seed + 1, 200, 100 * KiB);
    tag_check(inherited, 5000, 'i');
    free(inherited);
    return NULL;
}

static void *forker(void *argument)
{
    for (int i = 0; i < FEW || (i < nforks && now() < end); i++) {
        void *inherited = malloc(5000);
        tag_put(inherited, 5000, 'i');
        pid_t pid = fork();
        demand(pid >= 0);
        if (pid == 0) {
            alarm(30);
            if (i >= FEW && i % 16 != 0) {      /* most of a long storm is brief */
                churn(first_seed + (uint64_t)i, 20, 100 * KiB);
                tag_check(inherited, 5000, 'i');
                free(inherited);
                _exit(0);
            }
            churn((uintptr_t)argument + (uint64_t)i, 200, 2 * MiB);
            pthread_join(start(in_child, inherited), NULL);
            if (i % 10 == 0) {          /* a child of the child */
                pid_t grandchild = fork();
                if (grandchild == 0) {
                    churn(i + 1, 100, MiB);
                    _exit(0);
                }
                wait_for(grandchild, "grandchild");
            }
            if (i % 2 == 0)
                exit(0);
            _exit(0);
        }
        wait_for(pid, "forked child");
        nchildren++;
        free(inherited);
    }
    return NULL;
}

int main(void)
{
    pthread_t forkers[NFORKERS], churners[NCHURNERS];
    if (SANITIZED)
        skip("a sanitizer does not survive fork in a threaded process");
    first_seed = seed();
    nforks = rounds(FEW, 50000);
    end = now() + 25 * 60;

    for (uintptr_t i = 0; i < NCHURNERS; i++)
        churners[i] = start(churner, (void *)(first_seed + i));
    for (uintptr_t i = 0; i < NFORKERS; i++)
        forkers[i] = start(forker, (void *)(first_seed + 100 + i));
    for (int i = 0; i < NFORKERS; i++)
        pthread_join(forkers[i], NULL);
    stop = true;
    for (int i = 0; i < NCHURNERS; i++)
        pthread_join(churners[i], NULL);
    printf("fork_storm: %d forks beside %d threads, seed %llu\n", nchildren, NCHURNERS,
           (unsigned long long)first_seed);
    return 0;
}
