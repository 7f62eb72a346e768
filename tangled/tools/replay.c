/* Tangled from src.nw/89-tools.nw; edit that, not this. */
/* replay.c -- makes the calls of a trace, on the allocator that is loaded. */

#include "trace.h"

#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct trace trace;
static void **where;            /* where[slot]: the block in that slot */

/* Declare the options of the player.  [89-tools.nw: What it reports] */
static struct {
    bool check, threads, csv, partial;
    const char *samples;        /* a file, or NULL */
    size_t nsamples;
} option = {.nsamples = 400};

static struct {                 /* the memory in use, from time to time */
    uint64_t next, stride;
    size_t n;
    uint64_t *event, *resident;
} sample = {.next = UINT64_MAX};

static void take_sample(uint64_t event);

/* Fill a block, and look whether it is still full.
 * [89-tools.nw: The player] */
static size_t *size_in;         /* size_in[slot], with --check */

/* What byte i of the block in this slot holds. */
static unsigned char pattern(uint32_t slot, size_t i)
{
    return (unsigned char)((slot * 2654435761u >> 13) + i + (i >> 8) * 7 + 1);
}

static void insist(bool good, const struct event *e, const char *what, size_t i)
{
    if (good)
        return;
    fprintf(stderr, "litmalloc: replay: %s: event %td: %s, at byte %zu of %lu"
            "\n", trace.name, e - trace.event, what, i, e->size);
    exit(1);
}

static void insist_full(const struct event *e, const void *block, size_t size)
{
    const unsigned char *b = block;

    for (size_t i = 0; i < size; i++)
        insist(b[i] == pattern(e->slot, i), e, "somebody wrote in here", i);
}

static void insist_zero(const struct event *e, const void *block)
{
    const unsigned char *b = block;

    for (size_t i = 0; i < e->size; i++)
        insist(b[i] == 0, e, "calloc did not clear this block", i);
}

/* Fill a block, and look whether it is still full, continued.
 * [89-tools.nw: The player] */
static size_t least_alignment(const struct event *e)
{
    size_t a = (size_t)1 << e->align_log;

    return a < sizeof(void *) ? sizeof(void *) : a;
}

static void check_and_fill(const struct event *e, void *block)
{
    unsigned char *b = block;
    size_t kept = e->kind != EV_RESULT ? 0
        : e->size < size_in[e->slot] ? e->size : size_in[e->slot];

    insist_full(e, block, kept);
    if (e->kind == EV_ALIGNED)
        insist((uintptr_t)b % least_alignment(e) == 0, e, "not aligned", 0);
    insist(malloc_usable_size(block) >= e->size, e, "too small", 0);
    for (size_t i = kept; i < e->size; i++)
        b[i] = pattern(e->slot, i);
    size_in[e->slot] = e->size;
}

static void out_of_memory(const struct event *e)
{
    insist(e->size == 0, e, "no memory for this request", 0);
}

/* Make one call.  [89-tools.nw: The player] */
static void *allocate(const struct event *e)
{
    void *p = NULL;

    switch (e->kind) {
    case EV_MALLOC:
        return malloc(e->size);
    case EV_CALLOC:
        p = calloc(1, e->size);
        if (option.check && p != NULL)
            insist_zero(e, p);
        return p;
    case EV_RESULT:
        return realloc(where[e->slot], e->size);
    default:
        return posix_memalign(&p, least_alignment(e), e->size) == 0 ? p : NULL;
    }
}

/* Make one call, continued.  [89-tools.nw: The player] */
static void perform(const struct event *e)
{
    void *p;

    if (e->kind == 0 || e->kind == EV_REALLOC || e->failed)
        return;
    if (e->kind == EV_FREE) {
        if (option.check)
            insist_full(e, where[e->slot], e->size);
        free(where[e->slot]);
        where[e->slot] = NULL;
        return;
    }
    if (option.check && e->kind == EV_RESULT)
        insist_full(e, where[e->slot], size_in[e->slot]);
    p = allocate(e);
    if (p == NULL)
        out_of_memory(e);
    where[e->slot] = p;
    if (option.check)
        check_and_fill(e, p);
    else
        for (size_t i = 0; i < e->size; i += 4096)
            ((volatile char *)p)[i] = 1;
}

