#define _GNU_SOURCE /* mallinfo2, memalign */
/* test_malloc.c -- the laws M1 to M5 and the tables of the chapter on the door.
 *
 * The process's malloc is the one under test. */
/* cc: -Wno-alloc-size-larger-than -Wno-deprecated-declarations */
/* env: LITMALLOC_CONF=decay_ms:10000 */

#include "malloc.h"

#include "litmalloc.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

#include <malloc.h>
#include <sys/mman.h>

extern void *reallocarray(void *, size_t, size_t);
extern void free_sized(void *, size_t), cfree(void *);
extern void free_aligned_sized(void *, size_t, size_t);

#define BIG ((size_t)1 << 30)

/* From the first instruction of the process on, until main has seen what the
 * door says then. */
static bool refuse = true;
static bool first_was_refused, second_was_refused;

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    bool asks = n == SYS_mmap || n == SYS_mremap || n == SYS_mprotect;

    return refuse && asks ? -ENOMEM : system_call(n, a, b, c, d, e, f);
}

/* As musl's does, it allocates while the library starts. */
int pthread_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
    extern void *__dso_handle;
    static void *volatile forty;

    forty = malloc(40);
    return __register_atfork(before, in_parent, in_child, __dso_handle);
}

/* M1; and the options, sealed by the first try, are not read again. */
START_TEST(start_again)
{
    ck_assert(first_was_refused);
    ck_assert(second_was_refused);
    ck_assert_int_eq(options.decay_ms, 10000);
    ck_assert_uint_gt(pagemap_npages, 0);
    ck_assert_uint_gt(arena_limit, 0);
}
END_TEST

static unsigned nrecords;       /* counted in main: a child forgets all but its own */

static void count_record(const struct tcache *cache, void *unused)
{
    (void)cache;
    (void)unused;
    nrecords++;
}

/* Although the library was called while it started. */
START_TEST(the_first_thread_has_one_record)
{
    ck_assert_uint_eq(nrecords, 1);
}
END_TEST

START_TEST(every_size_has_its_class)
{
    for (size_t size = 0; size <= 2 * LARGE_MAX; size += size / 50 + 1) {
        unsigned char *p = malloc(size);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        ck_assert_uint_eq(pagemap_class(p),                     /* M2 */
                          size <= SMALL_MAX ? sizeclass_of(size) : 0);
        ck_assert_uint_ge(malloc_usable_size(p), size);
        if (size <= LARGE_MAX)
            ck_assert_uint_eq(malloc_usable_size(p),
                              sizeclasses[sizeclass_of(size)].size);
        memset(p, 1, malloc_usable_size(p));
        free(p);
    }
}
END_TEST

START_TEST(zero_bytes_are_a_block)
{
    void *p = malloc(0), *q = malloc(0);

    ck_assert_ptr_nonnull(p);
    ck_assert_ptr_ne(p, q);
    ck_assert_uint_eq(malloc_usable_size(p), 16);
    ck_assert_uint_eq(malloc_usable_size(NULL), 0);
    free(p);
    free(q);
    free(NULL);
    cfree(malloc(1));
}
END_TEST

START_TEST(debug_builds_fill)
{
    unsigned char *p = malloc(100);

    ck_assert_uint_eq(p[0], 0xa5);
    ck_assert_uint_eq(p[99], 0xa5);
    free(p);
    __asm__ volatile("" : "+r"(p));     /* or the compiler sees a dead read */
    ck_assert_uint_eq(p[0], 0x5a);
    ck_assert_uint_eq(p[111], 0x5a);
}
END_TEST

