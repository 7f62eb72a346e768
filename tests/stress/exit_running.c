/* exit_running.c -- exit() while other threads allocate and free: the process
 * must end, with the status it was given. */
#include "stress.h"

enum { NTHREADS = 4, STATUS = 42 };

static void *for_ever(void *argument)
{
    for (uint64_t i = 0;; i++)
        churn((uintptr_t)argument + i, 500, 200 * KiB);
    return NULL;
}

int main(void)
{
    int nrounds = rounds(60, 2000);
    for (int i = 0; i < nrounds; i++) {
        fflush(stdout);
        pid_t pid = fork();
        demand(pid >= 0);
        if (pid == 0) {
            alarm(20);
            for (uintptr_t k = 0; k < NTHREADS; k++)
                start(for_ever, (void *)(k + (uintptr_t)i));
            usleep((useconds_t)(i % 60) * 300);
            exit(STATUS);
        }
        int status;
        demand(waitpid(pid, &status, 0) == pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != STATUS)
            fail("round %d: wait status %#x", i, (unsigned)status);
    }
    printf("exit_running: %d processes, %d threads each\n", nrounds, NTHREADS);
    return 0;
}
