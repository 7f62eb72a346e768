/* test_tcache.c -- the laws T1 to T4 and T6 of the chapter on the thread's cache.
 *
 * The room is compiled into this file and without LIT_DEBUG, which would cut its
 * stacks to two slots; the rooms below it have their assertions on.  Nothing here
 * calls malloc: the process keeps the C library's. */
/* cc: -ULIT_DEBUG */

#include "tcache.c"

#include "huge.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

/* What the chapter says in numbers. */
static_assert(sizeof(struct tcache) == 3160, "bytes of a cache");
static_assert(offsetof(struct tcache, limit) == 0x180, "the listing of free");
static_assert(offsetof(struct tcache, class_of) == 0x3a8, "that of malloc");

static bool refuse;                     /* refuse system calls */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    return refuse ? -ENOMEM : system_call(n, a, b, c, d, e, f);
}

static struct tcache cache, other, third;
static struct arena *a;

static void start(void)
{
    pages_start();
    ck_assert(pagemap_start(options.window_bytes));
    chunk_start();
    huge_start();
    ck_assert(arena_start(2));
    ck_assert_ptr_nonnull(a = arena_join());
    tcache_start(&cache, a);
    tcache_start(&other, a);
    tcache_start(&third, a);
}

/* T1 to T4 of one cache; returns the bytes that its stacks could hold. */
static size_t check(const struct tcache *t)
{
    size_t nbytes = 0;

    for (unsigned c = 0; c < NSMALL; c++) {
        size_t n = capacity(t, c);
        if (t->slots[c] == NULL) {                              /* T2 */
            ck_assert(t->top[c] == tcache_null);
            ck_assert(t->limit[c] == tcache_null);
            continue;
        }
        ck_assert_uint_ne(c, CLASS_NONE);                       /* T3 */
        ck_assert(t->slots[c] <= t->top[c]);                    /* T2 */
        ck_assert(t->top[c] <= t->limit[c]);
        ck_assert_uint_le(n, sizeclasses[c].ncached);           /* T4 */
        ck_assert(is_pow2(n + 1));
        ck_assert_ptr_null(t->slots[c][0]);                     /* T1 */
        for (void **s = t->slots[c] + 1; s <= t->top[c]; s++)
            ck_assert_ptr_nonnull(*s);
        nbytes += n * sizeclasses[c].size;
    }
    ck_assert_ptr_null(tcache_null[0]);
    return nbytes;
}

static void check_all(void)
{
    size_t nbytes = check(&cache) + check(&other);

    ck_assert_uint_eq(tcache_granted_bytes(), nbytes);          /* T6 */
    ck_assert_uint_le(nbytes, options.tcache_bytes);
}

/* What malloc and free do, without the door. */
static void *take(struct tcache *t, unsigned c)
{
    void *p = tcache_take(t, c);

    return p != NULL ? p : tcache_refill(t, c);
}

static void put(struct tcache *t, unsigned c, void *p)
{
    if (!tcache_put(t, c, p))
        ck_assert(tcache_overflow(t, c, p, "free"));
}

START_TEST(numbers_of_the_chapter)
{
    ck_assert_uint_eq(sizeclasses[4].size, 64);
    ck_assert_uint_eq(sizeclasses[4].nmagazine, 254);
    for (unsigned c = 1; c < NSMALL; c++) {
        size_t size = sizeclasses[c].size, n = sizeclasses[c].ncached;
        ck_assert_uint_eq(n == 511, size <= 256);
        ck_assert_uint_le(n * size, (size > 4096 && size <= 16384 ? 256 : 128) * 1024);
    }
    ck_assert_uint_eq(sizeclasses[sizeclass_of(1024)].ncached, 127);
    ck_assert_uint_eq(sizeclasses[sizeclass_of(16384)].ncached, 15);
    ck_assert_uint_eq(sizeclasses[NSMALL - 1].ncached, 1);
}
END_TEST

