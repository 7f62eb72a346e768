/* test_fresh.c -- F1 to F4 of the chapter on fresh pages: the plan against a page by
 * page model, and the calls against the kernel. */

#define _GNU_SOURCE
#include "fresh.h"

#include "options.h"
#include "pages.h"

#include "unit.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  /* Linux 5.14; musl does not name it */
#endif

enum { SMALL = 64, GROWN = 8 * 1024 * 1024 / PAGE };

static_assert(HUGE_PAGES == 128, "two huge pages in a chunk");

static unsigned nhuge, npopulated, nkept_small;
static long refused;

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    nhuge += n == SYS_madvise && c == MADV_HUGEPAGE;
    npopulated += n == SYS_madvise && c == MADV_POPULATE_WRITE;
    nkept_small += n == SYS_madvise && c == MADV_NOHUGEPAGE;
    return n == SYS_madvise && c == refused ? -22
                                            : system_call(n, a, b, c, d, e, f);
}

/* What the plan has backed, page by page: 0 nothing, 1 single pages, 2 huge. */
static char backed[CHUNK_PAGES];

static void carry_out(struct backing f)
{
    for (unsigned i = f.first; i < f.first + f.npages; i++) {
        ck_assert_uint_lt(i, CHUNK_PAGES);
        backed[i] = backed[i] == 0 ? 1 : backed[i];
    }
    for (unsigned i = f.first_huge; i < f.first_huge + f.nhuge; i++) {
        ck_assert_uint_lt(i, CHUNK_PAGES);
        ck_assert_int_eq(backed[i], 0);                         /* F2 */
        backed[i] = 2;
    }
    ck_assert_uint_eq(f.first_huge % HUGE_PAGES, 0);
    ck_assert_uint_eq(f.nhuge % HUGE_PAGES, 0);
}

/* The numbers of the chapter, one heap after the other. */
START_TEST(the_numbers_in_the_chapter)
{
    struct frontier at = { 0, false };
    struct backing f = fresh_plan(&at, 0, 1, 1);

    ck_assert_uint_eq(f.npages + f.nhuge, 0);           /* a tiny heap: nothing */
    ck_assert_uint_eq(at.page, 1);
    f = fresh_plan(&at, 1, 1, 16);                      /* 16 pages: two ahead */
    ck_assert(f.first == 1 && f.npages == 2 && f.nhuge == 0);
    ck_assert_uint_eq(at.page, 3);
    f = fresh_plan(&at, 2, 1, 17);                      /* has memory already */
    ck_assert_uint_eq(f.npages + f.nhuge, 0);
    f = fresh_plan(&at, 3, 8, SMALL);                   /* no more than four */
    ck_assert(f.first == 3 && f.npages == 4 && f.nhuge == 0);
    ck_assert_uint_eq(at.page, 11);
}
END_TEST

START_TEST(a_grown_heap_gets_huge_pages)
{
    struct frontier at = { 0, false };
    struct backing f = fresh_plan(&at, 0, 1, GROWN);

    ck_assert(f.npages == 0 && f.first_huge == 0 && f.nhuge == HUGE_PAGES);
    ck_assert_uint_eq(at.page, HUGE_PAGES);
    f = fresh_plan(&at, 1, 100, GROWN + 100);
    ck_assert_uint_eq(f.npages + f.nhuge, 0);
    /* Half begun with single pages is not made huge; the next one is. */
    at = (struct frontier){ 120, false };
    f = fresh_plan(&at, 120, 16, GROWN);
    ck_assert(f.first == 120 && f.npages == 4);
    ck_assert(f.first_huge == HUGE_PAGES && f.nhuge == HUGE_PAGES);
    ck_assert_uint_eq(at.page, CHUNK_PAGES);
    /* One page less, or told not to: none. */
    at = (struct frontier){ 0, false };
    ck_assert_uint_eq(fresh_plan(&at, 0, 1, GROWN - 1).nhuge, 0);
    options.thp_from = -1;
    at = (struct frontier){ 0, false };
    ck_assert_uint_eq(fresh_plan(&at, 0, 1, SIZE_MAX / PAGE).nhuge, 0);
}
END_TEST

