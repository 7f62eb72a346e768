/* realloc_interior_huge.c -- an inner address of a huge block is resized. */
/* expect: ^litmalloc: realloc\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    char *p = malloc(HUGE);
    realloc(p + HUGE / 2, 2 * HUGE);
    return 0;
}
