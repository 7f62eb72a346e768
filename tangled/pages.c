/* Tangled from src.nw/20-pages.nw; edit that, not this. */
/* pages.c -- the only file that makes memory system calls. */

#define _GNU_SOURCE /* MREMAP_MAYMOVE */
#include "pages.h"

/* Include what the kernel calls things.  [20-pages.nw: The files] */
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

size_t pages_size = 4096;

/* Pass a call on to the kernel.  [20-pages.nw: How a call is made] */
__attribute__((weak)) long pages_system_call(long n, long a, long b, long c,
                                             long d, long e, long f)
{
    return system_call(n, a, b, c, d, e, f);
}

/* Ask for the size of a page.  [20-pages.nw: How a call is made] */
void pages_start(void)
{
    size_t size = getauxval(AT_PAGESZ);

    if (is_pow2(size))
        pages_size = size;
}

/* Tell an error from an answer.  [20-pages.nw: How a call is made] */
/* The kernel answers with an address or with -errno: the last 4095 values. */
static bool is_error(long answer)
{
    return (unsigned long)answer > -4096UL;
}

/* Map pages.  [20-pages.nw: Mapping] */
static long map(void *at, size_t size, int protection, int flags)
{
    return pages_system_call(SYS_mmap, (long)at, (long)size, protection,
                             MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

void *pages_map(size_t size)
{
    long p = map(NULL, size, PROT_READ | PROT_WRITE, 0);

    return is_error(p) ? NULL : (void *)p;
}

/* Map pages at an alignment.  [20-pages.nw: At an alignment] */
void *pages_map_aligned(size_t size, size_t alignment)
{
    size_t more = alignment - pages_size;
    uintptr_t got, start;

    if (alignment <= pages_size)
        return pages_map(size);
    if (size + more < size || (got = (uintptr_t)pages_map(size + more)) == 0)
        return NULL;
    start = round_up(got, alignment);
    /* A piece that cannot be cut off stays, unused and untouched. */
    if (start > got)
        pages_unmap((void *)got, start - got);
    if (got + more > start)
        pages_unmap((void *)(start + size), got + more - start);
    return (void *)start;
}

/* Map pages at an address.  [20-pages.nw: At an address] */
void *pages_map_at(void *at, size_t size, bool *taken)
{
    long p = map(at, size, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE);

    *taken = p == -17 /* EEXIST */;
    if (is_error(p))
        return NULL;
    if (p == (long)at)
        return at;
    /* Linux before 4.17 takes the address for a mere hint. */
    *taken = true;
    pages_unmap((void *)p, size);
    return NULL;
}

/* Reserve addresses and open them later.
 * [20-pages.nw: Addresses without memory] */
void *pages_reserve(size_t size)
{
    long p = map(NULL, size, PROT_READ, MAP_NORESERVE);

    return is_error(p) ? NULL : (void *)p;
}

bool pages_make_writable(void *p, size_t size)
{
    return !is_error(pages_system_call(SYS_mprotect, (long)p, (long)size,
                                       PROT_READ | PROT_WRITE, 0, 0, 0));
}

/* Back pages before they are touched.
 * [20-pages.nw: Backed before touched] */
static bool advise(void *p, size_t size, int advice)
{
    return !is_error(pages_system_call(SYS_madvise, (long)p, (long)size,
                                       advice, 0, 0, 0));
}

void pages_populate(void *p, size_t size)
{
    advise(p, size, MADV_POPULATE_WRITE);
}

void pages_populate_huge(void *p, size_t size)
{
    advise(p, size, MADV_HUGEPAGE);
    advise(p, size, MADV_POPULATE_WRITE);
    advise(p, size, MADV_NOHUGEPAGE);
}

void pages_keep_small(void *p, size_t size)
{
    advise(p, size, MADV_NOHUGEPAGE);
}

void pages_prefer_huge(void *p, size_t size)
{
    advise(p, size, MADV_HUGEPAGE);
}

/* Give back pages.  [20-pages.nw: Giving back] */
bool pages_unmap(void *p, size_t size)
{
    return !is_error(
        pages_system_call(SYS_munmap, (long)p, (long)size, 0, 0, 0, 0));
}

bool pages_purge(void *p, size_t size)
{
    return advise(p, size, MADV_DONTNEED);
}

/* Resize a mapping.  [20-pages.nw: Longer and shorter] */
void *pages_resize(void *p, size_t old_size, size_t size, bool may_move)
{
    long q = pages_system_call(SYS_mremap, (long)p, (long)old_size,
                               (long)size, may_move ? MREMAP_MAYMOVE : 0, 0,
                               0);

    return is_error(q) ? NULL : (void *)q;
}

/* Make pages trap, and undo it.  [20-pages.nw: Pages that trap] */
/* A system that nods to advice that does not exist has heard none. */
static bool is_heeded(void *p, size_t size)
{
    return !advise(p, size, -1);
}

static bool installed, protected;       /* atomic: which was ever used */

bool pages_guard(void *p, size_t size)
{
    if (is_heeded(p, size) && advise(p, size, MADV_GUARD_INSTALL)) {
        __atomic_store_n(&installed, true, __ATOMIC_RELAXED);
        return true;
    }
    __atomic_store_n(&protected, true, __ATOMIC_RELAXED);
    return pages_purge(p, size)
           && !is_error(pages_system_call(SYS_mprotect, (long)p, (long)size,
                                          PROT_NONE, 0, 0, 0));
}

/* What was used on some page may have been used on this one. */
bool pages_unguard(void *p, size_t size)
{
    return (!__atomic_load_n(&installed, __ATOMIC_RELAXED)
            || advise(p, size, MADV_GUARD_REMOVE))
           && (!__atomic_load_n(&protected, __ATOMIC_RELAXED)
               || pages_make_writable(p, size));
}

/* Ask for the limit on addresses.  [20-pages.nw: Three questions] */
size_t pages_address_limit(void)
{
    struct rlimit limit;

    if (is_error(pages_system_call(SYS_prlimit64, 0, RLIMIT_AS, 0,
                                   (long)&limit, 0, 0))
        || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return limit.rlim_cur;
}

/* Ask for the time.  [20-pages.nw: Three questions] */
/* The coarse clock is a memory read in the kernel's shared page. */
uint64_t pages_now_ms(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Ask for a random word.  [20-pages.nw: Three questions] */
/* Sixteen bytes of the kernel's randomness come with every process. */
uint64_t pages_random(void)
{
    const void *bytes = (const void *)getauxval(AT_RANDOM);
    uint64_t words[2] = { 0, 0 };

    if (bytes != NULL)
        memcpy(words, bytes, sizeof words);     /* they need not be aligned */
    return words[0] ^ words[1];
}
