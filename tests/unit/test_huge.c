/* test_huge.c -- H1 to H5, the manners and the failures of huge blocks.
 *
 * H1 to H5 are asserted by the room at the end of every change. */

#include "huge.h"

#include "base.h"
#include "options.h"
#include "pages.h"

#include "unit.h"

#include <sys/mman.h>

#define MIB ((size_t)1024 * 1024)
#define LEAST ((size_t)2 * MIB + 1)

/* What the system does for us, and refuses. */
static unsigned nmaps, nunmaps, nresizes, npurges, nprefers;
static bool refuse_maps, refuse_unmaps, refuse_resizes, refuse_until_unmapped;
static bool lock_must_be_free;

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    nmaps += n == SYS_mmap;
    nunmaps += n == SYS_munmap;
    nresizes += n == SYS_mremap;
    npurges += n == SYS_madvise && c == MADV_DONTNEED;
    nprefers += n == SYS_madvise && c == MADV_HUGEPAGE;
    /* The debug build traps when a thread takes a lock that it holds. */
    if (lock_must_be_free)
        huge_stats();
    if ((n == SYS_mmap && (refuse_maps || refuse_until_unmapped))
        || (n == SYS_munmap && refuse_unmaps)
        || (n == SYS_mremap && (refuse_resizes || refuse_until_unmapped)))
        return -ENOMEM;
    if (n == SYS_munmap)
        refuse_until_unmapped = false;
    return system_call(n, a, b, c, d, e, f);
}

static void start(void)
{
    free(malloc(1));
    huge_purge(0, true);
    lock_must_be_free = true;
    srand(11);
}

static void *take(size_t size)
{
    bool zeroed;
    void *p = huge_take(size, 16, &zeroed);

    ck_assert_ptr_nonnull(p);
    return p;
}

START_TEST(a_block_is_whole_zero_and_known)
{
    bool zeroed = false;
    struct huge_stats before = huge_stats();
    unsigned char *p = huge_take(LEAST, 16, &zeroed);

    ck_assert_ptr_nonnull(p);
    ck_assert(zeroed);
    ck_assert_uint_eq(huge_size(p), round_up(LEAST, pages_size));
    for (size_t i = 0; i < huge_size(p); i += 512)
        ck_assert_uint_eq(p[i], 0);
    memset(p, 1, huge_size(p));
    struct huge_stats s = huge_stats();
    ck_assert_uint_eq(s.nblocks, before.nblocks + 1);
    ck_assert_uint_eq(s.nbytes, before.nbytes + huge_size(p));
    ck_assert(huge_put(p));
    s = huge_stats();
    ck_assert_uint_eq(s.nblocks, before.nblocks);
    ck_assert_uint_eq(s.nbytes, before.nbytes);
}
END_TEST

START_TEST(aligned_as_asked)
{
    bool zeroed;

    for (size_t alignment = 16; alignment <= 64 * MIB; alignment *= 2) {
        void *p = huge_take(3 * MIB, alignment, &zeroed);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % alignment, 0);
        ck_assert(huge_put(p));
    }
}
END_TEST

/* Only the start is the block; a second put finds nothing. */
START_TEST(what_is_no_block_is_refused)
{
    char *p = take(3 * MIB);
    size_t size = 0;

    ck_assert(!huge_put(p + 16));
    ck_assert(!huge_put(p + pages_size));
    ck_assert(!huge_put(&p));
    ck_assert_uint_eq(huge_size(p + 16), 0);
    ck_assert_ptr_eq(huge_find(p + 3 * MIB - 1, &size), p);
    ck_assert_uint_eq(size, 3 * MIB);
    ck_assert_ptr_null(huge_find(&p, &size));
    ck_assert(huge_put(p));
    ck_assert(!huge_put(p));
    ck_assert_uint_eq(huge_size(p), 0);
    ck_assert_ptr_null(huge_find(p, &size));
    ck_assert_ptr_null(huge_resize(p, 5 * MIB));
}
END_TEST

