/* free_small_number.c -- a small number is freed, before any allocation of the program. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x10: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    free((void *)0x10);
    return 0;
}
