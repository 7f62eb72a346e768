/* test_sizeclass.c -- the size classes: S1 to S5, and the theorems of the chapter. */

#include "sizeclass.h"

#include "unit.h"

/* What the chapters say in prose. */
static_assert(sizeof(struct sizeclass) == 16, "four to a cache line");
static_assert(NCLASSES - 1 == 68 && NSMALL - 1 == 47, "68 classes, 47 small");
static_assert(sizeof sizeclasses == 1104, "the whole array");
static_assert(TABLE_MAX == 1024, "the table ends there");
static_assert(SMALL_MAX == 57344 && LARGE_MAX == 2097152, "56 KiB, 2 MiB");

static const uint8_t table[] = { SIZECLASS_TABLE };

static_assert(sizeof table == TABLE_MAX + 1, "an entry for each request");

static size_t run_bytes(unsigned c)
{
    return (size_t)sizeclasses[c].npages * PAGE;
}

START_TEST(sizes)
{
    for (unsigned c = 1; c < NCLASSES; c++) {
        ck_assert_uint_gt(sizeclasses[c].size, sizeclasses[c - 1].size);  /* S1 */
        ck_assert_uint_eq(sizeclasses[c].size % QUANTUM, 0);
    }
    for (unsigned c = 1; c <= 8; c++)
        ck_assert_uint_eq(sizeclasses[c].size, 16 * c);
    /* Four equal steps a doubling, and nine eighths of four powers of two. */
    for (unsigned c = 9, i = 0; c < NCLASSES; c++, i++) {
        unsigned k = i / 4 + 7, j = i % 4 + 1;
        if (j == 1 && k >= 10 && k <= 13)
            ck_assert_uint_eq(sizeclasses[c++].size, 9 * POW2(k - 3));
        ck_assert_uint_eq(sizeclasses[c].size, POW2(k) + j * POW2(k - 2));
    }
    ck_assert_uint_eq(sizeclasses[NSMALL - 1].size, SMALL_MAX);
    ck_assert_uint_eq(sizeclasses[NCLASSES - 1].size, LARGE_MAX);
    ck_assert_uint_eq(sizeclasses[CLASS_NONE].size, 0);
}
END_TEST

START_TEST(runs)
{
    for (unsigned c = 1; c < NCLASSES; c++) {
        const struct sizeclass *s = &sizeclasses[c];
        ck_assert_uint_eq(s->nregions, run_bytes(c) / s->size);         /* S2 */
        if (!sizeclass_is_small(c)) {
            ck_assert_uint_eq(s->nregions, 1);
            ck_assert_uint_eq(run_bytes(c), s->size);
            continue;
        }
        ck_assert_uint_ge(s->nregions, 2);
        ck_assert_uint_le(s->npages, 7);
        ck_assert_uint_le(s->nregions, PAGE / QUANTUM);                 /* S3 */
        size_t left = run_bytes(c) - (size_t)s->nregions * s->size;
        ck_assert_uint_le(64 * left, run_bytes(c));                     /* S4 */
        if (s->size <= 512) {
            ck_assert_uint_eq(s->npages, 1);
            ck_assert_uint_ge(s->nregions, 32);
        }
    }
}
END_TEST

START_TEST(caches)
{
    for (unsigned c = 1; c < NCLASSES; c++) {
        size_t n = sizeclasses[c].ncached, m = sizeclasses[c].nmagazine;
        ck_assert(is_pow2(n + 1));                                      /* S5 */
        ck_assert_uint_le(n, 511);
        if (!sizeclass_is_small(c)) {
            ck_assert_uint_eq(n, 0);
            ck_assert_uint_eq(m, 0);
            continue;
        }
        size_t size = sizeclasses[c].size;
        size_t most = (size > 4096 && size <= 16384 ? 256 : 128) * 1024;
        ck_assert_uint_le(n * size, most);
        /* And it is the largest such number. */
        if (n != 511 && (2 * n + 1) * size <= most)
            ck_abort_msg("class %u could keep more than %zu", c, n);
        /* Magazines for the small ones alone; two words of header. */
        ck_assert_uint_eq(m > 0, size <= 1024);
        ck_assert_uint_le(m, n);
        ck_assert(m == 0 || is_pow2(m + 2));
    }
}
END_TEST

/* The class of the book's examples. */
START_TEST(as_in_the_book)
{
    const struct sizeclass *s = &sizeclasses[3];

    ck_assert_uint_eq(s->size, 48);
    ck_assert_uint_eq(s->npages, 1);
    ck_assert_uint_eq(s->nregions, 341);
    ck_assert_uint_eq(run_bytes(3) - 341 * 48, 16);
    ck_assert_uint_eq(s->ncached, 511);
    ck_assert_uint_eq(s->nmagazine, 254);
    ck_assert_uint_eq(s->reciprocal, 89478486);
    ck_assert_uint_eq(sizeclass_of(1000), 20);
    ck_assert_uint_eq(sizeclasses[20].size, 1024);
    ck_assert_uint_eq(sizeclasses[20].npages, 2);
    ck_assert_uint_eq(sizeclasses[20].ncached, 127);
    ck_assert_uint_eq(sizeclasses[sizeclass_of(4096)].ncached, 31);
    ck_assert_uint_eq(sizeclasses[sizeclass_of(8192)].ncached, 31);
    ck_assert_uint_eq(sizeclasses[47].ncached, 1);
    ck_assert_uint_eq(sizeclasses[49].size, 80 * 1024);
    ck_assert_uint_eq(sizeclass_of(0), 1);
    ck_assert_uint_eq(sizeclass_of(50), 4);
    ck_assert_uint_eq(sizeclass_of(256), 12);
    ck_assert_uint_eq(sizeclass_of(257), 13);
    ck_assert_uint_eq(sizeclass_of(1025), 21);
    ck_assert_uint_eq(sizeclass_of(4368), 31);
    ck_assert_uint_eq(sizeclasses[31].size, 4608);
    ck_assert_uint_eq(sizeclass_of(SMALL_MAX + 1), NSMALL);
}
END_TEST

