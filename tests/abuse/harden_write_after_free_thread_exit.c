/* harden_write_after_free_thread_exit.c -- found when the thread ends that freed the block. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: free\(\): block 0x[0-9a-f]+ of 48 bytes was written to after it had been freed$ */
#include "abuse.h"

static void *free_and_write(void *p)
{
    free(p);
    ((char *volatile)p)[7] = 'x';
    return NULL;
}

int main(void)
{
    in_a_thread(free_and_write, malloc(SMALL));
    return 0;
}
