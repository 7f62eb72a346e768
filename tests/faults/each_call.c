/* each_call.c -- each system call that the library makes is refused: the n-th time,
 * for every n; from the n-th time on; at random; and as a system does that promises
 * no more memory than it has.  Each time in a process of its own, from the library's
 * very first call on, with one fixed workload.  No crash and no lost byte; NULL comes
 * with ENOMEM, free keeps errno; and once the system gives again, the same workload
 * gets all it asks for, and as much goes back at the end as without any refusal.
 *
 * Quick: about 12 values of n for each call.  LONG=1: all.  FAULTS_CSV=FILE writes
 * the counts, FAULTS_LIB=FILE tests another library than the one under us. */
/* link: preload */
/* timeout: 900 */
#include "inject.h"

enum { NSLOTS = 300, NSTEPS = 600, NTHREADS = 2, MOST = 6 << 20, SKIP = 77 };

struct slot { unsigned char *p; size_t n; unsigned char tag; };
struct model { uint64_t state; bool may_fail; struct slot slot[NSLOTS]; };
static struct model models[1 + NTHREADS];

/* ---- the workload ---------------------------------------------------------------- */

/* All of a small block; of a larger one a byte now and then, and the last. */
static size_t step_of(size_t n)
{
    return n < 4096 ? 1 : n < 64 * KiB ? 509 : 32 * KiB + 1;
}

static void mark(const struct slot *s)
{
    size_t step = step_of(s->n);
    for (size_t i = 0; i < s->n; i += step)
        s->p[i] = (unsigned char)(s->tag + i);
    s->p[s->n - 1] = (unsigned char)(s->tag + s->n - 1);
}

static void check_marks(const struct slot *s, const unsigned char *p, size_t n)
{
    size_t step = step_of(s->n);
    for (size_t i = 0; i < s->n && i < n; i += step)
        if (p[i] != (unsigned char)(s->tag + i))
            fail("byte %zu of %zu at %p is lost", i, s->n, (const void *)p);
}

static void enter(struct model *m, struct slot *s, void *p, size_t n)
{
    if (p == NULL) {
        demand(errno == ENOMEM);
        if (!m->may_fail)
            fail("%zu bytes were refused when nothing was", n);
        return;
    }
    demand(((uintptr_t)p & 15) == 0 && lib.malloc_usable_size(p) >= n);
    *s = (struct slot){ p, n, (unsigned char)draw(&m->state) };
    mark(s);
}

static void discard(struct slot *s)
{
    if (s->p == NULL)
        return;
    check_marks(s, s->p, s->n);
    errno = 4242;
    lib.free(s->p);
    demand(errno == 4242);
    s->p = NULL;
}

static void resize(struct model *m, struct slot *s, size_t n)
{
    errno = 0;
    unsigned char *p = lib.realloc(s->p, n);
    check_marks(s, p != NULL ? p : s->p, n);
    if (p != NULL)
        s->p = NULL;
    enter(m, s, p, n);
}

static void allocate(struct model *m, struct slot *s, size_t n)
{
    size_t alignment = (size_t)16 << draw_below(&m->state, 18);
    unsigned char *p;

    errno = 0;
    switch (draw(&m->state) % 8) {
    case 0:
        p = lib.calloc(n, 1);
        for (size_t i = 0; p != NULL && i < n; i += n < 4096 ? 1 : 127 + n / 1000)
            if (p[i] != 0)
                fail("byte %zu of calloc's %zu is %#x", i, n, p[i]);
        enter(m, s, p, n);
        break;
    case 1:
        p = lib.aligned_alloc(alignment, n);
        demand(((uintptr_t)p & (alignment - 1)) == 0);
        enter(m, s, p, n);
        break;
    default:
        enter(m, s, lib.malloc(n), n);
    }
}

static void steps(struct model *m, int count, size_t most)
{
    for (int i = 0; i < count; i++) {
        struct slot *s = &m->slot[draw_below(&m->state, NSLOTS)];
        size_t n = draw_size(&m->state, draw(&m->state) % 48 == 0 ? most : 16 * KiB);
        if (s->p == NULL)
            allocate(m, s, n);
        else if (draw(&m->state) % 4 == 0)
            resize(m, s, n);
        else
            discard(s);
    }
}

