/* Tangled from src.nw/70-malloc.nw; edit that, not this. */
/* malloc.c -- the C and POSIX entry points; start, fork, exit; the only file
 * that sets errno. */

#define _GNU_SOURCE /* mallinfo2, reallocarray */
#include "malloc.h"

#include "guard.h"
#include "huge.h"
#include "mutex.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"
#include "report.h"
#include "sample.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "litmalloc.h"

static struct mutex start_lock = MUTEX_INIT(RANK_START);
static bool started;            /* atomic; set last by start */

extern char **environ;

/* Get the library going.  [70-malloc.nw: The file] */
/* Count the processors.  [70-malloc.nw: The first call] */
/* The processors this process may use, or 1 if nobody tells. */
static uint32_t count_cpus(void)
{
    uint64_t mask[1024 / 64] = { 0 };
    uint32_t n = 0;

    if (system_call(SYS_sched_getaffinity, 0, sizeof mask, (long)mask, 0, 0,
                    0) > 0)
        for (size_t i = 0; i < sizeof mask / sizeof *mask; i++)
            n += (uint32_t)__builtin_popcountll(mask[i]);
    return n == 0 ? 1 : n;
}

/* Prepare for fork.  [70-malloc.nw: The first call] */
static void before_fork(void)
{
    guard_before_fork();
    sample_before_fork();
    thread_before_fork();
}

static void in_parent(void)
{
    thread_after_fork(false);
    sample_after_fork(false);
    guard_after_fork(false);
}

static void in_child(void)
{
    thread_after_fork(true);
    sample_after_fork(true);
    guard_after_fork(true);
}

/* Start the rooms.  [70-malloc.nw: The first call] */
static bool start_rooms(void)
{
    uint32_t n = options.narenas;

    if (n == 0)
        n = count_cpus();
    if (pagemap_npages == 0 && !pagemap_start(options.window_bytes))
        return false;           /* a second try may find it there already */
    chunk_start();
    huge_start();
    sample_start();
    return guard_start() && arena_start(n < 1024 ? n : 1024)
           && thread_start();
}

/* Read the settings.  [70-malloc.nw: The first call] */
/* Once, even if the start fails for lack of memory and is tried again: by
 * then the options are sealed. */
static void read_settings(void)
{
    static bool done;           /* guarded by start_lock */

    if (done)
        return;
    done = true;
    pages_start();
    options_start(environ, getauxval(AT_SECURE) != 0);
}

/* Start the library.  [70-malloc.nw: The first call] */
/* The first call of all, whoever makes it: a program's constructor, or the
 * loader before any constructor.  pthread_atfork may allocate, so that comes
 * when we are ready to serve it. */
static COLD bool start(void)
{
    bool good;

    mutex_lock(&start_lock);
    good = started;
    if (!good) {
        read_settings();
        good = start_rooms();
        __atomic_store_n(&started, good, __ATOMIC_RELEASE);
        mutex_unlock(&start_lock);
        if (good)
            pthread_atfork(before_fork, in_parent, in_child);
        return good;
    }
    mutex_unlock(&start_lock);
    return good;
}

/* Find out who calls.  [70-malloc.nw: The first call] */
/* The calling thread's record, made if need be; thread_none if the thread has
 * to do without; NULL if the library cannot start. */
static struct thread *self(void)
{
    struct thread *t = thread_self();

    if (likely(!thread_has_none(t)))
        return t;
    if (!__atomic_load_n(&started, __ATOMIC_ACQUIRE) && !start())
        return NULL;
    if (thread_has_none(thread_self()))     /* start may have called us */
        thread_begin();
    return thread_self();
}

/* Allocate and free.  [70-malloc.nw: The file] */
/* Fill what is new, in debug builds.
 * [70-malloc.nw: The slow way of malloc] */
/* Debug builds fill what is new and what is freed. */
INLINE void *fresh(void *p, size_t size)
{
    if (DEBUG && p != NULL)
        memset(p, 0xa5, size);
    return p;
}

/* Take a region without a cache.  [70-malloc.nw: The slow way of malloc] */
/* A region for a thread that has no cache. */
static void *take_uncached(unsigned c, bool *zeroed)
{
    struct arena *a = arenas[0];
    void *one;

    if (a == NULL)
        return NULL;
    if (!sizeclass_is_small(c))
        return arena_take_large(a, c, PAGE, zeroed);
    return arena_fill(a, c, 1, &one + 1) == 0 ? NULL : one;
}

