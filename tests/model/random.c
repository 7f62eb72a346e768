/* random.c -- random calls in one thread, against a table of what is live. */
#include "model.h"

static struct model model;

int main(void)
{
    uint64_t first_seed = seed();
    double end = deadline();

    printf("seed %llu\n", (unsigned long long)first_seed);
    fflush(stdout);
    model.state = first_seed;
    for (int round = 1; now() < end; round++) {
        for (int i = 0; i < 5000; i++)
            model_step(&model);
        model_check_overlap(&model, 1);
        if (round % 8 == 0)
            model_check(&model);
        if (round % 32 == 0) {
            model_free_all(&model);
            malloc_trim(0);
        }
    }
    model_free_all(&model);
    printf("random: %zu calls, seed %llu\n", model.nsteps, (unsigned long long)first_seed);
    return 0;
}
