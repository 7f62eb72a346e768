/* options.c -- LITMALLOC_CONF with nonsense in it: one warning or more on fd 2,
 * each a line that names the library, and the program goes on.  With an empty
 * value nothing is said. */
/* link: preload */
#include "build_library.h"

static const char *const nonsense[] = {
    "nonsense:1", "no_such_key:true,other:2", ":", ",", "narenas", "narenas:", "narenas:minus",
    "narenas:99999999999999999999999", "narenas:-1", "=====", "\x01\xff\xfe", "a:b:c:d",
};

/* Run ourselves with LITMALLOC_CONF=value; what was written to fd 2, and its length. */
static size_t run_with(char **argv, const char *value, char *text, size_t size)
{
    int ends[2];
    demand(pipe(ends) == 0);
    pid_t pid = fork();
    demand(pid >= 0);
    if (pid == 0) {
        setenv("LITMALLOC_CONF", value, 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", argv[0], "child", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    wait_for(pid, value);
    return length;
}

int main(int argc, char **argv)
{
    static char text[20000], longest[5000];
    if (argc > 1) {
        churn(1, 2000, MiB);
        return 0;
    }
    library_path();
    demand(run_with(argv, "", text, sizeof text) == 0);
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        size_t n = run_with(argv, nonsense[i], text, sizeof text);
        if (strpbrk(nonsense[i], "abcdefghijklmnopqrstuvwxyz") == NULL)
            continue;                   /* may pass for an empty list */
        if (n == 0 || strncmp(text, "litmalloc: ", 11) != 0 || text[n - 1] != '\n')
            fail("LITMALLOC_CONF=%s: wrote \"%s\"", nonsense[i], text);
    }
    memset(longest, 'x', sizeof longest - 1);
    demand(run_with(argv, longest, text, sizeof text) > 0);
    printf("options: %zu settings\n", sizeof nonsense / sizeof nonsense[0] + 2);
    return 0;
}
