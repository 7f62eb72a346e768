/* Tangled from src.nw/50-tcache.nw; edit that, not this. */
/* tcache.c -- per class a small stack of free regions. */

#include "tcache.h"

#include "base.h"
#include "options.h"

#include <string.h>

enum { FIRST_CAPACITY = 7, SHUFFLED = 32 };

void *tcache_null[1];

/* Keep account of what all stacks may hold.
 * [50-tcache.nw: How a stack grows] */
/* Bytes that all stacks of all threads may hold; each stack's share is
 * granted when it grows.  Relaxed: it is a sum, nothing hangs on its order. */
static size_t granted;

size_t tcache_granted_bytes(void)
{
    return __atomic_load_n(&granted, __ATOMIC_RELAXED);
}

static bool grant(size_t nbytes)
{
    size_t sum = __atomic_add_fetch(&granted, nbytes, __ATOMIC_RELAXED);

    if (sum <= options.tcache_bytes)
        return true;
    __atomic_sub_fetch(&granted, nbytes, __ATOMIC_RELAXED);
    return false;
}

static void ungrant(size_t nbytes)
{
    __atomic_sub_fetch(&granted, nbytes, __ATOMIC_RELAXED);
}

/* Measure a stack.  [50-tcache.nw: Moving a stack] */
/* The slots of a stack above slot 0. */
static size_t capacity(const struct tcache *t, unsigned c)
{
    return t->slots[c] == NULL ? 0 : (size_t)(t->limit[c] - t->slots[c]);
}

static size_t depth(const struct tcache *t, unsigned c)
{
    return t->slots[c] == NULL ? 0 : (size_t)(t->top[c] - t->slots[c]);
}

/* Let another thread count a stack.
 * [50-tcache.nw: Letting others count] */
/* Racy: the owner moves top with plain stores, which the processors we know
 * make whole; an old or a torn pair of values gives a wrong count, which the
 * last line keeps within bounds, and nothing is read through them. */
RACY static size_t count(void **const *bottom, void **const *top, size_t at,
                         size_t most)
{
    uintptr_t b = (uintptr_t)__atomic_load_n(bottom, __ATOMIC_RELAXED);
    uintptr_t t = (uintptr_t)__atomic_load_n(top, __ATOMIC_RELAXED);
    size_t n = (t - b) / sizeof(void *) - at;

    /* The stack may have moved between the two loads. */
    return b == 0 || n > most ? 0 : n;
}

RACY size_t tcache_depth(const struct tcache *t, unsigned c)
{
    size_t n = count(&t->slots[c], &t->top[c], 0, sizeclasses[c].ncached);

    return c >= NTABLE ? n
                       : n + count(&t->rations, &t->ration[c],
                                   c * (RATION + 1), RATION);
}

/* Move a stack's marks.  [50-tcache.nw: Moving a stack] */
/* Say where the stack of class c is now; others may be reading. */
static void settle_in(struct tcache *t, unsigned c, void **slots, size_t n,
                      size_t d)
{
    __atomic_store_n(&t->slots[c], slots, __ATOMIC_RELAXED);
    __atomic_store_n(&t->top[c], slots + d, __ATOMIC_RELAXED);
    t->limit[c] = slots + n;
}

static void set_depth(struct tcache *t, unsigned c, size_t d)
{
    __atomic_store_n(&t->top[c], t->slots[c] + d, __ATOMIC_RELAXED);
}

/* Begin with no stacks.  [50-tcache.nw: Beginning and ending] */
void tcache_start(struct tcache *t, struct arena *a)
{
    static const struct tcache none = TCACHE_NONE;

    *t = none;
    t->arena = a;
}

/* Give a stack another size.  [50-tcache.nw: Moving a stack] */
static size_t slots_bytes(size_t n)
{
    return (n + 1) * sizeof(void *);
}

/* Give the stack of class c room for n regions, at least its depth. */
static bool resize(struct tcache *t, unsigned c, size_t n)
{
    size_t old = capacity(t, c), d = depth(t, c);
    void **slots = base_take_raw(slots_bytes(n));

    if (slots == NULL)
        return false;
    slots[0] = NULL;
    if (t->slots[c] != NULL) {
        memcpy(slots + 1, t->slots[c] + 1, d * sizeof *slots);
        base_put(t->slots[c], slots_bytes(old));
    }
    settle_in(t, c, slots, n, d);
    return true;
}

/* Let a stack grow.  [50-tcache.nw: How a stack grows] */
/* The next larger capacity: 2^k - 1 slots and slot 0 fill a block of base. */
static size_t next_capacity(const struct tcache *t, unsigned c)
{
    size_t n = 2 * capacity(t, c) + 1, most = sizeclasses[c].ncached;

    if (n == 1)
        n = FIRST_CAPACITY;
    if (DEBUG && most > 2)
        most = 2;               /* so that the slow paths run */
    return n < most ? n : most;
}

