/* delete_interior_huge.c -- operator delete of C++ is given the middle of a huge block. */
/* expect: ^litmalloc: operator delete\(\): invalid pointer 0x[0-9a-f]+: inside a block of [0-9]+ bytes at 0x[0-9a-f]+$ */
#include "abuse.h"

int main(void)
{
    void (*delete_)(void *) = dlsym(RTLD_DEFAULT, "_ZdlPv");
    delete_((char *)malloc(HUGE) + 64);
    return 0;
}
