/* hardened_operations.c -- the corpus again, in a heap with all guards. */
/* env: LITMALLOC_CONF=harden:true */
/* link: static */
#include "operations.c"
