/* test_pages.c -- P1 to P5 of the chapter on pages. */

#define _GNU_SOURCE
#include "pages.h"

#include "unit.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum { MIB = 1 << 20 };

/* Between the room and the kernel: refuse a call, or answer for it. */
static long refused = -1, map_answer, last_call;
static unsigned ncalls;
static struct { long at, size; } unmapped[2];
static unsigned nunmapped;
static bool pretend_unmap, nod;  /* nod: say yes to all advice of a late number */

long pages_system_call(long n, long a, long b, long c, long d, long e,
                       long f)
{
    ncalls++;
    last_call = n;
    if (n == SYS_mmap && map_answer != 0)
        return map_answer;      /* let the kernel say this */
    if (n == refused)
        return -ENOMEM;
    if (nod && n == SYS_madvise && (unsigned long)c > 25)
        return 0;
    if (n == SYS_munmap && pretend_unmap) {
        if (nunmapped < 2) {
            unmapped[nunmapped].at = a;
            unmapped[nunmapped].size = b;
        }
        nunmapped++;
        return 0;
    }
    return system_call(n, a, b, c, d, e, f);
}

/* Nothing in a test may call malloc while a refusal is on: it is ours. */
static void refuse(long n)
{
    refused = n;
}

START_TEST(the_page_size_is_the_systems)
{
    pages_start();
    ck_assert_uint_eq(pages_size, (size_t)sysconf(_SC_PAGESIZE));
}
END_TEST

/* P1. */
START_TEST(mapped_memory_is_zero_and_writable)
{
    char *p = pages_map(MIB);

    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % pages_size, 0);
    ck_assert(is_zero(p, MIB));
    memset(p, 1, MIB);
    ck_assert(pages_unmap(p, MIB));
}
END_TEST

/* P4 on the real kernel, for alignments below and above a page. */
START_TEST(aligned_is_aligned)
{
    for (size_t a = 16; a <= 64 * MIB; a *= 2) {
        char *p = pages_map_aligned(MIB, a);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % a, 0);
        p[0] = p[MIB - 1] = 1;
        ck_assert(pages_unmap(p, MIB));
    }
}
END_TEST

/* Wherever the kernel puts it: what is cut off and what stays is all. */
START_TEST(aligned_from_every_place)
{
    size_t size = 4 * MIB, more = size - pages_size;
    uintptr_t base = UINT64_C(0x7f2a16800000);
    bool good = true;

    for (uintptr_t at = base; at < base + size; at += pages_size) {
        uintptr_t want = round_up(at, size);
        nunmapped = 0;
        pretend_unmap = true;
        map_answer = (long)at;
        uintptr_t p = (uintptr_t)pages_map_aligned(size, size);
        map_answer = 0;
        pretend_unmap = false;
        uintptr_t head = want - at, tail = at + more - want;
        unsigned n = 0;
        good &= p == want;
        if (head != 0) {
            good &= unmapped[n].at == (long)at
                    && unmapped[n].size == (long)head;
            n++;
        }
        if (tail != 0) {
            good &= unmapped[n].at == (long)(want + size)
                    && unmapped[n].size == (long)tail;
            n++;
        }
        good &= n == nunmapped && head + tail == more;
        if (pages_size == 4096 && at == UINT64_C(0x7f2a16a3d000))
            good &= p == UINT64_C(0x7f2a16c00000) && head == 0x1c3000
                    && tail == 0x23c000 && more == 0x3ff000;
    }
    ck_assert(good);
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
    bool taken;

    ck_assert_ptr_null(pages_map(POW2(60)));
    ck_assert_ptr_null(pages_map_aligned(SIZE_MAX - pages_size + 1,
                                         4 * MIB));
    ck_assert_ptr_null(pages_map_aligned(POW2(60), 4 * MIB));
    ck_assert_ptr_null(pages_reserve(POW2(62)));
    ck_assert_ptr_null(pages_map_at((void *)POW2(40), POW2(60), &taken));
    ck_assert(!taken);
}
END_TEST

/* P4: there or not at all, and nothing that lay there is lost. */
START_TEST(at_an_address_or_not_at_all)
{
    bool taken = true;
    char *p = pages_map(2 * MIB), *q;

    ck_assert_ptr_nonnull(p);
    memset(p, 7, MIB);
    ck_assert(pages_unmap(p + MIB, MIB));
    q = pages_map_at(p + MIB, MIB, &taken);
    ck_assert_ptr_eq(q, p + MIB);
    ck_assert(!taken);
    ck_assert(is_zero(q, MIB));
    ck_assert_ptr_null(pages_map_at(p, MIB, &taken));
    ck_assert(taken);
    ck_assert_int_eq(p[0], 7);
    ck_assert_ptr_null(pages_map_at(p + MIB / 2, MIB, &taken));
    ck_assert(taken);
    ck_assert(pages_unmap(p, 2 * MIB));
}
END_TEST

