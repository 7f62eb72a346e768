/* double_free_huge.c -- a huge block is freed twice; found at once. */
/* expect: ^litmalloc: free\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = malloc(HUGE);
    free(p);
    free(p);
    return 0;
}
