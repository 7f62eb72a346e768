/* test_options.c -- O1 to O5 of the chapter on options, and what the manual says.
 *
 * The room is compiled into this file, for its table of keys. */

#include "options.c"

#include "unit.h"

#include <fcntl.h>

#ifdef LIT_COVERAGE
enum { COUNTED = 1 };                   /* make coverage */
#else
enum { COUNTED = 0 };
#endif

static_assert(sizeof(struct options) == SEAL_ALIGNMENT, "alone in its page");
static_assert(_Alignof(struct options) == SEAL_ALIGNMENT, "from its start");
static_assert(offsetof(struct options, narenas) == 0x0c
              && offsetof(struct options, decay_ms) == 0x10
              && offsetof(struct options, quarantine_bytes) == 0x18
              && offsetof(struct options, tcache_bytes) == 0x20
              && offsetof(struct options, thp_from) == 0x28
              && offsetof(struct options, window_bytes) == 0x30
              && offsetof(struct options, sample) == 0x38
              && offsetof(struct options, sample_slots) == 0x3c,
              "figure options");

static struct options defaults(void)
{
    return (struct options){ .randomize = true,
                             .sized_check = true,
                             .tcache = true,
                             .decay_ms = 10000,
                             .tcache_bytes = (size_t)32 << 20,
                             .thp_from = 8 << 20,
                             .window_bytes = (size_t)1024 << 30,
                             .sample_slots = 64 };
}

static void silence(void)
{
    int null = open("/dev/null", O_WRONLY);

    ck_assert_int_ge(null, 0);
    dup2(null, 2);
}

static bool same(const struct options *a, const struct options *b)
{
    return a->abort_conf == b->abort_conf
           && a->confirm_conf == b->confirm_conf
           && a->randomize == b->randomize
           && a->sized_check == b->sized_check && a->stats == b->stats
           && a->tcache == b->tcache && a->narenas == b->narenas
           && a->decay_ms == b->decay_ms
           && a->tcache_bytes == b->tcache_bytes
           && a->thp_from == b->thp_from && a->harden == b->harden
           && a->canary == b->canary && a->junk == b->junk
           && a->guard_pages == b->guard_pages
           && a->random_place == b->random_place
           && a->guarded == b->guarded
           && a->quarantine_bytes == b->quarantine_bytes
           && a->sample == b->sample
           && a->sample_slots == b->sample_slots
           && a->window_bytes == b->window_bytes;
}

/* The record of the process itself: started with no settings. */
START_TEST(defaults_are_as_told)
{
    struct options d = defaults();

    free(malloc(1));
    if (getenv("LITMALLOC_CONF") == NULL)
        ck_assert(same(&options, &d));
}
END_TEST

/* The one value that says what is so already. */
START_TEST(no_arenas_are_as_many_as_fit)
{
    struct options o = defaults(), d = defaults();

    o.narenas = 7;
    ck_assert(options_parse(&o, "narenas:0"));
    ck_assert(same(&o, &d));
}
END_TEST

START_TEST(every_key_is_taken)
{
    struct options o = defaults();
    const struct options want = {
        .abort_conf = true, .confirm_conf = true, .stats = true, .harden = true,
        .canary = true, .junk = true, .guard_pages = true, .random_place = true,
        .narenas = 7, .decay_ms = -1, .quarantine_bytes = 4096,
        .tcache_bytes = 65536, .thp_from = 1 << 20, .window_bytes = (size_t)1 << 28,
        .sample = 5000, .sample_slots = 16,
    };

    errno = 4711;
    ck_assert(options_parse(&o, "abort_conf:true,confirm_conf:true,"
                                "randomize:false,sized_check:false,"
                                "stats:true,tcache:false,narenas:7,"
                                "decay_ms:-1,tcache_bytes:64k,"
                                "canary:true,guard_pages:true,harden:true,"
                                "junk:true,quarantine_bytes:4k,"
                                "random_place:true,sample:5000,sample_slots:16,"
                                "thp_from:1m,window_bytes:256m"));
    ck_assert_int_eq(errno, 4711);              /* O5 */
    ck_assert(same(&o, &want));
}
END_TEST