/* H3: a place that was left has no size, so it holds no address. */
START_TEST(an_empty_place_holds_nothing)
{
    size_t size = 77;

    ck_assert(huge_put(take(8 * MIB)));
    ck_assert_ptr_null(huge_find((void *)MIB, &size));
    ck_assert_uint_eq(size, 77);
}
END_TEST

enum { NBLOCKS = 300 };
static void *block[NBLOCKS], *gone[NBLOCKS];
static size_t sizes[NBLOCKS];

static void take_block(int i)
{
    sizes[i] = LEAST + (size_t)rand() % MIB;
    block[i] = take(sizes[i]);
    for (int k = 0; k < NBLOCKS; k++)       /* an old address, new again */
        if (gone[k] == block[i])
            gone[k] = NULL;
}

static void put_block(int i)
{
    ck_assert(huge_put(block[i]));
    gone[i] = block[i];
    block[i] = NULL;
}

static void look_at_all(void)
{
    for (int k = 0; k < NBLOCKS; k++) {
        if (block[k] != NULL)
            ck_assert_uint_ge(huge_size(block[k]), sizes[k]);
        if (gone[k] != NULL)
            ck_assert_uint_eq(huge_size(gone[k]), 0);
    }
}

/* Three hundred at once, thousands of changes. */
START_TEST(the_table_finds_what_it_holds)
{
    for (int i = 0; i < NBLOCKS; i++)
        take_block(i);
    ck_assert_uint_ge(huge_stats().nblocks, NBLOCKS);
    for (int step = 0; step < 4000; step++) {
        int i = rand() % NBLOCKS;
        if (block[i] == NULL)
            take_block(i);
        else
            put_block(i);
        if (step % 100 == 99)
            look_at_all();
    }
}
END_TEST

/* A freed block is used again at no cost; what is left of it stays. */
START_TEST(kept_and_used_again)
{
    bool zeroed = true;
    char *p = take(6 * MIB);

    memset(p, 1, 4096);
    ck_assert(huge_put(p));
    ck_assert_uint_eq(huge_stats().kept, 6 * MIB);
    unsigned calls = nmaps + nunmaps;
    ck_assert_ptr_eq(huge_take(4 * MIB, 4096, &zeroed), p);
    ck_assert(!zeroed);
    ck_assert_uint_eq(nmaps + nunmaps, calls);
    ck_assert_uint_eq(huge_size(p), 4 * MIB);
    ck_assert_uint_eq(huge_stats().kept, 2 * MIB);
    ck_assert(huge_put(p));                             /* joined again */
    ck_assert_uint_eq(huge_stats().kept, 6 * MIB);
    ck_assert_ptr_ne(take(6 * MIB + 1), p);            /* too small */
    ck_assert_ptr_eq(take(5 * MIB), p);
    ck_assert(huge_was_asked(p, 5 * MIB - 7));
    ck_assert(!huge_was_asked(p, 5 * MIB + 1));
    ck_assert(!huge_was_asked(p + 4096, 5 * MIB));
}
END_TEST

START_TEST(the_best_fit_of_the_kept)
{
    char *p[5];                         /* the odd ones keep them apart */

    for (int i = 0; i < 5; i++)
        p[i] = take((size_t)(i == 0 ? 12 : i == 2 ? 10 : i == 4 ? 11 : 3)
                    * MIB);
    for (int i = 0; i < 5; i += 2)
        ck_assert(huge_put(p[i]));
    ck_assert_ptr_eq(take(10 * MIB), p[2]);
    ck_assert_ptr_eq(take(10 * MIB), p[4]);
    ck_assert_ptr_eq(take(10 * MIB), p[0]);
}
END_TEST

