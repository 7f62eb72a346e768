/* test_base.c -- K1 to K7 of the chapter on base. */

#include "base.h"

#include <sys/mman.h>

#include "unit.h"

enum { KIB = 1024 };

static bool refused, locked;

long pages_system_call(long n, long a, long b, long c, long d, long e,
                       long f)
{
    if (refused && n == SYS_mmap)
        return -ENOMEM;
    if (locked && n == SYS_madvise && c == MADV_DONTNEED)
        return -EINVAL;
    return system_call(n, a, b, c, d, e, f);
}

static size_t rounded(size_t size)
{
    size_t n = 64;

    while (n < size)
        n *= 2;
    return n;
}

/* What base was like before this process took anything: main fills these
 * in, for Check itself allocates, and malloc is ours. */
static size_t example_at[6], example_left[6];

/* The six requests of the chapter, and two more; must come before all else,
 * so it runs in a process that has not called malloc. */
static const size_t six[6] = { 64, 10752, 3232, 64, 49280, 64 };

static int example(void)
{
    char *p[8];
    struct base_stats s = base_stats();

    if (s.used != 0)
        return 77;              /* somebody was here before us */
    if (s.mapped != 128 * KIB)
        return 1;
    for (int i = 0; i < 6; i++) {
        p[i] = base_take(six[i]);
        example_at[i] = (size_t)(p[i] - p[0]);
        example_left[i] = 128 * KIB - base_stats().used;
    }
    static const size_t at[6] = { 0, 0x40, 0x4040, 0x5040, 0x5080, 0x15080 };
    static const size_t left[6] = { 131008, 114624, 110528, 110464, 44928,
                                    44864 };
    for (int i = 0; i < 6; i++)
        if (example_at[i] != at[i] || example_left[i] != left[i])
            return 2;
    if (base_stats().used != 86208 || base_stats().mapped != 131072)
        return 3;
    p[6] = base_take(49280);
    p[7] = base_take(49280);
    if (p[7] != p[6] + 65536)
        return 4;
    if (base_stats().used != 217280 || base_stats().mapped != 393216)
        return 5;
    /* What was left is on the lists, the largest first: no new memory. */
    static const size_t rest[7] = { 32768, 8192, 2048, 1024, 512, 256, 64 };
    char *next = p[0] + 0x150c0;
    for (int i = 0; i < 7; i++) {
        char *q = base_take_raw(rest[i]);
        if (q != next)
            return 6;
        next = q + rest[i];
    }
    return base_stats().mapped == 393216 ? 0 : 7;
}

START_TEST(the_example_with_numbers)
{
    char text[512];
    int status = in_child(run_again, "example", text, sizeof text);

    skip_if(WIFEXITED(status) && WEXITSTATUS(status) == 99,
            "a program cannot start itself here");
    ck_assert(WIFEXITED(status));
    skip_if(WEXITSTATUS(status) == 77, "base was used before main");
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* K1, K7. */
START_TEST(blocks_are_zero_aligned_and_counted)
{
    for (size_t size = 1; size <= 600 * KIB; size = size * 3 / 2 + 1) {
        size_t before = base_stats().used;
        char *p = base_take(size);
        size_t after = base_stats().used;
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        ck_assert(is_zero(p, size));
        ck_assert_uint_eq(after - before, rounded(size));
        before = base_stats().used;
        memset(p, 0xa5, size);          /* what base_put has to forget */
        base_put(p, size);
        after = base_stats().used;
        ck_assert_uint_eq(before - after, rounded(size));
        ck_assert_ptr_eq(base_take(size), p);
        ck_assert(is_zero(p, size));
        base_put(p, size);
        ck_assert_ptr_eq(base_take_raw(rounded(size)), p);
    }
}
END_TEST

/* A put block serves every size of its order, and no other. */
START_TEST(orders_are_powers_of_two)
{
    static const size_t sizes[][2] = { { 1, 64 },     { 65, 128 },
                                       { 129, 256 },  { 3000, 4096 },
                                       { 4097, 8192 } };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = base_take(sizes[i][0]);
        base_put(p, sizes[i][0]);
        ck_assert_ptr_eq(base_take(sizes[i][1]), p);
        base_put(p, sizes[i][1]);
        void *q = base_take(sizes[i][1] + 1);
        ck_assert_ptr_ne(q, p);
        base_put(q, sizes[i][1] + 1);
    }
}
END_TEST

