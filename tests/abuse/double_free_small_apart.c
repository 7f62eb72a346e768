/* double_free_small_apart.c -- a small block is freed, then others, then it again. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: double free of 0x[0-9a-f]+: a block of [0-9]+ bytes, free already$ */
#include "abuse.h"

int main(void)
{
    crowd_malloc(SMALL);
    void *p = crowd[101], *q = crowd[103];
    free(p);
    free(q);
    free(p);
    come_home();
    return 0;
}
