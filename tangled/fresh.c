/* Tangled from src.nw/32-fresh.nw; edit that, not this. */
/* fresh.c -- how pages that had no memory come to have it. */

#include "fresh.h"

#include "options.h"
#include "pages.h"

/* Ask whether a heap has grown up.  [32-fresh.nw: The decision] */
bool fresh_wants_huge(size_t nbytes)
{
    return options.thp_from >= 0 && nbytes >= (size_t)options.thp_from
           && pages_size == 4096;
}

/* Plan for new ground.  [32-fresh.nw: The decision] */
/* Pages from..end-1 and maybe more, none of which was ever used. */
static struct backing plan_new(struct frontier *f, size_t from, size_t end,
                             size_t nused, size_t ahead)
{
    size_t low = round_up(f->page, HUGE_PAGES);
    size_t high = round_up(end, HUGE_PAGES);
    size_t stop = from + ahead < CHUNK_PAGES ? from + ahead : CHUNK_PAGES;
    struct backing plan = { .first = (uint16_t)from };

    if (low < round_down(from, HUGE_PAGES))
        low = round_down(from, HUGE_PAGES);
    if (low < high && fresh_wants_huge(nused * PAGE)) {
        plan.first_huge = (uint16_t)low;
        plan.nhuge = (uint16_t)(high - low);
        stop = stop < low ? stop : low;
        end = high;
    }
    plan.npages = (uint16_t)(stop > from ? stop - from : 0);
    f->page = (uint16_t)(end > stop ? end : stop);
    return plan;
}

/* Plan for pages about to be used.  [32-fresh.nw: The decision] */
struct backing fresh_plan(struct frontier *f, size_t first, size_t npages,
                        size_t nused)
{
    size_t ahead = nused / 8 < AHEAD_MAX ? nused / 8 : AHEAD_MAX;
    size_t end = first + npages;
    struct backing plan = { 0 };

    if (end > f->page)
        return plan_new(f, first > f->page ? first : f->page, end, nused,
                        ahead);
    if (f->has_holes) {
        plan.first = (uint16_t)first;
        plan.npages = (uint16_t)(npages < ahead ? npages : ahead);
    }
    return plan;
}

/* Back what was planned.  [32-fresh.nw: The execution] */
void fresh_back(uintptr_t chunk, struct backing plan)
{
    if (plan.npages > 0)
        pages_populate((void *)(chunk + (size_t)plan.first * PAGE),
                       (size_t)plan.npages * PAGE);
    if (plan.nhuge > 0)
        pages_populate_huge((void *)(chunk + (size_t)plan.first_huge * PAGE),
                            (size_t)plan.nhuge * PAGE);
}
