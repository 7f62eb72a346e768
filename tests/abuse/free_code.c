/* free_code.c -- the address of a function is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    free((void *)main);
    return 0;
}