/* Take the slow way.  [70-malloc.nw: The slow way of malloc] */
/* All of malloc, when there is no region on the stack.  NULL without
 * memory; *zeroed tells whether the block is all zero. */
static NOINLINE void *take_block(size_t size, bool *zeroed)
{
    struct thread *t = self();
    unsigned c;
    void *p;

    *zeroed = false;
    if (t == NULL || size > PTRDIFF_MAX)
        return NULL;
    if (!thread_has_none(t))
        thread_event(t);
    if (size > LARGE_MAX)
        return huge_take(size, QUANTUM, zeroed);
    c = sizeclass_of(size);
    if (thread_has_none(t))
        return take_uncached(c, zeroed);
    if (!sizeclass_is_small(c))
        return arena_take_large(t->cache.arena, c, PAGE, zeroed);
    p = tcache_take(t->kept, c);
    if (p == NULL)
        p = tcache_refill(t->kept, c);
    if (unlikely(t->cache.rationed) && c < NTABLE)
        sample_serve(t, c);
    return p;
}


/* Take the slow way, continued.  [70-malloc.nw: The slow way of malloc] */
/* The class for a request and its seal in a guarded heap. */
static size_t sealed_class(const struct thread *t, size_t size)
{
    if (likely(size <= TABLE_MAX - GUARD_SEAL))
        return t->cache.class_of[size + GUARD_SEAL];
    return size <= SMALL_MAX - GUARD_SEAL ? sizeclass_of(size + GUARD_SEAL)
                                          : CLASS_NONE;
}

/* Usual in a guarded heap: a region from the cache that is kept apart.  NULL
 * if there is none. */
static void *take_kept(struct thread *t, size_t c, size_t size,
                       bool may_fill)
{
    void *p;

    if (thread_has_none(t) || !sizeclass_is_small(c)
        || (p = tcache_take(t->kept, c)) == NULL)
        return NULL;
    thread_event(t);
    guard_expect(guard_in_class(*t->kept->top[c], c));
    return guard_seal(p, sizeclasses[c].size, size, may_fill);
}


/* Take the slow way, continued.  [70-malloc.nw: The slow way of malloc] */
/* The same in a guarded heap, where a block has a seal behind it.  Before the
 * call *zeroed says whether zeros are wanted: then nothing is filled. */
static NOINLINE void *take_slow(size_t size, bool *zeroed)
{
    bool may_fill = !*zeroed;
    void *p;

    if (unlikely(options.sample > 0)
        && (p = sample_take(self(), size, QUANTUM)) != NULL) {
        *zeroed = true;
        return p;
    }
    /* Before the start the settings are not read: a first call reads them. */
    if (likely(!options.guarded) && (self() == NULL || !options.guarded))
        return take_block(size, zeroed);
    if (size > PTRDIFF_MAX)
        return NULL;
    p = take_kept(thread_self(), sealed_class(thread_self(), size), size,
                  may_fill);
    if (p != NULL) {
        *zeroed = false;
        return p;
    }
    p = take_block(guard_request(size), zeroed);
    return p == NULL ? NULL
                     : guard_seal(p, arena_size(p, "malloc"), size, may_fill);
}

/* Say that there is no memory.  [70-malloc.nw: The slow way of malloc] */
static COLD void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* The same for malloc itself: here errno is set. */
static NOINLINE void *malloc_slow(size_t size)
{
    struct thread *t = thread_self();
    bool zeroed = false;
    void *p;

    if (options.guarded && options.sample == 0
        && (p = take_kept(t, sealed_class(t, size), size, true)) != NULL)
        return fresh(p, size);
    p = take_slow(size, &zeroed);
    return p == NULL ? no_memory() : fresh(p, size);
}

/* Allocate.  [70-malloc.nw: The usual path, once more] */
/* A request above the table, from a stack if it can be. */
static NOINLINE void *malloc_big(size_t size)
{
    struct tcache *t = &thread_self()->cache;
    void *p;

    if (size <= t->most
        && (p = tcache_take(t, sizeclass_medium(size))) != NULL)
        return fresh(p, size);
    return malloc_slow(size);
}

