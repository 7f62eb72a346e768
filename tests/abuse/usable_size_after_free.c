/* usable_size_after_free.c -- the size of a large block is asked for after it was freed. */
/* expect: ^litmalloc: malloc_usable_size\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = malloc(LARGE), *neighbour = malloc(LARGE);
    free(p);
    malloc_usable_size(p);
    return 0;
}
