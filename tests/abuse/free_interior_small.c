/* free_interior_small.c -- an inner address of a small block is freed; found when it comes home. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    crowd_malloc(SMALL);
    free((char *)crowd[101] + 16);
    come_home();
    return 0;
}
