/* rings.c -- from which run to take: Evans' fullness rings of 2006 beside other rules.
 *
 *   make bench-rings        (tests/bench/rings.sh; writes figures/data/lineage-rings.csv)
 *
 *   rings WORKLOAD RULE CACHE SCALE [SEED [FILE]]   one line of CSV; FILE: pages over time
 *
 * WORKLOAD  tide descent drift bursts queue steady, or @FILE: what rings-log.c recorded
 * RULE      rings lowest strict fullest newest oldest touched.  rings: Evans' rings with
 *           his hysteresis; rings=: with that of the others, which is that the current run
 *           stays when it is empty.  With - at the end it goes; with + there is a spare, too
 * CACHE     0: each call goes to the runs, as in 2006; 1: through a thread's stack
 * SCALE     times the usual number of blocks; 10 000 to 100 000 at 1
 *
 * The runs, their bitmaps, the size classes and the page heap are the library's own;
 * only the choice of the run is done here.  One process is one experiment. */

#include "arena.h"
#include "pagemap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a sequence of calls ------------------------------------------------------------- */

struct event {
    uint32_t size;              /* 0: free */
    uint32_t id;                /* which block */
};

static struct event *events;
static size_t nevents, nroom;
static uint32_t nids;

static uint64_t seed = 20060416, state;     /* the date of the paper */
static int scale = 1;

