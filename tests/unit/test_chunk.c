/* test_chunk.c -- chunks: C1 to C4 of their chapter, and every refusal. */

#include "chunk.h"

#include "base.h"
#include "decay.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

#include <sys/mman.h>

/* Numbers that the chapter quotes. */
static_assert(CHUNK == 4 * 1024 * 1024 && CHUNK_PAGES == 256, "a chunk");
static_assert(sizeof(struct run) == 3 * CACHE_LINE, "figure runrecord");
static_assert(offsetof(struct run, chunk) == 32, "behind the node");
static_assert(offsetof(struct run, free) == 56, "free[0] ends the first line");
static_assert(offsetof(struct run, older) == 56, "where free[0] is");
static_assert(offsetof(struct run, newer) == 64, "where free[1] is");
static_assert(sizeof(((struct run *)0)->free) == 16 * 8, "sixteen words");
static_assert(sizeof(struct chunk) == 49280, "a record");
static_assert(offsetof(struct chunk, runs) == 128, "the records of the pages");
static_assert(RUN_NONE == 0, "a record of zeros is no run's");
static_assert(4096 / sizeof(struct run) == 21, "records in a system page");

static char room_for_arenas[2];
#define SOME_ARENA ((struct arena *)&room_for_arenas[0])
#define OTHER_ARENA ((struct arena *)&room_for_arenas[1])

/* System calls fail or are counted while the test says so. */
static bool no_chunks, no_unmap, no_purge, no_map;
static int ntries;

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    bool chunk = n == SYS_mmap && b == CHUNK && a != 0;

    ntries += chunk;
    if ((chunk && no_chunks) || (n == SYS_munmap && no_unmap)
        || (n == SYS_mprotect && no_map))
        return -ENOMEM;
    if (n == SYS_madvise && no_purge)
        return -EINVAL;
    return system_call(n, a, b, c, d, e, f);
}

static uint64_t start_ms;

static void start(void)
{
    if (pagemap_npages == 0) {
        pages_start();
        ck_assert(pagemap_start(options.window_bytes));
        chunk_start();
    }
    /* The beginning of a step: 5000 ms later 32 steps are over, and not 33. */
    start_ms = pages_now_ms();
    start_ms -= start_ms % ((uint64_t)options.decay_ms / DECAY_STEPS);
    chunk_purge(start_ms, true);
    ck_assert_uint_eq(chunk_stats().nkept, 0);
}

static struct chunk *take(void)
{
    struct chunk *c = chunk_take(SOME_ARENA);

    ck_assert_ptr_nonnull(c);
    return c;
}

static struct chunk *mapped(uintptr_t address)
{
    return pagemap_chunk((void *)address);
}

START_TEST(a_new_chunk)                         /* C1, C2, C4 */
{
    start();
    size_t n = chunk_stats().nchunks;
    struct chunk *c = take();
    ck_assert_uint_eq(c->address % CHUNK, 0);
    ck_assert_uint_lt(c->address / PAGE, pagemap_npages);
    ck_assert_uint_ge(c->address / PAGE, pagemap_npages / 16);
    ck_assert_ptr_eq(mapped(c->address), c);
    ck_assert_ptr_eq(mapped(c->address + CHUNK - 1), c);
    ck_assert_ptr_eq(c->arena, SOME_ARENA);
    ck_assert(!c->dirty);
    ck_assert_uint_eq(c->nfree, 0);
    ck_assert(is_zero((char *)c->runs, sizeof c->runs));
    ck_assert(is_zero((char *)c->address, CHUNK));
    memset((char *)c->address, 0xff, CHUNK);
    ck_assert_uint_eq(chunk_stats().nchunks, n + 1);
    ck_assert_uint_eq(chunk_stats().nkept, 0);
}
END_TEST

START_TEST(chunks_lie_side_by_side)
{
    start();
    struct chunk *a = take(), *b = take(), *c = take();
    ck_assert_uint_eq(b->address, a->address + CHUNK);
    ck_assert_uint_eq(c->address, b->address + CHUNK);
}
END_TEST