/* Each of these is refused with ENOMEM: _i picks one. */
START_TEST(too_much_is_ENOMEM)
{
    size_t much = _i == 0 ? SIZE_MAX : (size_t)PTRDIFF_MAX + 1;
    char *p = malloc(10), *q = p;

    strcpy(p, "kept");
    for (int i = 0; i < 10; i++) {
        void *r = &r;
        errno = 0;
        switch (i) {
        case 0: r = malloc(much); break;
        case 1: r = calloc(much, 1); break;
        case 2: r = calloc(much / 2 + 1, 2); break;
        case 3: r = realloc(p, much); break;
        case 4: r = reallocarray(p, much / 4 + 1, 4); break;
        case 5: r = reallocarray(p, SIZE_MAX / 2, 3); break;
        case 6: r = aligned_alloc(16, much); break;
        case 7: r = memalign(64, much); break;
        case 8: r = valloc(much); break;
        case 9: r = pvalloc(much); break;
        }
        ck_assert_msg(r == NULL, "case %d", i);
        ck_assert_int_eq(errno, ENOMEM);
    }
    ck_assert_ptr_null(aligned_alloc((size_t)1 << 62, 1));
    ck_assert_str_eq(q, "kept");
    free(p);
}
END_TEST

START_TEST(no_memory_changes_nothing)
{
    char *p = malloc(100);

    memset(p, 7, 100);
    refuse = true;
    errno = 0;
    ck_assert_ptr_null(malloc(BIG));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(realloc(p, BIG));
    ck_assert_int_eq(p[0] + p[99], 14);             /* still there */
    refuse = false;
    ck_assert_ptr_nonnull(p = realloc(p, BIG));
    ck_assert_int_eq(p[0] + p[99], 14);
    free(p);
}
END_TEST

/* All memory there is, in small pieces, and back. */
START_TEST(works_on_when_memory_returns)
{
    void **last = NULL, **p;

    refuse = true;
    while ((p = malloc(1000)) != NULL) {
        *p = last;
        last = p;
    }
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(calloc(1, 1000));
    for (; last != NULL; last = p) {
        p = *last;
        free(last);
    }
    ck_assert_ptr_nonnull(p = malloc(1000));
    free(p);
    refuse = false;
    ck_assert_ptr_nonnull(p = malloc(BIG));
    free(p);
}
END_TEST

/* M3.  Small, large, huge; NULL; stacks full and empty. */
START_TEST(free_keeps_errno)
{
    static const size_t sizes[] = { 1, 100, 1000, 50000, 100000, 3000000 };
    void *p[50];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int k = 0; k < 50; k++)
            ck_assert_ptr_nonnull(p[k] = malloc(sizes[i]));
        errno = 12345;
        for (int k = 0; k < 50; k++)
            free(p[k]);
        ck_assert_int_eq(errno, 12345);
        ck_assert_ptr_nonnull(p[0] = malloc(sizes[i]));
        ck_assert_int_eq(errno, 12345);
        free_sized(p[0], sizes[i]);
        ck_assert_int_eq(errno, 12345);
    }
    free(NULL);
    ck_assert_int_eq(errno, 12345);
}
END_TEST

START_TEST(calloc_is_zero)
{
    static const size_t sizes[] = { 1, 48, 1024, 1025, 57344, 65536, 1000000,
                                    5000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int k = 0; k < 5; k++) {       /* fresh, then used */
            unsigned char *p = calloc(1, sizes[i]);
            ck_assert_ptr_nonnull(p);
            for (size_t b = 0; b < sizes[i]; b++)
                if (p[b] != 0)
                    ck_abort_msg("byte %zu of %zu", b, sizes[i]);
            memset(p, 0xff, sizes[i]);
            free(p);
        }
}
END_TEST

/* The table of realloc, and all pairs of sizes across its lines. */
START_TEST(realloc_keeps_the_bytes)
{
    static const size_t sizes[] = { 1, 16, 17, 1000, 1025, 57344, 57345, 70000,
                                    400000, 1048576, 1048577, 1500000, 2097152,
                                    2097153, 9000000 };
    enum { N = sizeof sizes / sizeof *sizes };

    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            size_t n = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
            unsigned char *p = malloc(sizes[i]);
            for (size_t b = 0; b < sizes[i]; b++)
                p[b] = (unsigned char)(b * 7 + b / 256);
            ck_assert_ptr_nonnull(p = realloc(p, sizes[k]));
            for (size_t b = 0; b < n; b++)
                if (p[b] != (unsigned char)(b * 7 + b / 256))
                    ck_abort_msg("%zu to %zu: byte %zu", sizes[i], sizes[k], b);
            ck_assert_uint_ge(malloc_usable_size(p), sizes[k]);
            free_sized(p, sizes[k]);
        }
}
END_TEST

