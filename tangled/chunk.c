/* Tangled from src.nw/31-chunk.nw; edit that, not this. */
/* chunk.c -- large aligned pieces taken from the system. */

#include "chunk.h"

#include "base.h"
#include "decay.h"
#include "mutex.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"

/* Declare what the room remembers.
 * [31-chunk.nw: What the room remembers] */
/* Chunks that nobody owns but that are still mapped, and where the next new
 * one may lie.  All guarded by lock. */
static struct {
    struct mutex lock;
    struct heap kept;           /* lowest address first */
    struct chunk *oldest, *newest;
    size_t nkept, nchunks;
    struct decay decay;         /* of the pages of kept chunks */
    size_t hint;                /* the first slot to try */
} room = { .lock = MUTEX_INIT(RANK_CHUNK) };

/* Stands in the map for a slot in work; all zero, so nobody's. */
static struct chunk pending __attribute__((section(".bss.zz_large")));

/* Count the slots of the window.  [31-chunk.nw: Where chunks begin] */
/* A slot is a place for a chunk: its address divided by CHUNK. */
static size_t nslots(void)
{
    return pagemap_npages / CHUNK_PAGES;
}

/* Choose where chunks begin.  [31-chunk.nw: Where chunks begin] */
/* Begin a sixteenth up the window, above where non-relocatable programs and
 * their break lie, and up to half the window further, at random. */
void chunk_start(void)
{
    size_t n = nslots();

    room.hint = n / 16 + (options.randomize ? pages_random() % (n / 2) : 0);
    decay_start(&room.decay, options.decay_ms, 0);
}

/* Claim a slot, and leave one.  [31-chunk.nw: Mapping a slot] */
/* The first slot from the hint on that nobody has, marked as pending; nslots
 * if there is none or the map cannot grow. */
static size_t claim_slot(void) REQUIRES(&room.lock)
{
    size_t n = nslots(), i = room.hint;

    while (i < n && pagemap_chunk((void *)(i * CHUNK)) != NULL)
        i++;
    if (i == n || !pagemap_enter(i * CHUNK, &pending))
        return n;
    room.hint = i + 1;
    return i;
}

static void leave_slot(size_t slot) REQUIRES(&room.lock)
{
    pagemap_enter(slot * CHUNK, NULL);
    if (slot < room.hint)
        room.hint = slot;
}

/* Map the memory of a chunk.  [31-chunk.nw: Mapping a slot] */
/* Map CHUNK bytes somewhere in the window.  A slot where somebody else's
 * memory lies stays pending for good; then we try further and further up. */
static uintptr_t map_slot(void)
{
    bool taken = true;

    for (size_t stride = 1; taken; stride *= 2) {
        mutex_lock(&room.lock);
        size_t slot = claim_slot();
        mutex_unlock(&room.lock);
        if (slot == nslots())
            return 0;
        if (pages_map_at((void *)(slot * CHUNK), CHUNK, &taken) != NULL)
            return slot * CHUNK;
        mutex_lock(&room.lock);
        if (!taken)
            leave_slot(slot);
        else if (slot + stride < nslots())
            room.hint = slot + stride;
        mutex_unlock(&room.lock);
    }
    return 0;
}

/* Make a new chunk.  [31-chunk.nw: A new chunk] */
/* A chunk at a new address, with its record. */
static struct chunk *map_chunk(void)
{
    struct chunk *c = base_take(sizeof *c);

    if (c == NULL)
        return NULL;
    c->address = map_slot();
    if (c->address == 0) {
        base_put(c, sizeof *c);
        return NULL;
    }
    pages_keep_small((void *)c->address, CHUNK);
    pagemap_enter(c->address, c);
    mutex_lock(&room.lock);
    room.nchunks++;
    mutex_unlock(&room.lock);
    return c;
}

/* Keep a chunk, and stop keeping one.
 * [31-chunk.nw: Taking and giving back] */
