/* prove: decay
 * property: the allowance is the exact sum of rise times curve, cut to whole pages
 * room: decay
 * method: enumeration
 * bound: every history of 5 questions from 6 moves of the clock and 5 counts of pages
 * control: decay.c | s/s = d->step \+ 1; s <= now/s = d->step + 2; s <= now/ | one entry of the ring keeps its old pages
 * control: decay.h | s/15 \* 64/16 * 64/ | a wrong coefficient
 * control: decay.c | s/if \(now > d->step\)/if (now != d->step)/ | the step follows a clock that goes back */

#include "decay.c"

#include "prove.h"

__extension__ typedef __int128 wide;

/* The curve as it is printed in the chapter, 1 - (6x^5 - 15x^4 + 10x^3) at x = a/64,
 * as a fraction over 64^5. */
static const wide unit = (wide)1 << 30;

static wide power(wide a, int n)
{
    return n == 0 ? 1 : a * power(a, n - 1);
}

static wide curve(wide a)
{
    if (a >= 64)
        return 0;
    return power(64, 5) - 6 * power(a, 5) + 15 * 64 * power(a, 4) - 10 * 64 * 64 * power(a, 3);
}

enum { DEPTH = IS_QUICK ? 4 : 5, MOVES = 6, COUNTS = 5 };
static const int64_t moves[MOVES] = { 0, 1, 32, 63, 65, -2 };
static const size_t counts[COUNTS] = { 0, 1, 2, 65, 1000000 };

/* The history: at what step the count rose, and by how much. */
static struct { uint64_t step; size_t rise; } history[DEPTH];
static uint64_t cases;

static size_t exact(unsigned n, uint64_t step)
{
    wide sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += (wide)history[i].rise * curve((wide)(step - history[i].step));
    return (size_t)(sum / unit);
}

/* n pages were taken again: the newest rises that still count lose as many. */
static void forget_newest(unsigned nevents, uint64_t step, size_t n)
{
    for (unsigned i = nevents; i-- > 0 && step - history[i].step < DECAY_STEPS;) {
        size_t m = n < history[i].rise ? n : history[i].rise;
        history[i].rise -= m;
        n -= m;
    }
}

/* Ask once more, in every way.  `newest` is the latest step anyone has seen. */
static void ask(const struct decay *before, unsigned n, uint64_t clock, uint64_t newest,
                size_t last, size_t allowed_before)
{
    if (n == DEPTH)
        return;
    for (int m = 0; m < MOVES; m++) {
        if (moves[m] < 0 && clock < (uint64_t)-moves[m])
            continue;
        uint64_t now = clock + (uint64_t)moves[m];
        uint64_t step = now > newest ? now : newest;
        for (int k = 0; k < COUNTS; k++) {
            struct decay d = *before;
            size_t rise = counts[k] > last ? counts[k] - last : 0;
            size_t fall = counts[k] < last ? last - counts[k] : 0;
            size_t kept[DEPTH];
            for (unsigned i = 0; i < n; i++)
                kept[i] = history[i].rise;
            history[n].step = step;
            history[n].rise = rise;
            forget_newest(n, step, fall);
            size_t allowed = decay_allowed(&d, now * 156 + 155, counts[k]);
            if (allowed != exact(n + 1, step))
                violated("%zu pages allowed, not %zu, after %u questions", allowed,
                         exact(n + 1, step), n + 1);
            hold(d.step == step);                                       /* D1 */
            if (step == newest && fall == 0)
                hold(allowed == allowed_before + rise);                 /* D3 */
            if (rise == 0)
                hold(allowed <= allowed_before);                        /* D4 */
            cases++;
            ask(&d, n + 1, now, step, counts[k], allowed);
            for (unsigned i = 0; i < n; i++)
                history[i].rise = kept[i];
        }
    }
}

int main(void)
{
    struct decay d;

    for (uint64_t a = 0; a <= 10 * DECAY_STEPS; a++, cases++)
        if ((wide)decay_weight(a) != curve((wide)a))
            violated("the weight of age %" PRIu64, a);
    hold(decay_weight(UINT64_MAX) == 0);
    for (uint64_t start = 0; start <= 100; start += 100) {
        decay_start(&d, 10000, start * 156);
        ask(&d, 0, start, start, 0, 0);
    }
    printf("cases %" PRIu64 "\n", cases);
    return 0;
}
