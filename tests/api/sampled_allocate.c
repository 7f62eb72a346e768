/* sampled_allocate.c -- allocate.c where one block in fifty is sampled. */
/* env: LITMALLOC_CONF=sample:50 */
#include <check.h>
#include "allocate.c"