START_TEST(the_later_counts_and_commas_are_free)
{
    struct options o = defaults();

    ck_assert(options_parse(&o, ""));
    ck_assert(options_parse(&o, ",,"));
    ck_assert(options_parse(&o, ",narenas:3,,narenas:5,"));
    ck_assert_uint_eq(o.narenas, 5);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    int64_t value;
} numbers[] = {
    { "0", true, 0 },
    { "00012", true, 12 },
    { "1k", true, 1024 },
    { "3K", true, 3072 },
    { "64m", true, 67108864 },
    { "2M", true, 2097152 },
    { "2g", true, INT64_C(2147483648) },
    { "2G", true, INT64_C(2147483648) },
    { "9223372036854775807", true, INT64_MAX },
    { "9223372036854775808", false, 0 },
    { "99999999999999999999999", false, 0 },
    { "8589934591g", true, INT64_C(8589934591) * 1073741824 },
    { "8589934592g", false, 0 },
    { "", false, 0 },
    { "m", false, 0 },
    { "-", false, 0 },
    { "-k", false, 0 },
    { "-1", false, 0 },         /* below the bound */
    { "1kk", false, 0 },
    { "1 ", false, 0 },
    { " 1", false, 0 },
    { "+1", false, 0 },
    { "0x10", false, 0 },
    { "1t", false, 0 },
    { "1:2", false, 0 },
    { "soon", false, 0 },
};

/* The same as tcache_bytes, which may be anything from 0 up. */
START_TEST(numbers_are_read)
{
    silence();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct options o = defaults();
        char text[128];
        snprintf(text, sizeof text, "tcache_bytes:%s", numbers[i].text);
        ck_assert_msg(options_parse(&o, text) == numbers[i].good, "%s",
                      text);
        ck_assert_msg(o.tcache_bytes
                          == (numbers[i].good ? (size_t)numbers[i].value
                                              : defaults().tcache_bytes),
                      "%s gave %zu", text, o.tcache_bytes);
    }
}
END_TEST

/* O3 at its edges; what is refused changes nothing. */
START_TEST(bounds_are_kept)
{
    static const char *const good[] = {
        "narenas:1", "narenas:1024", "narenas:1k", "decay_ms:-1",
        "decay_ms:2147483647", "window_bytes:65536g", "tcache_bytes:0"
    };
    static const char *const bad[] = {
        "narenas:1025", "narenas:-1", "decay_ms:-2",
        "decay_ms:2147483648", "window_bytes:268435455",
        "window_bytes:65537g", "tcache:1", "tcache:yes", "tcache:True",
        "tcache:", "tcache", "tcache:true ", "tcach:true", "tcachee:true",
        ":true", ":", "narenas", "decay"
    };
    struct options d = defaults();

    silence();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct options o = defaults();
        ck_assert_msg(options_parse(&o, good[i]), "%s", good[i]);
        ck_assert_msg(!same(&o, &d), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct options o = defaults();
        ck_assert_msg(!options_parse(&o, bad[i]), "%s", bad[i]);
        ck_assert_msg(same(&o, &d), "%s", bad[i]);
    }
}
END_TEST

static void parse_two_mistakes(void *unused)
{
    (void)unused;
    struct options o = defaults();

    options_parse(&o, "decay_ms:soon,narenas:9,speed:high");
    _exit(o.narenas == 9 ? 9 : 0);
}

/* O2. */
START_TEST(mistakes_are_named_and_the_rest_counts)
{
    char text[1024];
    int status = in_child(parse_two_mistakes, NULL, text, sizeof text);

    ck_assert_int_eq(WEXITSTATUS(status), 9);
    ck_assert_str_eq(text,
                     "litmalloc: LITMALLOC_CONF: decay_ms: bad value "
                     "\"soon\"\n"
                     "litmalloc: LITMALLOC_CONF: unknown key \"speed\"\n");
}
END_TEST

static void parse_long_words(void *unused)
{
    (void)unused;
    struct options o = defaults();
    char text[4000];

    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = '\0';
    options_parse(&o, text);
}

