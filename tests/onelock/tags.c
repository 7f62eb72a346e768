/* tags.c -- random calls against a table of what is live, as tests/model/random.c,
 * with the one-lock allocator's own check of its heap after each round.
 *
 * At the end everything is freed: then no byte may be live beyond what the C
 * library held at the start. */
/* link: linked */
#include "model/model.h"
#include "onelock/onelock.h"

static struct model model;

static void check(uint64_t first_seed)
{
    if (!onelock_check()) {
        printf("failed: the heap is damaged, seed %llu\n", (unsigned long long)first_seed);
        exit(1);
    }
}

static void add(void *sum, const void *piece, size_t size, bool live)
{
    (void)piece;
    if (live)
        *(size_t *)sum += size;
}

int main(void)
{
    uint64_t first_seed = seed();
    double end = deadline();
    struct onelock_counts before, after;
    size_t walked = 0;

    printf("seed %llu\n", (unsigned long long)first_seed);
    fflush(stdout);
    model.state = first_seed;
    onelock_count(&before);
    for (int round = 1; now() < end; round++) {
        for (int i = 0; i < 500; i++)
            model_step(&model);
        check(first_seed);
        model_check_overlap(&model, 1);
        if (round % 8 == 0)
            model_check(&model);
        if (round % 32 == 0)
            model_free_all(&model);
    }
    model_free_all(&model);
    check(first_seed);
    onelock_count(&after);
    onelock_walk(add, &walked);
    printf("tags: %zu calls; live %zu before, %zu after, %zu by the walk, held %zu\n",
           model.nsteps, before.live, after.live, walked, after.held);
    if (after.live != before.live || walked != after.live || after.held > 2 << 20) {
        printf("failed: memory is lost, seed %llu\n", (unsigned long long)first_seed);
        return 1;
    }
    return 0;
}