/* A kernel that takes the address for a hint: what came is given back. */
START_TEST(an_old_kernel_is_understood)
{
    bool taken = false;

    nunmapped = 0;
    pretend_unmap = true;
    map_answer = 0x10000000;
    void *p = pages_map_at((void *)0x20000000, MIB, &taken);
    map_answer = -17;           /* EEXIST, from a new one */
    bool first = taken;
    void *q = pages_map_at((void *)0x20000000, MIB, &taken);
    map_answer = -12;           /* ENOMEM */
    bool second = taken;
    void *r = pages_map_at((void *)0x20000000, MIB, &taken);
    map_answer = 0;
    pretend_unmap = false;
    ck_assert_ptr_null(p);
    ck_assert_ptr_null(q);
    ck_assert_ptr_null(r);
    ck_assert(first && second && !taken);
    ck_assert_uint_eq(nunmapped, 1);
    ck_assert_int_eq(unmapped[0].at, 0x10000000);
    ck_assert_int_eq(unmapped[0].size, MIB);
}
END_TEST

START_TEST(reserved_reads_as_zero_and_opens)
{
    char *p = pages_reserve(64 * MIB);

    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(p[0] | p[32 * MIB] | p[64 * MIB - 1], 0);
    ck_assert(pages_make_writable(p + 8 * MIB, MIB));
    p[8 * MIB] = p[9 * MIB - 1] = 5;
    ck_assert_int_eq(p[8 * MIB - 1] | p[9 * MIB], 0);
    ck_assert(pages_unmap(p, 64 * MIB));
}
END_TEST

/* P5, and the addresses stay. */
START_TEST(purged_reads_as_zero)
{
    char *p = pages_map(MIB);

    memset(p, 9, MIB);
    ck_assert(pages_purge(p + MIB / 4, MIB / 2));
    ck_assert_int_eq(p[MIB / 4 - 1], 9);
    ck_assert(is_zero(p + MIB / 4, MIB / 2));
    ck_assert_int_eq(p[MIB / 4 * 3], 9);
    p[MIB / 2] = 1;
    ck_assert(pages_unmap(p, MIB));
}
END_TEST

START_TEST(locked_memory_is_not_purged)
{
    char *p = pages_map(pages_size);

    memset(p, 9, pages_size);
    skip_if(SANITIZED, "the sanitizers make mlock do nothing");
    skip_if(mlock(p, pages_size) != 0, "not allowed to lock a page");
    ck_assert(!pages_purge(p, pages_size));
    ck_assert_int_eq(p[0], 9);
    munlock(p, pages_size);
    ck_assert(pages_purge(p, pages_size));
    ck_assert_int_eq(p[0], 0);
}
END_TEST

START_TEST(resizing_keeps_bytes)
{
    char *p = pages_map(4 * MIB), *q;

    memset(p, 3, 4 * MIB);
    ck_assert_ptr_eq(pages_resize(p, 4 * MIB, 2 * MIB, false), p);
    ck_assert_ptr_eq(pages_resize(p, 2 * MIB, 4 * MIB, false), p);
    ck_assert_int_eq(p[2 * MIB - 1], 3);
    ck_assert(is_zero(p + 2 * MIB, 2 * MIB));   /* P1 */
    /* Put something behind it: it can grow only elsewhere. */
    ck_assert_ptr_eq(pages_resize(p, 4 * MIB, 2 * MIB, false), p);
    bool taken;
    ck_assert_ptr_nonnull(pages_map_at(p + 2 * MIB, pages_size, &taken));
    ck_assert_ptr_null(pages_resize(p, 2 * MIB, 3 * MIB, false));
    ck_assert_int_eq(p[0], 3);
    q = pages_resize(p, 2 * MIB, 3 * MIB, true);
    ck_assert_ptr_nonnull(q);
    ck_assert_ptr_ne(q, p);
    ck_assert_int_eq(q[0] + q[2 * MIB - 1], 6);
    ck_assert(is_zero(q + 2 * MIB, MIB));
}
END_TEST

