/* harden_double_free.c -- in a hardened heap the second free is found at once. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: free\(\): double free of 0x[0-9a-f]+: a block of 48 bytes, free already$ */
#include "abuse.h"

int main(void)
{
    void *volatile p = malloc(SMALL);

    free(p);
    free(p);
    return 0;
}
