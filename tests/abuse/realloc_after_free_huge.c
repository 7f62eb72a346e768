/* realloc_after_free_huge.c -- a huge block is resized after it was freed. */
/* expect: ^litmalloc: realloc\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = malloc(HUGE);
    free(p);
    realloc(p, 2 * HUGE);
    return 0;
}
