/* Tangled from src.nw/41-bin.nw; edit that, not this. */
/* bin.h -- the runs of one class in one arena and its depot of magazines.
 *
 * Storey 4.  Stands on run, base, mutex. */

#ifndef LIT_BIN_H
#define LIT_BIN_H

#include "mutex.h"
#include "run.h"

/* Declare the magazine.  [41-bin.nw: The picture] */
/* Regions that a thread's cache had too many of: taken, as far as the run's
 * bitmap knows, but nobody's.  Source: Bonwick and Adams 2001. */
struct magazine {
    struct magazine *next;
    uint32_t nregions;
    void *regions[];
};

/* Declare the bin.  [41-bin.nw: The picture] */
struct bin {
    /* Set by bin_start, then constant. */
    unsigned class;

    /* Guarded by lock (rank BIN). */
    struct mutex lock;
    struct run *current;        /* cut from now; NULL before the first */
    struct heap waiting;        /* other runs with room, lowest first */
    struct run *spare;          /* one empty run, kept; NULL: none */
    struct magazine *depot;     /* magazines, the last one put in first */
    struct magazine *empty;     /* emptied ones, for whoever parks next */
    uint32_t nmagazines;
    uint32_t nmagazines_low;    /* the fewest since the last bin_settle */
    size_t nruns;
    size_t ntaken;              /* regions out of the bitmaps */
    size_t nparked;             /* of those, in the depot */
    size_t npeak;               /* the most in use, fading */
    uint64_t nfills, nflushes;  /* times regions left and came home */
    uint64_t random;            /* for random_place */
} __attribute__((aligned(CACHE_LINE)));

/* Promise to take, and to bring home.  [41-bin.nw: The file] */
void bin_start(struct bin *b, unsigned c);

/* Take up to `want` regions, stored from out[-1] downward.  Returns how
 * many: fewer than `want` if our runs have no more. */
unsigned bin_take(struct bin *b, unsigned want, void **out)
    EXCLUDES(&b->lock);

/* Add a run that has just been cut. */
void bin_add(struct bin *b, struct run *r) EXCLUDES(&b->lock);

/* Bring n regions of our runs home.  Runs that are empty now and not wanted
 * are returned, linked by node.next; the caller gives their pages back.
 * `call` names the public function in case a region is not what it should
 * be: then the process ends with a message. */
struct run *bin_put(struct bin *b, void *const *regions, unsigned n,
                    const char *call) EXCLUDES(&b->lock);

/* Promise to park.  [41-bin.nw: The depot] */
/* Exchange a full magazine for an empty one, or for NULL if there is none.
 * False, and *m stays what it is, if the depot holds enough already. */
bool bin_park(struct bin *b, struct magazine **m) EXCLUDES(&b->lock);

/* Exchange an empty magazine, or NULL, for a full one.  False, and *m stays
 * what it is, if the depot has none. */
bool bin_unpark(struct bin *b, struct magazine **m) EXCLUDES(&b->lock);

/* Take out the full magazines that nobody needed since the last call, or
 * all of them; and the empty ones, which have no regions. */
struct magazine *bin_settle(struct bin *b, bool all) EXCLUDES(&b->lock);

bool bin_check(struct bin *b) REQUIRES(&b->lock);

#endif
