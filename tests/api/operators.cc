// operators.cc -- the 20 replaceable operators of C++: all are the library's,
// a failing new asks the new_handler and then throws, nothrow gives nullptr.
#include "api.h"
#include <cstddef>
#include <fcntl.h>
#include <new>
#include <sys/resource.h>
#include <unistd.h>

// clang 14 declares these only with -fsized-deallocation.
void operator delete(void *, std::size_t) noexcept;
void operator delete[](void *, std::size_t) noexcept;
void operator delete(void *, std::size_t, std::align_val_t) noexcept;
void operator delete[](void *, std::size_t, std::align_val_t) noexcept;

static const std::size_t impossible = (std::size_t)PTRDIFF_MAX + 1;
static const std::align_val_t page{4096};

static const char *const names[] = {
    "_Znwm", "_ZnwmRKSt9nothrow_t",
    "_ZnwmSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_Znam", "_ZnamRKSt9nothrow_t",
    "_ZnamSt11align_val_t", "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv", "_ZdlPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t", "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPv", "_ZdaPvRKSt9nothrow_t",
    "_ZdaPvSt11align_val_t", "_ZdaPvSt11align_val_tRKSt9nothrow_t",
    "_ZdlPvm", "_ZdaPvm", "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t",
};
static_assert(sizeof names / sizeof names[0] == 20, "the standard has 20");

START_TEST(all_20_are_the_librarys)
{
    Dl_info home, info;
    ck_assert(dladdr(entry("malloc"), &home) != 0);
    for (const char *name : names) {
        ck_assert(dladdr(entry(name), &info) != 0);
        ck_assert_msg(info.dli_fbase == home.dli_fbase, "%s comes from %s, malloc from %s",
                      name, info.dli_fname, home.dli_fname);
    }
}
END_TEST

START_TEST(each_new_has_its_deletes)
{
    for (std::size_t n = 0; n < 300000; n = n * 3 / 2 + 1) {
        void *p[] = {
            operator new(n), operator new[](n),
            operator new(n, std::nothrow), operator new[](n, std::nothrow),
            operator new(n), operator new[](n),
        };
        void *q[] = {
            operator new(n, page), operator new[](n, page),
            operator new(n, page, std::nothrow), operator new[](n, page, std::nothrow),
            operator new(n, page), operator new[](n, page),
        };
        for (unsigned i = 0; i < 6; i++) {
            ck_assert(p[i] != nullptr && is_aligned(p[i], 16));
            ck_assert(q[i] != nullptr && is_aligned(q[i], 4096));
            fill(p[i], n, i);
            fill(q[i], n, i + 6);
        }
        for (unsigned i = 0; i < 6; i++)
            ck_assert(is_filled(p[i], n, i) && is_filled(q[i], n, i + 6));
        operator delete(launder(p[0]));
        operator delete[](launder(p[1]));
        operator delete(launder(p[2]), std::nothrow);
        operator delete[](launder(p[3]), std::nothrow);
        operator delete(launder(p[4]), n);
        operator delete[](launder(p[5]), n);
        operator delete(launder(q[0]), page);
        operator delete[](launder(q[1]), page);
        operator delete(launder(q[2]), page, std::nothrow);
        operator delete[](launder(q[3]), page, std::nothrow);
        operator delete(launder(q[4]), n, page);
        operator delete[](launder(q[5]), n, page);
    }
}
END_TEST

START_TEST(delete_of_nullptr_is_nothing)
{
    void *null = launder(nullptr);
    operator delete(launder(null));
    operator delete[](launder(null));
    operator delete(launder(null), 8);
    operator delete[](launder(null), 8);
    operator delete(launder(null), page);
    operator delete(launder(null), 8, page);
    operator delete(launder(null), std::nothrow);
}
END_TEST

// new and sized delete must round a size of 0 the same way (a bug of jemalloc's
// in 2026): else the block comes home to a class it is not of.
START_TEST(zero_bytes_over_aligned)
{
    for (std::size_t a = 16; a <= 65536; a *= 2)
        for (int i = 0; i < 3000; i++) {
            auto alignment = std::align_val_t{opaque(a)};
            void *p = operator new(opaque(0), alignment);
            ck_assert(is_aligned(p, a));
            operator delete(p, opaque(0), alignment);
        }
    for (std::size_t n = 1; n < 4096; n += 61) {
        char *p = static_cast<char *>(operator new(n)), *q = static_cast<char *>(operator new(n));
        fill(p, n, 1);
        fill(q, n, 2);
        ck_assert(is_filled(p, n, 1));
        operator delete(launder(p), n);
        operator delete(launder(q), n);
    }
}
END_TEST