START_TEST(long_words_are_cut)
{
    char text[1024];
    int status = in_child(parse_long_words, NULL, text, sizeof text);

    ck_assert(WIFEXITED(status));
    ck_assert_uint_lt(strlen(text), 130);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

/* Noise: no crash, and every setting within its bounds. */
START_TEST(noise_does_no_harm)
{
    static const char *const parts[] = {
        "decay_ms", "narenas", "tcache_bytes", "thp_from", "window_bytes", "stats",
        ":", ":", ":", ",", ",", "-", "1", "0", "99", "k", "m", "g", "true",
        "false", " ", "\x80", "="
    };
    const unsigned nparts = sizeof parts / sizeof *parts;
    uint32_t random = 1;

    silence();
    for (int turn = 0; turn < 100000; turn++) {
        struct options o = defaults();
        char text[256] = "";
        for (int i = 0; i < 12; i++) {
            random = random * 1664525 + 1013904223;
            strcat(text, parts[(random >> 16) % nparts]);
        }
        options_parse(&o, text);
        ck_assert(o.narenas <= 1024);
        ck_assert(o.decay_ms >= -1 && o.decay_ms <= INT32_MAX);
        ck_assert(o.tcache_bytes <= INT64_MAX);
        ck_assert(o.window_bytes >= (size_t)1 << 28
                  && o.window_bytes <= (size_t)1 << 46);
    }
}
END_TEST

/* The tests below start a process anew, for the record of this one may be
 * sealed: they run this program again, with a word that says what to do. */
static int again(const char *what, const char *conf, char *text, size_t size)
{
    if (conf != NULL)
        setenv("LITMALLOC_CONF", conf, 1);
    else
        unsetenv("LITMALLOC_CONF");
    return in_child(run_again, (void *)what, text, size);
}

static char secret[] = "LITMALLOC_CONF=narenas:11,confirm_conf:true";
static char other[] = "LITMALLOC_CONFX=narenas:12";
static char *settings[] = { other, secret, NULL };

/* In the process made by again(): what == "write", "secure", ... */
static int act(const char *what)
{
    bool secure = strcmp(what, "secure") == 0;

    if (strcmp(what, "early") == 0)
        free(malloc(1));
    options_start(strcmp(what, "none") == 0 ? NULL : settings, secure);
    options_start(settings, false);     /* the second does nothing */
    if (strcmp(what, "write") == 0)
        *(volatile uint32_t *)&options.narenas = 42;
    return (int)options.narenas;
}

/* Was the record started before main, by an earlier malloc?  Under a
 * sanitizer it was not, for there malloc is not ours. */
static bool started_early(void)
{
    char text[4096];

    return WEXITSTATUS(again("probe", "narenas:3", text, sizeof text)) == 3;
}

START_TEST(the_environment_is_read_once)
{
    char text[4096];
    int status = again("read", NULL, text, sizeof text);
    int n = WEXITSTATUS(status);

    skip_if(WIFEXITED(status) && WEXITSTATUS(status) == 99,
            "a program cannot start itself here");
    ck_assert(n == 11 || n == 0);
    if (n == 11)
        ck_assert_ptr_nonnull(strstr(text, "litmalloc: narenas:11\n"));
    if (started_early())
        ck_assert_int_eq(WEXITSTATUS(again("early", "narenas:4", text,
                                           sizeof text)),
                         4);
    ck_assert_int_eq(WEXITSTATUS(again("secure", NULL, text, sizeof text)),
                     0);                        /* O4 */
    ck_assert_int_eq(WEXITSTATUS(again("none", NULL, text, sizeof text)),
                     0);
}
END_TEST

/* O1. */
START_TEST(a_write_to_sealed_options_dies)
{
    char text[4096];
    int status = again("write", NULL, text, sizeof text);

    skip_if(WIFEXITED(status) && WEXITSTATUS(status) == 99,
            "a program cannot start itself here");
    if (!SANITIZED) {                   /* which would say so, and exit */
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    }
    ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 42);
}
END_TEST

START_TEST(abort_conf_makes_mistakes_fatal)
{
    char text[4096];

    skip_if(!started_early(), "a program cannot start itself here, or malloc is the sanitizer's own");
    skip_if(COUNTED, "what writes the counters allocates, under the lock with which this dies");
    int status = again("early", "decay_ms:x,abort_conf:true", text,
                       sizeof text);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_ptr_nonnull(strstr(text, "giving up"));
    status = again("early", "abort_conf:true", text, sizeof text);
    ck_assert(WIFEXITED(status));
}
END_TEST

