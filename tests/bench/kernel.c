/* kernel.c -- what memory costs where the kernel hands it out.
 *
 *   make bench-kernel
 *
 * writes, into the folder that is its argument, kernel-costs.csv, kernel-threads.csv and
 * kernel-chase.csv (times, in ns, each the least of some rounds) and kernel-counts.csv
 * (page faults, page tables, mappings: exact).
 * What costs.c measures, the cheapest system call and the pair of mapping and unmapping
 * a chunk, is not measured again. */

#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGE = 4096, ROUNDS = 24 };
static const size_t CHUNK = (size_t)4 << 20, HUGE = (size_t)2 << 20;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long faults(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

static void check(int failed, const char *what)
{
    if (failed) {
        perror(what);
        exit(1);
    }
}

static char *map(size_t size, int flags)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    check(p == MAP_FAILED, "mmap");
    return p;
}

/* Fresh memory in small pages, at a multiple of 2 MiB. */
static char *fresh(size_t size, int advice)
{
    char *p = map(size + HUGE, 0), *q = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));

    if (q > p)
        munmap(p, (size_t)(q - p));
    munmap(q + size, (size_t)(p + HUGE - q));
    check(madvise(q, size, advice) != 0, "madvise");
    return q;
}

static void write_pages(volatile char *p, size_t size)
{
    for (size_t k = 0; k < size; k += PAGE)
        p[k] = 1;
}

static unsigned read_pages(const volatile char *p, size_t size)
{
    unsigned sum = 0;

    for (size_t k = 0; k < size; k += PAGE)
        sum += (unsigned char)p[k];
    return sum;
}

/* ---- a table of least times ------------------------------------------------------------ */

static struct row {
    const char *what, *of;
    double ns;
} rows[64];
static unsigned nrows, first_row;

static void note(const char *what, const char *of, double ns)
{
    for (unsigned i = 0; i < nrows; i++)
        if (strcmp(rows[i].what, what) == 0) {
            if (ns < rows[i].ns)
                rows[i].ns = ns;
            return;
        }
    rows[nrows++] = (struct row){ what, of, ns };
}

#define TIMED(what, of, n, statement)                 \
    do {                                              \
        double timed_start = now();                   \
        statement;                                    \
        note(what, of, (now() - timed_start) / (double)(n)); \
    } while (0)

/* ---- calls that only change the agreement ------------------------------------------------- */

static void agreements(void)
{
    enum { N = 100 };
    char *p = fresh(CHUNK, MADV_NOHUGEPAGE);

    TIMED("brk", "up and down by 132 KiB", N, for (int i = 0; i < N; i++) {
        check(sbrk(132 * 1024) == (void *)-1, "sbrk");
        sbrk(-132 * 1024);
    });
    TIMED("map_page", "map and unmap 4 KiB", N, for (int i = 0; i < N; i++)
          munmap(map(PAGE, 0), PAGE));
    TIMED("map_gib", "map and unmap 1 GiB", N, for (int i = 0; i < N; i++)
          munmap(map((size_t)1 << 30, MAP_NORESERVE), (size_t)1 << 30));
    write_pages(p, CHUNK);
    TIMED("protect", "one page; read-only and back", N, for (int i = 0; i < N; i++) {
        mprotect(p, PAGE, PROT_READ);
        mprotect(p, PAGE, PROT_READ | PROT_WRITE);
    });
    munmap(p, CHUNK);
}

/* ---- pages ------------------------------------------------------------------------------- */

static unsigned sink;

