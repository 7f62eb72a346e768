/* abuse.h -- what the programs of tests/abuse share.
 *
 * Each does one thing that no program may do; the library must write the one
 * line that the program expects, and abort.  A double free of a small block,
 * or an inner address of one, is found when the block comes home from the
 * thread's cache to its run: come_home() brings all of them home. */
#ifndef ABUSE_H
#define ABUSE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALL = 48, LARGE = 100 << 10, HUGE = 8 << 20, NCROWD = 20000, SKIP = 77 };

/* Enough blocks of a size to overflow every cache when they are freed. */
static void *crowd[NCROWD];

static inline void crowd_malloc(size_t size)
{
    for (int i = 0; i < NCROWD; i++)
        crowd[i] = malloc(size);
}

/* Leaves every other block alive: no page of theirs may go back altogether. */
static inline void crowd_free_half(void)
{
    for (int i = 0; i < NCROWD; i += 2)
        free(crowd[i]);
}

static inline void come_home(void)
{
    crowd_free_half();
    malloc_trim(0);
}

/* Call f(argument) in a thread that then ends. */
static inline void in_a_thread(void *(*f)(void *), void *argument)
{
    pthread_t thread;
    pthread_create(&thread, NULL, f, argument);
    pthread_join(thread, NULL);
}

#endif
