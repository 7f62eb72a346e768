/* harden_overflow_far.c -- sixteen bytes behind the end of a block that fills its class. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: realloc\(\): block 0x[0-9a-f]+ is damaged behind its end: an overflow$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(SMALL);

    memset(p + SMALL, 'x', 16);
    p = realloc(p, 100);
    return 0;
}
