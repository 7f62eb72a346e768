/* test_arena.c -- A1 to A4, the four attempts to get pages, and houses kept.
 *
 * The tests join arenas that no other thread has. */

/* env: LITMALLOC_CONF=narenas:8 */

#include "arena.h"

#include "base.h"
#include "huge.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

static_assert(sizeof(struct arena) == 10752, "an arena is 10752 bytes");
static_assert(CHUNK_PAGES == 256 && LARGE_MAX / PAGE == 128,
              "alignment of the largest class");

enum { C48 = 3, LARGE64K = NSMALL };

static bool refuse_maps;
static uintptr_t next_map;              /* 0: wherever the system likes */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    if (refuse_maps && n == SYS_mmap)
        return -ENOMEM;
    if (next_map != 0 && n == SYS_mmap && a == 0) {
        a = (long)next_map;
        next_map = 0;
    }
    return system_call(n, a, b, c, d, e, f);
}

static struct arena *one, *two;
static struct magazine *spare;          /* in hand */

static void start(void)
{
    free(malloc(1));
    ck_assert_uint_ge(arena_limit, 4);
    one = arena_join();
    two = arena_join();
    ck_assert(one != NULL && two != NULL && one != two);
}

static unsigned number_of(const struct arena *a)
{
    unsigned i = 0;

    while (arenas[i] != a)
        i++;
    return i;
}

static void *take_one(struct arena *a, unsigned c)
{
    void *p;

    ck_assert_uint_eq(arena_fill(a, c, 1, &p + 1), 1);
    return p;
}

static void *take_large(struct arena *a, unsigned c)
{
    bool zeroed;
    void *p = arena_take_large(a, c, PAGE, &zeroed);

    ck_assert_ptr_nonnull(p);
    return p;
}

/* Threads begin: each gets another arena, then the same again (A1, A2). */
START_TEST(dealt_out_in_turn)
{
    uint32_t sum = 0, before = 0;

    for (uint32_t i = 0; i < arena_limit; i++)
        before += arenas[i] == NULL ? 0 : arenas[i]->nthreads;
    for (uint32_t i = 0; i < 2 * arena_limit; i++)
        ck_assert_ptr_nonnull(arena_join());
    for (uint32_t i = 0; i < arena_limit; i++) {
        ck_assert_ptr_nonnull(arenas[i]);
        ck_assert_uint_ge(arenas[i]->nthreads, 2);
        ck_assert_uint_le(arenas[i]->nthreads, 3);
        sum += arenas[i]->nthreads;
    }
    ck_assert_uint_eq(sum, before + 2 * arena_limit);
}
END_TEST

START_TEST(numbered_without_gaps)
{
    bool ended = false;

    for (uint32_t i = 0; i < arena_limit; i++) {
        ck_assert(arenas[i] == NULL || !ended);
        ended = arenas[i] == NULL;
    }
    ck_assert_uint_eq(number_of(two), number_of(one) + 1);
}
END_TEST

/* Threads that come and go one by one share one arena. */
START_TEST(an_arena_left_is_the_next_one_joined)
{
    struct arena *a = arena_join();

    for (int i = 0; i < 100; i++) {
        arena_leave(a);
        ck_assert_ptr_eq(arena_join(), a);
    }
    arena_leave(one);
    ck_assert_ptr_eq(arena_join(), one);
    ck_assert(number_of(a) + 1 == arena_limit
              || arenas[number_of(a) + 1] == NULL);
}
END_TEST

START_TEST(no_memory_no_arena)
{
    bool some = true;

    refuse_maps = true;
    while (base_take(sizeof(struct arena)) != NULL)
        ;
    for (uint32_t i = 0; i < arena_limit && some; i++)
        some = arena_join() != NULL;
    ck_assert(!some);
    refuse_maps = false;
    ck_assert_ptr_nonnull(arena_join());
}
END_TEST

