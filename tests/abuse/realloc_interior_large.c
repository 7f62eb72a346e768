/* realloc_interior_large.c -- an inner address of a large block is resized. */
/* expect: ^litmalloc: realloc\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    char *p = malloc(LARGE);
    realloc(p + 4096, 2 * LARGE);
    return 0;
}
