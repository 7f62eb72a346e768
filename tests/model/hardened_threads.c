/* hardened_threads.c -- threads.c in a heap with all guards. */
/* env: LITMALLOC_CONF=harden:true */
#include "threads.c"
