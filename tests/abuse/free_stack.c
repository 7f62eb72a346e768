/* free_stack.c -- the address of a local variable is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    char local[64] __attribute__((aligned(16)));
    free(local);
    return 0;
}