/* A large block that grows past 1 MiB is huge from then on, and then grows
 * to 2 MiB where it is; one that shrinks to 1 MiB is large again. */
START_TEST(a_block_that_grows_becomes_huge)
{
    char *p = malloc(1000000), *q;

    ck_assert_uint_le(malloc_usable_size(p), LARGE_MAX / 2);
    ck_assert_ptr_nonnull(p = realloc(p, 1200000));
    ck_assert_uint_gt(malloc_usable_size(p), LARGE_MAX);
    ck_assert_ptr_eq(q = realloc(p, 2000000), p);
    ck_assert_ptr_eq(p = realloc(q, 1100000), q);
    ck_assert_ptr_nonnull(p = realloc(p, 1048576));
    ck_assert_uint_eq(malloc_usable_size(p), 1048576);
    free_sized(p, 1048576);
    ck_assert_ptr_nonnull(p = malloc(1500000));
    ck_assert_uint_le(malloc_usable_size(p), LARGE_MAX);
    free(p);
}
END_TEST

START_TEST(realloc_in_the_class_stays)
{
    char *p = malloc(100), *q = p;

    for (size_t size = 97; size <= 112; size++)
        ck_assert_ptr_eq(p = realloc(p, size), q);
    errno = 77;
    ck_assert_ptr_null(realloc(p, 0));
    ck_assert_int_eq(errno, 77);
    ck_assert_ptr_nonnull(p = realloc(NULL, 10));
    free(p);
    ck_assert_ptr_nonnull(p = reallocarray(NULL, 10, 10));
    free(p);
}
END_TEST

/* The answer to exercise ex-realloc-grow: 46 moves among the small classes. */
START_TEST(growing_by_a_byte)
{
    char *p = malloc(1);
    size_t copied = 0;
    int nmoves = 0;

    for (size_t size = 2; size <= SMALL_MAX; size++) {
        size_t old = malloc_usable_size(p);
        p = realloc(p, size);
        if (malloc_usable_size(p) != old) {
            nmoves++;
            copied += old;
        }
    }
    ck_assert_int_eq(nmoves, 46);
    copied += malloc_usable_size(p);    /* the move into the first large one */
    ck_assert_uint_gt(copied, 360 * 1024);
    ck_assert_uint_lt(copied, 380 * 1024);
    free(p);
}
END_TEST

/* M2 and M5: what is aligned may be freed with what it was asked for with. */
START_TEST(aligned_blocks)
{
    static const size_t sizes[] = { 0, 1, 100, 1000, 16384, 57344, 57345, 100000,
                                    2097152, 2097153, 5000000 };

    for (size_t alignment = 1; alignment <= 4 * CHUNK; alignment *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char *p = aligned_alloc(alignment, sizes[i]), *q;
            ck_assert_ptr_nonnull(p);
            ck_assert_uint_eq((uintptr_t)p % alignment, 0);
            ck_assert_uint_eq((uintptr_t)p % 16, 0);
            ck_assert_uint_ge(malloc_usable_size(p), sizes[i]);
            memset(p, 1, sizes[i]);
            free_aligned_sized(p, alignment, sizes[i]);
            if (alignment < sizeof(void *))
                continue;
            ck_assert_int_eq(posix_memalign((void **)&q, alignment, sizes[i]), 0);
            ck_assert_uint_eq((uintptr_t)q % alignment, 0);
            ck_assert_ptr_nonnull(p = door_take_aligned(sizes[i], alignment));
            ck_assert_ptr_ne(p, q);
            free(q);
            door_put_sized(p, sizes[i], alignment, "test");
        }
    char *p = aligned_alloc(64, 100);   /* the chapter's example */
    ck_assert_uint_eq(malloc_usable_size(p), 128);
    free(p);
}
END_TEST

