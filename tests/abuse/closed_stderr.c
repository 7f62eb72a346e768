/* closed_stderr.c -- with fd 2 closed nothing is written anywhere, and the program still dies. */
#include "abuse.h"
#include <unistd.h>

static char object[64] __attribute__((aligned(16)));

int main(void)
{
    close(2);
    free(object);
    return 0;
}
