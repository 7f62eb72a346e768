/* Tangled from src.nw/42-huge.nw; edit that, not this. */
/* huge.c -- allocations larger than LARGE_MAX, each a mapping of its own. */

#include "huge.h"

#include "base.h"
#include "chunk.h"
#include "decay.h"
#include "fresh.h"
#include "mutex.h"
#include "options.h"
#include "pages.h"

#include <string.h>

/* Declare the table and the list of kept blocks.
 * [42-huge.nw: The picture] */
enum { TABLE_MIN = 64, KEPT_MAX = 64, KEPT_BYTES = 8 * 1024 * 1024 };
enum { HUGE_EARLIER = 4 };      /* huge pages from thp_from / 4 in use on */

struct extent {
    uintptr_t address;          /* 0: nothing here */
    size_t size;                /* bytes, a multiple of the system's page */
};

/* All guarded by lock. */
static struct {
    struct mutex lock;
    struct extent *table;       /* blocks in use, hashed by address */
    size_t ntable;              /* places in it: a power of two, or 0 */
    size_t nblocks, nbytes;
    struct extent kept[KEPT_MAX];   /* freed blocks, oldest first */
    unsigned nkept;
    size_t kept_bytes;
    size_t peak_bytes;          /* the most in use at once, fading */
    uint64_t fade_ms;           /* when it fades next */
    struct decay decay;         /* of the pages of kept blocks */
} room = { .lock = MUTEX_INIT(RANK_HUGE) };

/* Start the room of huge blocks.  [42-huge.nw: Purging] */
void huge_start(void)
{
    decay_start(&room.decay, options.decay_ms, 0);
}

/* Find a block's place in the table.  [42-huge.nw: The table] */
/* Fibonacci hashing: Knuth, TAOCP vol. 3, 6.4. */
static size_t hash(uintptr_t address) REQUIRES(&room.lock)
{
    uint64_t x = (address / 4096) * UINT64_C(0x9e3779b97f4a7c15);

    return (x / POW2(32)) & (room.ntable - 1);
}

/* The place of the block at `address`, or the empty one where it belongs. */
static struct extent *place(uintptr_t address) REQUIRES(&room.lock)
{
    size_t i = hash(address);

    while (room.table[i].address != 0 && room.table[i].address != address)
        i = (i + 1) & (room.ntable - 1);
    return &room.table[i];
}

/* The block at `address`, or NULL. */
static struct extent *find(uintptr_t address) REQUIRES(&room.lock)
{
    struct extent *e = room.ntable == 0 ? NULL : place(address);

    return e == NULL || e->address == 0 ? NULL : e;
}

/* Put the blocks into a larger table.  [42-huge.nw: The table] */
/* Put the blocks of the old table into `table`, which has n places. */
static void rehash(struct extent *table, size_t n) REQUIRES(&room.lock)
{
    struct extent *old = room.table;
    size_t nold = room.ntable;

    room.table = table;
    room.ntable = n;
    for (size_t i = 0; i < nold; i++)
        if (old[i].address != 0)
            *place(old[i].address) = old[i];
}

/* Reserve a place.  [42-huge.nw: The table] */
/* Make room for one more block: the table is never more than half full. */
static bool reserve(void)
{
    struct extent *table;
    size_t n, nold;

    mutex_lock(&room.lock);
    while (2 * (room.nblocks + 1) > room.ntable) {
        n = room.ntable == 0 ? TABLE_MIN : 2 * room.ntable;
        mutex_unlock(&room.lock);
        if ((table = base_take(n * sizeof *table)) == NULL)
            return false;
        mutex_lock(&room.lock);
        /* Move to the new table, unless another thread was quicker.
         * [42-huge.nw: The table] */
        nold = n;
        if (n > room.ntable) {
            struct extent *old = room.table;
            nold = room.ntable;
            rehash(table, n);
            table = old;
        }
        if (table != NULL)
            base_put(table, nold * sizeof *table);
    }
    room.nblocks++;             /* the place is ours from here on */
    mutex_unlock(&room.lock);
    return true;
}

/* Check the table and the list.  [42-huge.nw: The table] */
/* Is everything as the chapter says? */
static bool check(void) REQUIRES(&room.lock)
{
    size_t n = 0, nbytes = 0, kept_bytes = 0;

    assert(2 * room.nblocks <= room.ntable);                    /* H1 */
    for (size_t i = 0; i < room.ntable; i++) {
        const struct extent *e = &room.table[i];
        assert(e->address == 0 || place(e->address) == e);      /* H2 */
        assert(e->address != 0 || e->size == 0);                /* H3 */
        n += e->address != 0;
        nbytes += e->size;
    }
    assert(n <= room.nblocks && nbytes == room.nbytes);         /* H4 */
    for (unsigned i = 0; i < room.nkept; i++)
        kept_bytes += room.kept[i].size;
    assert(kept_bytes == room.kept_bytes);                      /* H5 */
    return true;
}

