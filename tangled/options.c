/* Tangled from src.nw/13-options.nw; edit that, not this. */
/* options.c -- settings, read once, then sealed read-only. */

#include "options.h"

#include "report.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Set what holds when nothing is said.  [13-options.nw: The record] */
struct options options __attribute__((section(".data"))) = {
    .randomize = true,
    .sized_check = true,
    .tcache = true,
    .decay_ms = 10000,
    .tcache_bytes = POW2(25),
    .thp_from = POW2(23),
    .window_bytes = POW2(40),
    .sample_slots = 64,
};

/* Name the keys.  [13-options.nw: The table of keys] */
enum kind { FLAG, U32, I64, SIZE };

/* What may stand before the colon, and where its value goes. */
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;              /* in struct options */
    int64_t least, most;
} keys[] = {
    /* List the keys.  [13-options.nw: The table of keys] */
    { "abort_conf", FLAG, offsetof(struct options, abort_conf), 0, 1 },
    { "canary", FLAG, offsetof(struct options, canary), 0, 1 },
    { "confirm_conf", FLAG, offsetof(struct options, confirm_conf), 0, 1 },
    { "decay_ms", I64, offsetof(struct options, decay_ms), -1, INT32_MAX },
    { "guard_pages", FLAG, offsetof(struct options, guard_pages), 0, 1 },
    { "harden", FLAG, offsetof(struct options, harden), 0, 1 },
    { "junk", FLAG, offsetof(struct options, junk), 0, 1 },
    { "narenas", U32, offsetof(struct options, narenas), 0, 1024 },
    { "quarantine_bytes", SIZE, offsetof(struct options, quarantine_bytes),
      0, POW2(32) },
    { "random_place", FLAG, offsetof(struct options, random_place), 0, 1 },
    { "randomize", FLAG, offsetof(struct options, randomize), 0, 1 },
    { "sample", U32, offsetof(struct options, sample), 0, POW2(30) },
    { "sample_slots", U32, offsetof(struct options, sample_slots), 1, 4096 },
    { "sized_check", FLAG, offsetof(struct options, sized_check), 0, 1 },
    { "stats", FLAG, offsetof(struct options, stats), 0, 1 },
    { "tcache", FLAG, offsetof(struct options, tcache), 0, 1 },
    { "tcache_bytes", SIZE, offsetof(struct options, tcache_bytes), 0,
      INT64_MAX },
    { "thp_from", I64, offsetof(struct options, thp_from), -1, INT64_MAX },
    { "window_bytes", SIZE, offsetof(struct options, window_bytes),
      POW2(28), POW2(46) },
};

/* Declare a word of the string.
 * [13-options.nw: Taking the string apart] */
/* A piece of the string: from `at` on, n bytes. */
struct word {
    const char *at;
    size_t n;
};

static bool word_is(struct word w, const char *text)
{
    return strlen(text) == w.n && memcmp(w.at, text, w.n) == 0;
}

/* Parse a flag.  [13-options.nw: Values] */
static bool parse_flag(struct word w, int64_t *value)
{
    *value = word_is(w, "true");
    return *value || word_is(w, "false");
}

/* Parse a number.  [13-options.nw: Values] */
/* The shift that a unit letter stands for; 0 for any other. */
static unsigned unit_shift(char letter)
{
    return letter == 'k' || letter == 'K'   ? 10
           : letter == 'm' || letter == 'M' ? 20
           : letter == 'g' || letter == 'G' ? 30
                                            : 0;
}

/* A decimal number, perhaps negative, perhaps with k, m or g after it. */
static bool parse_number(struct word w, int64_t *value)
{
    bool negative = w.n > 0 && *w.at == '-';
    size_t i = negative;
    int64_t v = 0;

    if (i == w.n)
        return false;
    /* Read the digits and the unit.  [13-options.nw: Values] */
    for (; i < w.n && w.at[i] >= '0' && w.at[i] <= '9'; i++)
        if (__builtin_mul_overflow(v, 10, &v)
            || __builtin_add_overflow(v, w.at[i] - '0', &v))
            return false;
    if (i + 1 == w.n && i > negative && unit_shift(w.at[i]) != 0)
        if (__builtin_mul_overflow(v, (int64_t)POW2(unit_shift(w.at[i++])),
                                   &v))
            return false;
    *value = negative ? -v : v;
    return i == w.n;
}

