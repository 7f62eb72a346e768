/* early.c -- malloc before main: in the resolver of an ifunc, while the program
 * is still being relocated, in .preinit_array, and in the first constructor. */
/* link: preload */
#include "stress.h"

static void *of_resolver, *of_preinit, *of_constructor;

static int answer(void)
{
    return 42;
}

__attribute__((used)) static int (*resolve(void))(void)
{
    of_resolver = malloc(300);
    free(calloc(10, 1000));
    if (of_resolver != NULL)
        memset(of_resolver, 'r', 300);
    return answer;
}

int chosen(void) __attribute__((ifunc("resolve")));

static void preinit(void)
{
    of_preinit = malloc(100 * KiB);
    tag_put(of_preinit, 100 * KiB, 'p');
}

__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(void) = preinit;

__attribute__((constructor(101))) static void constructor(void)
{
    of_constructor = realloc(malloc(10), 3 * MiB);
    tag_put(of_constructor, 3 * MiB, 'c');
}

int main(void)
{
    demand(chosen() == 42 && of_resolver != NULL);
    tag_check(of_resolver, 300, 'r');
    tag_check(of_preinit, 100 * KiB, 'p');
    tag_check(of_constructor, 3 * MiB, 'c');
    free(of_resolver);
    free(of_preinit);
    free(of_constructor);
    churn(1, 1000, MiB);
    puts("early: resolver, preinit, constructor");
    return 0;
}
