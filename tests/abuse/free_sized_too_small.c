/* free_sized_too_small.c -- free_sized is told a size that is too small by far. */
/* expect: ^litmalloc: free_sized\(\): wrong size 16 for 0x[0-9a-f]+: the block has [0-9]+ bytes$ */
#include "abuse.h"

int main(void)
{
    void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
    free_sized(malloc(1000), 16);
    return 0;
}
