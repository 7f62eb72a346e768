/* published.c -- the field's workloads, each written from the description in
 * the work that is named above it; none is a copy of that work's program. */

#include "workloads.h"

/* ---- malloc-test: Lever and Boreham 2000; the first experiment of Evans
 * 2006.  One block of 512 bytes at a time, thrown away at once.  SHARE=n in
 * the environment divides the work. */

enum { PAIRS = 60000000 };

static long share;

static void pairs(int number)
{
    (void)number;
    for (long n = PAIRS / share / nthreads; n > 0; n--) {
        char *volatile p = demand(512);
        *p = 1;
        free(p);
    }
}

static void malloc_test(void)
{
    const char *text = getenv("SHARE");

    share = text != NULL && atoi(text) > 0 ? atoi(text) : 1;
    in_threads(pairs);
}

/* ---- threadtest: Berger and others 2000.  Each thread, over and over,
 * allocates its share of 100 000 small objects and frees them all. */

enum { OBJECTS = 100000, THREADTEST_ROUNDS = 160 };

static void objects(int number)
{
    size_t n = OBJECTS / (size_t)nthreads;
    char **p = demand(n * sizeof *p);

    (void)number;
    for (int round = 0; round < THREADTEST_ROUNDS; round++) {
        for (size_t i = 0; i < n; i++)
            p[i] = written(64);
        for (size_t i = 0; i < n; i++)
            free(p[i]);
    }
    free(p);
}

static void threadtest(void)
{
    in_threads(objects);
}

/* ---- larson: Larson and Krishnan 1998.  A server's thread replaces blocks
 * of 10 to 500 bytes in a table, leaves the table to a new thread, and ends;
 * so most blocks are freed by another thread than allocated them. */

enum { SLOTS = 5000, REPLACEMENTS = 100000, LARSON_TOTAL = 192 };

struct office {
    char *slot[SLOTS];
    uint64_t seed;
};

static void *work_in(void *argument)
{
    struct office *o = argument;

    for (int n = 0; n < REPLACEMENTS; n++) {
        size_t i = next_random(&o->seed) % SLOTS;
        free(o->slot[i]);
        o->slot[i] = written(10 + next_random(&o->seed) % 491);
    }
    return NULL;
}

static void generations(int number)
{
    struct office *o = calloc(1, sizeof *o);

    o->seed = seed_of(number);
    for (int i = 0; i < SLOTS; i++)
        o->slot[i] = written(10 + next_random(&o->seed) % 491);
    for (int g = LARSON_TOTAL / nthreads; g > 0; g--) {
        pthread_t t;
        if (pthread_create(&t, NULL, work_in, o) != 0)
            exit(1);
        pthread_join(t, NULL);
    }
    for (int i = 0; i < SLOTS; i++)
        free(o->slot[i]);
    free(o);
}

static void larson(void)
{
    in_threads(generations);
}

/* ---- xmalloc: Lever and Boreham 2000.  Half of the threads only allocate,
 * the others only free; blocks travel in parcels through one bounded queue.
 * At most PARCELS + nthreads parcels are alive: the bound on the blow-up. */

enum { PARCEL = 250, PARCELS = 64, XMALLOC_TOTAL = 40000 };

struct parcel {
    char *block[PARCEL];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    struct parcel *parcel[PARCELS];
    int first, n, producing;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
            .filled = PTHREAD_COND_INITIALIZER,
            .emptied = PTHREAD_COND_INITIALIZER };

static void send(struct parcel *p)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.n == PARCELS)
        pthread_cond_wait(&queue.emptied, &queue.lock);
    queue.parcel[(queue.first + queue.n++) % PARCELS] = p;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

/* The next parcel; NULL when all have been sent and taken. */
static struct parcel *receive(void)
{
    struct parcel *p = NULL;

    pthread_mutex_lock(&queue.lock);
    while (queue.n == 0 && queue.producing > 0)
        pthread_cond_wait(&queue.filled, &queue.lock);
    if (queue.n > 0) {
        p = queue.parcel[queue.first];
        queue.first = (queue.first + 1) % PARCELS;
        queue.n--;
        pthread_cond_signal(&queue.emptied);
    }
    pthread_mutex_unlock(&queue.lock);
    return p;
}

static void produce(int number)
{
    uint64_t seed = seed_of(number);

    for (int n = XMALLOC_TOTAL / queue.producing; n > 0; n--) {
        struct parcel *p = demand(sizeof *p);
        for (int i = 0; i < PARCEL; i++)
            p->block[i] = written(16 + next_random(&seed) % 240);
        send(p);
    }
}

