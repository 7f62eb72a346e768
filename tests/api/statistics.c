/* statistics.c -- mallopt, mallinfo, mallinfo2, malloc_trim, malloc_stats and
 * malloc_info answer for this heap, not for the idle one in the C library. */
#include "api.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

START_TEST(mallopt_knows_the_parameters_of_glibc)
{
    const int known[] = { M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_TOP_PAD,
                          M_ARENA_MAX, M_ARENA_TEST, M_MXFAST, M_PERTURB, M_CHECK_ACTION };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        ck_assert_msg(mallopt(known[i], 64) == 1, "parameter %d", known[i]);
    ck_assert_int_eq(mallopt(12345, 1), 0);
    ck_assert_int_eq(mallopt(-12345, 1), 0);
    free(launder(malloc(100)));
}
END_TEST

START_TEST(mallinfo2_counts_live_bytes)
{
    const size_t sizes[] = { 16, 64, 1000, 20000, 100 * KiB, 8 * MiB };
    static void *p[20000];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i], count = 16 * MiB / n < 20000 ? 16 * MiB / n : 20000;
        size_t before = mallinfo2().uordblks;
        for (size_t k = 0; k < count; k++)
            p[k] = malloc(opaque(n));
        size_t during = mallinfo2().uordblks;
        ck_assert_msg(during >= before + n * count, "%zu x %zu bytes: %zu, then %zu",
                      count, n, before, during);
        for (size_t k = 0; k < count; k++)
            free(p[k]);
        size_t after = mallinfo2().uordblks;
        ck_assert_msg(after <= during - n * count, "%zu x %zu bytes freed: %zu, then %zu",
                      count, n, during, after);
    }
}
END_TEST

START_TEST(mallinfo_agrees_with_mallinfo2)
{
    void *p = launder(malloc(opaque(8 * MiB)));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    struct mallinfo old = mallinfo();
#pragma GCC diagnostic pop
    struct mallinfo2 now = mallinfo2();
    ck_assert_int_ge(old.uordblks, 8 << 20);
    ck_assert_uint_eq((size_t)old.uordblks, now.uordblks);
    free(p);
}
END_TEST

static size_t resident_bytes(void)
{
    char text[100] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
    close(fd);
    return (size_t)atol(strchr(text, ' ')) * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(malloc_trim_gives_memory_back)
{
    enum { N = 40000 };
    static void *p[N];
    for (int i = 0; i < N; i++)
        p[i] = memset(malloc(opaque(1500)), 1, 1500);
    size_t before = resident_bytes();
    for (int i = 0; i < N; i++)
        free(p[i]);
    ck_assert_int_eq(malloc_trim(0), 1);
    size_t after = resident_bytes();
    ck_assert_msg(after < before - N * 1500 * 3 / 4, "%zu bytes resident, then %zu", before, after);
    ck_assert_int_eq(malloc_trim(0), 0);
}
END_TEST

/* Is `text` one element with balanced tags?  Enough of XML for malloc_info. */
static bool is_well_formed(const char *text)
{
    char open[32][32];
    int depth = 0, nroots = 0;

    for (const char *s = text; *s != '\0';) {
        if (*s != '<') {
            if (*s == '&' || *s == '>' || (depth == 0 && !isspace((unsigned char)*s)))
                return false;
            s++;
            continue;
        }
        const char *end = strchr(s, '>');
        if (end == NULL)
            return false;
        int nquotes = 0;
        for (const char *t = s + 1; t < end; t++) {
            nquotes += *t == '"';
            if (*t == '<')
                return false;
        }
        if (nquotes % 2 != 0)
            return false;
        bool closes = s[1] == '/', empty = end[-1] == '/';
        char name[32] = "";
        sscanf(s + 1 + closes, "%31[A-Za-z0-9_.-]", name);
        if (name[0] == '\0')
            return false;
        if (closes) {
            if (depth == 0 || strcmp(open[--depth], name) != 0)
                return false;
        } else {
            nroots += depth == 0;
            if (!empty) {
                if (depth == 32)
                    return false;
                strcpy(open[depth++], name);
            }
        }
        s = end + 1;
    }
    return depth == 0 && nroots == 1;
}

START_TEST(malloc_info_writes_xml)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    void *p = launder(malloc(opaque(3 * MiB)));
    ck_assert_int_eq(malloc_info(0, f), 0);
    fclose(f);
    ck_assert_uint_gt(size, 0);
    const char *root = strstr(text, "<malloc version=\"1\">");
    ck_assert_msg(root != NULL, "no <malloc version=\"1\"> in: %s", text);
    ck_assert_msg(is_well_formed(root), "not well-formed: %s", text);
    free(text);
    free(p);
}
END_TEST

START_TEST(malloc_info_refuses_options)
{
    FILE *f = fopen("/dev/null", "w");
    ck_assert_int_ne(malloc_info(1, f), 0);
    fclose(f);
}
END_TEST

START_TEST(malloc_stats_prints_to_stderr)
{
    char name[] = "/tmp/malloc_stats.XXXXXX", text[200] = "";
    int fd = mkstemp(name), saved = dup(2);
    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(dup2(fd, 2), 2);
    malloc_stats();
    fflush(stderr);
    dup2(saved, 2);
    ck_assert_int_gt(pread(fd, text, sizeof text - 1, 0), 20);
    ck_assert_ptr_nonnull(strpbrk(text, "0123456789"));
}
END_TEST

API_MAIN("statistics",
         mallopt_knows_the_parameters_of_glibc,
         mallinfo2_counts_live_bytes,
         mallinfo_agrees_with_mallinfo2,
         malloc_trim_gives_memory_back,
         malloc_info_writes_xml,
         malloc_info_refuses_options,
         malloc_stats_prints_to_stderr)
