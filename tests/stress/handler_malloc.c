/* handler_malloc.c -- malloc in signal handlers.  Where the interrupted code is not in
 * the allocator it must work: in threads that compute or wait, while other threads
 * allocate without pause.  Where it is, nothing is promised (POSIX forbids it); the
 * program tries that in processes of their own and says what became of them. */
#include "stress.h"
#include <sys/time.h>

enum { NTHREADS = 3, NTRIES = 24, NHELD = 64 };

static atomic_ulong nhandled;
static atomic_bool stop;

static void handler(int signal)
{
    static _Thread_local void *held[NHELD];
    static _Thread_local uint64_t state;
    (void)signal;
    for (int i = 0; i < 20; i++) {
        size_t k = draw_below(&state, NHELD);
        free(held[k]);
        held[k] = malloc(draw_size(&state, 64 * KiB));
    }
    nhandled++;
}

/* Computes or waits, and never allocates itself. */
static void *computes(void *waits)
{
    uint64_t state = 1, sum = 0;
    while (!stop) {
        if (waits != NULL)
            usleep(200);
        else
            for (int i = 0; i < 10000; i++)
                sum += draw(&state);
    }
    return (void *)(uintptr_t)(sum | 1);
}

static void *allocates(void *argument)
{
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    for (uint64_t i = 0; !stop; i++)
        churn((uintptr_t)argument + i, 500, 256 * KiB);
    return NULL;
}

static void where_it_must_work(uint64_t first_seed)
{
    pthread_t calm[2], busy[NTHREADS];
    double end = deadline();
    struct sigaction action = { .sa_handler = handler };
    demand(sigaction(SIGUSR1, &action, NULL) == 0);
    for (uintptr_t i = 0; i < NTHREADS; i++)
        busy[i] = start(allocates, (void *)(first_seed + i));
    calm[0] = start(computes, NULL);
    calm[1] = start(computes, &stop);
    while (now() < end) {
        pthread_kill(calm[0], SIGUSR1);
        pthread_kill(calm[1], SIGUSR1);
        usleep(300);
    }
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(calm[i], NULL);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(busy[i], NULL);
    demand(nhandled > 100);
}

/* The forbidden case, for half a second. */
static void interrupt_malloc(uint64_t state)
{
    struct sigaction action = { .sa_handler = handler };
    struct itimerval every = { { 0, 100 }, { 0, 100 } };
    double end = now() + 0.5;
    alarm(0);
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &every, NULL);
    while (now() < end)
        churn(draw(&state), 500, 256 * KiB);
    _exit(0);
}

/* What became of the processes whose handler interrupts malloc. */
static void where_it_is_forbidden(uint64_t first_seed, int ntries, int *fate)
{
    for (int i = 0; i < ntries; i++) {
        int status = 0;
        double end = now() + 2;
        pid_t pid = fork(), got = 0;
        demand(pid >= 0);
        if (pid == 0) {
            int nowhere = open("/dev/null", O_WRONLY);
            dup2(nowhere, 2);
            interrupt_malloc(first_seed + (uint64_t)i);
        }
        while ((got = waitpid(pid, &status, WNOHANG)) == 0 && now() < end)
            usleep(10000);
        if (got == 0) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            fate[2]++;
        } else {
            fate[status == 0 ? 0 : 1]++;
        }
    }
}

int main(void)
{
    int fate[3] = { 0, 0, 0 };
    uint64_t first_seed = seed();
    if (SANITIZED)
        skip("a sanitizer delays signals");
    where_it_must_work(first_seed);
    where_it_is_forbidden(first_seed, rounds(4, NTRIES), fate);
    printf("handler_malloc: %lu handlers; where it is forbidden: %d processes ended well, %d died, "
           "%d hung; seed %llu\n", (unsigned long)nhandled, fate[0], fate[1], fate[2],
           (unsigned long long)first_seed);
    return 0;
}
