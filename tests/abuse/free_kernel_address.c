/* free_kernel_address.c -- an address at the very top is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0xfffffffffffff000: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    malloc(SMALL);
    free((void *)0xfffffffffffff000);
    return 0;
}
