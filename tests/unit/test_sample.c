/* test_sample.c -- P1 to P6 of the chapter on samples, through the door and at the
 * room itself.  Each misuse is made in a child, and its whole report is read. */
/* env: LITMALLOC_CONF=sample:1,sample_slots:512 */
/* cc: -fno-omit-frame-pointer -fno-optimize-sibling-calls */

#include "sample.c"

#include "pagemap.h"
#include "stats.h"

#include "litmalloc.h"
#include "unit.h"

#include <malloc.h>

enum { NSLOTS = 512 };

void free_sized(void *, size_t);
void free_aligned_sized(void *, size_t, size_t);

static volatile bool refuse;                     /* refuse to make or undo a page that traps */

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    if (refuse && (n == SYS_mprotect || n == SYS_madvise))
        return -ENOMEM;
    return system_call(n, a, b, c, d, e, f);
}

/* Check itself allocates: a test of the room at hand wants the slots for itself. */
static size_t fill_slots(void **blocks, size_t size)
{
    size_t n = 0;

    while (n < NSLOTS && sample_has(blocks[n] = malloc(size)))
        n++;
    if (n < NSLOTS)
        free(blocks[n]);
    return n;
}

static void free_all(void **blocks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(blocks[i]);
}

/* P1: what is sampled lies in a page of the area, aligned, zeroed, of exact size. */
START_TEST(blocks_are_what_was_asked_for)
{
    for (size_t n = 0; n <= pages_size; n = n * 5 / 4 + 1) {
        unsigned char *p = malloc(n);
        if (!sample_has(p))
            continue;
        size_t at = (uintptr_t)p % pages_size;
        ck_assert_uint_eq((uintptr_t)p % QUANTUM, 0);
        ck_assert_uint_eq(((uintptr_t)p - sample_area) / pages_size % 2, 1);
        ck_assert(at == 0 || pages_size - at - (n == 0 ? 1 : n) < QUANTUM);
        ck_assert_uint_eq(malloc_usable_size(p), n);
        ck_assert_uint_eq(pagemap_class(p), CLASS_NONE);
        memset(p, 1, n);
        free(p);
    }
}
END_TEST

START_TEST(both_ends_come_about)
{
    size_t at_end = 0, n = 0;

    for (int i = 0; i < 400; i++) {
        char *p = malloc(48);
        if (sample_has(p)) {
            n++;
            at_end += (uintptr_t)p % pages_size != 0;
        }
        free(p);
    }
    ck_assert_uint_gt(n, 300);
    ck_assert_uint_gt(at_end, n / 4);
    ck_assert_uint_lt(at_end, n - n / 4);
}
END_TEST

START_TEST(aligned_as_asked)
{
    size_t sampled = 0;

    for (size_t a = 8; a <= 4 * pages_size; a *= 2)
        for (size_t n = 1; n <= pages_size; n = n * 3 + 1) {
            void *p;
            ck_assert_int_eq(posix_memalign(&p, a, n), 0);
            ck_assert_uint_eq((uintptr_t)p % a, 0);
            ck_assert_uint_ge(malloc_usable_size(p), n);
            ck_assert(!sample_has(p) || malloc_usable_size(p) == n);
            ck_assert(!sample_has(p) || a <= pages_size);
            sampled += sample_has(p);
            memset(p, 1, n);
            free_aligned_sized(p, a, n);
        }
    ck_assert_uint_gt(sampled, 20);
}
END_TEST

START_TEST(zeros_after_reuse)
{
    for (int i = 0; i < 4 * NSLOTS; i++) {
        char *p = malloc(1000);
        memset(p, 0x77, 1000);
        free(p);
        p = calloc(10, 100);
        ck_assert(is_zero(p, 1000));
        free(p);
    }
}
END_TEST

START_TEST(resized_blocks_keep_their_bytes)
{
    char *p = malloc(10);

    memcpy(p, "123456789", 10);
    for (size_t n = 11; n < 3 * pages_size; n += 97) {
        ck_assert_ptr_nonnull(p = realloc(p, n));
        ck_assert_str_eq(p, "123456789");
        ck_assert_uint_ge(malloc_usable_size(p), n);
    }
    ck_assert_ptr_nonnull(p = realloc(p, 10));
    ck_assert_str_eq(p, "123456789");
    errno = 0;
    volatile size_t too_much = (size_t)PTRDIFF_MAX + 1;
    ck_assert_ptr_null(realloc(p, too_much));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_str_eq(p, "123456789");
    free_sized(p, 10);
}
END_TEST

