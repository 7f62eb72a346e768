/* harden_write_after_free.c -- found when the block leaves the quarantine. */
/* env: LITMALLOC_CONF=harden:true,quarantine_bytes:8k */
/* expect: ^litmalloc: free\(\): block 0x[0-9a-f]+ of 48 bytes was written to after it had been freed$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(SMALL);

    free(p);
    p[7] = 'x';
    for (int i = 0; i < 1000; i++)
        free(malloc(SMALL));
    return 0;
}
