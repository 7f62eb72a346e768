/* test_pagemap.c -- the page map: M1 to M4 of its chapter, the window, refusals. */

#include "pagemap.h"

#include "options.h"
#include "pages.h"

#include "unit.h"

#include <sys/mman.h>
#include <sys/resource.h>

/* Numbers that the chapter quotes. */
#define GIB POW2(30)
static_assert(sizeof(uintptr_t) == 8, "addresses have 64 bits");
static_assert((POW2(40) >> PAGE_SHIFT) == 64 * POW2(20), "64 MiB of bytes");
static_assert((POW2(40) >> CHUNK_SHIFT) * 8 == 2 * POW2(20), "2 MiB of pointers");
static_assert((POW2(47) >> PAGE_SHIFT) == 8 * GIB, "8 GiB for all addresses");
static_assert((UINT64_C(0x2dfd000000) >> PAGE_SHIFT) == 0xb7f400, "the page");
static_assert((UINT64_C(0x2dfd000000) >> CHUNK_SHIFT) == 0xb7f4, "the slot");
static_assert(0xb7f4 == 47092 && (UINT64_C(0x2dfd000000) >> 30) == 183, "the part");
static_assert(UINT64_C(0x7f3c3c200000) + 0xb7f400 == 0x7f3c3cd7f400, "its byte");
static_assert(UINT64_C(0x7f3c40200000) + 8 * 0xb7f4 == 0x7f3c4025bfa0, "its pointer");
static_assert(UINT64_C(0x7f3c3c200000) + 64 * 1048576 == 0x7f3c40200000, "they begin");
static_assert((UINT64_C(0x2dfd012345) >> PAGE_SHIFT) == 0xb7f404, "of the exercise");
static_assert((GIB >> PAGE_SHIFT) == 65536 && (GIB >> CHUNK_SHIFT) == 256, "a part");

/* The usual window, or as much of it as lies below the stack's power of two: an
 * emulator may put the stack at 0x4000800000.  A part of it where no test's heap lies,
 * and chunks that are none. */
static uintptr_t window, part_start;
static char room_for_chunks[2];
#define SOME_CHUNK ((struct chunk *)&room_for_chunks[0])
#define OTHER_CHUNK ((struct chunk *)&room_for_chunks[1])

static long refuse;             /* the number of a system call that fails */
static int let_pass;            /* so many of them first */
static size_t refuse_above;     /* mmap of more bytes fails */
static size_t address_limit;    /* what prlimit answers; 0: the truth */
static int ncalls;              /* of mprotect */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    ncalls += n == SYS_mprotect;
    if (n == refuse && let_pass-- <= 0)
        return -ENOMEM;
    if (n == SYS_mmap && refuse_above != 0 && (size_t)b > refuse_above)
        return -ENOMEM;
    if (n == SYS_prlimit64 && address_limit != 0) {
        ((struct rlimit *)d)->rlim_cur = address_limit;
        return 0;
    }
    return system_call(n, a, b, c, d, e, f);
}

static void start(void)
{
    if (pagemap_npages == 0) {
        pages_start();
        ck_assert(pagemap_start(options.window_bytes));
    }
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0);

    for (window = POW2(40); window / 2 > stack; window /= 2)
        ;
    part_start = window / 8 * 7;
    ck_assert_uint_eq(pagemap_npages, window / PAGE);
}

/* What stood there before the test began a map of its own; the process's
 * malloc may be using it. */
static struct {
    uint8_t *classes;
    uintptr_t npages;
    struct chunk **chunks;
} old;

static void save(void)
{
    pages_start();
    old.classes = pagemap_classes;
    old.npages = pagemap_npages;
    old.chunks = pagemap_chunks;
}

static void restore(void)
{
    pagemap_classes = old.classes;
    pagemap_npages = old.npages;
    pagemap_chunks = old.chunks;
}

static size_t class_at(uintptr_t p)
{
    return pagemap_class((void *)p);
}

