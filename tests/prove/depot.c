/* prove: depot
 * property: a region is in one place only, whoever takes, returns, parks, unparks and settles
 * room: bin
 * method: interleavings, real code
 * bound: 2 threads that take and return once each and 1 that settles; 2 runs of 2 regions
 * geometry: bits.h | s/PAGE_SHIFT = 14, CHUNK_SHIFT = 22/PAGE_SHIFT = 14, CHUNK_SHIFT = 18/
 * control: bin.c | /^bool bin_unpark/,$s/^    mutex_lock\(&b->lock\);/    point("no lock");/;/^struct magazine \*bin_settle/,$s/point\("no lock"\)/mutex_lock(\&b->lock)/ | bin_unpark takes no lock
 * control: bin.c | s/if \(r == b->current\)/if (0)/ | the current run may leave
 * control: bin.c | s/set_depot\(b, m->next\);/set_depot(b, m->next ? m->next : m);/ | the last magazine stays in the depot
 * control: bin.c | s/b->empty = b->empty->next;/;/ | an empty magazine is given to two */

#include "bits.h"
#include "interleave.h"
#include "mutex.h"

/* A lock that is taken sleeps until it is free; taking and letting go are points. */
static void lock_point(struct mutex *m)
{
    sleep_while("lock", (volatile uint32_t *)&m->word);
    hold(*(volatile uint32_t *)&m->word == 0);
    *(volatile uint32_t *)&m->word = 1;
}

static void unlock_point(struct mutex *m)
{
    *(volatile uint32_t *)&m->word = 0;
    point("unlock");
}

#define mutex_lock(m) lock_point(m)
#define mutex_unlock(m) unlock_point(m)
#define __atomic_load_n(p, o) (point("load"), __atomic_load_n(p, o))
#define __atomic_store_n(p, v, o) (point("store"), __atomic_store_n(p, v, o))

#include "bin.c"
#include "sizeclass.c"

/* The page map's bytes are written under no lock; here they are plain. */
#undef __atomic_load_n
#undef __atomic_store_n
#include "run.c"

enum { CLASS = 43, NRUNS = 2, BASE = 2 * CHUNK };

static uint8_t map[3 * CHUNK_PAGES];
static struct chunk chunk = { .address = BASE, .arena = (struct arena *)BASE };    /* not asked */
static struct chunk *chunks[3] = { NULL, NULL, &chunk };
uint8_t *pagemap_classes = map;
uintptr_t pagemap_npages = 3 * CHUNK_PAGES;
struct chunk **pagemap_chunks = chunks;
static struct bin bin;
struct options options;                 /* all off: the lowest region, no dice */
uint64_t pages_random(void) { return 0; }

void mutex_start(struct mutex *m, enum rank rank) { m->rank = rank; }
void pagemap_set(uintptr_t address, size_t npages, unsigned c)
{
    memset(map + address / PAGE, (int)c, npages);
}

_Noreturn void report_die(const char *format, ...)
{
    violated("the room said: %s", format);
}

/* ---- who has what --------------------------------------------------------------------- */

static uint8_t owner[NRUNS][2];         /* 0: nobody */

static uint8_t *owner_of(void *region)
{
    uintptr_t offset = (uintptr_t)region - BASE;
    size_t npages = sizeclasses[CLASS].npages, size = sizeclasses[CLASS].size;

    hold(offset / (npages * PAGE) < NRUNS && offset % (npages * PAGE) % size == 0);
    return &owner[offset / (npages * PAGE)][offset % (npages * PAGE) / size];
}

static void own(void *region)
{
    hold(*owner_of(region) == 0);
    *owner_of(region) = (uint8_t)(current_ + 1);
}

static void disown(void *region)
{
    hold(*owner_of(region) == current_ + 1);
    *owner_of(region) = 0;
}

static void add_run(unsigned i)
{
    struct run *r = &chunk.runs[i * sizeclasses[CLASS].npages];

    r->chunk = &chunk;
    r->first = (uint16_t)(r - chunk.runs);
    r->npages = sizeclasses[CLASS].npages;
    r->state = RUN_SMALL;
    r[r->npages - 1].first = r->first;
    run_cut(r, CLASS);
    bin_add(&bin, r);
}

/* Bring regions home; a run that leaves must have nothing out, and comes back new. */
static void bring_home(void *const *regions, unsigned n)
{
    struct run *r = bin_put(&bin, regions, n, "free"), *next;

    for (; r != NULL; r = next) {
        next = (struct run *)r->node.next;
        for (unsigned i = 0; i < 2; i++)
            hold(*owner_of((void *)(run_address(r) + i * sizeclasses[CLASS].size)) == 0);
        run_uncut(r);
        r->state = RUN_LARGE;
        add_run(r->first / sizeclasses[CLASS].npages);
    }
}