/* Against a search from below, for every request there is. */
START_TEST(class_of_each_request)
{
    unsigned c = 1;

    ck_assert_uint_eq(sizeclass_of(0), 1);
    for (size_t n = 1; n <= LARGE_MAX; n++) {
        while (sizeclasses[c].size < n)
            c++;
        if (sizeclass_of(n) != c)
            ck_abort_msg("request %zu: class %u, not %u", n,
                         sizeclass_of(n), c);
        if (!sizeclass_serves(c, n) || (c > 1 && sizeclass_serves(c - 1, n))
            || (c + 1 < NCLASSES && sizeclass_serves(c + 1, n)))
            ck_abort_msg("request %zu: not class %u alone", n, c);
    }
    ck_assert_uint_ge(sizeclass_of((size_t)LARGE_MAX + 1), NCLASSES);
}
END_TEST

START_TEST(the_tables)
{
    for (size_t n = 0; n <= TABLE_MAX; n++)
        ck_assert_uint_eq(table[n], sizeclass_of(n));
    for (size_t n = TABLE_MAX + 1; n <= SMALL_MAX; n++)
        ck_assert_uint_eq(sizeclass_medium(n), sizeclass_of(n));
}
END_TEST

START_TEST(small_or_not)
{
    ck_assert(!sizeclass_is_small(CLASS_NONE));
    ck_assert(sizeclass_is_small(1));
    ck_assert(sizeclass_is_small(47));
    ck_assert(!sizeclass_is_small(48));
    ck_assert(!sizeclass_is_small(68));
}
END_TEST

/* The theorem: less than a fifth above 64 bytes, and no smaller bound. */
START_TEST(a_fifth_at_most)
{
    for (size_t n = 65; n <= LARGE_MAX; n++) {
        size_t size = sizeclasses[sizeclass_of(n)].size;
        if (5 * (size - n) >= size)
            ck_abort_msg("request %zu gets %zu", n, size);
    }
    size_t n = POW2(20) + 1, size = sizeclasses[sizeclass_of(n)].size;
    ck_assert_uint_eq(size, 1310720);
    ck_assert_uint_eq(5 * (size - n + 1), size);
    /* At 64 bytes and below it is not true. */
    ck_assert_uint_eq(sizeclasses[sizeclass_of(49)].size, 64);
    ck_assert_uint_ge(5 * (64 - 49), 64);
}
END_TEST

/* The lemma: the class of a multiple of the alignment is one. */
START_TEST(aligned)
{
    for (size_t a = 1; a <= PAGE; a *= 2)
        for (size_t n = 0; n <= SMALL_MAX; n++) {
            unsigned c = sizeclass_aligned(n, a);
            if (c == CLASS_NONE) {
                ck_assert_uint_gt(round_up(n, a), SMALL_MAX);
                continue;
            }
            size_t size = sizeclasses[c].size;
            if (size % a != 0 || size < n || c >= NSMALL)
                ck_abort_msg("%zu at %zu: class %u", n, a, c);
            /* No smaller class would have done. */
            for (unsigned d = sizeclass_of(n); d < c; d++)
                ck_assert_uint_ne(sizeclasses[d].size % a, 0);
        }
    ck_assert_uint_eq(sizeclasses[sizeclass_aligned(130, 256)].size, 256);
    ck_assert_uint_eq(sizeclasses[sizeclass_aligned(130, 64)].size, 192);
    ck_assert_uint_eq(sizeclass_aligned(SMALL_MAX, PAGE), CLASS_NONE);
}
END_TEST

/* The other theorem, by division, with its one exception. */
START_TEST(region_of_each_offset)
{
    for (unsigned c = 1; c < NSMALL; c++)
        for (uint32_t x = 0; x < run_bytes(c); x++)
            if ((c != 47 || x != 114687)
                && region_index(c, x) != x / sizeclasses[c].size)
                ck_abort_msg("class %u, offset %u: region %u", c, x,
                             region_index(c, x));
    ck_assert_uint_eq(region_index(47, 114687), 2);
}
END_TEST

/* Whatever the index, multiplying back gives the offset only for a start:
 * that is what the callers rely on, for large runs as well. */
START_TEST(region_starts)
{
    for (unsigned c = 1; c < NCLASSES; c++)
        for (uint32_t x = 0; x < run_bytes(c); x++) {
            bool starts = region_index(c, x) * sizeclasses[c].size == x;
            if (starts != (x % sizeclasses[c].size == 0))
                ck_abort_msg("class %u, offset %u", c, x);
        }
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, sizes);
    tcase_add_test(t, runs);
    tcase_add_test(t, caches);
    tcase_add_test(t, as_in_the_book);
    tcase_add_test(t, class_of_each_request);
    tcase_add_test(t, the_tables);
    tcase_add_test(t, small_or_not);
    tcase_add_test(t, a_fifth_at_most);
    tcase_add_test(t, aligned);
    tcase_add_test(t, region_of_each_offset);
    tcase_add_test(t, region_starts);
}

int main(void)
{
    return unit_run("sizeclass", add_tests);
}
