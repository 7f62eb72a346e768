/* double_free_across_threads.c -- one thread frees a small block, the next one frees it again. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: double free of 0x[0-9a-f]+: a block of [0-9]+ bytes, free already$ */
#include "abuse.h"

static void *once(void *p)
{
    free(p);
    return NULL;
}

int main(void)
{
    crowd_malloc(SMALL);
    in_a_thread(once, crowd[101]);
    in_a_thread(once, crowd[101]);
    come_home();
    return 0;
}
