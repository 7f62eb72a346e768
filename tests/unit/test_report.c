/* test_report.c -- R1 to R4 of the chapter on reports. */

#include "report.h"

#include "unit.h"

#include <fcntl.h>

static size_t formatted(char *buffer, size_t size, const char *format, ...)
{
    va_list a;

    va_start(a, format);
    size_t n = report_format(buffer, size, format, a);
    va_end(a);
    return n;
}

/* What we format and what the C library formats must be the same bytes. */
static void both(size_t size, const char *format, ...)
{
    char ours[256], theirs[256];
    va_list a, b;

    memset(ours, 0x7e, sizeof ours);
    va_start(a, format);
    va_copy(b, a);
    size_t n = report_format(ours, size, format, a);
    vsnprintf(theirs, size, format, b);
    va_end(b);
    va_end(a);
    ck_assert_str_eq(ours, theirs);
    ck_assert_uint_eq(n, strlen(theirs));
    for (size_t i = size; i < sizeof ours; i++)
        ck_assert_int_eq(ours[i], 0x7e);        /* not a byte beyond */
}

static const size_t numbers[] = { 0, 1, 9, 10, 4711, UINT32_MAX,
                                  (size_t)1 << 40, SIZE_MAX };

START_TEST(directives_are_those_of_printf)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        size_t n = numbers[i];
        both(256, "%zu", n);
        both(256, "<%10zu>", n);
        both(256, "%30zu|%1zu", n, n);
        both(256, "%u", (unsigned)n);
        both(256, "%8u.", (unsigned)n);
        if (n != 0)
            both(256, "at %p.", (void *)n);
    }
    both(256, "%s", "");
    both(256, "%s and %12s", "one", "two");
    both(256, "%2s", "longer");
    both(256, "%c%c", 'a', 'z');
    both(256, "100%% of %s", "it");
    both(256, "no directive");
}
END_TEST

START_TEST(null_pointer_is_a_number)
{
    char text[16];

    ck_assert_uint_eq(formatted(text, sizeof text, "%p", NULL), 3);
    ck_assert_str_eq(text, "0x0");
}
END_TEST

/* R3: any size of buffer, always a zero byte. */
START_TEST(what_does_not_fit_is_cut)
{
    for (size_t size = 1; size < 80; size++)
        both(size, "%s %20zu %s", "the quick brown fox", (size_t)12345,
             "jumps over the lazy dog");
}
END_TEST

/* The example of the chapter. */
START_TEST(the_worked_example)
{
    char text[64];
    size_t n = formatted(text, sizeof text, "%s: bad value \"%s\"",
                         "decay_ms", "soon");

    ck_assert_uint_eq(n, 26);
    ck_assert_uint_eq(strlen("litmalloc: "), 11);
    ck_assert_str_eq(text, "decay_ms: bad value \"soon\"");
    ck_assert_uint_eq(formatted(text, sizeof text, "%zu", SIZE_MAX), 20);
}
END_TEST

/* R2: a socket that keeps the borders of messages shows each write. */
START_TEST(a_line_is_one_write)
{
    char text[1024];
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    errno = 4711;
    report_line(ends[1], "%s %u", "first", 1u);
    report_line(ends[1], "%s %u", "second", 2u);
    ck_assert_int_eq(errno, 4711);              /* R1 */
    ssize_t n = read(ends[0], text, sizeof text);
    ck_assert_int_eq(n, 8);
    ck_assert_mem_eq(text, "first 1\n", 8);
    n = read(ends[0], text, sizeof text);
    ck_assert_int_eq(n, 9);
    ck_assert_mem_eq(text, "second 2\n", 9);
}
END_TEST

/* R3, first half: 511 bytes at most, the last of them the newline. */
START_TEST(a_long_line_is_cut)
{
    char much[2000], text[4096];
    int ends[2];

    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    report_line(ends[1], "%s", much);
    ssize_t n = read(ends[0], text, sizeof text);
    ck_assert_int_eq(n, 511);
    ck_assert_int_eq(text[510], '\n');
    ck_assert_int_eq(text[509], 'x');
    ck_assert_ptr_null(memchr(text, '\0', 511));
}
END_TEST

START_TEST(a_closed_descriptor_is_no_trouble)
{
    errno = 4711;
    report_line(-1, "nobody hears this");
    report_line(1000000, "nor this");
    ck_assert_int_eq(errno, 4711);
}
END_TEST

static void warn_and_die(void *unused)
{
    (void)unused;
    report_warning("a %s", "warning");
    report_die("the %s", "end");
}

/* R4, and that both speak to descriptor 2 under our name. */
START_TEST(warning_returns_and_die_does_not)
{
    char text[256];
    int status = in_child(warn_and_die, NULL, text, sizeof text);

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_str_eq(text, "litmalloc: a warning\nlitmalloc: the end\n");
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, directives_are_those_of_printf);
    tcase_add_test(t, null_pointer_is_a_number);
    tcase_add_test(t, what_does_not_fit_is_cut);
    tcase_add_test(t, the_worked_example);
    tcase_add_test(t, a_line_is_one_write);
    tcase_add_test(t, a_long_line_is_cut);
    tcase_add_test(t, a_closed_descriptor_is_no_trouble);
    tcase_add_test(t, warning_returns_and_die_does_not);
}

int main(void)
{
    return unit_run("report", add_tests);
}
