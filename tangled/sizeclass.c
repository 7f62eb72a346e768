/* Tangled from src.nw/11-sizeclass.nw; edit that, not this. */
/* sizeclass.c -- request <-> class <-> region size <-> run length. */

#include "sizeclass.h"

/* Bound what a thread keeps of a class.
 * [11-sizeclass.nw: What a thread may keep] */
enum {
    CACHED_MAX = 511,                   /* regions of one class in one cache */
    CACHED_BYTES = 128 * 1024,          /* bytes of them */
    WIDE_MIN = 4096, WIDE_MAX = 16384,  /* twice the bytes between these */
    MAGAZINE_SIZE = 1024                /* larger regions go singly */
};

/* What a cache may keep of a class; of the largest, one. */
#define CACHED(s)                                                            \
    ALL_ONES(((s) > WIDE_MIN && (s) <= WIDE_MAX ? 2 : 1) * CACHED_BYTES / (s))

/* The largest 2^k - 1 that is at most n, for n up to CACHED_MAX. */
#define ALL_ONES(n)                                                          \
    ((n) >= 511 ? 511 : (n) >= 255 ? 255 : (n) >= 127 ? 127                  \
     : (n) >= 63 ? 63 : (n) >= 31 ? 31 : (n) >= 15 ? 15 : (n) >= 7 ? 7       \
     : (n) >= 3 ? 3 : (n) >= 1 ? 1 : 0)

/* Half of that, less one: header and regions of a magazine fill a block of
 * base, which comes in powers of two. */
#define MAGAZINE(s) ((s) <= MAGAZINE_SIZE ? CACHED(s) / 2 - 1 : 0)

/* Calculate the record of a class.  [11-sizeclass.nw: The array] */
#define RECIPROCAL(s) ((uint32_t)((POW2(32) + (s) - 1) / (s)))

/* A small class: `pages` pages are cut into regions of `s` bytes. */
#define SMALL(s, pages)                                                      \
    {                                                                        \
        (s), RECIPROCAL(s), (pages), (pages) * PAGE / (s),                   \
            CACHED(s), MAGAZINE(s)                                           \
    }

/* A large class: a run is one region, and no thread keeps any. */
#define LARGE(s)                                                             \
    {                                                                        \
        (s), RECIPROCAL(s), (s) / PAGE, 1, 0, 0                              \
    }

/* List the classes.  [11-sizeclass.nw: The array] */
const struct sizeclass sizeclasses[NCLASSES] = {
    { 0, 0, 0, 0, 0, 0 },
    SMALL(16, 1), SMALL(32, 1), SMALL(48, 1), SMALL(64, 1), SMALL(80, 1),
    SMALL(96, 1), SMALL(112, 1), SMALL(128, 1), SMALL(160, 1), SMALL(192, 1),
    SMALL(224, 1), SMALL(256, 1), SMALL(320, 1), SMALL(384, 1), SMALL(448, 1),
    SMALL(512, 1), SMALL(640, 2), SMALL(768, 2), SMALL(896, 2),
    SMALL(1024, 2), SMALL(1152, 2), SMALL(1280, 3), SMALL(1536, 3),
    SMALL(1792, 4), SMALL(2048, 4), SMALL(2304, 4), SMALL(2560, 5),
    SMALL(3072, 3), SMALL(3584, 4), SMALL(4096, 4), SMALL(4608, 4),
    SMALL(5120, 5), SMALL(6144, 3), SMALL(7168, 4), SMALL(8192, 4),
    SMALL(9216, 4), SMALL(10240, 5), SMALL(12288, 3), SMALL(14336, 7),
    SMALL(16384, 4), SMALL(20480, 5), SMALL(24576, 6), SMALL(28672, 7),
    SMALL(32768, 4), SMALL(40960, 5), SMALL(49152, 6), SMALL(57344, 7),
    LARGE(65536), LARGE(81920), LARGE(98304), LARGE(114688), LARGE(131072),
    LARGE(163840), LARGE(196608), LARGE(229376), LARGE(262144), LARGE(327680),
    LARGE(393216), LARGE(458752), LARGE(524288), LARGE(655360), LARGE(786432),
    LARGE(917504), LARGE(1048576), LARGE(1310720), LARGE(1572864),
    LARGE(1835008), LARGE(2097152),
};

/* Tabulate the classes of medium requests.
 * [11-sizeclass.nw: From request to class] */
#define TIMES2(x) x, x
#define TIMES8(x) TIMES4(x), TIMES4(x)

const uint8_t sizeclass_mediums[] = {
    21, 22, TIMES2(23), TIMES2(24), TIMES2(25),
    TIMES2(26), TIMES2(27), TIMES4(28), TIMES4(29), TIMES4(30),
    TIMES4(31), TIMES4(32), TIMES8(33), TIMES8(34), TIMES8(35),
    TIMES8(36), TIMES8(37), TIMES16(38), TIMES16(39), TIMES16(40),
    TIMES32(41), TIMES32(42), TIMES32(43), TIMES32(44),
    TIMES64(45), TIMES64(46), TIMES64(47)
};

/* Find a class for an aligned request.
 * [11-sizeclass.nw: Aligned requests] */
unsigned sizeclass_aligned(size_t size, size_t alignment)
{
    unsigned c = sizeclass_of(round_up(size == 0 ? 1 : size, alignment));

    /* With these classes a multiple stays one (the book has a proof). */
    assert(sizeclasses[c].size % alignment == 0);
    return c < NSMALL ? c : CLASS_NONE;
}
