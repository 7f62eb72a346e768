/* Tangled from src.nw/50-tcache.nw; edit that, not this. */
/* tcache.h -- per class a small stack of free regions only this thread
 * touches.
 *
 * Storey 5.  Stands on arena, sizeclass, base, options. */

#ifndef LIT_TCACHE_H
#define LIT_TCACHE_H

#include "arena.h"
#include "sizeclass.h"

/* Declare a thread's cache.  [50-tcache.nw: The struct] */
/* The classes that class_of can answer; where their rations begin, counted in
 * pointers from top; and the regions of one ration. */
enum { NTABLE = 21, RATION_AT = 2 * NSMALL, RATION = DEBUG ? 2 : 32 };

/* A stack is an array of pointers.  Slot 0 holds NULL: whoever finds it has
 * found the stack empty.  A class without a stack has top and limit on one
 * shared slot: empty and full at once. */
struct tcache {
    /* What malloc and free touch. */
    union {
        struct {
            void **top[NSMALL];         /* the last region, or slot 0 */
            void **limit[NSMALL];       /* the last slot: full if top is */
            void **ration[NTABLE];      /* tops of rations, if rationed */
            uint8_t class_of[TABLE_MAX + 1];    /* SIZECLASS_TABLE */
        };
        void **stacks[RATION_AT + NTABLE];      /* top and ration, by index */
    };

    /* What the slow paths need. */
    size_t most;                        /* no request above it from a stack */
    void **rations;                     /* [NTABLE][1 + RATION], or NULL */
    bool rationed;
    void **slots[NSMALL];               /* slot 0, or NULL: no stack */
    void **seen[NSMALL];                /* top at the last visit */
    struct magazine *spare[NSMALL];     /* an empty one, or NULL */
    struct arena *arena;
    unsigned visited;                   /* the class visited last */
};

/* Declare a cache without stacks.  [50-tcache.nw: The files] */
/* The slot of all classes without a stack. */
extern HIDDEN void *tcache_null[1];

static_assert(NSMALL == 32 + 16, "TCACHE_NONE counts its entries");

static_assert(offsetof(struct tcache, ration) == RATION_AT * sizeof(void **),
              "a class plus RATION_AT is the ration's index in stacks");

#define TCACHE_NULLS                                                         \
    TIMES32(tcache_null), TIMES16(tcache_null)

/* A cache in which every stack is the shared empty one. */
#define TCACHE_NONE                                                          \
    {                                                                        \
        .class_of = { SIZECLASS_TABLE },                                     \
        .top = { TCACHE_NULLS },                                             \
        .limit = { TCACHE_NULLS },                                           \
        .ration = { TIMES16(tcache_null), TIMES4(tcache_null), tcache_null },\
        .most = SMALL_MAX                                                    \
    }

/* Take a region off a stack.  [50-tcache.nw: Taking and putting] */
/* Take a region of class c off its stack; NULL if that is empty. */
INLINE void *tcache_take(struct tcache *t, size_t c)
{
    void *region = as_result(*t->stacks[c]);

    if (likely(region != NULL))
        step_back(&t->stacks[c]);
    return region;
}

/* Put a region on a stack.  [50-tcache.nw: Taking and putting] */
/* Put a region of class c on its stack; false if that is full. */
INLINE bool tcache_put(struct tcache *t, size_t c, void *region)
{
    void **top = t->top[c];

    if (unlikely(top == t->limit[c]))
        return false;
    top[1] = region;
    step_on(&t->top[c]);
    return true;
}

/* Promise the slow paths of a cache.
 * [50-tcache.nw: Beginning and ending] */
void tcache_start(struct tcache *t, struct arena *a);

/* The stack of class c is empty: fill it and take one.  NULL without
 * memory. */
void *tcache_refill(struct tcache *t, unsigned c);

/* The stack of class c is full: make room and put the region there.  False
 * if there is no room to be had. */
bool tcache_overflow(struct tcache *t, unsigned c, void *region,
                     const char *call);

/* Look at one class more; a stack that lies idle loses half. */
void tcache_visit(struct tcache *t);

/* Swap the newest region of class c with one of the newest, as `random`
 * chooses.  Returns the one that is the newest now; NULL if there is none. */
void *tcache_shuffle(struct tcache *t, size_t c, uint32_t random);

/* From here on malloc finds rations of its regions and not the stacks. */
void tcache_ration(struct tcache *t);

/* How many regions of class c may go from its stack to its ration, which
 * must be empty; and let the n newest go. */
size_t tcache_may_serve(struct tcache *t, unsigned c);
void tcache_serve(struct tcache *t, unsigned c, size_t n);

/* Give everything back. */
void tcache_drain(struct tcache *t, const char *call);

/* How many regions of class c lie on its stack.  Any thread may ask; for
 * another than the owner the answer may be old, but never absurd. */
size_t tcache_depth(const struct tcache *t, unsigned c);

/* What all threads' stacks together may hold now, bytes. */
size_t tcache_granted_bytes(void);

/* In the child of a fork: no other cache is left. */
void tcache_stay_alone(const struct tcache *mine);

#endif