START_TEST(the_lowest_kept_is_taken)            /* C3 */
{
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    struct chunk *c[3];

    start();
    for (int i = 0; i < 3; i++)
        c[i] = take();
    for (int i = 0; i < 3; i++) {
        chunk_put(c[orders[_i][i]]);
        ck_assert_ptr_null(c[orders[_i][i]]->arena);
        ck_assert_uint_eq(chunk_stats().nkept, (size_t)i + 1);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_eq(chunk_take(OTHER_ARENA), c[i]);
        ck_assert_ptr_eq(c[i]->arena, OTHER_ARENA);
    }
    ck_assert_uint_eq(chunk_stats().nkept, 0);
}
END_TEST

START_TEST(what_is_kept_keeps_its_bytes)
{
    start();
    struct chunk *c = take();
    memset((char *)c->address, 0x37, CHUNK);
    c->dirty = true;
    chunk_put(c);
    ck_assert_ptr_eq(take(), c);
    ck_assert(c->dirty);
    ck_assert_int_eq(*(char *)(c->address + CHUNK - 1), 0x37);
}
END_TEST

START_TEST(the_oldest_goes_first)
{
    start();
    size_t n = chunk_stats().nchunks;
    struct chunk *a = take(), *b = take();
    uintptr_t at[2] = { a->address, b->address };
    chunk_put(_i == 0 ? a : b);
    chunk_put(_i == 0 ? b : a);
    ck_assert_uint_eq(chunk_purge(start_ms, false), 0);
    ck_assert_uint_eq(chunk_stats().nkept, 2);
    /* At half time one of two may stay. */
    ck_assert_uint_eq(chunk_purge(start_ms + 5000, false), CHUNK);
    ck_assert_ptr_null(mapped(at[_i]));
    ck_assert_ptr_nonnull(mapped(at[1 - _i]));
    ck_assert_uint_eq(chunk_purge(start_ms + 10200, false), CHUNK);
    ck_assert_ptr_null(mapped(at[1 - _i]));
    ck_assert_uint_eq(chunk_stats().nchunks, n);
}
END_TEST

START_TEST(kept_anew_is_young)
{
    start();
    struct chunk *c = take();
    chunk_put(c);
    ck_assert_uint_eq(chunk_purge(start_ms, false), 0);
    ck_assert_ptr_eq(take(), c);
    ck_assert_uint_eq(chunk_purge(start_ms + 20000, false), 0);
    chunk_put(c);
    ck_assert_uint_eq(chunk_purge(start_ms + 20001, false), 0);
    ck_assert_uint_eq(chunk_purge(start_ms + 40000, false), CHUNK);
}
END_TEST

START_TEST(what_was_unmapped_is_gone)
{
    start();
    struct chunk *c = take();
    uintptr_t at = c->address;
    *(char *)at = 1;
    c->dirty = true;
    size_t used = base_stats().used;
    chunk_put(c);
    ck_assert_uint_eq(chunk_purge(start_ms, true), CHUNK);
    ck_assert_ptr_null(mapped(at));
    ck_assert_uint_lt(base_stats().used, used);
    /* The slot is the first to be tried again, and all is as new. */
    c = take();
    ck_assert_uint_eq(c->address, at);
    ck_assert(!c->dirty);
    ck_assert(is_zero((char *)at, CHUNK));
    ck_assert(is_zero((char *)c->runs, sizeof c->runs));
}
END_TEST

static char *map_there(uintptr_t at, size_t n)
{
    char *p = mmap((void *)at, n * CHUNK, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
                   -1, 0);

    ck_assert_uint_eq((uintptr_t)p, at);
    *p = 42;
    return p;
}

START_TEST(steps_around_foreign_memory)
{
    start();
    struct chunk *a = take();
    char *theirs = map_there(a->address + CHUNK, 1);
    struct chunk *b = take();
    ck_assert_uint_eq(b->address, a->address + 2 * CHUNK);
    ck_assert_int_eq(*theirs, 42);
    /* A pointer into it has no class, and a chunk that is nobody's. */
    ck_assert_uint_eq(pagemap_class(theirs), 0);
    ck_assert_ptr_nonnull(pagemap_chunk(theirs));
    ck_assert_ptr_null(pagemap_chunk(theirs)->arena);
}
END_TEST

