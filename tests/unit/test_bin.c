/* test_bin.c -- the three rules and the laws B1 to B6 of the chapter on bins.
 *
 * The bin is one of an arena of our own, which no thread has. */

#include "arena.h"
#include "options.h"

#include "unit.h"

#include <sys/mman.h>

static_assert(sizeof(struct bin) == 2 * CACHE_LINE, "two cache lines");
static_assert(sizeof(struct magazine) == 16, "a header of 16 bytes");

enum { MOST = 20000 };

static struct arena own;
static struct bin *bin;
static unsigned class;
static void *out[MOST];                 /* the model: what is out */
static unsigned nout, nruns;

static void use(unsigned c)
{
    class = c;
    bin = &own.bins[c];
    bin_start(bin, c);
}

static void start(void)
{
    free(malloc(1));
    pageheap_start(&own.pages, &own);
    srand(7);
    use(3);
}

static unsigned nregions(void)
{
    return sizeclasses[class].nregions;
}

static void check_it(void)
{
    mutex_lock(&bin->lock);
    ck_assert(bin_check(bin));
    ck_assert_uint_eq(bin->ntaken, nout);
    ck_assert_uint_eq(bin->nruns, nruns);
    mutex_unlock(&bin->lock);
}

static struct run *cut_run(void)
{
    bool zeroed;
    struct run *r;

    while ((r = pageheap_take(&own.pages, sizeclasses[class].npages, PAGE,
                              RUN_SMALL, &zeroed)) == NULL)
        ck_assert(pageheap_grow(&own.pages));
    run_cut(r, class);
    return r;
}

static struct run *add_run(void)
{
    struct run *r = cut_run();

    bin_add(bin, r);
    nruns++;
    return r;
}

/* Take `want` regions and note them; returns how many there were. */
static unsigned take(unsigned want)
{
    static void *got[MOST];
    unsigned n = bin_take(bin, want, got + MOST);

    for (unsigned i = 0; i < n; i++)
        out[nout++] = got[MOST - 1 - i];
    check_it();
    return n;
}

static void *take_one(void)
{
    ck_assert_uint_eq(take(1), 1);
    return out[nout - 1];
}

/* Put n regions back; returns how many runs left the bin. */
static unsigned put(void **regions, unsigned n)
{
    unsigned nleft = 0;
    struct run *r = bin_put(bin, regions, n, "free"), *next;

    nout -= n;
    for (; r != NULL; r = next, nleft++) {
        next = (struct run *)r->node.next;
        ck_assert_uint_eq(r->nfree, nregions());
        ck_assert(!r->waiting);
        run_uncut(r);
        ck_assert(pageheap_put(&own.pages, r, RUN_SMALL));
    }
    nruns -= nleft;
    check_it();
    return nleft;
}

/* Put n regions of run r back. */
static unsigned put_back(struct run *r, unsigned n)
{
    void *some[MOST];
    unsigned k = 0;

    for (unsigned i = 0; i < nout && k < n;)
        if (run_holds(r, (uintptr_t)out[i])) {
            some[k++] = out[i];
            memmove(&out[i], &out[i + 1], (nout - i - 1) * sizeof *out);
            nout--;
        } else {
            i++;
        }
    ck_assert_uint_eq(k, n);
    nout += n;
    return put(some, n);
}

START_TEST(an_empty_bin_has_nothing)
{
    struct magazine *m = NULL;

    ck_assert_uint_eq(take(5), 0);
    ck_assert(!bin_unpark(bin, &m));
    ck_assert_ptr_null(m);
    ck_assert_ptr_null(bin_settle(bin, true));
    ck_assert_uint_eq(bin->nfills, 0);
}
END_TEST

/* Lowest first: what drains is the highest run. */
START_TEST(lowest_run_first)
{
    struct run *low = add_run(), *high = add_run();

    ck_assert_uint_lt(run_address(low), run_address(high));
    ck_assert_uint_eq(take(nregions()), nregions());    /* low is full */
    ck_assert_uint_eq(take(nregions()), nregions());    /* high, too */
    put_back(high, 5);
    put_back(low, 3);
    ck_assert(run_holds(high, (uintptr_t)take_one()));  /* current: stays */
    ck_assert_uint_eq(take(4), 4);                      /* and is full */
    ck_assert(run_holds(low, (uintptr_t)take_one()));
}
END_TEST