/* The walk of the chapter: no run, a run, its first regions. */
START_TEST(filled_from_nothing)
{
    void *got[8];
    struct bin *b = &one->bins[C48];

    ck_assert_uint_eq(b->nruns, 0);
    ck_assert_uint_eq(arena_fill(one, C48, 8, got + 8), 8);
    ck_assert_uint_eq(b->nruns, 1);
    ck_assert_uint_eq(b->ntaken, 8);
    for (int i = 0; i < 8; i++) {
        ck_assert_uint_eq(pagemap_class(got[i]), C48);
        ck_assert_ptr_eq(pagemap_chunk(got[i])->arena, one);
        ck_assert_ptr_eq(got[i], (char *)got[7] + (7 - i) * 48);
    }
}
END_TEST

/* A3: half of the regions are of one arena, half of the other, mixed. */
START_TEST(regions_go_home)
{
    void *mix[100];

    for (int i = 0; i < 100; i++)
        mix[i] = take_one(i % 2 ? one : two, C48);
    ck_assert_uint_eq(one->bins[C48].ntaken, 50);
    ck_assert_uint_eq(two->bins[C48].ntaken, 50);
    arena_flush(C48, mix, 100, NULL, "free");
    ck_assert_uint_eq(one->bins[C48].ntaken, 0);
    ck_assert_uint_eq(two->bins[C48].ntaken, 0);
}
END_TEST

/* What a magazine holds is of the arena in whose depot it lies. */
START_TEST(magazines_are_of_one_arena)
{
    void *mix[250];
    struct magazine *m = NULL;

    srand(3);
    for (int i = 0; i < 250; i++)
        mix[i] = take_one(rand() % 2 ? one : two, C48);
    arena_flush(C48, mix, 250, &spare, "free");
    for (int i = 0; i < 2; i++) {
        struct arena *a = i == 0 ? one : two;
        ck_assert(arena_unpark(a, C48, &m));
        ck_assert_uint_eq(m->nregions, a->bins[C48].ntaken);
        for (unsigned k = 0; k < m->nregions; k++)
            ck_assert_ptr_eq(pagemap_chunk(m->regions[k])->arena, a);
        ck_assert(!arena_unpark(a, C48, &spare));
    }
    magazine_free(m, C48);
}
END_TEST

/* A large batch is cut into magazines; a small one is not worth one. */
START_TEST(magazines_have_a_size)
{
    static void *batch[600];
    unsigned full = sizeclasses[C48].nmagazine;

    ck_assert_uint_eq(arena_fill(one, C48, 341, batch + 341), 341);
    ck_assert_uint_eq(arena_fill(one, C48, 259, batch + 600), 259);
    arena_flush(C48, batch, 600, &spare, "free");
    ck_assert_uint_eq(one->bins[C48].nmagazines, 3);    /* 254, 254, 92 */
    ck_assert_uint_eq(one->bins[C48].nparked, 600);
    ck_assert_uint_eq(arena_fill(two, C48, 62, batch + 62), 62);
    ck_assert_uint_eq(full / 4, 63);
    arena_flush(C48, batch, 62, &spare, "free");
    ck_assert_uint_eq(two->bins[C48].nmagazines, 0);
    ck_assert_uint_eq(two->bins[C48].ntaken, 0);
}
END_TEST

START_TEST(empty_runs_leave_the_map)
{
    static void *batch[5 * 341];

    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(arena_fill(one, C48, 341, batch + 341 * (i + 1)),
                          341);
    size_t used = one->pages.nused;
    arena_flush(C48, batch, 5 * 341, NULL, "free");
    ck_assert_uint_eq(one->bins[C48].nruns, 2);
    ck_assert_uint_eq(one->pages.nused, used - 3);
    unsigned gone = 0;
    for (int i = 0; i < 5; i++)
        gone += pagemap_class(batch[341 * i]) == CLASS_NONE;
    ck_assert_uint_eq(gone, 3);
}
END_TEST

