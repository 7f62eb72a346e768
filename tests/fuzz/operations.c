/* operations.c -- bytes as calls of the allocator, against the model's table.
 *
 * `make fuzz` links it with libFuzzer, which looks for bytes that reach new branches
 * of the rooms; what it found is in corpus/.  `make check` gives it a main of its own
 * that replays the corpus, or the files it is given.
 *
 * A call is four bytes: what, which slot of the table, and two for a size. */
/* link: static */
#include "../model/model.h"

#include <dirent.h>
#include <limits.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);
extern void *reallocarray(void *, size_t, size_t);
extern void lit_purge(void);

enum { NSLOTS = 64, MOST = 9 << 20, LARGE_MOST = 16 << 20 };

static struct model model;
static size_t large;                    /* bytes asked for in large sizes, so far */

/* A size from 0 to 9 MiB: twelve bits, shifted by the other four.  The time goes where
 * the bytes are, so one input gets so many of them in large sizes, and then small ones. */
static size_t size_of(const uint8_t *call)
{
    unsigned bits = call[2] | (unsigned)call[3] << 8;
    size_t size = (size_t)(bits & 4095) << (bits >> 12);

    size = size < MOST ? size : MOST;
    if (size <= 64 * KiB)
        return size;
    if (large + size > LARGE_MOST)
        return size % (64 * KiB);
    large += size;
    return size;
}

static void allocate(struct block *b, unsigned what, size_t size, size_t alignment)
{
    void *p = NULL;

    switch (what) {
    case 0:
        model_enter(&model, b, malloc(size), size, 0);
        break;
    case 1:
        size = size / 8 * 8 + 8;
        p = calloc(size / 8, 8);
        for (size_t i = 0; p != NULL && i < size; i = model_next(i, size))
            if (((char *)p)[i] != 0)
                fail("byte %zu of calloc's %zu at %p is not zero", i, size, p);
        model_enter(&model, b, p, size, 0);
        break;
    case 2:
        model_enter(&model, b, aligned_alloc(alignment, size), size, alignment);
        break;
    default:
        demand(posix_memalign(&p, alignment, size) == 0);
        model_enter(&model, b, p, size, alignment);
    }
}

static void release(struct block *b, unsigned what)
{
    model_check_bytes(b, b->p, b->size);
    demand(malloc_usable_size(b->p) == b->usable);
    model.total -= b->size;
    errno = 4242;
    if (what == 0 || (what == 1 && b->alignment != 0))
        free(b->p);
    else if (b->alignment == 0)
        free_sized(b->p, b->size);
    else
        free_aligned_sized(b->p, b->alignment, b->size);
    demand(errno == 4242);
    *b = (struct block){ .p = NULL };
}

static void resize(struct block *b, size_t size, bool array)
{
    size_t old = b->size;
    void *p;

    if (size == 0)
        size = 1;                       /* 0 would free it */
    p = array ? reallocarray(b->p, 1, size) : realloc(b->p, size);
    demand(p != NULL);
    if (b->p != NULL)
        model_check_bytes(b, p, size < old ? size : old);
    model.total -= old;
    model_enter(&model, b, p, size, 0);
}

/* What cannot be had is refused, and what was there stays. */
static void ask_too_much(struct block *b, size_t size)
{
    errno = 0;
    demand(launder(malloc(PTRDIFF_MAX + size + 1)) == NULL && errno == ENOMEM);
    errno = 0;
    demand(launder(calloc(SIZE_MAX / 2, size + 3)) == NULL && errno == ENOMEM);
    errno = 0;
    demand(launder(reallocarray(b->p, SIZE_MAX / 2, size + 3)) == NULL && errno == ENOMEM);
    if (b->p != NULL)
        model_check_bytes(b, b->p, b->size);
}

static void call(const uint8_t *c)
{
    struct block *b = &model.slot[c[1] % NSLOTS];
    size_t size = size_of(c), alignment = (size_t)16 << (c[0] >> 4);
    unsigned what = c[0] % 8;

    if (what < 4) {
        if (b->p == NULL)
            allocate(b, what, size, alignment);
        else
            release(b, what);
    } else if (what < 6)
        resize(b, size, what == 5);
    else if (size % 16 == 0)
        malloc_trim(0);
    else if (size % 16 == 1)
        lit_purge();
    else if (size % 16 == 2)
        ask_too_much(b, size);
    else if (b->p != NULL)
        release(b, what % 2);
}

static void *call_in_thread(void *c)
{
    call(c);
    return NULL;
}

/* Every call whose slot has its highest bit set is made by another thread. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    uint8_t copy[4 * 512];

    nbytes = nbytes < sizeof copy ? nbytes : sizeof copy;
    memcpy(copy, bytes, nbytes);
    model.state = 1;
    large = 0;
    for (size_t i = 0; i + 4 <= nbytes; i += 4)
        if (copy[i + 1] >= 128)
            pthread_join(start(call_in_thread, &copy[i]), NULL);
        else
            call(&copy[i]);
    model_check_overlap(&model, 1);
    model_check(&model);
    for (int i = 0; i < NSLOTS; i++)
        if (model.slot[i].p != NULL)
            release(&model.slot[i], 0);
    demand(model.total == 0);
    return 0;
}

#ifndef LIBFUZZER
static void replay(const char *path)
{
    uint8_t bytes[4 * 512];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);

    if (n < 0)
        fail("%s cannot be read", path);
    close(fd);
    LLVMFuzzerTestOneInput(bytes, (size_t)n);
}

int main(int n, char *paths[])
{
    static char path[PATH_MAX];
    int nfiles = n - 1;

    for (int i = 1; i < n; i++)
        replay(paths[i]);
    if (n == 1) {
        DIR *corpus = opendir("tests/fuzz/corpus");
        demand(corpus != NULL);
        for (struct dirent *e; (e = readdir(corpus)) != NULL;)
            if (e->d_name[0] != '.') {
                snprintf(path, sizeof path, "tests/fuzz/corpus/%s", e->d_name);
                replay(path);
                nfiles++;
            }
        closedir(corpus);
    }
    demand(nfiles > 0);
    printf("operations: %d files replayed\n", nfiles);
    return 0;
}
#endif