START_TEST(of_many_that_wait_the_lowest)
{
    enum { N = 9 };
    struct run *r[N];

    for (int i = 0; i < N; i++)
        r[i] = add_run();
    ck_assert_uint_eq(take(N * nregions()), N * nregions());
    for (int i = 0; i < N - 1; i++)     /* r[N - 1] is current */
        put_back(r[(i * 5) % (N - 1)], 1);
    for (int i = 0; i < N - 1; i++)
        ck_assert(run_holds(r[i], (uintptr_t)take_one()));
    ck_assert_uint_eq(take(1), 0);
}
END_TEST

/* Keep one: the current run stays, one more is the spare, the rest goes. */
START_TEST(one_spare_is_kept)
{
    struct run *r[4];

    for (int i = 0; i < 4; i++)
        r[i] = add_run();
    take(4 * nregions());
    ck_assert_uint_eq(put_back(r[3], nregions()), 0);   /* current */
    ck_assert_uint_eq(put_back(r[1], nregions()), 0);   /* the spare */
    ck_assert_ptr_eq(bin->spare, r[1]);
    ck_assert_uint_eq(put_back(r[0], nregions()), 1);
    ck_assert_uint_eq(put_back(r[2], nregions()), 1);
    ck_assert_uint_eq(bin->nruns, 2);
    ck_assert_uint_eq(take(MOST), 2 * nregions());      /* both are found */
    ck_assert_ptr_null(bin->spare);
}
END_TEST

/* Put n regions back, any n. */
static unsigned put_some(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned last = nout - 1 - i, k = (unsigned)rand() % (last + 1);
        void *p = out[k];
        out[k] = out[last];
        out[last] = p;
    }
    return put(out + nout - n, n);
}

/* One batch may empty several runs. */
START_TEST(several_leave_at_once)
{
    for (int i = 0; i < 5; i++)
        add_run();
    take(5 * nregions());
    ck_assert_uint_eq(put_some(nout), 3);
}
END_TEST

/* At random; and at the end everything that is free can be taken. */
START_TEST(nothing_is_lost)
{
    use((unsigned)_i);
    for (int step = 0; step < 2000; step++) {
        unsigned n = (unsigned)rand() % 100;
        if (rand() % 2)
            put_some(n < nout ? n : nout);
        else if (nout < MOST / 4 && take(n) < n)
            add_run();
    }
    unsigned total = nruns * nregions();
    ck_assert_uint_le(total, MOST);
    take(total);
    ck_assert_uint_eq(nout, total);
    ck_assert_uint_eq(take(1), 0);
    put_some(nout);
    ck_assert_uint_le(nruns, 2);
}
END_TEST

/* A magazine of the next n regions of the model, which stay in it. */
static struct magazine *load(unsigned n, unsigned from)
{
    struct magazine *m = malloc(sizeof *m + n * sizeof(void *));

    m->nregions = n;
    memcpy(m->regions, out + from, n * sizeof(void *));
    return m;
}

/* Park it, with no interest in what comes for it. */
static bool park(unsigned n, unsigned from)
{
    struct magazine *m = load(n, from);

    return bin_park(bin, &m);
}

/* Take one out, with nothing to give. */
static struct magazine *unpark_one(void)
{
    struct magazine *m = NULL;

    return bin_unpark(bin, &m) ? m : NULL;
}

/* On both sides of the edge. */
START_TEST(as_much_as_was_in_use)
{
    use(12);
    for (int i = 0; i < 20; i++)
        add_run();
    take(1000);
    ck_assert(park(254, 0));
    ck_assert_uint_eq(bin->npeak, 1000);
    ck_assert(park(254, 254));
    ck_assert_uint_eq(bin->nparked, 508);
    ck_assert(park(254, 508));
    ck_assert(!park(239, 761));          /* 1001 */
    ck_assert(park(238, 762));           /* 1000 */
    ck_assert(!park(1, 0));
    ck_assert_uint_eq(bin->nmagazines, 4);
    check_it();
}
END_TEST

/* A floor of 64 KiB: here 256 regions of 256 bytes. */
START_TEST(a_small_depot_is_always_allowed)
{
    use(12);
    for (int i = 0; i < 5; i++)
        add_run();
    take(256);
    ck_assert(park(128, 0));
    bin->npeak = 0;                     /* as if long ago */
    ck_assert(park(128, 128));
    ck_assert_uint_eq(bin->npeak, 128);
    take(1);
    ck_assert(!park(1, 256));
}
END_TEST

