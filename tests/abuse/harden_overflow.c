/* harden_overflow.c -- one byte behind the end of a block. */
/* env: LITMALLOC_CONF=canary:true */
/* expect: ^litmalloc: free\(\): block 0x[0-9a-f]+ is damaged behind its end: an overflow$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(21);

    p[21] = 0;
    free(p);
    return 0;
}
