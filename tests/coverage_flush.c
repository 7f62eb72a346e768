/* coverage_flush.c -- a process that ends by abort, _exit or a fault writes its counters, too.
 *
 * gcov writes them in an atexit handler, which none of these runs.  Every program of a
 * coverage build is linked with this file and with --wrap=abort,--wrap=_exit; the handlers
 * are for aborts of other libraries.  What dies while it writes dies as it would have. */

#include <signal.h>
#include <unistd.h>

extern void __gcov_dump(void);
extern _Noreturn void __real_abort(void);
extern _Noreturn void __real__exit(int status);

_Noreturn void __wrap_abort(void);
_Noreturn void __wrap__exit(int status);

static __thread int flushing;

static void flush(void)
{
    if (flushing++ == 0) {
        alarm(20);      /* it may want a lock that the dead thread has */
        __gcov_dump();
        alarm(0);
    }
}

_Noreturn void __wrap_abort(void)
{
    flush();
    __real_abort();
}

_Noreturn void __wrap__exit(int status)
{
    flush();
    __real__exit(status);
}

/* The fault comes again, as abort's signal does, and then the process ends. */
static void on_death(int number)
{
    signal(number, SIG_DFL);
    flush();
}

/* Before the library's own constructor, whose handler hands on to this one. */
__attribute__((constructor(101))) static void begin(void)
{
    signal(SIGSEGV, on_death);
    signal(SIGABRT, on_death);
}
