/* free_sized_wrong_huge.c -- free_sized is told a wrong size of a huge block. */
/* expect: ^litmalloc: free_sized\(\): wrong size 1000 for 0x[0-9a-f]+: the block has [0-9]+ bytes$ */
#include "abuse.h"

int main(void)
{
    void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
    free_sized(malloc(8388608), 1000);
    return 0;
}
