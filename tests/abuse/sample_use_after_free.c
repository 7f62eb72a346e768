/* sample_use_after_free.c -- a read after free is reported in the act, with both stacks. */
/* env: LITMALLOC_CONF=sample:1 */
/* exit: 139 */
/* expect: ^litmalloc: (read|access) of 0x[0-9a-f]+ after free: 10 bytes into a sampled block of 65 bytes at 0x[0-9a-f]+$ */
/* expect: ^litmalloc:   done by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_use_after_free[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_use_after_free[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   freed by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_use_after_free[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    volatile char *p = sampled(65, 1);

    free((void *)p);
    (void)p[10];
    return 0;
}
