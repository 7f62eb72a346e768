/* limits.c -- under RLIMIT_AS a process starts, malloc answers NULL and ENOMEM
 * at the limit, nothing that is live is lost, and after frees it works again. */
/* link: preload */
#include "stress.h"
#include <sys/resource.h>

static const size_t limits[] = { 64 << 20, 128 << 20, 256 << 20, 512 << 20 };
static const size_t sizes[] = { 64, 3000, 100 << 10, 3 << 20 };

struct block { struct block *next; };

/* Fill memory with blocks of one size; the list of them, and how many. */
static struct block *fill_memory(size_t size, size_t *count)
{
    struct block *head = NULL, *b;
    *count = 0;
    errno = 0;
    while ((b = malloc(size)) != NULL) {
        tag_put(b, size, (unsigned char)*count);
        b->next = head;
        head = b;
        ++*count;
    }
    demand(errno == ENOMEM);
    return head;
}

/* The tag's first byte lies under the link, so check the other two. */
static void free_all(struct block *head, size_t size, size_t count)
{
    while (head != NULL) {
        struct block *next = head->next;
        const unsigned char *b = (const unsigned char *)head;
        unsigned char tag = (unsigned char)--count;
        demand(b[size - 1] == tag && b[size / 2] == tag);
        free(head);
        head = next;
    }
    demand(count == 0);
}

static void *small_thread(void *unused)
{
    churn(5, 500, 20 * KiB);
    return unused;
}

static void in_child(size_t limit)
{
    size_t first[4];
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * KiB);
    demand(pthread_create(&thread, &attributes, small_thread, NULL) == 0);
    pthread_join(thread, NULL);

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 4; i++) {
            size_t count;
            struct block *head = fill_memory(sizes[i], &count);
            errno = 0;
            demand(malloc(limit) == NULL && errno == ENOMEM);
            demand(calloc(2, limit) == NULL && errno == ENOMEM);
            demand(realloc(head, limit) == NULL && errno == ENOMEM);
            void *p = NULL;
            demand(posix_memalign(&p, 4096, limit) == ENOMEM && p == NULL);
            free_all(head, sizes[i], count);
            malloc_trim(0);
            if (round == 0)
                first[i] = count;
            if (count * sizes[i] < limit / 8 || count < first[i] / 2)
                fail("limit %zu MiB, round %d: %zu blocks of %zu bytes, at first %zu",
                     limit / MiB, round, count, sizes[i], first[i]);
        }
    churn(6, 1000, MiB);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        alarm(60);
        in_child(strtoull(argv[1], NULL, 0));
        return 0;
    }
    const char *brief = getenv("SHORT");
    size_t step = brief != NULL && *brief != '\0' ? 2 : 1;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i += step) {
        char text[40], what[40];
        snprintf(text, sizeof text, "%zu", limits[i]);
        snprintf(what, sizeof what, "limit of %zu MiB", limits[i] / MiB);
        pid_t pid = fork();
        demand(pid >= 0);
        if (pid == 0) {
            struct rlimit limit = { limits[i], limits[i] };
            demand(setrlimit(RLIMIT_AS, &limit) == 0);
            execl("/proc/self/exe", argv[0], text, (char *)NULL);
            _exit(127);
        }
        wait_for(pid, what);
    }
    printf("limits: %s MiB of address space\n", step == 1 ? "64, 128, 256, 512" : "64, 256");
    return 0;
}
