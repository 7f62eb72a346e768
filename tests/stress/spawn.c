/* spawn.c -- vfork and posix_spawn in a threaded process.  A vfork child shares
 * our heap: what it allocates must be good memory, and ours stay whole. */
#include "stress.h"
#include <spawn.h>

extern char **environ;
static atomic_bool stop;

static void *churner(void *argument)
{
    for (uint64_t i = 0; !stop; i++)
        churn((uintptr_t)argument + i, 1000, 100 * KiB);
    return NULL;
}

int main(void)
{
    char *arguments[] = { "true", NULL };
    if (SANITIZED)
        skip("a sanitizer makes vfork a fork");
    pthread_t threads[2] = { start(churner, (void *)1), start(churner, (void *)2) };

    int nrounds = rounds(100, 5000);
    for (int i = 0; i < nrounds; i++) {
        void *volatile of_child = NULL, *volatile ours = malloc(3000);
        tag_put(ours, 3000, 'o');
        pid_t pid = vfork();
        demand(pid >= 0);
        if (pid == 0) {
            of_child = malloc(2000);
            if (of_child != NULL)
                tag_put(of_child, 2000, 'c');
            free(malloc(opaque(5 * MiB)));
            execvp(arguments[0], arguments);
            _exit(127);
        }
        demand(of_child != NULL);
        tag_check(of_child, 2000, 'c');
        tag_check(ours, 3000, 'o');
        free(of_child);
        free(ours);
        wait_for(pid, "vfork and exec");

        demand(posix_spawnp(&pid, arguments[0], NULL, NULL, arguments, environ) == 0);
        wait_for(pid, "posix_spawn");
    }
    stop = true;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    printf("spawn: %d vforks, %d posix_spawns\n", nrounds, nrounds);
    return 0;
}
