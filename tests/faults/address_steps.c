/* address_steps.c -- RLIMIT_AS in small steps, from what hardly holds the program up
 * to 256 MiB: a process either does not start at all, which is the loader's doing, or
 * allocates until the limit, is told NULL and ENOMEM there, loses nothing, and goes on
 * after its frees.  With a second thread from 64 MiB on. */
/* link: preload */
/* timeout: 600 */
#include "../stress/stress.h"
#include <sys/resource.h>

enum { FIRST = 8, LAST = 256, NMOST = 1 << 16 };

struct block { struct block *next; size_t n; unsigned char tag; };

/* Blocks of random sizes until there is no more; the list of them. */
static struct block *fill(uint64_t *state, size_t most, size_t *total)
{
    struct block *head = NULL, *b;
    *total = 0;
    for (int i = 0; i < NMOST; i++) {
        size_t n = sizeof *b + draw_size(state, most);
        errno = 0;
        if ((b = malloc(n)) == NULL) {
            demand(errno == ENOMEM);
            break;
        }
        *b = (struct block){ head, n, (unsigned char)i };
        ((unsigned char *)b)[n - 1] = b->tag;
        head = b;
        *total += n;
    }
    return head;
}

static void release(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;
        demand(b->n == sizeof *b || ((unsigned char *)b)[b->n - 1] == b->tag);
        free(b);
        b = next;
    }
}

static void *in_thread(void *seed)
{
    uint64_t state = (uintptr_t)seed;
    size_t total;
    for (int i = 0; i < 3; i++)
        release(fill(&state, MiB, &total));
    return NULL;
}

static void in_child(size_t limit, uint64_t first_seed)
{
    uint64_t state = first_seed;
    size_t total, least = limit;
    pthread_t thread;
    pthread_attr_t small;
    bool threaded = limit >= 64 * MiB;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * KiB);
    if (threaded)
        demand(pthread_create(&thread, &small, in_thread, (void *)(uintptr_t)state) == 0);
    for (int i = 0; i < 4; i++) {
        release(fill(&state, i % 2 == 0 ? MiB : 4 * KiB, &total));
        least = total < least ? total : least;
        malloc_trim(0);
    }
    if (threaded)
        pthread_join(thread, NULL);
    demand(limit < 32 * MiB || least > 0);
}

int main(int argc, char **argv)
{
    int nstarted = 0, nsteps = 0;
    uint64_t first_seed = seed();
    if (argc > 2) {
        alarm(60);
        in_child(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0));
        return 0;
    }
    for (size_t mib = FIRST; mib <= LAST; mib += getenv("LONG") != NULL ? 1 : 16, nsteps++) {
        char limit[30], of_seed[30];
        int status;
        snprintf(limit, sizeof limit, "%zu", mib * MiB);
        snprintf(of_seed, sizeof of_seed, "%llu", (unsigned long long)first_seed + mib);
        pid_t pid = fork();
        demand(pid >= 0);
        if (pid == 0) {
            struct rlimit most = { mib * MiB, mib * MiB };
            demand(setrlimit(RLIMIT_AS, &most) == 0);
            execl("/proc/self/exe", argv[0], limit, of_seed, (char *)NULL);
            _exit(127);
        }
        demand(waitpid(pid, &status, 0) == pid);
        nstarted += status == 0;
        /* 127: the loader had no room for the program and its libraries. */
        if (status != 0 && (mib >= 32 || !WIFEXITED(status) || WEXITSTATUS(status) != 127))
            fail("limit of %zu MiB: wait status %#x", mib, (unsigned)status);
    }
    demand(nstarted > nsteps / 2);
    printf("address_steps: %d limits, %d of them let the program start, seed %llu\n", nsteps,
           nstarted, (unsigned long long)first_seed);
    return 0;
}
