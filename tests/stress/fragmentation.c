/* fragmentation.c -- the largest resident memory over the largest live memory, for two
 * programs that are hard on an allocator.  Shift: sizes drift upward, as in a server
 * whose records grow from release to release, so that what is freed is always a little
 * too small for what comes.  Comb: of each generation of small blocks one in eight
 * stays, and holds its neighbourhood.  The factor is held to MOST_TIMES.
 *
 * FRAGMENTATION_TABLE=1 (make trust-fragmentation) prints the numbers for any malloc
 * and demands nothing. */
/* link: preload */
/* env: LITMALLOC_CONF=decay_ms:1000 */
#include "stress.h"
#include <sys/mman.h>

enum { NSLOTS = 40000, NEPOCHS = 40, NTEETH = 60000, MOST_TIMES = 4 };

static struct { unsigned char *p; size_t n; } slot[NSLOTS];
static void *tooth[NTEETH];
static size_t live, resident_first;

/* What a shape came to; shared with its process. */
struct outcome { size_t live, resident; };
static struct outcome *peak;

static void put(size_t k, size_t n)
{
    free(slot[k].p);
    live -= slot[k].n;
    slot[k].n = n;
    slot[k].p = n == 0 ? NULL : malloc(n);
    if (n > 0) {
        demand(slot[k].p != NULL);
        memset(slot[k].p, 1, n);
    }
    live += n;
    peak->live = live > peak->live ? live : peak->live;
}

static void note(void)
{
    size_t resident = resident_bytes() - resident_first;
    peak->resident = resident > peak->resident ? resident : peak->resident;
}

/* Live bytes stay as they are: as the sizes grow by a tenth an epoch, slots empty. */
static void shift(uint64_t *state)
{
    const size_t target = 64 * MiB;
    double mean = 48;
    for (int epoch = 0; epoch < NEPOCHS; epoch++, mean *= 1.1)
        for (int i = 0; i < NSLOTS; i++) {
            size_t n = (size_t)(mean * (0.5 + (double)(draw(state) % 1000) / 1000)) + 1;
            size_t k = draw_below(state, NSLOTS);
            put(k, n * 24 > 128 * KiB ? n : n * (1 + draw_below(state, 24)));
            while (live > target)
                put(draw_below(state, NSLOTS), 0);
            if (i % 4096 == 0)
                note();
        }
}

/* Eight generations; an eighth of each survives, spread evenly. */
static void comb(uint64_t *state)
{
    for (int generation = 0; generation < 8; generation++) {
        size_t n = 32 + 48 * (size_t)generation;
        for (int i = 0; i < NTEETH; i++) {
            tooth[i] = malloc(n);
            demand(tooth[i] != NULL);
            memset(tooth[i], 2, n);
            live += n;
        }
        peak->live = live > peak->live ? live : peak->live;
        note();
        size_t stays = draw_below(state, 8);
        for (size_t i = 0; i < NTEETH; i++)
            if (i % 8 != stays) {
                free(tooth[i]);
                live -= n;
            }
    }
}

/* Run a shape in a process of its own; resident over live. */
static double factor(void (*shape)(uint64_t *), uint64_t state, struct outcome *outcome)
{
    peak = outcome;
    pid_t pid = fork();
    demand(pid >= 0);
    if (pid == 0) {
        resident_first = resident_bytes();
        shape(&state);
        _exit(0);
    }
    wait_for(pid, "a shape");
    return (double)outcome->resident / (double)outcome->live;
}

int main(void)
{
    uint64_t first_seed = seed();
    if (SANITIZED)
        skip("a sanitizer has memory of its own");
    memset(slot, 1, sizeof slot);       /* so that the tables are not counted */
    memset(slot, 0, sizeof slot);
    memset(tooth, 0, sizeof tooth);
    free(launder(malloc(100)));
    struct outcome *of = mmap(NULL, 2 * sizeof *of, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    demand(of != MAP_FAILED);
    double of_shift = factor(shift, first_seed, &of[0]), of_comb = factor(comb, first_seed, &of[1]);

    if (getenv("FRAGMENTATION_TABLE") != NULL) {
        printf("live=%zu resident=%zu shift=%.2f comb_live=%zu comb_resident=%zu comb=%.2f\n",
               of[0].live / KiB, of[0].resident / KiB, of_shift, of[1].live / KiB,
               of[1].resident / KiB, of_comb);
        return 0;
    }
    if (of_shift > MOST_TIMES || of_comb > MOST_TIMES)
        fail("resident over live: %.2f while sizes shift, %.2f in the comb", of_shift, of_comb);
    printf("fragmentation: %d epochs, resident over live %.2f and %.2f, seed %llu\n", NEPOCHS,
           of_shift, of_comb, (unsigned long long)first_seed);
    return 0;
}
