/* double_free_large.c -- a large block is freed twice; found at once. */
/* expect: ^litmalloc: free\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = malloc(LARGE), *neighbour = malloc(LARGE);
    free(p);
    free(p);
    return 0;
}
