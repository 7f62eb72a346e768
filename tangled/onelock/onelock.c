/* Tangled from src.nw/03-onelock.nw; edit that, not this. */
/* onelock.c -- boundary tags, best fit, one lock: a malloc in one sitting.
 *
 * Sources: Knuth, Art of Computer Programming 1, 2.5, algorithm C (1962);
 * Lea's malloc (1987-2012) for the tag that is shared with the program. */

#define _GNU_SOURCE
#include "onelock.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Say what a piece is.  [03-onelock.nw: A piece and its tags] */
struct piece {
    size_t below;               /* size of the piece below, while it is free */
    size_t tag;                 /* our own size, and three bits */
    struct piece *next;         /* in the bin, only while we are free */
    struct piece *previous;
};

enum { LIVE = 1, LIVE_BELOW = 2, MAPPED = 4, TAGS = 15 };
enum { GRAIN = 16, LEAST = sizeof(struct piece), HEADER = 16 };

/* Declare the heap.  [03-onelock.nw: The file] */
enum { NSMALL = 64, NBINS = 256, STEP = 64 * 1024, MAP_FROM = 128 * 1024 };

static struct {
    pthread_mutex_t lock;       /* guards all that follows, and every piece */
    struct piece *bin[NBINS];   /* free pieces; smallest first */
    uint64_t filled[NBINS / 64];        /* bit i: bin[i] is not empty */
    struct piece *first;        /* the lowest piece of the oldest segment */
    struct piece *fence;        /* the end of the newest segment */
    char *end;                  /* up to where the newest segment is ours */
    struct onelock_counts counts;
} heap = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Take the lock, and count.  [03-onelock.nw: Taking and giving back] */
static void lock(void)
{
    bool waited = pthread_mutex_trylock(&heap.lock) != 0;

    if (waited)
        pthread_mutex_lock(&heap.lock);
    heap.counts.locked++;
    heap.counts.waited += waited;
}

static void unlock(void)
{
    pthread_mutex_unlock(&heap.lock);
}

/* Die with a sentence.  [03-onelock.nw: Taking and giving back] */
static void say(const char *text)
{
    if (write(2, text, strlen(text)) < 0)
        abort();
}

static void die(const char *call)
{
    say("onelock: ");
    say(call);
    say("(): this is no live block\n");
    abort();
}

/* Walk from a piece to its neighbours.
 * [03-onelock.nw: A piece and its tags] */
static size_t size_of(const struct piece *p)
{
    return p->tag & ~(size_t)TAGS;
}

static struct piece *above(struct piece *p)
{
    return (struct piece *)((char *)p + size_of(p));
}

/* Only if the piece below is free. */
static struct piece *beneath(struct piece *p)
{
    return (struct piece *)((char *)p - p->below);
}

static void *body(struct piece *p)
{
    return (char *)p + HEADER;
}

static struct piece *piece_of(void *block)
{
    return (struct piece *)((char *)block - HEADER);
}

/* Say how large a piece a request needs.
 * [03-onelock.nw: A piece and its tags] */
static size_t piece_size(size_t n)
{
    size_t size = (n + sizeof(size_t) + GRAIN - 1) & ~(size_t)(GRAIN - 1);

    return size < LEAST ? LEAST : size;
}

/* Find the bin of a size.  [03-onelock.nw: Bins and best fit] */
/* Exact below 1024; above, four bins a doubling. */
static unsigned bin_number(size_t size)
{
    unsigned log;

    if (size < NSMALL * GRAIN)
        return (unsigned)(size / GRAIN);
    log = 63 - (unsigned)__builtin_clzl(size);
    return NSMALL + (log - 10) * 4 + (unsigned)(size >> (log - 2) & 3);
}

/* Enter a bin, and leave it.  [03-onelock.nw: Bins and best fit] */
static void enter(struct piece *p)
{
    unsigned i = bin_number(size_of(p));
    struct piece *q = NULL, *r = heap.bin[i];

    for (; r != NULL && size_of(r) < size_of(p); r = r->next)
        q = r;
    p->previous = q;
    p->next = r;
    if (r != NULL)
        r->previous = p;
    if (q != NULL)
        q->next = p;
    else
        heap.bin[i] = p;
    heap.filled[i / 64] |= (uint64_t)1 << i % 64;
}

