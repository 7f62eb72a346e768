/* sampled.h -- for the misuses of sampled blocks: one that lies where it is wanted. */
#include "abuse.h"
#include <unistd.h>

/* A sampled block at the end of its page, or at its beginning: which of them it will be,
 * a coin tells. */
static inline char *sampled(size_t size, int at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (int i = 0; i < 1000; i++) {
        char *p = malloc(size);
        if (malloc_usable_size(p) == size
            && ((uintptr_t)p % page == 0) == !at_end)
            return p;
        free(p);
    }
    fprintf(stderr, "no block was sampled\n");
    exit(99);
}
