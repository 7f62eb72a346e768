/* sampled_hardened.c -- random.c where blocks are sampled in a heap with all guards. */
/* env: LITMALLOC_CONF=sample:20,harden:true */
#include "random.c"