static void leave(struct piece *p)
{
    unsigned i = bin_number(size_of(p));

    if (p->next != NULL)
        p->next->previous = p->previous;
    if (p->previous != NULL)
        p->previous->next = p->next;
    else if ((heap.bin[i] = p->next) == NULL)
        heap.filled[i / 64] &= ~((uint64_t)1 << i % 64);
}

/* Join a piece with its neighbours and file it.
 * [03-onelock.nw: Splitting and joining] */
/* Make p free.  Returns the piece that it is part of now. */
static struct piece *join(struct piece *p)
{
    struct piece *q = above(p);
    size_t size = size_of(p);

    if (!(q->tag & LIVE)) {
        leave(q);
        size += size_of(q);
    }
    if (!(p->tag & LIVE_BELOW)) {
        p = beneath(p);
        leave(p);
        size += size_of(p);
    }
    p->tag = size | LIVE_BELOW;         /* O4: what is beneath is live */
    above(p)->below = size;
    above(p)->tag &= ~(size_t)LIVE_BELOW;
    enter(p);
    return p;
}

/* Find the piece that fits best.  [03-onelock.nw: Bins and best fit] */
static struct piece *best_fit(size_t size)
{
    unsigned i = bin_number(size);
    struct piece *p = heap.bin[i];
    uint64_t word;

    while (p != NULL && size_of(p) < size)
        p = p->next;
    if (p != NULL || ++i == NBINS)
        return p;
    word = heap.filled[i / 64] & ~(uint64_t)0 << i % 64;
    for (i /= 64; word == 0; word = heap.filled[i])
        if (++i == NBINS / 64)
            return NULL;
    return heap.bin[i * 64 + (unsigned)__builtin_ctzl(word)];
}

/* Get more memory from the kernel.  [03-onelock.nw: The top of the heap] */
/* `bytes` from the kernel: at the break, or anywhere.  NULL if refused. */
static char *ask_kernel(size_t bytes)
{
    void *from = sbrk((intptr_t)bytes);

    if (from == (void *)-1)
        from = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return from == MAP_FAILED ? NULL : from;
}

/* Grow the heap.  [03-onelock.nw: The top of the heap] */
/* Begin a segment.  [03-onelock.nw: The top of the heap] */
/* A gift that does not continue the last one: chain it to the others. */
static struct piece *begin_segment(char *from)
{
    struct piece *p = (struct piece *)(((uintptr_t)from + TAGS)
                                       & ~(uintptr_t)TAGS);

    p->tag = LIVE_BELOW;
    if (heap.fence != NULL)
        heap.fence->next = p;
    else
        heap.first = p;
    return p;
}

/* Make sure that some free piece has `size` bytes or more. */
static bool grow(size_t size)
{
    size_t bytes = (size + LEAST + GRAIN + STEP - 1) & ~(size_t)(STEP - 1);
    char *from = ask_kernel(bytes);
    struct piece *p;

    if (from == NULL)
        return false;
    if (from == heap.end)
        p = heap.fence;
    else
        p = begin_segment(from);
    heap.end = from + bytes;
    heap.counts.held += bytes;
    heap.fence = (struct piece *)((uintptr_t)heap.end & ~(uintptr_t)TAGS) - 1;
    *heap.fence = (struct piece) { .tag = LIVE | LIVE_BELOW };
    p->tag = (size_t)((char *)heap.fence - (char *)p) | LIVE
             | (p->tag & LIVE_BELOW);
    join(p);
    return true;
}

/* Give the end of the heap back.  [03-onelock.nw: The top of the heap] */
enum { TRIM = 256 * 1024, KEEP = 64 * 1024, PAGE_BYTES = 4096 };

/* p is free; if it is long and ends the heap, lower the break. */
static void give_end_back(struct piece *p)
{
    size_t bytes = (size_of(p) - LEAST) & ~(size_t)(PAGE_BYTES - 1);

    if (above(p) != heap.fence || size_of(p) < TRIM
        || sbrk(0) != heap.end || sbrk(-(intptr_t)(bytes - KEEP)) == (void *)-1)
        return;
    bytes -= KEEP;
    leave(p);
    p->tag -= bytes;
    heap.end -= bytes;
    heap.counts.held -= bytes;
    heap.fence = above(p);
    *heap.fence = (struct piece) { .below = size_of(p), .tag = LIVE };
    enter(p);
}