/* P2: the page that was freed last comes back last. */
START_TEST(a_freed_page_waits_for_its_turn)
{
    static void *first[NSLOTS], *second[NSLOTS];
    size_t n = fill_slots(first, 32), wrong = 0;

    free_all(first, n);
    for (size_t i = 0; i < n; i++)      /* Check takes blocks, too: ask it later */
        second[i] = malloc(32);
    for (size_t i = 0; i < n; i++)
        wrong += (uintptr_t)first[i] / pages_size != (uintptr_t)second[i] / pages_size;
    free_all(second, n);
    ck_assert_uint_gt(n, 400);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* P3: without a slot a block comes from where it always came. */
START_TEST(used_up_slots_are_no_failure)
{
    void *blocks[NSLOTS], *more[100];
    size_t n = fill_slots(blocks, 64), refused = sample_stats().nrefused;

    for (int i = 0; i < 100; i++) {
        ck_assert_ptr_nonnull(more[i] = malloc(64));
        ck_assert(!sample_has(more[i]));
        memset(more[i], 1, 64);
    }
    ck_assert_uint_ge(sample_stats().nrefused, refused + 100);
    ck_assert_uint_eq(sample_stats().nlive, NSLOTS);
    free_all(more, 100);
    free_all(blocks, n);
    void *p = malloc(64);
    ck_assert(sample_has(p));
    free(p);
}
END_TEST

START_TEST(a_page_that_cannot_be_opened_is_no_failure)
{
    free(malloc(2 * pages_size));       /* now there is a heap without these calls */
    refuse = true;
    char *p = malloc(64);
    refuse = false;
    ck_assert_ptr_nonnull(p);
    ck_assert(!sample_has(p));
    memset(p, 1, 64);
    free(p);
    ck_assert(sample_has(p = malloc(64)));
    free(p);
}
END_TEST

/* One that cannot be closed is not used again, and costs one slot. */
START_TEST(a_page_that_cannot_be_closed_is_given_up)
{
    size_t nlive = sample_stats().nlive;
    void *p = malloc(64);

    ck_assert(sample_has(p));
    refuse = true;
    free(p);
    refuse = false;
    ck_assert_uint_eq(sample_stats().nlive, nlive + 1);
    for (int i = 0; i < 2 * NSLOTS; i++) {
        void *q = malloc(64);
        ck_assert_uint_ne((uintptr_t)q / pages_size,
                          (uintptr_t)p / pages_size);
        free(q);
    }
}
END_TEST

/* What the statistics say, S2 and S3 of the chapter on them. */
START_TEST(samples_are_live)
{
    struct stats before, s;

    stats_collect(&before);
    void *p = malloc(100);
    stats_collect(&s);
    ck_assert(sample_has(p));
    ck_assert_uint_eq(s.live, before.live + pages_size);
    ck_assert_uint_eq(s.nsampled, before.nsampled + 1);
    ck_assert_uint_eq(s.nsamples, before.nsamples + 1);
    ck_assert_uint_ge(s.mapped, s.live + s.records);
    free(p);
    lit_purge();
    stats_collect(&s);
    ck_assert_uint_eq(s.nsampled, before.nsampled);
}
END_TEST

/* ---- the reports --------------------------------------------------------------- */

enum misuse {
    READ_BEHIND, WRITE_BEHIND, READ_BEFORE, WRITE_BEFORE, READ_FREED, WRITE_FREED, BEHIND_FREED, TWICE,
    INSIDE, AT_A_TRAP, SIZE, ALIGNED_SIZE, DELETE_SIZE, ONE_BEHIND, ONE_BEFORE, RESIZE_FREED, ASK_FREED,
    NMISUSES
};

static const struct {
    const char *says;
    int signal;
    bool freed;                         /* is there a second stack? */
} expected[NMISUSES] = {
    [READ_BEHIND] = { ": 1 bytes beyond the end of a sampled block of 48 bytes", SIGSEGV, false },
    [WRITE_BEHIND] = { ": 17 bytes beyond the end of a sampled block of 48 bytes", SIGSEGV, false },
    [READ_BEFORE] = { ": 1 bytes before the start of a sampled block of 48 bytes", SIGSEGV, false },
    [WRITE_BEFORE] = { ": 8 bytes before the start of a sampled block of 48 bytes", SIGSEGV, false },
    [READ_FREED] = { " after free: 0 bytes into a sampled block of 48 bytes", SIGSEGV, true },
    [WRITE_FREED] = { " after free: 47 bytes into a sampled block of 48 bytes", SIGSEGV, true },
    [BEHIND_FREED] = { ": 1 bytes beyond the end of a freed sampled block of 48 bytes", SIGSEGV, true },
    [TWICE] = { "free(): double free of ", SIGABRT, true },
    [INSIDE] = { "free(): invalid pointer ", SIGABRT, false },
    [AT_A_TRAP] = { "free(): invalid pointer ", SIGABRT, false },
    [SIZE] = { "free_sized(): wrong size 47 for ", SIGABRT, false },
    [ALIGNED_SIZE] = { "free_aligned_sized(): wrong size 1048576 for ", SIGABRT, false },
    [DELETE_SIZE] = { "operator delete(): wrong size 49 for ", SIGABRT, false },
    [ONE_BEHIND] = { "free(): damage directly behind sampled block ", SIGABRT, false },
    [ONE_BEFORE] = { "free(): damage directly before sampled block ", SIGABRT, false },
    [RESIZE_FREED] = { "realloc(): double free of ", SIGABRT, true },
    [ASK_FREED] = { "malloc_usable_size(): double free of ", SIGABRT, true },
};

void _ZdlPvm(void *, size_t);           /* operator delete */

/* A sampled block of 48 bytes at the end of its page, or at its beginning. */
static volatile char *block(bool at_end)
{
    volatile char *p;

    for (int i = 0; i < 1000; i++) {
        p = malloc(48);
        if (sample_has((void *)p) && ((uintptr_t)p % pages_size != 0) == at_end)
            return p;
        free((void *)p);
    }
    dprintf(2, "no sampled block at the %s of a page\n", at_end ? "end" : "beginning");
    _exit(98);
}

static void free_it(volatile char *p)
{
    free((void *)p);
}

/* Go on as if the room began now, over this handler. */
static void begin_over(void (*handler)(int))
{
    signal(SIGSEGV, handler);
    sample_begin();
}

static void misuse(void *which)
{
    enum misuse m = *(enum misuse *)which;
    bool at_start = m == READ_BEFORE || m == WRITE_BEFORE || m == ONE_BEHIND;
    volatile char *p = block(!at_start);
    begin_over(SIG_DFL);
    switch (m) {
    case READ_BEHIND: (void)p[48]; break;
    case WRITE_BEHIND: p[64] = 1; break;
    case READ_BEFORE: (void)p[-1]; break;
    case WRITE_BEFORE: p[-8] = 1; break;
    case READ_FREED: free_it(p); (void)p[0]; break;
    case WRITE_FREED: free_it(p); p[47] = 1; break;
    case BEHIND_FREED: free_it(p); (void)p[48]; break;
    case TWICE: free_it(p); free_it(p); break;
    case INSIDE: free_it(p + 16); break;
    case AT_A_TRAP: free_it(p + pages_size); break;
    case SIZE: free_sized((void *)p, 47); break;
    case ALIGNED_SIZE: free_aligned_sized((void *)p, 16, 1048576); break;
    case DELETE_SIZE: _ZdlPvm((void *)p, 49); break;
    case ONE_BEHIND: p[48] = 0; free_it(p); break;
    case ONE_BEFORE: p[-1] = 0; free_it(p); break;
    case RESIZE_FREED: free_it(p); p = realloc((void *)p, 100); break;
    case ASK_FREED: free_it(p); malloc_usable_size((void *)p); break;
    case NMISUSES: break;
    }
}

/* A page that never had a block has nobody to report.  Check has used all of them: play one. */
static void touch_a_fresh_page(void *unused)
{
    struct slot *s = slots;

    (void)unused;
    while (s->state == LIVE)
        s++;
    s->state = NEVER;
    begin_over(SIG_DFL);
    *(volatile char *)page_of(s) = 1;
}

START_TEST(nobodys_page_is_reported)
{
    static char text[65536];
    int status = in_child(touch_a_fresh_page, NULL, text, sizeof text);

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%x", status);
    ck_assert_msg(strstr(text, "in a page that belongs to no block") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "allocated by") == NULL, "%s", text);
}
END_TEST

