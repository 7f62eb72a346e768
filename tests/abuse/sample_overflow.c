/* sample_overflow.c -- a write behind a sampled block is reported in the act. */
/* env: LITMALLOC_CONF=sample:1 */
/* exit: 139 */
/* expect: ^litmalloc: (write|access) of 0x[0-9a-f]+: 1 bytes beyond the end of a sampled block of 64 bytes at 0x[0-9a-f]+$ */
/* expect: ^litmalloc:   done by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_overflow[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_overflow[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    volatile char *p = sampled(64, 1);

    p[64] = 'x';
    return 0;
}