/* Store a value in the settings.  [13-options.nw: Values] */
static void store(struct options *o, const struct key *k, int64_t value)
{
    char *at = (char *)o + k->offset;

    switch (k->kind) {
    case FLAG:
        *(bool *)at = value != 0;
        break;
    case U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case I64:
        *(int64_t *)at = value;
        break;
    case SIZE:
        *(size_t *)at = (size_t)value;
        break;
    }
}

/* Make a string of a word.  [13-options.nw: Values] */
/* Words are cut to what one line of a report can hold. */
static const char *word_text(struct word w, char text[64])
{
    size_t n = w.n < 63 ? w.n : 63;

    memcpy(text, w.at, n);
    text[n] = '\0';
    return text;
}

/* Take one pair.  [13-options.nw: Taking the string apart] */
/* Take one "key:value"; say what is wrong with it, if anything is. */
static bool parse_pair(struct options *o, struct word key, struct word value)
{
    char a[64], b[64];
    int64_t v = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct key *k = &keys[i];
        if (!word_is(key, k->name))
            continue;
        if (!(k->kind == FLAG ? parse_flag : parse_number)(value, &v)
            || v < k->least || v > k->most) {
            report_warning("LITMALLOC_CONF: %s: bad value \"%s\"", k->name,
                           word_text(value, b));
            return false;
        }
        store(o, k, v);
        return true;
    }
    report_warning("LITMALLOC_CONF: unknown key \"%s\"", word_text(key, a));
    return false;
}

/* Parse the whole string.  [13-options.nw: Taking the string apart] */
bool options_parse(struct options *o, const char *text)
{
    bool good = true;

    while (*text != '\0') {
        struct word pair = { text, strcspn(text, ",") };
        const char *colon = memchr(pair.at, ':', pair.n);
        size_t n = colon == NULL ? pair.n : (size_t)(colon - pair.at);
        struct word key = { pair.at, n }, value = { "", 0 };

        if (colon != NULL)
            value = (struct word){ colon + 1, pair.n - n - 1 };
        if (pair.n > 0)
            good &= parse_pair(o, key, value);
        text += pair.n + (text[pair.n] == ',');
    }
    return good;
}

/* Find our string in the environment.  [13-options.nw: Start, and seal] */
/* Our own walk over the environment: getenv may be somebody else's. */
static const char *find_conf(char **environment)
{
    static const char name[] = "LITMALLOC_CONF=";

    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, name, sizeof name - 1) == 0)
            return *environment + sizeof name - 1;
    return NULL;
}

/* Print the settings.  [13-options.nw: Start, and seal] */
static int64_t load(const struct options *o, const struct key *k)
{
    const char *at = (const char *)o + k->offset;

    return k->kind == FLAG  ? *(const bool *)at
           : k->kind == U32 ? (int64_t) * (const uint32_t *)at
                            : *(const int64_t *)at;
}

static void confirm(const struct options *o)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int64_t v = load(o, &keys[i]);
        report_warning("%s:%s%zu", keys[i].name, v < 0 ? "-" : "",
                       (size_t)(v < 0 ? -v : v));
    }
}

/* Remember that the settings are sealed.
 * [13-options.nw: Start, and seal] */
static bool sealed;

/* Settle what follows from what.  [13-options.nw: Start, and seal] */
/* harden stands for all of its parts; and what each of them wants to see are
 * all calls, so no thread may keep anything back. */
static void settle(struct options *o)
{
    if (o->harden) {
        o->canary = o->junk = o->guard_pages = o->random_place = true;
        if (o->quarantine_bytes == 0)
            o->quarantine_bytes = POW2(18);
    }
    o->guarded = o->canary || o->junk || o->guard_pages
                 || o->quarantine_bytes > 0;
}

/* Read the settings and seal them.  [13-options.nw: Start, and seal] */
void options_start(char **environment, bool secure)
{
    const char *conf = secure ? NULL : find_conf(environment);

    /* A start that failed for want of memory is tried again. */
    if (sealed)
        return;
    sealed = true;
    if (conf != NULL && !options_parse(&options, conf) && options.abort_conf)
        report_die("abort_conf is set: giving up");
    settle(&options);
    if (options.confirm_conf)
        confirm(&options);
    /* A refusal leaves them writable, which is how they were. */
    system_call(SYS_mprotect, (long)&options, sizeof options, PROT_READ, 0,
                0, 0);
}
