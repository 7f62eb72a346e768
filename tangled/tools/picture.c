/* Tangled from src.nw/89-tools.nw; edit that, not this. */
/* picture.c -- reduces a trace to a table of what a picture shows. */

#include "trace.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct trace trace;
static struct {
    const char *kind, *colour;
    uint64_t columns, rows, from, to;
    bool partial;
} option = {.kind = "address", .colour = "fill", .columns = 240, .rows = 120,
            .from = 1};

/* Find the ranges of addresses that are ever used.
 * [89-tools.nw: Addresses] */
enum { PAGE_BYTES = 4096 };
struct range { uint64_t start, end, before; };  /* before: bytes below it */

static struct range *ranges;
static size_t nranges;

static bool is_block(const struct event *e)     /* does it bring a block? */
{
    return e->kind != 0 && e->kind != EV_FREE && e->kind != EV_REALLOC;
}

static int by_start(const void *a, const void *b)
{
    uint64_t x = ((const struct range *)a)->start;
    uint64_t y = ((const struct range *)b)->start;

    return (x > y) - (x < y);
}

static void note_range(const struct event *e, uint64_t unit)
{
    struct range *r = &ranges[nranges++];

    r->start = e->address - e->address % unit;
    r->end = e->address + (e->size == 0 ? 1 : e->size);
    r->end += (unit - r->end % unit) % unit;
}

/* Find the ranges of addresses that are ever used, continued.
 * [89-tools.nw: Addresses] */
static void join_ranges(void)
{
    size_t n = 0;

    qsort(ranges, nranges, sizeof *ranges, by_start);
    for (size_t i = 0; i < nranges; i++)
        if (n > 0 && ranges[i].start <= ranges[n - 1].end) {
            if (ranges[i].end > ranges[n - 1].end)
                ranges[n - 1].end = ranges[i].end;
        } else
            ranges[n++] = ranges[i];
    nranges = n;
}

/* All addresses ever used, in pieces of `unit`; returns their bytes. */
static uint64_t find_ranges(uint64_t unit)
{
    size_t room = trace.last + 1, joined = 0;
    uint64_t bytes = 0;

    if (ranges == NULL)
        ranges = trace_room(room, sizeof *ranges);
    nranges = 0;
    for (uint64_t i = 1; i <= trace.last; i++) {
        if (is_block(&trace.event[i]))
            note_range(&trace.event[i], unit);
        if (nranges > 2 * joined + 65536) {
            join_ranges();
            joined = nranges;
        }
    }
    join_ranges();
    for (size_t i = 0; i < nranges; i++) {
        ranges[i].before = bytes;
        bytes += ranges[i].end - ranges[i].start;
    }
    return bytes;
}

/* Find the ranges of addresses that are ever used, continued.
 * [89-tools.nw: Addresses] */