/* Without memory nothing is sampled, and a line says so. */
static void start_without_memory(void *unused)
{
    (void)unused;
    sample_area_bytes = 0;
    refuse = true;
    sample_start();
    _exit(sample_area_bytes == 0 ? 45 : 46);
}

START_TEST(no_slots_no_samples)
{
    char text[4096];
    int status = in_child(start_without_memory, NULL, text, sizeof text);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 45, "%x", status);
    ck_assert_msg(strstr(text, "sample: no memory for 512 slots; nothing is sampled") != NULL, "%s", text);
}
END_TEST

/* What a thread frees after its end, it frees without a record. */
static void *free_after_the_end(void *p)
{
    free(malloc(1));                    /* a record */
    struct thread *mine = thread_mine;
    thread_mine = (struct thread *)(uintptr_t)&thread_none;
    thread_ended = true;
    free(p);
    thread_ended = false;
    thread_mine = mine;
    return NULL;
}

START_TEST(freed_without_a_record)
{
    volatile char *p = block(true);
    struct slot *s = slot_of((const void *)p);

    ck_assert_int_eq(s->state, LIVE);
    in_thread(free_after_the_end, (void *)p);
    ck_assert_int_eq(s->state, FREED);
    ck_assert_uint_ne(s->freed.thread, 0);
}
END_TEST

