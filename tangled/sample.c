/* Tangled from src.nw/62-sample.nw; edit that, not this. */
/* sample.c -- one block in so many on a page of its own. */

#define _GNU_SOURCE /* dl_iterate_phdr, REG_ERR */
#include "sample.h"

/* Include what the samples need.  [62-sample.nw: Laws] */
#include "mutex.h"
#include "options.h"
#include "pages.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Declare a slot.  [62-sample.nw: The records] */
enum { FRAMES = 20, MARGIN = 16, MARGIN_BYTE = 0xc5 };
enum state { NEVER, LIVE, FREED };

/* Who called, and from where; addresses inside the instructions that call. */
struct event {
    uint32_t thread;            /* as the kernel numbers them */
    uint32_t nframes;
    uintptr_t frames[FRAMES];
};

/* The record of a page.  Its index is that of the page. */
struct slot {
    uint32_t state;             /* guarded by lock; read by on_fault, too */
    char *block;                /* the rest belongs to who owns the block */
    size_t size;                /* asked for */
    struct event taken, freed;
};

/* Declare a slot, continued.  [62-sample.nw: The records] */
uintptr_t sample_area;
size_t sample_area_bytes;

/* Of the same rank as that of guard: no thread ever wants both. */
static struct mutex lock = MUTEX_INIT(RANK_GUARD);
static struct slot *slots;      /* [options.sample_slots]; then constant */
static uint32_t *queue;         /* [options.sample_slots], a ring; constant */

/* Guarded by lock. */
static uint32_t oldest, nqueued;
static size_t ntaken, nrefused;

static bool begun;              /* atomic */

/* Find a slot, and its page.  [62-sample.nw: The records] */
/* Pages 0, 2, 4, ... of the area trap for ever; page 2 i + 1 is slot i's. */
static char *page_of(const struct slot *s)
{
    return (char *)sample_area + (2 * (size_t)(s - slots) + 1) * pages_size;
}

/* The slot whose page p lies in; NULL if that is one that always traps. */
static struct slot *slot_of(const void *p)
{
    size_t i = ((uintptr_t)p - sample_area) / pages_size;

    return i % 2 == 0 ? NULL : &slots[i / 2];
}

/* Queue up what is free.  [62-sample.nw: The records] */
/* The slot that has been free for longest, or NULL. */
static struct slot *dequeue(void)
{
    struct slot *s = NULL;

    mutex_lock(&lock);
    if (nqueued == 0) {
        nrefused++;
    } else {
        s = &slots[queue[oldest]];
        oldest = (oldest + 1) % options.sample_slots;
        nqueued--;
    }
    mutex_unlock(&lock);
    return s;
}

static void enqueue(const struct slot *s)
{
    mutex_lock(&lock);
    queue[(oldest + nqueued++) % options.sample_slots]
        = (uint32_t)(s - slots);
    mutex_unlock(&lock);
}

/* Walk up the stack without help.  [62-sample.nw: Who calls] */
/* The C library's own, where it has one: glibc. */
extern int backtrace(void **frames, int n) __attribute__((weak));

/* Without it: along the frame pointers, as far as there are any.  The kernel
 * reads for us, since it survives an address that is none. */
static uint32_t walk(uintptr_t *frames)
{
    uintptr_t at = (uintptr_t)__builtin_frame_address(0), pair[2];
    uint32_t n = 0;

    while (n < FRAMES && at % sizeof at == 0) {
        struct { const void *base; size_t size; }
            here = { pair, sizeof pair }, there = { (void *)at, sizeof pair };
        if (system_call(SYS_process_vm_readv, getpid(), (long)&here, 1,
                        (long)&there, 1, 0) != sizeof pair
            || pair[1] == 0)
            break;
        frames[n++] = pair[1] - 1;
        if (pair[0] <= at)      /* stacks grow downward */
            break;
        at = pair[0];
    }
    return n;
}

/* Note who calls.  [62-sample.nw: Who calls] */
static NOINLINE void note(struct event *e)
{
    void *frames[FRAMES];

    e->thread = (uint32_t)system_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
    if (backtrace == NULL) {
        e->nframes = walk(e->frames);
        return;
    }
    int n = backtrace(frames, FRAMES);
    e->nframes = n < 0 ? 0 : (uint32_t)n;
    for (uint32_t i = 0; i < e->nframes; i++)
        e->frames[i] = (uintptr_t)frames[i] - 1;
}

