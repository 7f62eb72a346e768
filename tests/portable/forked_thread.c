/* forked_thread.c -- can the child of a process with threads begin a thread?
 *
 * Any kernel says yes.  An emulator may not; nothing of ours is linked here. */
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static bool go_on = true;

static void *work(void *ready)
{
    while (__atomic_load_n(&go_on, __ATOMIC_RELAXED))
        __atomic_store_n((bool *)ready, true, __ATOMIC_RELEASE);
    return NULL;
}

static void *do_nothing(void *argument)
{
    return argument;
}

int main(void)
{
    bool ready = false;
    pthread_t worker, t;
    int status;

    if (pthread_create(&worker, NULL, work, &ready) != 0)
        return 2;
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        ;
    pid_t child = fork();
    if (child == 0)
        _exit(pthread_create(&t, NULL, do_nothing, NULL) != 0 || pthread_join(t, NULL) != 0);
    if (waitpid(child, &status, 0) != child)
        return 3;
    __atomic_store_n(&go_on, false, __ATOMIC_RELAXED);
    pthread_join(worker, NULL);
    return status != 0;
}
