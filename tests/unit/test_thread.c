/* test_thread.c -- the laws E1 to E5 of the chapter on threads.
 *
 * Nothing here calls malloc: the process keeps the C library's. */

#include "thread.h"

#include "base.h"
#include "huge.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

/* What the chapter says in numbers. */
static_assert(sizeof(struct thread) == 3232, "bytes of a record");
static_assert(offsetof(struct thread, cache) == 0, "record and cache are one");

static bool refuse;                     /* refuse system calls */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    return refuse ? -ENOMEM : system_call(n, a, b, c, d, e, f);
}

static pthread_key_t late_key;
static int nlate;

static void late(void *region);

static void start(void)
{
    pages_start();
    ck_assert(pagemap_start(options.window_bytes));
    chunk_start();
    huge_start();
    ck_assert(arena_start(2));
    ck_assert(thread_start());
    ck_assert_int_eq(pthread_key_create(&late_key, late), 0);
}

static void count(const struct tcache *t, void *context)
{
    const struct tcache **last = context;

    last[1 + (last[0] != NULL)] = t;    /* the first in 1, the next in 2 */
    last[0] = t;
}

static size_t nlisted(void)
{
    const struct tcache *seen[3] = { NULL };

    thread_walk(count, seen);
    return (seen[1] != NULL) + (seen[2] != NULL);
}

/* E2, and what a thread finds before anybody has done anything for it. */
static void *look_at_none(void *unused)
{
    struct thread *t = thread_self();
    static const struct thread image = { .cache = TCACHE_NONE };

    (void)unused;
    ck_assert(thread_has_none(thread_mine));
    ck_assert(!thread_ended);
    ck_assert_ptr_eq(t, &thread_none);
    ck_assert(thread_has_none(t));
    for (unsigned c = 0; c < NSMALL; c++) {
        ck_assert_ptr_null(tcache_take(&t->cache, c));
        ck_assert(!tcache_put(&t->cache, c, &late_key));
    }
    ck_assert_int_eq(memcmp(t, &image, sizeof *t), 0);
    return NULL;
}

START_TEST(every_thread_begins_with_none)
{
    look_at_none(NULL);
    in_thread(look_at_none, NULL);
    thread_begin();
    in_thread(look_at_none, NULL);
}
END_TEST

static void *begin(void *unused)
{
    (void)unused;
    struct thread *t = thread_begin();
    ck_assert_ptr_nonnull(t);
    ck_assert_ptr_eq(thread_self(), t);
    ck_assert(!thread_has_none(t));
    ck_assert_uint_ge(t->countdown, 1);                         /* E5 */
    ck_assert_uint_ge(t->cache.arena->nthreads, 1);             /* E4 */
    return t;
}

START_TEST(a_record_is_ones_own)
{
    struct thread *t = begin(NULL);

    ck_assert_uint_eq(nlisted(), 1);                            /* E1 */
    ck_assert_ptr_ne(in_thread(begin, NULL), t);
    ck_assert_ptr_eq(thread_self(), t);
    ck_assert_uint_eq(nlisted(), 1);
    ck_assert_uint_eq(arenas[0]->nthreads, 1);
    ck_assert_uint_eq(arenas[1]->nthreads, 0);
}
END_TEST

static void *use_and_end(void *unused)
{
    struct thread *t = begin(unused);

    for (unsigned c = 1; c < NSMALL; c++) {
        void *p = tcache_refill(&t->cache, c);
        ck_assert_ptr_nonnull(p);
        if (!tcache_put(&t->cache, c, p))
            ck_assert(tcache_overflow(&t->cache, c, p, "free"));
    }
    return NULL;
}

/* Where each call is to be seen, the fast paths find nothing: what a thread keeps
 * lies apart, and goes home with it. */
static void *keep_apart(void *unused)
{
    struct thread *t = begin(unused);
    void *p[3];

    ck_assert_ptr_ne(t->kept, &t->cache);
    ck_assert_uint_gt(t->countdown, 32);                        /* E5 */
    for (int i = 0; i < 3; i++) {
        p[i] = tcache_take(t->kept, 4);
        ck_assert(p[i] != NULL || (p[i] = tcache_refill(t->kept, 4)) != NULL);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert(tcache_put(t->kept, 4, p[i]) || tcache_overflow(t->kept, 4, p[i], "free"));
        thread_shuffle(t, 4);
    }
    ck_assert_uint_ge(tcache_depth(t->kept, 4), 1);
    ck_assert_ptr_null(tcache_take(&t->cache, 4));
    ck_assert(!tcache_put(&t->cache, 4, &late_key));
    return NULL;
}

