/* aligned.c -- the five functions that take an alignment, or imply one. */
#include "api.h"
#include <unistd.h>

START_TEST(posix_memalign_refuses_bad_alignments)
{
    const size_t bad[] = { 0, 1, 2, 3, 4, 7, 12, 24, 48, 4095, SIZE_MAX };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        void *untouched = &untouched, *p = untouched;
        errno = ERRNO_BEFORE;
        ck_assert_msg(posix_memalign(&p, opaque(bad[i]), 100) == EINVAL,
                      "alignment %zu was taken", bad[i]);
        ck_assert_ptr_eq(launder(p), untouched);
        ck_assert_int_eq(errno, ERRNO_BEFORE);
    }
}
END_TEST

START_TEST(posix_memalign_out_of_memory)
{
    const size_t sizes[] = { PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t alignment = 8; alignment <= MiB; alignment *= 8) {
            void *untouched = &untouched, *p = untouched;
            ck_assert_int_eq(posix_memalign(&p, opaque(alignment), opaque(sizes[i])), ENOMEM);
            ck_assert_ptr_eq(launder(p), untouched);
        }
    void *untouched = &untouched, *p = untouched;
    ck_assert_int_eq(posix_memalign(&p, opaque((size_t)1 << 63), 1), ENOMEM);
    ck_assert_ptr_eq(launder(p), untouched);
}
END_TEST

START_TEST(posix_memalign_of_0_bytes)
{
    void *p = NULL, *q = NULL;
    ck_assert_int_eq(posix_memalign(&p, 64, opaque(0)), 0);
    ck_assert_int_eq(posix_memalign(&q, 64, opaque(0)), 0);
    ck_assert(p != NULL && q != NULL && p != q);
    free(p);
    free(q);
}
END_TEST

/* Two blocks at a time, so that an alignment by accident is found out; all
 * usable bytes written, so that an overlap is. */
START_TEST(alignments_from_8_to_64_MiB)
{
    const size_t sizes[] = { 0, 1, 24, 100, 1000, 5000, 60000, 3 * MiB };
    for (size_t alignment = 8; alignment <= 64 * MiB; alignment *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            size_t n = sizes[i];
            void *p[6];
            ck_assert_int_eq(posix_memalign(&p[0], alignment, n), 0);
            ck_assert_int_eq(posix_memalign(&p[1], alignment, n), 0);
            p[2] = aligned_alloc(alignment, n);
            p[3] = aligned_alloc(alignment, n);
            p[4] = memalign(alignment, n);
            p[5] = memalign(alignment, n);
            for (unsigned k = 0; k < 6; k++) {
                ck_assert_ptr_nonnull(p[k]);
                ck_assert_msg(is_aligned(p[k], alignment) && is_aligned(p[k], 16),
                              "%zu bytes at %zu: %p", n, alignment, p[k]);
                ck_assert_uint_ge(malloc_usable_size(p[k]), n);
                fill(p[k], n, k);
            }
            for (unsigned k = 0; k < 6; k++) {
                ck_assert(is_filled(p[k], n, k));
                free(p[k]);
            }
        }
}
END_TEST

/* C23: an alignment that is not supported gives NULL.  No rule on the size. */
START_TEST(aligned_alloc_refuses_bad_alignments)
{
    const size_t bad[] = { 0, 3, 5, 24, 48, 4097, SIZE_MAX };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_fails(aligned_alloc(opaque(bad[i]), 64), EINVAL);
}
END_TEST

START_TEST(aligned_alloc_takes_small_alignments_and_any_size)
{
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *p = aligned_alloc(opaque(alignment), opaque(alignment + 13));
        ck_assert_ptr_nonnull(p);
        ck_assert(is_aligned(p, alignment) && is_aligned(p, 16));
        free(p);
    }
}
END_TEST

/* The second line is CVE-2026-0861 of glibc: size plus alignment wrapped. */
START_TEST(aligned_alloc_out_of_memory)
{
    ck_fails(aligned_alloc(opaque((size_t)1 << 63), 1), ENOMEM);
    ck_fails(aligned_alloc(opaque((size_t)1 << 62), opaque(PTRDIFF_MAX - 100)), ENOMEM);
    ck_fails(aligned_alloc(opaque((size_t)1 << 62), 1), ENOMEM);
    ck_fails(aligned_alloc(64, opaque(SIZE_MAX)), ENOMEM);
    ck_fails(aligned_alloc(64, opaque(SIZE_MAX - 63)), ENOMEM);
    ck_fails(aligned_alloc(4096, opaque(PTRDIFF_MAX)), ENOMEM);
}
END_TEST

START_TEST(memalign_rounds_the_alignment_up)
{
    const size_t given[] = { 0, 1, 3, 17, 24, 48, 100, 4097 };
    const size_t meant[] = { 16, 16, 16, 32, 32, 64, 128, 8192 };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        for (int k = 0; k < 8; k++) {
            void *p = memalign(opaque(given[i]), opaque(40 + (size_t)k));
            ck_assert_ptr_nonnull(p);
            ck_assert_msg(is_aligned(p, meant[i]), "alignment %zu: %p", given[i], p);
        }
}
END_TEST

START_TEST(memalign_refuses_what_cannot_be)
{
    ck_fails(memalign(opaque(SIZE_MAX), 1), EINVAL);
    ck_fails(memalign(opaque(SIZE_MAX / 2 + 2), 1), EINVAL);
    ck_fails(memalign(opaque(SIZE_MAX / 2 + 1), 1), ENOMEM);
    ck_fails(memalign(64, opaque(SIZE_MAX - 10)), ENOMEM);
}
END_TEST

START_TEST(valloc_and_pvalloc_align_to_pages)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t n = 0; n < 5 * page; n += 777) {
        void *p = valloc(opaque(n)), *q = pvalloc(opaque(n));
        ck_assert(p != NULL && q != NULL);
        ck_assert(is_aligned(p, page) && is_aligned(q, page));
        ck_assert_uint_ge(malloc_usable_size(p), n);
        ck_assert_uint_ge(malloc_usable_size(q), (n + page - 1) / page * page);
        free(p);
        free(q);
    }
}
END_TEST

START_TEST(valloc_and_pvalloc_out_of_memory)
{
    ck_fails(valloc(opaque(SIZE_MAX)), ENOMEM);
    ck_fails(pvalloc(opaque(SIZE_MAX)), ENOMEM);
    ck_fails(pvalloc(opaque(SIZE_MAX - 100)), ENOMEM);
    ck_fails(pvalloc(opaque(PTRDIFF_MAX)), ENOMEM);
}
END_TEST

API_MAIN("aligned",
         posix_memalign_refuses_bad_alignments,
         posix_memalign_out_of_memory,
         posix_memalign_of_0_bytes,
         alignments_from_8_to_64_MiB,
         aligned_alloc_refuses_bad_alignments,
         aligned_alloc_takes_small_alignments_and_any_size,
         aligned_alloc_out_of_memory,
         memalign_rounds_the_alignment_up,
         memalign_refuses_what_cannot_be,
         valloc_and_pvalloc_align_to_pages,
         valloc_and_pvalloc_out_of_memory)
