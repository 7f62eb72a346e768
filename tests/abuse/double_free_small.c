/* double_free_small.c -- a small block is freed twice in a row; found when it comes home. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: double free of 0x[0-9a-f]+: a block of [0-9]+ bytes, free already$ */
#include "abuse.h"

int main(void)
{
    crowd_malloc(SMALL);
    free(crowd[NCROWD / 2 + 1]);
    free(crowd[NCROWD / 2 + 1]);
    come_home();
    return 0;
}
