/* test_guard.c -- G1 to G5 of the chapter on guards, at the room itself.  The messages
 * and the whole way through the door: tests/abuse/harden_*.c. */
/* env: LITMALLOC_CONF=harden:true,quarantine_bytes:64k */

#include "guard.h"

#include "arena.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

#include <malloc.h>
#include <sys/mman.h>

static bool refuse;                     /* refuse to make or undo a guard page */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    if (refuse && (n == SYS_mprotect || n == SYS_madvise))
        return -ENOMEM;
    return system_call(n, a, b, c, d, e, f);
}

START_TEST(all_parts_are_on)
{
    free(malloc(1));
    ck_assert(options.guarded && options.canary && options.junk);
    ck_assert(options.guard_pages && options.random_place);
}
END_TEST

/* G1: the size that was asked for comes back, to the byte, at every size. */
START_TEST(the_seal_knows_the_size)
{
    for (size_t n = 0; n < 9000; n += n < 300 ? 1 : 97) {
        char *p = malloc(n);
        ck_assert_uint_eq(guard_size(p, "test"), n);
        ck_assert_uint_eq(malloc_usable_size(p), n);
        memset(p, 1, n);
        free(p);
    }
    for (size_t n = 50000; n < 5000000; n += 123457) {
        char *p = malloc(n);
        ck_assert_uint_eq(guard_size(p, "test"), n);
        memset(p, 1, n);
        p = realloc(p, n / 2);
        ck_assert_uint_eq(guard_size(p, "test"), n / 2);
        ck_assert(p[0] == 1 && p[n / 2 - 1] == 1);
        free(p);
    }
}
END_TEST

START_TEST(aligned_as_asked)
{
    for (size_t a = 8; a <= (1 << 20); a *= 2)
        for (size_t n = 1; n < 200000; n = n * 3 + 1) {
            void *p;
            ck_assert_int_eq(posix_memalign(&p, a, n), 0);
            ck_assert_uint_eq((uintptr_t)p % a, 0);
            ck_assert_uint_eq(guard_size(p, "test"), n);
            memset(p, 1, n);
            free(p);
        }
}
END_TEST

/* G2: new bytes are filled, zeroed ones are zero, freed ones are filled. */
START_TEST(what_is_new_and_what_is_freed)
{
    unsigned char *p = malloc(1000), *q = calloc(1000, 1);

    ck_assert(p[0] == 0xa5 && memcmp(p, p + 1, 999) == 0);
    ck_assert(q[0] == 0 && memcmp(q, q + 1, 999) == 0);
    unsigned char *volatile gone = p;
    free(p);
    ck_assert(gone[0] == 0xdf && gone[999] == 0xdf);
    free(q);
}
END_TEST

/* Zeros that the system gave are not touched: a sparse table stays sparse. */
START_TEST(zeros_are_left_alone)
{
    enum { SPARSE = 64 << 20 };
    static unsigned char in_core[SPARSE / 4096];
    unsigned char *p = calloc(SPARSE, 1);
    size_t n = 0;

    ck_assert_int_eq(mincore(p, SPARSE, in_core), 0);
    for (size_t i = 0; i < SPARSE / pages_size; i++)
        n += in_core[i] & 1;
    ck_assert_uint_lt(n, 1024);         /* two huge pages at most */
    ck_assert(p[0] == 0 && p[SPARSE - 1] == 0);
    free(p);
}
END_TEST

/* What a seal shows is no secret of the C library's. */
START_TEST(the_secret_is_our_own)
{
    char *p = malloc(100);
    uint64_t word;

    memcpy(&word, p + 112, sizeof word);        /* a region of 128 bytes */
    word ^= (uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15) ^ 100;
    ck_assert_uint_ne(word, pages_random());
    ck_assert_uint_eq(guard_size(p, "test"), 100);
    free(p);
}
END_TEST

/* G3: a freed block is not handed out before 64 KiB more were freed. */
START_TEST(quarantine_lasts)
{
    uintptr_t first = (uintptr_t)malloc(1000);
    size_t freed = 0;

    free((void *)first);
    while (freed < 60 * 1024) {
        void *p = malloc(1000);
        ck_assert_uint_ne((uintptr_t)p, first);
        freed += 1024;
        free(p);
    }
}
END_TEST

/* Is the small region at p a free one for the bin? */
static bool is_home(void *p)
{
    return run_asks(run_of(pagemap_chunk(p), (uintptr_t)p), (uintptr_t)p) == RUN_FREE_ALREADY;
}

static void *free_twenty(void *unused)
{
    for (int i = 0; i < 20; i++)
        free(malloc(2000));
    return unused;
}

/* What another thread frees pushes out nothing of ours: it would be seen. */
START_TEST(each_thread_has_its_own)
{
    pthread_t t;
    char *volatile p = malloc(2000);

    free(p);
    p[0] = 1;
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(pthread_create(&t, NULL, free_twenty, NULL), 0);
        ck_assert_int_eq(pthread_join(t, NULL), 0);
    }
    ck_assert(!is_home(p));
    p[0] = (char)0xdf;
}
END_TEST

static void *free_it(void *p)
{
    free(p);
    ck_assert(!is_home(p));
    return NULL;
}

