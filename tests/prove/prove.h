/* prove.h -- what the programs of tests/prove share.
 *
 * A program ends with the line "cases N" or "states N" and status 0 if what its head
 * promises holds for every case of its space; with "violated: ..." and status 1 at the
 * first case for which it does not.  Anything else is a broken proof. */

#ifndef PROVE_H
#define PROVE_H

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef QUICK
enum { IS_QUICK = 1 };
#else
enum { IS_QUICK = 0 };
#endif

static void (*before_dying)(void);

__attribute__((format(printf, 1, 2), noreturn, unused))
static void violated(const char *format, ...)
{
    va_list list;

    fputs("violated: ", stdout);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    if (before_dying != NULL)
        before_dying();
    fflush(stdout);
    _exit(1);
}

#define hold(e) ((e) ? (void)0 : violated("%s (%s:%d)", #e, __FILE__, __LINE__))

/* The rooms' own assertions trap; that is a finding, too. */
static void trapped(int signal)
{
    (void)signal;
    violated("an assertion of the room");
}

__attribute__((constructor)) static void catch_traps(void)
{
    signal(SIGILL, trapped);
    signal(SIGTRAP, trapped);
}

#endif
