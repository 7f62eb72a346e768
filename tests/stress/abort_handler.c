/* abort_handler.c -- a program that dies of a double free has a handler for SIGABRT
 * that allocates, as crash reporters do: it must not wait for a lock that the dying
 * call still holds, and the process ends by SIGABRT. */
/* link: preload */
#include "stress.h"

enum { NBLOCKS = 20000, SIZE = 48 };

static void *blocks[NBLOCKS];
static int ends[2];

static void *in_thread(void *unused)
{
    free(launder(malloc(opaque(SIZE))));
    return unused;
}

/* Blocks of the class that was broken, of others, in this thread and a new one. */
static void on_abort(int signal)
{
    static void *kept[200];
    (void)signal;
    for (int i = 0; i < 200; i++)
        kept[i] = malloc(opaque(SIZE));
    for (size_t n = 16; n <= MiB; n *= 2)
        free(launder(malloc(opaque(n))));
    pthread_join(start(in_thread, NULL), NULL);
    if (kept[199] == NULL || write(ends[1], "x", 1) != 1)
        _exit(1);
}

static void in_child(bool interior)
{
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 2);
    alarm(20);
    signal(SIGABRT, on_abort);
    pthread_join(start(in_thread, NULL), NULL);     /* from here on locks are taken */
    for (int i = 0; i < NBLOCKS; i++)
        blocks[i] = malloc(SIZE);
    free(interior ? (char *)blocks[101] + 16 : blocks[100]);
    for (int i = 0; i < NBLOCKS; i += 2)
        free(blocks[i]);
    malloc_trim(0);
    _exit(0);
}

int main(void)
{
    for (int interior = 0; interior < 2; interior++) {
        int status;
        char mark;
        demand(pipe(ends) == 0);
        pid_t pid = fork();
        demand(pid >= 0);
        if (pid == 0)
            in_child(interior);
        close(ends[1]);
        demand(waitpid(pid, &status, 0) == pid);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            fail("the handler waits for a lock");
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail("wait status %#x instead of death by SIGABRT", (unsigned)status);
        demand(read(ends[0], &mark, 1) == 1);
        close(ends[0]);
    }
    puts("abort_handler: 2 deaths, their handler allocated");
    return 0;
}