EXPORT void *malloc(size_t size)
{
    struct tcache *t = &thread_self()->cache;
    void *p;

    if (unlikely(size > TABLE_MAX))
        return malloc_big(size);
    p = tcache_take(t, t->class_of[size]);
    if (unlikely(p == NULL))
        return malloc_slow(size);
    return fresh(p, size);
}

/* Fill what is freed, in debug builds.
 * [70-malloc.nw: The slow way of free] */
/* Debug builds fill a small region that is freed, if it is one. */
static void stale(void *p, size_t c)
{
    struct chunk *k = pagemap_chunk(p);

    if (c != CLASS_NONE
        && run_asks(run_of(k, (uintptr_t)p), (uintptr_t)p) == RUN_OK)
        memset(p, 0x5a, sizeclasses[c].size);
}

/* Free the slow way.  [70-malloc.nw: The slow way of free] */
/* Home with a block: onto a stack, to its bin, or to the pages. */
static void put_as(struct thread *t, void *p, size_t c, const char *call)
{
    if (c == CLASS_NONE)
        arena_put_other(p, call);
    else if (t == NULL || thread_has_none(t)
             || !(tcache_put(t->kept, c, p)
                  || tcache_overflow(t->kept, c, p, call)))
        arena_flush(c, &p, 1, NULL, call);
    else if (options.random_place)
        guard_expect(guard_in_class(thread_shuffle(t, c), c));
}

static void put_block(struct thread *t, void *p, const char *call)
{
    put_as(t, p, pagemap_class(p), call);
}


/* Free the slow way, continued.  [70-malloc.nw: The slow way of free] */
/* Where what this thread frees is held back; NULL: with the others'. */
static struct quarantine *resting_place(struct thread *t)
{
    if (t == NULL || thread_has_none(t))
        return NULL;
    if (unlikely(t->resting == NULL))
        t->resting = guard_begin();
    return t->resting;
}

/* The same in a guarded heap. */
static void put_guarded(struct thread *t, void *p, const char *call)
{
    struct quarantine *q = resting_place(t);
    struct resting r = guard_find(p), home;

    guard_expect(r);
    while ((q == NULL || guard_is_crowded(q))
           && (home = guard_overdue(q)).block != NULL)
        put_as(t, home.block, home.class, call);
    home = guard_break(q, r, call);
    if (home.block != NULL)
        put_as(t, home.block, home.class, call);
}

/* Usual in a guarded heap: free by a thread of ours. */
static bool put_resting(void *p, const char *call)
{
    struct thread *t = thread_self();

    if (thread_has_none(t))
        return false;
    thread_event(t);
    put_guarded(t, p, call);
    return true;
}

/* Free the slow way, continued.  [70-malloc.nw: The slow way of free] */
/* All of free, when the stack is full or there is none: for NULL, for large
 * and huge blocks, and for what is not ours. */
static NOINLINE void put_slow(void *p, const char *call)
{
    int saved;
    struct thread *t;

    if (p == NULL || (options.guarded && options.sample == 0
                      && put_resting(p, call)))
        return;
    saved = errno;
    t = self();
    if (t != NULL && !thread_has_none(t))
        thread_event(t);
    if (unlikely(sample_has(p)))
        sample_put(p, call);
    else
        (unlikely(options.guarded) ? put_guarded : put_block)(t, p, call);
    errno = saved;
}

/* Let out what rests.  [70-malloc.nw: The slow way of free] */
/* Send home all that this thread has in quarantine. */
static void let_all_out(struct thread *t, struct quarantine *q,
                        const char *call)
{
    struct resting r;

    while ((r = guard_oldest(q)).block != NULL)
        put_as(t, r.block, r.class, call);
}

/* The calling thread's, and the one that is everybody's. */
static void let_out_here(const char *call)
{
    struct thread *t = thread_self();

    if (t->resting != NULL)
        let_all_out(t, t->resting, call);
    let_all_out(t, NULL, call);
}

void thread_ends(struct thread *t)
{
    if (t->resting == NULL)
        return;
    let_all_out(t, t->resting, "thread exit");
    guard_end(t->resting);
    t->resting = NULL;
}

