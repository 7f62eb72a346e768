/* usable_size_interior_huge.c -- the size of the middle of a huge block is asked for. */
/* expect: ^litmalloc: malloc_usable_size\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    char *p = malloc(HUGE);
    malloc_usable_size(p + HUGE / 2);
    return 0;
}
