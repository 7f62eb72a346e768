/* Tangled from src.nw/60-stats.nw; edit that, not this. */
/* stats.h -- walks the rooms below, sums their counters, prints them; counts
 * nothing itself.
 *
 * Storey 6.  Stands on thread, arena, huge, chunk, base, report, sample. */

#ifndef LIT_STATS_H
#define LIT_STATS_H

#include "sizeclass.h"

/* Declare the record of one walk.  [60-stats.nw: The record] */
/* Bytes, unless the name begins with n.  While other threads work, each
 * number is true of some moment, not all of one. */
struct stats {
    size_t live;                /* what the program holds */
    size_t cached;              /* free, on the threads' stacks */
    size_t parked;              /* free, in the depots */
    size_t loose;               /* free, in runs that hold something */
    size_t dirty;               /* pages of no run, not yet given back */
    size_t kept;                /* chunks and huge blocks, the same */
    size_t records;             /* our own records: mapped for them */
    size_t mapped;              /* address space taken from the system */
    size_t huge;                /* of live: in huge blocks */
    size_t nhuge, narenas, nthreads, nchunks;
    size_t nsampled, nsamples, nunsampled;      /* now, ever, no slot */
    struct {
        size_t nruns, ntaken, nparked, ncached;
        uint64_t nfills, nflushes;
    } classes[NSMALL];
};

void stats_collect(struct stats *s);

/* Print the report of lit_report to file descriptor `fd`. */
void stats_report(int fd);

#endif
