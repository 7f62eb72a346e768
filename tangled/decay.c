/* Tangled from src.nw/32-decay.nw; edit that, not this. */
/* decay.c -- how many pages may stay dirty now. */

#include "decay.h"

#include <string.h>

/* Start a record of decay.  [32-decay.nw: Starting] */
void decay_start(struct decay *d, int64_t decay_ms, uint64_t now_ms)
{
    memset(d, 0, sizeof *d);
    d->step_ms = decay_ms <= 0             ? decay_ms
                 : decay_ms <= DECAY_STEPS ? 1
                                           : decay_ms / DECAY_STEPS;
    d->step = d->step_ms > 0 ? now_ms / (uint64_t)d->step_ms : 0;
}

/* Go on to the step of now.  [32-decay.nw: Asking] */
/* Go on to step `now`; steps in which nothing was entered added nothing. */
static void advance(struct decay *d, uint64_t now)
{
    if (now >= d->step + DECAY_STEPS)
        memset(d->added, 0, sizeof d->added);
    else
        for (uint64_t s = d->step + 1; s <= now; s++)
            d->added[s % DECAY_STEPS] = 0;
    if (now > d->step)
        d->step = now;
}

/* Book a fall.  [32-decay.nw: Asking] */
/* n dirty pages were taken again: the newest entries lose as many. */
static void take_back(struct decay *d, size_t n)
{
    for (uint64_t age = 0; n > 0 && age < DECAY_STEPS && age <= d->step;
         age++) {
        uint32_t *added = &d->added[(d->step - age) % DECAY_STEPS];
        uint32_t m = n < *added ? (uint32_t)n : *added;
        *added -= m;
        n -= m;
    }
}

void decay_purged(struct decay *d, size_t n)
{
    d->ndirty -= n < d->ndirty ? n : d->ndirty;
}

/* Sum up what may be dirty.  [32-decay.nw: Asking] */
size_t decay_allowed(struct decay *d, uint64_t now_ms, size_t ndirty)
{
    uint64_t sum = 0;

    if (d->step_ms <= 0)
        return d->step_ms < 0 ? SIZE_MAX : 0;
    advance(d, now_ms / (uint64_t)d->step_ms);
    if (ndirty > d->ndirty)
        d->added[d->step % DECAY_STEPS] += (uint32_t)(ndirty - d->ndirty);
    else
        take_back(d, d->ndirty - ndirty);
    d->ndirty = ndirty;
    for (uint64_t age = 0; age < DECAY_STEPS && age <= d->step; age++)
        sum += d->added[(d->step - age) % DECAY_STEPS] * decay_weight(age);
    return sum / POW2(30);
}
