/* nomem.c -- the system refuses memory at a random moment and for good: in each
 * of many child processes a few of mmap, mremap, munmap, madvise and mprotect
 * answer ENOMEM from then on, in one thread or in each of three.  Calls give a
 * block or NULL with ENOMEM; what is live stays whole and can be freed. */
#include "../api/refuse.h"
#include "model.h"
#include <sys/resource.h>

enum { NCHILDREN_LEAST = 12, NTHREADS = 3 };

static struct model models[NTHREADS];

/* Refuse, to the calling thread, a random choice of calls. */
static bool refuse_some(uint64_t *state)
{
    const int all[] = { SYS_mmap, SYS_mremap, SYS_munmap, SYS_madvise, SYS_mprotect };
    int chosen[5];
    unsigned n = 0;
    for (int i = 0; i < 5; i++)
        if (draw(state) % 4 != 0)
            chosen[n++] = all[i];
    return refuse_syscalls(chosen, n);
}

static void *thread(void *argument)
{
    struct model *m = argument;
    size_t nbefore = draw_below(&m->state, 3000);

    for (size_t i = 0; i < nbefore; i++)
        model_step(m);
    if (!refuse_some(&m->state))
        return m;
    m->may_fail = true;
    for (int i = 0; i < 3000; i++)
        model_step(m);
    model_check(m);
    model_free_all(m);
    for (int i = 0; i < 1000; i++)      /* and on, with what was freed */
        model_step(m);
    model_free_all(m);
    malloc_trim(0);
    return NULL;
}

/* Exits 0; 77 where system calls cannot be refused. */
static void in_child(uint64_t child_seed, bool threaded)
{
    alarm(60);
    for (uint64_t i = 0; i < NTHREADS; i++)
        models[i].state = child_seed + i;
    if (!threaded) {
        void *unable = thread(&models[0]);
        _exit(unable != NULL ? 77 : 0);
    }
    pthread_t threads[NTHREADS];
    void *unable[NTHREADS];
    for (int i = 0; i < NTHREADS; i++)
        threads[i] = start(thread, &models[i]);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], &unable[i]);
    _exit(unable[0] != NULL ? 77 : 0);
}

/* With all of them refused, much memory cannot be had: so they are refused. */
static void all_refused(void)
{
    const int all[] = { SYS_mmap, SYS_mremap };
    struct rlimit limit = { 64 * MiB, 64 * MiB };   /* for those who use brk */
    if (setrlimit(RLIMIT_DATA, &limit) != 0 || !refuse_syscalls(all, 2))
        _exit(77);
    errno = 0;
    demand(launder(malloc(opaque((size_t)1 << 30))) == NULL && errno == ENOMEM);
    errno = 0;
    demand(launder(aligned_alloc(64 * MiB, opaque((size_t)1 << 28))) == NULL && errno == ENOMEM);
    _exit(0);
}

int main(void)
{
    if (SANITIZED)
        skip("a sanitizer cannot work without mmap");
    uint64_t first_seed = seed();
    double end = deadline();
    int nchildren = 0;

    printf("seed %llu\n", (unsigned long long)first_seed);
    do {
        fflush(stdout);
        pid_t pid = fork();
        demand(pid >= 0);
        if (pid == 0) {
            if (nchildren == 0)
                all_refused();
            in_child(first_seed + (uint64_t)nchildren * 1000, nchildren % 3 == 2);
        }
        int status;
        demand(waitpid(pid, &status, 0) == pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            skip("this kernel takes no seccomp filter");
        if (status != 0)
            fail("child %d (SEED=%llu): wait status %#x", nchildren,
                 (unsigned long long)first_seed, (unsigned)status);
    } while (++nchildren < NCHILDREN_LEAST || now() < end);
    printf("nomem: %d processes, seed %llu\n", nchildren, (unsigned long long)first_seed);
    return 0;
}
