/* harden_write_behind_freed.c -- a freed block keeps its seal, and the seal is looked at when
 * the block leaves the quarantine. */
/* env: LITMALLOC_CONF=harden:true,quarantine_bytes:8k */
/* expect: ^litmalloc: free\(\): the end of block 0x[0-9a-f]+ was written to after it had been freed$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(SMALL);

    free(p);
    memset(p + SMALL, 'x', 16);
    for (int i = 0; i < 1000; i++)
        free(malloc(SMALL));
    return 0;
}
