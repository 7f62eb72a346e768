/* double_free_owner_ended.c -- blocks of a thread that has ended are freed twice. */
/* expect: ^litmalloc: (free|malloc|realloc|malloc_trim|thread exit)(\(\))?: double free of 0x[0-9a-f]+: a block of [0-9]+ bytes, free already$ */
#include "abuse.h"

static void *allocate(void *unused)
{
    crowd_malloc(SMALL);
    return unused;
}

int main(void)
{
    in_a_thread(allocate, NULL);
    free(crowd[101]);
    free(crowd[101]);
    come_home();
    return 0;
}
