/* allocate.c -- malloc, calloc, reallocarray and malloc_usable_size: sizes,
 * alignment, zeroing, and what they answer to a size that cannot be. */
#include "api.h"
#include "refuse.h"

enum { NZERO = 1000 };

START_TEST(malloc_of_0_gives_distinct_blocks)
{
    void *p[NZERO];
    for (int i = 0; i < NZERO; i++) {
        p[i] = malloc(opaque(0));
        ck_assert_ptr_nonnull(p[i]);
        ck_assert(is_aligned(p[i], 16));
        for (int j = 0; j < i; j++)
            ck_assert_ptr_ne(p[i], p[j]);
    }
    for (int i = 0; i < NZERO; i++)
        free(p[i]);
}
END_TEST

START_TEST(calloc_of_0_gives_a_block)
{
    void *p = calloc(opaque(0), 8), *q = calloc(8, opaque(0));
    ck_assert(p != NULL && q != NULL && p != q);
    free(p);
    free(q);
}
END_TEST

/* 16 is alignof(max_align_t); some allocators give 8 to small requests. */
START_TEST(every_block_is_16_byte_aligned)
{
    for (size_t n = 0; n < 70 * KiB; n += n < 2048 ? 1 : 97) {
        void *p = malloc(opaque(n)), *q = calloc(1, opaque(n));
        ck_assert_msg(is_aligned(p, 16) && is_aligned(q, 16), "size %zu: %p %p", n, p, q);
        free(p);
        free(q);
    }
    for (size_t n = 70 * KiB; n <= 64 * MiB; n = n * 3 / 2 + 1) {
        void *p = malloc(opaque(n));
        ck_assert_msg(p != NULL && is_aligned(p, 16), "size %zu: %p", n, p);
        free(p);
    }
}
END_TEST

START_TEST(size_above_ptrdiff_max_is_refused)
{
    const size_t sizes[] = { PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096,
                             SIZE_MAX - 64, SIZE_MAX - 15, SIZE_MAX - 1, SIZE_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_fails(malloc(opaque(sizes[i])), ENOMEM);
        ck_fails(calloc(1, opaque(sizes[i])), ENOMEM);
        ck_fails(calloc(opaque(sizes[i]), 1), ENOMEM);
        ck_fails(realloc(NULL, opaque(sizes[i])), ENOMEM);
        ck_fails(reallocarray(NULL, 1, opaque(sizes[i])), ENOMEM);
    }
}
END_TEST

/* Products that wrap around to 0, to something small, to just past the top. */
static const size_t products[][2] = {
    { (size_t)1 << 32, (size_t)1 << 32 },
    { ((size_t)1 << 32) + 1, (size_t)1 << 32 },
    { SIZE_MAX / 2 + 1, 2 },
    { SIZE_MAX / 2 + 9, 2 },
    { SIZE_MAX / 16 + 2, 16 },
    { SIZE_MAX, SIZE_MAX },
    { 3, SIZE_MAX / 2 },
};

START_TEST(calloc_overflow_is_refused)
{
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        ck_fails(calloc(opaque(products[i][0]), opaque(products[i][1])), ENOMEM);
        ck_fails(calloc(opaque(products[i][1]), opaque(products[i][0])), ENOMEM);
    }
}
END_TEST

START_TEST(reallocarray_overflow_is_refused_and_keeps_the_block)
{
    char *p = malloc(100);
    fill(p, 100, 1);
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        size_t n = opaque(products[i][0]), m = opaque(products[i][1]);
        ck_fails(reallocarray(launder(p), n, m), ENOMEM);
        ck_fails(reallocarray(NULL, m, n), ENOMEM);
        ck_assert(is_filled(p, 100, 1));
    }
    free(p);
}
END_TEST

START_TEST(reallocarray_resizes)
{
    char *p = reallocarray(NULL, 10, 10);
    ck_assert_ptr_nonnull(p);
    fill(p, 100, 2);
    p = reallocarray(p, 1000, 100);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_ge(malloc_usable_size(p), 100000);
    ck_assert(is_filled(p, 100, 2));
    free(p);
}
END_TEST

