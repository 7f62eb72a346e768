/* hardened_random.c -- random.c in a heap with all guards. */
/* env: LITMALLOC_CONF=harden:true */
#include "random.c"
