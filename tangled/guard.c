/* Tangled from src.nw/61-guard.nw; edit that, not this. */
/* guard.c -- hardening at the door. */

#include "guard.h"

#include "arena.h"
#include "base.h"
#include "mutex.h"
#include "options.h"
#include "pagemap.h"
#include "pages.h"
#include "report.h"

#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

/* Declare the seal.  [61-guard.nw: What a hardened block looks like] */
/* Eight bytes of what is new, of what is freed, and of what is neither. */
#define NEW   UINT64_C(0xa5a5a5a5a5a5a5a5)
#define FREED UINT64_C(0xdfdfdfdfdfdfdfdf)
#define SLACK UINT64_C(0xc5c5c5c5c5c5c5c5)

enum {
    LOOP_MAX = 512,             /* bytes */
    FILL_MAX = 64 * 1024        /* so many of a block are filled at most */
};

/* The last 16 bytes of every block. */
struct seal {
    uint64_t size;              /* asked for; made illegible */
    uint64_t mark;              /* live or freed */
};

static_assert(sizeof(struct seal) == GUARD_SEAL, "what the door adds");

static uint64_t secret;         /* set by guard_start, then constant */

/* Find the seal of a block.  [61-guard.nw: The seal] */
/* Has a block of so many bytes a guard page at its end? */
static bool has_guard_page(size_t total)
{
    return options.guard_pages && total > SMALL_MAX && pages_size <= PAGE;
}

static struct seal *seal_of(const void *p, size_t total)
{
    size_t end = has_guard_page(total) ? total - pages_size : total;

    return (struct seal *)((uintptr_t)p + end) - 1;
}

/* Compute what a seal must say.  [61-guard.nw: The seal] */
static uint64_t key_of(const void *p)
{
    return secret ^ (uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15);
}

static struct seal live_seal(const void *p, size_t size)
{
    uint64_t key = key_of(p);

    return (struct seal){ size ^ key, key * key ^ size };
}

/* The marks that fit the first word of the seal behind p. */
static uint64_t live_mark(const void *p, const struct seal *s)
{
    return live_seal(p, s->size ^ key_of(p)).mark;
}

static uint64_t freed_mark(const void *p, const struct seal *s)
{
    return ~live_mark(p, s);
}

/* Fill and look at bytes.  [61-guard.nw: Taking] */
/* What n bytes of a block are filled with, n a multiple of 16; by hand as far
 * as LOOP_MAX, where a call would guess wrong about n more than once. */
static void fill(void *p, uint64_t word, size_t n)
{
    uint64_t *w = p;

    if (n > LOOP_MAX) {
        memset(p, (unsigned char)word, n < FILL_MAX ? n : FILL_MAX);
        return;
    }
    __asm__("" : "+r"(word));   /* else gcc makes a slow rep stos of it */
    for (; n > 0; n -= 16, w += 2)
        w[0] = w[1] = word;
}

static bool is_filled(const void *p, uint64_t word, size_t n)
{
    const uint64_t *w = p;
    uint64_t other = 0;

    if (n > LOOP_MAX)
        return w[0] == word
               && memcmp(w, w + 1, (n < FILL_MAX ? n : FILL_MAX) - 8) == 0;
    for (; n > 0; n -= 16, w += 2)
        other |= (w[0] ^ word) | (w[1] ^ word);
    return other == 0;
}

/* Fill and look at the slack.  [61-guard.nw: Taking] */
/* The first bytes behind the program's, 16 of them or those before the seal.
 * To fill them may harm the seal, which is written afterwards. */
static void fill_slack(void *p, size_t size)
{
    uint64_t words[2] = { SLACK, SLACK };

    memcpy((char *)p + size, words, sizeof words);
}

/* The first n bytes of a word, as they lie in memory. */
static uint64_t bytes_of(size_t n)
{
    return n >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << n * 8) - 1;
}

static bool slack_is_whole(const void *p, size_t size, const struct seal *s)
{
    size_t n = (uintptr_t)s - (uintptr_t)p - size;
    uint64_t words[2];

    memcpy(words, (const char *)p + size, sizeof words);
    return (((words[0] ^ SLACK) & bytes_of(n))
            | ((words[1] ^ SLACK) & bytes_of(n < 8 ? 0 : n - 8))) == 0;
}

/* Say what to ask for.  [61-guard.nw: The seal] */
size_t guard_request(size_t size)
{
    size_t total = size + sizeof(struct seal);

    return has_guard_page(total) ? total + pages_size : total;
}