START_TEST(calloc_zeroes_recycled_memory)
{
    enum { N = 64 };
    for (size_t n = 1; n <= 64 * MiB; n = n * 5 / 3 + 1) {
        void *p[N];
        int count = n <= 64 * KiB ? N : n <= MiB ? 8 : 2;
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < count; i++) {
                p[i] = malloc(opaque(n));
                ck_assert_ptr_nonnull(p[i]);
                memset(p[i], 0xff, malloc_usable_size(p[i]));
            }
            for (int i = 0; i < count; i++)
                free(p[i]);
            for (int i = 0; i < count; i++) {
                p[i] = calloc(1, opaque(n));
                ck_assert_ptr_nonnull(p[i]);
                ck_assert_msg(is_zero(p[i], n), "calloc of %zu bytes is not zero", n);
                memset(p[i], 0xee, malloc_usable_size(p[i]));
            }
            for (int i = 0; i < count; i++)
                free(p[i]);
        }
    }
}
END_TEST

/* Pages locked in memory make MADV_DONTNEED fail; what was there stays.  An
 * allocator that takes the call's success for granted hands out old bytes. */
START_TEST(calloc_zeroes_even_if_madvise_fails)
{
    const int refused[] = { SYS_madvise };
    if (!refuse_syscalls(refused, 1))
        return;
    for (size_t n = 16 * KiB; n <= 32 * MiB; n *= 2) {
        for (int round = 0; round < 4; round++) {
            void *p = calloc(1, opaque(n));
            ck_assert_ptr_nonnull(p);
            ck_assert_msg(is_zero(p, n), "calloc of %zu bytes is not zero", n);
            memset(p, 0xff, n);
            free(p);
            malloc_trim(0);
        }
    }
}
END_TEST

START_TEST(usable_size_of_null_is_0)
{
    ck_assert_uint_eq(malloc_usable_size(launder(NULL)), 0);
}
END_TEST

START_TEST(usable_size_is_at_least_the_request)
{
    for (size_t n = 0; n < 64 * MiB; n += n < 4 * KiB ? 1 : n / 7) {
        void *p = malloc(opaque(n));
        ck_assert_ptr_nonnull(p);
        ck_assert_msg(malloc_usable_size(p) >= n, "%zu bytes usable of %zu",
                      malloc_usable_size(p), n);
        free(p);
    }
}
END_TEST

START_TEST(usable_size_is_at_most_a_quarter_more)
{
    for (size_t n = 1; n <= 56 * KiB; n++) {
        void *p = malloc(opaque(n));
        size_t usable = malloc_usable_size(p);
        ck_assert_msg(usable <= n + n / 4 + 15, "%zu bytes usable of %zu", usable, n);
        free(p);
    }
}
END_TEST

/* Neighbours of one class, each written to its last usable byte. */
START_TEST(all_usable_bytes_are_the_callers)
{
    enum { N = 32 };
    for (size_t n = 1; n <= 8 * MiB; n = n * 4 / 3 + 1) {
        void *p[N];
        int count = n <= 256 * KiB ? N : 3;
        for (int i = 0; i < count; i++) {
            p[i] = malloc(opaque(n));
            ck_assert_ptr_nonnull(p[i]);
            fill(p[i], malloc_usable_size(p[i]), (unsigned)i);
        }
        for (int i = 0; i < count; i++)
            ck_assert_msg(is_filled(p[i], malloc_usable_size(p[i]), (unsigned)i),
                          "a block of %zu bytes was overwritten by a neighbour", n);
        for (int i = 0; i < count; i++)
            free(p[i]);
    }
}
END_TEST

API_MAIN("allocate",
         malloc_of_0_gives_distinct_blocks,
         calloc_of_0_gives_a_block,
         every_block_is_16_byte_aligned,
         size_above_ptrdiff_max_is_refused,
         calloc_overflow_is_refused,
         reallocarray_overflow_is_refused_and_keeps_the_block,
         reallocarray_resizes,
         calloc_zeroes_recycled_memory,
         calloc_zeroes_even_if_madvise_fails,
         usable_size_of_null_is_0,
         usable_size_is_at_least_the_request,
         usable_size_is_at_most_a_quarter_more,
         all_usable_bytes_are_the_callers)
