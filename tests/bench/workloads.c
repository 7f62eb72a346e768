/* workloads.c -- small programs that do little but allocate, for the table.
 *
 *   workloads NAME [THREADS]
 *
 * Each is written from the published description of the workload it is named
 * after; all are seeded and do a fixed amount of work. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int nthreads = 1;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005)
             + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void *demand(size_t size)
{
    void *p = malloc(size);

    if (p == NULL) {
        fprintf(stderr, "workloads: no memory for %zu bytes\n", size);
        exit(1);
    }
    return p;
}

/* Run `work` in nthreads threads; each gets its number. */
static void in_threads(void *(*work)(void *))
{
    pthread_t t[64];

    for (intptr_t i = 0; i < nthreads; i++)
        pthread_create(&t[i], NULL, work, (void *)i);
    for (int i = 0; i < nthreads; i++)
        pthread_join(t[i], NULL);
}

/* malloc-test (Lever and Boreham 2000; Evans 2006): one block of 512 bytes
 * at a time, 40 million in all. */
static void *pairs(void *number)
{
    (void)number;
    for (long n = 40000000 / nthreads; n > 0; n--) {
        char *volatile p = demand(512);
        *p = 1;
        free(p);
    }
    return NULL;
}

/* Blocks of 16 to 512 bytes replaced at random in a table. */
enum { TABLE = 20000 };

static void *churn(void *number)
{
    uint64_t seed = 1 + (uint64_t)(uintptr_t)number;
    char **table = calloc(TABLE, sizeof *table);

    for (long n = 20000000 / nthreads; n > 0; n--) {
        char **at = &table[next_random(&seed) % TABLE];
        size_t size = 16 + next_random(&seed) % 497;
        free(*at);
        *at = demand(size);
        **at = (char)size;
    }
    for (int i = 0; i < TABLE; i++)
        free(table[i]);
    free(table);
    return NULL;
}

/* sh6bench (MicroQuill), its batches: sizes 1 to 1000, mostly small, freed in
 * another order than they came. */
static void *batches(void *number)
{
    enum { N = 5000 };
    static _Thread_local void *p[N];
    uint64_t seed = 7 + (uint64_t)(uintptr_t)number;

    for (long round = 2000 / nthreads; round > 0; round--) {
        for (int i = 0; i < N; i++) {
            size_t size = 1 + next_random(&seed) % 100;
            if (i % 16 == 0)
                size *= 10;
            p[i] = demand(size);
            memset(p[i], i, size);
        }
        for (int i = 0; i < N; i++)
            free(p[(i * 7) % N]);
    }
    return NULL;
}

/* larson (Larson and Krishnan 1998): a thread replaces blocks of 10 to 500
 * bytes, then leaves them all to a new thread and ends. */
enum { LARSON = 5000 };

static void *larson_thread(void *table)
{
    char **p = table;
    uint64_t seed = (uintptr_t)p;

    for (long n = 0; n < 100000; n++) {
        size_t i = next_random(&seed) % LARSON;
        free(p[i]);
        p[i] = demand(10 + next_random(&seed) % 491);
        *p[i] = 1;
    }
    return NULL;
}

static void *larson(void *number)
{
    char **p = calloc(LARSON, sizeof *p);
    pthread_t t;

    (void)number;
    for (int generation = 0; generation < 100; generation++) {
        pthread_create(&t, NULL, larson_thread, p);
        pthread_join(t, NULL);
    }
    for (int i = 0; i < LARSON; i++)
        free(p[i]);
    free(p);
    return NULL;
}

/* xmalloc: half of the threads allocate, the others free. */
enum { PARCEL = 256, QUEUE = 64 };

struct parcel {
    void *blocks[PARCEL];
};

static _Atomic(struct parcel *) queue[QUEUE];
static atomic_int producing;

