/* harden_overflow_page.c -- a large block ends at a page that traps. */
/* env: LITMALLOC_CONF=guard_pages:true */
/* exit: 139 */
#include "abuse.h"

int main(void)
{
    char *volatile p = malloc(LARGE);

    for (size_t i = 0; i < 2 * LARGE; i++)
        p[i] = 1;
    return 0;
}