START_TEST(last_in_first_out)
{
    for (int i = 0; i < 3; i++)
        add_run();
    take(900);
    struct magazine *m[3];
    for (unsigned i = 0; i < 3; i++) {
        struct magazine *hand = m[i] = load(200, 200 * i);
        ck_assert(bin_park(bin, &hand));
        ck_assert_ptr_null(hand);
    }
    for (int i = 2; i >= 0; i--)
        ck_assert_ptr_eq(unpark_one(), m[i]);
    ck_assert_ptr_null(unpark_one());
    ck_assert_uint_eq(bin->nparked, 0);
    ck_assert_uint_eq(bin->ntaken, 900);
}
END_TEST

static unsigned length(struct magazine *m)
{
    unsigned n = 0;

    for (; m != NULL; m = m->next)
        n++;
    return n;
}

/* A full one for an empty one, both ways; what is refused stays in hand. */
START_TEST(magazines_go_round)
{
    use(12);
    for (int i = 0; i < 15; i++)
        add_run();
    take(900);
    struct magazine *first = load(200, 0), *second = load(200, 200), *hand;
    hand = first;
    ck_assert(bin_park(bin, &hand));
    ck_assert_ptr_null(hand);
    hand = second;                      /* empty, says who gives it */
    ck_assert(bin_unpark(bin, &hand));
    ck_assert_ptr_eq(hand, first);
    ck_assert_uint_eq(hand->nregions, 200);
    ck_assert_ptr_eq(bin->empty, second);
    ck_assert(!bin_unpark(bin, &hand));
    ck_assert_ptr_eq(hand, first);
    ck_assert(bin_park(bin, &hand));
    ck_assert_ptr_eq(hand, second);
    ck_assert_uint_eq(hand->nregions, 0);
    ck_assert_ptr_null(bin->empty);
    bin->npeak = bin->ntaken = bin->nparked;
    hand = load(254, 400);
    second = hand;
    ck_assert(!bin_park(bin, &hand));
    ck_assert_ptr_eq(hand, second);
}
END_TEST

/* At each look the empty ones go, and have no regions. */
START_TEST(settle_hands_out_empty_ones)
{
    struct magazine *hand, *m;

    for (int i = 0; i < 3; i++)
        add_run();
    take(900);
    ck_assert(park(200, 0) && park(200, 200));
    hand = load(200, 400);
    ck_assert(bin_unpark(bin, &hand));
    ck_assert_ptr_nonnull(m = bin_settle(bin, false));
    ck_assert_ptr_null(m->next);
    ck_assert_uint_eq(m->nregions, 0);
    ck_assert_ptr_null(bin->empty);
    ck_assert_uint_eq(bin->nmagazines, 1);
}
END_TEST

/* What lay there all the time goes; what came and went stays. */
START_TEST(settle_takes_what_nobody_needed)
{
    for (int i = 0; i < 3; i++)
        add_run();
    take(1000);
    for (unsigned i = 0; i < 5; i++)
        ck_assert(park(100, 100 * i));
    ck_assert_uint_eq(length(bin_settle(bin, false)), 0);
    ck_assert_ptr_nonnull(unpark_one());
    ck_assert_ptr_nonnull(unpark_one());             /* 3 are left */
    ck_assert(park(100, 0));
    ck_assert_uint_eq(length(bin_settle(bin, false)), 3);
    ck_assert_uint_eq(bin->nmagazines, 1);
    ck_assert_uint_eq(length(bin_settle(bin, false)), 1);
    ck_assert_uint_eq(bin->nparked, 0);
}
END_TEST

START_TEST(settle_all_takes_all)
{
    for (int i = 0; i < 3; i++)
        add_run();
    take(1000);
    for (unsigned i = 0; i < 5; i++)
        ck_assert(park(100, 100 * i));
    ck_assert_uint_eq(length(bin_settle(bin, true)), 5);
    ck_assert_uint_eq(bin->nparked, 0);
    ck_assert_ptr_null(bin->depot);
}
END_TEST

/* An eighth a look: less than half of it after six, but not after five. */
START_TEST(the_peak_fades)
{
    bin->npeak = 100000;
    for (int i = 0; i < 5; i++)
        bin_settle(bin, false);
    ck_assert_uint_gt(bin->npeak, 50000);
    bin_settle(bin, false);
    ck_assert_uint_lt(bin->npeak, 50000);
}
END_TEST

