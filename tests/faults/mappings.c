/* mappings.c -- a process reaches the number of mappings that the kernel allows
 * (vm.max_map_count, usually 65 530) and allocates there: NULL with ENOMEM at worst,
 * what is live stays whole, what is purged reads as zero; when mappings are to be had
 * again, everything is. */
/* link: preload */
/* timeout: 300 */
#include "../stress/stress.h"
#include <sys/mman.h>

enum { NBLOCKS = 3000, MOST = 6 << 20 };

static struct { unsigned char *p; size_t n; unsigned char tag; } blocks[NBLOCKS];
static size_t nrefused;

/* Random calls; `full`: NULL is allowed. */
static void work(uint64_t *state, int count, bool full)
{
    for (int i = 0; i < count; i++) {
        size_t k = draw_below(state, NBLOCKS);
        if (blocks[k].p != NULL) {
            tag_check(blocks[k].p, blocks[k].n, blocks[k].tag);
            free(blocks[k].p);
        }
        bool zeroed = draw(state) % 4 == 0;
        blocks[k].n = draw_size(state, draw(state) % 64 == 0 ? MOST : 8 * KiB);
        blocks[k].tag = (unsigned char)draw(state);
        errno = 0;
        blocks[k].p = zeroed ? calloc(1, blocks[k].n) : malloc(blocks[k].n);
        if (blocks[k].p == NULL) {
            demand(full && errno == ENOMEM);
            nrefused++;
            continue;
        }
        for (size_t j = 0; zeroed && j < blocks[k].n; j += 61)
            demand(blocks[k].p[j] == 0);
        tag_put(blocks[k].p, blocks[k].n, blocks[k].tag);
    }
}

static size_t page;

/* One more mapping: neighbours differ in what they allow, so they stay apart. */
static size_t use_up(char *area, size_t npages)
{
    size_t i = 1;
    while (i < npages && mprotect(area + i * page, page, PROT_READ) == 0)
        i += 2;
    demand(i < npages && errno == ENOMEM);
    return i;
}

int main(void)
{
    if (SANITIZED)
        skip("a sanitizer needs mappings of its own");
    uint64_t first_seed = seed(), state = first_seed;
    size_t npages = 2 * 70000;
    page = (size_t)sysconf(_SC_PAGESIZE);
    FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
    long most = 0;
    demand(f != NULL && fscanf(f, "%ld", &most) == 1 && fclose(f) == 0);
    if (most > 69000)
        skip("vm.max_map_count is too high to be reached here");
    char *area = mmap(NULL, npages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
    demand(area != MAP_FAILED);

    int nrounds = getenv("LONG") != NULL ? 20 : 2;
    for (int i = 0; i < nrounds; i++) {
        work(&state, 5000, false);
        size_t used = use_up(area, npages);
        work(&state, 20000, true);
        malloc_trim(0);
        work(&state, 5000, true);
        demand(mprotect(area, (used + 1) * page, PROT_NONE) == 0);
        work(&state, 5000, false);
    }
    for (int k = 0; k < NBLOCKS; k++) {
        if (blocks[k].p != NULL)
            tag_check(blocks[k].p, blocks[k].n, blocks[k].tag);
        free(blocks[k].p);
    }
    malloc_trim(0);
    demand(resident_bytes() < 64 * MiB);
    printf("mappings: %d times at %ld mappings, %zu requests refused, seed %llu\n", nrounds, most,
           nrefused, (unsigned long long)first_seed);
    return 0;
}