static void keep(struct chunk *c) REQUIRES(&room.lock)
{
    c->node.key = c->address;
    heap_put(&room.kept, &c->node);
    c->newer = NULL;
    c->older = room.newest;
    *(c->older == NULL ? &room.oldest : &c->older->newer) = c;
    room.newest = c;
    room.nkept++;
}

static void unkeep(struct chunk *c) REQUIRES(&room.lock)
{
    heap_remove(&room.kept, &c->node);
    *(c->older == NULL ? &room.oldest : &c->older->newer) = c->newer;
    *(c->newer == NULL ? &room.newest : &c->newer->older) = c->older;
    room.nkept--;
}

/* Take a chunk.  [31-chunk.nw: Taking and giving back] */
/* Lowest address first, here as everywhere: the high chunks go back. */
struct chunk *chunk_take(struct arena *arena)
{
    struct chunk *c = NULL;

    mutex_lock(&room.lock);
    if (room.kept.root != NULL) {
        c = (struct chunk *)room.kept.root;
        unkeep(c);
    }
    mutex_unlock(&room.lock);
    if (c == NULL)
        c = map_chunk();
    if (c != NULL)
        __atomic_store_n(&c->arena, arena, __ATOMIC_RELAXED);
    return c;
}

/* Give a chunk back.  [31-chunk.nw: Taking and giving back] */
void chunk_put(struct chunk *c)
{
    __atomic_store_n(&c->arena, NULL, __ATOMIC_RELAXED);
    mutex_lock(&room.lock);
    keep(c);
    mutex_unlock(&room.lock);
}

/* Take a chunk that was kept too long.
 * [31-chunk.nw: Giving chunks back to the system] */
/* Take the oldest kept chunk if more are kept than may be.  Decay is asked
 * even when none is: it must see that there were none. */
static struct chunk *take_expired(uint64_t now_ms, bool all)
{
    struct chunk *c = NULL;

    mutex_lock(&room.lock);
    size_t npages = room.nkept * CHUNK_PAGES;
    size_t allowed = decay_allowed(&room.decay, now_ms, npages);
    if (npages > 0 && (all || npages > allowed)) {
        c = room.oldest;
        unkeep(c);
        decay_purged(&room.decay, CHUNK_PAGES);
    }
    mutex_unlock(&room.lock);
    return c;
}

/* Unmap a chunk.  [31-chunk.nw: Giving chunks back to the system] */
/* Unmap a chunk that nobody owns and forget it.  If the system cannot split
 * its mappings any further, the chunk stays, without its memory. */
static bool unmap(struct chunk *c)
{
    if (!pages_unmap((void *)c->address, CHUNK)) {
        c->dirty &= !pages_purge((void *)c->address, CHUNK);
        chunk_put(c);
        return false;
    }
    mutex_lock(&room.lock);
    leave_slot(c->address / CHUNK);
    room.nchunks--;
    mutex_unlock(&room.lock);
    base_put(c, sizeof *c);
    return true;
}

/* Unmap what was kept too long.
 * [31-chunk.nw: Giving chunks back to the system] */
size_t chunk_purge(uint64_t now_ms, bool all)
{
    struct chunk *c;
    size_t nbytes = 0;

    while ((c = take_expired(now_ms, all)) != NULL && unmap(c))
        nbytes += CHUNK;
    return nbytes;
}

/* Count the chunks.  [31-chunk.nw: Counting, and forking] */
struct chunk_stats chunk_stats(void)
{
    mutex_lock(&room.lock);
    struct chunk_stats s = { room.nchunks, room.nkept };
    mutex_unlock(&room.lock);
    return s;
}

/* Keep the chunks consistent across fork.
 * [31-chunk.nw: Counting, and forking] */
void chunk_before_fork(void)
{
    mutex_lock_for_fork(&room.lock);
}

void chunk_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&room.lock);
}