static void put_one(void *regions)
{
    bin_put(bin, regions, 1, "free");
}

static void put_two(void *regions)
{
    bin_put(bin, regions, 2, "free");
}

START_TEST(bad_regions_are_fatal)
{
    struct run *r = add_run();

    add_run();
    take(2 * nregions());
    void *twice[2] = { out[4], out[4] }, *inside = (char *)out[4] + 16;
    void *tail = (void *)(run_address(r) + 341 * 48);
    dies(put_two, twice, "free(): double free of");
    dies(put_one, &inside, "free(): invalid pointer");
    dies(put_one, &inside, "inside a block of 48 bytes at");
    dies(put_one, &tail, "free(): invalid pointer");
}
END_TEST

/* Its run has gone home, or belongs to another class by now. */
START_TEST(a_region_of_a_run_that_left)
{
    struct run *r = add_run();

    add_run();
    add_run();
    take(3 * nregions());
    void *old = out[0];
    put(out + nregions(), 2 * nregions());      /* one current, one spare */
    ck_assert_uint_eq(put(out, nout), 1);
    ck_assert_int_eq(r->state, RUN_DIRTY);
    dies(put_one, &old, "free(): double free of");
}
END_TEST

/* Its chunk has gone home as well: there is no run to be asked. */
START_TEST(a_region_of_a_chunk_that_left)
{
    void *stale = (void *)(7 * (uintptr_t)CHUNK + PAGE);

    dies(put_one, &stale, "free(): double free of");
}
END_TEST

/* The region that a bin of one run takes first, then second, ... with dice. */
static unsigned thrown(struct bin *b, struct run *r)
{
    void *p;

    ck_assert_uint_eq(bin_take(b, 1, &p + 1), 1);
    return region_index(class, (uint32_t)((uintptr_t)p - run_address(r)));
}

/* Two bins of a class, in two arenas: the dice of one do not tell the other's. */
START_TEST(no_two_bins_throw_alike)
{
    static struct bin other;
    struct run *mine = add_run(), *its = cut_run();
    unsigned alike = 0;

    ck_assert_int_eq(mprotect(&options, sizeof options, PROT_READ | PROT_WRITE), 0);  /* sealed */
    options.random_place = true;
    bin_start(&other, class);
    bin_add(&other, its);
    for (int i = 0; i < 40; i++)
        alike += thrown(bin, mine) == thrown(&other, its);
    ck_assert_uint_lt(alike, 10);
}
END_TEST

START_TEST(the_numbers_of_the_chapter)
{
    unsigned c = 47;

    ck_assert_uint_eq(sizeclasses[3].nmagazine, 254);
    ck_assert_uint_eq(sizeof(struct magazine) + 254 * sizeof(void *), 2048);
    ck_assert_uint_eq(NSMALL - 1, c);
    ck_assert_uint_eq(sizeclasses[c].npages, 7);
    ck_assert_uint_eq(2 * 7 * PAGE, 224 * 1024);
    ck_assert_uint_eq(sizeclasses[c].nregions, 2);
    ck_assert_uint_eq(sizeclasses[c].size, 56 * 1024);
    ck_assert_uint_eq(7 * PAGE, 114688);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, an_empty_bin_has_nothing);
    tcase_add_test(t, lowest_run_first);
    tcase_add_test(t, of_many_that_wait_the_lowest);
    tcase_add_test(t, one_spare_is_kept);
    tcase_add_test(t, several_leave_at_once);
    tcase_add_loop_test(t, nothing_is_lost, 1, NSMALL);
    tcase_add_test(t, as_much_as_was_in_use);
    tcase_add_test(t, a_small_depot_is_always_allowed);
    tcase_add_test(t, last_in_first_out);
    tcase_add_test(t, magazines_go_round);
    tcase_add_test(t, settle_hands_out_empty_ones);
    tcase_add_test(t, settle_takes_what_nobody_needed);
    tcase_add_test(t, settle_all_takes_all);
    tcase_add_test(t, the_peak_fades);
    tcase_add_test(t, bad_regions_are_fatal);
    tcase_add_test(t, a_region_of_a_run_that_left);
    tcase_add_test(t, a_region_of_a_chunk_that_left);
    tcase_add_test(t, no_two_bins_throw_alike);
    tcase_add_test(t, the_numbers_of_the_chapter);
}

int main(void)
{
    return unit_run("bin", add_tests);
}