/* Attempt 2: before the arena grows, its depots come home. */
START_TEST(depots_come_home_first)
{
    enum { N = 341 * 300 };
    static void *batch[N];
    unsigned n = 0;

    for (int i = 0; i < 250; i++, n += 341)
        ck_assert_uint_eq(arena_fill(one, C48, 341, batch + n + 341), 341);
    size_t npages = one->pages.npages;
    for (unsigned i = 0; i < n; i += 250)
        arena_flush(C48, batch + i, n - i < 250 ? n - i : 250, &spare, "free");
    ck_assert_uint_gt(one->bins[C48].nparked, n / 2);
    take_large(one, LARGE64K + 18);             /* needs pages they have */
    ck_assert_uint_eq(one->bins[C48].nparked, 0);
    ck_assert_uint_eq(one->pages.npages, npages);
}
END_TEST

/* Attempt 4: what is kept in other rooms makes room, or NULL. */
START_TEST(without_the_system)
{
    bool zeroed;
    void *p;

    refuse_maps = true;
    while ((p = arena_take_large(one, NCLASSES - 1, PAGE, &zeroed)) != NULL)
        ;
    ck_assert_ptr_null(arena_take_large(one, NCLASSES - 1, PAGE, &zeroed));
    refuse_maps = false;
    ck_assert_ptr_nonnull(p = arena_take_large(one, NCLASSES - 1, PAGE,
                                               &zeroed));
    refuse_maps = true;
    arena_put_other(p, "free");
    ck_assert_ptr_nonnull(arena_take_large(one, NCLASSES - 1, PAGE, &zeroed));
}
END_TEST

START_TEST(freeing_needs_no_memory)
{
    void *batch[250];

    ck_assert_uint_eq(arena_fill(one, C48, 250, batch + 250), 250);
    refuse_maps = true;
    while (base_take(2048) != NULL)
        ;
    arena_flush(C48, batch, 250, &spare, "free");
    ck_assert_uint_eq(one->bins[C48].ntaken, 0);
    ck_assert_uint_eq(one->bins[C48].nparked, 0);
}
END_TEST

/* A4: the map says nothing of a large region, so each free looks at it. */
START_TEST(large_not_in_the_map)
{
    unsigned c = (unsigned)_i;
    char *p = take_large(one, c);

    for (size_t i = 0; i < sizeclasses[c].npages; i++)
        ck_assert_uint_eq(pagemap_class(p + i * PAGE), CLASS_NONE);
    ck_assert_uint_eq(arena_size(p, "realloc"), sizeclasses[c].size);
    arena_put_other(p, "free");
}
END_TEST

START_TEST(large_aligned)
{
    unsigned c = (unsigned)_i;
    bool zeroed;

    for (size_t alignment = PAGE; alignment <= LARGE_MAX; alignment *= 2) {
        void *p = arena_take_large(one, c, alignment, &zeroed);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % alignment, 0);
    }
}
END_TEST

START_TEST(large_resized_in_place)
{
    char *p = take_large(one, LARGE64K + 8), *q;     /* 256 KiB */

    strcpy(p, "still here");
    ck_assert_uint_eq(arena_size(p, "realloc"), 256 * 1024);
    ck_assert(arena_resize_large(p, LARGE64K));
    ck_assert_uint_eq(arena_size(p, "realloc"), 64 * 1024);
    ck_assert(arena_resize_large(p, LARGE64K + 8));
    ck_assert_uint_eq(arena_size(p, "realloc"), 256 * 1024);
    q = take_large(one, LARGE64K);
    if (q == p + 256 * 1024) {
        ck_assert(!arena_resize_large(p, LARGE64K + 12));
        ck_assert_uint_eq(arena_size(p, "realloc"), 256 * 1024);
    }
    ck_assert_str_eq(p, "still here");
}
END_TEST

static void put_other(void *p)
{
    arena_put_other(p, "free");
}

static void put_large(void *p)
{
    arena_put_other(p, "free");
}

static void ask_size(void *p)
{
    arena_size(p, "realloc");
}