/* Enter a block.  [42-huge.nw: The table] */
/* The block did not come to be. */
static void unreserve(void)
{
    mutex_lock(&room.lock);
    room.nblocks--;
    mutex_unlock(&room.lock);
}

/* Enter a block whose place was reserved. */
static void enter(struct extent e)
{
    mutex_lock(&room.lock);
    *place(e.address) = e;
    room.nbytes += e.size;
    if (room.peak_bytes < room.nbytes)
        room.peak_bytes = room.nbytes;
    assert(check());
    mutex_unlock(&room.lock);
}

/* Let a block leave the table.  [42-huge.nw: The table] */
/* Take a block out of the table.  Those behind it that were pushed on by it
 * move up (Knuth, TAOCP vol. 3, algorithm 6.4R), so no mark is left. */
static void leave(struct extent *e) REQUIRES(&room.lock)
{
    size_t mask = room.ntable - 1, hole = (size_t)(e - room.table);

    room.nbytes -= e->size;
    for (size_t i = (hole + 1) & mask; room.table[i].address != 0;
         i = (i + 1) & mask) {
        size_t wish = hash(room.table[i].address);
        if (((i - wish) & mask) >= ((i - hole) & mask)) {
            room.table[hole] = room.table[i];
            hole = i;
        }
    }
    room.table[hole] = (struct extent){ 0, 0 };
}

/* Take memory off the list of what is kept.  [42-huge.nw: Taking] */
/* Take kept block i off the list. */
static struct extent unkeep(unsigned i) REQUIRES(&room.lock)
{
    struct extent e = room.kept[i];

    for (room.nkept--; i < room.nkept; i++)
        room.kept[i] = room.kept[i + 1];
    room.kept_bytes -= e.size;
    return e;
}

/* Cut `size` bytes off the front of kept block i; what is left stays. */
static uintptr_t cut(unsigned i, size_t size) REQUIRES(&room.lock)
{
    uintptr_t address = room.kept[i].address;

    if (room.kept[i].size == size) {
        unkeep(i);
    } else {
        room.kept[i].address += size;
        room.kept[i].size -= size;
        room.kept_bytes -= size;
    }
    return address;
}
/* Find a kept block that fits.  [42-huge.nw: Taking] */
/* The smallest kept block that can serve, the lowest of several; KEPT_MAX if
 * none can. */
static unsigned best_fit(size_t size, size_t alignment) REQUIRES(&room.lock)
{
    unsigned best = KEPT_MAX;

    for (unsigned i = 0; i < room.nkept; i++) {
        const struct extent *e = &room.kept[i], *b = &room.kept[best];
        if (e->size >= size && e->address % alignment == 0
            && (best == KEPT_MAX || e->size < b->size
                || (e->size == b->size && e->address < b->address)))
            best = i;
    }
    return best;
}

/* Memory that a freed block left; 0 if there is none that fits. */
static uintptr_t reuse(size_t size, size_t alignment)
{
    uintptr_t address = 0;

    mutex_lock(&room.lock);
    unsigned i = best_fit(size, alignment);
    if (i < KEPT_MAX)
        address = cut(i, size);
    mutex_unlock(&room.lock);
    return address;
}

/* Keep a freed block.  [42-huge.nw: Taking] */
static bool is_next_to(struct extent a, struct extent b)
{
    return a.address + a.size == b.address || b.address + b.size == a.address;
}

/* By how much would n bytes more be too much?  In use and kept together may
 * be an eighth more than was in use at once lately, and a little. */
static size_t excess(size_t n) REQUIRES(&room.lock)
{
    size_t most = room.peak_bytes + room.peak_bytes / 8 + KEPT_BYTES;
    size_t sum = room.nbytes + room.kept_bytes + n;

    return sum > most ? sum - most : 0;
}

/* Keep freed memory, joined with what is kept on both sides of it.  If that
 * makes one block too many, or too many bytes, the oldest has to go: it is
 * returned. */
static struct extent keep(struct extent e) REQUIRES(&room.lock)
{
    struct extent oldest = { 0 };