/* Free.  [70-malloc.nw: The usual path, once more] */
EXPORT void free(void *p)
{
    size_t c = pagemap_class(p);

    if (DEBUG && !options.guarded)
        stale(p, c);
    if (unlikely(!tcache_put(&thread_self()->cache, c, p)))
        put_slow(p, "free");
}

/* Allocate zeroed memory.  [70-malloc.nw: Zeroed memory] */
static NOINLINE void *calloc_slow(size_t size)
{
    bool zeroed = true;
    void *p = take_slow(size, &zeroed);

    if (p == NULL)
        return no_memory();
    return zeroed ? p : memset(p, 0, size);
}

EXPORT void *calloc(size_t n, size_t size)
{
    struct tcache *t = &thread_self()->cache;
    size_t nbytes;
    void *p;

    if (unlikely(__builtin_mul_overflow(n, size, &nbytes)))
        return no_memory();
    if (unlikely(nbytes > TABLE_MAX))
        return calloc_slow(nbytes);
    p = tcache_take(t, t->class_of[nbytes]);
    return likely(p != NULL) ? memset(p, 0, nbytes) : calloc_slow(nbytes);
}

/* Resize and align.  [70-malloc.nw: The file] */
/* Move a block.  [70-malloc.nw: Resizing] */
/* Move a block of `old` bytes to one of `size`. */
static void *move(void *p, size_t old, size_t size)
{
    void *q = malloc(size);

    if (q == NULL)
        return NULL;
    memcpy(q, p, old < size ? old : size);
    free(p);
    return q;
}

/* Tell how much a block holds, whoever asks.  [70-malloc.nw: Resizing] */
static size_t door_size(const void *p, const char *call)
{
    if (unlikely(sample_has(p)))
        return sample_size(p, call);
    return options.guarded ? guard_size(p, call) : arena_size(p, call);
}

/* Say what a block that grows gets.  [70-malloc.nw: Resizing] */
/* A huge block is never as small as a large region may be: so its size
 * tells what it is. */
static size_t huge_request(size_t size)
{
    return size > LARGE_MAX ? size : LARGE_MAX + 1;
}

/* What a block of `old` bytes should get that is to have `size`: one that
 * grows past half of LARGE_MAX will grow on, and is huge from then on. */
static size_t grown_request(size_t old, size_t size)
{
    bool grows = old > LARGE_MAX || (old > SMALL_MAX && size > old);

    return grows && size > LARGE_MAX / 2 ? huge_request(size) : size;
}

/* Resize a block to another class.  [70-malloc.nw: Resizing] */
/* Where the class changes: in place if neighbouring pages allow it, by
 * moving pages if they are the block's own, else by moving bytes. */
static NOINLINE void *realloc_slow(void *p, size_t size)
{
    size_t old = door_size(p, "realloc");
    void *q;

    if (size > PTRDIFF_MAX)
        return no_memory();
    if (sample_has(p))
        return move(p, old, size);
    if (options.guarded)
        return guard_resize(p, size, "realloc") ? p : move(p, old, size);
    size = grown_request(old, size);
    if (old > SMALL_MAX && old <= LARGE_MAX && size > SMALL_MAX
        && size <= LARGE_MAX && arena_resize_large(p, sizeclass_of(size)))
        return p;
    if (old > LARGE_MAX && size > LARGE_MAX) {
        q = huge_resize(p, size);
        return q == NULL ? no_memory() : q;
    }
    return move(p, old, size);
}

/* Resize a block.  [70-malloc.nw: Resizing] */
EXPORT void *realloc(void *p, size_t size)
{
    unsigned c = pagemap_class(p);

    if (p == NULL)
        return malloc(size);
    if (size == 0) {
        free(p);
        return NULL;
    }
    if (sizeclass_is_small(c) && sizeclass_serves(c, size)
        && likely(!options.guarded))
        return p;
    return realloc_slow(p, size);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
    size_t nbytes;

    if (__builtin_mul_overflow(n, size, &nbytes))
        return no_memory();
    return realloc(p, nbytes);
}

/* Choose the class of an aligned request.
 * [70-malloc.nw: Aligned memory] */
