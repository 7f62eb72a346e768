/* Tangled from src.nw/13-options.nw; edit that, not this. */
/* options.h -- settings, read once, then sealed read-only.
 *
 * Storey 1.  Stands on bits, report. */

#ifndef LIT_OPTIONS_H
#define LIT_OPTIONS_H

#include "bits.h"

/* Declare the settings.  [13-options.nw: The record] */
/* Alone in its pages, so that they can be made read-only. */
struct options {
    _Alignas(SEAL_ALIGNMENT)
    bool abort_conf;            /* die of a bad LITMALLOC_CONF */
    bool confirm_conf;          /* print every setting */
    bool randomize;             /* start of the heap's addresses */
    bool sized_check;           /* is the size given to free_sized right? */
    bool stats;                 /* print a report at exit */
    bool tcache;                /* threads keep freed regions */
    bool harden;                /* all of the next four, and a quarantine */
    bool canary;                /* see writes behind a block's end */
    bool junk;                  /* fill what is new and what is freed */
    bool guard_pages;           /* an unmapped page behind large blocks */
    bool random_place;          /* in a run */
    bool guarded;               /* is any of these on?  No key: derived */
    uint32_t narenas;           /* 0: one a processor */
    int64_t decay_ms;           /* -1: never purge; 0: at once */
    size_t quarantine_bytes;    /* freed and held back, each thread's */
    size_t tcache_bytes;        /* bound on what all caches keep */
    int64_t thp_from;           /* bytes of heap; -1: no huge pages */
    size_t window_bytes;        /* addresses for chunks */
    uint32_t sample;            /* one block in so many; 0: none */
    uint32_t sample_slots;      /* so many of them at a time */
};

extern HIDDEN struct options options;

/* Read LITMALLOC_CONF from `environment` (as `environ`; NULL: none), unless
 * the process runs with more rights than its caller; then seal.  Called
 * before a second thread can call us; a second call does nothing. */
void options_start(char **environment, bool secure);

/* Parse one "key:value,key:value" string into *o; report what is wrong.
 * Returns false if anything was. */
bool options_parse(struct options *o, const char *text);

#endif