/* Cut a piece to size.  [03-onelock.nw: Splitting and joining] */
/* Make live piece p `size` bytes long, and free what it had beyond that. */
static void cut(struct piece *p, size_t size)
{
    size_t rest = size_of(p) - size;

    if (rest < LEAST)
        return;
    p->tag -= rest;
    above(p)->tag = rest | LIVE_BELOW;
    heap.counts.live -= rest;
    join(above(p));
}

/* Map a large piece on its own.  [03-onelock.nw: Large pieces] */
static struct piece *map_piece(size_t n, size_t alignment)
{
    size_t slack = alignment > GRAIN ? alignment : 0;
    size_t bytes = (n + slack + HEADER + PAGE_BYTES - 1)
                   & ~(size_t)(PAGE_BYTES - 1);
    char *from = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct piece *p = (struct piece *)from;

    if (from == MAP_FAILED)
        return NULL;
    if (slack != 0) {
        uintptr_t user = ((uintptr_t)from + HEADER + alignment - 1)
                         & ~(uintptr_t)(alignment - 1);
        p = piece_of((void *)user);
    }
    p->below = (size_t)((char *)p - from);
    p->tag = (bytes - p->below) | LIVE | MAPPED;
    heap.counts.held += bytes;
    heap.counts.live += size_of(p);
    return p;
}

static void unmap_piece(struct piece *p)
{
    size_t bytes = p->below + size_of(p);

    heap.counts.held -= bytes;
    heap.counts.live -= size_of(p);
    munmap((char *)p - p->below, bytes);
}

/* Allocate, under the lock.  [03-onelock.nw: Taking and giving back] */
/* A live piece of at least `size` bytes out of a bin; NULL: no memory. */
static struct piece *take_piece(size_t size)
{
    struct piece *p = best_fit(size);

    if (p == NULL && grow(size))
        p = best_fit(size);
    if (p == NULL)
        return NULL;
    leave(p);
    p->tag |= LIVE;
    above(p)->tag |= LIVE_BELOW;
    heap.counts.live += size_of(p);
    cut(p, size);
    return p;
}

/* Move the start of a piece up to an alignment.
 * [03-onelock.nw: Taking and giving back] */
static struct piece *align_piece(struct piece *p, size_t alignment, size_t size)
{
    uintptr_t user = ((uintptr_t)body(p) + alignment - 1)
                     & ~(uintptr_t)(alignment - 1);
    size_t lead = user - (uintptr_t)body(p);
    struct piece *q;

    if (lead != 0 && lead < LEAST)
        lead += alignment;
    if (lead != 0) {
        q = (struct piece *)((char *)p + lead);
        q->tag = (size_of(p) - lead) | LIVE;
        p->tag -= size_of(q);
        heap.counts.live -= lead;
        join(p);
        p = q;
    }
    cut(p, size);
    return p;
}

/* n bytes at a multiple of `alignment`, a power of two; NULL: no memory. */
static void *allocate(size_t n, size_t alignment)
{
    size_t slack = alignment > GRAIN ? alignment + LEAST : 0;
    struct piece *p;

    if (n > PTRDIFF_MAX || alignment > PTRDIFF_MAX - n)
        return NULL;
    lock();
    if (n + slack >= MAP_FROM)
        p = map_piece(n, alignment);
    else
        p = take_piece(piece_size(n) + slack);
    if (p != NULL && slack != 0 && !(p->tag & MAPPED))
        p = align_piece(p, alignment, piece_size(n));
    unlock();
    return p != NULL ? body(p) : NULL;
}

/* Give a piece back, under the lock.
 * [03-onelock.nw: Taking and giving back] */
/* The live piece of a block, if it can be one; otherwise the process ends. */
static struct piece *confirm_piece(void *block, const char *call)
{
    struct piece *p = piece_of(block);

    if (((uintptr_t)block & TAGS) != 0 || !(p->tag & LIVE)
        || (!(p->tag & MAPPED) && !(above(p)->tag & LIVE_BELOW)))
        die(call);
    return p;
}

