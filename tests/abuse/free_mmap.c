/* free_mmap.c -- a mapping of the program's own is freed. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    void *p = mmap(NULL, 1 << 22, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    malloc(SMALL);
    free((char *)p + 4096);
    return 0;
}
