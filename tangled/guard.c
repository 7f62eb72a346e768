/* Tangled from src.nw/61-guard.nw; edit that, not this. */
/* guard.c -- hardening at the door. */

#include "guard.h"

#include "arena.h"
#include "base.h"
#include "mutex.h"
#include "options.h"
#include "pages.h"
#include "report.h"

#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

/* Declare the seal.  [61-guard.nw: What a hardened block looks like] */
enum {
    NEW = 0xa5, FREED = 0xdf, SLACK = 0xc5,     /* bytes */
    FILL_MAX = 64 * 1024,       /* so many of a block are filled at most */
    SLACK_MAX = 4 * 1024
};

/* The last 16 bytes of every block. */
struct seal {
    uint64_t size;              /* asked for; made illegible */
    uint64_t mark;              /* live or freed */
};

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

/* Fill and look at bytes.  [61-guard.nw: Taking] */
static void fill(void *p, int byte, size_t n)
{
    memset(p, byte, n < FILL_MAX ? n : FILL_MAX);
}

static bool is_filled(const void *p, int byte, size_t n)
{
    const unsigned char *b = p;

    n = n < FILL_MAX ? n : FILL_MAX;
    return n == 0 || (b[0] == byte && memcmp(b, b + 1, n - 1) == 0);
}

/* The bytes between the program's and the seal. */
static size_t slack(const void *p, size_t size, const struct seal *s)
{
    size_t n = (uintptr_t)s - (uintptr_t)p - size;

    return n < SLACK_MAX ? n : SLACK_MAX;
}

/* Say what to ask for.  [61-guard.nw: The seal] */
size_t guard_request(size_t size)
{
    size_t total = size + sizeof(struct seal);

    return has_guard_page(total) ? total + pages_size : total;
}

/* Seal a block.  [61-guard.nw: Taking] */
void *guard_seal(void *p, size_t size, bool may_fill)
{
    if (p == NULL)
        return NULL;
    size_t total = arena_size(p, "malloc");
    struct seal *s = seal_of(p, total);

    if (has_guard_page(total))
        pages_guard(s + 1, pages_size);
    if (options.junk && may_fill)
        fill(p, NEW, size);
    if (options.canary)
        memset((char *)p + size, SLACK, slack(p, size, s));
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
/* The size and the seal of the live block at p. */
static size_t read_seal(const void *p, struct seal **seal, const char *call)
{
    size_t total = arena_size(p, call);
    struct seal *s = *seal = seal_of(p, total);
    size_t size = s->size ^ key_of(p);
    uint64_t mark = live_seal(p, size).mark;

    if (s->mark == ~mark)
        twice(call, p, size);
    if (s->mark != mark || size > (uintptr_t)s - (uintptr_t)p)
        damaged(call, p);
    return size;
}

size_t guard_size(const void *p, const char *call)
{
    struct seal *s;

    return read_seal(p, &s, call);
}

/* Declare the quarantine.  [61-guard.nw: Quarantine] */
enum { QUARANTINE_MAX = 4096 };         /* blocks */

/* A ring: the oldest is at first. */
static struct {
    struct mutex lock;
    void **blocks;              /* [QUARANTINE_MAX]; NULL: no quarantine */
    size_t first, n;
    size_t nbytes;              /* of the blocks, seals and all */
} quarantine = { .lock = MUTEX_INIT(RANK_GUARD) };

static size_t total_of(const struct seal *s, const void *p)
{
    return (uintptr_t)(s + 1) - (uintptr_t)p;
}

/* Put a block into quarantine.  [61-guard.nw: Quarantine] */
/* False if it is too large to stay. */
static bool confine(void *p, size_t total)
{
    bool stays = quarantine.blocks != NULL
                 && total <= options.quarantine_bytes / 4;

    if (!stays)
        return false;
    mutex_lock(&quarantine.lock);
    stays = quarantine.n < QUARANTINE_MAX;
    if (stays) {
        size_t i = (quarantine.first + quarantine.n++) % QUARANTINE_MAX;
        quarantine.blocks[i] = p;
        quarantine.nbytes += total;
    }
    mutex_unlock(&quarantine.lock);
    return stays;
}

/* Send a block home.  [61-guard.nw: Quarantine] */
/* A block leaves for good: nobody may have written to it since it was
 * freed.  NULL if it must stay away, since its guard page cannot be undone. */
static void *send_home(void *p, size_t total)
{
    struct seal *s = seal_of(p, total);
    size_t size = s->size ^ key_of(p);

    if (s->mark != ~live_seal(p, size).mark)
        report_die("free(): the end of block %p was written to after it had "
                   "been freed", p);
    if (options.junk
        && !is_filled(p, FREED, (uintptr_t)s - (uintptr_t)p))
        report_die("free(): block %p of %zu bytes was written to after it "
                   "had been freed", p, size);
    if (has_guard_page(total) && !pages_unguard(s + 1, pages_size))
        return NULL;
    return p;
}

/* Let a block out of quarantine.  [61-guard.nw: Quarantine] */
/* The oldest block, if there are too many or too large ones; else NULL. */
static void *release(size_t *total)
{
    void *p = NULL;

    mutex_lock(&quarantine.lock);
    if (quarantine.n == QUARANTINE_MAX
        || quarantine.nbytes > options.quarantine_bytes) {
        p = quarantine.blocks[quarantine.first];
        quarantine.first = (quarantine.first + 1) % QUARANTINE_MAX;
        quarantine.n--;
        *total = arena_size(p, "free");
        quarantine.nbytes -= total_of(seal_of(p, *total), p);
    }
    mutex_unlock(&quarantine.lock);
    return p;
}

void *guard_overdue(void)
{
    size_t total;
    void *p = release(&total);

    return p == NULL ? NULL : send_home(p, total);
}

/* Break a seal.  [61-guard.nw: Breaking the seal] */
/* Turn the mark from live to freed.  Of two threads that free a block at
 * once, one is told that it came too late. */
static bool strike_out(struct seal *s, uint64_t mark)
{
    return __atomic_compare_exchange_n(&s->mark, &mark, ~mark, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void *guard_break(void *p, const char *call)
{
    struct seal *s;

    if (p == NULL)
        return NULL;
    size_t size = read_seal(p, &s, call);
    if (!strike_out(s, live_seal(p, size).mark))
        twice(call, p, size);
    if (options.canary
        && !is_filled((char *)p + size, SLACK, slack(p, size, s)))
        damaged(call, p);
    if (options.junk)
        fill(p, FREED, (uintptr_t)s - (uintptr_t)p);
    return confine(p, total_of(s, p)) ? NULL
                                      : send_home(p, arena_size(p, call));
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
    if (options.quarantine_bytes > 0 && quarantine.blocks == NULL)
        quarantine.blocks = base_take(QUARANTINE_MAX * sizeof(void *));
    return options.quarantine_bytes == 0 || quarantine.blocks != NULL;
}

void guard_before_fork(void)
{
    mutex_lock_for_fork(&quarantine.lock);
}

void guard_after_fork(bool in_child)
{
    (in_child ? mutex_renew_in_child
              : mutex_unlock_after_fork)(&quarantine.lock);
}