/* Throw the die.  [62-sample.nw: Who is sampled] */
/* One time in options.sample. */
static bool falls(struct thread *t)
{
    return random_next(&t->random) < POW2(32) / options.sample;
}

/* Throw the die, continued.  [62-sample.nw: Who is sampled] */
/* Has a die fallen on this block, now or when a ration was handed out? */
static bool is_due(struct thread *t, unsigned c)
{
    uint64_t bit = POW2(c);

    if ((t->due & bit) == 0)
        return falls(t);
    t->due &= ~bit;
    return true;
}

/* Throw the die, continued.  [62-sample.nw: Who is sampled] */
void sample_serve(struct thread *t, unsigned c)
{
    size_t n = 0, most = tcache_may_serve(&t->cache, c);

    if (most == 0 || (t->due & POW2(c)) != 0)
        return;
    while (n < most && !falls(t))
        n++;
    if (n < most)
        t->due |= POW2(c);
    tcache_serve(&t->cache, c, n);
}

/* Fill the margins and look at them.  [62-sample.nw: Taking] */
/* The bytes before a block and behind it, as far as they lie in its page. */
static size_t margin_before(const struct slot *s)
{
    size_t n = (size_t)(s->block - page_of(s));

    return n < MARGIN ? n : MARGIN;
}

static size_t margin_behind(const struct slot *s)
{
    size_t n = (size_t)(page_of(s) + pages_size - (s->block + s->size));

    return n < MARGIN ? n : MARGIN;
}

static bool is_margin(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] != MARGIN_BYTE)
            return false;
    return true;
}

/* Place a block.  [62-sample.nw: Taking] */
/* At the end of the page or at its beginning, by chance. */
static char *place(struct thread *t, const struct slot *s, size_t alignment)
{
    size_t end = pages_size - (s->size == 0 ? 1 : s->size);
    bool at_end = random_next(&t->random) >= POW2(31);

    return page_of(s) + (at_end ? round_down(end, alignment) : 0);
}

/* Place a block, continued.  [62-sample.nw: Taking] */
static void *set_up(struct thread *t, struct slot *s, size_t size,
                    size_t alignment)
{
    size_t before, behind;

    s->size = size;
    s->block = place(t, s, alignment);
    before = margin_before(s);
    behind = margin_behind(s);
    memset(s->block - before, MARGIN_BYTE, before);
    memset(s->block + size, MARGIN_BYTE, behind);
    s->freed.thread = 0;        /* nobody yet */
    note(&s->taken);
    mutex_lock(&lock);
    s->state = LIVE;
    ntaken++;
    mutex_unlock(&lock);
    return s->block;
}

/* Take a sample.  [62-sample.nw: Taking] */
static NOINLINE void *take(struct thread *t, size_t size, size_t alignment)
{
    struct slot *s = dequeue();

    if (s == NULL)
        return NULL;
    if (pages_unguard(page_of(s), pages_size))
        return set_up(t, s, size, alignment);
    enqueue(s);
    return NULL;
}

/* What the C library allocates to tell who calls is no sample. */
void *sample_take(struct thread *t, size_t size, size_t alignment)
{
    void *p;

    if (size > pages_size || size > SMALL_MAX || alignment > pages_size
        || t == NULL || thread_has_none(t) || t->sampling
        || !__atomic_load_n(&begun, __ATOMIC_ACQUIRE)
        || !is_due(t, sizeclass_of(size)))
        return NULL;
    t->sampling = true;
    p = take(t, size, alignment);
    t->sampling = false;
    return p;
}

/* Name the place of an address.  [62-sample.nw: Giving back] */
/* An address, and the file that it was loaded from. */
struct place {
    uintptr_t address, base;    /* base: what the file's addresses grew by */
    const char *file;           /* NULL: found in none */
};

static int look_in(struct dl_phdr_info *info, size_t size, void *context)
{
    struct place *p = context;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD
            && p->address - start < info->dlpi_phdr[i].p_memsz) {
            p->base = info->dlpi_addr;
            p->file = info->dlpi_name;
            return 1;
        }
    }
    return 0;
}

