/* harden_free_interior.c -- an address inside a block is found at once. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(SMALL);

    free(p + 16);
    return 0;
}
