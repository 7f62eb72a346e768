/* misuse.c -- one misuse, chosen by name; then the program goes on and looks whether
 * the heap still keeps its promises.  tests/misuse.py runs it under several mallocs and
 * judges what it writes.
 *
 *   misuse          the names, a line each
 *   misuse NAME     commit it
 *
 * To fd 2: "@before", the allocator's own words if any, "@after" when the misuse itself
 * has returned, "@harm WHAT" when harm is seen, "@end" at the end.  The program does not know who its
 * allocator is, and uses no call that only one of them has. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALL = 48, LARGE = 100 << 10, HUGE = 8 << 20, NCROWD = 20000, NLATER = 30000 };

/* C++'s sized delete; the C++ library's own ignores the size. */
extern void _ZdlPvm(void *, size_t) __attribute__((weak));

static void *crowd[NCROWD];
static char in_static[4096] __attribute__((aligned(64)));

static void say(const char *text)
{
    if (write(2, text, strlen(text)) < 0)
        _exit(2);
}

static void *launder(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

/* Live blocks around the one that is misused, each full of its own number. */
static void *amid(size_t size, int i)
{
    for (int k = 0; k < 200; k++) {
        crowd[k] = malloc(size);
        memset(crowd[k], k, size);
    }
    return crowd[i];
}

static void *free_it(void *p)
{
    free(launder(p));
    return NULL;
}

static void in_a_thread(void *(*f)(void *), void *argument)
{
    pthread_t t;
    if (pthread_create(&t, NULL, f, argument) == 0)
        pthread_join(t, NULL);
}

/* ---- the misuses; each returns if it is let ----------------------------------------- */

static void twice(size_t size)
{
    void *p = amid(size, 100);
    crowd[100] = NULL;
    free(p);
    free(launder(p));
}

static void double_free_small(void)
{
    twice(SMALL);
}

static void double_free_large(void)
{
    twice(LARGE);
}

static void double_free_huge(void)
{
    char *p = malloc(HUGE);
    memset(p, 1, HUGE);
    free(p);
    free(launder(p));
}

static void double_free_after_others(void)
{
    void *p = amid(SMALL, 100);
    crowd[100] = NULL;
    free(p);
    for (int i = 0; i < 20; i++) {
        free(crowd[i]);
        crowd[i] = NULL;
    }
    free(launder(p));
}

static void double_free_across_threads(void)
{
    void *p = amid(SMALL, 100);
    crowd[100] = NULL;
    free(p);
    in_a_thread(free_it, p);
}

/* The block has a new owner when it is freed again. */
static void double_free_after_reuse(void)
{
    void *p = amid(SMALL, 100);
    crowd[100] = NULL;
    free(p);
    for (int i = 200; i < 400; i++)
        crowd[i] = memset(malloc(SMALL), i, SMALL);
    free(launder(p));
}

static void inside(size_t size, size_t offset)
{
    char *p = amid(size, 100);
    free(launder(p + offset));
}

static void free_inside_small(void)
{
    inside(SMALL, 16);
}

static void free_inside_large(void)
{
    inside(LARGE, 8192);
}

static void free_inside_huge(void)
{
    char *p = malloc(HUGE);
    memset(p, 1, HUGE);
    free(launder(p + (1 << 20)));
}

static void free_unaligned(void)
{
    inside(SMALL, 1);
}

static void free_foreign(void)
{
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 0x41, 1 << 20);
    free(launder(p + 4096 + 16));
}

static void free_stack(void)
{
    char on_stack[256] __attribute__((aligned(64)));
    memset(on_stack, 0x21, sizeof on_stack);
    free(launder(on_stack + 64));
}

static void free_static(void)
{
    memset(in_static, 0x31, sizeof in_static);
    free(launder(in_static + 64));
}

static void free_wild(void)
{
    free(launder((void *)0xdeadbeefdeadbee0));
}

static void sized_delete_wrong(void)
{
    char *p = amid(SMALL, 100);
    crowd[100] = NULL;
    if (_ZdlPvm != NULL)
        _ZdlPvm(launder(p), 1000);
}

static void realloc_freed(void)
{
    char *p = amid(SMALL, 100);
    crowd[100] = NULL;
    free(p);
    crowd[100] = realloc(launder(p), 1000);
    if (crowd[100] != NULL)
        memset(crowd[100], 100, SMALL);
}

static void realloc_inside(void)
{
    char *p = amid(SMALL, 100);
    crowd[300] = realloc(launder(p + 16), 1000);
}

static void size_of_freed(void)
{
    char *p = amid(SMALL, 100);
    crowd[100] = NULL;
    free(p);
    if (malloc_usable_size(launder(p)) > 1 << 20)
        say("");
}

/* A forged link: where a list runs through free blocks, its next one is ours. */
static void write_after_free(void)
{
    void **p = amid(SMALL, 100);
    crowd[100] = NULL;
    free(p);
    p[0] = p[1] = launder(in_static + 1024);
}

static void overflow_by_16(void)
{
    char *p = amid(SMALL, 100);
    size_t n = malloc_usable_size(p);
    memset(launder(p + n), 0x7e, 16);
}