START_TEST(a_new_cache_is_empty_and_full)
{
    for (unsigned c = 0; c < NSMALL; c++) {
        ck_assert_ptr_null(tcache_take(&cache, c));
        ck_assert(!tcache_put(&cache, c, &cache));
        ck_assert_uint_eq(tcache_depth(&cache, c), 0);
    }
    for (size_t size = 0; size <= TABLE_MAX; size++)
        ck_assert_uint_eq(cache.class_of[size], sizeclass_of(size));
    check_all();
}
END_TEST

/* The figure of the chapter. */
START_TEST(first_refill)
{
    char *p = take(&cache, 4);

    check_all();
    ck_assert_uint_eq(capacity(&cache, 4), 7);
    ck_assert_uint_eq(tcache_depth(&cache, 4), 3);
    ck_assert_ptr_eq(cache.slots[4][3], p + 64);
    ck_assert_ptr_eq(cache.slots[4][2], p + 128);
    ck_assert_ptr_eq(cache.slots[4][1], p + 192);
    for (int i = 1; i < 4; i++)
        ck_assert_ptr_eq(tcache_take(&cache, 4), p + 64 * i);
    ck_assert_ptr_null(tcache_take(&cache, 4));
    ck_assert_uint_eq(a->bins[4].ntaken, 4);
}
END_TEST

/* The answer to exercise ex-ladder. */
START_TEST(a_thousand_blocks_in_ten_batches)
{
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_nonnull(take(&cache, 4));
    ck_assert_uint_eq(a->bins[4].nfills, 10);
    ck_assert_uint_eq(a->bins[4].nruns, 4);
}
END_TEST

START_TEST(last_in_first_out_and_untouched)
{
    char *p = take(&cache, 10), *q = take(&cache, 10);

    memset(p, 0x77, sizeclasses[10].size);
    put(&cache, 10, q);
    put(&cache, 10, p);
    ck_assert_ptr_eq(tcache_take(&cache, 10), p);
    ck_assert_ptr_eq(tcache_take(&cache, 10), q);
    for (size_t i = 0; i < sizeclasses[10].size; i++)
        ck_assert_int_eq(p[i], 0x77);
}
END_TEST

/* Every class up to its largest stack, by misses alone; no region twice. */
START_TEST(misses_double_the_stack)
{
    unsigned c = (unsigned)_i;
    size_t want = 7, n = 0, most = 3000;
    size_t size = sizeclasses[c].size;
    static void *p[3000];

    for (; n < most && capacity(&cache, c) < sizeclasses[c].ncached; n++) {
        if (tcache_depth(&cache, c) == 0) {
            p[n] = tcache_refill(&cache, c);
            if (want > sizeclasses[c].ncached)
                want = sizeclasses[c].ncached;
            ck_assert_uint_eq(capacity(&cache, c), want);
            want = 2 * want + 1;
            check_all();
        } else {
            p[n] = tcache_take(&cache, c);
        }
        ck_assert_ptr_nonnull(p[n]);
        memset(p[n], 0, size);
        ck_assert_uint_eq(pagemap_class(p[n]), c);
        *(size_t *)p[n] = n;
    }
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(*(size_t *)p[i], i);
}
END_TEST

/* Fill the stack of class 4 to its 511 slots and one more. */
static void overflow_once(void *p[512])
{
    while (capacity(&cache, 4) < 511)
        ck_assert(grow(&cache, 4));
    for (int i = 0; i < 512; i++)
        ck_assert_ptr_nonnull(p[i] = take(&other, 4));
    for (int i = 0; i < 511; i++)
        ck_assert(tcache_put(&cache, 4, p[i]));
    ck_assert(!tcache_put(&cache, 4, p[511]));
    ck_assert(tcache_overflow(&cache, 4, p[511], "free"));
}

START_TEST(overflow_sends_the_older_half)
{
    void *p[512];

    overflow_once(p);
    check_all();
    ck_assert_uint_eq(tcache_depth(&cache, 4), 512 - 254);
    for (int i = 511; i >= 254; i--)
        ck_assert_ptr_eq(tcache_take(&cache, 4), p[i]);
    ck_assert_ptr_null(tcache_take(&cache, 4));
    ck_assert_uint_eq(a->bins[4].nparked, 254);
    ck_assert_uint_eq(a->bins[4].nmagazines, 1);
}
END_TEST

