/* asan_window.c -- linked into each test that the address sanitizer watches.
 *
 * The sanitizer keeps its shadow from 2 GiB to 16 TiB, where our window of 1 TiB
 * lies whole.  A window of 64 TiB reaches beyond it. */
#include "options.h"

#pragma weak options

__attribute__((constructor(101))) static void widen(void)
{
    if (&options != NULL)
        options.window_bytes = (size_t)64 << 40;
}
