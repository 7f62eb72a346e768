/* libc_names.c -- the C library's own names for the family, by which some programs and
 * old libraries call it: each does what the usual name does. */
#include "api.h"

#include <unistd.h>

#define NAMED(type, name, ...) type (*name)(__VA_ARGS__) = (type (*)(__VA_ARGS__))entry(#name)

START_TEST(blocks_of_one_family)
{
    NAMED(void *, __libc_malloc, size_t);
    NAMED(void *, __libc_calloc, size_t, size_t);
    NAMED(void *, __libc_realloc, void *, size_t);
    NAMED(void, __libc_free, void *);
    char *p = __libc_malloc(100), *q = __libc_calloc(10, 10);

    ck_assert_ptr_nonnull(p);
    memset(p, 'x', 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(q[i], 0);
    ck_assert_ptr_nonnull(p = __libc_realloc(p, 5000));
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(p[i], 'x');
    free(p);                            /* crosswise */
    __libc_free(q);
    __libc_free(malloc(3000000));
}
END_TEST

START_TEST(aligned_blocks)
{
    NAMED(void *, __libc_memalign, size_t, size_t);
    NAMED(int, __posix_memalign, void **, size_t, size_t);
    NAMED(void *, __libc_valloc, size_t);
    NAMED(void *, __libc_pvalloc, size_t);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p[4] = { __libc_memalign(256, 100), NULL, __libc_valloc(10), __libc_pvalloc(page + 1) };

    ck_assert_int_eq(__posix_memalign(&p[1], 512, 100), 0);
    ck_assert_int_eq(__posix_memalign(&p[1], 3, 100), EINVAL);
    ck_assert_uint_eq((uintptr_t)p[0] % 256, 0);
    ck_assert_uint_eq((uintptr_t)p[1] % 512, 0);
    ck_assert_uint_eq((uintptr_t)p[2] % page, 0);
    ck_assert_uint_eq((uintptr_t)p[3] % page, 0);
    ck_assert_uint_ge(malloc_usable_size(p[3]), 2 * page);
    for (int i = 0; i < 4; i++)
        free(p[i]);
}
END_TEST

/* The rest are in our library and not in every C library. */
START_TEST(the_rarer_names)
{
    NAMED(void *, __libc_reallocarray, void *, size_t, size_t);
    NAMED(void, __libc_cfree, void *);
    NAMED(int, __libc_mallopt, int, int);
    char *p = __libc_reallocarray(NULL, 10, 10);

    ck_assert_ptr_nonnull(p);
    ck_assert_ptr_null(__libc_reallocarray(p, SIZE_MAX, 2));
    ck_assert_int_eq(errno, ENOMEM);
    __libc_cfree(p);
    ck_assert_int_eq(__libc_mallopt(-1000, 0), mallopt(-1000, 0));
}
END_TEST

API_MAIN("libc_names", blocks_of_one_family, aligned_blocks, the_rarer_names)
