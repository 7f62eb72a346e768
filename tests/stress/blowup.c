/* blowup.c -- one thread allocates a batch, another frees it, round after round, in
 * three shapes: always the same pair; the two swap roles; and each round a new thread
 * produces.  What is live is known, so resident memory is held to FACTOR times that:
 * no schedule may make it grow with the number of rounds (Berger's blow-up, 2000). */
#include "stress.h"

enum { NBLOCKS = 200, MOST = 4 << 10, NSHAPES = 3, FACTOR = 4 };

/* Beyond the factor: text, stacks of threads, a chunk for each arena. */
static const size_t allowance = 24 * MiB;

struct batch { void *p[NBLOCKS]; size_t n[NBLOCKS]; uint64_t state; size_t live; };

static void *produce(void *argument)
{
    struct batch *b = argument;
    b->live = 0;
    for (int i = 0; i < NBLOCKS; i++) {
        b->n[i] = draw_size(&b->state, MOST);
        b->p[i] = malloc(b->n[i]);
        demand(b->p[i] != NULL);
        tag_put(b->p[i], b->n[i], (unsigned char)i);
        b->live += b->n[i];
    }
    return NULL;
}

static void consume(struct batch *b)
{
    for (int i = 0; i < NBLOCKS; i++) {
        tag_check(b->p[i], b->n[i], (unsigned char)i);
        free(b->p[i]);
    }
}

/* Two threads that take turns; swap: each round the other one produces. */
static struct batch shared;
static pthread_barrier_t turn;
static int nrounds;
static bool swap;
static size_t peak_live, peak_resident;

static void note(const struct batch *b)
{
    size_t resident = resident_bytes();
    peak_live = b->live > peak_live ? b->live : peak_live;
    peak_resident = resident > peak_resident ? resident : peak_resident;
}

static void *partner(void *argument)
{
    bool second = argument != NULL;
    for (int i = 0; i < nrounds; i++) {
        bool produces = second == (swap && i % 2 == 1);
        if (produces)
            produce(&shared);
        pthread_barrier_wait(&turn);
        if (!produces) {
            if (i % 64 == 0)
                note(&shared);
            consume(&shared);
        }
        pthread_barrier_wait(&turn);
    }
    return NULL;
}

static void pair(bool swaps)
{
    pthread_t threads[2];
    swap = swaps;
    pthread_barrier_init(&turn, NULL, 2);
    for (uintptr_t i = 0; i < 2; i++)
        threads[i] = start(partner, (void *)i);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void ever_new_producers(void)
{
    for (int i = 0; i < nrounds; i++) {
        pthread_join(start(produce, &shared), NULL);
        if (i % 64 == 0)
            note(&shared);
        consume(&shared);
    }
}

int main(void)
{
    shared.state = seed();
    uint64_t first_seed = shared.state;
    nrounds = rounds(2000, 100000);
    for (int shape = 0; shape < NSHAPES; shape++) {
        size_t before = resident_bytes();
        peak_live = peak_resident = 0;
        if (shape < 2)
            pair(shape == 1);
        else
            ever_new_producers();
        if (peak_resident > before + FACTOR * peak_live + allowance)
            fail("shape %d: %zu KiB live at most, %zu KiB resident, %zu before", shape,
                 peak_live / KiB, peak_resident / KiB, before / KiB);
    }
    printf("blowup: %d rounds in each of %d shapes, %zu KiB resident at most, seed %llu\n", nrounds,
           NSHAPES, peak_resident / KiB, (unsigned long long)first_seed);
    return 0;
}
