/* double_free_large_across_threads.c -- one thread frees a large block, the next one frees it again. */
/* expect: ^litmalloc: free\(\): (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

static void *once(void *p)
{
    free(p);
    return NULL;
}

int main(void)
{
    void *p = malloc(LARGE), *neighbour = malloc(LARGE);
    in_a_thread(once, p);
    in_a_thread(once, p);
    return 0;
}
