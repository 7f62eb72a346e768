/* api.h -- what the programs of tests/api share.
 *
 * They are Check programs, meant to run with litmalloc preloaded; each test
 * runs in a process of its own.  Every size and pointer that a compiler could
 * reason about passes through opaque() or launder() first, so that no call
 * under test is folded away at any -O. */
#ifndef API_H
#define API_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ERRNO_BEFORE = 4242 };           /* no call sets errno to this */

#define KiB ((size_t)1 << 10)
#define MiB ((size_t)1 << 20)

/* The same value, of which the compiler knows nothing. */
static inline size_t opaque(size_t n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

/* The same pointer, of which the compiler knows nothing. */
static inline void *launder(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static inline bool is_aligned(const void *p, size_t alignment)
{
    return ((uintptr_t)p & (alignment - 1)) == 0;
}

/* Write a pattern over [p, p+n) that depends on `salt`; say if it is there. */
static inline void fill(void *p, size_t n, unsigned salt)
{
    unsigned char *b = (unsigned char *)p;
    for (size_t i = 0; i < n; i++)
        b[i] = (unsigned char)(i * 7 + (i >> 8) + salt);
}

static inline bool is_filled(const void *p, size_t n, unsigned salt)
{
    const unsigned char *b = (const unsigned char *)p;
    for (size_t i = 0; i < n; i++)
        if (b[i] != (unsigned char)(i * 7 + (i >> 8) + salt))
            return false;
    return true;
}

static inline bool is_zero(const void *p, size_t n)
{
    const unsigned char *b = (const unsigned char *)p;
    return n == 0 || (b[0] == 0 && memcmp(b, b + 1, n - 1) == 0);
}

/* An entry point that this C library's headers do not declare.  The test
 * fails if nobody defines it. */
static inline void *entry(const char *name)
{
    void *f = dlsym(RTLD_DEFAULT, name);
    ck_assert_msg(f != NULL, "%s is not defined", name);
    return f;
}

/* Assert that `call` returns NULL and sets errno to `wanted`. */
#define ck_fails(call, wanted)                                              \
    do {                                                                    \
        errno = ERRNO_BEFORE;                                               \
        void *result_ = launder(call);                                      \
        int errno_ = errno;                                                 \
        ck_assert_msg(result_ == NULL, "%s gave %p", #call, result_);       \
        ck_assert_msg(errno_ == (wanted), "%s set errno to %d, not %s",     \
                      #call, errno_, #wanted);                              \
    } while (0)

/* Run one suite of one case that holds `tests`; the exit status of main. */
static inline int api_main(const char *name, const TTest *const *tests, size_t ntests)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    const char *skip = getenv("API_SKIP");      /* a test that another library need not pass */
    for (size_t i = 0; i < ntests; i++)
        if (skip == NULL || strcmp(skip, tests[i]->name) != 0)
            tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int nfailed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return nfailed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define API_MAIN(name, ...)                                                 \
    int main(void)                                                          \
    {                                                                       \
        const TTest *const tests[] = { __VA_ARGS__ };                       \
        return api_main(name, tests, sizeof tests / sizeof tests[0]);       \
    }

#endif