START_TEST(a_cache_apart_goes_home_too)
{
    size_t used;

    options.random_place = true;
    in_thread(keep_apart, NULL);
    arena_purge_all();
    used = base_stats().used;
    for (int i = 0; i < 10; i++)
        in_thread(keep_apart, NULL);
    arena_purge_all();
    ck_assert_uint_eq(arenas[0]->bins[4].ntaken, 0);
    ck_assert_uint_eq(tcache_granted_bytes(), 0);
    ck_assert_uint_le(base_stats().used, used);
    options.random_place = false;
}
END_TEST

START_TEST(a_thread_that_ends_gives_everything_back)
{
    size_t used;

    in_thread(use_and_end, NULL);
    in_thread(use_and_end, NULL);       /* whatever is made once is there */
    used = base_stats().used;
    for (unsigned c = 1; c < NSMALL; c++)
        ck_assert_uint_eq(arenas[0]->bins[c].ntaken, 0);
    ck_assert_uint_eq(nlisted(), 0);
    ck_assert_uint_eq(tcache_granted_bytes(), 0);
    for (int i = 0; i < 100; i++)
        in_thread(use_and_end, NULL);
    arena_purge_all();
    ck_assert_uint_le(base_stats().used, used);
    for (uint32_t i = 0; i < arena_limit; i++)
        ck_assert(arenas[i] == NULL || arenas[i]->nthreads == 0);
}
END_TEST

/* A destructor that runs after ours. */
static void late(void *region)
{
    ck_assert(thread_ended);                                    /* E3 */
    ck_assert(thread_has_none(thread_mine));
    ck_assert_ptr_null(thread_begin());
    ck_assert(thread_has_none(thread_self()));
    ck_assert_uint_eq(arenas[0]->bins[4].ntaken, 1);
    arena_flush(4, &region, 1, NULL, "free");
    nlate++;
}

static void *free_after_end(void *unused)
{
    struct thread *t = thread_begin();

    (void)unused;
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(pthread_setspecific(late_key,
                                         tcache_refill(&t->cache, 4)), 0);
    return NULL;                        /* late runs after our own destructor */
}

START_TEST(what_is_freed_late_is_not_lost)
{
    in_thread(free_after_end, NULL);
    ck_assert_int_eq(nlate, 1);
    ck_assert_uint_eq(arenas[0]->bins[4].ntaken, 0);
    ck_assert_uint_eq(nlisted(), 0);
}
END_TEST

START_TEST(every_32nd_slow_path_is_an_event)
{
    struct thread *t = begin(NULL);

    t->idle_ms = UINT64_MAX;            /* no look at all stacks in here */
    for (unsigned i = 1; i <= 48 * 32; i++) {
        thread_event(t);
        ck_assert_uint_eq(t->cache.visited, i / 32 % NSMALL);
        ck_assert_uint_ge(t->countdown, 1);                     /* E5 */
        ck_assert_uint_le(t->countdown, 32);
    }
}
END_TEST

/* An idle stack is halved by one event, if it is time, and then not again. */
START_TEST(an_event_looks_at_all_stacks_when_it_is_time)
{
    enum { C = 7 };
    struct thread *t = begin(NULL);
    size_t n;

    ck_assert(tcache_put(&t->cache, C, tcache_refill(&t->cache, C)));
    t->idle_ms = UINT64_MAX;
    n = tcache_depth(&t->cache, C);
    ck_assert_uint_gt(n, 1);
    t->cache.seen[C] = t->cache.top[C];
    t->cache.visited = C;
    t->idle_ms = 0;
    thread_keep_house(t);
    ck_assert_uint_eq(tcache_depth(&t->cache, C), n / 2);
    ck_assert_uint_gt(t->idle_ms, 0);
    thread_keep_house(t);
    ck_assert_uint_eq(tcache_depth(&t->cache, C), n / 2);
}
END_TEST

static void *walk(void *unused)
{
    const struct tcache *seen[3] = { NULL };

    begin(unused);
    thread_walk(count, seen);
    ck_assert_ptr_eq(seen[1], &thread_self()->cache);   /* the newest first */
    return (void *)seen[2];
}

START_TEST(a_walk_sees_every_cache)
{
    ck_assert_uint_eq(nlisted(), 0);
    ck_assert_ptr_eq(in_thread(walk, begin(NULL)), thread_self());
}
END_TEST

START_TEST(flush_empties_the_callers_cache)
{
    struct thread *t;

    thread_flush("test");                     /* has none: nothing happens */
    t = begin(NULL);
    void *p = tcache_refill(&t->cache, 4);
    ck_assert(tcache_put(&t->cache, 4, p));
    ck_assert_uint_gt(tcache_depth(&t->cache, 4), 0);
    thread_flush("test");
    ck_assert_uint_eq(tcache_depth(&t->cache, 4), 0);
    ck_assert_uint_eq(t->cache.arena->bins[4].ntaken, 0);
    ck_assert_ptr_eq(thread_self(), t);
}
END_TEST

