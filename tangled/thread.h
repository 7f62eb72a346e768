/* Tangled from src.nw/51-thread.nw; edit that, not this. */
/* thread.h -- what a thread owns from first allocation to exit; the countdown
 * to its next event.
 *
 * Storey 5.  Stands on tcache, arena, base, options, pages, mutex. */

#ifndef LIT_THREAD_H
#define LIT_THREAD_H

#include "tcache.h"

/* Declare what a thread owns.  [51-thread.nw: The record] */
struct thread {
    struct tcache cache;        /* first: a thread's address is its cache's */
    struct thread *next, *previous;     /* of all threads */
    struct tcache *kept;        /* what slow paths use: &cache, or one apart */
    struct quarantine *resting; /* the room guard's; NULL: none yet */
    uint64_t random;            /* for random_place, and for sampling */
    uint64_t due;               /* the room sample's: a bit a class */
    uint64_t idle_ms;           /* when all stacks are looked at next */
    uint64_t tick_ms;           /* when the arena was told the time last */
    uint32_t countdown;         /* slow paths until the next event */
    bool sampling;              /* at this moment */
};

/* The cache of every thread that has none: all stacks empty and full. */
extern HIDDEN const struct thread thread_none;

/* Two words of TLS.  The first is our record, thread_none to begin with. */
extern HIDDEN THREAD_LOCAL struct thread *thread_mine;
extern HIDDEN THREAD_LOCAL bool thread_ended;

INLINE struct thread *thread_self(void)
{
    return thread_mine;
}

INLINE bool thread_has_none(const struct thread *t)
{
    return t == &thread_none;
}

/* Promise what is done for threads.  [51-thread.nw: The files] */
/* What comes once in so many slow paths. */
void thread_keep_house(struct thread *t);

/* Prepare for threads; called once, before any of them. */
bool thread_start(void);

/* Make the calling thread one of ours.  NULL if it has ended already or
 * there is no memory: then it goes on without a cache. */
struct thread *thread_begin(void);

/* Count a slow path; now and then see to caches and to dirty pages. */
INLINE void thread_event(struct thread *t)
{
    if (unlikely(--t->countdown == 0))
        thread_keep_house(t);
}

/* Put the region of class c that the thread kept last in a random place.
 * Returns the one that is the last now. */
INLINE void *thread_shuffle(struct thread *t, size_t c)
{
    return tcache_shuffle(t->kept, c, random_next(&t->random));
}

/* Call visit for every thread's cache, under the list's lock. */
void thread_walk(void (*visit)(const struct tcache *, void *), void *context);

/* A thread that has a record ends: called before anything of it is given
 * back.  Weak, and does nothing here: the door has its own. */
void thread_ends(struct thread *t);

/* Give back what the calling thread's cache holds; call: who asked for it. */
void thread_flush(const char *call);

void thread_before_fork(void);
void thread_after_fork(bool in_child);

#endif