enum { NBLOCKS = 200, TURNS = 4000 };

/* K6: a model.  Each block is full of its number as long as it is out. */
START_TEST(blocks_do_not_overlap)
{
    static struct { unsigned char *p; size_t size; } out[NBLOCKS];
    uint32_t random = 1;
    size_t before = base_stats().used, sum = 0;
    bool good = true;

    for (int turn = 0; turn < TURNS; turn++) {
        random = random * 1664525 + 1013904223;
        unsigned i = (random >> 8) % NBLOCKS;
        unsigned char mark = (unsigned char)(i + 1);
        if (out[i].p == NULL) {
            out[i].size = (random >> 16) % (1u << (4 + random % 13)) + 1;
            out[i].p = base_take(out[i].size);
            ck_assert_ptr_nonnull(out[i].p);
            good &= is_zero((char *)out[i].p, out[i].size);
            memset(out[i].p, mark, out[i].size);
            sum += rounded(out[i].size);
        } else {
            for (size_t k = 0; k < out[i].size; k++)
                good &= out[i].p[k] == mark;
            base_put(out[i].p, out[i].size);
            sum -= rounded(out[i].size);
            out[i].p = NULL;
        }
        struct base_stats s = base_stats();
        good &= s.used == before + sum && s.used <= s.mapped;
    }
    ck_assert(good);
}
END_TEST

/* K4: nothing changes, and it goes on when memory returns. */
START_TEST(without_memory_it_says_no)
{
    struct base_stats s, t;
    void *p, *q;

    refused = true;
    p = base_take(1024 * KIB);
    while (base_take_raw(16 * KIB) != NULL)
        continue;               /* until the piece is used up */
    s = base_stats();
    q = base_take(16 * KIB);
    t = base_stats();
    refused = false;
    ck_assert_ptr_null(p);
    ck_assert_ptr_null(q);
    ck_assert_uint_eq(s.used, t.used);
    ck_assert_uint_eq(s.mapped, t.mapped);
    ck_assert_ptr_nonnull(q = base_take(16 * KIB));
    ck_assert(is_zero(q, 16 * KIB));
    ck_assert_uint_eq(base_stats().mapped, t.mapped + 256 * KIB);
}
END_TEST

enum { RECORD = 2 * KIB, NRECORDS = 8 * 256 / 2 };   /* eight pieces of them */

static void *records[NRECORDS];

static void take_all(void)
{
    for (int i = 0; i < NRECORDS; i++)
        memset(records[i] = base_take_raw(RECORD), 0xa5, RECORD);
}

static void put_all(int but)
{
    for (int i = 0; i < NRECORDS; i++)
        if (i != but)
            base_put(records[i], RECORD);
}

/* K8: at least six of the pieces held nothing but these records. */
START_TEST(empty_pieces_are_given_back_and_taken_again)
{
    struct base_stats full, purged, again;
    size_t nbytes;
    bool good = true;

    take_all();
    full = base_stats();
    put_all(-1);
    nbytes = base_purge(true);
    purged = base_stats();
    ck_assert_uint_ge(nbytes, 6 * 256 * KIB);
    ck_assert_uint_eq(nbytes % (256 * KIB), 0);
    ck_assert_uint_eq(purged.spare - full.spare, nbytes);
    ck_assert_uint_eq(purged.mapped, full.mapped);
    for (int i = 0; i < NRECORDS; i++) {
        records[i] = base_take(RECORD);
        good &= is_zero(records[i], RECORD);
        memset(records[i], i, RECORD);
    }
    again = base_stats();
    ck_assert_uint_eq(again.mapped, full.mapped);
    ck_assert_uint_eq(again.spare, full.spare);
    for (int i = 0; i < NRECORDS; i++)
        good &= ((unsigned char *)records[i])[RECORD - 1] == (unsigned char)i;
    ck_assert(good);
    put_all(-1);
}
END_TEST