static void discard_all(struct model *m)
{
    for (int i = 0; i < NSLOTS; i++)
        discard(&m->slot[i]);
}

/* A block of 5 MiB grows to 40 MiB and shrinks again. */
static void ladder(struct model *m)
{
    struct slot s = { .p = NULL };
    allocate(m, &s, 5 * MiB);
    for (size_t n = 6; s.p != NULL && n <= 40; n += n / 2)
        resize(m, &s, n * MiB);
    for (size_t n = 20; s.p != NULL && n >= 5; n /= 2)
        resize(m, &s, n * MiB);
    discard(&s);
}

/* The two wait for each other, so that there are always as many arenas. */
static pthread_barrier_t both_began;

static void *thread(void *model)
{
    lib.free(lib.malloc(100));
    pthread_barrier_wait(&both_began);
    steps(model, NSTEPS / 4, MiB);
    return model;
}

/* What the threads leave is freed here, after their end. */
static void threads(void)
{
    pthread_t t[NTHREADS];
    pthread_barrier_init(&both_began, NULL, NTHREADS);
    for (int i = 0; i < NTHREADS; i++)
        t[i] = start(thread, &models[1 + i]);
    for (int i = 0; i < NTHREADS; i++) {
        pthread_join(t[i], NULL);
        discard_all(&models[1 + i]);
    }
}

static void forked(struct model *m)
{
    pid_t pid = fork();
    demand(pid >= 0);
    if (pid == 0) {
        static struct plan of_child;    /* its mappings are not the parent's */
        of_child = *plan;
        plan = &of_child;
        steps(m, 100, MiB);
        _exit(0);
    }
    wait_for(pid, "forked child");
}

static void workload(uint64_t seed, bool may_fail)
{
    for (int i = 0; i < 1 + NTHREADS; i++) {
        models[i].state = seed + (uint64_t)i;
        models[i].may_fail = may_fail;
    }
    steps(&models[0], NSTEPS, MOST);
    ladder(&models[0]);
    threads();
    forked(&models[0]);
    steps(&models[0], NSTEPS / 2, MOST);
    discard_all(&models[0]);
    lib.malloc_trim(0);
}

/* ---- one run ------------------------------------------------------------------------ */

static uint64_t first_seed;
static struct { long unknown, mapped, resident; } usual;

/* The bytes that the library says it has from the system. */
static long reported(void)
{
    char text[8000];
    long n = -1;
    int fd = memfd_create("report", 0);
    demand(fd >= 0);
    lib.lit_report(fd);
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    const char *row = strstr(text, "mapped");
    demand(row != NULL && sscanf(row, "mapped %ld KiB", &n) == 1);
    close(fd);
    return n * 1024;
}

/* Nothing is lost: what the kernel has given and not got back, the library knows of,
 * but for what it could not give back.  And it keeps about as much as ever: a bin
 * may keep its empty runs in another chunk.  A block that can be neither unmapped
 * nor purged stays resident, too. */
static void check_end(void)
{
    long knows = reported(), stays = plan->call == OTHER ? plan->unmap_refused : 0;

    plan->unknown = plan->mapped - knows;
    plan->resident = (long)resident_bytes();
    if (usual.mapped == 0)
        return;
    if (plan->unknown > usual.unknown + plan->unmap_refused)
        fail("%ld KiB are lost (%ld KiB could not go back)",
             (plan->unknown - usual.unknown) / 1024, plan->unmap_refused / 1024);
    if (plan->mapped > usual.mapped + plan->unmap_refused + 12 * (long)MiB)
        fail("%ld KiB mapped at the end, %ld without a refusal", plan->mapped / 1024,
             usual.mapped / 1024);
    if (plan->resident > usual.resident + stays + (long)MiB)
        fail("%ld KiB resident at the end, %ld without a refusal", plan->resident / 1024,
             usual.resident / 1024);
}

static void in_child(const char *path)
{
    alarm(60);
    setenv("LITMALLOC_CONF", "decay_ms:0,stats:true", 1);
    if (!open_library(path))
        _exit(SKIP);
    workload(first_seed, true);
    int silent = open("/dev/null", O_WRONLY);
    lib.lit_report(silent);
    plan->mode = NOTHING;
    workload(first_seed, false);
    check_end();
    _exit(0);
}

