/* Tangled from src.nw/81-watching.nw; edit that, not this. */
/* trace.h -- the form of a trace of allocations, and what reads one.
 *
 * A tool, not a room: nothing here goes into the library. */

#ifndef LIT_TRACE_H
#define LIT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Say what stands in a trace.  [81-watching.nw: What is in a trace] */
#define TRACE_MAGIC "litTRACE"

enum {
    TRACE_VERSION = 1,
    TRACE_EVENTS = 0x4556544c,  /* "LTVE": a block of events */
    TRACE_END = 0x444e454c,     /* "LEND": the process has ended */
    BLOCK_BYTES = 65536,        /* most bytes of events in a block */
    EVENT_BYTES = 32,           /* most bytes in one event */
};

struct trace_head {             /* at the start of a file; 64 bytes */
    char magic[8];
    uint32_t version;
    uint32_t bytes;             /* of this head */
    uint32_t pid, parent;       /* parent: 0, or of whom we were forked */
    uint64_t start_ns;          /* CLOCK_REALTIME */
    char program[32];           /* its name, filled up with zeros */
};

/* Say what stands in a trace, continued.
 * [81-watching.nw: What is in a trace] */
struct trace_block {            /* before each block's events; 40 bytes */
    uint32_t mark;              /* TRACE_EVENTS or TRACE_END */
    uint32_t thread;            /* from 1; 0: of threads that are ending */
    uint32_t nbytes, nevents;   /* what follows */
    uint64_t first;             /* ticket of the first event; END: the last */
    uint64_t ns;                /* since start_ns, when it was written */
    uint32_t resident;          /* KiB of the process, when it was written */
    uint32_t sum;               /* over head and events, this one as 0 */
};

enum {                          /* the first byte of an event */
    EV_MALLOC = 1,              /* size, address */
    EV_CALLOC,                  /* size, address */
    EV_ALIGNED,                 /* log2 of the alignment, size, address */
    EV_FREE,                    /* address */
    EV_REALLOC,                 /* address: this one goes in */
    EV_RESULT,                  /* size, address: this one came out */
    EV_KIND = 7,                /* mask */
    EV_NEXT = 8,                /* its ticket is the one after the last */
};

/* Compute the checksum of a block.  [81-watching.nw: What is in a trace] */
/* FNV-1a over n bytes, going on from h. */
static inline uint32_t trace_sum(uint32_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    while (n-- > 0)
        h = (h ^ *b++) * 16777619u;
    return h;
}

#define TRACE_SUM_START 2166136261u

/* Declare what a reader sees.  [89-tools.nw: The reader] */
struct event {
    uint64_t address;           /* what came out; FREE, REALLOC: what went in */
    uint64_t size;              /* bytes asked for; of FREE, REALLOC: once */
    uint32_t thread;            /* 0: of several that were ending */
    uint32_t slot;              /* the number of its block */
    uint8_t kind;               /* EV_...; 0: nothing happened */
    uint8_t align_log;
    bool failed;                /* RESULT: the old block is still there */
};

struct moment {                 /* the state when a block was written */
    uint64_t ticket, ns;
    uint32_t resident;          /* KiB */
};

/* Declare what a reader sees, continued.  [89-tools.nw: The reader] */
struct trace {
    const char *name;
    struct trace_head head;
    struct event *event;        /* event[t] for ticket t = 1 .. last */
    uint64_t last;
    struct moment *moment;
    size_t nmoments, nbytes;    /* nbytes: of the file */
    bool ended;                 /* the process came to its end */
    uint32_t nthreads, nslots;
    uint64_t of_kind[EV_KIND + 1];
    uint64_t nlost, nunknown, nunseen, nfailed;
    uint64_t peak_bytes, peak_blocks, end_bytes, end_blocks;
};

/* Read a trace, or end the program with a message that says where it is
 * damaged.  With `partial`, take what stands before the damage. */
void trace_read(struct trace *t, const char *name, bool partial);
void *trace_room(size_t n, size_t size);

#endif
