/* burst.c -- a burst of 1 GiB (quick: 256 MiB) in blocks of all kinds is freed; while
 * the program goes on with a little work, resident memory comes back, within three
 * decay times: what lay in depots becomes free pages first, and those decay from then. */
/* link: preload */
/* env: LITMALLOC_CONF=decay_ms:4000 */
#include "stress.h"

enum { DECAY_MS = 4000 };

struct block { struct block *next; size_t n; };

/* Fill `total` bytes with small, large and huge blocks, all of each touched. */
static struct block *burst(uint64_t *state, size_t total)
{
    static const size_t most[] = { 512, 16 << 10, 1 << 20, 16 << 20 };
    struct block *head = NULL;
    for (size_t live = 0, kind = 0; live < total; kind++) {
        size_t quota = total / 64;      /* as many bytes of each kind */
        while (quota > 0 && live < total) {
            size_t n = sizeof *head + draw_size(state, most[kind % 4]);
            struct block *b = malloc(n);
            demand(b != NULL);
            memset(b, 0x77, n);
            *b = (struct block){ head, n };
            head = b;
            live += n;
            quota = quota > n ? quota - n : 0;
        }
    }
    return head;
}

static void free_all(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

int main(void)
{
    uint64_t first_seed = seed(), state = first_seed;
    size_t total = (size_t)rounds(256, 1024) * MiB, before = resident_bytes();
    int nbursts = rounds(1, 3);
    double slowest = 0;
    if (SANITIZED)
        skip("a sanitizer has memory of its own");

    for (int i = 0; i < nbursts; i++) {
        struct block *all = burst(&state, total);
        size_t peak = resident_bytes(), allowed = before + total / 20 + 16 * MiB;
        demand(peak >= total);
        free_all(all);
        double end = now(), took = 0;
        /* A program that goes on: its calls are what moves our clock.  Calls that
         * a thread's own cache answers do not count, so large blocks are among them. */
        for (;;) {
            churn(draw(&state), 200, 256 * KiB);
            usleep(5000);
            took = now() - end;
            if (resident_bytes() < allowed)
                break;
            if (took > 3e-3 * DECAY_MS)
                fail("%.1f s after the burst %zu of %zu MiB are still resident", took,
                     resident_bytes() / MiB, peak / MiB);
        }
        slowest = took > slowest ? took : slowest;
    }
    printf("burst: %zu MiB, %d times, back after %.1f s at most (decay_ms:%d), seed %llu\n",
           total / MiB, nbursts, slowest, DECAY_MS, (unsigned long long)first_seed);
    return 0;
}