/* ---- the threads ---------------------------------------------------------------------- */

static struct { struct magazine m; void *one; } store[3];
static uint8_t store_used[3];

static struct magazine *new_magazine(void)
{
    for (int i = 0; i < 3; i++)
        if (!store_used[i]) {
            store_used[i] = 1;
            return &store[i].m;
        }
    return NULL;
}

static void free_magazine(struct magazine *m)
{
    for (int i = 0; i < 3; i++)
        if (m == &store[i].m) {
            hold(store_used[i]);
            store_used[i] = 0;
            memset(&store[i], 0, sizeof store[i]);
            return;
        }
    violated("no magazine of ours");
}

static struct magazine *spare[3];       /* what each thread has in hand */

/* Take as a refill does: a magazine if there is one, else from the runs. */
static unsigned take(void **out)
{
    unsigned n;

    if (bin_unpark(&bin, &spare[current_])) {
        out[0] = spare[current_]->regions[0];
        n = spare[current_]->nregions;
    } else {
        n = bin_take(&bin, 2, out + 2);
        if (n == 1)
            out[0] = out[1];
    }
    for (unsigned i = 0; i < n; i++)
        own(out[i]);
    return n;
}

/* Give back as a flush does: parked, or home. */
static void give(void *region)
{
    struct magazine **m = &spare[current_];

    disown(region);
    if (choose("park or bring home", 2) == 0
        && (*m != NULL || (*m = new_magazine()) != NULL)) {
        (*m)->nregions = 1;
        (*m)->regions[0] = region;
        if (bin_park(&bin, m))
            return;
    }
    bring_home(&region, 1);
}

static void user(int times)
{
    while (times-- > 0) {
        void *regions[2] = { NULL, NULL };
        unsigned n = take(regions);
        for (unsigned i = 0; i < n; i++)
            give(regions[i]);
    }
}

static void settler(int unused)
{
    (void)unused;
    struct magazine *m = bin_settle(&bin, choose("some or all", 2)), *next;

    for (; m != NULL; m = next) {
        void *region = m->regions[0];
        unsigned n = m->nregions;
        next = m->next;
        free_magazine(m);
        if (n > 0)
            bring_home(&region, n);
    }
}

static void check(void) {}

static void end(void)
{
    unsigned nparked = 0;

    for (struct magazine *m = bin.depot, *next; m != NULL; m = next) {
        next = m->next;
        nparked += m->nregions;
        own(m->regions[0]);             /* twice in the depot is seen here */
        free_magazine(m);               /* and so is a magazine in two places */
    }
    for (struct magazine *m = bin.empty, *next; m != NULL; m = next) {
        next = m->next;
        free_magazine(m);
    }
    for (int i = 0; i < 3; i++)
        if (spare[i] != NULL)
            free_magazine(spare[i]);
    for (int i = 0; i < 3; i++)
        hold(!store_used[i]);
    hold(bin.nparked == nparked && bin.ntaken == nparked);
    hold(*(volatile uint32_t *)&bin.lock.word == 0);
    hold(bin_check(&bin));
}

/* One region lies in the depot from the start. */
static void park_one(void)
{
    void *one;

    hold(run_take(chunk.runs, 1, &one + 1) == 1);
    bin.depot = new_magazine();
    bin.depot->nregions = 1;
    bin.depot->regions[0] = one;
    bin.nmagazines = 1;
    bin.ntaken = bin.nparked = 1;
}

int main(void)
{
    bin_start(&bin, CLASS);
    for (unsigned i = 0; i < NRUNS; i++) {
        struct run *r = &chunk.runs[i * sizeclasses[CLASS].npages];
        r->chunk = &chunk;
        r->first = (uint16_t)(r - chunk.runs);
        r->npages = sizeclasses[CLASS].npages;
        r->state = RUN_SMALL;
        r[r->npages - 1].first = r->first;
        run_cut(r, CLASS);
        bin.nruns++;
        wait_in_line(&bin, r);
    }
    bin.empty = new_magazine();         /* of two that park, one gets it */
    begin(user, 1);
    if (IS_QUICK)
        park_one();         /* one thread less, so something to meet over */
    else
        begin(user, 1);
    begin(settler, 0);
    explore(check, end);
    return 0;
}
