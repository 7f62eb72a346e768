/* sample_free_interior.c -- a free inside a sampled block. */
/* env: LITMALLOC_CONF=sample:1 */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not the start of a sampled block of 65 bytes at 0x[0-9a-f]+$ */
/* expect: ^litmalloc:   called by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_free_interior[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_free_interior[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    char *p = sampled(65, 1);

    free(p + 16);
    return 0;
}