/* Name the place of an address, continued.  [62-sample.nw: Giving back] */
static struct place place_of(uintptr_t address)
{
    struct place p = { address, 0, NULL };

    dl_iterate_phdr(look_in, &p);
    return p;
}

/* Name the place of an address, continued.  [62-sample.nw: Giving back] */
/* One line for one address: what addr2line -e FILE wants to know. */
static void print_frame(unsigned i, uintptr_t address)
{
    struct place p = place_of(address);
    char program[256] = "the program";

    if (p.file != NULL && *p.file == '\0') {
        long n = system_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe",
                             (long)program, sizeof program - 1, 0, 0);
        if (n > 0)
            program[n] = '\0';
        p.file = program;
    }
    if (p.file == NULL)
        report_warning("    #%u %p", i, (void *)address);
    else
        report_warning("    #%u %s+%p", i, p.file,
                       (void *)(address - p.base));
}

/* Print the stacks of a slot.  [62-sample.nw: Giving back] */
/* Is this our own code?  In a static program that cannot be told. */
static bool is_ours(uintptr_t address)
{
    struct place p = place_of(address);

    return p.file != NULL && *p.file != '\0'
           && p.base == place_of((uintptr_t)sample_put).base;
}

static void print_event(const char *what, const struct event *e)
{
    uint32_t i = 0, n = e->nframes < FRAMES ? e->nframes : FRAMES;

    report_warning("  %s by thread %u:", what, e->thread);
    while (i < n && is_ours(e->frames[i]))
        i++;
    for (unsigned line = 0; i < n; i++)
        print_frame(line++, e->frames[i]);
}

static void print_stacks(const struct slot *s)
{
    if (s == NULL || s->state == NEVER)
        return;
    print_event("allocated", &s->taken);
    if (s->freed.thread != 0)
        print_event("freed", &s->freed);
}

/* Say what is wrong with a sampled block.  [62-sample.nw: Giving back] */
/* The first line has been written: the call, the stacks, the end. */
static _Noreturn COLD void die(const struct slot *s)
{
    struct event here;

    note(&here);
    print_event("called", &here);
    print_stacks(s);
    abort();
}

/* Say what is wrong with a sampled block, continued.
 * [62-sample.nw: Giving back] */
/* p is not where a live block begins. */
static _Noreturn COLD void bad_pointer(const struct slot *s, const void *p,
                                       const char *call)
{
    if (s == NULL || s->state == NEVER)
        report_warning("%s(): invalid pointer %p: in a page that belongs to "
                       "no block", call, p);
    else if (s->state == FREED)
        report_warning("%s(): double free of %p: a sampled block of %zu "
                       "bytes at %p, free already", call, p, s->size,
                       (void *)s->block);
    else
        report_warning("%s(): invalid pointer %p: not the start of a sampled "
                       "block of %zu bytes at %p", call, p, s->size,
                       (void *)s->block);
    die(s);
}

/* Say what is wrong with a sampled block, continued.
 * [62-sample.nw: Giving back] */
static struct slot *live_slot(const void *p, const char *call)
{
    struct slot *s = slot_of(p);

    if (s == NULL || __atomic_load_n(&s->state, __ATOMIC_RELAXED) != LIVE
        || s->block != p)
        bad_pointer(s, p, call);
    return s;
}

size_t sample_size(const void *p, const char *call)
{
    return live_slot(p, call)->size;
}

void sample_check_size(const void *p, size_t size, const char *call)
{
    struct slot *s = live_slot(p, call);

    if (s->size == size)
        return;
    report_warning("%s(): wrong size %zu for %p: a sampled block of %zu "
                   "bytes", call, size, p, s->size);
    die(s);
}

/* Free a sampled block.  [62-sample.nw: Giving back] */
/* Of two threads that free a block at once, one finds it freed. */
static bool strike_out(struct slot *s)
{
    bool good;

    mutex_lock(&lock);
    good = s->state == LIVE;
    s->state = FREED;
    mutex_unlock(&lock);
    return good;
}

