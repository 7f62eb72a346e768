/* count.c -- loops whose instructions are counted: count.py runs them under
 * callgrind, which counts exactly and is not disturbed.
 *
 *   count WHAT SIZE N ROUNDS [null]
 *
 * Counting is off until the loop has run often enough to be warm; then it is
 * switched on for one stretch of the same loop.  With `null` the loop calls
 * functions of one instruction, `ret`, instead: what is then counted, less
 * those, is the loop's own.  With IDLE=1 in the environment a second thread
 * sleeps meanwhile, so that nobody may leave out what threads need. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

/* The same for every processor. */
__asm__(".text\n.globl nothing\n.type nothing, %function\nnothing:\n\tret\n"
        ".size nothing, . - nothing\n");
void *nothing(void);

static struct {
    void *(*malloc)(size_t);
    void (*free)(void *);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
} call = { malloc, free, calloc, realloc, aligned_alloc };

static size_t size;
static uint32_t n;
static void **p;
static uint32_t *order;
static uint16_t *sizes;

/* Each loop has one argument that says how often; the operations in one
 * round are in the table at the end. */

static void pair(int rounds)
{
    for (int r = 0; r < rounds; r++)
        call.free(call.malloc(size));
}

static void zeroed_pair(int rounds)
{
    for (int r = 0; r < rounds; r++)
        call.free(call.calloc(1, size));
}

static void aligned_pair(int rounds)
{
    for (int r = 0; r < rounds; r++)
        call.free(call.aligned_alloc(size, size));
}

static void in_place(int rounds)
{
    void *q = malloc(size);

    for (int r = 0; r < rounds; r++)
        q = call.realloc(q, size - ((unsigned)r & 7));
    if (call.malloc == malloc)
        free(q);
}

static void batch(int rounds)
{
    for (int r = 0; r < rounds; r++) {
        for (uint32_t i = 0; i < n; i++)
            p[i] = call.malloc(size);
        for (uint32_t i = 0; i < n; i++)
            call.free(p[order[i]]);
    }
}

static void churn(int rounds)
{
    for (int r = 0; r < rounds; r++)
        for (uint32_t i = 0; i < n; i++) {
            void **at = &p[order[i]];
            call.free(*at);
            *at = call.malloc(sizes[i]);
        }
}

/* A thread that only allocates, for the main thread, which only frees. */
static void *fill(void *unused)
{
    for (uint32_t i = 0; i < n; i++)
        p[i] = call.malloc(size);
    return unused;
}

static pthread_barrier_t meet;

static void *fill_always(void *unused)
{
    for (;;) {
        pthread_barrier_wait(&meet);
        fill(NULL);
        pthread_barrier_wait(&meet);
    }
    return unused;
}

static void remote(int rounds)
{
    pthread_t t;

    pthread_barrier_init(&meet, NULL, 2);
    if (pthread_create(&t, NULL, fill_always, NULL) != 0)
        exit(1);
    for (int r = 0; r < 24 + rounds; r++) {
        pthread_barrier_wait(&meet);
        pthread_barrier_wait(&meet);
        if (r >= 24)            /* the thread waits now; only we are counted */
            CALLGRIND_TOGGLE_COLLECT;
        for (uint32_t i = 0; i < n; i++)
            call.free(p[i]);
        if (r >= 24)
            CALLGRIND_TOGGLE_COLLECT;
    }
}

static void *sleep_always(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void make_order(const char *way)
{
    uint64_t seed = 42;

    p = calloc(n, sizeof *p);
    order = malloc(n * sizeof *order);
    sizes = malloc(n * sizeof *sizes);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = strcmp(way, "lifo") == 0 ? n - 1 - i : i;
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        sizes[i] = (uint16_t)(16 + (seed >> 33) % 497);
    }
    if (strcmp(way, "shuffled") != 0 && strcmp(way, "churn") != 0)
        return;
    for (uint32_t i = n - 1; i > 0; i--) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint32_t k = (uint32_t)((seed >> 33) % (i + 1)), o = order[i];
        order[i] = order[k];
        order[k] = o;
    }
}

static const struct {
    const char *name;
    void (*loop)(int rounds);
    int warm;                   /* rounds; 0: the loop sees to it */
} loops[] = {
    { "pair", pair, 3000 },
    { "calloc", zeroed_pair, 3000 },
    { "aligned", aligned_pair, 3000 },
    { "realloc", in_place, 3000 },
    { "fifo", batch, 12 },
    { "lifo", batch, 12 },
    { "shuffled", batch, 12 },
    { "churn", churn, 6 },
    { "remote", remote, 0 },
};

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: count WHAT SIZE N ROUNDS [null]\n");
        return 2;
    }
    size = strtoul(argv[2], NULL, 10);
    n = (uint32_t)strtoul(argv[3], NULL, 10);
    int rounds = atoi(argv[4]);
    pthread_t idle;
    if (getenv("IDLE") != NULL && pthread_create(&idle, NULL, sleep_always, NULL))
        return 1;
    make_order(argv[1]);
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        if (strcmp(argv[1], loops[i].name) != 0)
            continue;
        if (argc > 5) {
            call.malloc = (void *(*)(size_t))(void *)nothing;
            call.free = (void (*)(void *))(void *)nothing;
            call.calloc = (void *(*)(size_t, size_t))(void *)nothing;
            call.realloc = (void *(*)(void *, size_t))(void *)nothing;
            call.aligned_alloc = (void *(*)(size_t, size_t))(void *)nothing;
        }
        if (loops[i].warm > 0) {
            loops[i].loop(loops[i].warm);
            CALLGRIND_TOGGLE_COLLECT;
        }
        loops[i].loop(rounds);
        if (loops[i].warm > 0)
            CALLGRIND_TOGGLE_COLLECT;
        _exit(0);
    }
    fprintf(stderr, "count: no loop is called %s\n", argv[1]);
    return 2;
}
