/* coverage_flush.c -- a process that ends by abort or _exit writes its counters, too.
 *
 * gcov writes them in an atexit handler, which neither runs.  Every program of a
 * coverage build is linked with this file and with --wrap=abort,--wrap=_exit.  A second
 * abort within the first (the writing itself allocates) goes straight to the C library. */

extern void __gcov_dump(void);
extern _Noreturn void __real_abort(void);
extern _Noreturn void __real__exit(int status);
extern unsigned alarm(unsigned seconds);

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