static void overflow_by_64(void)
{
    char *p = amid(SMALL, 100);
    size_t n = malloc_usable_size(p);
    memset(launder(p + n), 0x7e, 64);
}

static void underflow_by_16(void)
{
    char *p = amid(SMALL, 100);
    memset(launder(p - 16), 0x7e, 16);
}

static void overflow_large(void)
{
    char *p = amid(LARGE, 100);
    size_t n = malloc_usable_size(p);
    memset(launder(p + n), 0x7e, 64);
}

static const struct { const char *name; void (*commit)(void); bool spoils; } kinds[] = {
    { "double_free_small", double_free_small, false },
    { "double_free_large", double_free_large, false },
    { "double_free_huge", double_free_huge, false },
    { "double_free_after_others", double_free_after_others, false },
    { "double_free_across_threads", double_free_across_threads, false },
    { "double_free_after_reuse", double_free_after_reuse, false },
    { "free_inside_small", free_inside_small, false },
    { "free_inside_large", free_inside_large, false },
    { "free_inside_huge", free_inside_huge, false },
    { "free_unaligned", free_unaligned, false },
    { "free_foreign", free_foreign, false },
    { "free_stack", free_stack, false },
    { "free_static", free_static, false },
    { "free_wild", free_wild, false },
    { "sized_delete_wrong", sized_delete_wrong, false },
    { "realloc_freed", realloc_freed, false },
    { "realloc_inside", realloc_inside, false },
    { "size_of_freed", size_of_freed, false },
    { "write_after_free", write_after_free, false },
    { "overflow_by_16", overflow_by_16, true },
    { "overflow_by_64", overflow_by_64, true },
    { "underflow_by_16", underflow_by_16, true },
    { "overflow_large", overflow_large, true },
};

/* ---- what became of the heap -------------------------------------------------------------- */

/* Say what harm there is, once, and go on: a word may come yet. */
static bool harm(const char *text)
{
    static bool said;
    if (!said)
        say(text);
    said = true;
    return true;
}

static struct span { uintptr_t from, to; } spans[NCROWD + NLATER + 1000];
static size_t nspans;

static void add_span(void *p, size_t size)
{
    if (p != NULL)
        spans[nspans++] = (struct span){ (uintptr_t)p, (uintptr_t)p + size };
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = ((const struct span *)a)->from, y = ((const struct span *)b)->from;
    return x < y ? -1 : x > y;
}

/* New blocks of many sizes: none may overlap another live one, nor lie where no heap
 * has any business; and what the misuse itself did not touch must still be there. */
static void look(bool spoils, size_t size)
{
    static void *later[NLATER];
    char on_stack[16];

    for (int i = 0; i < NLATER; i++) {
        size_t n = i % 16 == 0 ? 1000 : i % 1000 == 1 ? LARGE : SMALL;
        if ((later[i] = malloc(n)) == NULL)
            _exit(harm("@harm refused\n") ? 0 : 1);
        uintptr_t at = (uintptr_t)later[i];
        if ((at >= (uintptr_t)in_static && at < (uintptr_t)in_static + sizeof in_static)
            || at - ((uintptr_t)on_stack - 65536) < 131072 || (at & 15) != 0)
            harm("@harm a block where no heap is\n");
        add_span(later[i], n);
    }
    for (int i = 0; i < 400; i++)
        add_span(crowd[i], i >= 200 || size == 0 ? SMALL : size);
    qsort(spans, nspans, sizeof *spans, by_address);
    for (size_t i = 1; i < nspans; i++)
        if (spans[i - 1].to > spans[i].from)
            harm("@harm two owners\n");
    for (int i = 0; i < NLATER; i++)
        memset(later[i], 0x5c, SMALL);
    for (int i = 0; i < 200 && !spoils; i++)
        for (int k = 0; crowd[i] != NULL && k < SMALL; k++)
            if (((unsigned char *)crowd[i])[k] != (unsigned char)i)
                harm("@harm a live block has lost its bytes\n");
    for (int i = 0; i < NLATER; i++)
        free(later[i]);
    for (int i = 0; i < 200; i++)
        free(crowd[i]);
}

int main(int argc, char **argv)
{
    size_t k = 0;
    if (argc < 2) {
        for (; k < sizeof kinds / sizeof kinds[0]; k++)
            puts(kinds[k].name);
        return 0;
    }
    while (k < sizeof kinds / sizeof kinds[0] && strcmp(kinds[k].name, argv[1]) != 0)
        k++;
    if (k == sizeof kinds / sizeof kinds[0])
        return 2;
    qsort(spans, 0, sizeof *spans, by_address);
    say("@before\n");
    kinds[k].commit();
    say("@after\n");
    look(kinds[k].spoils, strstr(argv[1], "large") != NULL ? LARGE : SMALL);
    malloc_trim(0);
    in_a_thread(free_it, malloc(100));
    for (int i = 0; i < NCROWD; i++)
        crowd[i] = malloc(SMALL);
    for (int i = 0; i < NCROWD; i++)
        free(crowd[i]);
    malloc_trim(0);
    say("@end\n");
    return 0;
}
