/* burst.c -- a burst of 1 GiB (quick: 256 MiB) in blocks of all kinds is freed; while
 * the program goes on with a little work, resident memory comes back, within three
 * decay times: what lay in depots becomes free pages first, and those decay from then.
 *
 * Demanded for steady work.  For mixed work it is measured: there decay is asked at
 * moments with more and with fewer free pages, takes each return for newly freed pages,
 * and may keep old ones for as long as that goes on (an exercise of the chapter on
 * decay says why). */
/* link: preload */
/* env: LITMALLOC_CONF=decay_ms:2000 */
#include "stress.h"

enum { DECAY_MS = 2000 };

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

/* One block at a time: decay is asked at the same point of each pair. */
static void steady(uint64_t *state)
{
    for (int i = 0; i < 200; i++)
        free(launder(malloc(48 * KiB + draw_below(state, 64 * KiB))));
}

/* Many live blocks that come and go. */
static void mixed(uint64_t *state)
{
    churn(draw(state), 200, 256 * KiB);
}

/* A burst, then work until memory is back or `patience` decay times are over; how much
 * of it is still resident then, in per cent. */
static int stays(uint64_t *state, size_t total, void (*work)(uint64_t *), int patience)
{
    size_t before = resident_bytes(), peak;
    struct block *all = burst(state, total);
    double end = now();

    peak = resident_bytes();
    demand(peak >= total);
    free_all(all);
    while (now() < end + patience * DECAY_MS * 1e-3 && resident_bytes() > before + total / 20) {
        work(state);
        usleep(5000);
    }
    return (int)(resident_bytes() > before ? 100 * (resident_bytes() - before) / (peak - before) : 0);
}

int main(void)
{
    uint64_t first_seed = seed(), state = first_seed;
    size_t total = (size_t)rounds(256, 1024) * MiB;
    if (SANITIZED)
        skip("a sanitizer has memory of its own");
    int of_steady = stays(&state, total, steady, 3);
    malloc_trim(0);
    int of_mixed = stays(&state, total, mixed, 3);
    malloc_trim(0);
    if (of_steady > 10)
        fail("%d %% of a burst stay beyond three decay times", of_steady);
    printf("burst: %zu MiB; %d %% stay beside steady work, %d %% beside mixed work, seed %llu\n",
           total / MiB, of_steady, of_mixed, (unsigned long long)first_seed);
    return 0;
}
