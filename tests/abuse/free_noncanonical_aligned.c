/* free_noncanonical_aligned.c -- an aligned address that no pointer can have is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0xdeadbeefdeadbe00: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    malloc(SMALL);
    free((void *)0xdeadbeefdeadbe00);
    return 0;
}