/* Make all calls.  [89-tools.nw: One thread or many] */
static void perform_at(uint64_t i)
{
    perform(&trace.event[i]);
    if (i >= sample.next)
        take_sample(i);
}

static void play_alone(void)
{
    for (uint64_t i = 1; i <= trace.last; i++)
        perform_at(i);
}

/* Make all calls, continued.  [89-tools.nw: One thread or many] */
struct player {
    sem_t turn;
    uint64_t last;              /* its last event; 0: it has none */
    bool born;
    uint32_t thread;
};

static struct player *players;
static uint64_t position = 1;
static sem_t done;

static void pass_turn(void);

/* Make calls until somebody else's is next, again and again until the last. */
static void *play(void *it)
{
    struct player *me = it;
    bool over;

    do {
        sem_wait(&me->turn);
        while (position <= trace.last
               && trace.event[position].thread == me->thread)
            perform_at(position++);
        over = position > me->last;
        pass_turn();
    } while (!over);
    return NULL;
}

/* Make all calls, continued.  [89-tools.nw: One thread or many] */
static void pass_turn(void)
{
    struct player *next;
    pthread_t thread;

    while (position <= trace.last && trace.event[position].kind == 0)
        position++;
    if (position > trace.last) {
        sem_post(&done);
        return;
    }
    next = &players[trace.event[position].thread];
    if (!next->born) {
        next->born = true;
        if (pthread_create(&thread, NULL, play, next) != 0) {
            fprintf(stderr, "litmalloc: replay: no more threads\n");
            exit(1);
        }
        pthread_detach(thread);
    }
    sem_post(&next->turn);
}

/* Make all calls, continued.  [89-tools.nw: One thread or many] */
static void play_in_turns(void)
{
    players = trace_room(trace.nthreads + 1, sizeof *players);
    for (uint32_t n = 0; n <= trace.nthreads; n++) {
        players[n].thread = n;
        sem_init(&players[n].turn, 0, 0);
    }
    for (uint64_t i = 1; i <= trace.last; i++)
        players[trace.event[i].thread].last = i;
    sem_init(&done, 0, 0);
    pass_turn();
    sem_wait(&done);
}

/* Ask how much memory we have.  [89-tools.nw: What it reports] */
static int statm = -1;
static long base_kib;           /* resident before the first call */

static long resident_kib(void)
{
    char text[128] = "", *second;

    if (statm < 0)
        statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (pread(statm, text, sizeof text - 1, 0) <= 0)
        return 0;
    second = strchr(text, ' ');
    return second == NULL ? 0 : strtol(second, NULL, 10)
                                * (sysconf(_SC_PAGESIZE) / 1024);
}

static void forget_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "5", 1) != 1)
        fprintf(stderr, "litmalloc: replay: the peak includes the start\n");
    close(fd);
}

/* Ask how much memory we have, continued.
 * [89-tools.nw: What it reports] */
static long peak_kib(void)
{
    static char text[8192];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char *line;

    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 0;
    close(fd);
    line = strstr(text, "VmHWM:");
    return line == NULL ? 0 : strtol(line + 6, NULL, 10);
}

static void take_sample(uint64_t event)
{
    long kib = resident_kib() - base_kib;

    sample.event[sample.n] = event;
    sample.resident[sample.n] = kib > 0 ? (uint64_t)kib : 0;
    sample.n++;
    sample.next += sample.stride;
}

/* Report on a replay.  [89-tools.nw: What it reports] */
struct result {
    double seconds;
    long peak, end, faults;
};

static struct result play_trace(void)
{
    struct rusage before, after;
    struct timespec start, stop;
    struct result r;

    resident_kib();
    forget_peak();
    base_kib = resident_kib();
    getrusage(RUSAGE_SELF, &before);
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (option.threads)
        play_in_turns();
    else
        play_alone();
    clock_gettime(CLOCK_MONOTONIC, &stop);
    getrusage(RUSAGE_SELF, &after);
    r.end = resident_kib() - base_kib;
    r.peak = peak_kib() - base_kib;
    r.faults = after.ru_minflt - before.ru_minflt;
    r.seconds = (double)(stop.tv_sec - start.tv_sec)
        + (double)(stop.tv_nsec - start.tv_nsec) * 1e-9;
    return r;
}

/* Report on a replay, continued.  [89-tools.nw: What it reports] */
static uint64_t of(unsigned kind)
{
    return trace.of_kind[kind];
}