START_TEST(a_miss_takes_a_magazine)
{
    void *p[512];
    bool seen[254] = { false };

    overflow_once(p);
    while (tcache_take(&cache, 4) != NULL)
        ;
    for (int i = 0; i < 254; i++) {
        void *q = i == 0 ? tcache_refill(&cache, 4) : tcache_take(&cache, 4);
        int k = 0;
        while (k < 254 && p[k] != q)
            k++;
        ck_assert_int_lt(k, 254);
        ck_assert(!seen[k]);
        seen[k] = true;
    }
    ck_assert_ptr_null(tcache_take(&cache, 4));
    ck_assert_uint_eq(a->bins[4].nparked, 0);
    check_all();
}
END_TEST

/* A magazine for which a stack may not grow goes home, and its memory stays in hand. */
START_TEST(a_magazine_that_does_not_fit)
{
    void *p[512];

    overflow_once(p);
    options.tcache_bytes = tcache_granted_bytes() + 7 * 64;
    size_t ntaken = a->bins[4].ntaken;
    ck_assert_ptr_nonnull(tcache_refill(&third, 4));
    ck_assert_uint_eq(capacity(&third, 4), 7);
    ck_assert_uint_eq(a->bins[4].nparked, 0);
    ck_assert_uint_eq(a->bins[4].ntaken, ntaken - 254 + 4);
    ck_assert_ptr_nonnull(third.spare[4]);
}
END_TEST

/* A run of class 20 has 32 regions, so that a ration's wish is often met by half. */
START_TEST(rations_of_what_there_is)
{
    enum { C = 20 };
    static void *all[2000];
    size_t n = 0;

    tcache_ration(&third);
    while (n < 1900) {
        if (tcache_depth(&third, C) == 0)
            ck_assert_ptr_nonnull(all[n++] = tcache_refill(&third, C));
        size_t served = tcache_may_serve(&third, C);
        ck_assert_uint_le(served, RATION);
        tcache_serve(&third, C, served);
        for (; served > 0; served--)
            ck_assert_ptr_nonnull(all[n++] = tcache_take(&third, C + RATION_AT));
        ck_assert_ptr_null(tcache_take(&third, C + RATION_AT));
    }
    for (size_t i = 0; i < n; i++)
        *(size_t *)all[i] = i;
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(*(size_t *)all[i], i);
}
END_TEST

START_TEST(no_memory_for_rations)
{
    tcache_ration(&third);
    ck_assert_ptr_nonnull(tcache_refill(&third, 4));
    refuse = true;
    while (base_take(64) != NULL)
        ;
    ck_assert_uint_eq(tcache_may_serve(&third, 4), 0);
    refuse = false;
    ck_assert_uint_gt(tcache_may_serve(&third, 4), 0);
}
END_TEST

/* The first region that a thread frees goes home if it is from another arena, so that
 * the next one is from its own; what comes later stays. */
START_TEST(the_first_stranger_goes_home)
{
    struct tcache foreign;
    struct arena *b = arena_join();
    void *p, *q, *r;

    ck_assert_ptr_ne(b, a);
    tcache_start(&foreign, b);
    ck_assert_ptr_nonnull(p = take(&cache, 4));
    ck_assert_ptr_nonnull(q = take(&cache, 4));
    ck_assert(!tcache_overflow(&foreign, 4, p, "free"));
    ck_assert_uint_ge(capacity(&foreign, 4), 1);
    ck_assert_ptr_nonnull(r = take(&foreign, 4));
    ck_assert(arena_has(b, r) && !arena_has(a, r) && arena_has(a, p));
    ck_assert_uint_ne((uintptr_t)r / 64, (uintptr_t)q / 64);
    while (tcache_take(&foreign, 4) != NULL)
        ;
    put(&foreign, 4, q);                /* not the first */
    ck_assert_ptr_eq(tcache_take(&foreign, 4), q);
    ck_assert(!arena_has(a, &foreign));
}
END_TEST

