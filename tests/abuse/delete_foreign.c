/* delete_foreign.c -- operator delete of C++ is given a static object. */
/* expect: ^litmalloc: operator delete\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

static char object[64] __attribute__((aligned(16)));

int main(void)
{
    void (*delete_)(void *) = dlsym(RTLD_DEFAULT, "_ZdlPv");
    delete_(object);
    return 0;
}
