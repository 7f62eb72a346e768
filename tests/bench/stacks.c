/* stacks.c -- a stack of free regions as an array of pointers outside of
 * them, and as a list through them.  No allocator: the two fast paths alone,
 * on the same 511 regions of 64 bytes, scattered over 32 MiB.
 *
 *   stacks                times them; ns a region, a line for each thing done
 *   stacks array|list     put and take of one region, 100 000 times, between
 *                         callgrind's marks; with `nothing`, neither
 *
 * And what threads cost whose stacks are seldom used, under any allocator:
 *
 *   stacks few            64 threads with three blocks of each size to 1 KiB
 *   stacks idle           16 threads, one after the other, allocate 1 000
 *                         blocks of each size to 256 bytes and free them;
 *                         then all of them wait for the end
 *
 * Cold: everything is written back and dropped from the caches first, the
 * array, too.  choices.py calls it. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

enum { MOST = 511, POOL = 32 << 20, ROUNDS = 301, LINE = 64 };

/* As in tcache.h: slot 0 holds NULL, top == limit means full. */
static struct {
    void **top, **limit;
} array;

static bool array_put(void *p)
{
    void **top = array.top;

    if (__builtin_expect(top == array.limit, 0))
        return false;
    top[1] = p;
    array.top = top + 1;
    return true;
}

static void *array_take(void)
{
    void **top = array.top, *p = *top;

    if (__builtin_expect(p != NULL, 1))
        array.top = top - 1;
    return p;
}

/* A list knows its end, but not its length: that is counted. */
static struct {
    void **head;
    size_t room;
} list;

static bool list_put(void *p)
{
    if (__builtin_expect(list.room == 0, 0))
        return false;
    *(void **)p = list.head;
    list.head = p;
    list.room--;
    return true;
}

static void *list_take(void)
{
    void **p = list.head;

    if (__builtin_expect(p != NULL, 1)) {
        list.head = *p;
        list.room++;
    }
    return p;
}

static void *slots[MOST + 1] __attribute__((aligned(LINE)));
static char *regions[MOST];
static void *out[MOST];
static char *pool;

static void begin(void)
{
    array.top = slots;
    array.limit = slots + MOST;
    list.head = NULL;
    list.room = MOST;
}