/* Each miss and each overflow doubles a stack, as far as its class and the
 * bound on all caches allow.  Returns whether it has more room now. */
static bool grow(struct tcache *t, unsigned c)
{
    size_t old = capacity(t, c), n = next_capacity(t, c);
    size_t more = (n - old) * sizeclasses[c].size;

    if (n <= old || !options.tcache || !grant(more))
        return false;
    if (resize(t, c, n))
        return true;
    ungrant(more);
    return false;
}

/* Fill an empty stack.  [50-tcache.nw: When the stack is empty] */
/* Move a magazine's regions onto the stack, which is empty. */
static void *unload(struct tcache *t, unsigned c, const struct magazine *m)
{
    void **slots = t->slots[c];
    size_t n = m->nregions;

    memcpy(slots + 1, m->regions, n * sizeof *slots);
    set_depth(t, c, n - 1);
    return slots[n];
}

/* Fill half of the stack from the runs. */
static void *fill(struct tcache *t, unsigned c)
{
    size_t n = capacity(t, c), want = n / 2 + 1;
    void **slots = t->slots[c];
    unsigned got = arena_fill(t->arena, c, (unsigned)want,
                              slots + want + 1);

    if (got == 0)
        return NULL;
    if (got < want)
        memmove(slots + 1, slots + 1 + want - got, got * sizeof *slots);
    set_depth(t, c, got - 1);
    return slots[got];
}

/* Take one region without a stack.
 * [50-tcache.nw: When the stack is empty] */
/* One region, for a thread that keeps none. */
static void *take_one(struct arena *a, unsigned c)
{
    void *one;

    return arena_fill(a, c, 1, &one + 1) == 0 ? NULL : one;
}

/* Answer an empty stack.  [50-tcache.nw: When the stack is empty] */
void *tcache_refill(struct tcache *t, unsigned c)
{
    struct magazine *m;

    grow(t, c);
    if (t->slots[c] == NULL)
        return take_one(t->arena, c);
    if (!arena_unpark(t->arena, c, &t->spare[c]))
        return fill(t, c);
    m = t->spare[c];
    while (capacity(t, c) < m->nregions && grow(t, c))
        ;
    if (capacity(t, c) >= m->nregions)
        return unload(t, c, m);
    arena_flush(c, m->regions, m->nregions, NULL, "malloc");
    return fill(t, c);
}

/* Send the oldest regions away.  [50-tcache.nw: When the stack is full] */
/* Send the n oldest regions of a stack away. */
static void send_away(struct tcache *t, unsigned c, size_t n, bool park,
                      const char *call)
{
    void **slots = t->slots[c];

    arena_flush(c, slots + 1, (unsigned)n, park ? &t->spare[c] : NULL, call);
    n = depth(t, c) - n;
    memmove(slots + 1, t->top[c] - n + 1, n * sizeof *slots);
    set_depth(t, c, n);
}

/* Answer a full stack.  [50-tcache.nw: When the stack is full] */
/* How many of a full stack of n go at once: half, or what one magazine
 * holds, which is a little less when the stack is as large as it gets. */
static size_t batch(unsigned c, size_t n)
{
    size_t half = n / 2 + (n == 1), full = sizeclasses[c].nmagazine;

    return full > 0 && half > full ? full : half;
}

bool tcache_overflow(struct tcache *t, unsigned c, void *region,
                     const char *call)
{
    size_t n = capacity(t, c);

    /* A visit since the caller looked may have made room. */
    if (depth(t, c) == n && !grow(t, c)) {
        if (n == 0)
            return false;
        send_away(t, c, batch(c, n), true, call);
    }
    /* The first of its class, and not from here: see "A shared line". */
    if (n == 0 && !arena_has(t->arena, region))
        return false;
    return tcache_put(t, c, region);
}

/* Let an idle stack shrink.
 * [50-tcache.nw: The visit: what lies idle goes home] */
static void drop_spare(struct tcache *t, unsigned c)
{
    magazine_free(t->spare[c], c);
    t->spare[c] = NULL;
}

/* A stack that has not moved since we were here lies idle, or is in perfect
 * balance; half of it goes home, and if that was wrong a refill mends it. */
void tcache_visit(struct tcache *t)
{
    unsigned c = t->visited = (t->visited + 1) % NSMALL;

    if (t->slots[c] == NULL)
        return;
    if (t->top[c] == t->seen[c] && depth(t, c) > 0)
        send_away(t, c, (depth(t, c) + 1) / 2, true, "free");
    else if (t->top[c] == t->seen[c])
        drop_spare(t, c);
    t->seen[c] = t->top[c];
}

