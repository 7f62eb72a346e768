/* double_free_thread_exit.c -- a thread frees a small block twice and ends; its cache is emptied then. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: (double free of|invalid pointer) 0x[0-9a-f]+:  */
#include "abuse.h"

static void *twice(void *p)
{
    void *keep = malloc(SMALL);
    free(p);
    free(p);
    return keep;
}

int main(void)
{
    in_a_thread(twice, malloc(SMALL));
    malloc_trim(0);
    return 0;
}
