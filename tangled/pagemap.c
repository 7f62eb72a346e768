/* Tangled from src.nw/30-pagemap.nw; edit that, not this. */
/* pagemap.c -- address -> class and chunk. */

#include "pagemap.h"

#include "mutex.h"
#include "pages.h"

/* Say how much of the window opens at once.
 * [30-pagemap.nw: Opening the map] */
/* The map becomes writable in pieces that cover this much of the window. */
enum { PART_SHIFT = 30, NPARTS_MAX = 1 << (46 - PART_SHIFT) };
enum { PART_PAGES = 1 << (PART_SHIFT - PAGE_SHIFT) };
enum { PART_CHUNKS = 1 << (PART_SHIFT - CHUNK_SHIFT) };

/* Define the map and what guards it.
 * [30-pagemap.nw: Choosing the window] */
uint8_t *pagemap_classes;
uintptr_t pagemap_npages;
struct chunk **pagemap_chunks;

static struct mutex lock = MUTEX_INIT(RANK_PAGEMAP);
static uint64_t writable[NPARTS_MAX / 64]       /* guarded by lock */
    __attribute__((section(".bss.zz_large")));

/* Count the bytes of a map.  [30-pagemap.nw: Choosing the window] */
/* Bytes of map for a window: a byte a page and a pointer a chunk. */
static size_t map_bytes(size_t window)
{
    return window / PAGE + window / CHUNK * sizeof(struct chunk *);
}

/* Guess how far addresses go.  [30-pagemap.nw: Choosing the window] */
/* The stack lies near the top of what the processor and the kernel can
 * address; a window above it would be of no use. */
static size_t address_space(void)
{
    return POW2(floor_log2((uintptr_t)__builtin_frame_address(0)) + 1);
}

/* Choose the window and reserve the map.
 * [30-pagemap.nw: Choosing the window] */
bool pagemap_start(size_t window)
{
    size_t limit = pages_address_limit();
    char *map;

    if (window > address_space())
        window = address_space();
    /* With a limit on addresses the map may take a sixty-fourth of it. */
    while (map_bytes(window) > limit / 64 && window > POW2(PART_SHIFT))
        window /= 2;
    window = round_up(window, POW2(PART_SHIFT));
    while ((map = pages_reserve(map_bytes(window))) == NULL) {
        if (window == POW2(PART_SHIFT))
            return false;
        window = round_up(window / 2, POW2(PART_SHIFT));
    }
    pagemap_classes = (uint8_t *)map;
    pagemap_chunks = (struct chunk **)(map + window / PAGE);
    pagemap_npages = window / PAGE;
    return true;
}

/* Open a part of the map.  [30-pagemap.nw: Opening the map] */
/* Rounded outward to the system's pages: a neighbour's part may become
 * writable early, which harms nobody. */
static bool make_writable(void *from, size_t size)
{
    uintptr_t start = round_down((uintptr_t)from, pages_size);
    uintptr_t end = round_up((uintptr_t)from + size, pages_size);

    return pages_make_writable((void *)start, end - start);
}

/* Under the lock although it makes system calls: at most one call in a
 * gigabyte of new chunks gets here, and none that only wants a region. */
static bool open_part(size_t part) REQUIRES(&lock)
{
    if (bit_test(writable, part))
        return true;
    if (!make_writable(pagemap_classes + part * PART_PAGES, PART_PAGES)
        || !make_writable(pagemap_chunks + part * PART_CHUNKS,
                          PART_CHUNKS * sizeof(struct chunk *)))
        return false;
    bit_set(writable, part);
    return true;
}

/* Enter a chunk in the map.  [30-pagemap.nw: Opening the map] */
bool pagemap_enter(uintptr_t address, struct chunk *c)
{
    bool done;

    mutex_lock(&lock);
    done = open_part(address / POW2(PART_SHIFT));
    if (done)
        __atomic_store_n(&pagemap_chunks[address / CHUNK], c,
                         __ATOMIC_RELAXED);
    mutex_unlock(&lock);
    return done;
}

/* Enter the class of some pages.
 * [30-pagemap.nw: Entering the pages of a run] */
void pagemap_set(uintptr_t address, size_t npages, unsigned c)
{
    for (size_t i = 0; i < npages; i++)
        __atomic_store_n(&pagemap_classes[address / PAGE + i], (uint8_t)c,
                         __ATOMIC_RELAXED);
}

/* Keep the map consistent across fork.  [30-pagemap.nw: At a fork] */
void pagemap_before_fork(void)
{
    mutex_lock_for_fork(&lock);
}

void pagemap_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&lock);
}
