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
    NORDERS = 26,               /* blocks of 64 bytes up to 2 GiB */
    NPIECES = 256,              /* pieces that can be given back */
    PURGE_BYTES = DEBUG ? 4096 : 512 * 1024     /* more than that is much */
};

/* Declare the room of records.
 * [21-base.nw: A pointer that moves, and 26 lists] */
/* A free block keeps the next one of its order in its first word. */
struct block {
    struct block *next;
};

/* Declare a piece.  [21-base.nw: Giving pieces back] */
/* A piece of PIECE_BYTES, remembered so that it can be given back. */
struct piece {
    char *at;
    uint32_t nfree;             /* bytes of it on lists, when last counted */
    enum { PIECE_IN_USE, PIECE_EMPTY, PIECE_SPARE } state;
};

/* By address; base.lock. */
static struct piece pieces[NPIECES]
    __attribute__((section(".bss.zz_large")));

static char first_piece[FIRST_BYTES]
    __attribute__((aligned(CACHE_LINE), section(".bss.zz_large")));

static struct {
    struct mutex lock;
    char *at, *end;             /* what is left of the current piece */
    struct block *free[NORDERS];
    size_t mapped, used;
    /* Members to give pieces back.  [21-base.nw: Giving pieces back] */
    size_t npieces;             /* in the table */
    size_t spare_bytes;         /* of pieces without memory */
    size_t purge_from;          /* so many bytes on lists are too many */
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
/* Hand memory to the free lists, in the largest blocks that fit. */
static void cut_up(char *at, char *end) REQUIRES(&base.lock)
{
    while (end - at >= CACHE_LINE) {
        unsigned order = floor_log2((size_t)(end - at)) - 6;
        struct block *b = (struct block *)at;
        at += order_bytes(order);
        b->next = base.free[order];
        base.free[order] = b;
    }
}

/* Cut up what is left of the current piece, then go on with another one. */
static void change_piece(char *piece, size_t n) REQUIRES(&base.lock)
{
    cut_up(base.at, base.end);
    base.at = piece;
    base.end = piece + n;
}

/* Remember a piece.  [21-base.nw: Giving pieces back] */
static void remember(char *piece) REQUIRES(&base.lock)
{
    size_t i = base.npieces;

    if (i == NPIECES)
        return;
    for (; i > 0 && pieces[i - 1].at > piece; i--)
        pieces[i] = pieces[i - 1];
    pieces[i] = (struct piece){ .at = piece };
    base.npieces++;
}

/* The piece that a block is from, or NULL. */
static struct piece *piece_of(const void *block) REQUIRES(&base.lock)
{
    const char *p = block;
    size_t low = 0, high = base.npieces;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (pieces[middle].at + PIECE_BYTES <= p)
            low = middle + 1;
        else
            high = middle;
    }
    return low < base.npieces && pieces[low].at <= p ? &pieces[low]
                                                          : NULL;
}

/* Find a spare piece.  [21-base.nw: Giving pieces back] */
/* A piece that was given back, or NULL: zero, as the system gives it. */
static char *spare_piece(void) REQUIRES(&base.lock)
{
    for (size_t i = 0; base.spare_bytes > 0 && i < base.npieces; i++)
        if (pieces[i].state == PIECE_SPARE) {
            pieces[i].state = PIECE_IN_USE;
            base.spare_bytes -= PIECE_BYTES;
            return pieces[i].at;
        }
    return NULL;
}

/* Add a piece.  [21-base.nw: Taking] */
/* Go on with a piece of n bytes at least; false without memory.  The lock is
 * let go around the system call. */
static bool add_piece(size_t n) REQUIRES(&base.lock)
{
    char *piece;

    if (n <= PIECE_BYTES && (piece = spare_piece()) != NULL) {
        change_piece(piece, PIECE_BYTES);
        return true;
    }
    n = n > PIECE_BYTES ? n : PIECE_BYTES;
    mutex_unlock(&base.lock);
    piece = pages_map(n);
    mutex_lock(&base.lock);
    if (piece == NULL)
        return false;
    base.mapped += n;
    if (n == PIECE_BYTES)
        remember(piece);
    change_piece(piece, n);
    return true;
}

