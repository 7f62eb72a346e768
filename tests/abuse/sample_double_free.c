/* sample_double_free.c -- the second free of a sampled block is found at once. */
/* env: LITMALLOC_CONF=sample:1 */
/* expect: ^litmalloc: free\(\): double free of 0x[0-9a-f]+: a sampled block of 65 bytes at 0x[0-9a-f]+, free already$ */
/* expect: ^litmalloc:   called by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_double_free[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_double_free[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   freed by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_double_free[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    void *volatile p = sampled(65, 1);

    free(p);
    free(p);
    return 0;
}