START_TEST(confirm_prints_every_setting)
{
    char text[4096];
    int nlines = 0;

    skip_if(!started_early(), "a program cannot start itself here, or malloc is the sanitizer's own");
    again("early", "confirm_conf:true,decay_ms:-1", text, sizeof text);
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        nlines++;
    ck_assert_int_eq(nlines, 19);
    ck_assert_ptr_nonnull(strstr(text, "litmalloc: decay_ms:-1\n"));
    ck_assert_ptr_nonnull(strstr(text, "litmalloc: window_bytes:"
                                       "1099511627776\n"));
    ck_assert_ptr_nonnull(strstr(text, "litmalloc: tcache:1\n"));
}
END_TEST

/* A number of the manual, which ends before `end`; the text behind it. */
static const char *told(const char *at, const char *end, int64_t *value)
{
    const char *stop = strstr(at, end);

    ck_assert_ptr_nonnull(stop);
    ck_assert_msg(parse_number((struct word){ at, (size_t)(stop - at) }, value),
                  "no number: %s", at);
    return stop + strlen(end);
}

/* One entry of the manual's list, "**key**:*default*" and, unless it is a flag,
 * " (least to most)" or " (least or more)". */
static void the_manual_is_right(const struct key *k, const char *line)
{
    char name[64], value[64], pair[130];
    const struct options d = defaults();
    struct options o = d;
    int64_t least = 0, most = 1;

    ck_assert_int_eq(sscanf(line, "**%63[^*]**:*%63[^*]*", name, value), 2);
    ck_assert_str_eq(name, k->name);
    snprintf(pair, sizeof pair, "%s:%s", name, value);
    store(&o, k, k->least + (load(&d, k) == k->least));     /* another value */
    ck_assert_msg(!same(&o, &d), "%s", name);
    ck_assert_msg(options_parse(&o, pair), "%s", pair);
    ck_assert_msg(same(&o, &d), "%s is not the default", pair);
    if (k->kind != FLAG) {
        ck_assert_ptr_nonnull(line = strstr(line, " ("));
        if (strstr(line, " or more)") == NULL) {
            line = told(line + 2, " to ", &least);
            told(line, ")\n", &most);
        } else {
            told(line + 2, " or more)\n", &least);
            most = INT64_MAX;
        }
    }
    ck_assert_msg(least == k->least && most == k->most, "bounds of %s", name);
}

/* Names, defaults and bounds of litmalloc(1), in the order of the table. */
START_TEST(the_manual_agrees_with_the_table)
{
    char line[256];
    size_t i = 0;
    FILE *manual = fopen("tangled/litmalloc.1.md", "r");

    ck_assert_ptr_nonnull(manual);
    while (fgets(line, sizeof line, manual) != NULL)
        if (strncmp(line, "**", 2) == 0 && strstr(line, "**:*") != NULL) {
            ck_assert_uint_lt(i, sizeof keys / sizeof *keys);
            the_manual_is_right(&keys[i++], line);
        }
    ck_assert_uint_eq(i, sizeof keys / sizeof *keys);
    fclose(manual);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, defaults_are_as_told);
    tcase_add_test(t, no_arenas_are_as_many_as_fit);
    tcase_add_test(t, every_key_is_taken);
    tcase_add_test(t, the_manual_agrees_with_the_table);
    tcase_add_test(t, the_later_counts_and_commas_are_free);
    tcase_add_test(t, numbers_are_read);
    tcase_add_test(t, bounds_are_kept);
    tcase_add_test(t, mistakes_are_named_and_the_rest_counts);
    tcase_add_test(t, long_words_are_cut);
    tcase_add_test(t, noise_does_no_harm);
    tcase_add_test(t, the_environment_is_read_once);
    tcase_add_test(t, a_write_to_sealed_options_dies);
    tcase_add_test(t, abort_conf_makes_mistakes_fatal);
    tcase_add_test(t, confirm_prints_every_setting);
}

int main(int n, char *words[])
{
    if (n == 2 && strcmp(words[1], "probe") == 0) {
        free(malloc(1));
        _exit((int)options.narenas);
    }
    if (n == 2)
        _exit(act(words[1]));
    return unit_run("options", add_tests);
}