static void pages(void)
{
    size_t n = CHUNK / PAGE;
    char *p = fresh(CHUNK, MADV_NOHUGEPAGE), *q;

    TIMED("write_fault", "first write to a page", n, write_pages(p, CHUNK));
    TIMED("clear", "zeros over a page that is there", n, memset(p, 0, CHUNK));
    TIMED("dontneed", "MADV_DONTNEED; a page of 1024", n, madvise(p, CHUNK, MADV_DONTNEED));
    TIMED("read_fault", "first read of a page", n, sink += read_pages(p, CHUNK));
    TIMED("write_after_read", "first write to it after that", n, write_pages(p, CHUNK));
    TIMED("free", "MADV_FREE; a page of 1024", n, madvise(p, CHUNK, MADV_FREE));
    TIMED("write_after_free", "first write to it after that", n, write_pages(p, CHUNK));
    TIMED("unmap_touched", "unmapped; a page of 1024", n, munmap(p, CHUNK));
    TIMED("populate", "MAP_POPULATE; a page of 1024", n, q = map(CHUNK, MAP_POPULATE));
    munmap(q, CHUNK);
    p = fresh(CHUNK, MADV_NOHUGEPAGE);
    TIMED("populate_write", "MADV_POPULATE_WRITE; a page of 1024", n, madvise(p, CHUNK, MADV_POPULATE_WRITE));
    munmap(p, CHUNK);
    p = fresh(CHUNK, MADV_HUGEPAGE);
    TIMED("huge_fault", "first write to a huge page", CHUNK / HUGE, (p[0] = 1, p[HUGE] = 1));
    TIMED("huge_dontneed", "MADV_DONTNEED; a huge page", CHUNK / HUGE, madvise(p, CHUNK, MADV_DONTNEED));
    munmap(p, CHUNK);
}

/* ---- the translation buffer ----------------------------------------------------------------- */

/* Read words of `p` in random order, one a page, each address from the one before. */
static double chase(char *p, size_t size)
{
    enum { STEPS = 200000 };
    size_t n = size / PAGE;
    uint32_t *order = malloc(n * sizeof *order);
    uint64_t x = 88172645463325252u;
    double least = 1e18;

    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n - 1; i > 0; i--) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        size_t j = x % (i + 1);
        uint32_t t = order[i];
        order[i] = order[j], order[j] = t;
    }
    /* One word a page, at a line that differs, or all would fall into one cache set. */
    for (size_t i = 0; i < n; i++) {
        uint32_t from = order[i], to = order[(i + 1) % n];
        *(char **)(p + (size_t)from * PAGE + from % 64 * 64) = p + (size_t)to * PAGE + to % 64 * 64;
    }
    for (int r = 0; r < 5; r++) {
        char *q = p + (size_t)order[0] * PAGE + order[0] % 64 * 64;
        double start = now();
        for (int i = 0; i < STEPS; i++)
            q = *(char *volatile *)q;
        double t = (now() - start) / STEPS;
        sink += (unsigned)(uintptr_t)q;
        if (t < least)
            least = t;
    }
    free(order);
    return least;
}

static void translations(FILE *f)
{
    static const size_t mib[] = { 1, 4, 16, 64, 256 };

    for (unsigned i = 0; i < sizeof mib / sizeof *mib; i++) {
        size_t size = mib[i] << 20;
        double small = 1e18, huge = 1e18;
        char *p = fresh(size, MADV_NOHUGEPAGE), *q = fresh(size, MADV_HUGEPAGE);
        write_pages(p, size);
        write_pages(q, size);
        for (int r = 0; r < 3; r++) {
            double a = chase(p, size), b = chase(q, size);
            small = a < small ? a : small;
            huge = b < huge ? b : huge;
        }
        fprintf(f, "%zu,%.1f,%.1f\n", mib[i], small, huge);
        munmap(p, size);
        munmap(q, size);
    }
}

/* ---- more than one thread --------------------------------------------------------------------- */

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static _Atomic int go, stop, ready;

/* Another thread of the process on the other processor, doing nothing that matters. */
static void *run_about(void *p)
{
    pin(1);
    atomic_store(&ready, 1);
    while (!atomic_load(&stop))
        ++*(volatile char *)p;
    return NULL;
}

static void drop_and_touch(const char *what, const char *of, char *p, int n)
{
    double total = 0;

    for (int i = 0; i < n; i++) {
        *(volatile char *)p = 1;
        double start = now();
        madvise(p, PAGE, MADV_DONTNEED);
        total += now() - start;
    }
    note(what, of, total / n);
}

