/* sample_double_free_apart.c -- a thousand calls between the two, and it is found all the same. */
/* env: LITMALLOC_CONF=sample:1 */
/* expect: ^litmalloc: free\(\): double free of 0x[0-9a-f]+: a sampled block of 65 bytes at 0x[0-9a-f]+, free already$ */
/* expect: ^litmalloc:   called by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_double_free_apart[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_double_free_apart[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   freed by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_double_free_apart[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    void *volatile p = sampled(65, 1);

    free(p);
    for (int i = 0; i < 1000; i++)
        free(malloc(100000));           /* none of these is sampled */
    free(p);
    return 0;
}
