/* double_free_medium.c -- a block of 3000 bytes is freed twice. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: double free of 0x[0-9a-f]+: a block of [0-9]+ bytes, free already$ */
#include "abuse.h"

int main(void)
{
    crowd_malloc(3000);
    free(crowd[101]);
    free(crowd[101]);
    come_home();
    return 0;
}