static size_t count_frames(const char *from, const char *to)
{
    size_t n = 0;

    while ((from = strstr(from, "    #")) != NULL && (to == NULL || from < to))
        n++, from++;
    return n;
}

/* Whether it was a read or a write stands in a record that qemu 7.2 leaves out. */
#if defined(__x86_64__)
enum { MAY_NOT_TELL = 0 };
#else
enum { MAY_NOT_TELL = 1 };
#endif

/* P4 and P5: each is told at once, with both stacks. */
START_TEST(each_misuse_is_reported)
{
    enum misuse m = (enum misuse)_i;
    static char text[65536];
    int status = in_child(misuse, &m, text, sizeof text);
    const char *taken = strstr(text, "allocated by thread "), *freed = strstr(text, "freed by thread ");

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == expected[m].signal, "%d: status %x: %s", _i, status, text);
    ck_assert_msg(strstr(text, expected[m].says) != NULL, "%d: %s", _i, text);
    if (m == AT_A_TRAP)
        return;
    ck_assert_msg(taken != NULL, "%s", text);
    ck_assert_msg((freed != NULL) == expected[m].freed, "%s", text);
    /* Without backtrace the rooms, built without frame pointers, hide who called them. */
    size_t least = backtrace != NULL ? 2 : 0;
    ck_assert_msg(count_frames(taken, freed) >= least, "%s", text);
    ck_assert_msg(freed == NULL || count_frames(freed, NULL) >= least, "%s", text);
    if (expected[m].signal == SIGSEGV)
        ck_assert_msg(strstr(text, m == WRITE_BEHIND || m == WRITE_BEFORE || m == WRITE_FREED
                                       ? "litmalloc: write of " : "litmalloc: read of ") != NULL
                          || (MAY_NOT_TELL && strstr(text, "litmalloc: access of ") != NULL), "%s", text);
}
END_TEST

/* Who took it and who freed it are different threads, and are told apart. */
static void *take_one(void *unused)
{
    (void)unused;
    return (void *)block(true);
}

static void *free_one(void *p)
{
    free(p);
    return NULL;
}

static void twice_by_two(void *unused)
{
    void *p = in_thread(take_one, unused);

    in_thread(free_one, p);
    free(p);
}

START_TEST(threads_are_told_apart)
{
    static char text[65536];
    unsigned long ids[3];

    in_child(twice_by_two, NULL, text, sizeof text);
    static const char *const what[3] = { "called by thread ", "allocated by thread ", "freed by thread " };
    for (int i = 0; i < 3; i++) {
        const char *at = strstr(text, what[i]);
        ck_assert_msg(at != NULL, "%s", text);
        ids[i] = strtoul(at + strlen(what[i]), NULL, 10);
    }
    ck_assert(ids[0] != ids[1] && ids[1] != ids[2] && ids[2] != ids[0]);
}
END_TEST

/* P6: faults that are not ours go where they went before. */
static volatile sig_atomic_t nseen;

static void see(int signal)
{
    (void)signal;
    nseen++;
    dprintf(2, "seen\n");
    _exit(42);
}

static void see_all(int signal, siginfo_t *info, void *context)
{
    (void)context;
    dprintf(2, "seen %d %d\n", signal, info->si_addr == (void *)16);
    _exit(43);
}

static void fault_elsewhere(void *how)
{
    volatile int *volatile nowhere = (int *)16;
    struct sigaction all = { .sa_sigaction = see_all, .sa_flags = SA_SIGINFO };

    switch (*(int *)how) {
    case 0: begin_over(SIG_DFL); *nowhere = 1; break;
    case 1: begin_over(see); *nowhere = 1; break;
    case 2: sigaction(SIGSEGV, &all, NULL); sample_begin(); *nowhere = 1; break;
    case 3: begin_over(SIG_DFL); raise(SIGSEGV); break;
    case 4: begin_over(SIG_IGN); raise(SIGSEGV); _exit(44);
    case 5: begin_over(SIG_IGN); *nowhere = 1; break;
    case 6: begin_over(see); block(true)[48] = 1; break;
    }
}

