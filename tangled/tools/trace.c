/* Tangled from src.nw/89-tools.nw; edit that, not this. */
/* trace.c -- reads a trace: checks it, puts its events in order, and finds out
 * which block each of them is about. */

#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Say where a trace is damaged, and end.  [89-tools.nw: The reader] */
/* Zeroed room for n things of this size, never given back. */
void *trace_room(size_t n, size_t size)
{
    void *p = mmap(NULL, n * size + 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        fprintf(stderr, "litmalloc: no memory for %zu bytes\n", n * size);
        exit(2);
    }
    return p;
}

static bool damaged(const struct trace *t, size_t offset, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

static bool damaged(const struct trace *t, size_t offset, const char *why, ...)
{
    va_list more;

    fprintf(stderr, "litmalloc: %s: at offset %zu: ", t->name, offset);
    va_start(more, why);
    vfprintf(stderr, why, more);
    va_end(more);
    fputc('\n', stderr);
    return false;
}

/* Take the events out of a block.  [89-tools.nw: The reader] */
struct cursor {
    const unsigned char *at, *end;
    uint64_t ticket, address;
};

static uint64_t number(struct cursor *c)
{
    uint64_t x = 0;

    for (unsigned shift = 0; c->at < c->end && shift < 64; shift += 7) {
        unsigned char byte = *c->at++;
        x |= (uint64_t)(byte % 128) << shift;
        if (byte < 128)
            break;
    }
    return x;
}

/* Take the events out of a block, continued.  [89-tools.nw: The reader] */
static struct event next_event(struct cursor *c)
{
    struct event e = {.kind = *c->at & EV_KIND};
    bool follows = (*c->at++ & EV_NEXT) != 0;
    uint64_t step;

    c->ticket += follows ? 1 : number(c);
    if (e.kind == EV_ALIGNED && c->at < c->end)
        e.align_log = *c->at++ & 63;
    if (e.kind != EV_FREE && e.kind != EV_REALLOC)
        e.size = number(c);
    step = number(c);
    c->address += step % 2 == 0 ? step / 2 : ~(step / 2);
    e.address = c->address;
    return e;
}

/* Take the events out of a block, continued.  [89-tools.nw: The reader] */
/* Drop the events of the block at `offset` into their places. */
static bool take_events(struct trace *t, const struct trace_block *b,
                        size_t offset)
{
    const unsigned char *start = (const unsigned char *)(b + 1);
    struct cursor c = {start, start + b->nbytes, b->first - 1, 0};

    for (uint32_t n = 0; n < b->nevents; n++) {
        size_t here = offset + sizeof *b + (size_t)(c.at - start);
        struct event e;

        if (c.at >= c.end)
            return damaged(t, here, "%u events were promised, and %u are there",
                           b->nevents, n);
        e = next_event(&c);
        if (e.kind == 0 || e.kind > EV_RESULT)
            return damaged(t, here, "there is no event of kind %u", e.kind);
        if (c.ticket == 0 || c.ticket > t->last || t->event[c.ticket].kind != 0)
            return damaged(t, here, "the ticket %lu is not to be had",
                           c.ticket);
        e.thread = b->thread;
        t->event[c.ticket] = e;
    }
    return true;
}

/* Go through the blocks.  [89-tools.nw: The reader] */
static bool check_block(const struct trace *t, const struct trace_block *b,
                        size_t offset, size_t left)
{
    struct trace_block head;
    uint32_t sum;

    if (left < sizeof *b)
        return damaged(t, offset, "%zu bytes, too few for the head of a block; "
                       "the trace is cut off", left);
    if (b->mark != TRACE_EVENTS && b->mark != TRACE_END)
        return damaged(t, offset, "no block begins with %08x", b->mark);
    if (b->nbytes > BLOCK_BYTES)
        return damaged(t, offset, "no block has %u bytes", b->nbytes);
    if (left - sizeof *b < b->nbytes)
        return damaged(t, offset, "a block of %u bytes, and %zu are there; "
                       "the trace is cut off", b->nbytes, left - sizeof *b);
    head = *b;
    head.sum = 0;
    sum = trace_sum(TRACE_SUM_START, &head, sizeof head);
    if (trace_sum(sum, b + 1, b->nbytes) != b->sum)
        return damaged(t, offset, "the checksum of this block is wrong");
    return true;
}

/* Go through the blocks, continued.  [89-tools.nw: The reader] */
/* The ticket of the last event in a block. */
static uint64_t last_ticket(const struct trace_block *b)
{
    const unsigned char *start = (const unsigned char *)(b + 1);
    struct cursor c = {start, start + b->nbytes, b->first - 1, 0};

    if (b->mark == TRACE_END)
        return b->first;
    while (c.at < c.end)
        next_event(&c);
    return c.ticket;
}

static void note_moment(struct trace *t, const struct trace_block *b)
{
    struct moment *m = &t->moment[t->nmoments++];

    m->ticket = last_ticket(b);
    m->ns = b->ns;
    m->resident = b->resident;
    if (m->ticket > t->last)
        t->last = m->ticket;
    if (b->thread > t->nthreads)
        t->nthreads = b->thread;
    t->ended = b->mark == TRACE_END;
}

/* Go through the blocks, continued.  [89-tools.nw: The reader] */
/* Check (events NULL yet) or take all blocks; false at the first damage. */
static bool each_block(struct trace *t, const unsigned char *file)
{
    static struct { struct trace_block head; char events[BLOCK_BYTES]; } copy;
    const struct trace_block *b = &copy.head;
    size_t at;

    for (at = t->head.bytes; at < t->nbytes; at += sizeof *b + b->nbytes) {
        size_t left = t->nbytes - at;

        memcpy(&copy, file + at, left < sizeof copy ? left : sizeof copy);
        if (t->event == NULL) {
            if (!check_block(t, b, at, left)) {
                t->nbytes = at;
                return false;
            }
            note_moment(t, b);
        } else if (b->mark == TRACE_EVENTS && !take_events(t, b, at))
            return false;
    }
    return true;
}

/* Find the block of each event.  [89-tools.nw: Which block?] */
struct slot {
    uint64_t address, size;
    uint32_t next;              /* in its chain, or free; 0: none */
};

static struct slot *slots;      /* from 1 */
static uint32_t free_slot, nslots;
static uint32_t *chains, *growing;      /* growing[thread]: slot in realloc */
enum { CHAINS = 1 << 20 };

static uint32_t *chain_of(uint64_t address)
{
    return &chains[(address * 0x9e3779b97f4a7c15u >> 40) % CHAINS];
}

static void enter_slot(uint32_t s)
{
    uint32_t *chain = chain_of(slots[s].address);

    slots[s].next = *chain;
    *chain = s;
}

/* The slot of the block that lives at this address, out of the table; or 0. */
static uint32_t leave_slot(uint64_t address)
{
    for (uint32_t *p = chain_of(address); *p != 0; p = &slots[*p].next)
        if (slots[*p].address == address) {
            uint32_t s = *p;

            *p = slots[s].next;
            return s;
        }
    return 0;
}

/* Find the block of each event, continued.  [89-tools.nw: Which block?] */
static void count_live(struct trace *t, const struct event *e, int sign)
{
    t->end_blocks += (uint64_t)sign;
    t->end_bytes += (uint64_t)sign * e->size;
    if (t->end_bytes > t->peak_bytes)
        t->peak_bytes = t->end_bytes;
    if (t->end_blocks > t->peak_blocks)
        t->peak_blocks = t->end_blocks;
}

/* A block comes; in slot s, if it has been somewhere before. */
static void comes(struct trace *t, struct event *e, uint32_t s)
{
    uint32_t old = leave_slot(e->address);

    if (old != 0)
        t->nunseen++;           /* it has been freed, we do not know when */
    if (s == 0) {
        s = free_slot != 0 ? free_slot : ++nslots;
        if (s == free_slot)
            free_slot = slots[s].next;
    }
    slots[s].address = e->address;
    slots[s].size = e->size;
    enter_slot(s);
    e->slot = s;
    count_live(t, e, +1);
}

/* Find the block of each event, continued.  [89-tools.nw: Which block?] */
/* The block at e->address goes: for good, or into realloc. */
static void goes(struct trace *t, struct event *e)
{
    uint32_t s = leave_slot(e->address);

    if (e->kind == EV_REALLOC)
        growing[e->thread] = s;
    if (s == 0) {
        t->nunknown++;
        e->kind = 0;
        return;
    }
    e->slot = s;
    e->size = slots[s].size;
    count_live(t, e, -1);
    if (e->kind == EV_FREE) {
        slots[s].next = free_slot;
        free_slot = s;
    }
}

/* Find the block of each event, continued.  [89-tools.nw: Which block?] */
static void comes_back(struct trace *t, struct event *e)
{
    uint32_t s = growing[e->thread];

    growing[e->thread] = 0;
    if (e->address != 0) {
        e->kind = s != 0 ? EV_RESULT : EV_MALLOC;
        comes(t, e, s);
    } else if (s == 0) {
        e->kind = 0;
    } else if (e->size == 0) {
        e->kind = EV_FREE;
        e->slot = s;
        slots[s].next = free_slot;
        free_slot = s;
    } else {
        t->nfailed++;
        e->failed = true;
        e->address = slots[s].address;
        e->size = slots[s].size;
        comes(t, e, s);
    }
}

/* Find the block of each event, continued.  [89-tools.nw: Which block?] */
static void find_blocks(struct trace *t)
{
    slots = trace_room(t->last + 2, sizeof *slots);
    chains = trace_room(CHAINS, sizeof *chains);
    growing = trace_room(t->nthreads + 1, sizeof *growing);
    for (uint64_t i = 1; i <= t->last; i++) {
        struct event *e = &t->event[i];

        t->of_kind[e->kind]++;
        if (e->kind == 0)
            t->nlost++;
        else if (e->kind == EV_FREE || e->kind == EV_REALLOC)
            goes(t, e);
        else if (e->kind == EV_RESULT)
            comes_back(t, e);
        else if (e->address != 0)
            comes(t, e, 0);
        else {
            t->nfailed++;
            e->kind = 0;
        }
    }
    t->nslots = nslots;
}

/* Read a trace.  [89-tools.nw: The reader] */
static const unsigned char *map_file(struct trace *t)
{
    int fd = open(t->name, O_RDONLY | O_CLOEXEC);
    struct stat s;
    void *p = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &s) == 0) {
        t->nbytes = (size_t)s.st_size;
        p = mmap(NULL, t->nbytes + 1, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (p == MAP_FAILED) {
        fprintf(stderr, "litmalloc: %s: %s\n", t->name, strerror(errno));
        exit(2);
    }
    close(fd);
    return p;
}

static bool read_head(struct trace *t, const unsigned char *file)
{
    if (t->nbytes < sizeof t->head || memcmp(file, TRACE_MAGIC, 8) != 0)
        return damaged(t, 0, "this is no trace of litmalloc record");
    memcpy(&t->head, file, sizeof t->head);
    t->head.program[sizeof t->head.program - 1] = '\0';
    if (t->head.version != TRACE_VERSION || t->head.bytes != sizeof t->head)
        return damaged(t, 8, "version %u; this program reads version %d",
                       t->head.version, TRACE_VERSION);
    return true;
}

/* Read a trace, continued.  [89-tools.nw: The reader] */
void trace_read(struct trace *t, const char *name, bool partial)
{
    const unsigned char *file;
    bool sound;

    memset(t, 0, sizeof *t);
    t->name = name;
    file = map_file(t);
    if (!read_head(t, file))
        exit(2);
    t->moment = trace_room(t->nbytes / sizeof(struct trace_block) + 1,
                           sizeof *t->moment);
    sound = each_block(t, file);
    if (!sound && !partial)
        exit(2);
    if (t->last / 64 > t->nbytes)       /* an event has two bytes or more */
        exit(!damaged(t, t->nbytes, "too many events for so short a file") + 1);
    t->event = trace_room(t->last + 1, sizeof *t->event);
    if (!each_block(t, file) && !partial)
        exit(2);
    find_blocks(t);
    munmap((void *)file, t->nbytes + 1);
}