/* The sixty-fifth piece pushes the oldest out. */
START_TEST(sixty_four_are_kept)
{
    enum { N = 65 };
    void *p[2 * N];

    for (int i = 0; i < 2 * N; i++)
        p[i] = take(3 * MIB);
    unsigned before = nunmaps;
    for (int i = 0; i < N; i++)
        ck_assert(huge_put(p[2 * i]));
    ck_assert_uint_eq(nunmaps, before + 1);
    ck_assert_uint_eq(huge_stats().kept, 64 * 3 * MIB);
    for (int i = 1; i < N; i++)
        ck_assert_ptr_ne(take(3 * MIB), p[0]);
}
END_TEST

/* In use and kept: at most an eighth and 8 MiB more than were in use. */
START_TEST(not_too_much_is_kept)
{
    size_t size = 3 * MIB;

    for (int i = 0; i < 200; i++) {
        void *p = take(size), *q = take(size + 8 * MIB);
        ck_assert(huge_put(p));
        ck_assert(huge_put(q));
        ck_assert_uint_le(huge_stats().kept,
                          (2 * size + 8 * MIB) * 9 / 8 + 9 * MIB);
        size += MIB / 8;
    }
}
END_TEST

/* Kept pieces too small for a new block do not stay beside it. */
START_TEST(what_is_kept_makes_way)
{
    void *p[16];

    for (int i = 0; i < 16; i++)
        p[i] = take(4 * MIB);
    for (int i = 0; i < 16; i += 2)
        ck_assert(huge_put(p[i]));
    ck_assert_uint_eq(huge_stats().kept, 32 * MIB);
    ck_assert_ptr_nonnull(take(40 * MIB));      /* peak 64, used 72 */
    ck_assert_uint_le(huge_stats().nbytes + huge_stats().kept, 80 * MIB);
    ck_assert_uint_eq(huge_stats().kept, 8 * MIB);
}
END_TEST

/* Huge pages are asked for when the room has grown, and only then. */
START_TEST(huge_pages_for_a_grown_room)
{
    nprefers = 0;
    ck_assert_ptr_nonnull(take(3 * MIB / 2));
    ck_assert_ptr_nonnull(take(MIB));               /* beside 1.5 MiB: too few */
    ck_assert_uint_eq(nprefers, 0);
    ck_assert_ptr_nonnull(take(3 * MIB));           /* a quarter of 8 MiB is in use */
    ck_assert_uint_eq(nprefers, 1);
}
END_TEST

/* Growth into kept memory right behind costs no system call. */
START_TEST(growth_into_kept_memory)
{
    char *p = take(20 * MIB);

    ck_assert(huge_put(p));
    ck_assert_ptr_eq(take(4 * MIB), p);
    unsigned calls = nmaps + nunmaps + nresizes;
    ck_assert_ptr_eq(huge_resize(p, 15 * MIB), p);
    ck_assert_ptr_eq(huge_resize(p, 5 * MIB), p);
    ck_assert_uint_eq(nmaps + nunmaps + nresizes, calls);
    ck_assert_uint_eq(huge_size(p), 5 * MIB);
    ck_assert_uint_eq(huge_stats().kept, 15 * MIB);
}
END_TEST

/* It has no bytes to lose, and copies none. */
START_TEST(resized_without_a_copy)
{
    unsigned char *p = take(4 * MIB), *q;

    for (size_t i = 0; i < 4 * MIB; i += 4096)
        p[i] = (unsigned char)(i / 4096);
    q = huge_resize(p, 64 * MIB);
    ck_assert_ptr_nonnull(q);
    ck_assert_uint_eq(nresizes, 1);
    ck_assert_uint_eq(huge_size(q), 64 * MIB);
    if (q != p)
        ck_assert_uint_eq(huge_size(p), 0);
    for (size_t i = 0; i < 64 * MIB; i += 4096)
        ck_assert_uint_eq(q[i],
                          i < 4 * MIB ? (unsigned char)(i / 4096) : 0);
    p = huge_resize(q, 3 * MIB);
    ck_assert_ptr_eq(p, q);                             /* cut off */
    ck_assert_uint_eq(huge_size(p), 3 * MIB);
    ck_assert_uint_eq(p[MIB], 0x100 % 256);
    ck_assert_ptr_eq(huge_resize(p, 3 * MIB - 5), p);   /* same pages */
    ck_assert_uint_eq(nresizes, 1);                     /* the tail is kept */
    ck_assert(huge_put(p));
}
END_TEST

