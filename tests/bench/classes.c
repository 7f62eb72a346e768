/* classes.c -- the tables of the chapter about size classes, out of the compiled array.
 *
 *   cc -std=gnu17 -iquote tangled -o build/classes tests/bench/classes.c tangled/sizeclass.c
 *   build/classes figures/data
 *
 * Writes classes.csv (small), classes-large.csv and reciprocals.csv there. */

#include "sizeclass.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *table(const char *folder, const char *name, const char *head)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if ((f = fopen(path, "w")) == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(f, "# tests/bench/classes.c\n%s\n", head);
    return f;
}

/* The smallest request that class c serves, by trying. */
static unsigned smallest(unsigned c)
{
    unsigned n = c == 1 ? 1 : sizeclasses[c - 1].size;

    while (sizeclass_of(n) != c)
        n++;
    return n;
}

/* What the smallest request loses, in thousandths of the region. */
static unsigned waste(unsigned c)
{
    uint64_t size = sizeclasses[c].size;

    return (unsigned)((size - smallest(c)) * 1000 / size);
}

static unsigned run_bytes(unsigned c)
{
    return (unsigned)sizeclasses[c].npages * PAGE;
}

static void small(FILE *f)
{
    for (unsigned c = 1; c < NSMALL; c++) {
        const struct sizeclass *s = &sizeclasses[c];
        fprintf(f, "%u,%u,%u,%u,%u,%u,%u,%u,%u\n", c, s->size, smallest(c),
                waste(c), s->npages, s->nregions,
                run_bytes(c) - s->nregions * s->size, s->ncached,
                s->nmagazine);
    }
}

static void large(FILE *f)
{
    for (unsigned c = NSMALL; c < NCLASSES; c++)
        fprintf(f, "%u,%u,%u,%u,%u\n", c, sizeclasses[c].size, smallest(c),
                waste(c), sizeclasses[c].npages);
}

/* How near class c comes to the bound under which its reciprocal is exact,
 * and how many offsets of its run are answered wrongly. */
static double used(unsigned c, unsigned *e, unsigned *nwrong)
{
    uint64_t size = sizeclasses[c].size;

    *e = (unsigned)(sizeclasses[c].reciprocal * size - POW2(32));
    *nwrong = 0;
    for (unsigned x = 0; x < run_bytes(c); x++)
        *nwrong += region_index(c, x) != x / size;
    return (double)(run_bytes(c) - 1) * *e / 4294967296.0;
}

static void reciprocals(FILE *f)
{
    unsigned e, nwrong;

    for (unsigned c = 1; c < NSMALL; c++)
        if (used(c, &e, &nwrong) > 0.3) {
            double u = used(c, &e, &nwrong);
            fprintf(f, "%u,%u,%u,%u,%.3f,%u\n", c, sizeclasses[c].size,
                    sizeclasses[c].reciprocal, e, u, nwrong);
        }
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    FILE *f;

    f = table(folder, "classes.csv",
              "class,size,from,waste,pages,regions,left,cached,magazine");
    small(f);
    fclose(f);
    f = table(folder, "classes-large.csv",
              "class,size,from,waste,pages");
    large(f);
    fclose(f);
    f = table(folder, "reciprocals.csv", "class,size,m,e,used,wrong");
    reciprocals(f);
    fclose(f);
    return 0;
}