/* The class that serves an aligned request; CLASS_NONE: none, it is huge. */
static unsigned aligned_class(size_t size, size_t alignment)
{
    unsigned c = CLASS_NONE;

    if (alignment <= PAGE && size <= SMALL_MAX)
        c = sizeclass_aligned(size, alignment);
    if (c == CLASS_NONE && alignment <= LARGE_MAX && size <= LARGE_MAX)
        c = sizeclass_of(size > SMALL_MAX ? size : SMALL_MAX + 1);
    return c;
}

/* Serve new.  [70-malloc.nw: Aligned memory] */
void *door_take(size_t size)
{
    bool zeroed = false;
    struct tcache *t = &thread_self()->cache;
    void *p = NULL;

    if (likely(size <= TABLE_MAX))
        p = tcache_take(t, t->class_of[size]);
    return likely(p != NULL) ? p : take_slow(size, &zeroed);
}

/* Serve aligned requests.  [70-malloc.nw: Aligned memory] */
static void *take_aligned_block(size_t size, size_t alignment, bool *zeroed)
{
    unsigned c = aligned_class(size, alignment);
    struct thread *t = self();

    if (t == NULL || size > PTRDIFF_MAX || alignment > PTRDIFF_MAX)
        return NULL;
    if (c != CLASS_NONE && (sizeclass_is_small(c) || alignment <= PAGE))
        return take_block(sizeclasses[c].size, zeroed);
    if (c == CLASS_NONE)
        return huge_take(huge_request(size), alignment, zeroed);
    struct arena *a = thread_has_none(t) ? arenas[0] : t->cache.arena;
    return a == NULL ? NULL : arena_take_large(a, c, alignment, zeroed);
}

static NOINLINE void *take_aligned_slow(size_t size, size_t alignment)
{
    bool zeroed;
    size_t n = size, a = alignment < QUANTUM ? QUANTUM : alignment;
    struct thread *t = self();
    void *p;

    if (unlikely(options.sample > 0) && t != NULL
        && (p = sample_take(t, size, a)) != NULL)
        return p;
    if (t != NULL && options.guarded && size <= PTRDIFF_MAX) {
        n = guard_request(size);
        p = take_kept(t, aligned_class(n, a), size, true);
        if (p != NULL)
            return p;
    }
    p = take_aligned_block(n, alignment, &zeroed);
    return options.guarded && p != NULL
               ? guard_seal(p, arena_size(p, "aligned_alloc"), size, true)
               : p;
}

/* Serve aligned requests, continued.  [70-malloc.nw: Aligned memory] */
/* Usually from a stack, like any other request: a multiple of the alignment
 * is served by a class whose size is one, too. */
void *door_take_aligned(size_t size, size_t alignment)
{
    struct tcache *t = &thread_self()->cache;
    void *p = NULL;

    if (likely(size <= TABLE_MAX && alignment <= TABLE_MAX)) {
        size_t n = round_up(size | (size == 0), alignment);
        if (likely(n <= TABLE_MAX))
            p = tcache_take(t, t->class_of[n]);
    }
    return likely(p != NULL) ? p : take_aligned_slow(size, alignment);
}

/* Free with what the caller knows.  [70-malloc.nw: The file] */
/* Check the size that the caller gives.
 * [70-malloc.nw: Freeing with a size] */
/* Is `size` what p was asked for with? */
static bool size_is_right(const void *p, size_t size, size_t alignment,
                          const char *call)
{
    unsigned c = aligned_class(size, alignment);

    if (options.guarded)
        return guard_size(p, call) == size;
    size_t has = arena_size(p, call);
    return has > LARGE_MAX ? huge_was_asked(p, huge_request(size))
                           : c != CLASS_NONE && sizeclasses[c].size == has;
}

/* Free with a size, for the rooms at the door.
 * [70-malloc.nw: Freeing with a size] */
static NOINLINE void put_sized_slow(void *p, size_t size, size_t alignment,
                                    const char *call)
{
    struct tcache *t = &thread_self()->cache;
    size_t c = pagemap_class(p);

    /* The usual delete of a thread whose malloc has rations. */
    if (size <= TABLE_MAX && alignment <= QUANTUM
        && c + RATION_AT == t->class_of[size] && tcache_put(t, c, p))
        return;
    if (options.sized_check && sample_has(p))
        sample_check_size(p, size, call);
    else if (p != NULL && options.sized_check
             && !size_is_right(p, size, alignment, call))
        report_die("%s(): wrong size %zu for %p: the block has %zu bytes",
                   call, size, p, door_size(p, call));
    if (!tcache_put(t, c, p))
        put_slow(p, call);
}