static void *produce(void *number)
{
    uint64_t seed = 3 + (uint64_t)(uintptr_t)number;

    for (long n = 40000 / nthreads; n > 0; n--) {
        struct parcel *s = demand(sizeof *s), *none;
        for (int i = 0; i < PARCEL; i++)
            s->blocks[i] = demand(16 + next_random(&seed) % 240);
        for (size_t i = (size_t)n;; i++) {
            none = NULL;
            if (atomic_compare_exchange_strong(&queue[i % QUEUE], &none, s))
                break;
        }
    }
    atomic_fetch_sub(&producing, 1);
    return NULL;
}

static void *consume(void *number)
{
    (void)number;
    for (;;) {
        int left = atomic_load(&producing), found = 0;
        for (int i = 0; i < QUEUE; i++) {
            struct parcel *s = atomic_exchange(&queue[i], NULL);
            if (s == NULL)
                continue;
            found = 1;
            for (int k = 0; k < PARCEL; k++)
                free(s->blocks[k]);
            free(s);
        }
        if (left == 0 && !found)
            return NULL;
    }
}

static void *hand_over(void *number)
{
    return (intptr_t)number % 2 == 0 ? produce(number) : consume(number);
}

/* Blocks of 64 KiB to 8 MiB, every page written. */
static void *large(void *number)
{
    uint64_t seed = 11 + (uint64_t)(uintptr_t)number;
    char *p[8] = { NULL };

    for (long n = 3000 / nthreads; n > 0; n--) {
        size_t i = next_random(&seed) % 8;
        size_t size = (size_t)65536 << next_random(&seed) % 8;
        free(p[i]);
        size -= next_random(&seed) % (size / 4);
        p[i] = demand(size);
        for (size_t k = 0; k < size; k += 4096)
            p[i][k] = 1;
    }
    for (int i = 0; i < 8; i++)
        free(p[i]);
    return NULL;
}

/* A vector that grows by realloc, a thousand times over. */
static void *vector(void *number)
{
    (void)number;
    for (long n = 400 / nthreads; n > 0; n--) {
        size_t room = 4, used;
        int *v = demand(room * sizeof *v);
        for (used = 0; used < 1000000; used++) {
            if (used == room) {
                room += room / 2;
                v = realloc(v, room * sizeof *v);
            }
            v[used] = (int)used;
        }
        free(v);
    }
    return NULL;
}

/* Binary trees built and torn down. */
struct node {
    struct node *left, *right;
};

static struct node *grow(int depth)
{
    struct node *n = demand(sizeof *n);

    n->left = depth == 0 ? NULL : grow(depth - 1);
    n->right = depth == 0 ? NULL : grow(depth - 1);
    return n;
}

static void fell(struct node *n)
{
    if (n->left != NULL)
        fell(n->left);
    if (n->right != NULL)
        fell(n->right);
    free(n);
}

static void *trees(void *number)
{
    struct node *lasting = grow(18);

    (void)number;
    for (long n = 160 / nthreads; n > 0; n--)
        fell(grow(16));
    fell(lasting);
    return NULL;
}

static const struct {
    const char *name;
    void *(*work)(void *);
} workloads[] = {
    { "pairs", pairs },       { "churn", churn },   { "batches", batches },
    { "larson", larson },     { "large", large },   { "vector", vector },
    { "trees", trees },       { "xmalloc", hand_over },
};

int main(int argc, char **argv)
{
    nthreads = argc > 2 ? atoi(argv[2]) : 1;
    if (nthreads < 1 || nthreads > 64) {
        fprintf(stderr, "workloads: 1 to 64 threads\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (argc > 1 && strcmp(argv[1], workloads[i].name) == 0) {
            atomic_store(&producing, (nthreads + 1) / 2);
            in_threads(workloads[i].work);
            return 0;
        }
    fprintf(stderr, "usage: workloads NAME [THREADS]; names:");
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        fprintf(stderr, " %s", workloads[i].name);
    fprintf(stderr, "\n");
    return 2;
}
