/* build_library.h -- for programs that need a second object file at run time. */
#ifndef BUILD_LIBRARY_H
#define BUILD_LIBRARY_H

#include "stress.h"
#include <dlfcn.h>

/* The path of the library that malloc comes from; skips if that is libc. */
__attribute__((unused)) static const char *library_path(void)
{
    Dl_info info;
    demand(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) != 0);
    if (strstr(info.dli_fname, "/libc.so") != NULL || strstr(info.dli_fname, ".so") == NULL)
        skip("malloc is not a preloaded library's here");
    return info.dli_fname;
}

/* Compile `source` with `flags` into dir/name; skips where there is no compiler. */
__attribute__((unused)) static void build_object(const char *dir, const char *name,
                                                 const char *source, const char *flags)
{
    char text[1000];
    const char *cc = getenv("CC");
    snprintf(text, sizeof text, "%s/%s.c", dir, name);
    FILE *f = fopen(text, "w");
    demand(f != NULL && fputs(source, f) >= 0 && fclose(f) == 0);
    snprintf(text, sizeof text, "unset LD_PRELOAD; cd '%s' && %s -O1 -w -o '%s' '%s.c' %s", dir,
             cc != NULL && *cc != '\0' ? cc : "cc", name, name, flags);
    if (system(text) != 0)
        skip("no C compiler at run time");
}

__attribute__((unused)) static void remove_directory(const char *dir)
{
    char text[200];
    snprintf(text, sizeof text, "rm -rf '%s'", dir);
    demand(system(text) == 0);
}

#endif