/* F4. */
START_TEST(what_was_given_back_is_backed_again)
{
    struct frontier at = { 100, false };

    ck_assert_uint_eq(fresh_plan(&at, 10, 3, SMALL).npages, 0);
    at.has_holes = true;
    struct backing f = fresh_plan(&at, 10, 3, SMALL);
    ck_assert(f.first == 10 && f.npages == 3 && f.nhuge == 0 && at.page == 100);
    ck_assert_uint_eq(fresh_plan(&at, 10, 30, GROWN).npages, AHEAD_MAX);
    ck_assert_uint_eq(fresh_plan(&at, 10, 30, 7).npages, 0);
}
END_TEST

/* Runs taken at random, as a page heap takes them: F1 to F3 after each. */
START_TEST(a_model_page_by_page)
{
    const char *said = getenv("SEED");
    unsigned seed = said != NULL ? (unsigned)atoi(said) : 1 + (unsigned)_i;

    fprintf(stderr, "SEED=%u\n", seed);
    srand(seed);
    for (int round = 0; round < 200; round++) {
        struct frontier at = { 0, false };
        size_t nused = (size_t)(rand() % (2 * GROWN)), first = 0;
        memset(backed, 0, sizeof backed);
        while (first < CHUNK_PAGES) {
            size_t room = CHUNK_PAGES - first, n = 1 + (size_t)rand() % 40;
            if (rand() % 8 == 0)
                first += n < room ? n / 2 : 0;          /* an aligned run */
            n = n < CHUNK_PAGES - first ? n : CHUNK_PAGES - first;
            nused += n;
            size_t before = at.page, ahead = nused / 8 < AHEAD_MAX ? nused / 8 : AHEAD_MAX;
            struct backing f = fresh_plan(&at, first, n, nused);
            carry_out(f);
            ck_assert_uint_ge(at.page, before);                 /* F1 */
            ck_assert_uint_ge(at.page, first + n);
            for (size_t i = at.page; i < CHUNK_PAGES; i++)
                ck_assert_int_eq(backed[i], 0);
            ck_assert_uint_le(f.npages, ahead);                 /* F3 */
            ck_assert(f.nhuge == 0 || nused >= GROWN);
            first += n;
        }
    }
}
END_TEST

START_TEST(the_kernel_does_it)
{
    unsigned char resident[CHUNK / 4096];
    char *c = pages_map_aligned(CHUNK, CHUNK);

    ck_assert_ptr_nonnull(c);
    pages_keep_small(c, CHUNK);
    c[5 * PAGE] = 7;
    fresh_back((uintptr_t)c, (struct backing){ 4, 3, HUGE_PAGES, HUGE_PAGES });
    ck_assert(nhuge == 1 && npopulated == 2 && nkept_small == 2);
    ck_assert_int_eq(mincore(c, CHUNK, resident), 0);
    if ((resident[16] & 1) == 0) {
        fprintf(stderr, "this kernel does not populate: residency not checked\n");
    } else {
        for (size_t i = 0; i < CHUNK / 4096; i++)
            ck_assert_uint_eq(resident[i] & 1, (i >= 16 && i < 28) || i >= 512);
    }
    ck_assert_int_eq(c[5 * PAGE], 7);
    ck_assert(c[CHUNK / 2] == 0 && memcmp(c + CHUNK / 2, c + CHUNK / 2 + 1,
                                          CHUNK / 2 - 1) == 0);
}
END_TEST

/* An old kernel knows none of this; memory comes by touch, as ever. */
START_TEST(refusals_do_no_harm)
{
    static const long advice[] = { MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_POPULATE_WRITE };
    char *c = pages_map_aligned(CHUNK, CHUNK);

    ck_assert_ptr_nonnull(c);
    for (unsigned i = 0; i < 3; i++) {
        refused = advice[i];
        fresh_back((uintptr_t)c, (struct backing){ 0, 3, HUGE_PAGES, HUGE_PAGES });
        memset(c, 1, CHUNK);
        ck_assert(pages_purge(c, CHUNK));
        ck_assert_int_eq(c[CHUNK / 2], 0);
    }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, the_numbers_in_the_chapter);
    tcase_add_test(t, a_grown_heap_gets_huge_pages);
    tcase_add_test(t, what_was_given_back_is_backed_again);
    tcase_add_loop_test(t, a_model_page_by_page, 0, 8);
    tcase_add_test(t, the_kernel_does_it);
    tcase_add_test(t, refusals_do_no_harm);
}

int main(void)
{
    return unit_run("fresh", add);
}
