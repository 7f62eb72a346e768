/* sampled_aligned.c -- aligned.c where one block in fifty is sampled. */
/* env: LITMALLOC_CONF=sample:50 */
#include <check.h>
#include "aligned.c"