/* Where an address stands when the gaps are left out. */
static uint64_t place_of(uint64_t address)
{
    size_t low = 0, high = nranges;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (ranges[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return ranges[low].before + (address - ranges[low].start);
}

/* Follow the use of memory in pieces.  [89-tools.nw: Addresses] */
struct piece {
    uint64_t bytes;             /* that live */
    double weight;              /* each times log2 of its block's size */
    uint32_t thread;            /* who allocated here last */
};

static struct piece *pieces;
static uint64_t npieces, unit = PAGE_BYTES;

static void follow_block(const struct event *e, int sign)
{
    uint64_t at = place_of(e->address), left = e->size;
    double log_size = log2((double)(e->size + 1));

    while (left > 0) {
        struct piece *p = &pieces[at / unit];
        uint64_t n = unit - at % unit;

        if (n > left)
            n = left;
        p->bytes += (uint64_t)sign * n;
        p->weight += sign * (double)n * log_size;
        if (sign > 0)
            p->thread = e->thread;
        at += n;
        left -= n;
    }
}

static void follow(const struct event *e)
{
    if (is_block(e))
        follow_block(e, +1);
    else if (e->kind != 0)
        follow_block(e, -1);
}

/* Draw addresses against time.  [89-tools.nw: Addresses] */
/* What a piece looks like: 0 if nothing lives there. */
static double colour_of(uint64_t row)
{
    const struct piece *p = &pieces[row];
    double share = 100.0 * (double)p->bytes / (double)unit;

    if (p->bytes == 0)
        return 0;
    if (strcmp(option.colour, "size") == 0)
        return p->weight / (double)p->bytes;
    if (strcmp(option.colour, "thread") == 0)
        return p->thread % 16 + 1;
    return share < 1 ? 1 : share;
}

static uint64_t stride(void)
{
    return (option.to - option.from) / option.columns + 1;
}

/* A grid for gnuplot's "nonuniform matrix": first line n and the columns' x,
 * then a line a row: y, values. */
static void begin_grid(uint64_t n, const char *what)
{
    printf("# %s, process %u; %s\n%lu", trace.head.program, trace.head.pid,
           what, n);
    for (uint64_t c = 0; c < n; c++)
        printf(",%lu", option.from + (c + 1) * stride() - 1);
    printf("\n");
}

/* Draw addresses against time, continued.  [89-tools.nw: Addresses] */
static void choose_pieces(void)
{
    uint64_t bytes = find_ranges(unit);

    while (bytes / unit > option.rows) {
        unit *= 2;
        bytes = find_ranges(unit);
    }
    npieces = bytes / unit;
    pieces = trace_room(npieces + 1, sizeof *pieces);
}

static bool is_column(uint64_t i)
{
    return i >= option.from && (i - option.from + 1) % stride() == 0;
}

static void draw_addresses(void)
{
    uint64_t n = 0, row, most = option.columns;
    unsigned char *grid;

    choose_pieces();
    grid = trace_room(npieces + 1, most + 1);
    for (uint64_t i = 1; i <= option.to; i++) {
        follow(&trace.event[i]);
        if (!is_column(i) || n == most)
            continue;
        for (row = 0; row < npieces; row++)
            grid[row * most + n] = (unsigned char)(colour_of(row) + 0.5);
        n++;
    }
    begin_grid(n, "MiB of addresses, events, share in use in %");
    for (row = 0; row < npieces; row++) {
        printf("%.4f", ((double)row + 0.5) * (double)unit / 1048576);
        for (uint64_t c = 0; c < n; c++)
            printf(",%u", grid[row * most + c]);
        printf("\n");
    }
}

/* Draw sizes against time.  [89-tools.nw: Sizes, and the whole] */
enum { SIZE_ROWS = 4 * 40 };

static void draw_sizes(void)
{
    uint64_t used = 0, n = option.columns;
    uint64_t *grid = trace_room(n * SIZE_ROWS, sizeof *grid);

    for (uint64_t i = option.from; i <= option.to; i++) {
        const struct event *e = &trace.event[i];
        uint64_t row = e->size == 0 ? 0 : (uint64_t)(4 * log2((double)e->size));

        if (!is_block(e) || e->failed)
            continue;
        if (row >= SIZE_ROWS)
            row = SIZE_ROWS - 1;
        used = row > used ? row : used;
        grid[row * n + (i - option.from) / stride()]++;
    }
    begin_grid(n, "log2 of bytes, events, requests");
    for (uint64_t row = 0; row <= used; row++) {
        printf("%.3f", ((double)row + 0.5) / 4);
        for (uint64_t c = 0; c < n; c++)
            printf(",%lu", grid[row * n + c]);
        printf("\n");
    }
}

/* Draw the heap's size against time.
 * [89-tools.nw: Sizes, and the whole] */
static uint32_t *living;        /* living[page]: blocks that touch it */
static uint64_t live_pages;

/* Pages in the middle of a block are this block's alone. */
static void follow_pages(const struct event *e, int sign)
{
    uint64_t start = place_of(e->address);
    uint64_t first = start / PAGE_BYTES;
    uint64_t last = (start + (e->size == 0 ? 0 : e->size - 1)) / PAGE_BYTES;

    if (last > first + 1)
        live_pages += (uint64_t)sign * (last - first - 1);
    if (sign > 0) {
        live_pages += living[first]++ == 0;
        live_pages += last > first && living[last]++ == 0;
    } else {
        live_pages -= --living[first] == 0;
        live_pages -= last > first && --living[last] == 0;
    }
}

/* Draw the heap's size against time, continued.
 * [89-tools.nw: Sizes, and the whole] */
static uint32_t resident_at(uint64_t ticket)
{
    static size_t m;

    while (m + 1 < trace.nmoments && trace.moment[m].ticket < ticket)
        m++;
    return trace.nmoments == 0 ? 0 : trace.moment[m].resident;
}

static void draw_live(void)
{
    uint64_t bytes = 0, blocks = 0;

    living = trace_room(find_ranges(PAGE_BYTES) / PAGE_BYTES + 1,
                        sizeof *living);
    printf("# %s, process %u\nevent,live_mib,pages_mib,resident_mib,blocks\n",
           trace.head.program, trace.head.pid);
    for (uint64_t i = 1; i <= option.to; i++) {
        const struct event *e = &trace.event[i];
        int sign = e->kind == 0 ? 0 : is_block(e) ? 1 : -1;

        bytes += (uint64_t)sign * e->size;
        blocks += (uint64_t)sign;
        if (sign != 0)
            follow_pages(e, sign);
        if (is_column(i))
            printf("%lu,%.4f,%.4f,%.4f,%lu\n", i, (double)bytes / 1048576,
                   (double)live_pages * PAGE_BYTES / 1048576,
                   resident_at(i) / 1024.0, blocks);
    }
}

/* Draw how long blocks live.  [89-tools.nw: Lives] */
static void draw_lives(void)
{
    uint64_t *born = trace_room(trace.nslots + 1, sizeof *born);
    uint64_t died[65] = {0}, bytes[65] = {0}, total = 0, sum = 0;

    for (uint64_t i = 1; i <= trace.last; i++) {
        const struct event *e = &trace.event[i];
        unsigned age;

        if (is_block(e)) {
            born[e->slot] = i;
            total += !e->failed;
        } else if (e->kind != 0) {
            age = (unsigned)(64 - __builtin_clzll(i - born[e->slot]));
            died[age]++;
            bytes[age] += e->size;
        }
    }
    printf("# %s, process %u; blocks freed before this many events\n"
           "events,blocks,bytes,share\n", trace.head.program, trace.head.pid);
    for (unsigned age = 1; age < 40; age++) {
        sum += died[age];
        printf("%lu,%lu,%lu,%.2f\n", (uint64_t)1 << age, died[age], bytes[age],
               total == 0 ? 0 : 100.0 * (double)sum / (double)total);
    }
}

/* Understand the drawer's options.  [89-tools.nw: Lives] */
static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t n = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || n == 0) {
        fprintf(stderr, "litmalloc: plot: %s is not a number above 0\n", text);
        exit(2);
    }
    return n;
}

