/* sample_damage.c -- one byte behind the end, where no page can trap: found by free. */
/* env: LITMALLOC_CONF=sample:1 */
/* expect: ^litmalloc: free\(\): damage directly behind sampled block 0x[0-9a-f]+ of 65 bytes$ */
/* expect: ^litmalloc:   called by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_damage[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_damage[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    char *volatile p = sampled(65, 1);

    p[65] = 0;
    free(p);
    return 0;
}
