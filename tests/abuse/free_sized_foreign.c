/* free_sized_foreign.c -- free_sized is given a static object. */
/* expect: ^litmalloc: free_sized\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

static char object[64] __attribute__((aligned(16)));

int main(void)
{
    void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
    free_sized(object, 64);
    return 0;
}