START_TEST(a_refused_resize_changes_nothing)
{
    char *p = take(3 * MIB);
    struct huge_stats before = huge_stats();

    strcpy(p, "still here");
    refuse_resizes = refuse_maps = true;
    ck_assert_ptr_null(huge_resize(p, 30 * MIB));
    refuse_maps = false;
    ck_assert_str_eq(p, "still here");
    ck_assert_uint_eq(huge_size(p), 3 * MIB);
    ck_assert_uint_eq(huge_stats().nblocks, before.nblocks);
    ck_assert_uint_eq(huge_stats().nbytes, before.nbytes);
    ck_assert(huge_put(p));
}
END_TEST

/* What the system will not move is copied. */
START_TEST(a_refused_move_is_a_copy)
{
    char *p = take(3 * MIB), *q;
    struct huge_stats before = huge_stats();

    memset(p, 'x', 3 * MIB);
    refuse_resizes = true;
    ck_assert_ptr_nonnull(q = huge_resize(p, 30 * MIB));
    ck_assert_ptr_ne(p, q);
    ck_assert_uint_eq(huge_size(q), 30 * MIB);
    ck_assert_uint_eq(huge_size(p), 0);
    for (size_t i = 0; i < 3 * MIB; i++)
        ck_assert(q[i] == 'x');
    ck_assert_uint_eq(huge_stats().nblocks, before.nblocks);
    ck_assert_uint_eq(huge_stats().nbytes, before.nbytes + 27 * MIB);
}
END_TEST

/* Blocks that were moved are mappings apart, even side by side; what is cut
 * from them when they are joined must grow all the same. */
START_TEST(of_several_mappings_one_block)
{
    enum { N = 16 };
    char *p[N], *q;

    for (int round = 0; round < (SANITIZED ? 1 : 5); round++) {
        for (size_t i = 0; i < N; i++)
            memset(p[i] = take((3 + i % 5) * MIB), 1, 3 * MIB);
        for (size_t i = 0; i < N; i += 2) {
            q = huge_resize(p[i], (9 + i % 3) * MIB);
            ck_assert_ptr_nonnull(q);
            memset(p[i] = q, 2, 9 * MIB);
        }
        for (size_t i = 0; i < N; i++)
            ck_assert(huge_put(p[i]));
        memset(q = take(40 * MIB), 3, 40 * MIB);
        ck_assert_ptr_nonnull(q = huge_resize(q, 200 * MIB));
        for (size_t i = 0; i < 40 * MIB; i += 4096)
            ck_assert(q[i] == 3);
        ck_assert(huge_put(q));
    }
}
END_TEST

START_TEST(a_refused_mapping_leaves_no_trace)
{
    struct huge_stats before = huge_stats();
    bool zeroed;

    refuse_maps = true;
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_null(huge_take(3 * MIB, 16, &zeroed));
    refuse_maps = false;
    ck_assert_uint_eq(huge_stats().nblocks, before.nblocks);
    ck_assert_uint_eq(huge_stats().nbytes, before.nbytes);
    ck_assert(huge_put(take(3 * MIB)));
}
END_TEST

/* More than there are addresses, in any unit. */
START_TEST(absurd_sizes_are_refused)
{
    bool zeroed;

    ck_assert_ptr_null(huge_take(PTRDIFF_MAX, 16, &zeroed));
    ck_assert_ptr_null(huge_take(PTRDIFF_MAX, POW2(62), &zeroed));
    ck_assert_ptr_null(huge_take(3 * MIB, POW2(62), &zeroed));
    char *p = take(3 * MIB);
    ck_assert_ptr_null(huge_resize(p, PTRDIFF_MAX));
    ck_assert_uint_eq(huge_size(p), 3 * MIB);
}
END_TEST

