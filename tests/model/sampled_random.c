/* sampled_random.c -- random.c where one block in twenty is sampled. */
/* env: LITMALLOC_CONF=sample:20,sample_slots:256 */
#include "random.c"