/* The table of manners. */
START_TEST(how_the_aligned_calls_fail)
{
    static const size_t bad[] = { 0, 1, 2, 3, 4, 12, 24, 48 };
    void *p = &p;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 99;
        ck_assert_int_eq(posix_memalign(&p, bad[i], 10), EINVAL);
        ck_assert_ptr_eq(p, &p);
        ck_assert_int_eq(errno, 99);
    }
    ck_assert_int_eq(posix_memalign(&p, 64, SIZE_MAX), ENOMEM);
    ck_assert_ptr_eq(p, &p);
    ck_assert_int_eq(errno, 99);
    ck_assert_ptr_null(aligned_alloc(0, 10));
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_ptr_null(aligned_alloc(48, 10));
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_ptr_null(memalign(SIZE_MAX, 10));
    ck_assert_int_eq(errno, EINVAL);
    for (size_t a = 0; a < 100; a++) {
        ck_assert_ptr_nonnull(p = memalign(a, 10));
        ck_assert_uint_eq((uintptr_t)p % POW2(ceil_log2(a)), 0);
        free(p);
    }
    ck_assert_ptr_nonnull(p = valloc(10));
    ck_assert_uint_eq((uintptr_t)p % pages_size, 0);
    free(p);
    ck_assert_ptr_nonnull(p = pvalloc(0));
    ck_assert_uint_ge(malloc_usable_size(p), pages_size);
    free(p);
}
END_TEST

/* Each of these ends the process. */
START_TEST(a_wrong_size_is_found)
{
    void *p = malloc(_i < 2 ? 100 : _i == 2 || _i == 4 ? 100000 : 3000000);

    switch (_i) {
    case 0: free_sized(p, 96); break;
    case 1: free_aligned_sized(p, 256, 100); break;
    case 2: free_sized(p, 200000); break;
    case 3: free_sized(p, 5000000); break;
    case 4: free_sized(realloc(p, 1200000), 3000000); break;
    }
}
END_TEST

START_TEST(a_bad_pointer_is_found)
{
    static int here;
    char *p = malloc(_i == 4 ? 3000000 : 100000);

    switch (_i) {
    case 0: free(&here); break;
    case 1: free(p + 16); break;
    case 2: free(p + PAGE); break;
    case 3: p = realloc(p + 16, 10); break;
    case 4: free(p + PAGE); break;
    case 5: ck_assert_uint_eq(malloc_usable_size(&here), 0); break;
    case 6: free((void *)~(uintptr_t)0xff); break;
    }
}
END_TEST

static void *without_a_cache(void *unused)
{
    (void)unused;
    thread_ended = true;
    for (size_t size = 0; size < 4000000; size += size + 1) {
        void *p = malloc(size), *q = calloc(1, size);
        ck_assert_ptr_nonnull(p);
        ck_assert_ptr_nonnull(q);
        ck_assert_ptr_nonnull(p = realloc(p, 2 * size + 1));
        free(p);
        free(q);
        ck_assert_ptr_nonnull(p = memalign(2 * PAGE, size));
        free(p);
    }
    ck_assert(thread_has_none(thread_self()));
    return NULL;
}

START_TEST(a_thread_without_a_cache_is_served)
{
    in_thread(without_a_cache, NULL);
}
END_TEST

static void allocate(void *unused)
{
    void *p = malloc(100), *q = malloc(100000);

    (void)unused;
    free(p);
    free(q);
    _exit(p == NULL || q == NULL);
}

START_TEST(a_child_can_allocate)
{
    char text[512];

    ck_assert_int_eq(in_child(allocate, NULL, text, sizeof text), 0);
}
END_TEST

