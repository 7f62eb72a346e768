/* rings-log.c -- records what a program asks of malloc, for rings.c; preloaded by rings.sh.
 *
 * Writes 16 bytes a call to the file that RINGS_LOG names: address and size, size 0 for
 * free.  The program itself runs on glibc's malloc, by its other names.  A child that
 * the program forks records nothing. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

enum { NBUFFER = 4096 };

static struct record {
    uint64_t address, size;
} buffer[NBUFFER];
static unsigned nbuffered;
static int fd = -1;
static pid_t owner;
static char lock;

static void write_out(void)
{
    const char *at = (const char *)buffer;
    size_t left = nbuffered * sizeof *buffer;

    while (left > 0) {
        ssize_t n = write(fd, at, left);
        if (n <= 0)
            break;
        at += n;
        left -= (size_t)n;
    }
    nbuffered = 0;
}

static void note(void *p, size_t size)
{
    int e = errno;

    if (fd < 0 || p == NULL)
        return;
    while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
        continue;
    if (getpid() == owner) {
        buffer[nbuffered++] = (struct record){ (uintptr_t)p, size };
        if (nbuffered == NBUFFER)
            write_out();
    }
    __atomic_clear(&lock, __ATOMIC_RELEASE);
    errno = e;
}

static size_t at_least_1(size_t size)
{
    return size == 0 ? 1 : size;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("RINGS_LOG");

    if (path == NULL)
        return;
    owner = getpid();
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    unsetenv("RINGS_LOG");
    unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
    if (fd >= 0 && getpid() == owner)
        write_out();
}

void *malloc(size_t size)
{
    void *p = __libc_malloc(size);

    note(p, at_least_1(size));
    return p;
}

void *calloc(size_t n, size_t size)
{
    void *p = __libc_calloc(n, size);

    note(p, at_least_1(n * size));
    return p;
}

void *realloc(void *old, size_t size)
{
    void *p;

    if (old != NULL)
        note(old, 0);
    p = __libc_realloc(old, size);
    note(p, at_least_1(size));
    return p;
}

void free(void *p)
{
    note(p, 0);
    __libc_free(p);
}

void *memalign(size_t alignment, size_t size)
{
    void *p = __libc_memalign(alignment, size);

    note(p, at_least_1(size));
    return p;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = memalign(alignment, size);

    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}
