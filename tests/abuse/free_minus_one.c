/* free_minus_one.c -- the address -1, as a failing mmap or sbrk gives it, is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0xffffffffffffffff: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    free((void *)-1);
    return 0;
}
