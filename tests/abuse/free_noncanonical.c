/* free_noncanonical.c -- an address that no pointer can have is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0xdeadbeefdeadbeef: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    free((void *)0xdeadbeefdeadbeef);
    return 0;
}
