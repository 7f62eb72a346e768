/* harden_free_sized_wrong.c -- in a hardened heap a wrong size is wrong by one byte. */
/* env: LITMALLOC_CONF=harden:true */
/* expect: ^litmalloc: free_sized\(\): wrong size 41 for 0x[0-9a-f]+: the block has 40 bytes$ */
#include "abuse.h"

int main(void)
{
    void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");

    free_sized(malloc(40), 41);
    return 0;
}
