/* realloc_after_free.c -- a large block is resized after it was freed. */
/* expect: ^litmalloc: realloc\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = malloc(LARGE), *neighbour = malloc(LARGE);
    free(p);
    realloc(p, 2 * LARGE);
    return 0;
}