static const char *understand(int argc, char **argv)
{
    static const struct option known[] = {
        {"kind", 1, NULL, 'k'}, {"colour", 1, NULL, 'c'},
        {"columns", 1, NULL, 'x'}, {"rows", 1, NULL, 'y'},
        {"from", 1, NULL, 'f'}, {"to", 1, NULL, 't'},
        {"partial", 0, NULL, 'p'}, {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (c) {
        case 'k': option.kind = optarg; break;
        case 'c': option.colour = optarg; break;
        case 'x': option.columns = number_of(optarg); break;
        case 'y': option.rows = number_of(optarg); break;
        case 'f': option.from = number_of(optarg); break;
        case 't': option.to = number_of(optarg); break;
        case 'p': option.partial = true; break;
        default: exit(2);
        }
    return optind + 1 == argc ? argv[optind] : NULL;
}

/* Understand the drawer's options, continued.  [89-tools.nw: Lives] */
static const struct {
    const char *name;
    void (*draw)(void);
} kinds[] = {
    {"address", draw_addresses}, {"size", draw_sizes},
    {"live", draw_live}, {"life", draw_lives},
};

int main(int argc, char **argv)
{
    const char *name = understand(argc, argv);
    size_t k = 0, n = sizeof kinds / sizeof *kinds;

    while (k < n && strcmp(option.kind, kinds[k].name) != 0)
        k++;
    if (name == NULL || k == n) {
        fputs("usage: litmalloc plot [--kind address|size|live|life]\n"
              "    [--colour fill|size|thread] [--columns N] [--rows N]\n"
              "    [--from EVENT] [--to EVENT] [--partial]\n"
              "    -o FILE.svg|pdf|png|csv TRACE\n", stderr);
        return 2;
    }
    trace_read(&trace, name, option.partial);
    if (option.to == 0 || option.to > trace.last)
        option.to = trace.last;
    if (option.from > option.to) {
        fprintf(stderr, "litmalloc: plot: %s: no such events\n", name);
        return 2;
    }
    kinds[k].draw();
    return 0;
}
