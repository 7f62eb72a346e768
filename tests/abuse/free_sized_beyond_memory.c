/* free_sized_beyond_memory.c -- free_sized is told a size that no block can have. */
/* expect: ^litmalloc: free_sized\(\): wrong size 18446744073709551615 for 0x[0-9a-f]+: the block has [0-9]+ bytes$ */
#include "abuse.h"

int main(void)
{
    void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
    free_sized(malloc(1000), SIZE_MAX);
    return 0;
}