static void give_back(struct piece *p)
{
    if (p->tag & MAPPED) {
        unmap_piece(p);
        return;
    }
    heap.counts.live -= size_of(p);
    give_end_back(join(p));
}

/* Answer the calls that allocate.  [03-onelock.nw: The calls] */
/* The address, or NULL and ENOMEM. */
static void *or_enomem(void *block)
{
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

void *malloc(size_t n)
{
    return or_enomem(allocate(n, GRAIN));
}

void *calloc(size_t count, size_t n)
{
    size_t bytes;
    void *block = NULL;

    if (!__builtin_mul_overflow(count, n, &bytes))
        block = allocate(bytes, GRAIN);
    if (block != NULL && !(piece_of(block)->tag & MAPPED))
        memset(block, 0, bytes);
    return or_enomem(block);
}

/* Answer the calls that give back.  [03-onelock.nw: The calls] */
/* Free a block.  [03-onelock.nw: The calls] */
void free(void *block)
{
    int before = errno;

    if (block == NULL)
        return;
    lock();
    give_back(confirm_piece(block, "free"));
    unlock();
    errno = before;
}

void cfree(void *block)
{
    free(block);
}

void free_sized(void *block, size_t n)
{
    (void)n;
    free(block);
}

void free_aligned_sized(void *block, size_t alignment, size_t n)
{
    (void)alignment;
    (void)n;
    free(block);
}

size_t malloc_usable_size(void *block)
{
    struct piece *p;

    if (block == NULL)
        return 0;
    p = confirm_piece(block, "malloc_usable_size");
    return size_of(p) - (p->tag & MAPPED ? HEADER : sizeof(size_t));
}

/* Change the size of a block.  [03-onelock.nw: Realloc] */
/* Make live piece p at least `size` bytes long where it is, if that can be. */
static bool resize(struct piece *p, size_t size)
{
    struct piece *q = above(p);

    if (size_of(p) < size && !(q->tag & LIVE)
        && size_of(p) + size_of(q) >= size) {
        leave(q);
        p->tag += size_of(q);
        above(p)->tag |= LIVE_BELOW;
        heap.counts.live += size_of(q);
    }
    if (size_of(p) < size)
        return false;
    cut(p, size);
    return true;
}

/* Change the size of a mapped piece.  [03-onelock.nw: Realloc] */
static void *remap_piece(struct piece *p, size_t n)
{
    size_t offset = p->below, old = offset + size_of(p);
    size_t bytes = (offset + HEADER + n + PAGE_BYTES - 1)
                   & ~(size_t)(PAGE_BYTES - 1);
    char *from;

    if (n < MAP_FROM)
        return NULL;
    from = mremap((char *)p - offset, old, bytes, MREMAP_MAYMOVE);
    if (from == MAP_FAILED)
        return NULL;
    heap.counts.held += bytes - old;
    heap.counts.live += bytes - old;
    p = (struct piece *)(from + offset);
    p->tag += bytes - old;
    return body(p);
}

/* Copy a block to another place.  [03-onelock.nw: Realloc] */
/* The block at its new size if it need not be copied, else NULL. */
static void *resize_block(void *block, size_t n)
{
    struct piece *p;
    void *other = NULL;

    lock();
    p = confirm_piece(block, "realloc");
    if (p->tag & MAPPED)
        other = remap_piece(p, n);
    else if (n < MAP_FROM && resize(p, piece_size(n)))
        other = block;
    unlock();
    return other;
}

/* Allocate, copy, free: when all else has failed. */
static void *move_block(void *block, size_t n)
{
    size_t usable = malloc_usable_size(block);
    void *other = allocate(n, GRAIN);

    if (other != NULL) {
        memcpy(other, block, usable < n ? usable : n);
        free(block);
    }
    return other;
}

void *realloc(void *block, size_t n)
{
    void *other = NULL;

    if (block == NULL)
        return malloc(n);
    if (n == 0) {
        free(block);
        return NULL;
    }
    if (n <= PTRDIFF_MAX)
        other = resize_block(block, n);
    if (other == NULL && n <= PTRDIFF_MAX)
        other = move_block(block, n);
    return or_enomem(other);
}

void *reallocarray(void *block, size_t count, size_t n)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, n, &bytes))
        return or_enomem(NULL);
    return realloc(block, bytes);
}

