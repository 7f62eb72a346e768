/* free_static.c -- the address of a static variable is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

static char object[64] __attribute__((aligned(16)));

int main(void)
{
    free(object);
    return 0;
}
