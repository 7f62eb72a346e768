/* realloc_ladder.c -- threads grow and shrink blocks by small and large steps,
 * each handing its blocks to the next thread now and then; contents checked. */
#include "stress.h"

enum { NTHREADS = 4, NSHELF = 32, NOPS_LEAST = 30, MOST = 24 << 20 };

/* Where a thread leaves a block and takes another's. */
static struct shelf { pthread_mutex_t lock; uint32_t *p; size_t n; } shelf[NSHELF];
static double end;

/* Words of a block count up from its first; checked where they are dense. */
static void write_words(uint32_t *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i += i < 4096 ? 1 : 501)
        p[i] = (uint32_t)(i * 2654435761u);
}

static void check_words(const uint32_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += i < 4096 ? 1 : 501)
        if (p[i] != (uint32_t)(i * 2654435761u))
            fail("word %zu of %zu at %p is wrong", i, n, (const void *)p);
}

static void *thread(void *argument)
{
    uint64_t state = (uintptr_t)argument;
    uintptr_t nops = 0;
    for (; nops < NOPS_LEAST || now() < end; nops++) {
        struct shelf *s = &shelf[draw_below(&state, NSHELF)];
        pthread_mutex_lock(&s->lock);
        uint32_t *p = s->p;
        size_t n = s->n;
        s->p = NULL;
        s->n = 0;
        pthread_mutex_unlock(&s->lock);

        size_t to = draw(&state) % 2 == 0 ? draw_size(&state, MOST / 4) : n + n / 8 + 1;
        if (to > MOST / 4)
            to = 1;
        uint32_t *q = realloc(p, 4 * to);
        demand(q != NULL);
        check_words(q, n < to ? n : to);
        write_words(q, 0, to);

        pthread_mutex_lock(&s->lock);
        uint32_t *other = s->p;
        s->p = q;
        s->n = to;
        pthread_mutex_unlock(&s->lock);
        free(other);
    }
    return (void *)nops;
}

int main(void)
{
    pthread_t threads[NTHREADS];
    uint64_t first_seed = seed();
    uintptr_t total = 0;
    end = deadline();

    for (int i = 0; i < NSHELF; i++)
        pthread_mutex_init(&shelf[i].lock, NULL);
    for (uintptr_t i = 0; i < NTHREADS; i++)
        threads[i] = start(thread, (void *)(first_seed + i));
    for (int i = 0; i < NTHREADS; i++) {
        void *nops;
        pthread_join(threads[i], &nops);
        total += (uintptr_t)nops;
    }
    for (int i = 0; i < NSHELF; i++) {
        check_words(shelf[i].p, shelf[i].n);
        free(shelf[i].p);
    }
    printf("realloc_ladder: %zu reallocs, seed %llu\n", (size_t)total,
           (unsigned long long)first_seed);
    return 0;
}
