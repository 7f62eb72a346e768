/* usable_size_foreign.c -- the size of a static object is asked for. */
/* expect: ^litmalloc: malloc_usable_size\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

static char object[64] __attribute__((aligned(16)));

int main(void)
{
    malloc_usable_size(object);
    return 0;
}