// The value of `what`, a call of new, is std::bad_alloc thrown.
template <class F> static bool throws_bad_alloc(F what)
{
    try {
        launder(what());
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

START_TEST(new_throws_bad_alloc)
{
    std::size_t n = opaque(impossible);
    ck_assert(throws_bad_alloc([=] { return operator new(n); }));
    ck_assert(throws_bad_alloc([=] { return operator new[](n); }));
    ck_assert(throws_bad_alloc([=] { return operator new(n, page); }));
    ck_assert(throws_bad_alloc([=] { return operator new[](n, page); }));
    ck_assert(throws_bad_alloc([] { return operator new(opaque(SIZE_MAX)); }));
    ck_assert(throws_bad_alloc([] { return operator new(opaque((std::size_t)1 << 50)); }));
}
END_TEST

START_TEST(nothrow_new_gives_nullptr)
{
    std::size_t n = opaque(impossible);
    ck_assert_ptr_null(launder(operator new(n, std::nothrow)));
    ck_assert_ptr_null(launder(operator new[](n, std::nothrow)));
    ck_assert_ptr_null(launder(operator new(n, page, std::nothrow)));
    ck_assert_ptr_null(launder(operator new[](n, page, std::nothrow)));
}
END_TEST

static int ncalls;

static void give_up_at_third_call()
{
    if (++ncalls == 3)
        std::set_new_handler(nullptr);
}

START_TEST(new_asks_the_handler_until_there_is_none)
{
    ncalls = 0;
    std::set_new_handler(give_up_at_third_call);
    ck_assert(throws_bad_alloc([] { return operator new(opaque(impossible)); }));
    ck_assert_int_eq(ncalls, 3);
    ncalls = 0;
    std::set_new_handler(give_up_at_third_call);
    ck_assert(throws_bad_alloc([] { return operator new[](opaque(impossible), page); }));
    ck_assert_int_eq(ncalls, 3);
    ncalls = 0;
    std::set_new_handler(give_up_at_third_call);
    ck_assert_ptr_null(launder(operator new(opaque(impossible), std::nothrow)));
    ck_assert_int_eq(ncalls, 3);
}
END_TEST

struct no_memory : std::bad_alloc {
    int code = 17;
};

static void throw_derived()
{
    throw no_memory();
}

START_TEST(handler_may_throw_a_class_of_its_own)
{
    std::set_new_handler(throw_derived);
    int code = 0;
    try {
        launder(operator new(opaque(impossible)));
    } catch (const no_memory &e) {
        code = e.code;
    }
    ck_assert_int_eq(code, 17);
    code = 0;
    try {
        launder(operator new[](opaque(impossible), page));
    } catch (const no_memory &e) {
        code = e.code;
    }
    ck_assert_int_eq(code, 17);
    operator delete(launder(operator new(100)));
}
END_TEST

// The nothrow forms catch what the handler throws.
START_TEST(nothrow_new_swallows_what_the_handler_throws)
{
    std::set_new_handler(throw_derived);
    ck_assert_ptr_null(launder(operator new(opaque(impossible), std::nothrow)));
    ck_assert_ptr_null(launder(operator new[](opaque(impossible), page, std::nothrow)));
}
END_TEST

static void *reserve;

static void free_the_reserve()
{
    ncalls++;
    operator delete(reserve);
    reserve = nullptr;
    std::set_new_handler(nullptr);
}

static std::size_t mapped_bytes()
{
    char text[100] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    return (std::size_t)atol(text) * (std::size_t)sysconf(_SC_PAGESIZE);
}

// Room for one block of 200 MiB, not for two.
START_TEST(new_succeeds_once_the_handler_has_freed)
{
    struct rlimit limit = { mapped_bytes() + 300 * MiB, RLIM_INFINITY };
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ncalls = 0;
    reserve = operator new(opaque(200 * MiB));
    std::set_new_handler(free_the_reserve);
    char *p = static_cast<char *>(operator new(opaque(200 * MiB)));
    ck_assert_int_eq(ncalls, 1);
    ck_assert_ptr_nonnull(p);
    p[0] = p[200 * MiB - 1] = 1;
    operator delete(p);
}
END_TEST

API_MAIN("operators",
         all_20_are_the_librarys,
         each_new_has_its_deletes,
         delete_of_nullptr_is_nothing,
         zero_bytes_over_aligned,
         new_throws_bad_alloc,
         nothrow_new_gives_nullptr,
         new_asks_the_handler_until_there_is_none,
         handler_may_throw_a_class_of_its_own,
         nothrow_new_swallows_what_the_handler_throws,
         new_succeeds_once_the_handler_has_freed)