START_TEST(other_faults_are_handed_on)
{
    static const struct { int exit, signal; const char *says, *not; } right[] = {
        { 0, SIGSEGV, "", "litmalloc" }, { 42, 0, "seen", "litmalloc" },
        { 43, 0, "seen 11 1", "litmalloc" }, { 0, SIGSEGV, "", "litmalloc" },
        { 44, 0, "", "litmalloc" }, { 0, SIGSEGV, "", "litmalloc" },
        { 42, 0, "seen", "nothing" } };
    char text[4096];
    int status = in_child(fault_elsewhere, &_i, text, sizeof text);

    if (right[_i].signal != 0)
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == right[_i].signal, "%x", status);
    else
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == right[_i].exit, "%x", status);
    ck_assert_msg(strstr(text, right[_i].says) != NULL, "%s", text);
    ck_assert_msg(strstr(text, right[_i].not) == NULL, "%s", text);
    ck_assert(_i != 6 || strstr(text, "beyond the end of a sampled block") != NULL);
}
END_TEST

/* The child of a fork has the blocks and the slots, and spoils nothing of the parent's. */
static void live_on(void *p)
{
    ck_assert(sample_has(p) && strcmp(p, "here") == 0);
    free(p);
    for (int i = 0; i < 5 * NSLOTS; i++) {
        char *q = malloc(200);
        ck_assert(sample_has(q));
        memset(q, 1, 200);
        free(q);
    }
    write(2, "done", 4);
}

START_TEST(a_child_samples_on)
{
    char text[256], *p = malloc(5);

    strcpy(p, "here");
    int status = in_child(live_on, p, text, sizeof text);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", text);
    ck_assert_str_eq(text, "done");
    ck_assert_str_eq(p, "here");
    free(p);
}
END_TEST

static void *churn(void *seed)
{
    uint64_t random = (uintptr_t)seed;

    for (int i = 0; i < 20000; i++) {
        size_t n = random_next(&random) % 5000;
        unsigned char *p = malloc(n), mark = (unsigned char)i;
        memset(p, mark, n);
        if (n > 0)
            ck_assert(p[0] == mark && p[n - 1] == mark);
        free(p);
    }
    return NULL;
}

START_TEST(threads_share_the_slots)
{
    pthread_t t[8];

    for (uintptr_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, churn, (void *)i), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    ck_assert_uint_ge(sample_stats().ntaken, NSLOTS);
    ck_assert_uint_le(sample_stats().nlive, NSLOTS);
}
END_TEST

/* Where the C library has no backtrace. */
static NOINLINE uint32_t two_deep(uintptr_t *frames)
{
    uint32_t n = walk(frames);

    __asm__ volatile("" ::: "memory");
    return n;
}

START_TEST(frame_pointers_are_followed)
{
    uintptr_t frames[FRAMES];
    uint32_t n = two_deep(frames);
    long here = 1, there = 0;
    struct { const void *base; size_t size; } to = { &there, 8 }, from = { &here, 8 };

    skip_if(system_call(SYS_process_vm_readv, getpid(), (long)&to, 1, (long)&from, 1, 0) != 8,
            "the emulator does not know process_vm_readv");
    ck_assert_uint_ge(n, 2);
    ck_assert_uint_le(n, FRAMES);
    ck_assert_uint_lt(frames[0] - (uintptr_t)two_deep, 100);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, blocks_are_what_was_asked_for);
    tcase_add_test(t, both_ends_come_about);
    tcase_add_test(t, aligned_as_asked);
    tcase_add_test(t, zeros_after_reuse);
    tcase_add_test(t, resized_blocks_keep_their_bytes);
    tcase_add_test(t, a_freed_page_waits_for_its_turn);
    tcase_add_test(t, used_up_slots_are_no_failure);
    tcase_add_test(t, a_page_that_cannot_be_opened_is_no_failure);
    tcase_add_test(t, a_page_that_cannot_be_closed_is_given_up);
    tcase_add_test(t, samples_are_live);
    tcase_add_loop_test(t, each_misuse_is_reported, 0, NMISUSES);
    tcase_add_test(t, nobodys_page_is_reported);
    tcase_add_test(t, freed_without_a_record);
    tcase_add_test(t, no_slots_no_samples);
    tcase_add_test(t, threads_are_told_apart);
    tcase_add_loop_test(t, other_faults_are_handed_on, 0, 7);
    tcase_add_test(t, a_child_samples_on);
    tcase_add_test(t, threads_share_the_slots);
    tcase_add_test(t, frame_pointers_are_followed);
}

int main(void)
{
    return unit_run("sample", add);
}
