/* test_operators.c -- the laws O1 to O4 of the chapter on the operators, as far as C
 * can see them; tests/api/operators.cc has the exceptions. */

#include "malloc.h"

#include "pagemap.h"
#include "pages.h"

#include "unit.h"

void *_Znwm(size_t), *_Znam(size_t);
void *_ZnwmSt11align_val_t(size_t, size_t), *_ZnamSt11align_val_t(size_t, size_t);
void *_ZnwmRKSt9nothrow_t(size_t, const void *);
void *_ZnamRKSt9nothrow_t(size_t, const void *);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t, size_t, const void *);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t, size_t, const void *);
void _ZdlPv(void *), _ZdaPv(void *);
void _ZdlPvRKSt9nothrow_t(void *, void *), _ZdaPvRKSt9nothrow_t(void *, void *);
void _ZdlPvSt11align_val_t(void *, size_t), _ZdaPvSt11align_val_t(void *, size_t);
void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *, size_t, void *);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *, size_t, void *);
void _ZdlPvm(void *, size_t), _ZdaPvm(void *, size_t);
void _ZdlPvmSt11align_val_t(void *, size_t, size_t);
void _ZdaPvmSt11align_val_t(void *, size_t, size_t);

extern size_t malloc_usable_size(void *);

#define BIG ((size_t)1 << 40)

static bool refuse;                     /* refuse system calls */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    return refuse ? -ENOMEM : system_call(n, a, b, c, d, e, f);
}

static void *(*const plain_news[])(size_t) = { _Znwm, _Znam };
static void *(*const aligned_news[])(size_t, size_t) = {
    _ZnwmSt11align_val_t, _ZnamSt11align_val_t
};
static void *(*const nothrow_news[])(size_t, const void *) = {
    _ZnwmRKSt9nothrow_t, _ZnamRKSt9nothrow_t
};
static void *(*const aligned_nothrow_news[])(size_t, size_t, const void *) = {
    _ZnwmSt11align_val_tRKSt9nothrow_t, _ZnamSt11align_val_tRKSt9nothrow_t
};

/* A block from form i of new, 0 to 7. */
static void *take(int i, size_t size, size_t alignment)
{
    switch (i / 2) {
    case 0: return plain_news[i % 2](size);
    case 1: return aligned_news[i % 2](size, alignment);
    case 2: return nothrow_news[i % 2](size, NULL);
    default: return aligned_nothrow_news[i % 2](size, alignment, NULL);
    }
}

/* Give it to form i of delete, 0 to 11. */
static void put(int i, void *p, size_t size, size_t alignment)
{
    switch (i) {
    case 0: _ZdlPv(p); break;
    case 1: _ZdaPv(p); break;
    case 2: _ZdlPvRKSt9nothrow_t(p, NULL); break;
    case 3: _ZdaPvRKSt9nothrow_t(p, NULL); break;
    case 4: _ZdlPvSt11align_val_t(p, alignment); break;
    case 5: _ZdaPvSt11align_val_t(p, alignment); break;
    case 6: _ZdlPvSt11align_val_tRKSt9nothrow_t(p, alignment, NULL); break;
    case 7: _ZdaPvSt11align_val_tRKSt9nothrow_t(p, alignment, NULL); break;
    case 8: _ZdlPvm(p, size); break;
    case 9: _ZdaPvm(p, size); break;
    case 10: _ZdlPvmSt11align_val_t(p, size, alignment); break;
    case 11: _ZdaPvmSt11align_val_t(p, size, alignment); break;
    }
}

/* O1, O3: every new with every delete that may follow it, and with NULL. */
START_TEST(all_twenty_work)
{
    static const size_t sizes[] = { 0, 1, 100, 1025, 60000, 100000, 3000000 };

    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 12; k++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                bool aligned = i / 2 % 2 == 1;
                size_t alignment = aligned ? 256 : 16;
                errno = 4242;
                char *p = take(i, sizes[s], alignment);
                ck_assert_ptr_nonnull(p);
                ck_assert_uint_eq((uintptr_t)p % alignment, 0);
                memset(p, 1, sizes[s]);
                /* What was taken aligned goes back so, if with its size. */
                put(k >= 8 ? 8 + k % 2 + 2 * aligned : k, p, sizes[s], alignment);
                put(k, NULL, sizes[s], alignment);
                ck_assert_int_eq(errno, 4242);
            }
}
END_TEST

START_TEST(new_and_delete_share_the_stacks)
{
    for (int i = 0; i < 2; i++) {
        void *p = plain_news[i](100);
        ck_assert_uint_eq(pagemap_class(p), sizeclass_of(100));
        _ZdlPv(p);
        ck_assert_ptr_eq(_Znam(100), p);    /* the last in, first out */
        _ZdaPv(p);
    }
}
END_TEST

/* O4 */
START_TEST(new_and_free_mix)
{
    void *p = _Znwm(100), *q = malloc(100);

    ck_assert_uint_eq(malloc_usable_size(p), 112);
    free(p);
    _ZdlPv(q);
    ck_assert_ptr_eq(malloc(100), q);
    ck_assert_ptr_eq(_Znwm(100), p);
}
END_TEST

/* Aligned to 256, 100 bytes are of the class of 256: for both. */
START_TEST(sizes_are_rounded_alike)
{
    void *p = _ZnwmSt11align_val_t(100, 256);

    ck_assert_uint_eq(malloc_usable_size(p), 256);
    _ZdlPvmSt11align_val_t(p, 100, 256);
    p = _ZnwmSt11align_val_t(0, 64);
    _ZdlPvmSt11align_val_t(p, 0, 64);
}
END_TEST

/* Each of these ends the process. */
START_TEST(a_wrong_size_is_found)
{
    void *p = _Znwm(100), *q = _ZnwmSt11align_val_t(100, 256);

    switch (_i) {
    case 0: _ZdlPvm(p, 16); break;
    case 1: _ZdaPvm(p, 113); break;
    case 2: _ZdlPvm(q, 100); break;
    case 3: _ZdaPvmSt11align_val_t(p, 100, 256); break;
    }
}
END_TEST

/* In a C program there is nobody to throw to, so O2 leaves only this. */
START_TEST(new_never_returns_null)
{
    void *p;

    refuse = true;
    p = _i < 4 ? take(_i, BIG, 64) : NULL;
    ck_abort_msg("returned %p", p);
}
END_TEST

START_TEST(nothrow_returns_null)
{
    refuse = true;
    for (int i = 4; i < 8; i++)
        ck_assert_ptr_null(take(i, BIG, 64));
    refuse = false;
    for (int i = 4; i < 8; i++)
        ck_assert_ptr_null(take(i, SIZE_MAX, 64));
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, all_twenty_work);
    tcase_add_test(t, new_and_delete_share_the_stacks);
    tcase_add_test(t, new_and_free_mix);
    tcase_add_test(t, sizes_are_rounded_alike);
    tcase_add_loop_test_raise_signal(t, a_wrong_size_is_found, SIGABRT, 0, 4);
    tcase_add_loop_test_raise_signal(t, new_never_returns_null, SIGABRT, 0, 4);
    tcase_add_test(t, nothrow_returns_null);
}

int main(void)
{
    return unit_run("operators", add_tests);
}
