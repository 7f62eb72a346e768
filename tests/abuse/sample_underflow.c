/* sample_underflow.c -- a write before a sampled block is reported in the act. */
/* env: LITMALLOC_CONF=sample:1 */
/* exit: 139 */
/* expect: ^litmalloc: (write|access) of 0x[0-9a-f]+: 4 bytes before the start of a sampled block of 64 bytes at 0x[0-9a-f]+$ */
/* expect: ^litmalloc:   done by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_underflow[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_underflow[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    volatile char *p = sampled(64, 0);

    p[-4] = 'x';
    return 0;
}
