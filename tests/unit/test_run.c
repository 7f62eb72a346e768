/* test_run.c -- the laws R1 to R5 of the chapter on runs. */

#include "arena.h"
#include "pagemap.h"

#include "unit.h"

/* The numbers of the chapter. */
static_assert(offsetof(struct run, chunk) == 32, "table: chunk");
static_assert(offsetof(struct run, npages) == 42, "table: npages");
static_assert(offsetof(struct run, state) == 44, "table: state");
static_assert(offsetof(struct run, class) == 45, "table: class");
static_assert(offsetof(struct run, waiting) == 46, "table: waiting");
static_assert(offsetof(struct run, hint) == 47, "table: hint");
static_assert(offsetof(struct run, nfree) == 48, "table: nfree");
static_assert(offsetof(struct run, free) == 56, "word 0 in the first line");
static_assert(sizeof((struct run){ 0 }.free) == 128, "1024 regions");

enum { MOST = PAGE / QUANTUM };

static struct arena own;                /* for its page heap */
static struct run *run;
static unsigned class;
static void *got[MOST];                 /* what take() took: got[0] first */

static void start(void)
{
    free(malloc(1));                    /* starts the rooms below */
    pageheap_start(&own.pages, &own);
    srand(5);
}

static void cut(unsigned c)
{
    bool zeroed;
    size_t npages = sizeclasses[c].npages;

    class = c;
    while ((run = pageheap_take(&own.pages, npages, PAGE, RUN_SMALL, &zeroed))
           == NULL)
        ck_assert(pageheap_grow(&own.pages));
    run_cut(run, c);
}

static unsigned nregions(void)
{
    return sizeclasses[class].nregions;
}

static uintptr_t region_at(unsigned i)
{
    return run_address(run) + i * sizeclasses[class].size;
}

static enum run_answer put_one(struct run *from, uintptr_t region)
{
    unsigned n;

    return run_put(from, &(void *){ (void *)region }, 1, &n);
}

static unsigned take(unsigned want)
{
    static void *out[MOST];
    unsigned n = run_take(run, want, out + MOST);

    for (unsigned i = 0; i < n; i++)
        got[i] = out[MOST - 1 - i];
    ck_assert(run_check(run));
    return n;
}

START_TEST(a_fresh_run_is_free)
{
    cut((unsigned)_i);
    ck_assert(run_check(run));
    ck_assert_uint_eq(run->nfree, nregions());
    for (unsigned i = 0; i < run->npages; i++)
        ck_assert_uint_eq(pagemap_class((char *)run_address(run) + i * PAGE),
                          class);
    ck_assert_uint_eq(take(0), 0);
    ck_assert_uint_eq(take(MOST), nregions());
    for (unsigned i = 0; i < nregions(); i++)
        ck_assert_uint_eq((uintptr_t)got[i], region_at(i));
    ck_assert_uint_eq(take(1), 0);
    ck_assert_uint_eq(run->nfree, 0);
}
END_TEST

/* Against a plain model: what is out, and the lowest first. */
START_TEST(as_the_model_says)
{
    bool out[MOST] = { false };
    unsigned nout = 0;

    cut((unsigned)_i);
    for (int step = 0; step < 600; step++) {
        if (rand() % 2) {
            unsigned want = (unsigned)rand() % (nregions() + 2), i = 0;
            unsigned n = take(want), left = nregions() - nout;
            ck_assert_uint_eq(n, want < left ? want : left);
            for (unsigned k = 0; k < n; k++) {
                while (out[i])
                    i++;
                ck_assert_uint_eq((uintptr_t)got[k], region_at(i));
                out[i] = true;
            }
            nout += n;
        } else {
            for (unsigned k = (unsigned)rand() % (nout + 1); k > 0; k--) {
                unsigned i = (unsigned)rand() % nregions();
                while (!out[i])
                    i = (i + 1) % nregions();
                ck_assert_int_eq(put_one(run, region_at(i)), RUN_OK);
                out[i] = false;
                nout--;
            }
            ck_assert(run_check(run));
        }
        ck_assert_uint_eq(run->nfree, nregions() - nout);
    }
}
END_TEST

START_TEST(a_second_put_is_found)
{
    cut((unsigned)_i);
    ck_assert_uint_eq(take(MOST), nregions());
    for (unsigned i = 0; i < nregions(); i++) {
        ck_assert_int_eq(put_one(run, region_at(i)), RUN_OK);
        ck_assert_int_eq(put_one(run, region_at(i)), RUN_FREE_ALREADY);
    }
    ck_assert(run_check(run));
    ck_assert_uint_eq(run->nfree, nregions());
}
END_TEST

