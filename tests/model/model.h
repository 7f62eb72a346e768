/* model.h -- random calls of the allocator against a plain table of what is live.
 *
 * A table remembers each live block: address, requested size, what its bytes must
 * be.  model_step() makes one random call and demands of its result what any
 * allocator owes; model_check() demands that all live blocks are whole, and
 * model_check_overlap() that no two share a byte. */
#ifndef MODEL_H
#define MODEL_H

#include "../stress/stress.h"

enum { MODEL_NSLOTS = 1500, MODEL_MOST = 8 << 20, MODEL_TOTAL_MOST = 192 << 20 };

struct block {
    unsigned char *p;                   /* NULL: the slot is empty */
    size_t size;                        /* as requested */
    size_t usable;
    size_t alignment;                   /* 0 if none was asked for */
    uint64_t salt;                      /* what its bytes are made from */
};

struct model {
    uint64_t state;                     /* of draw() */
    size_t total;                       /* bytes requested of all live blocks */
    size_t nsteps;
    size_t nrefused;                    /* calls that gave NULL */
    bool may_fail;                      /* NULL with ENOMEM is right from now on */
    struct block slot[MODEL_NSLOTS];
};

/* C23; declared here because older headers do not, weak because older libraries
 * do not define them. */
extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

/* The bytes that are written and checked: all of a small block; the ends of a
 * large one and a few bytes of each 4 KiB between.  Next index after i. */
static inline size_t model_next(size_t i, size_t size)
{
    if (size <= 32 * KiB || i < 4 * KiB || i + 4 * KiB >= size)
        return i + 1;
    return i % (4 * KiB) < 8 ? i + 1 : i / (4 * KiB) * (4 * KiB) + 4 * KiB;
}

static inline unsigned char model_byte(uint64_t salt, size_t i)
{
    return (unsigned char)((salt + i) * 0x9e3779b97f4a7c15 >> 56);
}

static inline void model_fill(struct block *b, uint64_t salt)
{
    b->salt = salt;
    for (size_t i = 0; i < b->size; i = model_next(i, b->size))
        b->p[i] = model_byte(salt, i);
}

/* The bytes below `limit` of a block are what they were when it had b->size. */
static inline void model_check_bytes(const struct block *b, const unsigned char *p, size_t limit)
{
    for (size_t i = 0; i < b->size && i < limit; i = model_next(i, b->size))
        if (p[i] != model_byte(b->salt, i))
            fail("byte %zu of a block of %zu at %p is %#x instead of %#x", i, b->size,
                 (const void *)p, p[i], model_byte(b->salt, i));
}

/* A block was given: demand what holds of any, and enter it.  Or none was. */
static inline void model_enter(struct model *m, struct block *b, void *p, size_t size,
                               size_t alignment)
{
    if (p == NULL) {
        int error = errno;
        if (!m->may_fail)
            fail("%zu bytes at alignment %zu were refused (errno %d)", size, alignment, error);
        demand(error == ENOMEM);
        m->nrefused++;
        return;
    }
    demand(((uintptr_t)p & 15) == 0);
    demand(alignment == 0 || ((uintptr_t)p & (alignment - 1)) == 0);
    *b = (struct block){ p, size, malloc_usable_size(p), alignment, 0 };
    demand(b->usable >= size);
    m->total += size;
    model_fill(b, draw(&m->state));
}

static inline void model_free(struct model *m, struct block *b)
{
    model_check_bytes(b, b->p, b->size);
    demand(malloc_usable_size(b->p) == b->usable);
    m->total -= b->size;
    errno = 4242;
    if (b->alignment == 0 && free_sized != NULL && draw(&m->state) % 4 == 0)
        free_sized(b->p, b->size);
    else if (b->alignment != 0 && free_aligned_sized != NULL && draw(&m->state) % 2 == 0)
        free_aligned_sized(b->p, b->alignment, b->size);
    else
        free(b->p);
    demand(errno == 4242);
    *b = (struct block){ .p = NULL };
}

