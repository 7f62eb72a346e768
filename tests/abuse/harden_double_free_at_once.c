/* harden_double_free_at_once.c -- two threads free a block in the same moment: both find its
 * seal whole, and one of them must be told.  A hundred children try it first, without a
 * word, since the moment is short. */
/* env: LITMALLOC_CONF=harden:true,quarantine_bytes:4m */
/* expect: ^litmalloc: free\(\): double free of 0x[0-9a-f]+: a block of 50000 bytes, free already$ */
#include "abuse.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile block;
static int ready;

static void *free_it(void *unused)
{
    free(malloc(1));                    /* so that the thread has begun */
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 2)
        ;
    free(block);
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 4)
        ;                               /* what a thread holds back goes home when it ends */
    return unused;
}

static void free_twice_at_once(void)
{
    pthread_t t;

    block = malloc(50000);
    pthread_create(&t, NULL, free_it, NULL);
    free_it(NULL);
    pthread_join(t, NULL);
}

int main(void)
{
    for (int i = 0, status; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            close(2);
            free_twice_at_once();
            _exit(0);
        }
        if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status)
            || WTERMSIG(status) != SIGABRT)
            return 1;
    }
    free_twice_at_once();
    return 0;
}
