/* Tangled from src.nw/14-report.nw; edit that, not this. */
/* report.c -- writes a line without allocating. */

#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { LINE_MAX_BYTES = 512 };

/* Declare the sink of a line.  [14-report.nw: The line] */
/* Where the text goes, and how much room is left. */
struct sink {
    char *at, *end;
};

static void put_char(struct sink *s, char c)
{
    if (s->at < s->end)
        *s->at++ = c;
}

/* Put a string or a number into the line.  [14-report.nw: The line] */
static void put_string(struct sink *s, const char *text, size_t width)
{
    for (size_t n = strlen(text); n < width; n++)
        put_char(s, ' ');
    while (*text != '\0')
        put_char(s, *text++);
}

static void put_number(struct sink *s, uint64_t n, unsigned base,
                       size_t width)
{
    char digits[24], *d = digits + sizeof digits;

    *--d = '\0';
    do
        *--d = "0123456789abcdef"[n % base];
    while ((n /= base) != 0);
    put_string(s, d, width);
}

/* Take one directive and its argument.  [14-report.nw: The directives] */
/* Take one %-directive from *format and one argument. */
static void put_directive(struct sink *s, const char **format, va_list *a)
{
    size_t width = 0;

    while (**format >= '0' && **format <= '9')
        width = width * 10 + (size_t)(*(*format)++ - '0');
    switch (*(*format)++) {
    /* Put what the letter asks for.  [14-report.nw: The directives] */
    case 's':
        put_string(s, va_arg(*a, const char *), width);
        break;
    case 'c':
        put_char(s, (char)va_arg(*a, int));
        break;
    case 'u':
        put_number(s, va_arg(*a, unsigned), 10, width);
        break;
    case 'z':
        put_number(s, va_arg(*a, size_t), 10, width);
        *format += 1;           /* the u of %zu */
        break;
    case 'p':
        put_string(s, "0x", 0);
        put_number(s, (uintptr_t)va_arg(*a, void *), 16, width);
        break;
    default:
        put_char(s, (*format)[-1]);
    }
}

/* Format into a buffer.  [14-report.nw: The directives] */
size_t report_format(char *buffer, size_t size, const char *format,
                     va_list arguments)
{
    struct sink s = { buffer, buffer + size - 1 };
    va_list a;

    va_copy(a, arguments);
    while (*format != '\0') {
        if (*format == '%') {
            format++;
            put_directive(&s, &format, &a);
        } else {
            put_char(&s, *format++);
        }
    }
    va_end(a);
    *s.at = '\0';
    return (size_t)(s.at - buffer);
}

/* Write one line.  [14-report.nw: One line, one write] */
/* A line in one write, so that lines of two threads do not mix. */
static void write_line(int fd, const char *prefix, const char *format,
                       va_list arguments)
{
    char line[LINE_MAX_BYTES];
    size_t n = strlen(prefix);

    memcpy(line, prefix, n);
    n += report_format(line + n, sizeof line - n - 1, format, arguments);
    line[n++] = '\n';
    system_call(SYS_write, fd, (long)line, (long)n, 0, 0, 0);
}

/* Write a plain line.  [14-report.nw: Three ways to say it] */
void report_line(int fd, const char *format, ...)
{
    va_list a;

    va_start(a, format);
    write_line(fd, "", format, a);
    va_end(a);
}

/* Warn, or die.  [14-report.nw: Three ways to say it] */
COLD void report_warning(const char *format, ...)
{
    va_list a;

    va_start(a, format);
    write_line(2, "litmalloc: ", format, a);
    va_end(a);
}

COLD _Noreturn void report_die(const char *format, ...)
{
    va_list a;

    va_start(a, format);
    write_line(2, "litmalloc: ", format, a);
    va_end(a);
    abort();
}