/* Carry out the plan in a process of its own; how it ended. */
static int run(const char *path, enum mode mode, enum call call, unsigned long n)
{
    int status;
    *plan = (struct plan){ .mode = mode, .call = call, .n = n, .state = first_seed + n,
                           .most = (long)n };
    pid_t pid = fork();
    demand(pid >= 0);
    if (pid == 0)
        in_child(path);
    demand(waitpid(pid, &status, 0) == pid);
    return status;
}

/* ---- all of them ---------------------------------------------------------------------- */

static const char *const modes[] = { "none", "once", "from then on", "at random", "strict" };
static FILE *csv;
static unsigned long nruns, nfailures;

/* Run n = first, first + step, ... and write a row. */
static void row(const char *path, enum mode mode, enum call call, unsigned long first,
                unsigned long last, unsigned long step)
{
    unsigned long runs = 0, failures = 0, refused = 0;
    const char *name = call == OTHER ? "any" : calls[call].name;

    for (unsigned long n = first; n <= last; n += step) {
        int status = run(path, mode, call, n);
        runs++;
        refused += plan->nrefused;
        if (status != 0) {
            failures++;
            printf("each_call: %s refused, %s, n = %lu: wait status %#x\n", name, modes[mode], n,
                   (unsigned)status);
        }
    }
    nruns += runs;
    nfailures += failures;
    if (csv != NULL)
        fprintf(csv, "%s,%s,%lu,%lu,%lu\n", name, modes[mode], refused, runs, failures);
}

/* A run in which nothing is refused: how often is each call made? */
static void measure(const char *path, unsigned long *seen)
{
    usual.mapped = 0;
    int status = run(path, NOTHING, OTHER, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP)
        skip("this kernel takes no seccomp filter that sends SIGSYS");
    if (status != 0)
        fail("without any refusal: wait status %#x", (unsigned)status);
    for (int i = 0; i <= NCALLS; i++)
        seen[i] = plan->seen[i] / 2 + 8;        /* half of it is after the refusals */
    if (plan->seen[OTHER] != 0)
        fail("system call %ld is not in the book's list", plan->first_other);
    usual.mapped = plan->mapped;
    usual.unknown = plan->unknown;
    usual.resident = plan->resident;
}

static void every_call(const char *path)
{
    unsigned long seen[NCALLS + 1];
    bool all = getenv("LONG") != NULL;

    measure(path, seen);
    for (enum call c = 0; c < NCALLS; c++) {
        unsigned long most = seen[c], step = all || most < 12 ? 1 : most / 12;
        if (most > 8) {
            row(path, ONCE, c, 1, most, step);
            row(path, FROM, c, 1, most, 2 * step);
        }
        row(path, AT_RANDOM, c, 1, all ? 40 : 4, 1);
    }
    row(path, AT_RANDOM, OTHER, 1, all ? 150 : 12, 1);
    row(path, COMMIT, OTHER, 4 * MiB, 84 * MiB, all ? MiB : 8 * MiB);
}

int main(int argc, char **argv)
{
    if (argc <= 1) {                    /* again, with the C library's malloc */
        const char *other = getenv("FAULTS_LIB");
        const char *path = other != NULL ? other : library_path();
        unsetenv("LD_PRELOAD");
        execl("/proc/self/exe", argv[0], path, (char *)NULL);
        return 1;
    }
    first_seed = seed();
    plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    demand(plan != MAP_FAILED);
    if (getenv("FAULTS_CSV") != NULL)
        demand((csv = fopen(getenv("FAULTS_CSV"), "a")) != NULL);
    setbuf(stdout, NULL);
    every_call(argv[1]);
    if (csv != NULL)
        demand(fclose(csv) == 0);
    if (nfailures > 0)
        fail("%lu of %lu runs failed, seed %llu", nfailures, nruns, (unsigned long long)first_seed);
    printf("each_call: %lu runs, seed %llu\n", nruns, (unsigned long long)first_seed);
    return 0;
}
