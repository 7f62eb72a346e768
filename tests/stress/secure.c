/* secure.c -- a program with more rights than its user (AT_SECURE) does not take
 * its options from the environment: no word about a wrong LITMALLOC_CONF. */
/* link: preload */
#include "build_library.h"
#include <sys/stat.h>

static const char source[] =
    "#include <stdlib.h>\n"
    "#include <sys/auxv.h>\n"
    "int main(void) { free(malloc(100)); return getauxval(AT_SECURE) ? 43 : 42; }\n";

/* Run `path` as user nobody; its exit status, and how much it wrote to fd 2. */
static int run_as_nobody(const char *path, ssize_t *nwritten)
{
    char text[1000];
    int ends[2], status;
    demand(pipe(ends) == 0);
    pid_t pid = fork();
    demand(pid >= 0);
    if (pid == 0) {
        unsetenv("LD_PRELOAD");
        setenv("LITMALLOC_CONF", "nonsense:1", 1);
        dup2(ends[1], 2);
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(126);
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *nwritten = read(ends[0], text, sizeof text);
    close(ends[0]);
    demand(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(void)
{
    char dir[] = "/tmp/secure.XXXXXX", text[1000], path[100];
    if (geteuid() != 0)
        skip("a setuid program takes root to make");
    const char *library = library_path();
    demand(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0);
    snprintf(text, sizeof text, "cp '%s' '%s/the_malloc.so'", library, dir);
    demand(system(text) == 0);
    snprintf(text, sizeof text, "-Wl,--no-as-needed '%s/the_malloc.so'", dir);
    build_object(dir, "program", source, text);
    snprintf(path, sizeof path, "%s/program", dir);

    ssize_t nwritten;
    int plain = run_as_nobody(path, &nwritten);
    if (plain == 42 && nwritten <= 0)
        fail("without AT_SECURE the wrong option went unnoticed");
    demand(chmod(path, 04755) == 0);
    int secure = run_as_nobody(path, &nwritten);
    remove_directory(dir);
    if (plain != 42 || secure != 43)
        skip("setuid programs cannot be made or run here");
    if (nwritten > 0)
        fail("under AT_SECURE LITMALLOC_CONF was read");
    puts("secure: LITMALLOC_CONF is ignored under AT_SECURE");
    return 0;
}