/* P2, P3: each kind of call refused. */
START_TEST(a_refusal_is_null_or_false)
{
    char *p = pages_map(MIB);
    bool taken = true, no[4];
    void *null[5];
    size_t limit;

    memset(p, 1, MIB);
    errno = 4711;
    refuse(SYS_mmap);
    null[0] = pages_map(MIB);
    null[1] = pages_map_aligned(MIB, 4 * MIB);
    null[2] = pages_map_at(p, MIB, &taken);
    null[3] = pages_reserve(MIB);
    refuse(SYS_mremap);
    null[4] = pages_resize(p, MIB, 2 * MIB, true);
    refuse(SYS_munmap);
    no[0] = pages_unmap(p, MIB);
    refuse(SYS_madvise);
    no[1] = pages_purge(p, MIB);
    refuse(SYS_mprotect);
    no[2] = pages_make_writable(p, MIB);
    no[3] = taken;
    refuse(SYS_prlimit64);
    limit = pages_address_limit();
    refuse(-1);
    int e = errno;
    ck_assert_int_eq(e, 4711);
    for (int i = 0; i < 5; i++)
        ck_assert_ptr_null(null[i]);
    for (int i = 0; i < 4; i++)
        ck_assert(!no[i]);
    ck_assert_uint_eq(limit, SIZE_MAX);
    ck_assert_int_eq(p[0] + p[MIB - 1], 2);
}
END_TEST

/* An aligned piece whose ends cannot be cut off is still the piece. */
START_TEST(ends_that_stay_do_no_harm)
{
    refuse(SYS_munmap);
    char *p = pages_map_aligned(MIB, 64 * MIB);
    refuse(-1);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % (64 * MIB), 0);
    p[0] = p[MIB - 1] = 1;
}
END_TEST

static void write_to(void *p)
{
    signal(SIGSEGV, SIG_DFL);
    *(volatile char *)p = 1;
}

/* Also where the system says yes to every advice, and takes none. */
START_TEST(a_guarded_page_traps)
{
    char *p = pages_map(MIB), text[100];

    nod = _i == 1;
    p[0] = p[pages_size] = 1;
    ck_assert(pages_guard(p + pages_size, pages_size));
    int status = in_child(write_to, p + pages_size, text, sizeof text);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    ck_assert_int_eq(p[0], 1);
    ck_assert(pages_unguard(p + pages_size, pages_size));
    p[pages_size] = 1;
}
END_TEST

/* Undone is what is said to be undone, and nothing else. */
START_TEST(a_page_that_still_traps_is_told)
{
    char *p = pages_map(MIB), text[100];

    ck_assert(pages_guard(p, pages_size));
    refuse(_i == 0 ? SYS_madvise : SYS_mprotect);
    bool undone = pages_unguard(p, pages_size);
    refuse(-1);
    int status = in_child(write_to, p, text, sizeof text);
    ck_assert_int_eq(undone, WIFEXITED(status));
}
END_TEST

START_TEST(the_limit_on_addresses)
{
    struct rlimit old, limit;

    ck_assert_int_eq(getrlimit(RLIMIT_AS, &old), 0);
    ck_assert_uint_eq(pages_address_limit(), old.rlim_cur == RLIM_INFINITY
                                                 ? SIZE_MAX
                                                 : old.rlim_cur);
    limit = old;
    limit.rlim_cur = (rlim_t)1 << 40;
    if (old.rlim_max >= limit.rlim_cur) {
        ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
        ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
        skip_if(limit.rlim_cur != (rlim_t)1 << 40,
                "a limit on addresses was set and is not kept (qemu-user passes none on)");
        ck_assert_uint_eq(pages_address_limit(), (size_t)1 << 40);
        setrlimit(RLIMIT_AS, &old);
    }
}
END_TEST

START_TEST(time_goes_on_and_costs_no_call)
{
    unsigned before = ncalls;
    uint64_t start = pages_now_ms(), t;
    struct timespec nap = { 0, 60 * 1000000 };

    ck_assert_uint_gt(start, 0);
    ck_assert_uint_eq(ncalls, before);
    nanosleep(&nap, NULL);
    t = pages_now_ms();
    ck_assert_uint_ge(t, start + 30);
    ck_assert_uint_lt(t, start + 30000);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, the_page_size_is_the_systems);
    tcase_add_test(t, mapped_memory_is_zero_and_writable);
    tcase_add_test(t, aligned_is_aligned);
    tcase_add_test(t, aligned_from_every_place);
    tcase_add_test(t, absurd_sizes_are_refused);
    tcase_add_test(t, at_an_address_or_not_at_all);
    tcase_add_test(t, an_old_kernel_is_understood);
    tcase_add_test(t, reserved_reads_as_zero_and_opens);
    tcase_add_test(t, purged_reads_as_zero);
    tcase_add_test(t, locked_memory_is_not_purged);
    tcase_add_test(t, resizing_keeps_bytes);
    tcase_add_test(t, a_refusal_is_null_or_false);
    tcase_add_test(t, ends_that_stay_do_no_harm);
    tcase_add_loop_test(t, a_guarded_page_traps, 0, 2);
    tcase_add_loop_test(t, a_page_that_still_traps_is_told, 0, 2);
    tcase_add_test(t, the_limit_on_addresses);
    tcase_add_test(t, time_goes_on_and_costs_no_call);
}

int main(void)
{
    pages_start();
    return unit_run("pages", add_tests);
}
