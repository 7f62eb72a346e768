/* harden_overflow_realloc.c -- found by the realloc that would leave the block where it is. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: realloc\(\): block 0x[0-9a-f]+ is damaged behind its end: an overflow$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(SMALL + 3);

    p[SMALL + 3] = 'x';
    p = realloc(p, SMALL + 5);
    return 0;
}