static void report(const struct result *r)
{
    printf("%s: process %u, %s, %u threads%s\n", trace.name, trace.head.pid,
           trace.head.program, trace.nthreads,
           trace.ended ? "" : "; it did not come to its end");
    printf("  malloc %12lu\n  calloc %12lu\n  aligned %11lu\n"
           "  realloc %11lu\n  free %14lu\n", of(EV_MALLOC), of(EV_CALLOC),
           of(EV_ALIGNED), of(EV_RESULT), of(EV_FREE));
    printf("  failed %12lu\n  lost %14lu\n  unknown %11lu\n  unseen %12lu\n",
           trace.nfailed, trace.nlost, trace.nunknown, trace.nunseen);
    printf("  most live     %14lu bytes in %lu blocks\n"
           "  live at end   %14lu bytes in %lu blocks\n", trace.peak_bytes,
           trace.peak_blocks, trace.end_bytes, trace.end_blocks);
    printf("  most resident %14ld KiB\n  at end        %14ld KiB\n"
           "  time          %14.3f ms\n  faults        %14ld\n",
           r->peak, r->end, r->seconds * 1e3, r->faults);
}

/* Report on a replay, continued.  [89-tools.nw: What it reports] */
static void report_csv(const struct result *r)
{
    printf("program,threads,malloc,calloc,aligned,realloc,free,failed,lost,"
           "unknown,unseen,live_bytes,live_blocks,resident_kib,end_kib,ms,"
           "faults\n%s,%u,%lu,%lu,%lu,%lu,%lu,%lu,%lu,%lu,%lu,%lu,%lu,%ld,%ld,"
           "%.3f,%ld\n", trace.head.program, trace.nthreads, of(EV_MALLOC),
           of(EV_CALLOC), of(EV_ALIGNED), of(EV_RESULT), of(EV_FREE),
           trace.nfailed, trace.nlost, trace.nunknown, trace.nunseen,
           trace.peak_bytes, trace.peak_blocks, r->peak, r->end,
           r->seconds * 1e3, r->faults);
}

static void write_samples(void)
{
    FILE *f = fopen(option.samples, "w");

    if (f == NULL) {
        perror(option.samples);
        exit(2);
    }
    fprintf(f, "event,resident_kib\n");
    for (size_t i = 0; i < sample.n; i++)
        fprintf(f, "%lu,%lu\n", sample.event[i], sample.resident[i]);
    fclose(f);
}

/* Understand the player's options.  [89-tools.nw: What it reports] */
static const char *understand(int argc, char **argv)
{
    static const struct option known[] = {
        {"check", 0, NULL, 'c'}, {"threads", 0, NULL, 't'},
        {"csv", 0, NULL, 'v'}, {"partial", 0, NULL, 'p'},
        {"samples", 1, NULL, 's'}, {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (c) {
        case 'c': option.check = true; break;
        case 't': option.threads = true; break;
        case 'v': option.csv = true; break;
        case 'p': option.partial = true; break;
        case 's': option.samples = optarg; break;
        default: exit(2);
        }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: litmalloc replay [-a ALLOCATOR] [--check] "
                "[--threads] [--csv] [--samples FILE] [--partial] TRACE\n");
        exit(2);
    }
    return argv[optind];
}

/* Understand the player's options, continued.
 * [89-tools.nw: What it reports] */
int main(int argc, char **argv)
{
    const char *name = understand(argc, argv);
    struct result r;

    trace_read(&trace, name, option.partial);
    where = trace_room(trace.nslots + 1, sizeof *where);
    size_in = trace_room(trace.nslots + 1, sizeof *size_in);
    memset(where, 0, (trace.nslots + 1) * sizeof *where);
    if (option.samples != NULL && trace.last > 0) {
        sample.stride = trace.last / option.nsamples + 1;
        sample.next = sample.stride;
        sample.event = trace_room(option.nsamples + 2, sizeof *sample.event);
        sample.resident = trace_room(option.nsamples + 2, sizeof *sample.event);
        memset(sample.event, 1, option.nsamples * sizeof *sample.event);
        memset(sample.resident, 1, option.nsamples * sizeof *sample.event);
    }
    r = play_trace();
    if (option.samples != NULL)
        write_samples();
    if (option.csv)
        report_csv(&r);
    else
        report(&r);
    return 0;
}