static uint64_t random64(void)
{
    state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = state;
    z = (z ^ z / POW2(30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z / POW2(27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ z / POW2(31);
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(random64() % n);
}

static void die(const char *what)
{
    fprintf(stderr, "rings: %s\n", what);
    exit(2);
}

static void event(uint32_t size, uint32_t id)
{
    if (nevents == nroom) {
        nroom = nroom == 0 ? 1 << 16 : 2 * nroom;
        events = realloc(events, nroom * sizeof *events);
        if (events == NULL)
            die("no memory for the sequence");
    }
    events[nevents++] = (struct event){ size, id };
}

/* The blocks that live, in any order; the generators' own book. */
static uint32_t *live;
static size_t nlive;

static void born(uint32_t size)
{
    event(size, nids);
    live[nlive++] = nids++;
}

static void dies(size_t i)
{
    event(0, live[i]);
    live[i] = live[--nlive];
}

/* Sizes as programs ask for them: mostly small, each power of two half as likely. */
static uint32_t usual_size(void)
{
    unsigned k = 4;

    while (k < 11 && below(2) == 0)
        k++;
    return (1 << k) / 2 + 1 + below((1 << k) / 2);
}

/* One step toward `target` blocks, which mixes births and deaths. */
static void step(size_t target, uint32_t size)
{
    if (nlive == 0 || (nlive < target && below(4) != 0)
        || (nlive == target && below(2) == 0)
        || (nlive > target && below(4) == 0))
        born(size);
    else
        dies(below((uint32_t)nlive));
}

/* The number of blocks goes up and down five times. */
static void tide(void)
{
    for (int i = 0; i < 5 * 400000 * scale; i++) {
        int t = i / scale % 400000;
        step((size_t)scale * (10000 + (t < 200000 ? t : 400000 - t) * 2 / 5),
             usual_size());
    }
}

/* Up to 100 000 blocks, then slowly down to a tenth, under way all the time. */
static void descent(void)
{
    while (nlive < 100000 * (size_t)scale)
        born(usual_size());
    for (int i = 0; i < 1200000 * scale; i++)
        step((size_t)scale * (i / scale < 900000 ? 100000 - i / scale / 10
                                                 : 10000), usual_size());
}

/* As many blocks all the time, but ever larger ones. */
static void drift(void)
{
    for (int i = 0; i < 1600000 * scale; i++) {
        uint32_t mean = 32 + (uint32_t)(i / scale) / 2000;
        step(40000 * (size_t)scale, mean / 2 + below(mean));
    }
}

/* Requests that allocate much and free it at the end, but for a few blocks. */
static void bursts(void)
{
    for (int request = 0; request < 1500; request++) {
        size_t base = nlive;
        unsigned n = (unsigned)scale
                     * (200 + below(1200) * (request % 300 < 20 ? 20 : 1));
        while (n-- > 0)
            born(usual_size());
        while (nlive > base) {          /* all but one in fifty goes */
            if (below(50) == 0 && base < 20000 * (size_t)scale) {
                uint32_t keep = live[nlive - 1];
                live[nlive - 1] = live[base];
                live[base++] = keep;
            } else {
                dies(nlive - 1);
            }
        }
        while (nlive > 0 && below(20 * (uint32_t)scale) != 0)
            dies(below((uint32_t)nlive));
    }
}

/* First in, first out; the queue's length goes up and down. */
static void queue(void)
{
    uint32_t first = 0;

    for (int i = 0; i < 1600000 * scale; i++) {
        uint32_t t = (uint32_t)(i / scale) % 400000;
        uint32_t target = (uint32_t)scale
                          * (5000 + (t < 200000 ? t : 400000 - t) / 4);
        if (nids - first < target && below(3) != 0)
            event(usual_size(), nids++);
        else if (first < nids)
            event(0, first++);
    }
}

/* As many blocks, of the same sizes, all the time. */
static void steady(void)
{
    for (int i = 0; i < 1600000 * scale; i++)
        step(50000 * (size_t)scale, usual_size());
}

/* ---- a recorded sequence ---------------------------------------------------------------- */

struct record {
    uint64_t address;
    uint64_t size;              /* 0: free */
};

struct name {
    uint64_t address;           /* 0: none */
    uint32_t id;                /* 0: not live, else the block + 1 */
};

static void read_log(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct record r;
    size_t nslots = 1 << 22;
    struct name *names = calloc(nslots, sizeof *names);

    if (f == NULL || names == NULL)
        die("cannot read the recorded sequence");
    while (fread(&r, sizeof r, 1, f) == 1) {
        size_t i = (size_t)(r.address * UINT64_C(0x9E3779B97F4A7C15) / POW2(42));
        while (names[i].address != 0 && names[i].address != r.address)
            i = (i + 1) % nslots;
        names[i].address = r.address;
        if (r.size != 0 && names[i].id == 0) {
            names[i].id = nids + 1;
            event((uint32_t)(r.size < UINT32_MAX ? r.size : UINT32_MAX), nids++);
        } else if (r.size == 0 && names[i].id != 0) {
            event(0, names[i].id - 1);
            names[i].id = 0;
        }
    }
    fclose(f);
    free(names);
}

/* ---- the bins ----------------------------------------------------------------------------- */

/* In order of fullness; the ring a run is in, or the state of none. */
enum quartile { QINIT, Q0, Q25, Q50, Q75, Q100, NQUARTILES };

/* What the rings need of a run beyond its record; found through run->node. */
struct ring {
    struct heapnode *first, *last;
};

struct bin06 {
    struct run *current, *spare;
    struct heap waiting;
    struct ring line;                   /* the same by time: newest last */
    struct ring rings[NQUARTILES];
};

static enum { RINGS, LOWEST, STRICT, FULLEST, NEWEST, OLDEST, TOUCHED } rule;
static enum { GOES, QUARTER, STAYS, SPARE } hysteresis;
static struct bin06 bins[NSMALL];
static struct arena own;

static uint64_t nmoves, nmade, nleft;   /* in and out of lists; runs */
static size_t npages, npeak;            /* pages in runs, now and at most */

static struct run *get_run(unsigned c)
{
    struct run *r;
    bool zeroed;

    while ((r = pageheap_take(&own.pages, sizeclasses[c].npages, PAGE,
                              RUN_SMALL, &zeroed)) == NULL)
        if (!pageheap_grow(&own.pages))
            die("no memory");
    run_cut(r, c);
    nmade++;
    npages += r->npages;
    if (npages > npeak)
        npeak = npages;
    return r;
}

static void give_run(struct run *r)
{
    nleft++;
    npages -= r->npages;
    run_uncut(r);
    pageheap_put(&own.pages, r, RUN_SMALL);
}

/* ---- Evans 2006: rings by fullness ---------------------------------------------------------- */

static void ring_add(struct ring *g, struct heapnode *n)
{
    n->next = NULL;
    n->previous = g->last;
    if (g->last != NULL)
        g->last->next = n;
    else
        g->first = n;
    g->last = n;
    nmoves++;
}

static void ring_remove(struct ring *g, struct heapnode *n)
{
    if (n->previous != NULL)
        n->previous->next = n->next;
    else
        g->first = n->next;
    if (n->next != NULL)
        n->next->previous = n->previous;
    else
        g->last = n->previous;
    nmoves++;
}

/* The key of a run's node is idle under this rule; it says the quartile. */
static bool may_rise(enum quartile q, uint32_t used, uint32_t n)
{
    switch (q) {
    case QINIT: return 4 * used >= n;
    case Q0:    return 2 * used >= n;
    case Q25:   return 4 * used >= 3 * n;
    case Q50:
    case Q75:   return used == n;
    default:    return false;
    }
}

static bool may_fall(enum quartile q, uint32_t used, uint32_t n)
{
    switch (q) {
    case Q0:    return used == 0;
    case Q25:   return 4 * used <= n;
    case Q50:   return 2 * used <= n;
    case Q75:   return 4 * used <= 3 * n;
    case Q100:  return used < n;
    default:    return false;
    }
}

/* The current run is in no ring; it changes its state all the same. */
static void rise(struct bin06 *b, struct run *r, uint32_t n)
{
    while (may_rise((enum quartile)r->node.key, n - r->nfree, n))
        r->node.key = r->node.key >= Q50 ? Q100 : r->node.key + 1;
    if (r->node.key == Q100)
        b->current = NULL;
}

static void fall(struct bin06 *b, struct run *r, uint32_t n)
{
    enum quartile was = (enum quartile)r->node.key, q = was;

    while (q > QINIT && may_fall(q, n - r->nfree, n))
        q--;
    if (q == was)
        return;
    if (q == QINIT && r == b->current && hysteresis == STAYS) {
        r->node.key = QINIT;
        return;
    }
    if (r != b->current && was != Q100)
        ring_remove(&b->rings[was], &r->node);
    r->node.key = q;
    if (q == QINIT) {
        if (r == b->current)
            b->current = NULL;
        give_run(r);
    } else if (r != b->current) {
        ring_add(&b->rings[q], &r->node);
    }
}

static struct run *choose_ring(struct bin06 *b)
{
    static const enum quartile order[] = { Q50, Q25, Q0, Q75 };

    for (unsigned i = 0; i < 4; i++) {
        struct heapnode *n = b->rings[order[i]].first;
        if (n != NULL) {
            ring_remove(&b->rings[order[i]], n);
            return (struct run *)n;
        }
    }
    return NULL;
}

/* ---- the other rules: a line of runs with room, and perhaps one spare ------------------------ */

static bool by_key(void)
{
    return rule == LOWEST || rule == STRICT || rule == FULLEST;
}

static void line_add(struct bin06 *b, struct run *r)
{
    r->waiting = true;
    if (by_key()) {
        r->node.key = rule == FULLEST ? r->nfree * POW2(48) + run_address(r)
                                      : run_address(r);
        heap_put(&b->waiting, &r->node);
        nmoves++;
    } else {
        ring_add(&b->line, &r->node);
    }
}

static void line_remove(struct bin06 *b, struct run *r)
{
    r->waiting = false;
    if (by_key()) {
        heap_remove(&b->waiting, &r->node);
        nmoves++;
    } else {
        ring_remove(&b->line, &r->node);
    }
}

static struct run *choose_line(struct bin06 *b)
{
    struct heapnode *n = by_key() ? b->waiting.root
                         : rule == OLDEST ? b->line.first : b->line.last;
    struct run *r = (struct run *)n;

    if (r != NULL) {
        line_remove(b, r);
    } else if ((r = b->spare) != NULL) {
        b->spare = NULL;
    }
    return r;
}

static void gained(struct bin06 *b, struct run *r, uint32_t n)
{
    if (r == b->current) {
        if (r->nfree < n || hysteresis != GOES)
            return;
        b->current = NULL;
    }
    if (r->nfree < n) {
        if (r->waiting && (rule == FULLEST || rule == TOUCHED)) {
            line_remove(b, r);
            line_add(b, r);
        } else if (!r->waiting) {
            line_add(b, r);
        }
        return;
    }
    if (r->waiting)
        line_remove(b, r);
    if (hysteresis == SPARE && b->spare == NULL)
        b->spare = r;
    else
        give_run(r);
}

/* Strictly the lowest, every time: the current run gives way to a lower one. */
static void give_way(struct bin06 *b)
{
    struct heapnode *lowest = b->waiting.root;

    if (b->current != NULL && lowest != NULL
        && lowest->key < run_address(b->current)) {
        struct run *r = b->current;
        b->current = NULL;
        if (r->nfree > 0)
            line_add(b, r);
    }
}

/* ---- one region out, one home.  rings.sh counts the instructions of these two ----------------- */

__attribute__((noinline)) static void *take_one(unsigned c)
{
    struct bin06 *b = &bins[c];
    uint32_t n = sizeclasses[c].nregions;
    void *out[1];

    if (rule == STRICT)
        give_way(b);
    if (b->current == NULL || b->current->nfree == 0) {
        b->current = rule == RINGS ? choose_ring(b) : choose_line(b);
        if (b->current == NULL) {
            b->current = get_run(c);
            b->current->node.key = QINIT;
        }
    }
    run_take(b->current, 1, out + 1);
    if (rule == RINGS)
        rise(b, b->current, n);
    return out[0];
}

__attribute__((noinline)) static void put_back(void *p)
{
    struct run *r = run_of(pagemap_chunk(p), (uintptr_t)p);
    uint32_t n = sizeclasses[r->class].nregions, done;

    if (run_put(r, &p, 1, &done) != RUN_OK)
        die("a region came home that was not out");
    if (rule == RINGS)
        fall(&bins[r->class], r, n);
    else
        gained(&bins[r->class], r, n);
}

/* ---- a thread's stack in front ------------------------------------------------------------------ */

static bool cached;
static struct {
    unsigned n;
    void *regions[512];
} stacks[NSMALL];

static void *allocate(unsigned c)
{
    if (!cached)
        return take_one(c);
    if (stacks[c].n == 0)
        while (stacks[c].n < sizeclasses[c].nmagazine)
            stacks[c].regions[stacks[c].n++] = take_one(c);
    return stacks[c].regions[--stacks[c].n];
}

static void release(unsigned c, void *p)
{
    unsigned m = sizeclasses[c].nmagazine;

    if (!cached) {
        put_back(p);
        return;
    }
    if (stacks[c].n == sizeclasses[c].ncached) {
        for (unsigned i = 0; i < m; i++)        /* the older half goes */
            put_back(stacks[c].regions[i]);
        stacks[c].n -= m;
        memmove(stacks[c].regions, stacks[c].regions + m,
                stacks[c].n * sizeof(void *));
    }
    stacks[c].regions[stacks[c].n++] = p;
}

/* ---- the experiment -------------------------------------------------------------------------------- */

static size_t nlive_in[NSMALL], nideal;  /* pages, were all live regions packed */

static size_t ideal_of(unsigned c)
{
    unsigned n = sizeclasses[c].nregions;

    return (nlive_in[c] + n - 1) / n * sizeclasses[c].npages;
}

static void count(unsigned c, int by)
{
    nideal -= ideal_of(c);
    nlive_in[c] += (size_t)by;
    nideal += ideal_of(c);
}

/* 240 points of the curve of pages held. */
static void sample(FILE *f, size_t i)
{
    size_t every = nevents / 240 + 1;

    if (f != NULL && i % every == 0)
        fprintf(f, "%zu,%zu,%zu\n", i, nideal, npages);
}

static void run_all(const char *name, const char *rulename, FILE *curve)
{
    void **blocks = calloc(nids, sizeof *blocks);
    uint8_t *classes = calloc(nids, 1);
    double held = 0, wanted = 0;
    size_t done = 0, npeak_ideal = 0;

    if (blocks == NULL || classes == NULL)
        die("no memory for the blocks");
    for (size_t i = 0; i < nevents; i++) {
        uint32_t id = events[i].id;
        if (events[i].size > SMALL_MAX)
            continue;
        if (events[i].size != 0) {
            unsigned c = sizeclass_of(events[i].size);
            classes[id] = (uint8_t)c;
            blocks[id] = allocate(c);
            count(c, 1);
        } else if (blocks[id] != NULL) {
            count(classes[id], -1);
            release(classes[id], blocks[id]);
            blocks[id] = NULL;
        }
        if (nideal > npeak_ideal)
            npeak_ideal = nideal;
        held += (double)npages;
        wanted += (double)nideal;
        done++;
        sample(curve, i);
    }
    printf("%s,%s,%d,%zu,%zu,%zu,%.1f,%zu,%zu,%.1f,%" PRIu64 ",%" PRIu64
           ",%.1f,%zu\n", name, rulename, cached, done, npeak_ideal, npeak,
           100.0 * (held / wanted - 1), nideal, npages,
           nideal == 0 ? 0.0 : 100.0 * ((double)npages / (double)nideal - 1),
           nmade, nleft, 1000.0 * (double)nmoves / (double)done, own.pages.npages);
    free(blocks);
    free(classes);
}

static const char *const rules[] = { "rings", "lowest", "strict", "fullest",
                                     "newest", "oldest", "touched" };
static const struct {
    const char *name;
    void (*make)(void);
} all[] = { { "tide", tide }, { "descent", descent }, { "drift", drift },
            { "bursts", bursts }, { "queue", queue }, { "steady", steady } };

enum { NRULES = 7, NALL = 6 };

/* Which rule an argument names, and what becomes of empty runs under it. */
static void choose_rule(const char *arg)
{
    size_t length = strcspn(arg, "-=+");
    unsigned r = 0;

    while (r < NRULES && (strlen(rules[r]) != length
                          || strncmp(rules[r], arg, length) != 0))
        r++;
    if (r == NRULES || (arg[length] != '\0' && arg[length + 1] != '\0'))
        die("there is no such rule");
    rule = r;
    hysteresis = arg[length] == '-' ? GOES : arg[length] == '+' ? SPARE
                 : rule == RINGS && arg[length] == '\0' ? QUARTER : STAYS;
    if (rule == RINGS && (hysteresis == GOES || hysteresis == SPARE))
        die("rings go with their own hysteresis, or with =");
}

int main(int argc, char **argv)
{
    unsigned w = 0;

    if (argc < 5)
        die("usage: rings WORKLOAD RULE CACHE SCALE [SEED]");
    choose_rule(argv[2]);
    while (w < NALL && strcmp(all[w].name, argv[1]) != 0)
        w++;
    if (w == NALL && argv[1][0] != '@')
        die("there is no such workload");
    cached = argv[3][0] == '1';
    scale = atoi(argv[4]);
    if (scale < 1 || scale > 20)
        die("the scale is 1 to 20");
    if (argc > 5)
        seed = strtoull(argv[5], NULL, 0);
    state = seed;
    live = malloc((size_t)scale * 4 * 400000);
    if (live == NULL)
        die("no memory");
    if (w < NALL)
        all[w].make();
    else
        read_log(argv[1] + 1);
    pageheap_start(&own.pages, &own);
    const char *slash = strrchr(argv[1], '/');
    FILE *curve = argc > 6 ? fopen(argv[6], "w") : NULL;
    run_all(w < NALL ? argv[1] : slash == NULL ? argv[1] + 1 : slash + 1,
            argv[2], curve);
    return curve != NULL && fclose(curve) != 0;
}