/* The usual C++ delete.  A size that the table answers, and rightly, needs
 * no more checking: every class serves QUANTUM. */
void door_put_sized(void *p, size_t size, size_t alignment,
                    const char *call)
{
    struct tcache *t = &thread_self()->cache;
    size_t c = pagemap_class(p);

    if (unlikely(size > TABLE_MAX || alignment > QUANTUM
                 || c != t->class_of[size] || !tcache_put(t, c, p)))
        put_sized_slow(p, size, alignment, call);
}

/* Free for delete.  [70-malloc.nw: Freeing with a size] */
void door_put(void *p)
{
    size_t c = pagemap_class(p);

    if (unlikely(!tcache_put(&thread_self()->cache, c, p)))
        put_slow(p, "operator delete");
}

/* Free with a size.  [70-malloc.nw: Freeing with a size] */
EXPORT void free_sized(void *p, size_t size)
{
    door_put_sized(p, size, QUANTUM, "free_sized");
}

EXPORT void free_aligned_sized(void *p, size_t alignment, size_t size)
{
    door_put_sized(p, size, alignment, "free_aligned_sized");
}

EXPORT void cfree(void *p)
{
    free(p);
}

/* Allocate aligned memory.  [70-malloc.nw: Aligned memory] */
EXPORT int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p;
    int saved = errno;

    if (!is_pow2(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;
    p = door_take_aligned(size, alignment);
    errno = saved;
    if (p == NULL)
        return ENOMEM;
    *out = fresh(p, size);
    return 0;
}

static void *take_aligned(size_t alignment, size_t size)
{
    void *p = door_take_aligned(size, alignment);

    return p == NULL ? no_memory() : fresh(p, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    if (is_pow2(alignment))
        return take_aligned(alignment, size);
    errno = EINVAL;
    return NULL;
}

/* Allocate aligned memory, of old.  [70-malloc.nw: Aligned memory] */
/* Of old this one rounds the alignment up (glibc manual). */
EXPORT void *memalign(size_t alignment, size_t size)
{
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    return take_aligned(POW2(ceil_log2(alignment)), size);
}

EXPORT void *valloc(size_t size)
{
    return take_aligned(pages_size, size);
}

EXPORT void *pvalloc(size_t size)
{
    if (size > PTRDIFF_MAX)
        return no_memory();
    return take_aligned(pages_size,
                        size == 0 ? pages_size : round_up(size, pages_size));
}

/* Answer what glibc answers.  [70-malloc.nw: The file] */
/* Tell how much a block holds.  [70-malloc.nw: What glibc also offers] */
EXPORT size_t malloc_usable_size(void *p)
{
    return p == NULL ? 0 : door_size(p, "malloc_usable_size");
}

/* Trim.  [70-malloc.nw: What glibc also offers] */
/* Give back what can be given back; returns how many bytes. */
static size_t purge(const char *call)
{
    if (options.guarded)
        let_out_here(call);
    thread_flush(call);
    return arena_purge_all();
}

EXPORT int malloc_trim(size_t pad)
{
    (void)pad;
    return purge("malloc_trim") > 0;
}

/* Report in words.  [70-malloc.nw: What glibc also offers] */
EXPORT void malloc_stats(void)
{
    stats_report(2);
}

EXPORT int malloc_info(int flags, FILE *stream)
{
    struct stats s;

    if (flags != 0)
        return EINVAL;
    stats_collect(&s);
    fprintf(stream, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
    for (unsigned c = 1; c < NSMALL; c++)
        if (s.classes[c].nruns > 0)
            fprintf(stream, "<size from=\"%u\" to=\"%u\" count=\"%zu\"/>\n",
                    sizeclasses[c - 1].size + 1, sizeclasses[c].size,
                    s.classes[c].ntaken);
    fprintf(stream,
            "</sizes>\n</heap>\n"
            "<total type=\"live\" size=\"%zu\"/>\n"
            "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
            "<system type=\"current\" size=\"%zu\"/>\n</malloc>\n",
            s.live, s.nhuge, s.huge, s.mapped);
    return 0;
}

/* Export what is ours alone.  [70-malloc.nw: What is ours alone] */
EXPORT const char *lit_version(void)
{
    return LITMALLOC_VERSION;
}

EXPORT void lit_report(int fd)
{
    stats_report(fd);
}

EXPORT size_t lit_purge(void)
{
    return purge("lit_purge");
}

#ifdef __GLIBC__
/* Take advice.  [70-malloc.nw: What glibc also offers] */
/* The knobs of glibc's malloc.  We have no such parts: known ones are
 * accepted and change nothing, others are refused. */
EXPORT int mallopt(int parameter, int value)
{
    (void)value;
    return (parameter >= M_ARENA_MAX && parameter <= M_TRIM_THRESHOLD)
           || (parameter >= M_MXFAST && parameter <= M_KEEP);
}

/* Answer glibc's questions.  [70-malloc.nw: What glibc also offers] */
EXPORT struct mallinfo2 mallinfo2(void)
{
    struct stats s;

    stats_collect(&s);
    return (struct mallinfo2){
        .arena = s.mapped - s.huge,
        .ordblks = s.nchunks,
        .hblks = s.nhuge,
        .hblkhd = s.huge,
        .uordblks = s.live,
        .fordblks = s.cached + s.parked + s.loose + s.dirty + s.kept,
        .keepcost = s.dirty + s.kept,
    };
}

/* Answer in glibc's old form.  [70-malloc.nw: What glibc also offers] */
/* The old form has ints: what does not fit is cut to the largest. */
static int to_int(size_t n)
{
    return n > INT32_MAX ? INT32_MAX : (int)n;
}

EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 m = mallinfo2();

    return (struct mallinfo){
        .arena = to_int(m.arena),
        .ordblks = to_int(m.ordblks),
        .hblks = to_int(m.hblks),
        .hblkhd = to_int(m.hblkhd),
        .uordblks = to_int(m.uordblks),
        .fordblks = to_int(m.fordblks),
        .keepcost = to_int(m.keepcost),
    };
}

/* Answer to glibc's inner names.
 * [70-malloc.nw: Static linking, and glibc's inner names] */
/* The names by which a static glibc calls itself: without them the linker
 * would bring its malloc in beside ours. */
EXPORT void *__libc_malloc(size_t size)
{
    return malloc(size);
}

EXPORT void *__libc_calloc(size_t n, size_t size)
{
    return calloc(n, size);
}

EXPORT void *__libc_realloc(void *p, size_t size)
{
    return realloc(p, size);
}

EXPORT void *__libc_reallocarray(void *p, size_t n, size_t size)
{
    return reallocarray(p, n, size);
}

/* Answer to the other inner names.
 * [70-malloc.nw: Static linking, and glibc's inner names] */
EXPORT void __libc_free(void *p)
{
    free(p);
}

EXPORT void __libc_cfree(void *p)
{
    free(p);
}

EXPORT void *__libc_memalign(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int __posix_memalign(void **out, size_t alignment, size_t size)
{
    return posix_memalign(out, alignment, size);
}

EXPORT void *__libc_valloc(size_t size)
{
    return valloc(size);
}

EXPORT void *__libc_pvalloc(size_t size)
{
    return pvalloc(size);
}

EXPORT int __libc_mallopt(int parameter, int value)
{
    return mallopt(parameter, value);
}
#endif

/* Open and close the door.  [70-malloc.nw: The first call] */
static int report_fd = 2;       /* set by open_door */

/* For those who never allocate: be ready for fork.  For those who close
 * standard error before they end, as ls does: keep a copy for the report. */
__attribute__((constructor)) static void open_door(void)
{
    self();
    sample_begin();
    if (options.stats) {
        long fd = system_call(SYS_fcntl, 2, F_DUPFD_CLOEXEC, 100, 0, 0, 0);
        report_fd = fd < 0 ? 2 : (int)fd;
    }
}

/* Nothing is torn down: other threads may still be at work. */
__attribute__((destructor)) static void close_door(void)
{
    if (options.stats)
        stats_report(report_fd);
}
