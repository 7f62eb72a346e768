/* realloc.c -- realloc keeps what both sizes have in common, frees at size 0,
 * and leaves the old block alone when it fails. */
#include "api.h"
#include "refuse.h"
#include <sys/resource.h>

/* Sizes on both sides of every border between small, large and huge. */
static const size_t sizes[] = {
    1, 16, 17, 48, 200, 1000, 4096, 14336, 16384, 32768, 57344, 57345, 100000,
    1048576, 2097151, 2097152, 4194303, 4194304, 4194305, 9000000, 67108864,
};
enum { NSIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(realloc_of_null_allocates)
{
    void *p = realloc(launder(NULL), 100);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_ge(malloc_usable_size(p), 100);
    free(p);
    p = realloc(launder(NULL), opaque(0));
    ck_assert_ptr_nonnull(p);
    free(p);
}
END_TEST

/* Kept, the blocks would come to 170 GiB. */
START_TEST(realloc_to_0_frees_and_leaves_errno)
{
    for (int i = 0; i < 100000; i++) {
        void *p = malloc(opaque(i % 3 == 0 ? 64 : i % 3 == 1 ? 100 * KiB : 5 * MiB));
        ck_assert_ptr_nonnull(p);
        errno = ERRNO_BEFORE;
        ck_assert_ptr_null(launder(realloc(launder(p), opaque(0))));
        ck_assert_int_eq(errno, ERRNO_BEFORE);
    }
    ck_assert_uint_lt(mallinfo2().uordblks, 64 * MiB);
}
END_TEST

START_TEST(every_pair_of_sizes_keeps_the_common_bytes)
{
    for (int a = 0; a < NSIZES; a++)
        for (int b = 0; b < NSIZES; b++) {
            size_t from = sizes[a], to = sizes[b], both = from < to ? from : to;
            char *p = malloc(opaque(from));
            ck_assert_ptr_nonnull(p);
            fill(p, both, (unsigned)a);
            p = realloc(p, opaque(to));
            ck_assert_ptr_nonnull(p);
            ck_assert(is_aligned(p, 16));
            ck_assert_uint_ge(malloc_usable_size(p), to);
            ck_assert_msg(is_filled(p, both, (unsigned)a), "%zu to %zu bytes", from, to);
            p[to - 1] = 1;
            free(p);
        }
}
END_TEST

/* One block up the ladder and down again, with neighbours in the way. */
START_TEST(ladder_up_and_down)
{
    char *p = malloc(1), *neighbour[NSIZES];
    fill(p, 1, 9);
    for (int i = 1; i < NSIZES; i++) {
        neighbour[i] = malloc(sizes[i]);
        p = realloc(p, opaque(sizes[i]));
        ck_assert_ptr_nonnull(p);
        ck_assert_msg(is_filled(p, sizes[i - 1], 9), "up to %zu", sizes[i]);
        fill(p, sizes[i], 9);
    }
    for (int i = NSIZES - 1; i > 0; i--) {
        p = realloc(p, opaque(sizes[i - 1]));
        ck_assert_ptr_nonnull(p);
        ck_assert_msg(is_filled(p, sizes[i - 1], 9), "down to %zu", sizes[i - 1]);
        free(neighbour[i]);
    }
    free(p);
}
END_TEST

START_TEST(shrinking_gives_memory_back)
{
    char *p = malloc(64 * MiB);
    memset(p, 1, 64 * MiB);
    p = realloc(p, opaque(100));
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_lt(malloc_usable_size(p), MiB);
    free(p);
}
END_TEST

START_TEST(failure_leaves_the_block)
{
    for (int i = 0; i < NSIZES; i++) {
        char *p = malloc(sizes[i]);
        fill(p, sizes[i], 3);
        ck_fails(realloc(launder(p), opaque((size_t)PTRDIFF_MAX + 1)), ENOMEM);
        ck_fails(realloc(launder(p), opaque(SIZE_MAX)), ENOMEM);
        ck_fails(realloc(launder(p), opaque((size_t)1 << 50)), ENOMEM);
        ck_assert_msg(is_filled(p, sizes[i], 3), "size %zu", sizes[i]);
        free(p);
    }
}
END_TEST

/* The system refuses: growing fails, the block stays; shrinking must not fail. */
START_TEST(system_failure_leaves_the_block)
{
    const int refused[] = { SYS_mmap, SYS_mremap, SYS_munmap, SYS_madvise };
    struct rlimit limit = { 64 * MiB, 64 * MiB };    /* for those who use brk */
    char *p = malloc(9 * MiB);
    ck_assert_ptr_nonnull(p);
    fill(p, 9 * MiB, 5);
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &limit), 0);
    if (!refuse_syscalls(refused, 4))
        return;
    ck_fails(realloc(launder(p), opaque((size_t)1 << 30)), ENOMEM);
    ck_assert(is_filled(p, 9 * MiB, 5));
    char *q = realloc(launder(p), opaque(5 * MiB));
    if (q == NULL) {                    /* allowed, if the block is kept */
        ck_assert_int_eq(errno, ENOMEM);
        q = p;
    }
    ck_assert(is_filled(q, 5 * MiB, 5));
    free(q);
}
END_TEST

START_TEST(realloc_of_an_aligned_block)
{
    for (size_t alignment = 32; alignment <= 8 * MiB; alignment *= 4) {
        char *p = aligned_alloc(alignment, 3000);
        ck_assert_ptr_nonnull(p);
        fill(p, 3000, 4);
        p = realloc(p, opaque(300000));
        ck_assert_ptr_nonnull(p);
        ck_assert(is_filled(p, 3000, 4));
        p = realloc(p, opaque(30));
        ck_assert(is_filled(p, 30, 4));
        free(p);
    }
}
END_TEST

API_MAIN("realloc",
         realloc_of_null_allocates,
         realloc_to_0_frees_and_leaves_errno,
         every_pair_of_sizes_keeps_the_common_bytes,
         ladder_up_and_down,
         shrinking_gives_memory_back,
         failure_leaves_the_block,
         system_failure_leaves_the_block,
         realloc_of_an_aligned_block)
