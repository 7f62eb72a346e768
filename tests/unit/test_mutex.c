/* test_mutex.c -- M1 to M5 of the chapter on the mutex. */

#include "mutex.h"

#include "unit.h"

#include <sched.h>

/* The numbers of the chapter. */
static_assert(sizeof(struct mutex) == 8, "a lock is 8 bytes");
static_assert(offsetof(struct mutex, rank) == 4, "figure mutex");
static_assert(RANK_START == 0 && RANK_BIN == 4 && RANK_PAGEHEAP == 6
              && RANK_BASE == 9, "table ranks");
#if defined(__x86_64__) && defined(__GLIBC__)
static_assert(sizeof(pthread_mutex_t) == 40, "what the C library's takes");
#endif

static uint32_t word_of(struct mutex *m)
{
    return atomic_load_explicit(&m->word, memory_order_relaxed);
}

static void *nothing(void *p)
{
    return p;
}

/* From here on there may be a second thread. */
static void need_locks(void)
{
    in_thread(nothing, NULL);
}

/* Does `act` die, in a process of its own?  (Of a signal; a sanitizer makes
 * that an exit.) */
static bool traps(void (*act)(void *))
{
    char text[512];
    int status = in_child(act, NULL, text, sizeof text);

    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

START_TEST(start_makes_it_free)
{
    struct mutex m = { 7, 7 };

    mutex_start(&m, RANK_CHUNK);
    ck_assert_uint_eq(word_of(&m), 0);
    ck_assert_uint_eq(m.rank, RANK_CHUNK);
}
END_TEST

/* A process with one thread writes nothing to the word. */
START_TEST(one_thread_takes_no_lock)
{
    struct mutex m = MUTEX_INIT(RANK_BASE);

    skip_if(mutex_is_needed(), SANITIZED_THREAD ? "the thread sanitizer has a thread of its own"
                                                : "a C library without the flag");
    mutex_lock(&m);
    uint32_t during = word_of(&m);
    mutex_unlock(&m);
    ck_assert_uint_eq(during, 0);
    ck_assert_uint_eq(word_of(&m), 0);
}
END_TEST

/* M1. */
START_TEST(held_is_1_and_free_is_0)
{
    struct mutex m = MUTEX_INIT(RANK_BASE);

    need_locks();
    ck_assert(mutex_is_needed());
    errno = 4711;
    mutex_lock(&m);
    uint32_t during = word_of(&m);
    mutex_unlock(&m);
    ck_assert_int_eq(errno, 4711);
    ck_assert_uint_eq(during, 1);
    ck_assert_uint_eq(word_of(&m), 0);
}
END_TEST

static struct mutex shared = MUTEX_INIT(RANK_BASE);
static unsigned counter;

enum { TURNS = 20000 };

static void *count(void *p)
{
    for (int i = 0; i < TURNS; i++) {
        mutex_lock(&shared);
        unsigned c = counter;
        if (i % 1000 == 0)
            sched_yield();      /* be preempted with the lock in hand */
        counter = c + 1;
        mutex_unlock(&shared);
    }
    return p;
}

/* M1, as a program sees it: one at a time. */
START_TEST(one_holder_at_a_time)
{
    pthread_t t[6];

    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, count, NULL), 0);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
    ck_assert_uint_eq(counter, 6 * TURNS);
    ck_assert_uint_eq(word_of(&shared), 0);
}
END_TEST

static uint32_t seen[2];

static void *take_and_release(void *p)
{
    struct mutex *m = p;
    static unsigned n;

    mutex_lock(m);
    seen[n++] = word_of(m);
    mutex_unlock(m);
    return NULL;
}

/* M2, M3: who sleeps has left a 2, and is woken, and holds the lock with
 * a 2; two of them, so that the first has to wake the second. */
START_TEST(sleepers_are_woken)
{
    struct mutex m = MUTEX_INIT(RANK_START);
    pthread_t t[2];

    need_locks();
    mutex_lock(&m);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, take_and_release, &m),
                         0);
    while (word_of(&m) != 2)
        sched_yield();
    usleep(100000);             /* long enough for both to sleep */
    mutex_unlock(&m);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
    ck_assert_uint_eq(word_of(&m), 0);
    ck_assert(seen[0] == 2 || seen[1] == 2);
}
END_TEST

/* A lock that becomes free while we spin is taken with a 1. */
START_TEST(spinning_ends_with_1)
{
    struct mutex m = MUTEX_INIT(RANK_BASE);

    atomic_store(&m.word, 0);
    mutex_wait(&m);             /* free: found while spinning */
    ck_assert_uint_eq(word_of(&m), 1);
}
END_TEST

static struct mutex bin1 = MUTEX_INIT(RANK_BIN);
static struct mutex bin2 = MUTEX_INIT(RANK_BIN);
static struct mutex heap = MUTEX_INIT(RANK_PAGEHEAP);
static struct mutex records = MUTEX_INIT(RANK_BASE);

static void lock_two_bins(void *unused)
{
    (void)unused;
    mutex_note(&bin1, true);
    mutex_note(&bin2, true);
}

static void lock_upwards(void *unused)
{
    (void)unused;
    mutex_note(&heap, true);
    mutex_note(&bin1, true);
}

static void unlock_unlocked(void *unused)
{
    (void)unused;
    mutex_note(&bin1, false);
}

static void lock_downwards(void *unused)
{
    (void)unused;
    mutex_note(&bin1, true);
    mutex_note(&heap, true);
    mutex_note(&records, true);
    mutex_note(&bin1, false);   /* any order is good to release */
    mutex_note(&records, false);
    mutex_note(&heap, false);
    mutex_note(&bin2, true);
    mutex_note(&bin2, false);
}

/* M4, and that the check can fail. */
START_TEST(ranks_are_checked)
{
    ck_assert(DEBUG);
    ck_assert(traps(lock_two_bins));
    ck_assert(traps(lock_upwards));
    ck_assert(traps(unlock_unlocked));
    ck_assert(!traps(lock_downwards));
}
END_TEST

/* Around a fork two of a rank are fine; the child's are new. */
START_TEST(fork_takes_all_and_the_child_renews)
{
    int status;

    need_locks();
    mutex_lock_for_fork(&bin1);
    mutex_lock_for_fork(&bin2);
    atomic_store(&bin2.word, 2);        /* as if somebody slept */
    ck_assert_uint_eq(word_of(&bin1), 1);
    pid_t child = fork();
    if (child == 0) {
        mutex_renew_in_child(&bin1);
        mutex_renew_in_child(&bin2);
        mutex_lock(&bin1);
        mutex_unlock(&bin1);
        _exit(word_of(&bin1) + word_of(&bin2));
    }
    mutex_unlock_after_fork(&bin2);
    mutex_unlock_after_fork(&bin1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(word_of(&bin1), 0);
    ck_assert_uint_eq(word_of(&bin2), 0);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, start_makes_it_free);
    tcase_add_test(t, one_thread_takes_no_lock);
    tcase_add_test(t, held_is_1_and_free_is_0);
    tcase_add_test(t, one_holder_at_a_time);
    tcase_add_test(t, sleepers_are_woken);
    tcase_add_test(t, spinning_ends_with_1);
    tcase_add_test(t, ranks_are_checked);
    tcase_add_test(t, fork_takes_all_and_the_child_renews);
}

int main(void)
{
    return unit_run("mutex", add_tests);
}