/* One record that is out keeps its piece, and what is in it. */
START_TEST(a_piece_in_use_is_kept)
{
    enum { MIDDLE = NRECORDS / 2 };
    char *kept;

    take_all();
    kept = records[MIDDLE];
    put_all(MIDDLE);
    ck_assert_uint_ge(base_purge(true), 5 * 256 * KIB);
    for (int i = 0; i < RECORD; i++)
        ck_assert_int_eq((unsigned char)kept[i], 0xa5);
    base_put(kept, RECORD);
}
END_TEST

/* The kernel refuses to take what is locked: nothing is lost. */
START_TEST(locked_pieces_stay)
{
    struct base_stats before, after;
    size_t nbytes, last;

    take_all();
    put_all(-1);
    before = base_stats();
    locked = true;
    nbytes = base_purge(true);
    locked = false;
    after = base_stats();
    ck_assert_uint_eq(nbytes, 0);
    ck_assert_uint_eq(before.spare, after.spare);
    ck_assert_uint_eq(before.used, after.used);
    last = base_purge(true);
    ck_assert_uint_ge(last, 6 * 256 * KIB);
}
END_TEST

/* Little on the lists: not worth a walk. */
START_TEST(little_is_left_alone)
{
    base_purge(true);
    ck_assert_uint_eq(base_purge(false), 0);
    take_all();
    put_all(-1);
    ck_assert_uint_ge(base_purge(false), 6 * 256 * KIB);
    ck_assert_uint_eq(base_purge(false), 0);
}
END_TEST

/* No list is for more than 2 GiB: refused, not written past the lists. */
START_TEST(absurd_sizes_are_refused)
{
    struct base_stats before = base_stats(), after;

    ck_assert_ptr_null(base_take(((size_t)2 << 30) + 1));
    ck_assert_ptr_null(base_take((size_t)1 << 40));
    ck_assert_ptr_null(base_take_raw((size_t)1 << 63));
    ck_assert_ptr_null(base_take(SIZE_MAX));
    after = base_stats();
    ck_assert_uint_eq(before.mapped, after.mapped);
}
END_TEST

static void *take_and_put(void *arg)
{
    unsigned char mark = *(unsigned char *)arg;

    for (int i = 0; i < 3000; i++) {
        size_t size = (size_t)((i * 37 + mark) % 5000 + 1);
        unsigned char *p = base_take_raw(size);
        if (p == NULL)
            return (void *)1;
        memset(p, mark, size);
        for (size_t k = 0; k < size; k++)
            if (p[k] != mark)
                return (void *)2;
        base_put(p, size);
    }
    return NULL;
}

START_TEST(threads_share_it)
{
    pthread_t t[4];
    unsigned char marks[4] = { 1, 2, 3, 4 };
    void *result;

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, take_and_put,
                                        &marks[i]),
                         0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], &result);
        ck_assert_ptr_null(result);
    }
}
END_TEST

START_TEST(it_works_on_both_sides_of_a_fork)
{
    int status;

    base_before_fork();
    pid_t child = fork();
    base_after_fork(child == 0);
    if (child == 0)
        _exit(base_take(100) == NULL);
    void *p = base_take(100);
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, the_example_with_numbers);
    tcase_add_test(t, blocks_are_zero_aligned_and_counted);
    tcase_add_test(t, orders_are_powers_of_two);
    tcase_add_test(t, blocks_do_not_overlap);
    tcase_add_test(t, without_memory_it_says_no);
    tcase_add_test(t, empty_pieces_are_given_back_and_taken_again);
    tcase_add_test(t, a_piece_in_use_is_kept);
    tcase_add_test(t, locked_pieces_stay);
    tcase_add_test(t, little_is_left_alone);
    tcase_add_test(t, absurd_sizes_are_refused);
    tcase_add_test(t, threads_share_it);
    tcase_add_test(t, it_works_on_both_sides_of_a_fork);
}

int main(int n, char *words[])
{
    if (n == 2 && strcmp(words[1], "example") == 0)
        _exit(example());
    return unit_run("base", add_tests);
}
