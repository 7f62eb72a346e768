/* prove: mutex
 * property: never two inside; whoever waits gets in; nobody sleeps for ever
 * room: mutex
 * method: interleavings, real code
 * bound: 3 threads, each locks twice; one turn of spinning; a wake may find any sleeper
 * geometry: mutex.c | s/SPINS = 100/SPINS = 1/
 * control: mutex.c | s/FUTEX_WAIT_PRIVATE, 2,/FUTEX_WAIT_PRIVATE, atomic_load_explicit(\&m->word, memory_order_relaxed),/ | a waiter sleeps on whatever the word is
 * control: mutex.c | s/memory_order_acquire\) != 0\)/memory_order_acquire) == 1)/ | a 2 is taken for free
 * control: mutex.h | s/memory_order_release\) == 2\)\)/memory_order_release) == 3))/ | unlock never wakes
 *
 * prove: mutex-fork
 * property: the lock survives a fork on both sides, whoever holds or waits
 * room: mutex
 * method: interleavings, real code
 * bound: 2 threads that lock, one that forks at any moment and locks afterwards, in parent and child
 * geometry: mutex.c | s/SPINS = 100/SPINS = 1/
 * control: mutex.c | /^void mutex_renew_in_child/,$s/word, 0/word, 1/ | the lock of the child is not made new
 * control: mutex.c | s/memory_order_release\) == 2\)$/memory_order_release) == 3)/ | the parent wakes nobody after the fork */

#include "bits.h"
#include "interleave.h"

/* The atomics and the system call become points. */
static long futex(volatile uint32_t *word, long op, long value);

#undef atomic_load_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_exchange_explicit
#define atomic_load_explicit(p, o) (point("load"), *(volatile uint32_t *)(p))
#define atomic_exchange_explicit(p, v, o)                                                 \
    (point("exchange"), __atomic_exchange_n((uint32_t *)(p), (v), __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong_explicit(p, e, v, o1, o2)                          \
    (point("compare-exchange"),                                                           \
     __atomic_compare_exchange_n((uint32_t *)(p), (e), (v), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#define system_call(n, a, b, c, d, e, f) futex((volatile uint32_t *)(a), (b), (c))
#define relax() ((void)0)

#undef DEBUG
#define DEBUG 0
#include "mutex.c"

char __libc_single_threaded;

/* ---- the kernel's half ------------------------------------------------------------------ */

static volatile uint32_t asleep[NTHREADS_MAX];      /* thread i waits in the kernel */

/* Compare and fall asleep are one step, as the kernel promises; so is a wake, which
 * may choose any sleeper. */
static long futex(volatile uint32_t *word, long op, long value)
{
    if (op == FUTEX_WAIT_PRIVATE) {
        point("futex wait");
        if (*word != (uint32_t)value)
            return -11;
        asleep[current_] = 1;
        sleep_while("asleep", &asleep[current_]);
        return 0;
    }
    int i = choose("futex wake", nthreads_);
    for (int k = 0; k < nthreads_; k++, i = (i + 1) % nthreads_)
        if (asleep[i] && !threads_[i].done) {
            asleep[i] = 0;
            break;
        }
    return 0;
}

/* ---- the threads ---------------------------------------------------------------------- */

static struct mutex lock = MUTEX_INIT(RANK_BASE);
static int inside, entered, expected;
static bool in_child;

static void critical(void)
{
    inside++;
    hold(inside == 1);
    point("inside");
    hold(inside == 1);
    inside--;
    entered++;
}

static void locker(int times)
{
    while (times-- > 0) {
        mutex_lock(&lock);
        critical();
        mutex_unlock(&lock);
    }
}

/* fork: the child has this thread alone, and the memory as it is. */
static void forker(int unused)
{
    (void)unused;
    mutex_lock_for_fork(&lock);
    hold(inside == 0);
    if (choose("fork", 2) == 1) {
        in_child = true;
        for (int i = 0; i < nthreads_; i++)
            if (i != current_)
                threads_[i].done = true;
        mutex_renew_in_child(&lock);
    } else {
        mutex_unlock_after_fork(&lock);
    }
    locker(1);
}

static void check(void)
{
    hold(inside <= 1);
}

static void end(void)
{
    hold(atomic_load((_Atomic uint32_t *)&lock.word) == 0);
    hold(in_child || entered == expected);
}

int main(int argc, char **argv)
{
    __libc_single_threaded = 0;
    if (argc > 1 && strcmp(argv[1], "mutex-fork") == 0) {
        begin(locker, 1);
        begin(locker, 1);
        begin(forker, 0);
        expected = 3;
    } else {
        int times = IS_QUICK ? 1 : 2;
        for (int i = 0; i < 3; i++)
            begin(locker, times);
        expected = 3 * times;
    }
    explore(check, end);
    return 0;
}
