/* new_fails_late_library.c -- a program of C gets its C++ library by dlopen, out of sight of
 * everybody else; an operator new that fails finds it all the same, and throws. */
/* expect: terminate called after throwing an instance of 'std::bad_alloc' */
/* expect: what\(\): +std::bad_alloc */
#include "abuse.h"

int main(void)
{
    void *(*new_)(size_t) = dlsym(RTLD_DEFAULT, "_Znwm");

    if (dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL) == NULL) {
        puts("no C++ library here");
        return SKIP;
    }
    new_(PTRDIFF_MAX);
    return 0;
}
