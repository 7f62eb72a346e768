/* free.c -- free, cfree, free_sized, free_aligned_sized: they take back what
 * any of the others gave, take NULL, and leave errno as it was. */
#include "api.h"
#include "refuse.h"

typedef void free_sized_fn(void *, size_t);
typedef void free_aligned_sized_fn(void *, size_t, size_t);
typedef void free_fn(void *);

/* One size of each kind: small, large, huge, and one that munmap is called for. */
static const size_t sizes[] = { 1, 48, 3000, 100000, 8 << 20, 64 << 20 };
enum { NSIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(null_is_taken)
{
    errno = ERRNO_BEFORE;
    free(launder(NULL));
    ((free_fn *)entry("cfree"))(NULL);
    ((free_sized_fn *)entry("free_sized"))(NULL, 17);
    ((free_aligned_sized_fn *)entry("free_aligned_sized"))(NULL, 64, 17);
    ck_assert_int_eq(errno, ERRNO_BEFORE);
}
END_TEST

static void free_one_of_each_size(void)
{
    for (int i = 0; i < NSIZES; i++) {
        char *p = malloc(sizes[i]);
        ck_assert_ptr_nonnull(p);
        memset(p, 1, sizes[i]);
        errno = ERRNO_BEFORE;
        free(launder(p));
        ck_assert_msg(errno == ERRNO_BEFORE, "free of %zu bytes set errno to %d", sizes[i], errno);
    }
}

START_TEST(free_keeps_errno)
{
    for (int round = 0; round < 20; round++)
        free_one_of_each_size();
}
END_TEST

START_TEST(free_keeps_errno_when_system_calls_fail)
{
    const int refused[] = { SYS_madvise, SYS_munmap, SYS_mremap, SYS_mprotect };
    if (!refuse_syscalls(refused, 4))
        return;
    free_one_of_each_size();
}
END_TEST

START_TEST(cfree_frees)
{
    free_fn *cfree_ = (free_fn *)entry("cfree");
    for (int i = 0; i < 1000; i++)
        cfree_(malloc(opaque(1 + (size_t)i * 100)));
    void *p = malloc(opaque(8 * MiB));
    size_t before = mallinfo2().uordblks;
    cfree_(launder(p));
    ck_assert_uint_le(mallinfo2().uordblks, before - 8 * MiB);
}
END_TEST

START_TEST(free_sized_takes_the_requested_size)
{
    free_sized_fn *free_sized_ = (free_sized_fn *)entry("free_sized");
    for (size_t n = 0; n < 70000; n += n < 1100 ? 1 : 111) {
        free_sized_(malloc(opaque(n)), n);
        free_sized_(calloc(1, opaque(n)), n);
        free_sized_(realloc(malloc(10), opaque(n + 1)), n + 1);
    }
    for (int i = 0; i < NSIZES; i++) {
        void *p = malloc(sizes[i]);
        errno = ERRNO_BEFORE;
        free_sized_(p, sizes[i]);
        ck_assert_int_eq(errno, ERRNO_BEFORE);
    }
}
END_TEST

START_TEST(free_aligned_sized_takes_alignment_and_size)
{
    free_aligned_sized_fn *free_ = (free_aligned_sized_fn *)entry("free_aligned_sized");
    for (size_t alignment = 16; alignment <= 16 * MiB; alignment *= 2)
        for (size_t n = 0; n <= 300000; n = n * 3 + 1) {
            void *p = aligned_alloc(alignment, n);
            ck_assert_ptr_nonnull(p);
            errno = ERRNO_BEFORE;
            free_(p, alignment, n);
            ck_assert_int_eq(errno, ERRNO_BEFORE);
        }
}
END_TEST

/* A gibibyte of each size passes through: none of it may stay behind. */
START_TEST(free_sized_returns_the_memory)
{
    free_sized_fn *free_sized_ = (free_sized_fn *)entry("free_sized");
    for (int i = 0; i < NSIZES; i++) {
        size_t before = mallinfo2().uordblks;
        for (size_t k = 0; k < ((size_t)1 << 30) / (sizes[i] + 4096); k++)
            free_sized_(launder(malloc(opaque(sizes[i]))), sizes[i]);
        ck_assert_uint_le(mallinfo2().uordblks, before + MiB);
    }
}
END_TEST

API_MAIN("free",
         null_is_taken,
         free_keeps_errno,
         free_keeps_errno_when_system_calls_fail,
         cfree_frees,
         free_sized_takes_the_requested_size,
         free_aligned_sized_takes_alignment_and_size,
         free_sized_returns_the_memory)
