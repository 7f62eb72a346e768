/* dlopened_itself.c -- the allocator opened by dlopen in a process whose malloc is
 * the C library's: both work side by side, each frees its own, in threads too. */
/* link: preload */
#include "build_library.h"

static void *(*their_malloc)(size_t), *(*their_realloc)(void *, size_t);
static void (*their_free)(void *);

static void *thread(void *unused)
{
    enum { N = 2000 };
    static __thread unsigned char *p[N];
    uint64_t state = 1;
    for (int i = 0; i < N; i++) {
        size_t n = draw_size(&state, 200 * KiB);
        p[i] = their_malloc(n);
        demand(p[i] != NULL);
        tag_put(p[i], n, (unsigned char)i);
        free(launder(malloc(n)));
    }
    state = 1;
    for (int i = 0; i < N; i++) {
        size_t n = draw_size(&state, 200 * KiB);
        tag_check(p[i], n, (unsigned char)i);
        p[i] = their_realloc(p[i], 2 * n);      /* must call its own malloc and free */
        demand(p[i] != NULL && p[i][0] == (unsigned char)i && p[i][n - 1] == (unsigned char)i);
        their_free(p[i]);
    }
    return unused;
}

static void in_child(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail("%s", dlerror());
    their_malloc = (void *(*)(size_t))dlsym(library, "malloc");
    their_free = (void (*)(void *))dlsym(library, "free");
    their_realloc = (void *(*)(void *, size_t))dlsym(library, "realloc");
    demand(their_malloc != NULL && their_malloc != malloc);
    pthread_t threads[2] = { start(thread, NULL), start(thread, NULL) };
    thread(NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    pid_t pid = fork();
    if (pid == 0) {
        thread(NULL);
        _exit(0);
    }
    wait_for(pid, "child of a process that opened the library");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        alarm(60);
        in_child(argv[1]);
        return 0;
    }
    const char *path = library_path();
    pid_t pid = fork();
    if (pid == 0) {
        unsetenv("LD_PRELOAD");
        execl("/proc/self/exe", argv[0], path, (char *)NULL);
        _exit(127);
    }
    wait_for(pid, "process that opens the library");
    puts("dlopened_itself: two allocators side by side");
    return 0;
}
