/* sizes.c -- a library to preload: counts what sizes a program asks for.
 *
 *   SIZES=/dir/name LD_PRELOAD=build/bench/sizes.so program
 *
 * At the end each process writes /dir/name.PID: a line for each size up to
 * 64 KiB that was asked for, and how often; larger ones as `larger`. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 65536 };

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static uint64_t asked[MOST + 2];

static void note(size_t size)
{
    __atomic_fetch_add(&asked[size > MOST ? MOST + 1 : size], 1,
                       __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    note(n * size);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    note(size);
    return __libc_realloc(p, size);
}

__attribute__((destructor)) static void write_down(void)
{
    char path[4096];
    const char *name = getenv("SIZES");
    FILE *f;

    if (name == NULL)
        return;
    snprintf(path, sizeof path, "%s.%d", name, (int)getpid());
    if ((f = fopen(path, "w")) == NULL)
        return;
    for (size_t i = 0; i <= MOST; i++)
        if (asked[i] != 0)
            fprintf(f, "%zu %llu\n", i, (unsigned long long)asked[i]);
    fprintf(f, "larger %llu\n", (unsigned long long)asked[MOST + 1]);
    fclose(f);
}
