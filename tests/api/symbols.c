/* symbols.c -- every allocation function that a program can reach by name
 * is the preloaded library's: one left out would mix two heaps. */
/* link: preload linked */
#include "api.h"

static const char *const names[] = {
    "malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc",
    "memalign", "valloc", "pvalloc", "malloc_usable_size", "reallocarray",
    "cfree", "free_sized", "free_aligned_sized", "mallopt", "mallinfo",
    "mallinfo2", "malloc_trim", "malloc_stats", "malloc_info",
    "__libc_malloc", "__libc_calloc", "__libc_realloc", "__libc_free",
    "__libc_memalign", "__libc_valloc", "__libc_pvalloc", "__posix_memalign",
};

START_TEST(malloc_is_litmalloc)
{
    Dl_info info;
    free(launder(malloc(opaque(1))));   /* a reference, or the linker leaves the library out */
    ck_assert(dladdr(entry("malloc"), &info) != 0);
    ck_assert_msg(strstr(info.dli_fname, "litmalloc") != NULL,
                  "malloc comes from %s: is the library preloaded?", info.dli_fname);
}
END_TEST

START_TEST(all_names_are_of_one_library)
{
    Dl_info home, info;
    ck_assert(dladdr(entry("malloc"), &home) != 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *f = entry(names[i]);
        ck_assert(dladdr(f, &info) != 0);
        ck_assert_msg(info.dli_fbase == home.dli_fbase, "%s comes from %s, malloc from %s",
                      names[i], info.dli_fname, home.dli_fname);
    }
}
END_TEST

API_MAIN("symbols", malloc_is_litmalloc, all_names_are_of_one_library)