START_TEST(a_thread_that_ends_leaves_nothing_behind)
{
    pthread_t t;
    void *volatile p = malloc(1000);

    ck_assert_int_eq(pthread_create(&t, NULL, free_it, p), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert(is_home(p));
}
END_TEST

START_TEST(trim_empties_the_quarantine)
{
    void *volatile p = malloc(1000);

    free(p);
    ck_assert(!is_home(p));
    malloc_trim(0);
    ck_assert(is_home(p));
}
END_TEST

/* Is p held back by the quarantine that all share? */
static bool is_held_back(void *p)
{
    return guard_break(NULL, guard_find(p), "test").block == NULL;
}

/* The shared one: for threads without a record, as after their end. */
START_TEST(the_shared_quarantine_lasts_as_long)
{
    void *first = malloc(1000);
    size_t freed = 0;

    ck_assert(is_held_back(first));
    while (freed < 60 * 1024) {
        ck_assert_ptr_null(guard_overdue(NULL).block);
        ck_assert(is_held_back(malloc(1000)));
        freed += 1024;
    }
    for (int i = 0; i < 10; i++)
        ck_assert(is_held_back(malloc(1000)));
    ck_assert_ptr_eq(guard_overdue(NULL).block, first);
    while (guard_oldest(NULL).block != NULL)
        freed -= 1024;
    ck_assert_uint_gt(freed, (size_t)-16 * 1024);       /* all ten came out, too */
}
END_TEST

/* Every size of slack, and the first byte of it. */
START_TEST(a_block_is_resized_where_it_lies)
{
    for (size_t n = 1; n < 2000; n += n < 300 ? 1 : 41) {
        char *p = malloc(n);
        memset(p, 7, n);
        size_t room = sizeclasses[sizeclass_of(guard_request(n))].size - GUARD_SEAL;
        ck_assert(guard_resize(p, room, "test"));
        ck_assert_uint_eq(guard_size(p, "test"), room);
        ck_assert(p[n - 1] == 7 && (n == room || (unsigned char)p[n] == 0xa5));
        ck_assert(!guard_resize(p, room + 1, "test"));
        ck_assert(guard_resize(p, n, "test"));
        ck_assert_ptr_eq(realloc(p, n), p);
        ck_assert_uint_eq(guard_size(p, "test"), n);
        free(p);
    }
}
END_TEST

/* G4: the page behind a large block traps, and not after the block was freed. */
START_TEST(the_page_behind)
{
    char *volatile p = malloc(100000);  /* gcc's own check of sizes is not to know it */
    char *seal_end = p + sizeclasses[sizeclass_of(guard_request(100000))].size - pages_size;

    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)seal_end = 1;
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    free(p);
    for (int i = 0; i < 100; i++) {     /* the pages serve again */
        char *q = malloc(90000 + (size_t)i * 1000);
        memset(q, 1, 90000 + (size_t)i * 1000);
        free(q);
    }
}
END_TEST

/* G4, second half: a guard page that cannot be undone is nobody's. */
START_TEST(a_page_that_still_traps_is_not_handed_out)
{
    enum { SIZE = 70000 };
    void *p[20];

    for (int i = 0; i < 20; i++)
        ck_assert_ptr_nonnull(p[i] = malloc(SIZE));
    refuse = true;
    for (int i = 0; i < 20; i++)
        free(p[i]);                     /* more than the quarantine holds */
    for (int i = 0; i < 2000; i++)
        free(malloc(1000));
    refuse = false;
    for (int i = 0; i < 20; i++) {
        char *q = malloc(SIZE);
        ck_assert_ptr_nonnull(q);
        memset(q, 1, SIZE);
        for (int k = 0; k < 20; k++)
            ck_assert_ptr_ne(q, p[k]);
    }
}
END_TEST

/* G5: two blocks in a row do not lie in a row. */
START_TEST(no_order_in_a_run)
{
    unsigned neighbours = 0;
    char *last = malloc(100);

    for (int i = 0; i < 100; i++) {
        char *p = malloc(100);
        neighbours += p - last == 128;
        last = p;
    }
    ck_assert_uint_lt(neighbours, 20);
}
END_TEST

START_TEST(the_child_of_a_fork_goes_on)
{
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (int k = 0; k < 100; k++)
                free(malloc((size_t)k * 10));
            _exit(0);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, all_parts_are_on);
    tcase_add_test(t, the_seal_knows_the_size);
    tcase_add_test(t, aligned_as_asked);
    tcase_add_test(t, what_is_new_and_what_is_freed);
    tcase_add_test(t, zeros_are_left_alone);
    tcase_add_test(t, the_secret_is_our_own);
    tcase_add_test(t, quarantine_lasts);
    tcase_add_test(t, each_thread_has_its_own);
    tcase_add_test(t, a_thread_that_ends_leaves_nothing_behind);
    tcase_add_test(t, trim_empties_the_quarantine);
    tcase_add_test(t, the_shared_quarantine_lasts_as_long);
    tcase_add_test(t, a_block_is_resized_where_it_lies);
    tcase_add_test(t, the_page_behind);
    tcase_add_test(t, a_page_that_still_traps_is_not_handed_out);
    tcase_add_test(t, no_order_in_a_run);
    tcase_add_test(t, the_child_of_a_fork_goes_on);
}

int main(void)
{
    return unit_run("guard", add);
}