static struct chunk *chunk_at(uintptr_t p)
{
    return pagemap_chunk((void *)p);
}

START_TEST(before_the_start_all_is_outside)
{
    save();
    pagemap_npages = 0;
    size_t c = class_at(7 * GIB) + class_at(0);
    struct chunk *k = chunk_at(7 * GIB);
    restore();
    ck_assert_uint_eq(c, 0);
    ck_assert_ptr_null(k);
}
END_TEST

START_TEST(any_address_may_be_asked)            /* M3 */
{
    int local;

    start();
    const uintptr_t odd[] = { 0, 1, PAGE - 1, PAGE, window - 1, window, window + 1,
                              POW2(40), POW2(47), POW2(63), UINTPTR_MAX };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        ck_assert_uint_eq(class_at(odd[i]), 0);
        ck_assert_ptr_null(chunk_at(odd[i]));
    }
    ck_assert_uint_eq(pagemap_class(&local), 0);
    ck_assert_ptr_null(pagemap_chunk(&local));
    ck_assert_ptr_null(pagemap_chunk(room_for_chunks));
}
END_TEST

START_TEST(a_class_covers_its_pages_and_no_more)        /* M1 */
{
    start();
    uintptr_t run = part_start + 5 * PAGE;
    ck_assert(pagemap_enter(part_start, SOME_CHUNK));
    pagemap_set(run, 3, 17);
    ck_assert_uint_eq(class_at(run - 1), 0);
    for (uintptr_t p = run; p < run + 3 * PAGE; p += PAGE / 2)
        ck_assert_uint_eq(class_at(p), 17);
    ck_assert_uint_eq(class_at(run + 3 * PAGE - 1), 17);
    ck_assert_uint_eq(class_at(run + 3 * PAGE), 0);
    pagemap_set(run + PAGE, 1, 64);
    ck_assert_uint_eq(class_at(run), 17);
    ck_assert_uint_eq(class_at(run + PAGE), 64);
    ck_assert_uint_eq(class_at(run + 2 * PAGE), 17);
    pagemap_set(run, 3, 0);
    for (uintptr_t p = run; p < run + 3 * PAGE; p += PAGE)
        ck_assert_uint_eq(class_at(p), 0);
}
END_TEST

START_TEST(a_slot_leads_to_its_chunk)           /* M2 */
{
    start();
    ck_assert(pagemap_enter(part_start + CHUNK, SOME_CHUNK));
    ck_assert(pagemap_enter(part_start + 2 * CHUNK, OTHER_CHUNK));
    ck_assert_ptr_null(chunk_at(part_start + CHUNK - 1));
    ck_assert_ptr_eq(chunk_at(part_start + CHUNK), SOME_CHUNK);
    ck_assert_ptr_eq(chunk_at(part_start + 2 * CHUNK - 1), SOME_CHUNK);
    ck_assert_ptr_eq(chunk_at(part_start + 2 * CHUNK), OTHER_CHUNK);
    ck_assert_ptr_null(chunk_at(part_start + 3 * CHUNK));
    ck_assert(pagemap_enter(part_start + CHUNK, NULL));
    ck_assert_ptr_null(chunk_at(part_start + CHUNK));
    ck_assert_ptr_eq(chunk_at(part_start + 2 * CHUNK), OTHER_CHUNK);
}
END_TEST

START_TEST(a_part_opens_once)
{
    start();
    ncalls = 0;
    ck_assert(pagemap_enter(part_start, SOME_CHUNK));
    ck_assert_int_eq(ncalls, 2);
    ck_assert(pagemap_enter(part_start + GIB - CHUNK, SOME_CHUNK));
    ck_assert_int_eq(ncalls, 2);
    /* The pointers of the next part share a system page with these. */
    ck_assert(pagemap_enter(part_start + GIB, OTHER_CHUNK));
    ck_assert_int_eq(ncalls, 4);
    pagemap_set(part_start + GIB, 1, 9);
    ck_assert_uint_eq(class_at(part_start + GIB), 9);
    /* The last part of the window ends with the map. */
    ck_assert(pagemap_enter(window - CHUNK, SOME_CHUNK));
    pagemap_set(window - PAGE, 1, 9);
    ck_assert_uint_eq(class_at(window - 1), 9);
}
END_TEST

