/* interleave.h -- run real code through every interleaving of its points.
 *
 * Threads are coroutines.  A room is compiled with its atomics, its locks or its futex
 * calls replaced by points: there a thread stops, and the search goes on with any thread
 * that can.  A state is the whole of the program's writable memory, stacks included; a
 * state that was there before is not entered again.  So every schedule that changes
 * threads at points is covered, of any length, within one memory order: the
 * sequentially consistent one.
 *
 *   begin(f, argument)      a thread; before explore
 *   point("what")           any other thread may go on here
 *   choose("what", n)       0 .. n-1, all of them tried
 *   sleep_while(&flag)      not runnable while *flag is not 0
 *   explore(check, end)     check: in every state; end: in every last state
 *
 * What the search itself remembers lives outside of the program's own data. */

#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "prove.h"

#ifndef NTHREADS_MAX
#define NTHREADS_MAX 4
#endif
enum { STACK = 8192, DEEPEST = 20000 };

struct coroutine {
    _Alignas(64) char stack[STACK];
    char *low;                      /* the stack pointer where it stopped */
    jmp_buf where;
    void (*f)(int);
    int argument;
    bool done;
    volatile uint32_t *asleep;      /* not NULL: sleeps while *asleep != 0 */
    int nchoices, choice;
    const char *what;
};

static struct coroutine threads_[NTHREADS_MAX];
static int nthreads_, current_;
static jmp_buf *scheduler_;             /* outside: it holds registers of the search */

/* ---- what threads call -------------------------------------------------------------- */

/* What lies below the stack pointer is not part of the state. */
register char *stack_pointer_ __asm__("sp");

static __attribute__((noinline)) int stop_at(const char *what, volatile uint32_t *asleep, int n)
{
    struct coroutine *t = &threads_[current_];

    t->what = what;
    t->asleep = asleep;
    t->nchoices = n;
    t->low = stack_pointer_;
    if (_setjmp(t->where) == 0)
        _longjmp(*scheduler_, 1);
    return threads_[current_].choice;
}

static inline void point(const char *what) { stop_at(what, NULL, 1); }
static inline int choose(const char *what, int n) { return stop_at(what, NULL, n); }
static inline void sleep_while(const char *what, volatile uint32_t *flag)
{
    stop_at(what, flag, 1);
}

static void enter_(void)
{
    struct coroutine *t = &threads_[current_];

    stop_at("begin", NULL, 1);
    t->f(t->argument);
    t->done = true;
    t->what = "end";
    t->low = t->stack + STACK;
    _longjmp(*scheduler_, 1);
}

static ucontext_t start_context_;
static void *memory_(size_t n);

static void begin(void (*f)(int), int argument)
{
    struct coroutine *t = &threads_[nthreads_];

    if (scheduler_ == NULL)
        scheduler_ = memory_(sizeof *scheduler_);
    current_ = nthreads_++;
    t->f = f;
    t->argument = argument;
    getcontext(&start_context_);
    start_context_.uc_stack.ss_sp = t->stack;
    start_context_.uc_stack.ss_size = STACK;
    start_context_.uc_link = NULL;
    makecontext(&start_context_, enter_, 0);
    if (_setjmp(*scheduler_) == 0)
        setcontext(&start_context_);
}

/* ---- the search ------------------------------------------------------------------------ */

extern char __data_start[], _end[];

struct step { int thread, choice; const char *what; };
struct frame { char *world; struct step next, taken; };

/* Everything that must survive a change of worlds; mapped, so not part of them. */
struct search {
    uint64_t (*seen)[2];
    uint64_t nseen, room, nsteps, nends;
    struct frame *stack;
    int depth, deepest;
    char *free_worlds[1000];
    int nfree;
    size_t size;
    void (*check)(void), (*end)(void);
};
static struct search *search_;

static void *memory_(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        violated("no memory for the search");
    return p;
}

static void tell_schedule_(void)
{
    for (int i = 0; i < search_->depth && i < 200; i++) {
        struct step s = search_->stack[i].taken;
        printf("step %d: thread %d: %s", i + 1, s.thread, s.what);
        printf(s.choice > 0 ? " (%d)\n" : "\n", s.choice);
    }
}

static bool is_enabled_(const struct coroutine *t)
{
    return !t->done && (t->asleep == NULL || *t->asleep == 0);
}

