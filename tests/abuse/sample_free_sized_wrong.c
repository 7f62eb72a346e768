/* sample_free_sized_wrong.c -- a size that is wrong by one, in the same class. */
/* env: LITMALLOC_CONF=sample:1 */
/* expect: ^litmalloc: free_sized\(\): wrong size 66 for 0x[0-9a-f]+: a sampled block of 65 bytes$ */
/* expect: ^litmalloc:   called by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_free_sized_wrong[+]0x[0-9a-f]+$ */
/* expect: ^litmalloc:   allocated by thread [0-9]+:$ */
/* expect: ^litmalloc:     #[0-9] .+abuse.sample_free_sized_wrong[+]0x[0-9a-f]+$ */
#include "sampled.h"

int main(void)
{
    void *p = sampled(65, 1);
    void (*put)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");

    put(p, 66);
    return 0;
}