/* The system has memory again when a kept block is unmapped. */
START_TEST(kept_blocks_give_way)
{
    bool zeroed;

    ck_assert(huge_put(take(100 * MIB)));
    refuse_until_unmapped = true;
    ck_assert_ptr_nonnull(huge_take(200 * MIB, PAGE, &zeroed));
    ck_assert_uint_eq(huge_stats().kept, 0);
}
END_TEST

START_TEST(kept_blocks_give_way_to_growth)
{
    char *p = take(3 * MIB);

    ck_assert(huge_put(take(100 * MIB)));
    refuse_until_unmapped = true;
    ck_assert_ptr_nonnull(p = huge_resize(p, 50 * MIB));
    ck_assert_uint_eq(huge_size(p), 50 * MIB);
}
END_TEST

/* When addresses cannot go back, the memory does. */
START_TEST(what_cannot_be_unmapped_is_purged)
{
    ck_assert(huge_put(take(3 * MIB)));
    refuse_unmaps = true;
    unsigned before = npurges;
    ck_assert_uint_eq(huge_purge(0, true), 3 * MIB);
    ck_assert_uint_eq(npurges, before + 1);
    ck_assert_uint_eq(huge_stats().kept, 0);
}
END_TEST

/* Little by little, in the time of the option; the oldest first. */
START_TEST(purged_by_decay)
{
    uint64_t now = pages_now_ms();
    size_t all = 8 * 3 * MIB, kept;
    void *p[8];

    for (int i = 0; i < 8; i++)
        p[i] = take(3 * MIB);
    for (int i = 0; i < 8; i++)
        ck_assert(huge_put(p[i]));
    ck_assert_int_eq(options.decay_ms, 10000);
    huge_purge(now, false);
    ck_assert_uint_eq(huge_stats().kept, all);
    huge_purge(now + 5000, false);
    kept = huge_stats().kept;
    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_le(kept, all / 2 + 3 * MIB);
    huge_purge(now + 10200, false);
    ck_assert_uint_eq(huge_stats().kept, 0);
}
END_TEST

START_TEST(the_numbers_of_the_chapter)
{
    ck_assert_uint_eq(round_up(2 * MIB + 1, 4096), 2101248);
    ck_assert_uint_eq(round_up(3000000, 4096), 3002368);
    ck_assert_uint_eq(3 * MIB / 4096, 768);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, a_block_is_whole_zero_and_known);
    tcase_add_test(t, aligned_as_asked);
    tcase_add_test(t, what_is_no_block_is_refused);
    tcase_add_test(t, an_empty_place_holds_nothing);
    tcase_add_test(t, the_table_finds_what_it_holds);
    tcase_add_test(t, kept_and_used_again);
    tcase_add_test(t, the_best_fit_of_the_kept);
    tcase_add_test(t, sixty_four_are_kept);
    tcase_add_test(t, not_too_much_is_kept);
    tcase_add_test(t, what_is_kept_makes_way);
    tcase_add_test(t, huge_pages_for_a_grown_room);
    tcase_add_test(t, growth_into_kept_memory);
    tcase_add_test(t, resized_without_a_copy);
    tcase_add_test(t, a_refused_resize_changes_nothing);
    tcase_add_test(t, a_refused_move_is_a_copy);
    tcase_add_test(t, of_several_mappings_one_block);
    tcase_add_test(t, a_refused_mapping_leaves_no_trace);
    tcase_add_test(t, absurd_sizes_are_refused);
    tcase_add_test(t, kept_blocks_give_way);
    tcase_add_test(t, kept_blocks_give_way_to_growth);
    tcase_add_test(t, what_cannot_be_unmapped_is_purged);
    tcase_add_test(t, purged_by_decay);
    tcase_add_test(t, the_numbers_of_the_chapter);
}

int main(void)
{
    return unit_run("huge", add_tests);
}
