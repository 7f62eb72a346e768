/* onelock_words.c -- the words of three pieces, before and after each of three calls.
 *
 *   onelock_words FILE         writes a CSV; linked with build/libonelock.so
 *
 * Nothing is printed before all has been noted: printf would allocate. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NWORDS = 20, NMOMENTS = 5 };

static uint64_t word[NMOMENTS][NWORDS];

static void note(int moment, const uint64_t *from)
{
    memcpy(word[moment], from, sizeof word[moment]);
}

static const char *shown(uint64_t w, char *text)
{
    if (w == 0)
        return "0";
    if (w == 0x6161616161616161 || w == 0x6262626262626262 || w == 0x6363636363636363)
        snprintf(text, 20, "%c%c%c%c%c%c%c%c", (int)(w & 127), (int)(w & 127), (int)(w & 127),
                 (int)(w & 127), (int)(w & 127), (int)(w & 127), (int)(w & 127), (int)(w & 127));
    else if (w < 4096)
        snprintf(text, 20, "%llu+%llu", (unsigned long long)(w & ~15ull),
                 (unsigned long long)(w & 15));
    else
        return "data";
    return text;
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    char *a, *b, *c, *d;
    uint64_t *from;

    if (out == NULL)
        return fprintf(stderr, "usage: onelock_words FILE\n"), 2;
    free(malloc(3000));                 /* a stretch of free memory, all of it in one piece */
    a = malloc(40);
    b = malloc(24);
    c = malloc(56);
    d = malloc(16);
    if (a == NULL || b != a + 48 || c != b + 32 || d != c + 64)
        return fprintf(stderr, "onelock_words: the blocks do not lie in a row\n"), 1;
    memset(a, 'a', 40);
    memset(b, 'b', 24);
    memset(c, 'c', 56);
    from = (uint64_t *)(a - 16);
    note(0, from);
    free(b);
    note(1, from);
    free(a);
    note(2, from);
    a = malloc(16);
    note(3, from);
    free(c);
    note(4, from);
    fprintf(out, "address,all live,free b,free a,malloc 16,free c\n");
    for (int i = 0; i < NWORDS; i++) {
        char text[20];

        fprintf(out, "0x%llx", (unsigned long long)(uintptr_t)(from + i));
        for (int m = 0; m < NMOMENTS; m++)
            fprintf(out, ",%s", shown(word[m][i], text));
        fprintf(out, "\n");
    }
    free(a);
    free(d);
    return fclose(out) != 0;
}
