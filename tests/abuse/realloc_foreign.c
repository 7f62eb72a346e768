/* realloc_foreign.c -- a static object is resized. */
/* expect: ^litmalloc: realloc\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

static char object[64] __attribute__((aligned(16)));

int main(void)
{
    realloc(object, 128);
    return 0;
}