/* Every byte of the run but the first of each region, the tail included. */
START_TEST(what_is_no_start_is_found)
{
    size_t end = (size_t)sizeclasses[_i].npages * PAGE, next = 0;

    cut((unsigned)_i);
    take(MOST);
    for (size_t offset = 0; offset < end; offset++) {
        uintptr_t p = run_address(run) + offset;
        bool is_start = offset == next && offset / sizeclasses[class].size
                                              < nregions();
        ck_assert_int_eq(run_asks(run, p),
                         is_start ? RUN_OK : RUN_INTERIOR);
        ck_assert(run_holds(run, p));
        if (is_start)
            next += sizeclasses[class].size;
        else
            ck_assert_int_eq(put_one(run, p), RUN_INTERIOR);
    }
    ck_assert_uint_eq(run->nfree, 0);
    ck_assert(!run_holds(run, run_address(run) - 1));
    ck_assert(!run_holds(run, run_address(run) + end));
}
END_TEST

START_TEST(every_page_leads_to_the_run)
{
    cut((unsigned)_i);
    for (uintptr_t p = run_address(run); run_holds(run, p); p += 1024)
        ck_assert_ptr_eq(run_of(run->chunk, p), run);
}
END_TEST

START_TEST(an_uncut_run_is_out_of_the_map)
{
    cut((unsigned)_i);
    run_uncut(run);
    for (unsigned i = 0; i < run->npages; i++)
        ck_assert_uint_eq(pagemap_class((char *)run_address(run) + i * PAGE),
                          CLASS_NONE);
    ck_assert(pageheap_put(&own.pages, run, RUN_SMALL));
}
END_TEST

/* The worked examples: class 3, 0x150 bytes from the start, 100 of 337. */
START_TEST(the_worked_examples)
{
    ck_assert_uint_eq(sizeclasses[3].size, 48);
    ck_assert_uint_eq(sizeclasses[3].nregions, 341);
    ck_assert_uint_eq(PAGE - 341 * 48, 16);
    ck_assert_uint_eq(region_index(3, 0x150), 7);
    ck_assert_uint_eq(region_index(3, 0x158), 7);
    ck_assert_uint_eq(region_index(3, 0x3fe8), 340);
    cut(3);
    ck_assert_uint_eq(take(5), 5);
    ck_assert_int_eq(put_one(run, region_at(3)), RUN_OK);
    ck_assert_uint_eq(run->nfree, 337);
    ck_assert_uint_eq(take(100), 100);
    ck_assert_uint_eq(run->hint, 1);
    ck_assert_uint_eq(run->nfree, 237);
    cut(1);
    take(MOST);
    ck_assert_uint_eq(run->hint, 15);
    static const unsigned put[] = { 700, 70, 7 }, hint[] = { 10, 1, 0 },
                          then[] = { 0, 1, 10 };
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(put_one(run, region_at(put[i])), RUN_OK);
        ck_assert_uint_eq(run->hint, hint[i]);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(take(1), 1);
        ck_assert_uint_eq(run->hint, then[i]);
    }
}
END_TEST

START_TEST(what_the_chapter_counts)
{
    unsigned one_word = 0, no_tail = 0;

    for (unsigned c = 1; c < NSMALL; c++) {
        const struct sizeclass *s = &sizeclasses[c];
        one_word += s->nregions <= 64;
        no_tail += s->npages * (unsigned)PAGE == s->nregions * s->size;
    }
    ck_assert_uint_eq(NSMALL - 1, 47);
    ck_assert_uint_eq(one_word, 36);
    ck_assert_uint_eq(no_tail, 26);
    ck_assert_uint_eq(sizeclasses[12].size, 256);
    ck_assert_uint_eq(sizeclasses[12].nregions, 64);
    ck_assert_uint_eq(sizeclasses[34].size, 7168);
    ck_assert_uint_eq(4 * PAGE - 9 * 7168, 1024);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_loop_test(t, a_fresh_run_is_free, 1, NSMALL);
    tcase_add_loop_test(t, as_the_model_says, 1, NSMALL);
    tcase_add_loop_test(t, a_second_put_is_found, 1, NSMALL);
    tcase_add_loop_test(t, what_is_no_start_is_found, 1, NSMALL);
    tcase_add_loop_test(t, every_page_leads_to_the_run, 1, NSMALL);
    tcase_add_loop_test(t, an_uncut_run_is_out_of_the_map, 1, NSMALL);
    tcase_add_test(t, the_worked_examples);
    tcase_add_test(t, what_the_chapter_counts);
}

int main(void)
{
    return unit_run("run", add_tests);
}
