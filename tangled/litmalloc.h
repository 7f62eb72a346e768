/* Tangled from src.nw/70-malloc.nw; edit that, not this. */
/* litmalloc.h -- what litmalloc offers beyond malloc(3).
 *
 * All functions: any thread, not from a signal handler. */

#ifndef LITMALLOC_H
#define LITMALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LITMALLOC_VERSION "0.1.0"

/* The version of the library that is running: "MAJOR.MINOR.PATCH". */
const char *lit_version(void);

/* Write a one-page report of this process's heap to file descriptor `fd`.
 * Allocates nothing.  Errors of writing are ignored. */
void lit_report(int fd);

/* Give back to the system whatever can be: the calling thread's cache, the
 * depots, every dirty page.  Returns the bytes given back. */
size_t lit_purge(void);

#ifdef __cplusplus
}
#endif

#endif