static bool is_new_(void)
{
    const uint64_t *w = (const uint64_t *)__data_start;
    uint64_t a = 1, b = 2;

    for (int i = 0; i < nthreads_; i++) {
        memset(threads_[i].stack, 0, (size_t)(threads_[i].low - threads_[i].stack));
    }
    for (size_t i = 0; i < search_->size / 8; i++)
        if (w[i] != 0) {
            a = (a ^ w[i] ^ i << 40) * UINT64_C(0x9e3779b97f4a7c15);
            a ^= a >> 31;
            b = (b + w[i]) * UINT64_C(0xd6e8feb86659fd93) + i;
            b ^= b >> 29;
        }
    a |= 1;
    for (uint64_t i = b % search_->room;; i = (i + 1) % search_->room) {
        if (search_->seen[i][0] == a && search_->seen[i][1] == b)
            return false;
        if (search_->seen[i][0] == 0) {
            search_->seen[i][0] = a;
            search_->seen[i][1] = b;
            if (++search_->nseen > search_->room / 4 * 3)
                violated("more than %" PRIu64 " states", search_->nseen);
            return true;
        }
    }
}

static void push_(void)
{
    struct frame *f = &search_->stack[search_->depth++];

    if (search_->depth >= DEEPEST)
        violated("deeper than %d steps", DEEPEST);
    if (search_->depth > search_->deepest)
        search_->deepest = search_->depth;
    f->world = search_->nfree > 0 ? search_->free_worlds[--search_->nfree]
                                  : memory_(search_->size);
    memcpy(f->world, __data_start, search_->size);
    f->next = (struct step){ 0, 0, NULL };
}

static void pop_(void)
{
    struct frame *f = &search_->stack[--search_->depth];

    if (search_->nfree < 1000)
        search_->free_worlds[search_->nfree++] = f->world;
    else
        munmap(f->world, search_->size);
}

/* Let thread i go on to its next point. */
static __attribute__((noinline)) void let_go_(int i, int choice)
{
    current_ = i;
    threads_[i].choice = choice;
    threads_[i].asleep = NULL;
    if (_setjmp(*scheduler_) == 0)
        _longjmp(threads_[i].where, 1);
}

static void visit_(void)
{
    bool stuck = true, ended = true;

    search_->check();
    for (int i = 0; i < nthreads_; i++) {
        stuck &= !is_enabled_(&threads_[i]);
        ended &= threads_[i].done;
    }
    if (ended) {
        search_->nends++;
        search_->end();
    } else if (stuck) {
        for (int i = 0; i < nthreads_; i++)
            if (!threads_[i].done)
                printf("stuck: thread %d: %s\n", i, threads_[i].what);
        violated("deadlock: threads sleep and nobody is left to wake them");
    }
}

static void explore(void (*check)(void), void (*end)(void))
{
    search_ = memory_(sizeof *search_);
    search_->size = (size_t)(_end - __data_start) / 8 * 8;
    search_->room = UINT64_C(1) << 25;
    search_->seen = memory_(search_->room * 16);
    search_->stack = memory_(sizeof *search_->stack * DEEPEST);
    search_->check = check;
    search_->end = end;
    before_dying = tell_schedule_;
    is_new_();
    visit_();
    push_();
    while (search_->depth > 0) {
        struct frame *f = &search_->stack[search_->depth - 1];
        memcpy(__data_start, f->world, search_->size);
        while (f->next.thread < nthreads_
               && (!is_enabled_(&threads_[f->next.thread])
                   || f->next.choice >= threads_[f->next.thread].nchoices)) {
            f->next.thread++;
            f->next.choice = 0;
        }
        if (f->next.thread == nthreads_) {
            pop_();
            continue;
        }
        f->taken = f->next;
        f->taken.what = threads_[f->next.thread].what;
        f->next.choice++;
        let_go_(f->taken.thread, f->taken.choice);
        search_->nsteps++;
        if (is_new_()) {
            visit_();
            push_();
        }
    }
    printf("deepest %d\nsteps %" PRIu64 "\nends %" PRIu64 "\nstates %" PRIu64 "\n",
           search_->deepest, search_->nsteps, search_->nends, search_->nseen);
}

#endif