/* The bug of the chapter: between the look and the overflow comes a visit. */
START_TEST(overflow_after_visit)
{
    unsigned c = NSMALL - 1;            /* one slot */
    void *p = take(&other, c), *q = take(&other, c), *r;

    ck_assert(tcache_overflow(&cache, c, p, "free"));
    ck_assert_uint_eq(capacity(&cache, c), 1);
    ck_assert(!tcache_put(&cache, c, q));
    cache.seen[c] = cache.top[c];
    cache.visited = c - 1;
    tcache_visit(&cache);               /* p leaves */
    ck_assert_uint_eq(tcache_depth(&cache, c), 0);
    ck_assert(tcache_overflow(&cache, c, q, "free"));
    ck_assert_uint_eq(tcache_depth(&cache, c), 1);
    check_all();
    ck_assert_ptr_eq(take(&cache, c), q);
    ck_assert_ptr_nonnull(r = take(&cache, c));
    ck_assert_ptr_ne(r, q);
}
END_TEST

START_TEST(an_idle_stack_is_empty_after_nine_visits)
{
    void *p[512];
    int n = 0;

    overflow_once(p);
    ck_assert_ptr_nonnull(take(&other, 4));
    while (tcache_depth(&cache, 4) < 511)
        ck_assert(tcache_put(&cache, 4, take(&other, 4)));
    cache.seen[4] = cache.top[4];
    for (; tcache_depth(&cache, 4) > 0; n++) {
        cache.visited = 3;
        tcache_visit(&cache);
        ck_assert_uint_eq(cache.visited, 4);
        check_all();
    }
    ck_assert_int_eq(n, 9);
}
END_TEST

START_TEST(a_stack_in_use_is_left_alone)
{
    void *p = take(&cache, 4);
    size_t d = tcache_depth(&cache, 4);

    cache.visited = 3;
    tcache_visit(&cache);               /* notes where top is */
    put(&cache, 4, p);
    cache.visited = 3;
    tcache_visit(&cache);
    ck_assert_uint_eq(tcache_depth(&cache, 4), d + 1);
    cache.visited = NSMALL - 1;       /* around, by way of class 0 */
    tcache_visit(&cache);
    ck_assert_uint_eq(cache.visited, 0);
}
END_TEST

/* A shuffle moves the newest to any place among the newest 32, and loses none. */
START_TEST(a_shuffle_moves_the_newest)
{
    void *p[7];
    size_t d;

    ck_assert_ptr_null(tcache_shuffle(&cache, 4, 5));           /* nothing there */
    take(&cache, 4);
    while ((d = tcache_depth(&cache, 4)) < 7)
        ck_assert(tcache_put(&cache, 4, take(&other, 4)));
    for (size_t i = 0; i < 2 * d; i++) {
        memcpy(p, cache.slots[4] + 1, sizeof p);
        void *newest = tcache_shuffle(&cache, 4, (uint32_t)(POW2(31) / d * i + d));
        ck_assert_ptr_eq(cache.slots[4][d - i / 2], p[d - 1]);
        ck_assert_ptr_eq(*cache.top[4], p[d - 1 - i / 2]);
        ck_assert_ptr_eq(newest, *cache.top[4]);
        check_all();
    }
}
END_TEST

START_TEST(drain_brings_everything_home)
{
    for (unsigned c = 1; c < NSMALL; c++)
        for (int i = 0; i < 20; i++)
            put(&cache, c, take(&other, c));
    check_all();
    tcache_drain(&cache, "test");
    tcache_drain(&other, "test");
    check_all();
    ck_assert_uint_eq(tcache_granted_bytes(), 0);
    arena_purge_all();                  /* the depots */
    for (unsigned c = 1; c < NSMALL; c++)
        ck_assert_uint_eq(a->bins[c].ntaken, 0);
    ck_assert_ptr_nonnull(take(&cache, 4));     /* as new */
}
END_TEST

START_TEST(without_the_option_nothing_is_kept)
{
    options.tcache = false;
    void *p = tcache_refill(&cache, 4);
    ck_assert_ptr_nonnull(p);
    ck_assert(!tcache_overflow(&cache, 4, p, "free"));
    ck_assert_uint_eq(a->bins[4].ntaken, 1);
    check_all();
}
END_TEST