static void put_large_twice(void *p)
{
    arena_put_other(p, "free");
    arena_put_other(p, "free");
}

START_TEST(bad_pointers_are_fatal)
{
    bool zeroed;
    char *large = take_large(one, LARGE64K), *small = take_one(one, C48);
    char *huge = huge_take(3 * LARGE_MAX, 16, &zeroed);

    dies(put_other, &zeroed, "free(): invalid pointer");
    dies(put_other, &zeroed, "not from this allocator");
    dies(put_other, large + PAGE, "inside a block of 65536 bytes at");
    dies(put_large, large + 16, "inside a block of 65536 bytes at");
    dies(ask_size, large + 16, "realloc(): invalid pointer");
    dies(ask_size, small + 16, "inside a block of 48 bytes at");
    dies(ask_size, huge + 16, "inside a block of 6291456 bytes at");
    dies(put_other, huge + PAGE, "inside a block of 6291456 bytes at");
    dies(put_large_twice, large, "free(): double free of");
    arena_put_other(large, "free");
    dies(put_other, large, "free(): double free of");
    dies(ask_size, large, "realloc(): double free of");
}
END_TEST

START_TEST(sizes_of_three_kinds)
{
    bool zeroed;

    for (unsigned c = 1; c < NSMALL; c++)
        ck_assert_uint_eq(arena_size(take_one(one, c), "realloc"),
                          sizeclasses[c].size);
    ck_assert_uint_eq(arena_size(take_large(one, LARGE64K), "realloc"),
                      65536);
    ck_assert_uint_eq(arena_size(huge_take(3 * LARGE_MAX, 16, &zeroed),
                                 "realloc"),
                      3 * LARGE_MAX);
}
END_TEST

/* In the window, too, a huge block is a huge block: a chunk that nobody has
 * marks the place as taken. */
START_TEST(a_huge_block_in_the_window)
{
    static struct chunk nobody;
    bool zeroed;
    uintptr_t place = (pagemap_npages / CHUNK_PAGES - 8) * CHUNK;

    huge_purge(0, true);
    next_map = place;
    void *p = huge_take(CHUNK, 16, &zeroed);
    ck_assert_uint_eq((uintptr_t)p, place);
    ck_assert(pagemap_enter(place, &nobody));
    ck_assert_uint_eq(arena_size(p, "realloc"), CHUNK);
    dies(put_other, (char *)p + 16, "inside a block of 4194304 bytes at");
    arena_put_other(p, "free");
    ck_assert_uint_eq(huge_size(p), 0);
}
END_TEST

/* After purging, nothing is kept in any room. */
START_TEST(purging_gives_all_back)
{
    static void *batch[341 * 20];
    bool zeroed;

    for (int i = 0; i < 20; i++)
        arena_fill(two, C48, 341, batch + 341 * (i + 1));
    for (int i = 0; i < 341 * 20; i += 110)
        memset(batch[i], 1, 48);
    arena_flush(C48, batch, 341 * 20, &spare, "free");
    arena_put_other(take_large(two, LARGE64K), "free");
    ck_assert(huge_put(huge_take(3 * LARGE_MAX, 16, &zeroed)));
    ck_assert_uint_gt(two->bins[C48].nparked, 0);
    ck_assert_uint_ge(arena_purge_all(), 3 * LARGE_MAX);
    ck_assert_uint_eq(two->bins[C48].nparked, 0);
    ck_assert_uint_eq(two->pages.ndirty, 0);
    ck_assert_uint_eq(huge_stats().kept, 0);
    ck_assert_uint_eq(chunk_stats().nkept, 0);
}
END_TEST

