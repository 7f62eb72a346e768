/* check.h -- the part of Check's interface that tests/unit uses, for machines and C
 * libraries for which there is no libcheck here.
 *
 * Each test runs in a child, under a time limit; the last line is in Check's form,
 * which tests/run counts.  The tests named in the environment variable NOT are left
 * out, and that is said, with NOT_WHY. */
#ifndef CHECK_H
#define CHECK_H

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*check_run)(int);
struct check_test { check_run run; const char *name; int signal, from, to; };
typedef struct {
    struct check_test tests[64];
    int ntests, nfailed;
    unsigned limit;
    void (*setup)(void);
} TCase;
typedef TCase *Suite, *SRunner;
enum { CK_NORMAL };

static TCase check_case = { .limit = 4 };
static Suite check_suite = &check_case;

#define suite_create(name) (&check_suite)
#define tcase_create(name) (&check_case)
#define srunner_create(suite) (suite)
#define suite_add_tcase(suite, t) ((void)(suite), (void)(t))
#define tcase_set_timeout(t, seconds) ((t)->limit = (seconds))
#define tcase_add_checked_fixture(t, before, after) ((t)->setup = (before))
#define tcase_add_loop_test_raise_signal(t, f, signal, from, to) \
    check_add(t, (struct check_test){ f##_fn, #f, signal, from, to })
#define tcase_add_loop_test(t, f, from, to) \
    tcase_add_loop_test_raise_signal(t, f, 0, from, to)
#define tcase_add_test(t, f) tcase_add_loop_test(t, f, 0, 1)
#define tcase_add_test_raise_signal(t, f, signal) \
    tcase_add_loop_test_raise_signal(t, f, signal, 0, 1)
#define srunner_ntests_failed(runner) ((*(runner))->nfailed)
#define srunner_free(runner) ((void)(runner))

#define START_TEST(name)                                                     \
    static void name##_fn(int _i)                                            \
    {                                                                        \
        (void)_i;
#define END_TEST }

__attribute__((noreturn, format(printf, 3, 4), unused))
static void _ck_assert_failed(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    dprintf(1, "%s:%d: ", file, line);
    va_start(arguments, format);
    vdprintf(1, format, arguments);
    va_end(arguments);
    dprintf(1, "\n");
    _exit(1);
}

__attribute__((unused))
static void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

#define ck_abort_msg(...) _ck_assert_failed(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert_msg(e, ...) ((e) ? (void)0 : ck_abort_msg(__VA_ARGS__))
#define ck_assert(e) ck_assert_msg(e, "%s does not hold", #e)
#define check_compare(type, a, op, b)                                        \
    do {                                                                     \
        type check_a = (type)(a), check_b = (type)(b);                       \
        ck_assert_msg(check_a op check_b, "%s %s %s: %jd and %jd", #a, #op,  \
                      #b, (intmax_t)check_a, (intmax_t)check_b);             \
    } while (0)
#define ck_assert_int_eq(a, b) check_compare(intmax_t, a, ==, b)
#define ck_assert_int_ge(a, b) check_compare(intmax_t, a, >=, b)
#define ck_assert_int_gt(a, b) check_compare(intmax_t, a, >, b)
#define ck_assert_int_lt(a, b) check_compare(intmax_t, a, <, b)
#define ck_assert_uint_eq(a, b) check_compare(uintmax_t, a, ==, b)
#define ck_assert_uint_ne(a, b) check_compare(uintmax_t, a, !=, b)
#define ck_assert_uint_ge(a, b) check_compare(uintmax_t, a, >=, b)
#define ck_assert_uint_gt(a, b) check_compare(uintmax_t, a, >, b)
#define ck_assert_uint_le(a, b) check_compare(uintmax_t, a, <=, b)
#define ck_assert_uint_lt(a, b) check_compare(uintmax_t, a, <, b)
#define ck_assert_ptr_eq(a, b) check_compare(uintptr_t, a, ==, b)
#define ck_assert_ptr_ne(a, b) check_compare(uintptr_t, a, !=, b)
#define ck_assert_ptr_null(a) check_compare(uintptr_t, a, ==, NULL)
#define ck_assert_ptr_nonnull(a) check_compare(uintptr_t, a, !=, NULL)
#define ck_assert_str_eq(a, b) ck_assert(strcmp(a, b) == 0)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)

__attribute__((unused))
static void check_add(TCase *t, struct check_test test)
{
    if (t->ntests == 64)
        abort();
    t->tests[t->ntests++] = test;
}

/* Run one test once; did it end as it should? */
__attribute__((unused))
static int check_one(const TCase *t, const struct check_test *test, int i)
{
    int status;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(t->limit);
        if (t->setup != NULL)
            t->setup();
        test->run(i);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 0;
    int good = test->signal == 0 ? status == 0
                                 : WIFSIGNALED(status) && WTERMSIG(status) == test->signal;
    if (!good)
        dprintf(1, "%s, %d: wait status %#x\n", test->name, i, (unsigned)status);
    return good;
}

__attribute__((unused))
static void srunner_run_all(SRunner *runner, int how)
{
    TCase *t = *runner;
    const char *not = getenv("NOT");
    int nrun = 0;

    (void)how;
    for (int k = 0; k < t->ntests; k++) {
        const struct check_test *test = &t->tests[k];
        if (not != NULL && strstr(not, test->name) != NULL) {
            const char *why = getenv("NOT_WHY");
            printf("skip: %s_fn: %s\n", test->name, why == NULL ? "" : why);
            nrun += test->to - test->from;
            continue;
        }
        for (int i = test->from; i < test->to; i++, nrun++)
            t->nfailed += !check_one(t, test, i);
    }
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
           nrun == 0 ? 100 : 100 * (nrun - t->nfailed) / nrun, nrun, t->nfailed);
    fflush(stdout);
}

#endif
