/* absurd.c -- requests that no machine can meet, from many threads at once,
 * between normal ones: NULL and ENOMEM each time, and nothing is used up. */
#include "stress.h"

enum { NTHREADS = 4, NROUNDS = 200 };

static void refused(void *p)
{
    int error = errno;
    demand(launder(p) == NULL);
    demand(error == ENOMEM);
    errno = 0;
}

static void *thread(void *argument)
{
    const size_t sizes[] = { (size_t)64 << 40, (size_t)1 << 47, (size_t)1 << 56,
                             (size_t)PTRDIFF_MAX - 4096, PTRDIFF_MAX, SIZE_MAX };
    void *block = malloc(5000);
    tag_put(block, 5000, 'b');
    for (int i = 0; i < NROUNDS; i++)
        for (size_t k = 1; k < sizeof sizes / sizeof sizes[0]; k++) {
            size_t n = opaque(sizes[k]);
            errno = 0;
            refused(malloc(n));
            refused(calloc(1, n));
            refused(calloc(n / 8, 8));
            refused(realloc(NULL, n));
            refused(realloc(block, n));
            refused(aligned_alloc(4096, n));
            refused(memalign(opaque((size_t)1 << 40), n));
            tag_check(block, 5000, 'b');
            churn((uintptr_t)argument, 10, 100 * KiB);
        }
    free(block);
    return NULL;
}

/* 64 TiB: may be granted where overcommit is on; then it must be all there. */
static void sixty_four_tebibytes(void)
{
    size_t n = opaque((size_t)64 << 40);
    errno = 0;
    char *p = malloc(n);
    if (p == NULL) {
        demand(errno == ENOMEM);
        return;
    }
    p[0] = p[n / 2] = p[n - 1] = 1;
    free(p);
}

int main(void)
{
    pthread_t threads[NTHREADS];
    size_t before = resident_bytes();
    for (int i = 0; i < 20; i++)
        sixty_four_tebibytes();
    for (uintptr_t i = 0; i < NTHREADS; i++)
        threads[i] = start(thread, (void *)i);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    demand(resident_bytes() < before + 64 * MiB);
    printf("absurd: %d rounds in %d threads\n", NROUNDS, NTHREADS);
    return 0;
}
