/* none_report_at_exit.c -- no misuse: with stats:true the process ends with a report on what
 * was standard error when it began, although the program has closed that since. */
/* env: LITMALLOC_CONF=stats:true,sample:1,sample_slots:1 */
/* exit: 0 */
/* expect: ^litmalloc: the heap of this process */
/* expect: ^ *[0-9]+ blocks sampled now, [1-9][0-9]* ever, [1-9][0-9]* found no slot */
/* expect: ^ *class +runs +live */
#include "abuse.h"
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 1000; i++)
        crowd[i] = malloc(SMALL);
    close(2);
    return 0;
}