static inline size_t model_size(struct model *m)
{
    size_t most = draw(&m->state) % 16 == 0 ? MODEL_MOST : 32 * KiB;
    size_t size = draw_size(&m->state, most);
    return m->total + size <= MODEL_TOTAL_MOST ? size : 1 + size % 1000;
}

static inline void model_allocate(struct model *m, struct block *b)
{
    size_t size = model_size(m), alignment;
    unsigned char *p;
    void *q = NULL;

    errno = 0;
    switch (draw(&m->state) % 8) {
    case 0:
    case 1:
        p = calloc(1, size);
        for (size_t i = 0; p != NULL && i < size; i = model_next(i, size))
            if (p[i] != 0)
                fail("byte %zu of calloc's %zu at %p is %#x", i, size, (void *)p, p[i]);
        model_enter(m, b, p, size, 0);
        break;
    case 2:
        alignment = (size_t)16 << draw_below(&m->state, draw(&m->state) % 32 == 0 ? 19 : 9);
        model_enter(m, b, aligned_alloc(alignment, size), size, alignment);
        break;
    case 3:
        alignment = (size_t)8 << draw_below(&m->state, 10);
        int error = posix_memalign(&q, alignment, size);
        demand((error == 0) == (q != NULL));
        errno = error;
        model_enter(m, b, q, size, alignment);
        break;
    default:
        model_enter(m, b, malloc(size), size, 0);
    }
}

static inline void model_realloc(struct model *m, struct block *b)
{
    size_t old = b->size;
    size_t size = draw(&m->state) % 2 == 0 ? model_size(m)
                                           : old / 2 + draw_below(&m->state, old + 1) + 1;
    if (size > MODEL_MOST)
        size = MODEL_MOST;
    errno = 0;
    unsigned char *p = realloc(b->p, size);
    if (p == NULL) {                    /* the old one must be whole */
        model_check_bytes(b, b->p, old);
        model_enter(m, b, NULL, size, 0);
        return;
    }
    model_check_bytes(b, p, size < old ? size : old);
    m->total -= old;
    model_enter(m, b, p, size, 0);
}

/* One random call. */
static inline void model_step(struct model *m)
{
    struct block *b = &m->slot[draw_below(&m->state, MODEL_NSLOTS)];

    if (b->p == NULL)
        model_allocate(m, b);
    else if (draw(&m->state) % 3 == 0)
        model_realloc(m, b);
    else
        model_free(m, b);
    m->nsteps++;
}

static inline void model_check(const struct model *m)
{
    for (int i = 0; i < MODEL_NSLOTS; i++)
        if (m->slot[i].p != NULL)
            model_check_bytes(&m->slot[i], m->slot[i].p, m->slot[i].size);
}

static inline void model_free_all(struct model *m)
{
    for (int i = 0; i < MODEL_NSLOTS; i++)
        if (m->slot[i].p != NULL)
            model_free(m, &m->slot[i]);
    demand(m->total == 0);
}

static inline int model_by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)(*(struct block *const *)a)->p;
    uintptr_t y = (uintptr_t)(*(struct block *const *)b)->p;
    return x < y ? -1 : x > y;
}

/* No two live blocks of n tables share a byte of what malloc_usable_size said. */
static inline void model_check_overlap(struct model *m, size_t n)
{
    static struct block *all[16 * MODEL_NSLOTS];
    size_t count = 0;

    demand(n <= 16);
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < MODEL_NSLOTS; i++)
            if (m[k].slot[i].p != NULL)
                all[count++] = &m[k].slot[i];
    qsort(all, count, sizeof all[0], model_by_address);
    for (size_t i = 1; i < count; i++)
        if (all[i - 1]->p + all[i - 1]->usable > all[i]->p)
            fail("a block of %zu bytes at %p and one of %zu at %p overlap", all[i - 1]->usable,
                 (void *)all[i - 1]->p, all[i]->usable, (void *)all[i]->p);
}

#endif
