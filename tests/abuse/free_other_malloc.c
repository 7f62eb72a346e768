/* free_other_malloc.c -- what a second malloc in the process gave is freed: that of another copy of libc. */
/* expect: ^litmalloc: free\(\): invalid pointer 0x[0-9a-f]+: not from this allocator \(a second malloc linked in, or RTLD_DEEPBIND\?\)$ */
#include "abuse.h"

int main(void)
{
    void *libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
    void *(*other)(size_t) = libc ? dlsym(libc, "malloc") : NULL;
    if (other == NULL) {
        puts("no second libc: dlmopen failed");
        exit(SKIP);
    }
    free(other(100));
    return 0;
}