/* Seal a block.  [61-guard.nw: Taking] */
void *guard_seal(void *p, size_t total, size_t size, bool may_fill)
{
    struct seal *s = seal_of(p, total);

    if (has_guard_page(total))
        pages_guard(s + 1, pages_size);
    if (options.junk && may_fill && s->mark != freed_mark(p, s))
        fill(p, NEW, (uintptr_t)s - (uintptr_t)p);
    if (options.canary)
        fill_slack(p, size);
    *s = live_seal(p, size);
    return p;
}

/* Say what is wrong with a block.  [61-guard.nw: Breaking the seal] */
static COLD _Noreturn void damaged(const char *call, const void *p)
{
    report_die("%s(): block %p is damaged behind its end: an overflow",
               call, p);
}

static COLD _Noreturn void twice(const char *call, const void *p, size_t size)
{
    report_die("%s(): double free of %p: a block of %zu bytes, free already",
               call, p, size);
}

/* Read a seal.  [61-guard.nw: Breaking the seal] */
/* The seal behind p, if that is a small block and the seal is a live one. */
static struct seal *find_live(const void *p)
{
    size_t c = pagemap_class(p);
    struct seal *s = seal_of(p, sizeclasses[c].size);

    return c != CLASS_NONE && (uintptr_t)p % QUANTUM == 0
                   && pagemap_class(s) == c && s->mark == live_mark(p, s)
               ? s
               : NULL;
}

/* The same for any block; dies if there is none or the seal is not live. */
static NOINLINE struct seal *look_closely(const void *p, const char *call)
{
    struct seal *s = seal_of(p, arena_size(p, call));

    if (s->mark == freed_mark(p, s))
        twice(call, p, s->size ^ key_of(p));
    if (s->mark != live_mark(p, s))
        damaged(call, p);
    return s;
}

/* Read a seal, continued.  [61-guard.nw: Breaking the seal] */
/* The size and the seal of the live block at p. */
static size_t read_seal(const void *p, struct seal **seal, const char *call)
{
    struct seal *s = find_live(p);

    if (unlikely(s == NULL))
        s = look_closely(p, call);
    size_t size = s->size ^ key_of(p);
    if (size > (uintptr_t)s - (uintptr_t)p)
        damaged(call, p);
    *seal = s;
    return size;
}

size_t guard_size(const void *p, const char *call)
{
    struct seal *s;

    return read_seal(p, &s, call);
}

/* Seal a block again.  [61-guard.nw: Breaking the seal] */
bool guard_resize(void *p, size_t size, const char *call)
{
    struct seal *s;
    size_t old = read_seal(p, &s, call), n = guard_request(size);

    if (size > LARGE_MAX || n > LARGE_MAX
        || seal_of(p, sizeclasses[sizeclass_of(n)].size) != s)
        return false;
    if (options.canary && !slack_is_whole(p, old, s))
        damaged(call, p);
    if (options.junk && size > old)
        memset((char *)p + old, (unsigned char)NEW, size - old);
    if (options.canary)
        fill_slack(p, size);
    *s = live_seal(p, size);
    return true;
}

/* Declare the quarantine.  [61-guard.nw: Quarantine] */
enum { QUARANTINE_MAX = 1024, AHEAD = 4 };      /* blocks */

/* A ring: the oldest is at first. */
struct quarantine {
    size_t first, n;
    size_t nbytes;              /* of the blocks, seals and all */
    struct resting {
        void *block;
        struct seal *seal;
    } blocks[QUARANTINE_MAX];
};

static struct mutex lock = MUTEX_INIT(RANK_GUARD);
static struct quarantine *shared;       /* guarded by lock; NULL: none at all */

/* Without the guard page. */
static size_t total_of(struct resting r)
{
    return (uintptr_t)(r.seal + 1) - (uintptr_t)r.block;
}

/* Let one thread at a time into the shared one.
 * [61-guard.nw: Quarantine] */
static UNCHECKED struct quarantine *enter(struct quarantine *q)
{
    if (q != NULL)
        return q;
    mutex_lock(&lock);
    return shared;
}

static UNCHECKED void leave(const struct quarantine *q)
{
    if (q == shared)
        mutex_unlock(&lock);
}

/* Put a block into quarantine.  [61-guard.nw: Quarantine] */
/* False if it is too large to stay. */
static bool confine(struct quarantine *q, struct resting r)
{
    if (shared == NULL || total_of(r) > options.quarantine_bytes / 4)
        return false;
    q = enter(q);
    bool stays = q->n < QUARANTINE_MAX;
    if (stays) {
        q->blocks[(q->first + q->n++) % QUARANTINE_MAX] = r;
        q->nbytes += total_of(r);
    }
    leave(q);
    return stays;
}

