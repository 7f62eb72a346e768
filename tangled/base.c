/* Tangled from src.nw/21-base.nw; edit that, not this. */
/* base.c -- memory for our own records. */

#include "base.h"

#include "mutex.h"
#include "pages.h"

#include <string.h>

/* Say how large pieces are.
 * [21-base.nw: A pointer that moves, and 26 lists] */
enum {
    FIRST_BYTES = 128 * 1024,   /* in .bss: a small process needs no call */
    PIECE_BYTES = 256 * 1024,
    NORDERS = 26                /* blocks of 64 bytes up to 2 GiB */
};

/* Declare the room of records.
 * [21-base.nw: A pointer that moves, and 26 lists] */
/* A free block keeps the next one of its order in its first word. */
struct block {
    struct block *next;
};

static char first_piece[FIRST_BYTES]
    __attribute__((aligned(CACHE_LINE), section(".bss.zz_large")));

static struct {
    struct mutex lock;
    char *at, *end;             /* what is left of the current piece */
    struct block *free[NORDERS];
    size_t mapped, used;
} base = {
    .lock = MUTEX_INIT(RANK_BASE),
    .at = first_piece,
    .end = first_piece + FIRST_BYTES,
    .mapped = FIRST_BYTES,
};

/* Turn a size into an order and back.
 * [21-base.nw: A pointer that moves, and 26 lists] */
/* Blocks come in powers of two, from a cache line up. */
static unsigned order_of(size_t size)
{
    return size <= CACHE_LINE ? 0 : ceil_log2(size) - 6;
}

static size_t order_bytes(unsigned order)
{
    return POW2(order + 6);
}

/* Take a block of an order, or nothing.  [21-base.nw: Taking] */
/* A free block of that order, or the next of the piece, or NULL.  What comes
 * from the piece is still as the system gave it: zero. */
static void *take_locked(unsigned order, bool *zeroed)
    REQUIRES(&base.lock)
{
    struct block *b = base.free[order];
    size_t n = order_bytes(order);

    *zeroed = b == NULL;
    if (b != NULL) {
        base.free[order] = b->next;
    } else if ((size_t)(base.end - base.at) >= n) {
        b = (struct block *)base.at;
        base.at += n;
    }
    if (b != NULL)
        base.used += n;
    return b;
}

/* Go on with a new piece.  [21-base.nw: Taking] */
/* Hand what is left of the current piece to the free lists, then go on with
 * a new one: `piece`, of n bytes. */
static void change_piece(char *piece, size_t n) REQUIRES(&base.lock)
{
    while (base.end - base.at >= CACHE_LINE) {
        unsigned order = floor_log2((size_t)(base.end - base.at)) - 6;
        struct block *b = (struct block *)base.at;
        base.at += order_bytes(order);
        b->next = base.free[order];
        base.free[order] = b;
    }
    base.at = piece;
    base.end = piece + n;
    base.mapped += n;
}

/* Take a block, with a new piece if need be.  [21-base.nw: Taking] */
static void *take(size_t size, bool *zeroed)
{
    unsigned order = order_of(size);
    void *b;

    if (order >= NORDERS)
        return NULL;
    mutex_lock(&base.lock);
    while ((b = take_locked(order, zeroed)) == NULL) {
        size_t n = order_bytes(order);
        n = n > PIECE_BYTES ? n : PIECE_BYTES;
        mutex_unlock(&base.lock);
        char *piece = pages_map(n);
        if (piece == NULL)
            return NULL;
        mutex_lock(&base.lock);
        change_piece(piece, n);
    }
    mutex_unlock(&base.lock);
    return b;
}

/* Take a record, zeroed or not.  [21-base.nw: Taking] */
void *base_take(size_t size)
{
    bool zeroed;
    void *b = take(size, &zeroed);

    return b == NULL || zeroed ? b : memset(b, 0, size);
}

void *base_take_raw(size_t size)
{
    bool zeroed;

    return take(size, &zeroed);
}

/* Put a record back.  [21-base.nw: Putting back] */
void base_put(void *block, size_t size)
{
    unsigned order = order_of(size);
    struct block *b = block;

    mutex_lock(&base.lock);
    b->next = base.free[order];
    base.free[order] = b;
    base.used -= order_bytes(order);
    mutex_unlock(&base.lock);
}

/* Tell how much the records take.  [21-base.nw: Counting, and fork] */
struct base_stats base_stats(void)
{
    mutex_lock(&base.lock);
    struct base_stats s = { base.mapped, base.used };
    mutex_unlock(&base.lock);
    return s;
}

/* Lock the records around a fork.  [21-base.nw: Counting, and fork] */
void base_before_fork(void)
{
    mutex_lock_for_fork(&base.lock);
}

void base_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&base.lock);
}
