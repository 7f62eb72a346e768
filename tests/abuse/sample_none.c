/* sample_none.c -- sampled blocks that nobody misuses are no news. */
/* env: LITMALLOC_CONF=sample:1,abort_conf:true */
/* exit: 0 */
#include "sampled.h"

int main(void)
{
    for (size_t n = 1; n < 4080; n++) {
        char *p = sampled(n, n % 2 == 0);
        memset(p, 1, n);
        p = realloc(p, n + 1);
        free(p);
    }
    return 0;
}
