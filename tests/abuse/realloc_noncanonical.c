/* realloc_noncanonical.c -- an address that no pointer can have is resized. */
/* expect: ^litmalloc: realloc\(\): invalid pointer 0xdeadbeefdeadbeef: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    realloc((void *)0xdeadbeefdeadbeef, 128);
    return 0;
}
