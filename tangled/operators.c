/* Tangled from src.nw/71-operators.nw; edit that, not this. */
/* operators.c -- C++ operator new and delete, all 20, throwing properly
 * from C.
 *
 * Storey 7.  Stands on malloc, report.  Names: Itanium C++ ABI, 64-bit. */

#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "malloc.h"

#include "report.h"

#include <dlfcn.h>

/* Name what the C++ library gives.  [71-operators.nw: Throwing from C] */
/* The C++ run-time library, if the process has one by now. */
typedef void handler(void);
extern handler *get_new_handler(void) __asm__("_ZSt15get_new_handlerv")
    __attribute__((weak));
extern _Noreturn void throw_bad_alloc(void)
    __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));

/* Find the C++ library in the process.
 * [71-operators.nw: Throwing from C] */
/* A library loaded later with dlopen, out of our sight, is found by name. */
static COLD handler *find_cxx(const char *symbol)
{
    static const char *const names[] = { "libstdc++.so.6", "libc++.so.1" };
    void *found = dlsym(RTLD_DEFAULT, symbol);

    for (int i = 0; i < 2 && found == NULL; i++) {
        void *library = dlopen(names[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library != NULL)
            found = dlsym(library, symbol);
    }
    return *(handler **)&found;
}

/* Ask for the handler, or throw.  [71-operators.nw: Throwing from C] */
static handler *current_handler(void)
{
    handler *(*get)(void) = get_new_handler;

    if (get == NULL)
        get = (handler *(*)(void))find_cxx("_ZSt15get_new_handlerv");
    return get == NULL ? NULL : get();
}

static COLD _Noreturn void throw_it(void)
{
    void (*throw)(void) = throw_bad_alloc;

    if (throw == NULL)
        throw = find_cxx("_ZSt17__throw_bad_allocv");
    if (throw != NULL)
        throw();
    report_die("operator new(): out of memory, and no C++ library to throw "
               "std::bad_alloc");
}

/* Take a block for new.  [71-operators.nw: New] */
static void *take(size_t size, size_t alignment)
{
    return alignment <= QUANTUM ? door_take(size)
                                : door_take_aligned(size, alignment);
}

/* Take until there is memory.  [71-operators.nw: New] */
/* Call the new_handler until there is memory, as the standard wants it
 * ([new.delete.single]); without one, give up.  The handler may throw: this
 * file is compiled with -fexceptions, so that it flies through. */
static NOINLINE void *take_or_throw(size_t size, size_t alignment)
{
    void *p;

    while ((p = take(size, alignment)) == NULL) {
        handler *h = current_handler();
        if (h != NULL)
            h();
        else
            throw_it();
    }
    return p;
}

INLINE void *new_block(size_t size, size_t alignment)
{
    void *p = take(size, alignment);

    return likely(p != NULL) ? p : take_or_throw(size, alignment);
}

/* Define the throwing forms of new.  [71-operators.nw: New] */
EXPORT void *_Znwm(size_t size)
{
    return new_block(size, QUANTUM);
}

EXPORT void *_Znam(size_t size)
{
    return new_block(size, QUANTUM);
}

EXPORT void *_ZnwmSt11align_val_t(size_t size, size_t alignment)
{
    return new_block(size, alignment);
}

EXPORT void *_ZnamSt11align_val_t(size_t size, size_t alignment)
{
    return new_block(size, alignment);
}

/* Take without throwing.  [71-operators.nw: New that does not throw] */
/* The nothrow forms return NULL, even when a handler throws.  C cannot catch;
 * the C++ library's own form can: it calls the throwing one, which is ours,
 * inside a try block.  Where that cannot be found there is no handler to
 * throw, or the program is linked statically and goes without. */
static NOINLINE void *take_or_null(const char *symbol, size_t size,
                                   size_t alignment)
{
    void *next = dlsym(RTLD_NEXT, symbol);

    if (next == NULL)
        return NULL;
    if (alignment > QUANTUM)
        return (*(void *(**)(size_t, size_t, const void *))&next)(
            size, alignment, NULL);
    return (*(void *(**)(size_t, const void *))&next)(size, NULL);
}

INLINE void *new_nothrow(const char *symbol, size_t size, size_t alignment)
{
    void *p = take(size, alignment);

    return likely(p != NULL) ? p : take_or_null(symbol, size, alignment);
}

/* Define the nothrow forms of new.
 * [71-operators.nw: New that does not throw] */
EXPORT void *_ZnwmRKSt9nothrow_t(size_t size, const void *nothrow)
{
    (void)nothrow;
    return new_nothrow("_ZnwmRKSt9nothrow_t", size, QUANTUM);
}

EXPORT void *_ZnamRKSt9nothrow_t(size_t size, const void *nothrow)
{
    (void)nothrow;
    return new_nothrow("_ZnamRKSt9nothrow_t", size, QUANTUM);
}

/* Define the aligned nothrow forms of new.
 * [71-operators.nw: New that does not throw] */
EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size,
                                                size_t alignment,
                                                const void *nothrow)
{
    (void)nothrow;
    return new_nothrow("_ZnwmSt11align_val_tRKSt9nothrow_t", size,
                       alignment);
}

EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size,
                                                size_t alignment,
                                                const void *nothrow)
{
    (void)nothrow;
    return new_nothrow("_ZnamSt11align_val_tRKSt9nothrow_t", size,
                       alignment);
}

/* Define delete without a size.  [71-operators.nw: Delete] */
/* operator delete: eight forms that know no more than the pointer ... */
#define DELETE(name, ...)                                                    \
    EXPORT void name(__VA_ARGS__)                                            \
    {                                                                        \
        door_put(p);                                                         \
    }

DELETE(_ZdlPv, void *p)
DELETE(_ZdaPv, void *p)
DELETE(_ZdlPvRKSt9nothrow_t, void *p, __attribute__((unused)) void *n)
DELETE(_ZdaPvRKSt9nothrow_t, void *p, __attribute__((unused)) void *n)
DELETE(_ZdlPvSt11align_val_t, void *p, __attribute__((unused)) size_t a)
DELETE(_ZdaPvSt11align_val_t, void *p, __attribute__((unused)) size_t a)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, void *p,
       __attribute__((unused)) size_t a, __attribute__((unused)) void *n)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, void *p,
       __attribute__((unused)) size_t a, __attribute__((unused)) void *n)

/* Define delete with a size.  [71-operators.nw: Delete] */
/* ... and four that know its size, which is checked. */
EXPORT void _ZdlPvm(void *p, size_t size)
{
    door_put_sized(p, size, QUANTUM, "operator delete");
}

EXPORT void _ZdaPvm(void *p, size_t size)
{
    door_put_sized(p, size, QUANTUM, "operator delete");
}

EXPORT void _ZdlPvmSt11align_val_t(void *p, size_t size, size_t alignment)
{
    door_put_sized(p, size, alignment, "operator delete");
}

EXPORT void _ZdaPvmSt11align_val_t(void *p, size_t size, size_t alignment)
{
    door_put_sized(p, size, alignment, "operator delete");
}
