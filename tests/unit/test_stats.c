#define _GNU_SOURCE /* F_SETPIPE_SZ */
/* test_stats.c -- the laws S1 to S4 of the chapter on stats. */

#include "arena.h"
#include "stats.h"
#include "thread.h"

#include "litmalloc.h"

#include "unit.h"

#include <fcntl.h>

static struct stats collected(void)
{
    struct stats s;

    stats_collect(&s);
    return s;
}

/* S1: what small runs and large regions have, has exactly one owner. */
START_TEST(parts_make_the_whole)
{
    void *p[200];
    size_t used = 0;

    for (size_t i = 0; i < 200; i++)
        ck_assert_ptr_nonnull(p[i] = malloc(i * i * 10 + 1));
    for (size_t i = 0; i < 200; i += 3)
        free(p[i]);
    struct stats s = collected();
    for (uint32_t i = 0; i < arena_limit; i++)
        if (arenas[i] != NULL)
            used += arenas[i]->pages.nused * PAGE;
    ck_assert_uint_eq(s.live - s.huge + s.cached + s.parked + s.loose, used);
    for (size_t i = 0; i < 200; i++)
        if (i % 3 != 0)
            free(p[i]);
}
END_TEST

/* S2: a block counts from malloc to free, wherever its region goes then. */
START_TEST(live_follows_malloc_and_free)
{
    unsigned c = (unsigned)_i;
    size_t size = sizeclasses[c].size, before = collected().live;
    void *p[9];

    for (size_t i = 0; i < 9; i++) {
        ck_assert_ptr_nonnull(p[i] = malloc(size));
        ck_assert_uint_eq(collected().live, before + (i + 1) * size);
    }
    for (size_t i = 0; i < 9; i++) {
        free(p[i]);
        ck_assert_uint_eq(collected().live, before + (8 - i) * size);
    }
}
END_TEST

START_TEST(huge_blocks_are_live_too)
{
    struct stats before = collected();
    void *p = malloc(5 * LARGE_MAX);

    ck_assert_ptr_nonnull(p);
    struct stats s = collected();
    ck_assert_uint_eq(s.live, before.live + 5 * LARGE_MAX);
    ck_assert_uint_eq(s.huge, before.huge + 5 * LARGE_MAX);
    ck_assert_uint_eq(s.nhuge, before.nhuge + 1);
    free(p);
    s = collected();
    ck_assert_uint_eq(s.live, before.live);
    ck_assert_uint_eq(s.kept, before.kept + 5 * LARGE_MAX);
}
END_TEST

/* S3, and S4. */
START_TEST(collecting_changes_nothing)
{
    void *p = malloc(100000);
    struct stats a = collected(), b = collected();

    ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
    ck_assert_uint_le(a.live + a.cached + a.parked + a.loose + a.dirty
                          + a.kept + a.records,
                      a.mapped);
    free(p);
}
END_TEST

START_TEST(purging_empties_the_rows)
{
    void *p[64];

    for (size_t i = 0; i < 64; i++)
        p[i] = malloc(50000);
    for (size_t i = 0; i < 64; i++)
        free(p[i]);
    size_t nbytes = lit_purge();
    struct stats s = collected();       /* before Check allocates anything */
    ck_assert_uint_gt(nbytes, 0);
    ck_assert_uint_eq(s.cached, 0);
    ck_assert_uint_eq(s.parked, 0);
    ck_assert_uint_eq(s.dirty, 0);
    ck_assert_uint_eq(s.kept, 0);
}
END_TEST

/* The example of the chapter: 100 live blocks of 48 bytes, 27 cached. */
START_TEST(the_worked_example)
{
    ck_assert_uint_eq(sizeclasses[3].size, 48);
    ck_assert_uint_eq(sizeclasses[3].nregions, 341);
    ck_assert_uint_eq(sizeclasses[3].npages, 1);
    ck_assert_uint_eq(PAGE - 127 * 48, 10288);
    ck_assert_uint_eq(PAGE - 27 * 48 - 10288, 100 * 48);
}
END_TEST

/* The report is one page: under 60 lines, the first names us. */
START_TEST(the_report_is_a_page)
{
    char text[8192];
    int pipes[2], nlines = 0;
    ssize_t n;

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_ge(fcntl(pipes[1], F_SETPIPE_SZ, 65536), 8192);
    lit_report(pipes[1]);
    n = read(pipes[0], text, sizeof text - 1);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    ck_assert_int_eq(strncmp(text, "litmalloc:", 10), 0);
    ck_assert_ptr_nonnull(strstr(text, "  live "));
    ck_assert_ptr_nonnull(strstr(text, "  resident "));
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        nlines++;
    ck_assert_int_gt(nlines, 11);
    ck_assert_int_lt(nlines, 60);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, parts_make_the_whole);
    tcase_add_loop_test(t, live_follows_malloc_and_free, 1, NCLASSES);
    tcase_add_test(t, huge_blocks_are_live_too);
    tcase_add_test(t, collecting_changes_nothing);
    tcase_add_test(t, purging_empties_the_rows);
    tcase_add_test(t, the_worked_example);
    tcase_add_test(t, the_report_is_a_page);
}

int main(void)
{
    return unit_run("stats", add_tests);
}