static bool go_on = true;

static void *keep_busy(void *ready)
{
    struct thread *t = thread_begin();

    while (__atomic_load_n(&go_on, __ATOMIC_RELAXED)) {
        void *p = tcache_refill(&t->cache, 4);
        thread_flush("test");
        arena_flush(4, &p, 1, NULL, "free");
        __atomic_store_n((bool *)ready, true, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* What is left of the vanished threads in the accounts? */
static bool is_alone(const struct thread *t)
{
    size_t nbytes = 0, nthreads = 0;

    for (unsigned c = 1; c < NSMALL; c++)
        if (t->cache.slots[c] != NULL)
            nbytes += (size_t)(t->cache.limit[c] - t->cache.slots[c]) * sizeclasses[c].size;
    for (uint32_t i = 0; i < arena_limit && arenas[i] != NULL; i++)
        nthreads += arenas[i]->nthreads;
    return nthreads == 1 && t->cache.arena->nthreads == 1 && tcache_granted_bytes() == nbytes;
}

/* The child has one thread, one record in the list, and every lock free. */
static int child(const struct thread *t)
{
    if (thread_self() != t || nlisted() != 1 || t->next != NULL)
        return 1;
    if (!is_alone(t))
        return 4;
    for (unsigned c = 1; c < NSMALL; c++)
        if (tcache_refill(&thread_self()->cache, c) == NULL)
            return 2;
    thread_flush("test");
    in_thread(use_and_end, NULL);
    return nlisted() == 1 ? 0 : 3;
}

START_TEST(the_child_of_a_fork_can_allocate)
{
    bool ready = false;
    pthread_t busy;
    struct thread *t = thread_begin();

    skip_if(SANITIZED_THREAD, "the thread sanitizer cannot follow a fork");
    ck_assert_int_eq(pthread_create(&busy, NULL, keep_busy, &ready), 0);
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        ;
    for (int i = 0; i < 50; i++) {
        int status;
        thread_before_fork();
        pid_t pid = fork();
        thread_after_fork(pid == 0);
        if (pid == 0)
            _exit(child(t));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        ck_assert_uint_eq(nlisted(), 2);
    }
    __atomic_store_n(&go_on, false, __ATOMIC_RELAXED);
    ck_assert_int_eq(pthread_join(busy, NULL), 0);
    ck_assert_uint_eq(nlisted(), 1);
}
END_TEST

START_TEST(without_memory_there_is_no_record)
{
    in_thread(begin, NULL);             /* arena 0 exists */
    refuse = true;
    while (base_take(sizeof(struct thread)) != NULL)
        ;
    ck_assert_ptr_null(thread_begin());
    ck_assert(thread_has_none(thread_mine));
    ck_assert_uint_eq(arenas[0]->nthreads, 0);
    ck_assert_uint_eq(nlisted(), 0);
    refuse = false;
    ck_assert_ptr_nonnull(thread_begin());
    ck_assert_uint_eq(nlisted(), 1);
}
END_TEST

/* Where every call must be seen, a thread has two caches; the second is refused. */
START_TEST(no_memory_for_a_second_cache)
{
    size_t nbytes = sizeof(struct thread);
    void *block = base_take(nbytes);

    arena_leave(arena_join());          /* the arena is there */
    options.random_place = true;
    refuse = true;
    while (base_take(64) != NULL)
        ;
    base_put(block, nbytes);
    ck_assert_ptr_null(thread_begin());
    ck_assert(thread_has_none(thread_self()));
    ck_assert_ptr_nonnull(base_take(nbytes));
    ck_assert_ptr_null(base_take(nbytes));
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, no_memory_for_a_second_cache);
    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, every_thread_begins_with_none);
    tcase_add_test(t, a_record_is_ones_own);
    tcase_add_test(t, a_cache_apart_goes_home_too);
    tcase_add_test(t, a_thread_that_ends_gives_everything_back);
    tcase_add_test(t, what_is_freed_late_is_not_lost);
    tcase_add_test(t, every_32nd_slow_path_is_an_event);
    tcase_add_test(t, an_event_looks_at_all_stacks_when_it_is_time);
    tcase_add_test(t, a_walk_sees_every_cache);
    tcase_add_test(t, flush_empties_the_callers_cache);
    tcase_add_test(t, the_child_of_a_fork_can_allocate);
    tcase_add_test(t, without_memory_there_is_no_record);
}

int main(void)
{
    return unit_run("thread", add_tests);
}