static void look_at_margins(const struct slot *s, const char *call)
{
    size_t before = margin_before(s), behind = margin_behind(s);
    const char *where = !is_margin(s->block - before, before) ? "before"
                        : !is_margin(s->block + s->size, behind)
                            ? "behind" : NULL;

    if (where == NULL)
        return;
    report_warning("%s(): damage directly %s sampled block %p of %zu bytes",
                   call, where, (void *)s->block, s->size);
    die(s);
}

/* Free a sampled block, continued.  [62-sample.nw: Giving back] */
static void close_slot(struct slot *s, void *p, const char *call)
{
    if (!strike_out(s))
        bad_pointer(s, p, call);
    look_at_margins(s, call);
    note(&s->freed);
    /* A page that cannot be made to trap is never used again. */
    if (pages_guard(page_of(s), pages_size))
        enqueue(s);
}

void sample_put(void *p, const char *call)
{
    struct slot *s = live_slot(p, call);
    struct thread *t = thread_self();

    if (thread_has_none(t)) {
        close_slot(s, p, call);
        return;
    }
    t->sampling = true;
    close_slot(s, p, call);
    t->sampling = false;
}

/* Tell how a fault came about.  [62-sample.nw: The fault] */
#if defined(__x86_64__)
static uintptr_t pc_of(const ucontext_t *u)
{
    return (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
}

/* Bit 1 of the page fault's code. */
static const char *access_of(const ucontext_t *u)
{
    return (u->uc_mcontext.gregs[REG_ERR] & 2) != 0 ? "write" : "read";
}
#else
/* Tell how a fault came about on AArch64.  [62-sample.nw: The fault] */
static uintptr_t pc_of(const ucontext_t *u)
{
    return (uintptr_t)u->uc_mcontext.pc;
}

/* Bit 6 of the syndrome, which is one of some records behind another. */
static const char *access_of(const ucontext_t *u)
{
    const unsigned char *at
        = (const unsigned char *)&u->uc_mcontext.__reserved;
    const unsigned char *end = at + 4096;
    uint32_t head[2];           /* magic, size */
    uint64_t esr;

    while (at < end && (memcpy(head, at, sizeof head), head[1] >= 8)) {
        memcpy(&esr, at + sizeof head, sizeof esr);
        if (head[0] == 0x45535201)
            return (esr & 64) != 0 ? "write" : "read";
        at += head[1];
    }
    return "access";
}
#endif

/* Say what a fault has hit.  [62-sample.nw: The fault] */
static size_t distance(const struct slot *s, const char *at)
{
    return s->state == NEVER    ? SIZE_MAX
           : at < s->block      ? (size_t)(s->block - at)
           : at >= s->block + s->size ? (size_t)(at - s->block - s->size + 1)
                                : 0;
}

/* The block that an address belongs to: that of its page, or the nearer one
 * of two neighbours.  No lock: the thread that faults may hold it. */
static struct slot *find_victim(const char *at)
{
    size_t i = ((uintptr_t)at - sample_area) / pages_size / 2;
    struct slot *s = slot_of(at);

    if (s != NULL)
        return s->state == NEVER ? NULL : s;
    s = i < options.sample_slots ? &slots[i] : &slots[i - 1];
    if (i > 0 && distance(&slots[i - 1], at) < distance(s, at))
        s = &slots[i - 1];
    return s->state == NEVER ? NULL : s;
}

/* Say what a fault has hit, continued.  [62-sample.nw: The fault] */
static void tell_fault(const char *access, const char *at,
                       const struct slot *s)
{
    size_t n = s == NULL ? 0 : distance(s, at);

    if (s == NULL)
        report_warning("%s of %p: in a page that belongs to no block",
                       access, (const void *)at);
    else if (n == 0)
        report_warning("%s of %p after free: %zu bytes into a sampled block "
                       "of %zu bytes at %p", access, (const void *)at,
                       (size_t)(at - s->block), s->size, (void *)s->block);
    else
        report_warning("%s of %p: %zu bytes %s of a %ssampled block of %zu "
                       "bytes at %p", access, (const void *)at, n,
                       at < s->block ? "before the start"
                                     : "beyond the end",
                       s->state == FREED ? "freed " : "", s->size,
                       (void *)s->block);
}

/* Say what a fault has hit, continued.  [62-sample.nw: The fault] */
/* From the fault on: what lies below it is the handler's own. */
static void print_fault(const ucontext_t *u)
{
    struct event here;
    uint32_t i = 0;

    note(&here);
    while (i < here.nframes && here.frames[i] + 1 != pc_of(u))
        i++;
    if (i == here.nframes)
        here.nframes = 0, i = 0;
    here.frames[i] = pc_of(u);
    here.nframes = i == 0 && here.nframes == 0 ? 1 : here.nframes - i;
    memmove(here.frames, here.frames + i,
            here.nframes * sizeof *here.frames);
    print_event("done", &here);
}

static void report_fault(const char *at, const ucontext_t *u)
{
    const struct slot *s = find_victim(at);

    tell_fault(access_of(u), at, s);
    print_fault(u);
    print_stacks(s);
}

/* Answer a fault.  [62-sample.nw: The fault] */
static struct sigaction before; /* set by sample_begin, then constant */

/* Do what would have been done without us.  A fault comes again as soon as
 * we return; what another process sent does not. */
static void hand_on(int signal, siginfo_t *info, void *context)
{
    if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(signal, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(signal);
    } else if (before.sa_handler == SIG_DFL || info->si_code > 0) {
        sigaction(signal, &before, NULL);
        if (info->si_code <= 0)
            raise(signal);
    }
}

/* Answer a fault, continued.  [62-sample.nw: The fault] */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    static bool told;           /* atomic: the first is reported */
    int saved = errno;

    if (info->si_code > 0 && sample_has(info->si_addr)
        && !__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        report_fault(info->si_addr, context);
    hand_on(signal, info, context);
    errno = saved;
}

/* Start to sample, and stand still around fork.
 * [62-sample.nw: Beginning] */
static size_t records_bytes(size_t n)
{
    return round_up(n * (sizeof *slots + sizeof *queue), pages_size);
}

/* The records and the queue, then the area; all of it traps. */
static bool map_slots(size_t n)
{
    size_t area = (2 * n + 1) * pages_size;
    char *p = pages_map(area);

    slots = p == NULL ? NULL : pages_map(records_bytes(n));
    if (slots == NULL || !pages_guard(p, area))
        return false;
    queue = (uint32_t *)(slots + n);
    for (uint32_t i = 0; i < n; i++)
        queue[i] = i;
    nqueued = (uint32_t)n;
    sample_area = (uintptr_t)p;
    sample_area_bytes = area;
    return true;
}

/* Start to sample, and stand still around fork, continued.
 * [62-sample.nw: Beginning] */
void sample_start(void)
{
    if (options.sample > 0 && sample_area_bytes == 0
        && !map_slots(options.sample_slots))
        report_warning("sample: no memory for %u slots; nothing is sampled",
                       options.sample_slots);
}

/* Start to sample, and stand still around fork, continued.
 * [62-sample.nw: Beginning] */
/* backtrace loads a library when it is called first. */
void sample_begin(void)
{
    struct sigaction ours = { .sa_sigaction = on_fault,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK };
    struct event e;

    if (sample_area_bytes == 0)
        return;
    note(&e);
    sigaction(SIGSEGV, NULL, &before);
    ours.sa_mask = before.sa_mask;
    ours.sa_flags |= before.sa_flags & (SA_NODEFER | SA_RESTART);
    if (sigaction(SIGSEGV, &ours, NULL) == 0)
        __atomic_store_n(&begun, true, __ATOMIC_RELEASE);
}

/* Start to sample, and stand still around fork, continued.
 * [62-sample.nw: Beginning] */
struct sample_stats sample_stats(void)
{
    struct sample_stats s = { 0, 0, 0, 0, 0, 0 };

    if (sample_area_bytes == 0)
        return s;
    mutex_lock(&lock);
    s.nlive = options.sample_slots - nqueued;
    s.ntaken = ntaken;
    s.nrefused = nrefused;
    mutex_unlock(&lock);
    s.live = s.nlive * pages_size;
    s.mapped = sample_area_bytes;
    s.records = records_bytes(options.sample_slots);
    return s;
}

void sample_before_fork(void)
{
    mutex_lock_for_fork(&lock);
}

void sample_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&lock);
}
