/* dlopened_user.c -- a library that allocates in its constructor, destructor and
 * thread_local storage is opened and closed while threads use it. */
/* link: preload */
#include "build_library.h"

static const char source[] =
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "static char *kept, *small[100];\n"
    "static __thread char *mine;\n"
    "__attribute__((constructor)) static void enter(void)\n"
    "{\n"
    "    kept = memset(malloc(3000000), 'k', 3000000);\n"
    "    for (int i = 0; i < 100; i++) small[i] = calloc(1, i * 50 + 1);\n"
    "}\n"
    "__attribute__((destructor)) static void leave(void)\n"
    "{\n"
    "    for (int i = 0; i < 100; i++) free(small[i]);\n"
    "    free(kept);\n"
    "}\n"
    "void *give(void)\n"
    "{\n"
    "    free(mine);\n"
    "    mine = malloc(100);\n"
    "    return kept[2999999] == 'k' ? strdup(\"from the library\") : NULL;\n"
    "}\n";

static void *(*give)(void);

static void *thread(void *unused)
{
    for (int i = 0; i < 100; i++) {
        char *text = give();
        demand(text != NULL && strcmp(text, "from the library") == 0);
        free(text);
    }
    return unused;
}

int main(void)
{
    char dir[] = "/tmp/dlopened_user.XXXXXX", path[100];
    demand(mkdtemp(dir) != NULL);
    build_object(dir, "user.so", source, "-shared -fPIC");
    snprintf(path, sizeof path, "%s/user.so", dir);

    int nrounds = rounds(100, 2000);
    for (int i = 0; i < nrounds; i++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL)
            fail("%s", dlerror());
        give = (void *(*)(void))dlsym(library, "give");
        demand(give != NULL);
        pthread_t threads[2] = { start(thread, NULL), start(thread, NULL) };
        thread(NULL);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
        demand(dlclose(library) == 0);
    }
    remove_directory(dir);
    printf("dlopened_user: opened and closed %d times\n", nrounds);
    return 0;
}