/* Shuffle a stack.  [50-tcache.nw: The visit: what lies idle goes home] */
void *tcache_shuffle(struct tcache *t, size_t c, uint32_t random)
{
    uint64_t d = depth(t, (unsigned)c);
    void **top = t->top[c], **other, *newest = *top;

    if (d == 0)
        return NULL;
    other = top - random * (d < SHUFFLED ? d : SHUFFLED) / POW2(32);
    *top = *other;
    *other = newest;
    return *top;
}

/* Hand out rations.  [50-tcache.nw: Rations] */
void tcache_ration(struct tcache *t)
{
    t->rationed = true;
    t->most = 0;
    for (size_t i = 0; i <= TABLE_MAX; i++)
        t->class_of[i] = (uint8_t)(t->class_of[i] + RATION_AT);
}

/* Slot 0 of the ration of class c; as in a stack it holds NULL. */
static void **ration_of(const struct tcache *t, unsigned c)
{
    return t->rations + c * (RATION + 1);
}

static void set_ration(struct tcache *t, unsigned c, void **top)
{
    __atomic_store_n(&t->ration[c], top, __ATOMIC_RELAXED);
}

/* Hand out rations, continued.  [50-tcache.nw: Rations] */
static bool make_rations(struct tcache *t)
{
    void **r = base_take(NTABLE * (RATION + 1) * sizeof *r);

    if (r == NULL)
        return false;
    __atomic_store_n(&t->rations, r, __ATOMIC_RELAXED);
    for (unsigned c = 0; c < NTABLE; c++)
        set_ration(t, c, ration_of(t, c));
    return true;
}

/* A stack that cannot fill a ration grows like one that was found empty. */
static void top_up(struct tcache *t, unsigned c)
{
    size_t d = depth(t, c), half, got;

    grow(t, c);
    half = capacity(t, c) / 2;
    if (half <= d)
        return;
    got = arena_fill(t->arena, c, (unsigned)(half - d),
                     t->slots[c] + half + 1);
    if (got < half - d)
        memmove(t->slots[c] + d + 1, t->slots[c] + half + 1 - got,
                got * sizeof(void *));
    set_depth(t, c, d + got);
}

/* Hand out rations, continued.  [50-tcache.nw: Rations] */
size_t tcache_may_serve(struct tcache *t, unsigned c)
{
    size_t n;

    if (t->slots[c] == NULL
        || (t->rations == NULL && !make_rations(t))
        || *t->ration[c] != NULL)
        return 0;
    if (depth(t, c) < RATION)
        top_up(t, c);
    n = depth(t, c);
    return n < RATION ? n : RATION;
}

void tcache_serve(struct tcache *t, unsigned c, size_t n)
{
    void **r = ration_of(t, c);

    memcpy(r + 1, t->top[c] - n + 1, n * sizeof *r);
    set_depth(t, c, depth(t, c) - n);
    set_ration(t, c, r + n);
}

/* Take the rations back.  [50-tcache.nw: Rations] */
static void take_rations_back(struct tcache *t, const char *call)
{
    void **rations = t->rations;

    for (unsigned c = 1; rations != NULL && c < NTABLE; c++) {
        size_t n = (size_t)(t->ration[c] - ration_of(t, c));
        if (n > 0)
            arena_flush(c, ration_of(t, c) + 1, (unsigned)n, NULL, call);
        set_ration(t, c, tcache_null);
    }
    if (rations == NULL)
        return;
    __atomic_store_n(&t->rations, NULL, __ATOMIC_RELAXED);
    base_put(rations, NTABLE * (RATION + 1) * sizeof *rations);
}

/* Give a whole cache back.  [50-tcache.nw: Beginning and ending] */
void tcache_drain(struct tcache *t, const char *call)
{
    take_rations_back(t, call);
    for (unsigned c = 1; c < NSMALL; c++) {
        size_t n = capacity(t, c);
        if (t->slots[c] == NULL)
            continue;
        send_away(t, c, depth(t, c), false, call);
        drop_spare(t, c);
        ungrant(n * sizeclasses[c].size);
        base_put(t->slots[c], slots_bytes(n));
        __atomic_store_n(&t->slots[c], NULL, __ATOMIC_RELAXED);
        __atomic_store_n(&t->top[c], tcache_null, __ATOMIC_RELAXED);
        t->limit[c] = tcache_null;
    }
}

/* Count one cache alone.  [50-tcache.nw: Beginning and ending] */
void tcache_stay_alone(const struct tcache *mine)
{
    size_t nbytes = 0;

    for (unsigned c = 1; c < NSMALL; c++)
        nbytes += capacity(mine, c) * sizeclasses[c].size;
    __atomic_store_n(&granted, nbytes, __ATOMIC_RELAXED);
    arena_stay_alone(mine->arena);
}
