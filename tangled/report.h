/* Tangled from src.nw/14-report.nw; edit that, not this. */
/* report.h -- writes a line without allocating; dies after a message about
 * corruption.
 *
 * Storey 1.  Stands on bits. */

#ifndef LIT_REPORT_H
#define LIT_REPORT_H

#include "bits.h"

#include <stdarg.h>

/* Format into buffer[0..size), always ended by a zero byte; what does not
 * fit is cut off.  Returns the bytes stored, without the zero byte.
 * Knows %s, %c, %u (unsigned), %zu, %p and %%; a width, as in %10zu, pads on
 * the left with spaces; nothing else.  Any thread, any time. */
size_t report_format(char *buffer, size_t size, const char *format,
                     va_list arguments);

/* Declare the ways to report.  [14-report.nw: Three ways to say it] */
/* Write one line to file descriptor `fd`.  Errors are ignored: there is
 * nobody to tell. */
void report_line(int fd, const char *format, ...) PRINTF(2, 3);

/* Write "litmalloc: ..." to standard error, then go on. */
void report_warning(const char *format, ...) PRINTF(1, 2);

/* Write "litmalloc: ..." to standard error, then abort. */
_Noreturn void report_die(const char *format, ...) PRINTF(1, 2);

#endif
