/* threads.c -- random calls in many threads that hand blocks to each other.  The
 * threads end and others take over their tables, so blocks outlive threads; in
 * the pauses all live blocks of all threads are checked against each other. */
#include "model.h"

enum { NTHREADS = 6, NMAIL = 64, NSTEPS = 6000 };

static struct model models[NTHREADS];
static struct { pthread_mutex_t lock; struct block block; } mail[NMAIL];

/* Exchange a block, or none, for what another thread left. */
static void exchange(struct model *m)
{
    struct block *mine = &m->slot[draw_below(&m->state, MODEL_NSLOTS)];
    size_t k = draw_below(&m->state, NMAIL);

    pthread_mutex_lock(&mail[k].lock);
    struct block theirs = mail[k].block;
    mail[k].block = *mine;
    pthread_mutex_unlock(&mail[k].lock);
    m->total += theirs.size - mine->size;
    *mine = theirs;
    if (mine->p != NULL)
        model_check_bytes(mine, mine->p, mine->size);
}

static void *thread(void *argument)
{
    struct model *m = argument;
    for (int i = 0; i < NSTEPS; i++) {
        model_step(m);
        if (i % 4 == 0)
            exchange(m);
    }
    return NULL;
}

int main(void)
{
    uint64_t first_seed = seed();
    double end = deadline();
    size_t nsteps = 0, nthreads = 0;

    printf("seed %llu\n", (unsigned long long)first_seed);
    fflush(stdout);
    for (int k = 0; k < NMAIL; k++)
        pthread_mutex_init(&mail[k].lock, NULL);
    for (int i = 0; i < NTHREADS; i++)
        models[i].state = first_seed + (uint64_t)i;

    do {
        pthread_t threads[NTHREADS];
        for (int i = 0; i < NTHREADS; i++)
            threads[i] = start(thread, &models[i]);
        for (int i = 0; i < NTHREADS; i++)
            pthread_join(threads[i], NULL);
        nthreads += NTHREADS;
        model_check_overlap(models, NTHREADS);
    } while (now() < end);

    for (int k = 0; k < NMAIL; k++)
        if (mail[k].block.p != NULL) {
            models[0].total += mail[k].block.size;
            model_free(&models[0], &mail[k].block);
        }
    for (int i = 0; i < NTHREADS; i++) {
        model_check(&models[i]);
        model_free_all(&models[i]);
        nsteps += models[i].nsteps;
    }
    printf("threads: %zu calls in %zu threads, seed %llu\n", nsteps, nthreads,
           (unsigned long long)first_seed);
    return 0;
}