START_TEST(refused_part_stays_closed)           /* M4 */
{
    start();
    refuse = SYS_mprotect;
    let_pass = _i;                      /* the first call or the second */
    ck_assert(!pagemap_enter(part_start, SOME_CHUNK));
    ck_assert_ptr_null(chunk_at(part_start));
    refuse = 0;
    ck_assert(pagemap_enter(part_start, SOME_CHUNK));
    ck_assert_ptr_eq(chunk_at(part_start), SOME_CHUNK);
    pagemap_set(part_start, 1, 9);
    ck_assert_uint_eq(class_at(part_start), 9);
}
END_TEST

/* The window that is chosen, in bytes; 0 if there is none. */
static size_t window_of(size_t wish)
{
    save();
    bool done = pagemap_start(wish);
    size_t npages = pagemap_npages;
    bool same = pagemap_npages == old.npages;
    restore();
    refuse = 0;
    refuse_above = address_limit = 0;
    ck_assert(done || same);
    return done ? npages * PAGE : 0;
}

START_TEST(a_limit_narrows_the_window)
{
    address_limit = 256 * POW2(20);
    ck_assert_uint_eq(window_of(POW2(40)), 32 * GIB);
    address_limit = 1;
    ck_assert_uint_eq(window_of(POW2(40)), GIB);
    ck_assert_uint_eq(window_of(POW2(28)), GIB);
    ck_assert_uint_eq(window_of(3 * GIB), 3 * GIB);
}
END_TEST

START_TEST(the_window_ends_where_addresses_do)
{
    ck_assert_uint_le(window_of(POW2(46)), POW2(46));
    ck_assert_uint_eq(window_of(POW2(46)) & (GIB - 1), 0);
    ck_assert_uint_ne(window_of(POW2(46)), 0);
}
END_TEST

START_TEST(a_refused_map_is_tried_smaller)
{
    refuse_above = 2 * (65536 + 2048);
    ck_assert_uint_eq(window_of(POW2(40)), 2 * GIB);
    /* The smallest window is tried, too. */
    refuse_above = 65536 + 2048;
    ck_assert_uint_eq(window_of(POW2(40)), GIB);
    refuse_above = 65536 + 2047;
    ck_assert_uint_eq(window_of(POW2(40)), 0);
    refuse = SYS_mmap;
    let_pass = 0;
    ck_assert_uint_eq(window_of(POW2(40)), 0);
}
END_TEST

START_TEST(fork_leaves_the_map_usable)
{
    start();
    pagemap_before_fork();
    pagemap_after_fork(_i == 1);
    ck_assert(pagemap_enter(part_start, SOME_CHUNK));
    ck_assert_ptr_eq(chunk_at(part_start), SOME_CHUNK);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, before_the_start_all_is_outside);
    tcase_add_test(t, any_address_may_be_asked);
    tcase_add_test(t, a_class_covers_its_pages_and_no_more);
    tcase_add_test(t, a_slot_leads_to_its_chunk);
    tcase_add_test(t, a_part_opens_once);
    tcase_add_loop_test(t, refused_part_stays_closed, 0, 2);
    tcase_add_test(t, a_limit_narrows_the_window);
    tcase_add_test(t, the_window_ends_where_addresses_do);
    tcase_add_test(t, a_refused_map_is_tried_smaller);
    tcase_add_loop_test(t, fork_leaves_the_map_usable, 0, 2);
}

int main(void)
{
    return unit_run("pagemap", add_tests);
}
