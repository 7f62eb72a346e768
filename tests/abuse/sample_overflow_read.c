/* sample_overflow_read.c -- a read behind a sampled block is reported in the act. */
/* env: LITMALLOC_CONF=sample:1 */
/* exit: 139 */
/* expect: ^litmalloc: (read|access) of 0x[0-9a-f]+: 16 bytes beyond the end of a sampled block of 64 bytes at 0x[0-9a-f]+$ */
/* expect: ^litmalloc:   done by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_overflow_read[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_overflow_read[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    volatile char *p = sampled(64, 1);

    (void)p[79];
    return 0;
}
