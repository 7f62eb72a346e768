/* double_free_realloc.c -- realloc to 0 bytes frees a block, which is then freed again. */
/* expect: ^litmalloc: free\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

int main(void)
{
    void *p = malloc(LARGE), *neighbour = malloc(LARGE);
    p = realloc(p, 0) == NULL ? p : NULL;
    free(p);
    return 0;
}
