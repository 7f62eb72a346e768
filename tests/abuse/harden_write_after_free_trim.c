/* harden_write_after_free_trim.c -- found when malloc_trim empties the quarantine. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: free\(\): block 0x[0-9a-f]+ of 48 bytes was written to after it had been freed$ */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(SMALL);

    free(p);
    p[7] = 'x';
    malloc_trim(0);
    return 0;
}