static void shootdown(void)
{
    char *p = fresh(CHUNK, MADV_NOHUGEPAGE);
    pthread_t t;

    pin(0);
    for (int r = 0; r < ROUNDS; r++)
        drop_and_touch("drop_alone", "MADV_DONTNEED of one page", p, 50);
    stop = ready = 0;
    p[HUGE] = 1;
    check(pthread_create(&t, NULL, run_about, p + HUGE) != 0, "pthread_create");
    while (!atomic_load(&ready)) {}
    for (int r = 0; r < ROUNDS; r++)
        drop_and_touch("drop_shared", "the same; another thread runs", p, 50);
    stop = 1;
    pthread_join(t, NULL);
    munmap(p, CHUNK);
}

struct job {
    int cpu;
    void (*work)(void);
    double ns;
};

static void fault_in(void)
{
    char *p = map(CHUNK, 0);

    madvise(p, CHUNK, MADV_NOHUGEPAGE);
    write_pages(p, CHUNK);
    munmap(p, CHUNK);
}

static void map_and_unmap(void)
{
    for (int i = 0; i < 200; i++)
        munmap(map(PAGE, 0), PAGE);
}

static void *worker(void *v)
{
    struct job *j = v;
    double start;

    pin(j->cpu);
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go)) {}
    start = now();
    for (int i = 0; i < 4; i++)
        j->work();
    j->ns = (now() - start) / 4;
    return NULL;
}

/* The time of one piece of work while `n` threads do it at once. */
static void together(const char *what, const char *of, int rounds, int n, void (*work)(void),
                     double per)
{
    for (int r = 0; r < rounds; r++) {
        pthread_t t[2];
        struct job jobs[2] = { { 0, work, 0 }, { 1, work, 0 } };
        go = ready = 0;
        for (int i = 0; i < n; i++)
            check(pthread_create(&t[i], NULL, worker, &jobs[i]) != 0, "pthread_create");
        while (atomic_load(&ready) < n)
            sched_yield();
        go = 1;
        for (int i = 0; i < n; i++)
            pthread_join(t[i], NULL);
        note(what, of, jobs[n - 1].ns / per);
    }
}

static void threads(void)
{
    shootdown();
    together("fault_1", "first write to a page; one thread", 12, 1, fault_in, (double)CHUNK / PAGE);
    together("fault_2", "the same; two threads at once", 12, 2, fault_in, (double)CHUNK / PAGE);
    together("map_1", "map and unmap 4 KiB; one thread", 200, 1, map_and_unmap, 200);
    together("map_2", "the same; two threads at once", 200, 2, map_and_unmap, 200);
}

/* ---- what can be counted ----------------------------------------------------------------------- */

static long status(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long n = -1;

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            n = strtol(line + strlen(name) + 1, NULL, 10);
    if (f != NULL)
        fclose(f);
    return n;
}

static long mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    long n = 0;

    for (int c; f != NULL && (c = getc(f)) != EOF;)
        n += c == '\n';
    if (f != NULL)
        fclose(f);
    return n;
}

static FILE *counts;

#define COUNTED(what, of, statement)                                     \
    do {                                                                 \
        long before_counted = faults();                                  \
        statement;                                                       \
        long counted = faults() - before_counted;                        \
        fprintf(counts, "%s,%ld,%s\n", what, counted, of);               \
    } while (0)

static void count_faults(void)
{
    char *p = fresh(CHUNK, MADV_NOHUGEPAGE), *q;
    pid_t child;

    COUNTED("write", "4 MiB written; a byte a page", write_pages(p, CHUNK));
    COUNTED("again", "the same again", write_pages(p, CHUNK));
    madvise(p, CHUNK, MADV_DONTNEED);
    COUNTED("after_dontneed", "written after MADV_DONTNEED", write_pages(p, CHUNK));
    madvise(p, CHUNK, MADV_FREE);
    COUNTED("after_free", "written after MADV_FREE", write_pages(p, CHUNK));
    q = map(CHUNK, 0);
    q = mremap(p, CHUNK, CHUNK, MREMAP_MAYMOVE | MREMAP_FIXED, q);
    check(q == MAP_FAILED, "mremap");
    COUNTED("after_move", "written after mremap", write_pages(q, CHUNK));
    mprotect(q, CHUNK, PROT_READ);
    mprotect(q, CHUNK, PROT_READ | PROT_WRITE);
    COUNTED("after_protect", "written after mprotect and back", write_pages(q, CHUNK));
    fflush(counts);
    if ((child = fork()) == 0)
        pause();
    COUNTED("after_fork", "written after fork; the child alive", write_pages(q, CHUNK));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    munmap(q, CHUNK);
    p = fresh(CHUNK, MADV_NOHUGEPAGE);
    COUNTED("read", "4 MiB read; a byte a page", sink += read_pages(p, CHUNK));
    COUNTED("write_after_read", "then written", write_pages(p, CHUNK));
    munmap(p, CHUNK);
    COUNTED("populate", "mapped with MAP_POPULATE and written",
            (p = map(CHUNK, MAP_POPULATE), write_pages(p, CHUNK)));
    munmap(p, CHUNK);
    p = fresh(CHUNK, MADV_HUGEPAGE);
    COUNTED("huge", "written after MADV_HUGEPAGE", write_pages(p, CHUNK));
    munmap(p, CHUNK);
}

