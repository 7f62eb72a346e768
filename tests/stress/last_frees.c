/* last_frees.c -- free and malloc at the very end: in destructors of pthread
 * keys (all rounds of them), of thread_local objects, in atexit handlers and in
 * destructors of the program, when the thread's own cache may be gone. */
#include "stress.h"

enum { NKEYS = 8 };

static pthread_key_t keys[NKEYS];
static atomic_int ndestroyed, nthread_local;
static void *of_atexit, *of_destructor;

extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;

/* Set the key again until the rounds are over, each time with a new block. */
static void destroy(void *p)
{
    ndestroyed++;
    tag_check(p, 700, 'k');
    free(p);
    for (int i = 0; i < NKEYS; i++)
        if (pthread_getspecific(keys[i]) == NULL) {
            void *q = malloc(700);
            demand(q != NULL);
            tag_put(q, 700, 'k');
            if (ndestroyed % 3 == 0) {
                free(q);
            } else {
                pthread_setspecific(keys[i], q);
            }
            break;
        }
    churn(1, 20, 64 * KiB);
}

static void destroy_thread_local(void *p)
{
    nthread_local++;
    tag_check(p, 100 * KiB, 't');
    free(p);
    churn(2, 20, 64 * KiB);
}

static void *thread(void *unused)
{
    for (int i = 0; i < NKEYS; i++) {
        void *p = malloc(700);
        tag_put(p, 700, 'k');
        pthread_setspecific(keys[i], p);
    }
    void *p = malloc(100 * KiB);
    tag_put(p, 100 * KiB, 't');
    __cxa_thread_atexit_impl(destroy_thread_local, p, &__dso_handle);
    return unused;
}

static void at_exit(void)
{
    tag_check(of_atexit, 3 * MiB, 'a');
    free(of_atexit);
    churn(3, 1000, MiB);
}

__attribute__((destructor(101))) static void last_of_all(void)
{
    if (of_destructor == NULL)
        return;
    tag_check(of_destructor, 5000, 'd');
    free(of_destructor);
    churn(4, 1000, MiB);
}

int main(void)
{
    if (SANITIZED)
        skip("a sanitizer does not follow a thread that far");
    int nthreads = rounds(200, 20000);
    for (int i = 0; i < NKEYS; i++)
        demand(pthread_key_create(&keys[i], destroy) == 0);
    for (int i = 0; i < nthreads; i++)
        pthread_join(start(thread, NULL), NULL);
    demand(ndestroyed >= nthreads * NKEYS && nthread_local == nthreads);

    tag_put(of_atexit = malloc(3 * MiB), 3 * MiB, 'a');
    tag_put(of_destructor = malloc(5000), 5000, 'd');
    atexit(at_exit);
    printf("last_frees: %d threads, %d calls of destructors\n", nthreads, (int)ndestroyed);
    return 0;
}