static void end_production(void)
{
    pthread_mutex_lock(&queue.lock);
    queue.producing--;
    pthread_cond_broadcast(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static void consume(void)
{
    for (struct parcel *p; (p = receive()) != NULL; free(p))
        for (int i = 0; i < PARCEL; i++)
            free(p->block[i]);
}

static void hand_over(int number)
{
    if (number % 2 == 0 && nthreads > 1) {
        produce(number);
        end_production();
    } else if (nthreads > 1) {
        consume();
    } else {                    /* alone: one parcel at a time */
        for (int n = XMALLOC_TOTAL, round = 0; round < n; round++) {
            uint64_t seed = seed_of(round);
            struct parcel *p = demand(sizeof *p);
            for (int i = 0; i < PARCEL; i++)
                p->block[i] = written(16 + next_random(&seed) % 240);
            for (int i = 0; i < PARCEL; i++)
                free(p->block[i]);
            free(p);
        }
    }
}

static void xmalloc(void)
{
    queue.producing = (nthreads + 1) / 2;
    /* a block has 135.5 bytes in the mean */
    live_at_peak = (size_t)(PARCELS + nthreads) * (PARCEL * 136 + 2000);
    in_threads(hand_over);
}

/* ---- cache-thrash and cache-scratch: Berger and others 2000, for active and
 * passive false sharing.  A thread gets a small object, writes it many times,
 * and frees it, over and over.  In scratch its first object comes from the
 * main thread, which made those of all threads side by side. */

enum { SCRATCH_ROUNDS = 160000, SCRATCH_WRITES = 1500, SCRATCH_SIZE = 8 };

static char *handed[MAX_THREADS];

static void scratch(int number)
{
    free(handed[number]);
    for (int n = SCRATCH_ROUNDS / nthreads; n > 0; n--) {
        volatile char *p = demand(SCRATCH_SIZE);
        for (int i = 0; i < SCRATCH_WRITES; i++)
            p[i % SCRATCH_SIZE]++;
        free((char *)p);
    }
}

static void cache_scratch(void)
{
    for (int i = 0; i < nthreads; i++)
        handed[i] = demand(SCRATCH_SIZE);
    in_threads(scratch);
}

static void cache_thrash(void)
{
    in_threads(scratch);        /* nothing was handed over: NULL */
}

/* ---- sh6bench: MicroQuill.  Batches of blocks of one size, small sizes in
 * larger numbers; a batch is freed in the order it came or in reverse, and
 * now and then a part of it stays for a while. */

enum { BATCH_MOST = 2500, KEEPERS = 64, SH6_ROUNDS = 900 };

static size_t batch_of(size_t size)
{
    size_t n = 20000 / size;

    return n > BATCH_MOST ? BATCH_MOST : n < 20 ? 20 : n;
}

static void smart_batches(int number)
{
    char **p = demand(BATCH_MOST * sizeof *p), *kept[KEEPERS] = { NULL };
    uint64_t seed = seed_of(number);

    for (int round = (SH6_ROUNDS + nthreads - 1) / nthreads; round > 0; round--) {
        for (size_t size = 1; size <= 1000; size += 1 + size / 8) {
            size_t n = batch_of(size);
            for (size_t i = 0; i < n; i++)
                p[i] = written(size);
            size_t keep = next_random(&seed) % KEEPERS;
            free(kept[keep]);
            kept[keep] = p[n / 2];
            p[n / 2] = NULL;
            for (size_t i = 0; i < n; i++)
                free(p[size % 2 == 0 ? i : n - 1 - i]);
        }
    }
    for (int i = 0; i < KEEPERS; i++)
        free(kept[i]);
    free(p);
}

static void sh6bench(void)
{
    in_threads(smart_batches);
}

/* ---- sh8bench: MicroQuill.  As sh6bench, but a thread frees batches that
 * others allocated: each leaves its batch in a slot and takes what is there. */

struct batch {
    size_t n;
    char *block[BATCH_MOST];
};

static struct batch *left[16];

static void exchanged_batches(int number)
{
    uint64_t seed = seed_of(number);

    for (int round = (SH6_ROUNDS + nthreads - 1) / nthreads; round > 0; round--) {
        for (size_t size = 1; size <= 1000; size += 1 + size / 8) {
            struct batch *b = demand(sizeof *b);
            b->n = batch_of(size);
            for (size_t i = 0; i < b->n; i++)
                b->block[i] = written(size);
            b = __atomic_exchange_n(&left[next_random(&seed) % 16], b,
                                    __ATOMIC_ACQ_REL);
            for (size_t i = 0; b != NULL && i < b->n; i++)
                free(b->block[size % 2 == 0 ? i : b->n - 1 - i]);
            free(b);
        }
    }
}

static void sh8bench(void)
{
    in_threads(exchanged_batches);
    for (int k = 0; k < 16; k++) {
        for (size_t i = 0; left[k] != NULL && i < left[k]->n; i++)
            free(left[k]->block[i]);
        free(left[k]);
    }
}

/* ---- mstress: as the stress test of mimalloc is described (Leijen and
 * others 2019): threads of a server that allocate in powers of two, keep
 * some blocks long, swap some with other threads, and end and are replaced. */

enum { SHARED = 1000, MSTRESS_SHIFTS = 300, MSTRESS_OPS = 40000, OWN = 2000 };

static char *shared[SHARED];

static size_t power(uint64_t *seed)
{
    unsigned most = next_random(seed) % 64 == 0 ? 16 : 8;

    return (size_t)8 << next_random(seed) % most;
}

static void *shift(void *argument)
{
    uint64_t seed = (uintptr_t)argument;
    char **own = calloc(OWN, sizeof *own);

    for (int n = 0; n < MSTRESS_OPS; n++) {
        size_t i = next_random(&seed) % OWN;
        free(own[i]);
        own[i] = written(power(&seed));
        if (n % 4 == 0)
            own[i] = __atomic_exchange_n(&shared[next_random(&seed) % SHARED],
                                         own[i], __ATOMIC_ACQ_REL);
    }
    for (int i = 0; i < OWN; i++)
        free(own[i]);
    free(own);
    return NULL;
}

static void shifts(int number)
{
    for (int s = (MSTRESS_SHIFTS + nthreads - 1) / nthreads; s > 0; s--) {
        pthread_t t;
        uintptr_t seed = seed_of(number * 1000 + s);
        if (pthread_create(&t, NULL, shift, (void *)seed) != 0)
            exit(1);
        pthread_join(t, NULL);
    }
}

static void mstress(void)
{
    in_threads(shifts);
    for (int i = 0; i < SHARED; i++)
        free(shared[i]);
}

/* ---- rptest: as the benchmark of rpmalloc is described: random sizes of 16
 * to 16 000 bytes, the smaller the more frequent; a part is freed by the next
 * thread in the ring. */

enum { RP_BLOCKS = 1500, RP_LOOPS = 6400, RP_OPS = 1000, LETTERS = 256 };

static char *letter[MAX_THREADS][LETTERS];

static size_t falling_size(uint64_t *seed)
{
    uint64_t a = next_random(seed) % 15985, b = next_random(seed) % 15985;
    uint64_t c = next_random(seed) % 15985;
    uint64_t least = a < b ? a : b;

    return 16 + (least < c ? least : c);
}

static void random_sizes(int number)
{
    uint64_t seed = seed_of(number);
    char **p = calloc(RP_BLOCKS, sizeof *p);
    int neighbour = (number + 1) % nthreads;

    for (int loop = (RP_LOOPS + nthreads - 1) / nthreads; loop > 0; loop--) {
        for (int n = 0; n < RP_OPS; n++) {
            size_t i = next_random(&seed) % RP_BLOCKS;
            free(p[i]);
            p[i] = written(falling_size(&seed));
        }
        for (int n = 0; n < LETTERS; n++) {
            size_t i = next_random(&seed) % RP_BLOCKS;
            p[i] = __atomic_exchange_n(&letter[neighbour][n], p[i],
                                       __ATOMIC_ACQ_REL);
            free(__atomic_exchange_n(&letter[number][n], NULL,
                                     __ATOMIC_ACQ_REL));
        }
    }
    for (int i = 0; i < RP_BLOCKS; i++)
        free(p[i]);
    free(p);
}

static void rptest(void)
{
    in_threads(random_sizes);
    for (int i = 0; i < nthreads; i++)
        for (int n = 0; n < LETTERS; n++)
            free(letter[i][n]);
}

const struct workload published[] = {
    { "malloc-test", malloc_test, "one block of 512 bytes at a time" },
    { "threadtest", threadtest, "100 000 small objects, allocated and freed" },
    { "larson", larson, "tables of blocks, left to new threads" },
    { "xmalloc", xmalloc, "half allocate, the others free" },
    { "cache-scratch", cache_scratch, "passive false sharing" },
    { "cache-thrash", cache_thrash, "active false sharing" },
    { "sh6bench", sh6bench, "batches of a size, freed up or down" },
    { "sh8bench", sh8bench, "batches freed by other threads" },
    { "mstress", mstress, "powers of two, swapped; threads come and go" },
    { "rptest", rptest, "sizes to 16 000, part freed by a neighbour" },
    { NULL, NULL, NULL },
};
