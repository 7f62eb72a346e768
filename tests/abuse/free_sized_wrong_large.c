/* free_sized_wrong_large.c -- free_sized is told a wrong size of a large block. */
/* expect: ^litmalloc: free_sized\(\): wrong size 307200 for 0x[0-9a-f]+: the block has [0-9]+ bytes$ */
#include "abuse.h"

int main(void)
{
    void (*free_sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
    free_sized(malloc(102400), 307200);
    return 0;
}
