/* delete_sized_wrong_small.c -- operator delete of C++ is told a wrong size of a small block. */
/* expect: ^litmalloc: operator delete\(\): wrong size 1000 for 0x[0-9a-f]+: the block has [0-9]+ bytes$ */
#include "abuse.h"

int main(void)
{
    void (*delete_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "_ZdlPvm");
    delete_sized(malloc(100), 1000);
    return 0;
}
