/* free_interior_medium.c -- an inner address of a block of 3000 bytes is freed. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    crowd_malloc(3000);
    free((char *)crowd[101] + 2048);
    come_home();
    return 0;
}
