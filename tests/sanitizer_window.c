/* sanitizer_window.c -- linked into each test that asan or tsan watches.
 *
 * They keep memory of their own where our window of 1 TiB lies: asan from 2 GiB to
 * 16 TiB, which a window of 64 TiB reaches beyond; tsan from 512 GiB up. */
#include "options.h"

#pragma weak options

__attribute__((constructor(101))) static void move(void)
{
    if (&options == NULL)
        return;
#ifdef __SANITIZE_THREAD__
    options.window_bytes = (size_t)512 << 30;
#else
    options.window_bytes = (size_t)64 << 40;
#endif
}
