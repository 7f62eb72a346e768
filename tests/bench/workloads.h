/* workloads.h -- what the workloads share: threads, random numbers, memory.
 *
 * Every workload does a fixed amount of work, divided among its threads, from
 * fixed seeds: two runs ask for the same blocks. */

#ifndef WORKLOADS_H
#define WORKLOADS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64, LINE = 64 };

extern int nthreads;            /* from the command line */

/* The bytes that a workload holds at the moment the load ends, if it says
 * so; and the most that it held. */
extern size_t live_at_end, live_at_peak;

/* Run `work` in nthreads threads (in this one if that is 1); each gets its
 * number, from 0. */
void in_threads(void (*work)(int number));

/* As malloc and realloc, but the process ends if there is no memory. */
void *demand(size_t size);
void *demand_more(void *p, size_t size);

static inline uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005)
             + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static inline uint64_t seed_of(int number)
{
    return UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(number + 1);
}

/* A block of `size` bytes with something written to its first and last. */
static inline char *written(size_t size)
{
    char *p = demand(size);

    p[0] = p[size - 1] = (char)size;
    return p;
}

struct workload {
    const char *name;
    void (*run)(void);
    const char *what;           /* one line, for the list */
};

/* Ended by a row without a name. */
extern const struct workload published[], everyday[];

#endif
