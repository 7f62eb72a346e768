/* producer_consumer.c -- one side only allocates, the other only frees: the
 * freed blocks must come back to the producers, or memory grows for ever. */
#include "stress.h"

enum { NPAIRS = 2, DEPTH = 1024, MOST = 16 << 10 };

struct block { size_t size; unsigned char tag; };

/* A ring with one writer and one reader. */
struct ring {
    _Atomic(struct block *) slot[DEPTH];
    atomic_ulong npassed;
    uint64_t seed;
};

static struct ring rings[NPAIRS];
static atomic_bool stop;

static void *producer(void *argument)
{
    struct ring *ring = argument;
    uint64_t state = ring->seed;
    for (size_t i = 0; !stop;) {
        if (ring->slot[i % DEPTH] != NULL) {
            sched_yield();
            continue;
        }
        size_t size = sizeof(struct block) + draw_size(&state, MOST);
        struct block *b = malloc(size);
        demand(b != NULL);
        *b = (struct block){ size, (unsigned char)draw(&state) };
        ((unsigned char *)b)[size - 1] = b->tag;
        ring->slot[i++ % DEPTH] = b;
    }
    return NULL;
}

static void *consumer(void *argument)
{
    struct ring *ring = argument;
    for (size_t i = 0; !stop;) {
        struct block *b = atomic_exchange(&ring->slot[i % DEPTH], NULL);
        if (b == NULL) {
            sched_yield();
            continue;
        }
        demand(((unsigned char *)b)[b->size - 1] == b->tag);
        free(b);
        ring->npassed++;
        i++;
    }
    return NULL;
}

static unsigned long npassed(void)
{
    unsigned long n = 0;
    for (int i = 0; i < NPAIRS; i++)
        n += rings[i].npassed;
    return n;
}

int main(void)
{
    pthread_t threads[2 * NPAIRS];
    uint64_t first_seed = seed();
    double end = deadline(), begin = now();
    size_t early = 0, late = 0;

    for (int i = 0; i < NPAIRS; i++) {
        rings[i].seed = first_seed + (uint64_t)i;
        threads[2 * i] = start(producer, &rings[i]);
        threads[2 * i + 1] = start(consumer, &rings[i]);
    }
    /* On a slow machine until there is something to judge. */
    while (now() < end || npassed() <= 10 * DEPTH) {
        usleep(50000);
        late = resident_bytes();
        if (now() < begin + (end - begin) / 3)
            early = late > early ? late : early;
    }
    stop = true;
    for (int i = 0; i < 2 * NPAIRS; i++)
        pthread_join(threads[i], NULL);
    if (late > early * 3 / 2 + 16 * MiB)
        fail("%zu KiB resident in the first third, %zu at the end", early / KiB, late / KiB);
    printf("producer_consumer: %lu blocks, %zu KiB resident, seed %llu\n", npassed(), late / KiB,
           (unsigned long long)first_seed);
    return 0;
}
