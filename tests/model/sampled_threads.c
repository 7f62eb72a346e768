/* sampled_threads.c -- threads.c where one block in twenty is sampled. */
/* env: LITMALLOC_CONF=sample:20,sample_slots:256 */
#include "threads.c"
