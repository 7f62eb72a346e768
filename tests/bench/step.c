/* step.c -- counts the instructions of a pair of malloc and free, one by one.
 *
 *   step SIZE          prints instructions a pair, of malloc and free alone
 *   step pairs SIZE N  only makes N pairs: for a machine that is counted from
 *                      outside (qemu-aarch64 -singlestep -d exec,nochain)
 *
 * A child process makes pairs between two stops; the parent walks it through
 * with PTRACE_SINGLESTEP.  What 300 pairs take more than 100, less the same
 * of a loop around two functions of one instruction, is exact.  Exit status
 * 77: this system does not let one process step another. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

__asm__(".text\n.globl nothing\n.type nothing, %function\nnothing:\n\tret\n"
        ".size nothing, . - nothing\n");
void *nothing(void);

static void *(*volatile get)(size_t) = malloc;
static void (*volatile put)(void *) = free;

__attribute__((noinline)) static void pairs(size_t size, long n)
{
    void *(*m)(size_t) = get;
    void (*f)(void *) = put;

    for (; n > 0; n--)
        f(m(size));
}

static void use_nothing(void)
{
    get = (void *(*)(size_t))(void *)nothing;
    put = (void (*)(void *))(void *)nothing;
}

static void child(size_t size, long n, int null)
{
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
        _exit(77);
    pairs(size, 3000);
    if (null)
        use_nothing();
    raise(SIGSTOP);
    pairs(size, n);
    raise(SIGSTOP);
    _exit(0);
}

/* Instructions from one stop to the next. */
static long steps(size_t size, long n, int null)
{
    pid_t pid = fork();
    long count = 0;
    int status;

    if (pid == 0)
        child(size, n, null);
    if (pid < 0 || waitpid(pid, &status, 0) < 0) {
        perror("step");
        exit(1);
    }
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    do {
        if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) != 0
            || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
            exit(77);
        count++;
    } while (WSTOPSIG(status) == SIGTRAP);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return count;
}

int main(int argc, char **argv)
{
    long with, loop;

    if (argc == 4 && strcmp(argv[1], "pairs") == 0) {
        pairs(strtoul(argv[2], NULL, 10), atol(argv[3]));
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "nothing") == 0) {
        use_nothing();
        pairs(strtoul(argv[2], NULL, 10), atol(argv[3]));
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: step SIZE, or step pairs|nothing SIZE N\n");
        return 2;
    }
    size_t size = strtoul(argv[1], NULL, 10);
    with = steps(size, 300, 0) - steps(size, 100, 0);
    loop = steps(size, 300, 1) - steps(size, 100, 1) - 2 * 200;
    printf("%.2f\n", (double)(with - loop) / 200);
    return 0;
}
