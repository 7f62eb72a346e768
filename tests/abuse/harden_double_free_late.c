/* harden_double_free_late.c -- the block has left the quarantine and is on the thread's stack. */
/* env: LITMALLOC_CONF=harden:true,quarantine_bytes:4k */
/* expect: ^litmalloc: free\(\): double free of 0x[0-9a-f]+: a block of 600 bytes, free already$ */
#include "abuse.h"

int main(void)
{
    void *volatile p = malloc(600);

    malloc(600);
    free(p);
    for (int i = 0; i < 100; i++)
        free(malloc(1000));
    free(p);
    return 0;
}
