/* regions.c -- where things lie in a running process.
 *
 *   sh tests/bench/regions.sh
 *
 * runs it without randomization of addresses and writes regions.csv (one thing a row),
 * regions-maps.csv (the kernel's list of mappings) and regions-frames.csv (the frames
 * of a recursive call) to the folder that is its argument.  No address is asked for
 * after the first printf, which may allocate. */

#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NROWS = 40, DEPTH = 4 };

static struct {
    const char *what;
    uintptr_t address;
} rows[NROWS];
static unsigned nrows;

static void note(const char *what, const volatile void *p)
{
    if (nrows == NROWS)
        abort();
    rows[nrows].what = what;
    rows[nrows++].address = (uintptr_t)p;
}

static const char constant[] = "read-only";
static int counter = 7;
static int zeros[1000];

static struct frame {
    uintptr_t local, frame, back;
} frames[DEPTH + 1];

/* n! by recursion; at the bottom all frames are on the stack at once. */
__attribute__((noinline)) static unsigned long factorial(unsigned n)
{
    volatile unsigned here = n;

    frames[n].local = (uintptr_t)&here;
    frames[n].frame = (uintptr_t)__builtin_frame_address(0);
    frames[n].back = (uintptr_t)__builtin_return_address(0);
    return n == 0 ? 1 : here * factorial(n - 1);
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if ((f = fopen(path, "w")) == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(f, "# tests/bench/regions.sh\n");
    return f;
}

/* "r-x" without its dash, and "[heap]" without its brackets: CSV for a printed table. */
static void bare(char *s)
{
    char *to = s;

    for (; *s != '\0'; s++)
        if (strchr("-[]", *s) == NULL)
            *to++ = *s;
    *to = '\0';
}

/* The name of the mapping that an address lies in, and its permissions. */
static void mapping_of(uintptr_t p, char *name, char *perms)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[4096];

    strcpy(name, "?");
    strcpy(perms, "?");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        uintptr_t from, to;
        char path[4096] = "";
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %4095s",
                   &from, &to, perms, path) >= 3 && from <= p && p < to) {
            char *slash = strrchr(path, '/');
            perms[3] = '\0';
            strcpy(name, slash != NULL ? slash + 1 : path[0] ? path : "anonymous");
            if (slash == NULL)
                bare(name);
            bare(perms);
            break;
        }
    }
    if (f != NULL)
        fclose(f);
}

static void write_rows(const char *folder)
{
    FILE *f = create(folder, "regions.csv");
    char name[4096], perms[8];

    fprintf(f, "what,address,mapping,access\n");
    for (unsigned i = 0; i < nrows; i++) {
        mapping_of(rows[i].address, name, perms);
        fprintf(f, "%s,0x%" PRIxPTR ",%s,%s\n", rows[i].what, rows[i].address, name, perms);
    }
    fclose(f);
}

static void write_frames(const char *folder)
{
    FILE *f = create(folder, "regions-frames.csv");

    fprintf(f, "n,local,frame,returns_to,bytes\n");
    for (unsigned n = DEPTH + 1; n-- > 0;)
        fprintf(f, "%u,0x%" PRIxPTR ",0x%" PRIxPTR ",0x%" PRIxPTR ",%" PRIuPTR "\n", n,
                frames[n].local, frames[n].frame, frames[n].back,
                n < DEPTH ? frames[n + 1].frame - frames[n].frame : 0);
    fclose(f);
}

/* The list of mappings, those of one file put together: their addresses and sizes. */
static void write_maps(const char *folder)
{
    FILE *maps = fopen("/proc/self/maps", "r"), *f = create(folder, "regions-maps.csv");
    char line[4096], last[4096] = "", perms[64] = "";
    uintptr_t first = 0, end = 0;

    fprintf(f, "mapping,from,to,KiB,access\n");
    for (;;) {
        uintptr_t from = 0, to = 0;
        char path[4096] = "", access[8] = "";
        char *got = fgets(line, sizeof line, maps);
        if (got != NULL)
            sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %4095s", &from, &to,
                   access, path);
        char *slash = strrchr(path, '/');
        const char *name = slash != NULL ? slash + 1 : path[0] ? path : "anonymous";
        access[3] = '\0';
        bare(access);
        if (slash == NULL)
            bare(path);
        if (got != NULL && end == from && strcmp(name, last) == 0) {
            end = to;
            if (strlen(perms) + strlen(access) + 2 < sizeof perms)
                strcat(strcat(perms, " "), access);
            continue;
        }
        if (last[0] != '\0')
            fprintf(f, "%s,0x%" PRIxPTR ",0x%" PRIxPTR ",%" PRIuPTR ",%s\n", last, first, end,
                    (end - first) / 1024, perms);
        if (got == NULL)
            break;
        strcpy(last, name);
        first = from;
        end = to;
        strcpy(perms, access);
    }
    fclose(maps);
    fclose(f);
}

static void free_all(void *const *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(p[i]);
}

int main(int argc, char **argv)
{
    struct { int a; char b[512]; } whole_struct;
    int local = 1, *four = NULL, *one = NULL;
    char *big, *mapped;

    if (argc != 2) {
        fprintf(stderr, "usage: regions FOLDER\n");
        return 2;
    }
    note("main", (void *)(uintptr_t)main);
    note("constant", constant);
    note("counter", &counter);
    note("zeros", zeros);
    note("break_before", (char *)sbrk(0) - 1);
    one = malloc(sizeof *one);
    four = malloc(4 * sizeof *four);
    big = malloc(200000);
    note("one", one);
    note("four", four);
    note("break_after", (char *)sbrk(0) - 1);
    note("big", big);
    mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    note("mapped", mapped);
    note("puts", (void *)(uintptr_t)puts);
    note("vdso", (void *)getauxval(AT_SYSINFO_EHDR));
    note("local", &local);
    note("whole_struct", &whole_struct);
    note("four_itself", &four);
    note("argv", argv[0]);
    note("environment", getenv("PATH"));
    if (factorial(DEPTH) != 24)
        abort();
    write_rows(argv[1]);
    write_frames(argv[1]);
    write_maps(argv[1]);
    free_all((void *[]){ one, four, big }, 3);
    return munmap(mapped, 8192);
}
