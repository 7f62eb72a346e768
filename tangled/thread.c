/* Tangled from src.nw/51-thread.nw; edit that, not this. */
/* thread.c -- what a thread owns from first allocation to exit. */

#include "thread.h"

#include "base.h"
#include "mutex.h"
#include "options.h"
#include "pages.h"

#include <pthread.h>

enum { EVENT_COUNT = 32, EVENT_COUNT_APART = 1024 };

/* Never written to: its stacks are empty and full. */
#define NOBODY ((struct thread *)(uintptr_t)&thread_none)

const struct thread thread_none = { .cache = TCACHE_NONE };
THREAD_LOCAL struct thread *thread_mine = NOBODY;
THREAD_LOCAL bool thread_ended;

/* Stand in for the initial image.  [51-thread.nw: Where the cache is] */
/* Called by the loader between our relocation and the copy of the initial
 * image: who allocates in between must find a record.  A static program has
 * no TLS when its resolvers are called; musl's loader knows no resolvers. */
#if defined __GLIBC__ && !defined SANITIZED
static void nothing(void)
{
}

HIDDEN __attribute__((used)) void (*thread_resolve(void))(void)
{
    if (has_tls())
        thread_mine = NOBODY;
    return nothing;
}

CHOSEN(thread_chosen, thread_resolve);
HIDDEN __attribute__((used)) void (*const thread_choice)(void) =
    thread_chosen;
#endif

static struct mutex lock = MUTEX_INIT(RANK_THREAD);
static struct thread *threads;          /* guarded by lock */
static pthread_key_t key;

/* End a thread.  [51-thread.nw: A thread ends] */
__attribute__((weak)) void thread_ends(struct thread *t)
{
    (void)t;
}

/* The C library calls this for a thread that ends.  What the thread still
 * frees after that goes straight to the arenas: thread_ended sees to it. */
static void end(void *record)
{
    struct thread *t = record;

    thread_ends(t);
    tcache_drain(t->kept, "thread exit");
    thread_mine = NOBODY;
    thread_ended = true;
    mutex_lock(&lock);
    *(t->previous == NULL ? &threads : &t->previous->next) = t->next;
    if (t->next != NULL)
        t->next->previous = t->previous;
    mutex_unlock(&lock);
    arena_leave(t->cache.arena);
    if (t->kept != &t->cache)
        base_put(t->kept, sizeof *t->kept);
    base_put(t, sizeof *t);
}

/* Prepare for threads to end.  [51-thread.nw: A thread ends] */
bool thread_start(void)
{
    return pthread_key_create(&key, end) == 0;
}

/* Put a record on the list.  [51-thread.nw: A thread begins] */
static void enlist(struct thread *t)
{
    mutex_lock(&lock);
    t->previous = NULL;
    t->next = threads;
    if (threads != NULL)
        threads->previous = t;
    threads = t;
    mutex_unlock(&lock);
}

/* Say how many slow paths make an event.
 * [51-thread.nw: A thread begins] */
/* Must each call be seen, so that the fast paths may keep nothing? */
static bool is_apart(void)
{
    return options.guarded || options.random_place;
}

static uint32_t event_count(void)
{
    return is_apart() || options.sample > 0 ? EVENT_COUNT_APART
                                            : EVENT_COUNT;
}

/* Make a record.  [51-thread.nw: A thread begins] */
/* Where every call must be seen, slow paths have a cache of their own. */
static struct tcache *start_kept(struct thread *t, struct arena *a)
{
    struct tcache *kept;

    if (!is_apart())
        return &t->cache;
    if ((kept = base_take(sizeof *kept)) != NULL)
        tcache_start(kept, a);
    return kept;
}

static struct thread *make_record(struct arena *a)
{
    struct thread *t = base_take(sizeof *t);

    if (t == NULL)
        return NULL;
    tcache_start(&t->cache, a);
    if (options.sample > 0 && !is_apart())
        tcache_ration(&t->cache);
    t->random = pages_random() ^ (uintptr_t)t;
    t->countdown = event_count();
    if ((t->kept = start_kept(t, a)) != NULL)
        return t;
    base_put(t, sizeof *t);
    return NULL;
}

/* Make the calling thread one of ours.  [51-thread.nw: A thread begins] */
/* pthread_setspecific may allocate; by then we have a cache to serve it. */
COLD struct thread *thread_begin(void)
{
    struct thread *t;
    struct arena *a;

    if (thread_ended || (a = arena_join()) == NULL)
        return NULL;
    if ((t = make_record(a)) == NULL) {
        arena_leave(a);
        return NULL;
    }
    enlist(t);
    thread_mine = t;
    pthread_setspecific(key, t);
    return t;
}

/* Count a slow path.  [51-thread.nw: The countdown] */
COLD void thread_keep_house(struct thread *t)
{
    uint64_t now_ms = pages_now_ms();
    bool all = options.decay_ms >= 0 && now_ms >= t->idle_ms;

    t->countdown = event_count();
    if (all)
        t->idle_ms = now_ms + (uint64_t)options.decay_ms / 8;
    for (unsigned n = all ? NSMALL : 1; n > 0; n--)
        tcache_visit(t->kept);
    if (now_ms != t->tick_ms)
        arena_tick(t->cache.arena, t->tick_ms = now_ms);
}

/* Visit all caches.  [51-thread.nw: Looking at all threads] */
void thread_walk(void (*visit)(const struct tcache *, void *), void *context)
{
    mutex_lock(&lock);
    for (const struct thread *t = threads; t != NULL; t = t->next)
        visit(t->kept, context);
    mutex_unlock(&lock);
}

/* Empty the calling thread's cache.
 * [51-thread.nw: Looking at all threads] */
void thread_flush(const char *call)
{
    struct thread *t = thread_self();

    if (!thread_has_none(t))
        tcache_drain(t->kept, call);
}

/* Hold still for fork.  [51-thread.nw: Fork] */
void thread_before_fork(void)
{
    mutex_lock_for_fork(&lock);
    arena_before_fork();
}

/* In the child only the calling thread is left.  What lay in the others'
 * caches is lost to it: they were stopped at any instruction. */
static void stay_alone(struct thread *self) REQUIRES(&lock)
{
    threads = NULL;
    if (!thread_has_none(self)) {
        threads = self;
        self->next = self->previous = NULL;
    }
    tcache_stay_alone(thread_has_none(self) ? &self->cache : self->kept);
}

UNCHECKED void thread_after_fork(bool in_child)
{
    struct thread *self = thread_self();

    arena_after_fork(in_child);
    if (in_child)
        stay_alone(self);
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&lock);
}