/* A tick looks after the arena behind ours, too. */
START_TEST(the_neighbour_is_looked_after)
{
    uint64_t now = pages_now_ms();
    void *batch[250];

    ck_assert_uint_eq(number_of(two), number_of(one) + 1);
    take_large(two, LARGE64K);
    arena_fill(two, C48, 250, batch + 250);
    arena_flush(C48, batch, 250, &spare, "free");
    arena_put_other(take_large(two, LARGE64K), "free");
    ck_assert_uint_gt(two->pages.ndirty, 0);
    ck_assert_uint_eq(two->bins[C48].nparked, 250);
    ck_assert_int_eq(options.decay_ms, 10000);
    arena_tick(one, now);                       /* notes the time */
    arena_tick(one, now + 1000);                /* too early */
    ck_assert_uint_eq(two->bins[C48].nparked, 250);
    arena_tick(one, now + 1300);                /* a first look: low is 0 */
    arena_tick(one, now + 2600);
    ck_assert_uint_eq(two->bins[C48].nparked, 0);
    arena_tick(one, now + 14000);
    arena_tick(one, now + 28000);
    ck_assert_uint_eq(two->pages.ndirty, 0);
}
END_TEST

static struct arena *shared;
static unsigned npasses = 2000;

static void *work(void *unused)
{
    void *batch[64];

    for (unsigned i = 0; i < npasses; i++) {
        unsigned c = 1 + i % 8;
        struct magazine *m = NULL;
        unsigned n = arena_fill(shared, c, 64, batch + 64);
        for (unsigned k = 64 - n; k < 64; k++)
            *(void **)batch[k] = batch[k];
        for (unsigned k = 64 - n; k < 64; k++)
            if (*(void **)batch[k] != batch[k])
                return batch[k];
        arena_flush(c, batch + 64 - n, n, i % 3 == 0 ? &m : NULL, "free");
        if (arena_unpark(shared, c, &m))
            arena_flush(c, m->regions, m->nregions, NULL, "free");
        magazine_free(m, c);
    }
    return unused;
}

START_TEST(four_threads_one_arena)
{
    pthread_t t[4];
    void *bad;

    shared = one;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, work, NULL), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], &bad);
        ck_assert_ptr_null(bad);
    }
    arena_purge_all();
    for (unsigned c = 1; c <= 8; c++)
        ck_assert_uint_eq(one->bins[c].ntaken, 0);
}
END_TEST

/* A child made in the middle of it all can allocate. */
START_TEST(fork_leaves_no_lock_held)
{
    pthread_t t[2];
    int status;
    void *bad;

    skip_if(SANITIZED_THREAD, "the thread sanitizer cannot follow a fork");
    shared = one;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, work, NULL), 0);
    for (int i = 0; i < 20; i++) {
        arena_before_fork();
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        arena_after_fork(child == 0);
        if (child == 0) {
            npasses = 10;
            work(NULL);
            _exit(7);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], &bad);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, dealt_out_in_turn);
    tcase_add_test(t, numbered_without_gaps);
    tcase_add_test(t, an_arena_left_is_the_next_one_joined);
    tcase_add_test(t, no_memory_no_arena);
    tcase_add_test(t, filled_from_nothing);
    tcase_add_test(t, regions_go_home);
    tcase_add_test(t, magazines_are_of_one_arena);
    tcase_add_test(t, magazines_have_a_size);
    tcase_add_test(t, empty_runs_leave_the_map);
    tcase_add_test(t, depots_come_home_first);
    tcase_add_test(t, without_the_system);
    tcase_add_test(t, freeing_needs_no_memory);
    tcase_add_loop_test(t, large_not_in_the_map, NSMALL, NCLASSES);
    tcase_add_loop_test(t, large_aligned, NSMALL, NCLASSES);
    tcase_add_test(t, large_resized_in_place);
    tcase_add_test(t, bad_pointers_are_fatal);
    tcase_add_test(t, sizes_of_three_kinds);
    tcase_add_test(t, a_huge_block_in_the_window);
    tcase_add_test(t, purging_gives_all_back);
    tcase_add_test(t, the_neighbour_is_looked_after);
    tcase_add_test(t, four_threads_one_arena);
    tcase_add_test(t, fork_leaves_no_lock_held);
}

int main(void)
{
    return unit_run("arena", add_tests);
}