/* Take a block, with a new piece if need be.  [21-base.nw: Taking] */
static void *take(size_t size, bool *zeroed)
{
    unsigned order = order_of(size);
    void *b;

    if (order >= NORDERS)
        return NULL;
    mutex_lock(&base.lock);
    while ((b = take_locked(order, zeroed)) == NULL)
        if (!add_piece(order_bytes(order)))
            break;
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

/* Take empty pieces off the lists.  [21-base.nw: Giving pieces back] */
static void count_free(void) REQUIRES(&base.lock)
{
    struct piece *p;

    for (size_t i = 0; i < base.npieces; i++)
        pieces[i].nfree = 0;
    for (unsigned k = 0; k < NORDERS; k++)
        for (struct block *b = base.free[k]; b != NULL; b = b->next)
            if ((p = piece_of(b)) != NULL)
                p->nfree += (uint32_t)order_bytes(k);
}

/* Take the blocks of pieces that lie on the lists as a whole off them. */
static void unlist_empty(void) REQUIRES(&base.lock)
{
    for (unsigned k = 0; k < NORDERS; k++)
        for (struct block **at = &base.free[k]; *at != NULL;) {
            struct piece *p = piece_of(*at);
            if (p != NULL && p->nfree == PIECE_BYTES) {
                p->state = PIECE_EMPTY;
                *at = (*at)->next;
            } else {
                at = &(*at)->next;
            }
        }
}

/* Give one piece back.  [21-base.nw: Giving pieces back] */
/* The lock is let go around the system call: the piece is nowhere then. */
static bool give_back(struct piece *p) REQUIRES(&base.lock)
{
    char *at = p->at;
    bool done;

    p->state = PIECE_IN_USE;
    mutex_unlock(&base.lock);
    done = pages_purge(at, PIECE_BYTES);
    mutex_lock(&base.lock);
    if (done) {
        piece_of(at)->state = PIECE_SPARE;
        base.spare_bytes += PIECE_BYTES;
    } else {
        cut_up(at, at + PIECE_BYTES);
    }
    return done;
}

/* Give empty pieces back.  [21-base.nw: Giving pieces back] */
/* Bytes on the lists. */
static size_t listed(void) REQUIRES(&base.lock)
{
    return base.mapped - base.used - base.spare_bytes
           - (size_t)(base.end - base.at);
}

static bool is_worth_a_walk(void) REQUIRES(&base.lock)
{
    size_t from = listed() + PURGE_BYTES;

    if (base.purge_from == 0)
        base.purge_from = PURGE_BYTES;
    if (base.purge_from > from)         /* since then they were taken */
        base.purge_from = from;
    return listed() >= base.purge_from;
}

static struct piece *next_empty(void) REQUIRES(&base.lock)
{
    for (size_t i = 0; i < base.npieces; i++)
        if (pieces[i].state == PIECE_EMPTY)
            return &pieces[i];
    return NULL;
}

/* Give empty pieces back, continued.  [21-base.nw: Giving pieces back] */
size_t base_purge(bool all)
{
    struct piece *p;
    size_t nbytes = 0;

    mutex_lock(&base.lock);
    if (all || is_worth_a_walk()) {
        count_free();
        unlist_empty();
        while ((p = next_empty()) != NULL)
            nbytes += give_back(p) ? PIECE_BYTES : 0;
        base.purge_from = listed() + PURGE_BYTES;
    }
    mutex_unlock(&base.lock);
    return nbytes;
}

/* Tell how much the records take.  [21-base.nw: Counting, and fork] */
struct base_stats base_stats(void)
{
    mutex_lock(&base.lock);
    struct base_stats s = { base.mapped, base.used, base.spare_bytes };
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
