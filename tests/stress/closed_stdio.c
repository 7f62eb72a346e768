/* closed_stdio.c -- a process that starts with fds 0 to 2 closed: the library
 * opens none of them, and writes into none of what the program opens there. */
/* link: preload */
#include "stress.h"

static int in_child(void)
{
    char name[] = "/tmp/closed_stdio.XXXXXX", text[16];
    free(launder(malloc(100)));
    for (int i = 0; i < 3; i++) {       /* lowest free first: 0, 1, 2 */
        int fd = mkstemp(name);
        if (fd != i)
            return 10 + i;
        unlink(name);
        strcpy(name, "/tmp/closed_stdio.XXXXXX");
    }
    churn(1, 20000, MiB);
    malloc_trim(0);
    for (int i = 0; i < 3; i++)
        if (pread(i, text, sizeof text, 0) != 0)
            return 20 + i;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return in_child();
    pid_t pid = fork();
    if (pid == 0) {
        setenv("LITMALLOC_CONF", "nonsense:1", 1);      /* has something to say */
        close(0);
        close(1);
        close(2);
        execl("/proc/self/exe", argv[0], "child", (char *)NULL);
        _exit(127);
    }
    wait_for(pid, "process without fds 0 to 2");
    puts("closed_stdio: nothing written");
    return 0;
}
