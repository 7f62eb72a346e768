/* free_interior_large_unaligned.c -- the 17th byte of a large block is freed; found at once. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    char *p = malloc(LARGE);
    free(p + 16);
    return 0;
}