    for (unsigned i = 0; i < room.nkept;) {
        if (is_next_to(room.kept[i], e)) {
            struct extent k = unkeep(i);
            e.address = k.address < e.address ? k.address : e.address;
            e.size += k.size;
        } else {
            i++;
        }
    }
    if (room.nkept == KEPT_MAX || (room.nkept > 0 && excess(e.size) > 0))
        oldest = unkeep(0);
    room.kept[room.nkept++] = e;
    room.kept_bytes += e.size;
    return oldest;
}

/* Keep a freed block, continued.  [42-huge.nw: Taking] */
/* Unmap a block; if the system cannot split its mappings any further, at
 * least its memory goes back. */
static void unmap(struct extent e)
{
    if (e.address != 0 && !pages_unmap((void *)e.address, e.size))
        pages_purge((void *)e.address, e.size);
}

/* Map a block, at any price.  [42-huge.nw: Taking] */
/* Unmap what nobody uses, here and below.  False if there was nothing. */
static bool let_go(void)
{
    return huge_purge(0, true) + chunk_purge(0, true) > 0;
}

/* Before `size` bytes more are mapped, unmap what would be too much then,
 * the oldest first.  Returns the bytes that are in use. */
static size_t make_way(size_t size)
{
    struct extent e;
    size_t nbytes;

    do {
        e = (struct extent){ 0 };
        mutex_lock(&room.lock);
        size_t n = round_up(excess(size), pages_size);
        if (room.nkept > 0 && n > 0) {
            e.size = n < room.kept[0].size ? n : room.kept[0].size;
            e.address = cut(0, e.size);
        }
        nbytes = room.nbytes;
        mutex_unlock(&room.lock);
        unmap(e);
    } while (e.address != 0);
    return nbytes;
}

/* Map a block, at any price, continued.  [42-huge.nw: Taking] */
/* A new mapping; 0 without memory. */
static uintptr_t map_block(size_t size, size_t alignment)
{
    size_t nbytes = make_way(size);
    void *p = pages_map_aligned(size, alignment);

    if (p == NULL && let_go())
        p = pages_map_aligned(size, alignment);
    if (p != NULL && fresh_wants_huge(nbytes * HUGE_EARLIER))
        pages_prefer_huge(p, size);
    return (uintptr_t)p;
}

/* Take a huge block.  [42-huge.nw: Taking] */
void *huge_take(size_t size, size_t alignment, bool *zeroed)
{
    uintptr_t address;

    size = round_up(size, pages_size);
    if (!reserve())
        return NULL;
    address = reuse(size, alignment);
    *zeroed = address == 0;
    if (address == 0)
        address = map_block(size, alignment);
    if (address == 0)
        unreserve();
    else
        enter((struct extent){ address, size });
    return (void *)address;
}

/* Put a huge block back.  [42-huge.nw: Putting back] */
bool huge_put(void *p)
{
    struct extent *e, victim = { 0, 0 };

    mutex_lock(&room.lock);
    e = find((uintptr_t)p);
    if (e != NULL) {
        struct extent copy = *e;
        leave(e);
        room.nblocks--;
        victim = keep(copy);
    }
    assert(check());
    mutex_unlock(&room.lock);
    unmap(victim);
    return e != NULL;
}

/* Answer questions about huge blocks.  [42-huge.nw: Putting back] */
size_t huge_size(const void *p)
{
    struct extent *e;
    size_t size;

    mutex_lock(&room.lock);
    e = find((uintptr_t)p);
    size = e == NULL ? 0 : e->size;
    mutex_unlock(&room.lock);
    return size;
}

bool huge_was_asked(const void *p, size_t size)
{
    struct extent *e;
    bool answer;

    mutex_lock(&room.lock);
    e = find((uintptr_t)p);
    answer = e != NULL && e->size == round_up(size, pages_size);
    mutex_unlock(&room.lock);
    return answer;
}

void *huge_find(const void *p, size_t *size)
{
    void *found = NULL;

    mutex_lock(&room.lock);
    for (size_t i = 0; i < room.ntable; i++)
        if ((uintptr_t)p - room.table[i].address < room.table[i].size) {
            found = (void *)room.table[i].address;
            *size = room.table[i].size;
        }
    mutex_unlock(&room.lock);
    return found;
}

/* Withdraw a block while it moves.  [42-huge.nw: Resizing] */
/* Take the block at `p` out of the table while its owner has it moved: once
 * the old addresses are free, anybody's new block may lie there. */
