/* double_free_aligned.c -- an over-aligned block is freed twice; found at once. */
/* expect: ^litmalloc: free\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = aligned_alloc(1 << 20, LARGE);
    free(p);
    free(p);
    return 0;
}