/* Out of every cache of the processor. */
static void drop_all(void)
{
#if defined __x86_64__ || defined __i386__
    for (int i = 0; i < MOST; i++)
        __builtin_ia32_clflush(regions[i]);
    for (int i = 0; i <= MOST; i += LINE / (int)sizeof *slots)
        __builtin_ia32_clflush(&slots[i]);
    __builtin_ia32_mfence();
#else
    static char big[128 << 20];
    for (size_t i = 0; i < sizeof big; i += LINE)
        big[i]++;
#endif
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* What is timed; `touch`: the taker writes to each region at once. */
static double take_all(bool as_list, bool cold, bool touch)
{
    double t[ROUNDS], start;

    for (int r = 0; r < ROUNDS; r++) {
        begin();
        for (int i = 0; i < MOST; i++)
            (void)(as_list ? list_put(regions[i]) : array_put(regions[i]));
        if (cold)
            drop_all();
        start = now();
        for (int i = 0; i < MOST; i++) {
            out[i] = as_list ? list_take() : array_take();
            if (touch)
                *(volatile uint64_t *)out[i] = (uint64_t)i;
        }
        t[r] = (now() - start) / MOST;
    }
    qsort(t, ROUNDS, sizeof *t, compare);
    return t[ROUNDS / 2];
}

/* Cut off the older half, as a full stack does. */
static double send_half(bool as_list)
{
    enum { HALF = MOST / 2 };
    double t[ROUNDS], start;

    for (int r = 0; r < ROUNDS; r++) {
        begin();
        for (int i = 0; i < MOST; i++)
            (void)(as_list ? list_put(regions[i]) : array_put(regions[i]));
        drop_all();
        start = now();
        if (as_list) {
            void **p = list.head;
            for (int i = 0; i < MOST - HALF - 1; i++)
                p = *p;
            void **old = *p;
            *p = NULL;
            for (int i = 0; i < HALF; i++, old = *old)
                out[i] = old;
        } else {
            memcpy(out, slots + 1, HALF * sizeof *out);
            memmove(slots + 1, slots + 1 + HALF, (MOST - HALF) * sizeof *out);
        }
        t[r] = (now() - start) / HALF;
        __asm__ volatile("" ::: "memory");
    }
    qsort(t, ROUNDS, sizeof *t, compare);
    return t[ROUNDS / 2];
}

static void scatter(void)
{
    uint64_t seed = 42;
    size_t n = POOL / LINE;
    size_t *at = malloc(n * sizeof *at);

    pool = aligned_alloc(4096, POOL);
    if (at == NULL || pool == NULL)
        exit(1);
    memset(pool, 1, POOL);
    for (size_t i = 0; i < n; i++)
        at[i] = i;
    for (int i = 0; i < MOST; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t k = (size_t)i + (seed >> 33) % (n - (size_t)i), o = at[i];
        at[i] = at[k];
        at[k] = o;
        regions[i] = pool + at[i] * LINE;
    }
    free(at);
}

static void pairs(const char *kind)
{
    begin();
    CALLGRIND_TOGGLE_COLLECT;
    for (int i = 0; i < 100000; i++) {
        void *p = regions[0];
        if (*kind == 'a' && !array_put(p))
            exit(1);
        if (*kind == 'l' && !list_put(p))
            exit(1);
        __asm__ volatile("" ::: "memory");  /* nothing is remembered */
        if (*kind == 'a')
            p = array_take();
        if (*kind == 'l')
            p = list_take();
        __asm__ volatile("" ::"r"(p) : "memory");
    }
    CALLGRIND_TOGGLE_COLLECT;
}

/* ---- threads whose stacks are seldom used --------------------------------- */

enum { THREADS_MAX = 64, BLOCKS_MAX = 1000 };

static struct {
    int nthreads, nblocks;
    size_t largest;
    bool in_turn;
} seldom;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t end;

static void *use_seldom(void *unused)
{
    char *block[BLOCKS_MAX];

    if (seldom.in_turn)
        pthread_mutex_lock(&turn);
    for (size_t size = 16; size <= seldom.largest; size += size < 128 ? 16 : size / 4) {
        for (int i = 0; i < seldom.nblocks; i++)
            if ((block[i] = malloc(size)) == NULL)
                exit(1);
            else
                memset(block[i], 1, size);
        for (int i = 0; seldom.in_turn && i < seldom.nblocks; i++)
            free(block[i]);
    }
    if (seldom.in_turn)
        pthread_mutex_unlock(&turn);
    pthread_barrier_wait(&end);
    return unused;
}

static int use_threads(void)
{
    pthread_t t[THREADS_MAX];

    pthread_barrier_init(&end, NULL, (unsigned)seldom.nthreads);
    for (int i = 0; i < seldom.nthreads; i++)
        if (pthread_create(&t[i], NULL, use_seldom, NULL) != 0)
            return 1;
    for (int i = 0; i < seldom.nthreads; i++)
        pthread_join(t[i], NULL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "few") == 0) {
        seldom.nthreads = 64, seldom.nblocks = 3, seldom.largest = 1024;
        return use_threads();
    }
    if (argc > 1 && strcmp(argv[1], "idle") == 0) {
        seldom.nthreads = 16, seldom.nblocks = 1000, seldom.largest = 256;
        seldom.in_turn = true;
        return use_threads();
    }
    scatter();
    if (argc > 1) {
        pairs(argv[1]);
        return 0;
    }
    static const struct {
        const char *what;
        bool cold, touch;
    } takes[] = {
        { "take; warm", false, false },
        { "take and write; warm", false, true },
        { "take; cold", true, false },
        { "take and write; cold", true, true },
    };
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
        double a = take_all(false, takes[i].cold, takes[i].touch);
        printf("%s,%.1f,%.1f\n", takes[i].what, a,
               take_all(true, takes[i].cold, takes[i].touch));
    }
    printf("send the older half away; cold,%.1f,%.1f\n", send_half(false),
           send_half(true));
    return 0;
}
