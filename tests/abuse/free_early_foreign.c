/* free_early_foreign.c -- a constructor frees a static object before main. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

static char object[64] __attribute__((aligned(16)));

__attribute__((constructor)) static void early(void)
{
    free(object);
}

int main(void)
{
    return 0;
}
