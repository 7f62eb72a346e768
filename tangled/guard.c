/* Tangled from src.nw/61-guard.nw; edit that, not this. */
/* guard.c -- hardening at the door. */

#include "guard.h"

#include "arena.h"
#include "base.h"
#include "mutex.h"
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
typedef uint64_t two_words __attribute__((vector_size(16), may_alias));

/* Fill n bytes of a block, n a multiple of 16; by hand as far as LOOP_MAX,
 * where a call would guess wrong about n more than once. */
static void fill(void *p, uint64_t word, size_t n)
{
    two_words *w = p, *last = w + n / 16 - 1, v;

    if (unlikely(n - 1 >= LOOP_MAX)) {
        memset(p, (unsigned char)word, n < FILL_MAX ? n : FILL_MAX);
        return;
    }
    __asm__("" : "+r"(word));   /* else gcc makes a slow rep stos of it */
    v = (two_words){ word, word };
    for (*last = v; w < last; w += 2)
        w[0] = w[1] = v;
}

static bool is_filled(const void *p, uint64_t word, size_t n)
{
    const two_words *w = p, *last = w + n / 16 - 1;
    two_words v = { word, word }, other;

    if (unlikely(n - 1 >= LOOP_MAX))
        return n == 0
               || (*(const uint64_t *)p == word
                   && memcmp(p, (const char *)p + 8,
                             (n < FILL_MAX ? n : FILL_MAX) - 8) == 0);
    for (other = *last ^ v; w < last; w += 2)
        other |= (w[0] ^ v) | (w[1] ^ v);
    return (other[0] | other[1]) == 0;
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
static struct seal *seal_in(struct resting r)
{
    return (struct seal *)((uintptr_t)r.block + r.nbytes) - 1;
}

/* Is r, as guard_find made it, a small block with a live seal? */
static bool is_live(struct resting r)
{
    const struct seal *s = seal_in(r);

    return r.class != CLASS_NONE && (uintptr_t)r.block % QUANTUM == 0
           && (((uintptr_t)s ^ (uintptr_t)r.block) < PAGE
               || pagemap_class(s) == r.class)
           && s->mark == live_mark(r.block, s);
}

/* The same for any block; dies if there is none or the seal is not live. */
static NOINLINE struct resting look_closely(struct resting r, const char *call)
{
    void *p = r.block;
    struct seal *s = seal_of(p, arena_size(p, call));

    if (s->mark == freed_mark(p, s))
        twice(call, p, s->size ^ key_of(p));
    if (s->mark != live_mark(p, s))
        damaged(call, p);
    r.nbytes = (uintptr_t)(s + 1) - (uintptr_t)p;
    return r;
}

/* Read a seal, continued.  [61-guard.nw: Breaking the seal] */
/* The live block that r should be, and the size that was asked for. */
static struct resting read_seal(struct resting r, size_t *size,
                                const char *call)
{
    if (unlikely(!is_live(r)))
        r = look_closely(r, call);
    *size = seal_in(r)->size ^ key_of(r.block);
    if (unlikely(*size > r.nbytes - sizeof(struct seal)))
        damaged(call, r.block);
    return r;
}

size_t guard_size(const void *p, const char *call)
{
    size_t size;

    read_seal(guard_find(p), &size, call);
    return size;
}

/* Seal a block again.  [61-guard.nw: Breaking the seal] */
bool guard_resize(void *p, size_t size, const char *call)
{
    size_t old, n = guard_request(size);
    struct seal *s = seal_in(read_seal(guard_find(p), &old, call));

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

/* Declare the shared quarantine.  [61-guard.nw: Quarantine] */
enum { AHEAD = 4 };             /* blocks */

static const struct resting nothing;
static struct mutex lock = MUTEX_INIT(RANK_GUARD);
static struct quarantine *shared;       /* guarded by lock; NULL: none at all */

/* Put a block into quarantine.  [61-guard.nw: Quarantine] */
static void put_newest(struct quarantine *q, struct resting r)
{
    q->blocks[(q->first + q->n++) % QUARANTINE_MAX] = r;
    q->nbytes += r.nbytes;
}

static NOINLINE bool confine_with_others(struct resting r)
{
    mutex_lock(&lock);
    bool stays = shared->n < QUARANTINE_MAX;
    if (stays)
        put_newest(shared, r);
    mutex_unlock(&lock);
    return stays;
}

/* False if it is too large to stay. */
static bool confine(struct quarantine *q, struct resting r)
{
    if (r.nbytes > options.quarantine_bytes / 4)
        return false;
    if (q == NULL)
        return confine_with_others(r);
    put_newest(q, r);
    return true;
}

/* Send a block home.  [61-guard.nw: Quarantine] */
/* Nothing if a block must stay away, since its guard page cannot be
 * undone. */
static struct resting let_go(struct resting r)
{
    bool stays = r.class == CLASS_NONE && has_guard_page(SIZE_MAX)
                 && !pages_unguard(seal_in(r) + 1, pages_size);

    return stays ? nothing : r;
}

/* A block leaves for good: nobody may have written to it since it was
 * freed. */
static struct resting send_home(struct resting r)
{
    const struct seal *s = seal_in(r);

    if (unlikely(s->mark != freed_mark(r.block, s)))
        report_die("free(): the end of block %p was written to after it had "
                   "been freed", r.block);
    if (options.junk
        && unlikely(!is_filled(r.block, FREED, r.nbytes - sizeof *s)))
        report_die("free(): block %p of %zu bytes was written to after it "
                   "had been freed", r.block,
                   (size_t)(s->size ^ key_of(r.block)));
    return let_go(r);
}

/* Let a block out of quarantine.  [61-guard.nw: Quarantine] */
static struct resting take_oldest(struct quarantine *q)
{
    struct resting r = q->blocks[q->first];

    guard_expect(q->blocks[(q->first + AHEAD) % QUARANTINE_MAX]);
    q->first = (q->first + 1) % QUARANTINE_MAX;
    q->n--;
    q->nbytes -= r.nbytes;
    return r;
}

/* The oldest block, if there are too many or too large ones, or at any
 * rate; else nothing. */
static struct resting release(struct quarantine *q, bool any)
{
    return guard_is_crowded(q) || (any && q->n > 0) ? take_oldest(q) : nothing;
}

static struct resting release_with_others(bool any)
{
    mutex_lock(&lock);
    struct resting r = release(shared, any);
    mutex_unlock(&lock);
    return r;
}

/* Let a block out of quarantine, continued.  [61-guard.nw: Quarantine] */
static NOINLINE struct resting let_out(struct quarantine *q, bool any)
{
    struct resting r, home = nothing;

    while (shared != NULL && home.block == NULL
           && (r = q == NULL ? release_with_others(any)
                             : release(q, any)).block != NULL)
        home = send_home(r);
    return home;
}

struct resting guard_overdue(struct quarantine *q)
{
    struct resting home = nothing;

    if (q != NULL && guard_is_crowded(q))
        home = send_home(take_oldest(q));
    return likely(home.block != NULL) ? home : let_out(q, false);
}

struct resting guard_oldest(struct quarantine *q)
{
    return let_out(q, true);
}

/* Begin and end a thread's quarantine.  [61-guard.nw: Quarantine] */
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

struct resting guard_break(struct quarantine *q, struct resting r,
                           const char *call)
{
    size_t size;
    struct seal *s = seal_in(r = read_seal(r, &size, call));

    if (!strike_out(s, live_mark(r.block, s)))
        twice(call, r.block, size);
    if (options.canary && !slack_is_whole(r.block, size, s))
        damaged(call, r.block);
    if (options.junk)
        fill(r.block, FREED, r.nbytes - sizeof *s);
    return confine(q, r) ? nothing : let_go(r);
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