START_TEST(glibcs_questions_are_answered)
{
    struct mallinfo2 before = mallinfo2(), after;
    void *p = malloc(3000000), *q = malloc(100000);

    after = mallinfo2();
    ck_assert_uint_ge(after.uordblks, before.uordblks + 3100000);
    ck_assert_uint_eq(after.hblks, before.hblks + 1);
    ck_assert_int_eq(mallinfo().hblks, (int)after.hblks);
    free(p);
    free(q);
    ck_assert_int_eq(mallopt(M_ARENA_MAX, 1), 1);
    ck_assert_int_eq(mallopt(M_TRIM_THRESHOLD, 1), 1);
    ck_assert_int_eq(mallopt(M_MXFAST, 1), 1);
    ck_assert_int_eq(mallopt(4711, 1), 0);
    ck_assert_int_eq(malloc_trim(0), 1);
    ck_assert_int_eq(malloc_info(1, stdout), EINVAL);
    ck_assert_str_eq(lit_version(), LITMALLOC_VERSION);
}
END_TEST

START_TEST(malloc_info_writes_xml)
{
    char text[20000] = "";
    FILE *f = fmemopen(text, sizeof text - 1, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(malloc_info(0, f), 0);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(text, "<malloc version=\"1\">"));
    ck_assert_ptr_nonnull(strstr(text, "</malloc>"));
    ck_assert_ptr_nonnull(strstr(text, "<size from=\"1\" to=\"16\""));
}
END_TEST

START_TEST(purge_gives_back)
{
    char *p[40];

    for (int i = 0; i < 40; i++) {
        ck_assert_ptr_nonnull(p[i] = malloc(100000));
        memset(p[i], 1, 100000);
    }
    for (int i = 0; i < 40; i++)
        free(p[i]);
    ck_assert_uint_ge(lit_purge(), 38 * 100000);
}
END_TEST

static void free_twice_and_ask(void *trim)
{
    char *volatile p = malloc(200);

    free(p);
    free(p);
    if (trim != NULL)
        malloc_trim(0);
    else
        lit_purge();
}

/* A double free that a purge brings home is reported in the purge's name. */
START_TEST(purge_says_who_found_it)
{
    dies(free_twice_and_ask, NULL, "lit_purge(): double free of");
    dies(free_twice_and_ask, "trim", "malloc_trim(): double free of");
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, start_again);
    tcase_add_test(t, purge_says_who_found_it);
    tcase_add_test(t, the_first_thread_has_one_record);
    tcase_add_test(t, every_size_has_its_class);
    tcase_add_test(t, zero_bytes_are_a_block);
    tcase_add_test(t, debug_builds_fill);
    tcase_add_loop_test(t, too_much_is_ENOMEM, 0, 2);
    tcase_add_test(t, no_memory_changes_nothing);
    tcase_add_test(t, works_on_when_memory_returns);
    tcase_add_test(t, free_keeps_errno);
    tcase_add_test(t, calloc_is_zero);
    tcase_add_test(t, realloc_keeps_the_bytes);
    tcase_add_test(t, a_block_that_grows_becomes_huge);
    tcase_add_test(t, realloc_in_the_class_stays);
    tcase_add_test(t, growing_by_a_byte);
    tcase_add_test(t, aligned_blocks);
    tcase_add_test(t, how_the_aligned_calls_fail);
    tcase_add_loop_test_raise_signal(t, a_wrong_size_is_found, SIGABRT, 0, 5);
    tcase_add_loop_test_raise_signal(t, a_bad_pointer_is_found, SIGABRT, 0, 7);
    tcase_add_test(t, a_thread_without_a_cache_is_served);
    tcase_add_test(t, a_child_can_allocate);
    tcase_add_test(t, glibcs_questions_are_answered);
    tcase_add_test(t, malloc_info_writes_xml);
    tcase_add_test(t, purge_gives_back);
}

int main(void)
{
    first_was_refused = malloc(1) == NULL && errno == ENOMEM;
    second_was_refused = calloc(1, 1) == NULL && errno == ENOMEM;
    refuse = false;
    free(malloc(1));
    thread_walk(count_record, NULL);
    return unit_run("malloc", add_tests);
}
