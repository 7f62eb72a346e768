/* sampled_rate.c -- whoever asks, and however often it frees at once: one block in so many
 * is sampled.  Seen from outside: malloc_usable_size is the size asked for, odd as it is. */
/* env: LITMALLOC_CONF=sample:100 */
#include "model.h"

enum { NCALLS = 400000, RATE = 100 };

/* From 33: not a size of any class. */
static bool is_sampled(void *p, size_t n)
{
    return malloc_usable_size(p) == n;
}

static size_t pairs(size_t n)
{
    size_t sampled = 0;

    for (int i = 0; i < NCALLS; i++) {
        void *p = launder(malloc(n));
        sampled += is_sampled(p, n);
        free(p);
    }
    return sampled;
}

static size_t zeroed_pairs(size_t n)
{
    size_t sampled = 0;

    for (int i = 0; i < NCALLS; i++) {
        char *p = launder(calloc(1, n));
        demand(p[0] == 0 && p[n - 1] == 0);
        sampled += is_sampled(p, n);
        free(p);
    }
    return sampled;
}

/* A thousand at a time, freed in the order in which they came. */
static size_t batches(size_t n)
{
    static void *blocks[1000];
    size_t sampled = 0;

    for (int i = 0; i < NCALLS / 1000; i++) {
        for (int k = 0; k < 1000; k++)
            sampled += is_sampled(blocks[k] = launder(malloc(n)), n);
        for (int k = 0; k < 1000; k++)
            free(blocks[k]);
    }
    return sampled;
}

/* The mean is 4 000 and the standard deviation 63; six of them either way. */
static void judge(const char *what, size_t n, size_t sampled)
{
    printf("%s of %zu bytes: %zu sampled\n", what, n, sampled);
    demand(sampled > NCALLS / RATE - 380 && sampled < NCALLS / RATE + 380);
}

static void *all(void *unused)
{
    static const size_t sizes[] = { 33, 600, 1023, 1025, 3000 };

    (void)unused;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        judge("pairs", sizes[i], pairs(sizes[i]));
        judge("zeroed pairs", sizes[i], zeroed_pairs(sizes[i]));
    }
    judge("batches", 33, batches(33));
    demand(pairs(5000) == 0);           /* larger than a page here */
    return NULL;
}

int main(void)
{
    if (SANITIZED)
        skip("malloc is the sanitizer's own");
    if (sysconf(_SC_PAGESIZE) != 4096)
        skip("the sizes are for pages of 4 KiB");
    all(NULL);
    pthread_join(start(all, NULL), NULL);
    return 0;
}
