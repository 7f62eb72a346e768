/* free_aligned_sized_wrong.c -- free_aligned_sized is told a wrong size. */
/* expect: ^litmalloc: free_aligned_sized\(\): wrong size 5000 for 0x[0-9a-f]+: the block has [0-9]+ bytes$ */
#include "abuse.h"

int main(void)
{
    void (*free_)(void *, size_t, size_t) = dlsym(RTLD_DEFAULT, "free_aligned_sized");
    free_(aligned_alloc(64, 256), 64, 5000);
    return 0;
}