/* Answer the calls that want an alignment.
 * [03-onelock.nw: Alignment, and the rest] */
static bool is_power(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
    int before = errno;
    void *block;

    if (!is_power(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;
    block = allocate(n, alignment);
    errno = before;
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t n)
{
    if (!is_power(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return or_enomem(allocate(n, alignment));
}

/* Answer the older calls.  [03-onelock.nw: Alignment, and the rest] */
void *memalign(size_t alignment, size_t n)
{
    size_t power = GRAIN;

    while (power < alignment && power != 0)
        power *= 2;                     /* 0 after the highest */
    if (power == 0) {
        errno = EINVAL;
        return NULL;
    }
    return or_enomem(allocate(n, power));
}

void *valloc(size_t n)
{
    return memalign(PAGE_BYTES, n);
}

void *pvalloc(size_t n)
{
    if (n > PTRDIFF_MAX - PAGE_BYTES)
        return or_enomem(NULL);
    n = n == 0 ? 1 : n;
    return valloc((n + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1));
}

/* Hold the lock across a fork.  [03-onelock.nw: Fork] */
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(lock, unlock, unlock);
}

/* Check the heap.  [03-onelock.nw: Checking the heap] */
static bool wrong(const char *what)
{
    say("onelock: ");
    say(what);
    say("\n");
    return false;
}

/* Check one piece.  [03-onelock.nw: Checking the heap] */
static bool check_piece(struct piece *p)
{
    struct piece *q = above(p);
    bool live = p->tag & LIVE;

    if (size_of(p) < LEAST || size_of(p) % GRAIN != 0)
        return wrong("a size is no multiple of 16, or too small");  /* O1 */
    if (live != !!(q->tag & LIVE_BELOW))
        return wrong("a piece and the one above it disagree");      /* O2 */
    if (!live && q->below != size_of(p))
        return wrong("the size above a free piece is wrong");       /* O3 */
    if (!live && (!(q->tag & LIVE) || !(p->tag & LIVE_BELOW)))
        return wrong("two neighbours are free");                    /* O4 */
    return true;
}

/* Check that the bins hold so many free pieces.
 * [03-onelock.nw: Checking the heap] */
static bool check_bins(size_t nfree)
{
    for (unsigned i = 0; i < NBINS; i++) {
        struct piece *previous = NULL;

        if ((heap.filled[i / 64] >> i % 64 & 1) != (heap.bin[i] != NULL))
            return wrong("the bitmap of bins is wrong");
        for (struct piece *p = heap.bin[i]; p != NULL; p = p->next) {
            if ((p->tag & LIVE) || bin_number(size_of(p)) != i)
                return wrong("a piece is in the wrong bin");
            if (p->previous != previous
                || (previous != NULL && size_of(previous) > size_of(p)))
                return wrong("a bin is out of order");
            previous = p;
            nfree--;
        }
    }
    return nfree == 0 ? true : wrong("a free piece is in no bin");
}

bool onelock_check(void)
{
    size_t nfree = 0;
    bool good = true;

    lock();
    for (struct piece *p = heap.first; good && p != NULL; p = above(p)) {
        while (p != NULL && size_of(p) == 0)
            p = p->next;                /* a fence: on to the next segment */
        if (p == NULL)
            break;
        good = check_piece(p);
        nfree += !(p->tag & LIVE);
    }
    good = good && check_bins(nfree);
    unlock();
    return good;
}

/* Count, and show the pieces.  [03-onelock.nw: Checking the heap] */
void onelock_count(struct onelock_counts *counts)
{
    lock();
    *counts = heap.counts;
    unlock();
}

void onelock_walk(void (*visit)(void *context, const void *piece, size_t size,
                                bool live), void *context)
{
    struct piece *p;

    lock();
    p = heap.first;
    while (p != NULL) {
        if (size_of(p) != 0)
            visit(context, p, size_of(p), p->tag & LIVE);
        p = size_of(p) != 0 ? above(p) : p->next;
    }
    unlock();
}

struct mallinfo2 mallinfo2(void)
{
    struct onelock_counts counts;

    onelock_count(&counts);
    return (struct mallinfo2) { .arena = counts.held, .uordblks = counts.live };
}