START_TEST(all_stacks_share_one_bound)
{
    options.tcache_bytes = 64 * (7 + 15);
    for (int i = 0; i < 100; i++) {
        ck_assert_ptr_nonnull(take(&cache, 4));
        ck_assert_ptr_nonnull(take(&other, 4));
        check_all();
    }
    ck_assert_uint_eq(capacity(&cache, 4) + capacity(&other, 4), 22);
    ck_assert(!tcache_overflow(&cache, 5, take(&cache, 5), "free"));
}
END_TEST

START_TEST(works_on_when_memory_returns)
{
    void *p, *last = NULL;

    refuse = true;
    while ((p = take(&cache, 20)) != NULL)
        last = p;
    ck_assert_ptr_null(tcache_refill(&cache, 20));
    check_all();
    put(&cache, 20, last);
    ck_assert_ptr_eq(take(&cache, 20), last);
    refuse = false;
    ck_assert_ptr_nonnull(take(&cache, 20));
    check_all();
}
END_TEST

/* Without memory for a longer array a stack stays as it is, and what it was granted for
 * the growth is given back. */
START_TEST(a_stack_that_cannot_grow_stays)
{
    void *p[9], *rest;

    for (int i = 0; i < 9; i++)
        ck_assert_ptr_nonnull(p[i] = take_one(a, 4));
    ck_assert_ptr_nonnull(rest = take(&cache, 4));
    ck_assert_uint_eq(capacity(&cache, 4), 7);
    refuse = true;
    while (base_take(64) != NULL)
        ;
    for (int i = 0; i < 9; i++)
        put(&cache, 4, p[i]);
    ck_assert_uint_eq(capacity(&cache, 4), 7);
    check_all();
    refuse = false;
    while (capacity(&cache, 4) == 7)
        put(&cache, 4, rest), rest = take_one(a, 4);
    ck_assert_uint_eq(capacity(&cache, 4), 15);
    check_all();
}
END_TEST

START_TEST(a_double_free_is_seen_at_home)
{
    void *p = take(&cache, 4);

    put(&cache, 4, p);
    put(&cache, 4, p);
    tcache_drain(&cache, "test");
}
END_TEST

START_TEST(an_interior_pointer_is_seen_at_home)
{
    char *p = take(&cache, 4);

    put(&cache, 4, p + 16);
    tcache_drain(&cache, "test");
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, numbers_of_the_chapter);
    tcase_add_test(t, a_new_cache_is_empty_and_full);
    tcase_add_test(t, first_refill);
    tcase_add_test(t, a_thousand_blocks_in_ten_batches);
    tcase_add_test(t, last_in_first_out_and_untouched);
    tcase_add_loop_test(t, misses_double_the_stack, 1, NSMALL);
    tcase_add_test(t, overflow_sends_the_older_half);
    tcase_add_test(t, a_miss_takes_a_magazine);
    tcase_add_test(t, a_magazine_that_does_not_fit);
    tcase_add_test(t, rations_of_what_there_is);
    tcase_add_test(t, no_memory_for_rations);
    tcase_add_test(t, the_first_stranger_goes_home);
    tcase_add_test(t, overflow_after_visit);
    tcase_add_test(t, an_idle_stack_is_empty_after_nine_visits);
    tcase_add_test(t, a_stack_in_use_is_left_alone);
    tcase_add_test(t, a_shuffle_moves_the_newest);
    tcase_add_test(t, drain_brings_everything_home);
    tcase_add_test(t, without_the_option_nothing_is_kept);
    tcase_add_test(t, all_stacks_share_one_bound);
    tcase_add_test(t, works_on_when_memory_returns);
    tcase_add_test(t, a_stack_that_cannot_grow_stays);
    tcase_add_test_raise_signal(t, a_double_free_is_seen_at_home, SIGABRT);
    tcase_add_test_raise_signal(t, an_interior_pointer_is_seen_at_home,
                                SIGABRT);
}

int main(void)
{
    return unit_run("tcache", add_tests);
}
