/* free_interior_huge.c -- the middle of a huge block is freed; found at once. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    char *p = malloc(HUGE);
    free(p + HUGE / 2);
    return 0;
}