/* Send a block home.  [61-guard.nw: Quarantine] */
/* NULL if a block must stay away, since its guard page cannot be undone. */
static void *let_go(void *p, struct seal *s)
{
    bool small = pagemap_class(p) != CLASS_NONE;

    return small || !has_guard_page(SIZE_MAX)
                   || pages_unguard(s + 1, pages_size)
               ? p
               : NULL;
}

/* A block leaves for good: nobody may have written to it since it was
 * freed. */
static void *send_home(void *p, struct seal *s)
{
    if (s->mark != freed_mark(p, s))
        report_die("free(): the end of block %p was written to after it had "
                   "been freed", p);
    if (options.junk
        && !is_filled(p, FREED, (uintptr_t)s - (uintptr_t)p))
        report_die("free(): block %p of %zu bytes was written to after it "
                   "had been freed", p, (size_t)(s->size ^ key_of(p)));
    return let_go(p, s);
}

/* Let a block out of quarantine.  [61-guard.nw: Quarantine] */
static bool is_full(const struct quarantine *q)
{
    return q->n == QUARANTINE_MAX || q->nbytes > options.quarantine_bytes;
}

/* The oldest block, if there are too many or too large ones, or at any
 * rate; else NULL. */
static struct resting release(struct quarantine *q, bool any)
{
    struct resting r = { NULL, NULL }, next;

    q = enter(q);
    if (is_full(q) || (any && q->n > 0)) {
        r = q->blocks[q->first];
        next = q->blocks[(q->first + AHEAD) % QUARANTINE_MAX];
        __builtin_prefetch(next.block);
        __builtin_prefetch(next.seal);
        q->first = (q->first + 1) % QUARANTINE_MAX;
        q->n--;
        q->nbytes -= total_of(r);
    }
    leave(q);
    return r;
}

/* Let a block out of quarantine, continued.  [61-guard.nw: Quarantine] */
static void *let_out(struct quarantine *q, bool any)
{
    struct resting r;
    void *home = NULL;

    while (shared != NULL && home == NULL
           && (r = release(q, any)).block != NULL)
        home = send_home(r.block, r.seal);
    return home;
}

void *guard_overdue(struct quarantine *q)
{
    return q != NULL && !is_full(q) ? NULL : let_out(q, false);
}

void *guard_oldest(struct quarantine *q)
{
    return let_out(q, true);
}

/* Begin and end a thread's quarantine.  [61-guard.nw: Quarantine] */
void guard_expect(const void *p)
{
    uintptr_t end = (uintptr_t)p + sizeclasses[pagemap_class(p)].size;

    __builtin_prefetch((void *)(end - GUARD_SEAL), 1);
    __builtin_prefetch(p, 1);
}

struct quarantine *guard_begin(void)
{
    return options.quarantine_bytes == 0
               ? NULL
               : base_take(sizeof(struct quarantine));
}

void guard_end(struct quarantine *q)
{
    if (q != NULL)
        base_put(q, sizeof *q);
}

/* Break a seal.  [61-guard.nw: Breaking the seal] */
/* Turn the mark from live to freed.  Of two threads that free a block at
 * once, one is told that it came too late. */
static bool strike_out(struct seal *s, uint64_t mark)
{
    if (!mutex_is_needed()) {
        s->mark = ~mark;
        return true;
    }
    return __atomic_compare_exchange_n(&s->mark, &mark, ~mark, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void *guard_break(struct quarantine *q, void *p, const char *call)
{
    struct seal *s;
    size_t size = read_seal(p, &s, call);

    if (!strike_out(s, live_mark(p, s)))
        twice(call, p, size);
    if (options.canary && !slack_is_whole(p, size, s))
        damaged(call, p);
    if (options.junk)
        fill(p, FREED, (uintptr_t)s - (uintptr_t)p);
    return confine(q, (struct resting){ p, s }) ? NULL : let_go(p, s);
}

/* Draw a secret.  [61-guard.nw: A secret, and a fork] */
/* Not the word that pages_random knows: it is made of the C library's own
 * secrets, and whoever can read a seal can compute ours. */
static uint64_t draw_secret(void)
{
    uint64_t word;

    if (system_call(SYS_getrandom, (long)&word, sizeof word, GRND_NONBLOCK,
                    0, 0, 0) != sizeof word)
        word = pages_random() * UINT64_C(0xd1342543de82ef95);
    return word;
}

/* Start the guards, and stand still around fork.
 * [61-guard.nw: A secret, and a fork] */
bool guard_start(void)
{
    if (!options.guarded)
        return true;
    secret = draw_secret();
    if (shared == NULL)
        shared = guard_begin();
    return options.quarantine_bytes == 0 || shared != NULL;
}

void guard_before_fork(void)
{
    mutex_lock_for_fork(&lock);
}

void guard_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child : mutex_unlock_after_fork)(&lock);
}
