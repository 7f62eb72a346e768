/* harden_realloc_after_free.c -- realloc of a block in quarantine. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: realloc\(\): double free of 0x[0-9a-f]+: a block of 48 bytes, free already$ */
#include "abuse.h"

int main(void)
{
    void *volatile p = malloc(SMALL);

    free(p);
    p = realloc(p, 100);
    return 0;
}