static struct extent withdraw(const void *p)
{
    struct extent e = { 0, 0 }, *found;

    mutex_lock(&room.lock);
    if ((found = find((uintptr_t)p)) != NULL) {
        e = *found;
        leave(found);
    }
    mutex_unlock(&room.lock);
    return e;
}

/* Make a block longer or shorter where it is.  [42-huge.nw: Resizing] */
/* Make a block longer by kept memory right behind it. */
static bool extend(struct extent *e, size_t size)
{
    bool done = false;

    mutex_lock(&room.lock);
    for (unsigned i = 0; i < room.nkept && !done; i++)
        if (room.kept[i].address == e->address + e->size
            && room.kept[i].size >= size - e->size) {
            cut(i, size - e->size);
            e->size = size;
            done = true;
        }
    mutex_unlock(&room.lock);
    return done;
}

/* Make a block shorter; its tail is kept like any freed memory. */
static void shorten(struct extent *e, size_t size)
{
    struct extent tail = { e->address + size, e->size - size }, victim;

    e->size = size;
    mutex_lock(&room.lock);
    victim = keep(tail);
    mutex_unlock(&room.lock);
    unmap(victim);
}

/* Resize a huge block without moving its bytes.  [42-huge.nw: Resizing] */
/* Let the kernel make it longer, somewhere; NULL without memory. */
static void *move(struct extent *e, size_t size)
{
    void *p = (void *)e->address;
    void *q = pages_resize(p, e->size, size, true);

    if (q == NULL && let_go())
        q = pages_resize(p, e->size, size, true);
    if (q != NULL)
        *e = (struct extent){ (uintptr_t)q, size };
    return q;
}

/* Where the kernel refuses: the block may lie in two mappings, joined by us
 * and not by it. */
static void *copy(void *p, size_t old, size_t size)
{
    bool zeroed;
    void *q = huge_take(size, QUANTUM, &zeroed);

    if (q == NULL)
        return NULL;
    memcpy(q, p, old);
    huge_put(p);
    return q;
}

void *huge_resize(void *p, size_t size)
{
    struct extent e = withdraw(p);
    void *q = p;

    size = round_up(size, pages_size);
    if (e.address == 0)
        return NULL;
    if (size < e.size)
        shorten(&e, size);
    else if (size > e.size && !extend(&e, size))
        q = move(&e, size);
    enter(e);
    return q != NULL ? q : copy(p, e.size, size);
}

/* Give kept blocks back to the system.  [42-huge.nw: Purging] */
/* What was in use long ago is no reason to keep much today. */
static void fade(uint64_t now_ms) REQUIRES(&room.lock)
{
    if (options.decay_ms < 0 || now_ms < room.fade_ms)
        return;
    room.fade_ms = now_ms + (uint64_t)options.decay_ms / 8;
    room.peak_bytes -= room.peak_bytes / 8;
}


/* Give kept blocks back to the system, continued.  [42-huge.nw: Purging] */
/* What is to go now: of the oldest kept block as much as there is too much,
 * in whole pages; address 0: nothing. */
static struct extent take_expired(uint64_t now_ms, bool all)
    REQUIRES(&room.lock)
{
    size_t npages = room.kept_bytes / PAGE, allowed = 0;

    if (!all)
        allowed = decay_allowed(&room.decay, now_ms, npages);
    if (room.nkept == 0 || (!all && npages <= allowed))
        return (struct extent){ 0 };
    size_t size = room.kept[0].size;
    size_t excess = round_up(room.kept_bytes - allowed * PAGE, pages_size);
    if (size > excess)
        size = excess;
    struct extent e = { cut(0, size), size };
    decay_purged(&room.decay, npages - room.kept_bytes / PAGE);
    return e;
}

size_t huge_purge(uint64_t now_ms, bool all)
{
    size_t nbytes = 0;
    struct extent e;

    do {
        mutex_lock(&room.lock);
        fade(now_ms);
        e = take_expired(now_ms, all);
        mutex_unlock(&room.lock);
        unmap(e);
        nbytes += e.size;
    } while (e.address != 0);
    return nbytes;
}

/* Count huge blocks, and stand still around fork.  [42-huge.nw: Purging] */
struct huge_stats huge_stats(void)
{
    mutex_lock(&room.lock);
    struct huge_stats s = { room.nblocks, room.nbytes, room.kept_bytes };
    mutex_unlock(&room.lock);
    return s;
}

void huge_before_fork(void)
{
    mutex_lock_for_fork(&room.lock);
}

void huge_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&room.lock);
}
