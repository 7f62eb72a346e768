/* whose.c -- is malloc litmalloc, before and after a fork, and on two threads?
 *
 * Exits 0 if a statically linked or preloaded program is served by it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern size_t malloc_usable_size(void *);

/* Our classes are 16, 32, 48, 64, 80 bytes ...: 33 bytes are 48 with us, 40 with
 * glibc; 100000 are 112 KiB. */
static int is_ours(void)
{
    void *small = malloc(33), *large = malloc(100000);
    char *copy = strdup("allocated inside the C library");
    int good = small != NULL && large != NULL && copy != NULL
               && malloc_usable_size(small) == 48
               && malloc_usable_size(large) == 114688
               && malloc_usable_size(copy) == 32;

    free(small);
    free(large);
    free(copy);
    return good;
}

static void *thread(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        if (!is_ours())
            return "no";
    return NULL;
}

int main(void)
{
    pthread_t t[2];
    void *answer;
    int status;

    if (!is_ours()) {
        printf("malloc is somebody else's\n");
        return 1;
    }
    for (int i = 0; i < 2; i++)
        if (pthread_create(&t[i], NULL, thread, NULL) != 0)
            return 2;
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(!is_ours());
        if (waitpid(child, &status, 0) != child || status != 0) {
            printf("child %d: wait status %#x\n", i, (unsigned)status);
            return 3;
        }
    }
    for (int i = 0; i < 2; i++)
        if (pthread_join(t[i], &answer) != 0 || answer != NULL)
            return 4;
    printf("malloc is ours, in 50 children too\n");
    return 0;
}