static void count_tables(void)
{
    size_t gib = (size_t)1 << 30;
    char *p = fresh(gib, MADV_NOHUGEPAGE);
    long before = status("VmPTE:"), rss = status("RssAnon:");

    write_pages(p, HUGE);
    fprintf(counts, "table_dense,%ld,KiB of page tables for 512 pages side by side\n",
            status("VmPTE:") - before);
    madvise(p, gib, MADV_DONTNEED);
    munmap(p, gib);
    p = fresh(gib, MADV_NOHUGEPAGE);
    before = status("VmPTE:"), rss = status("RssAnon:");
    for (size_t k = 0; k < gib; k += HUGE)
        p[k] = 1;
    fprintf(counts, "table_sparse,%ld,KiB of page tables for 512 pages 2 MiB apart\n",
            status("VmPTE:") - before);
    fprintf(counts, "resident_sparse,%ld,KiB resident of these\n", status("RssAnon:") - rss);
    munmap(p, gib);
}

static void count_mappings(void)
{
    char *p = map(64 * PAGE, 0);
    long one = mappings();

    munmap(p + 32 * PAGE, PAGE);
    fprintf(counts, "hole,%ld,more mappings after a page is unmapped in the middle\n",
            mappings() - one);
    check(mmap(p + 32 * PAGE, PAGE, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED, "mmap");
    check(mappings() != one, "one mapping again");
    mprotect(p + 16 * PAGE, PAGE, PROT_READ);
    fprintf(counts, "protected,%ld,more when another is made read-only\n", mappings() - one);
    munmap(p, 64 * PAGE);
}

static FILE *create(const char *folder, const char *name, const char *remark)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    check((f = fopen(path, "w")) == NULL, path);
    fprintf(f, "# tests/bench/kernel.c (make bench-kernel)%s%s\n", remark[0] ? "; " : "", remark);
    return f;
}

/* The rows noted since the last call. */
static void write_costs(const char *folder, const char *name, const char *remark)
{
    FILE *f = create(folder, name, remark);

    fprintf(f, "what,ns,of\n");
    for (; first_row < nrows; first_row++)
        fprintf(f, "%s,%.1f,%s\n", rows[first_row].what, rows[first_row].ns,
                rows[first_row].of);
    fclose(f);
}

int main(int argc, char **argv)
{
    const char *remark = argc > 2 ? argv[2] : "";
    FILE *f;

    if (argc < 2) {
        fprintf(stderr, "usage: kernel FOLDER [REMARK]\n");
        return 2;
    }
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        fprintf(stderr, "kernel: one processor only; what two threads cost needs two\n");
        return 1;
    }
    counts = create(argv[1], "kernel-counts.csv", remark);
    fprintf(counts, "what,count,of\n");
    count_faults();
    count_tables();
    count_mappings();
    fclose(counts);
    for (int r = 0; r < ROUNDS; r++) {
        agreements();
        pages();
    }
    write_costs(argv[1], "kernel-costs.csv", remark);
    threads();
    write_costs(argv[1], "kernel-threads.csv", remark);
    f = create(argv[1], "kernel-chase.csv", remark);
    fprintf(f, "MiB,small_pages,huge_pages\n");
    translations(f);
    fclose(f);
    return sink == 12345;
}
