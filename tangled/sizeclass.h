/* Tangled from src.nw/11-sizeclass.nw; edit that, not this. */
/* sizeclass.h -- request <-> class <-> region size <-> run length.
 *
 * Storey 1.  Stands on bits.  Pure arithmetic and constant tables. */

#ifndef LIT_SIZECLASS_H
#define LIT_SIZECLASS_H

#include "bits.h"

/* Count the classes.  [11-sizeclass.nw: The record of a class] */
/* Class 0 is no class: in the page map it marks what is not a region.
 * Classes 1..8 are 16, 32 .. 128 bytes; from there four a doubling, and four
 * more: 1152, 2304, 4608 and 9216, for a power of two and a header. */
enum {
    NCLASSES = 69,
    CLASS_NONE = 0,
    NSMALL = 48,                        /* classes 1..47 are small */
    TABLE_MAX = 1024,                   /* requests of a thread's own table */
    SMALL_MAX = 56 * 1024,              /* size of class NSMALL - 1 */
    LARGE_MAX = 2 * 1024 * 1024         /* size of class NCLASSES - 1 */
};

/* Declare what is known of a class.
 * [11-sizeclass.nw: The record of a class] */
struct sizeclass {
    uint32_t size;              /* bytes of one region */
    uint32_t reciprocal;        /* for region_index: ceil(2^32 / size) */
    uint16_t npages;            /* pages of one run */
    uint16_t nregions;          /* regions of one run */
    uint16_t ncached;           /* regions a thread may keep: 2^k - 1 */
    uint16_t nmagazine;         /* regions in a full magazine */
};

extern HIDDEN const struct sizeclass sizeclasses[NCLASSES];

/* Tabulate the classes of small requests.
 * [11-sizeclass.nw: From request to class] */
/* The same thing 4, 16, 32, 64, 128 times, for initialisers. */
#define TIMES4(x)   x, x, x, x
#define TIMES16(x)  TIMES4(x), TIMES4(x), TIMES4(x), TIMES4(x)
#define TIMES32(x)  TIMES16(x), TIMES16(x)
#define TIMES64(x)  TIMES32(x), TIMES32(x)
#define TIMES128(x) TIMES64(x), TIMES64(x)

/* The class of every request of 0 .. TABLE_MAX bytes, to initialise an array
 * indexed by the request.  Each thread's cache begins with a copy. */
#define SIZECLASS_TABLE                                                      \
    1, TIMES16(1), TIMES16(2), TIMES16(3), TIMES16(4),                       \
    TIMES16(5), TIMES16(6), TIMES16(7), TIMES16(8),                          \
    TIMES32(9), TIMES32(10), TIMES32(11), TIMES32(12),                       \
    TIMES64(13), TIMES64(14), TIMES64(15), TIMES64(16),                      \
    TIMES128(17), TIMES128(18), TIMES128(19), TIMES128(20)

/* Find the class of a request.  [11-sizeclass.nw: From request to class] */
/* The class of a request above TABLE_MAX and up to SMALL_MAX. */
enum { MEDIUM_STEP = 128 };
extern HIDDEN const uint8_t
    sizeclass_mediums[(SMALL_MAX - TABLE_MAX) / MEDIUM_STEP];

INLINE unsigned sizeclass_medium(size_t size)
{
    return sizeclass_mediums[(size - TABLE_MAX - 1) / MEDIUM_STEP];
}


/* Find the class of a request, continued.
 * [11-sizeclass.nw: From request to class] */
/* The class of a request, were there four to every doubling: above 128 bytes
 * let k be floor(log2(n - 1)): the sizes between 2^k and 2^(k+1) lie 2^(k-2)
 * apart. */
INLINE unsigned sizeclass_quarter(size_t size)
{
    if (size <= 128)
        return size == 0 ? 1 : (unsigned)((size - 1) / QUANTUM + 1);
    unsigned k = floor_log2(size - 1);
    return 4 * k + (unsigned)((size - 1) / POW2(k - 2)) - 23;
}

/* The class of a request of 0 .. LARGE_MAX bytes, by arithmetic: one more for
 * each of the four sizes between that is too small. */
INLINE unsigned sizeclass_of(size_t size)
{
    return sizeclass_quarter(size) + (size > 1152) + (size > 2304)
           + (size > 4608) + (size > 9216);
}

/* Ask whether a class is small.
 * [11-sizeclass.nw: From request to class] */
INLINE bool sizeclass_is_small(unsigned c)
{
    return c - 1 < NSMALL - 1;
}

/* Is c, which is not CLASS_NONE, the class of a request of 1 byte or more? */
INLINE bool sizeclass_serves(unsigned c, size_t size)
{
    return size <= sizeclasses[c].size && size > sizeclasses[c - 1].size;
}

/* Promise an aligned class.  [11-sizeclass.nw: Aligned requests] */
/* The class whose regions are `alignment`-aligned in every run and hold
 * `size` bytes; CLASS_NONE if there is none small enough.
 *
 * size        bytes; at most SMALL_MAX
 * alignment   bytes; a power of two, at most PAGE */
unsigned sizeclass_aligned(size_t size, size_t alignment);

/* Find the region at an offset.
 * [11-sizeclass.nw: Which region is this?] */
/* Which region of a run holds the byte `offset` from its start?  Exact for
 * every region's start, which is what callers verify: they multiply back.
 * Near the end of a region of more than 48 KiB it may be one too large.
 * Source: Granlund and Montgomery 1994. */
INLINE unsigned region_index(unsigned c, uint32_t offset)
{
    uint64_t product = (uint64_t)offset * sizeclasses[c].reciprocal;

    return (unsigned)(product / POW2(32));
}


#endif