START_TEST(large_foreign_memory_costs_few_calls)
{
    start();
    struct chunk *a = take();
    uintptr_t next = a->address + CHUNK;
    char *theirs = map_there(next, 10);
    ntries = 0;
    struct chunk *b = take();
    ck_assert_int_eq(ntries, 5);                /* at 0, 1, 3, 7 and 15 */
    ck_assert_uint_eq(b->address, next + 15 * CHUNK);
    ck_assert_int_eq(*theirs, 42);
    /* What was jumped over is found when the hint has come down. */
    ck_assert_int_eq(munmap(theirs, 10 * CHUNK), 0);
    chunk_put(a);
    chunk_purge(start_ms, true);
    ck_assert_uint_eq(take()->address, next - CHUNK);
    ck_assert_uint_eq(take()->address, next + 2 * CHUNK);
    ck_assert_uint_eq(take()->address, next + 4 * CHUNK);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    start();
    struct chunk *a = take();
    struct chunk_stats before = chunk_stats();
    size_t used = base_stats().used;
    no_chunks = true;
    ntries = 0;
    ck_assert_ptr_null(chunk_take(SOME_ARENA));
    ck_assert_int_eq(ntries, 1);
    ck_assert_uint_eq(chunk_stats().nchunks, before.nchunks);
    ck_assert_uint_eq(base_stats().used, used);
    ck_assert_ptr_null(mapped(a->address + CHUNK));
    /* What is kept needs no memory. */
    chunk_put(a);
    ck_assert_ptr_eq(take(), a);
    no_chunks = false;
    ck_assert_uint_eq(take()->address, a->address + CHUNK);
}
END_TEST

START_TEST(without_a_map_there_is_no_slot)
{
    start();
    skip_if(chunk_stats().nchunks > 0, "the part is open already");
    no_map = true;
    ck_assert_ptr_null(chunk_take(SOME_ARENA));
    ck_assert_uint_eq(chunk_stats().nchunks, 0);
    no_map = false;
    take();
}
END_TEST

START_TEST(what_cannot_be_unmapped_is_purged)
{
    start();
    struct chunk *c = take();
    *(char *)c->address = 1;
    c->dirty = true;
    chunk_put(c);
    no_unmap = true;
    no_purge = _i == 1;
    ck_assert_uint_eq(chunk_purge(start_ms, true), 0);
    ck_assert_uint_eq(chunk_stats().nkept, 1);
    ck_assert_ptr_eq(mapped(c->address), c);
    ck_assert_int_eq(*(char *)c->address, no_purge);
    ck_assert_ptr_eq(take(), c);
    ck_assert_int_eq(c->dirty, no_purge);
}
END_TEST

START_TEST(the_start_is_random_and_in_bounds)
{
    skip_if(SANITIZED_ADDRESS, "the sanitizer's own memory is in the window");
    if (pagemap_npages == 0)            /* else the options are sealed */
        options.randomize = _i == 1;
    start();
    uintptr_t window = pagemap_npages * PAGE, at = take()->address;
    ck_assert_uint_ge(at, window / 16);
    ck_assert_uint_lt(at, window / 16 + window / 2 + 16 * POW2(20));
    if (!options.randomize && chunk_stats().nchunks == 1)
        ck_assert_uint_eq(at, window / 16);
}
END_TEST

START_TEST(fork_leaves_the_room_usable)
{
    start();
    struct chunk *c = take();
    chunk_before_fork();
    chunk_after_fork(_i == 1);
    chunk_put(c);
    ck_assert_ptr_eq(take(), c);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, a_new_chunk);
    tcase_add_test(t, chunks_lie_side_by_side);
    tcase_add_loop_test(t, the_lowest_kept_is_taken, 0, 6);
    tcase_add_test(t, what_is_kept_keeps_its_bytes);
    tcase_add_loop_test(t, the_oldest_goes_first, 0, 2);
    tcase_add_test(t, kept_anew_is_young);
    tcase_add_test(t, what_was_unmapped_is_gone);
    tcase_add_test(t, steps_around_foreign_memory);
    tcase_add_test(t, large_foreign_memory_costs_few_calls);
    tcase_add_test(t, without_memory_nothing_changes);
    tcase_add_test(t, without_a_map_there_is_no_slot);
    tcase_add_loop_test(t, what_cannot_be_unmapped_is_purged, 0, 2);
    tcase_add_loop_test(t, the_start_is_random_and_in_bounds, 0, 2);
    tcase_add_loop_test(t, fork_leaves_the_room_usable, 0, 2);
}

int main(void)
{
    return unit_run("chunk", add_tests);
}
