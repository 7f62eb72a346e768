/* test_pageheap.c -- the page heap: P1 to P6 of its chapter, each operation, each
 * refusal, and random operations against an array with a letter a page. */

#include "pageheap.h"

#include "options.h"
#include "pagemap.h"
#include "pages.h"

#include "unit.h"

#include <sys/mman.h>

/* Numbers that the chapter quotes. */
static_assert(NSIZES == 257 && NSIZE_WORDS == 5, "lengths, and words of bits");
static_assert(sizeof(struct shelf) == 2096, "a shelf");
static_assert(sizeof(struct pageheap) == 4528, "a page heap");
static_assert(2 * 1024 * 1024 / PAGE == 128, "the longest run that is asked for");
static_assert(128 + 128 - 1 <= CHUNK_PAGES, "and the strictest alignment");

static char room_for_arena;
#define ARENA ((struct arena *)&room_for_arena)

static bool no_chunks, no_purge;
static void (*during_purge)(void);

long pages_system_call(long n, long a, long b, long c, long d, long e, long f)
{
    if (n == SYS_mmap && b == CHUNK && no_chunks)
        return -ENOMEM;
    if (n == SYS_madvise && no_purge)
        return -EINVAL;
    if (n == SYS_madvise && during_purge != NULL) {
        void (*hook)(void) = during_purge;
        during_purge = NULL;
        hook();
    }
    return system_call(n, a, b, c, d, e, f);
}

static struct pageheap h;       /* begins as zeros, as from base_take */
static uint64_t start_ms;

static void start(void)
{
    if (pagemap_npages == 0) {
        pages_start();
        ck_assert(pagemap_start(options.window_bytes));
        chunk_start();
    }
    pageheap_start(&h, ARENA);
    start_ms = pages_now_ms();
    chunk_purge(start_ms, true);
}

/* ---- the whole truth about a page heap ------------------------------------------ */

static size_t nodes(const struct heapnode *n, size_t npages, enum run_state state)
{
    size_t count = 0;

    for (; n != NULL; n = n->next) {
        const struct run *r = (const struct run *)n;
        ck_assert(r->npages == npages);
        ck_assert(r->state == state);
        ck_assert(n->key == run_address(r));
        ck_assert(n->child == NULL || n->child->key > n->key);
        count += 1 + nodes(n->child, npages, state);
    }
    return count;
}

/* P4; returns how many runs are on a shelf. */
static size_t shelf_check(const struct shelf *s, enum run_state state)
{
    size_t count = 0;

    ck_assert(s->runs[0].root == NULL);
    for (size_t n = 1; n < NSIZES; n++) {
        ck_assert(bit_test(s->nonempty, n) == (s->runs[n].root != NULL));
        count += nodes(s->runs[n].root, n, state);
    }
    ck_assert(bit_find(s->nonempty, NSIZE_WORDS, NSIZES) == NSIZE_WORDS * 64);
    return count;
}

struct sums {
    size_t ndirty, nclean, nused;       /* pages */
    size_t ndirties, ncleans;           /* runs */
};

static void chunk_walk(struct chunk *c, struct sums *sum)
{
    unsigned before = RUN_NONE;
    size_t nfree = 0;

    ck_assert(c->arena == ARENA);
    for (size_t i = 0; i < CHUNK_PAGES; i += c->runs[i].npages) {
        struct run *r = &c->runs[i];
        bool dirty = r->state == RUN_DIRTY, clean = r->state == RUN_CLEAN;
        ck_assert(r->chunk == c);
        ck_assert(r->first == i);                         /* P2 */
        ck_assert(r->npages > 0);
        ck_assert(i + r->npages <= CHUNK_PAGES);
        ck_assert(c->runs[i + r->npages - 1].first == i);
        ck_assert(dirty || clean || r->state == RUN_SMALL || r->state == RUN_LARGE);
        ck_assert(!(dirty || clean) || r->state != before);     /* P3 */
        for (size_t k = 1; k < r->npages; k++)
            ck_assert(r[k].state == RUN_NONE);
        nfree += dirty || clean ? r->npages : 0;
        sum->ndirty += dirty ? r->npages : 0;
        sum->nclean += clean ? r->npages : 0;
        sum->nused += dirty || clean ? 0 : r->npages;
        sum->ndirties += dirty;
        sum->ncleans += clean;
        before = r->state;
    }
    ck_assert(c->nfree == nfree);
    ck_assert(nfree < CHUNK_PAGES || c->runs[0].npages == CHUNK_PAGES);
}

static void heap_check(struct chunk **chunks, size_t nchunks)
{
    struct sums sum = { 0 };
    size_t listed = 0;
    struct run *last = NULL;

    for (size_t i = 0; i < nchunks; i++)
        chunk_walk(chunks[i], &sum);
    for (struct run *r = h.oldest; r != NULL; last = r, r = r->newer, listed++) {
        ck_assert(r->state == RUN_DIRTY);                  /* P1 */
        ck_assert(r->older == last);
    }
    ck_assert(h.newest == last);
    ck_assert(listed == sum.ndirties);
    ck_assert(shelf_check(&h.dirty, RUN_DIRTY) == sum.ndirties);
    ck_assert(shelf_check(&h.clean, RUN_CLEAN) == sum.ncleans);
    ck_assert(h.ndirty == sum.ndirty);                    /* P5 */
    ck_assert(h.nused == sum.nused);                      /* P6 */
    ck_assert(h.npages == nchunks * CHUNK_PAGES);
    mutex_lock(&h.lock);
    ck_assert(pageheap_check(&h));
    mutex_unlock(&h.lock);
}

/* ---- one thing at a time --------------------------------------------------------- */

static struct run *take(size_t npages)
{
    bool zeroed;
    struct run *r = pageheap_take(&h, npages, PAGE, RUN_LARGE, &zeroed);

    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->npages, npages);
    return r;
}

static void put(struct run *r)
{
    ck_assert(pageheap_put(&h, r, RUN_LARGE));
}

/* A heap of one chunk, cut into runs of these lengths from page 0 on, all taken;
 * 0 ends the list, and what is left stays clean. */
static struct chunk *cut(const int *lengths, struct run **runs)
{
    start();
    ck_assert(pageheap_grow(&h));
    for (; *lengths != 0; lengths++)
        *runs++ = take((size_t)*lengths);
    return runs[-1]->chunk;
}

START_TEST(an_empty_heap_has_nothing)
{
    bool zeroed;

    start();
    heap_check(NULL, 0);
    ck_assert_ptr_null(pageheap_take(&h, 1, PAGE, RUN_SMALL, &zeroed));
    ck_assert_uint_eq(pageheap_purge(&h, start_ms, true), 0);
    ck_assert(pageheap_grow(&h));
    ck_assert_uint_eq(h.npages, CHUNK_PAGES);
    struct run *r = pageheap_take(&h, CHUNK_PAGES, PAGE, RUN_SMALL, &zeroed);
    ck_assert_ptr_nonnull(r);
    ck_assert(zeroed || pages_size > PAGE);
    ck_assert_int_eq(r->state, RUN_SMALL);
    heap_check(&r->chunk, 1);
    ck_assert_ptr_null(pageheap_take(&h, 1, PAGE, RUN_SMALL, &zeroed));
}
END_TEST

/* The figure of the chapter, and the answer to its first exercise. */
START_TEST(the_figure)
{
    struct run *r[8];
    struct chunk *c = cut((int[]){ 4, 3, 16, 3, 2, 12, 0 }, r);

    put(r[5]);
    heap_check(&c, 1);
    /* Page 28 is dirty, page 40 clean: no joining. */
    ck_assert_uint_eq(c->runs[28].npages, 12);
    ck_assert_uint_eq(c->runs[40].npages, 216);
    put(r[1]);
    put(r[3]);
    heap_check(&c, 1);
    ck_assert_ptr_eq(h.oldest, &c->runs[28]);
    ck_assert_ptr_eq(h.oldest->newer, &c->runs[4]);
    ck_assert_ptr_eq(h.newest, &c->runs[23]);
    ck_assert_ptr_eq(h.dirty.runs[3].root, &c->runs[4].node);
    put(r[2]);
    heap_check(&c, 1);
    ck_assert_ptr_eq(h.oldest, &c->runs[28]);
    ck_assert_ptr_eq(h.newest, &c->runs[4]);
    ck_assert_uint_eq(c->runs[4].npages, 22);
    ck_assert(!bit_test(h.dirty.nonempty, 3) && bit_test(h.dirty.nonempty, 22));
}
END_TEST

START_TEST(the_fit_in_the_figure)
{
    struct run *r[8];
    struct chunk *c = cut((int[]){ 4, 3, 16, 3, 2, 12, 0 }, r);

    put(r[5]);
    put(r[3]);
    put(r[1]);
    ck_assert_ptr_eq(take(2), &c->runs[4]);     /* shortest, then lowest */
    ck_assert_ptr_eq(take(100), &c->runs[40]);  /* clean, for want of dirty */
    ck_assert_ptr_eq(take(1), &c->runs[6]);     /* what was left of the 3 */
    ck_assert_ptr_eq(take(4), &c->runs[28]);
    heap_check(&c, 1);
}
END_TEST

START_TEST(dirty_is_not_zeroed_and_clean_is)
{
    struct run *r[4];
    bool zeroed = true;
    struct chunk *c = cut((int[]){ 4, 1, 0 }, r);

    memset((void *)run_address(r[0]), 0xff, 4 * PAGE);
    put(r[0]);
    pageheap_take(&h, 4, PAGE, RUN_LARGE, &zeroed);
    ck_assert(!zeroed);
    put(r[0]);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms, true), 4 * PAGE);
    ck_assert_int_eq(c->runs[0].state, RUN_CLEAN);
    ck_assert_ptr_eq(pageheap_take(&h, 4, PAGE, RUN_LARGE, &zeroed), &c->runs[0]);
    ck_assert_int_eq(zeroed, pages_size <= PAGE);
    for (size_t i = 0; i < 4 * PAGE; i++)
        ck_assert_int_eq(((char *)run_address(&c->runs[0]))[i], 0);
}
END_TEST

START_TEST(the_aligned_run_of_the_figure)
{
    struct run *r[4];
    bool zeroed;
    struct chunk *c = cut((int[]){ 20, 160, 76, 0 }, r);

    put(r[1]);
    struct run *a = pageheap_take(&h, 64, 64 * PAGE, RUN_LARGE, &zeroed);
    ck_assert_ptr_eq(a, &c->runs[64]);
    ck_assert_uint_eq(run_address(a) % POW2(20), 0);
    ck_assert_uint_eq(c->runs[20].npages, 44);
    ck_assert_uint_eq(c->runs[128].npages, 52);
    heap_check(&c, 1);
}
END_TEST

START_TEST(every_alignment_that_is_asked_for)
{
    bool zeroed;

    start();
    for (size_t a = PAGE; a <= 128 * PAGE; a *= 2)
        for (size_t n = 1; n <= 128; n += 127) {
            struct run *r = pageheap_take(&h, n, a, RUN_LARGE, &zeroed);
            if (r == NULL) {
                ck_assert(pageheap_grow(&h));
                r = pageheap_take(&h, n, a, RUN_LARGE, &zeroed);
            }
            ck_assert_ptr_nonnull(r);
            ck_assert_uint_eq(run_address(r) % a, 0);
        }
    /* More than a chunk holds: refused, however often the heap grows. */
    ck_assert(pageheap_grow(&h));
    ck_assert_ptr_null(pageheap_take(&h, 2, CHUNK, RUN_LARGE, &zeroed));
}
END_TEST

START_TEST(what_is_not_in_that_state_is_not_put)
{
    struct run *r[5];
    struct chunk *c = cut((int[]){ 4, 6, 10, 1, 0 }, r);

    ck_assert(!pageheap_put(&h, r[1], RUN_SMALL));
    ck_assert(pageheap_put(&h, r[1], RUN_LARGE));
    heap_check(&c, 1);
    ck_assert(!pageheap_put(&h, r[1], RUN_LARGE));      /* dirty */
    put(r[2]);
    ck_assert(!pageheap_put(&h, r[2], RUN_LARGE));      /* joined */
    put(r[0]);
    ck_assert(!pageheap_put(&h, r[1], RUN_LARGE));
    heap_check(&c, 1);
    ck_assert_uint_eq(h.nused, 1);
}
END_TEST

START_TEST(joins_on_either_side)
{
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    struct run *r[6];
    struct chunk *c = cut((int[]){ 1, 5, 1, 7, 1, 0 }, r);

    for (int i = 0; i < 3; i++) {
        put(r[1 + orders[_i][i]]);
        heap_check(&c, 1);
    }
    ck_assert_uint_eq(c->runs[1].npages, 13);
    ck_assert_ptr_eq(h.oldest, h.newest);
    ck_assert_uint_eq(h.ndirty, 13);
}
END_TEST

START_TEST(an_empty_chunk_goes_back)
{
    struct run *r[4];
    struct chunk *c = cut((int[]){ 10, 20, 226, 0 }, r);

    put(r[1]);
    pageheap_purge(&h, start_ms, true);
    put(r[2]);                                  /* now clean and dirty alternate */
    put(r[0]);
    heap_check(NULL, 0);
    ck_assert_uint_eq(chunk_stats().nkept, 1);
    ck_assert(c->dirty);
    for (size_t i = 0; i < CHUNK_PAGES; i++)
        ck_assert_int_eq(c->runs[i].state, RUN_NONE);
    /* It comes back as it left: dirty. */
    ck_assert(pageheap_grow(&h));
    ck_assert_uint_eq(h.ndirty, CHUNK_PAGES);
    heap_check(&c, 1);
}
END_TEST

START_TEST(resize_in_place)
{
    struct run *r[4];
    struct chunk *c = cut((int[]){ 4, 6, 10, 236, 0 }, r);

    ck_assert(!pageheap_resize(&h, r[0], 5));   /* the next page is taken */
    ck_assert_uint_eq(r[0]->npages, 4);
    put(r[1]);
    ck_assert(!pageheap_resize(&h, r[0], 11));  /* one too many */
    ck_assert_uint_eq(r[0]->npages, 4);
    heap_check(&c, 1);
    ck_assert(pageheap_resize(&h, r[0], 9));
    heap_check(&c, 1);
    ck_assert_uint_eq(c->runs[9].npages, 1);
    ck_assert(pageheap_resize(&h, r[0], 10));   /* to the last page */
    heap_check(&c, 1);
    ck_assert_uint_eq(h.ndirty, 0);
    ck_assert(pageheap_resize(&h, r[0], 10));   /* no change */
    ck_assert(pageheap_resize(&h, r[0], 1));
    ck_assert_int_eq(r[0]->state, RUN_LARGE);
    ck_assert_uint_eq(c->runs[1].npages, 9);
    heap_check(&c, 1);
    /* At the end of the chunk there is nothing behind. */
    ck_assert(!pageheap_resize(&h, r[3], 237));
    ck_assert(pageheap_resize(&h, r[3], 235));
    heap_check(&c, 1);
}
END_TEST

START_TEST(resize_into_clean_pages)
{
    struct run *r[2];
    struct chunk *c = cut((int[]){ 4, 0 }, r);

    ck_assert(pageheap_resize(&h, r[0], 100));
    heap_check(&c, 1);
    ck_assert_int_eq(c->runs[100].state, RUN_CLEAN);
    ck_assert_uint_eq(c->runs[100].npages, 156);
}
END_TEST

START_TEST(the_oldest_is_purged_first)
{
    struct run *r[7];
    struct chunk *c = cut((int[]){ 1, 50, 1, 40, 1, 1, 0 }, r);

    put(r[3]);                                  /* 40 pages, then 50 */
    put(r[1]);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms, false), 0);
    /* At half time 45 of 90 may be dirty: the older ones go, then all. */
    ck_assert_uint_eq(pageheap_purge(&h, start_ms + 4500, false), 40 * PAGE);
    ck_assert_int_eq(r[3]->state, RUN_CLEAN);
    ck_assert_int_eq(r[1]->state, RUN_DIRTY);
    heap_check(&c, 1);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms + 10200, false), 50 * PAGE);
    ck_assert_uint_eq(h.ndirty, 0);
    heap_check(&c, 1);
}
END_TEST

START_TEST(dirty_anew_is_young)
{
    struct run *r[3];
    struct chunk *c = cut((int[]){ 10, 1, 0 }, r);

    put(r[0]);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms, false), 0);
    ck_assert_ptr_eq(take(10), r[0]);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms + 20000, false), 0);
    put(r[0]);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms + 20001, false), 0);
    ck_assert_uint_eq(pageheap_purge(&h, start_ms + 40000, false), 10 * PAGE);
    heap_check(&c, 1);
}
END_TEST

START_TEST(what_cannot_be_purged_stays_dirty)
{
    struct run *r[3];
    bool zeroed = true;
    struct chunk *c = cut((int[]){ 10, 1, 0 }, r);

    *(char *)run_address(r[0]) = 1;
    put(r[0]);
    no_purge = true;
    ck_assert_uint_eq(pageheap_purge(&h, start_ms, true), 0);
    ck_assert_int_eq(c->runs[0].state, RUN_DIRTY);
    heap_check(&c, 1);
    ck_assert_ptr_eq(pageheap_take(&h, 10, PAGE, RUN_LARGE, &zeroed), r[0]);
    ck_assert(!zeroed);
}
END_TEST

START_TEST(without_memory_the_heap_is_as_it_was)
{
    struct run *r[3];
    struct chunk *c = cut((int[]){ 10, 246, 0 }, r);

    no_chunks = true;
    ck_assert(!pageheap_grow(&h));
    heap_check(&c, 1);
    put(r[0]);
    ck_assert_ptr_eq(take(10), r[0]);
    no_chunks = false;
    ck_assert(pageheap_grow(&h));
    ck_assert_ptr_ne(take(1)->chunk, c);
}
END_TEST

/* What another thread may do while the system purges pages 10 to 19. */
static struct run *others[6];

static void neighbours_come_home(void)
{
    struct chunk *c = others[1]->chunk;

    ck_assert_int_eq(c->runs[10].state, RUN_PURGING);
    put(others[0]);
    put(others[2]);
    /* Nobody joined the run, nobody can have it, and the chunk stays. */
    ck_assert_int_eq(c->runs[10].state, RUN_PURGING);
    ck_assert_uint_eq(c->runs[0].npages, 10);
    ck_assert_uint_eq(c->runs[20].npages, 236);
    ck_assert(!pageheap_resize(&h, &c->runs[0], 11));
    ck_assert_uint_eq(chunk_stats().nkept, 0);
}

START_TEST(a_run_that_is_purged_is_nobodys)
{
    cut((int[]){ 10, 10, 236, 0 }, others);
    put(others[1]);
    during_purge = neighbours_come_home;
    /* The run itself, and then the neighbours; the chunk is empty by that. */
    pageheap_purge(&h, start_ms, true);
    heap_check(NULL, 0);
    ck_assert_uint_eq(chunk_stats().nkept, 1);
}
END_TEST

START_TEST(find_walks_to_the_run)
{
    struct run *r[4];
    struct chunk *c = cut((int[]){ 3, 100, 20, 0 }, r);
    uintptr_t at = c->address;

    ck_assert_ptr_eq(pageheap_find(c, at), r[0]);
    ck_assert_ptr_eq(pageheap_find(c, at + 3 * PAGE - 1), r[0]);
    ck_assert_ptr_eq(pageheap_find(c, at + 3 * PAGE), r[1]);
    ck_assert_ptr_eq(pageheap_find(c, at + 60 * PAGE + 17), r[1]);
    ck_assert_ptr_eq(pageheap_find(c, at + 103 * PAGE), r[2]);
    ck_assert_ptr_eq(pageheap_find(c, at + CHUNK - 1), &c->runs[123]);
}
END_TEST

/* ---- the model -------------------------------------------------------------------- */

enum { NCHUNKS = 10, NRUNS = 100 };

static struct chunk *chunks[NCHUNKS];           /* as the model knows them */
static char page[NCHUNKS][CHUNK_PAGES];         /* 'd' dirty, 'c' clean, 'u' used */
static size_t nchunks;

static struct owned {
    struct run *run;
    size_t npages;
    unsigned char mark;         /* what its pages are filled with */
} owned[NRUNS];
static size_t nowned;

struct gap {
    size_t chunk, first, npages;
};

static uint64_t state;

static size_t below(size_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % n;
}

/* So many pages from p on have the letter that p has. */
static size_t gap_at(size_t i, size_t p)
{
    size_t n = 1;

    while (p + n < CHUNK_PAGES && page[i][p + n] == page[i][p])
        n++;
    return n;
}

static bool is_better(size_t i, size_t p, const struct gap *g)
{
    size_t n = gap_at(i, p);

    return n < g->npages
           || (n == g->npages && chunks[i]->address < chunks[g->chunk]->address);
}

/* The best fit by looking everywhere: shortest, then lowest. */
static bool best(char sort, size_t want, struct gap *found)
{
    found->npages = CHUNK_PAGES + 1;
    for (size_t i = 0; i < nchunks; i++)
        for (size_t p = 0; p < CHUNK_PAGES; p += gap_at(i, p))
            if (page[i][p] == sort && gap_at(i, p) >= want
                && is_better(i, p, found))
                *found = (struct gap){ i, p, gap_at(i, p) };
    return found->npages <= CHUNK_PAGES;
}

static size_t index_of(const struct chunk *c)
{
    size_t i = 0;

    while (i < nchunks && chunks[i] != c)
        i++;
    ck_assert(i < (nchunks));
    return i;
}

static void paint(const struct run *r, size_t first, size_t npages, char letter)
{
    memset(&page[index_of(r->chunk)][first], letter, npages);
}

/* A chunk goes back when something in it becomes free and all of it is. */
static bool drop_if_empty(size_t i)
{
    if (memchr(page[i], 'u', CHUNK_PAGES) != NULL)
        return false;
    ck_assert(chunks[i]->arena == NULL);
    chunks[i] = chunks[--nchunks];
    memcpy(page[i], page[nchunks], CHUNK_PAGES);
    return true;
}

static void compare(void)
{
    heap_check(chunks, nchunks);
    for (size_t i = 0; i < nchunks; i++)
        for (size_t p = 0; p < CHUNK_PAGES; p += chunks[i]->runs[p].npages) {
            const struct run *r = &chunks[i]->runs[p];
            char letter = r->state == RUN_DIRTY   ? 'd'
                          : r->state == RUN_CLEAN ? 'c'
                                                  : 'u';
            for (size_t k = 0; k < r->npages; k++)
                ck_assert(page[i][p + k] == letter);
        }
}

/* A byte at each end of each system page is enough to see a page that two own. */
static void fill(const struct owned *o)
{
    for (size_t i = 0; i < o->npages * PAGE; i += 2048)
        ((unsigned char *)run_address(o->run))[i] = o->mark;
}

static bool holds(const struct owned *o, size_t npages, unsigned char mark)
{
    for (size_t i = 0; i < npages * PAGE; i += 2048)
        if (((unsigned char *)run_address(o->run))[i] != mark)
            return false;
    return true;
}

static void model_grow(void)
{
    ck_assert(nchunks < NCHUNKS);
    ck_assert(pageheap_grow(&h));
    bool clean = h.clean.runs[CHUNK_PAGES].root != NULL;
    struct shelf *s = clean ? &h.clean : &h.dirty;
    struct run *r = (struct run *)s->runs[CHUNK_PAGES].root;
    ck_assert(r != NULL);
    chunks[nchunks] = r->chunk;
    memset(page[nchunks++], clean ? 'c' : 'd', CHUNK_PAGES);
}

static void model_take(void)
{
    size_t n = below(3) == 0 ? 1 + below(128) : 1 + below(9);
    size_t align = below(4) == 0 ? POW2(below(8)) : 1;  /* pages */
    struct gap g;
    bool zeroed = false;
    bool found = best('d', n + align - 1, &g) || best('c', n + align - 1, &g);
    struct run *r = pageheap_take(&h, n, align * PAGE, RUN_LARGE, &zeroed);

    ck_assert((r != NULL) == found);
    if (!found) {
        if (nchunks < NCHUNKS)
            model_grow();
        return;
    }
    ck_assert(r->chunk == chunks[g.chunk]);
    ck_assert(r->first == (g.first + align - 1) / align * align);
    ck_assert(r->npages == n);
    ck_assert(zeroed == (page[g.chunk][g.first] == 'c' && pages_size <= PAGE));
    paint(r, r->first, n, 'u');
    owned[nowned] = (struct owned){ r, n, (unsigned char)(1 + below(255)) };
    ck_assert(!zeroed || holds(&owned[nowned], n, 0));
    fill(&owned[nowned++]);
}

static void model_put(void)
{
    size_t i = below(nowned);
    struct owned o = owned[i];
    size_t k = index_of(o.run->chunk);

    ck_assert(holds(&o, o.npages, o.mark));
    paint(o.run, o.run->first, o.npages, 'd');
    owned[i] = owned[--nowned];
    put(o.run);
    drop_if_empty(k);
}

static void model_resize(void)
{
    struct owned *o = &owned[below(nowned)];
    size_t n = below(2) == 0 ? 1 + below(o->npages) : o->npages + below(30);
    size_t i = index_of(o->run->chunk), end = o->run->first + o->npages;
    bool may = n <= o->npages
               || (end < CHUNK_PAGES && page[i][end] != 'u'
                   && gap_at(i, end) >= n - o->npages);

    ck_assert(holds(o, o->npages, o->mark));
    ck_assert(pageheap_resize(&h, o->run, n) == may);
    if (!may)
        return;
    if (n < o->npages)
        paint(o->run, o->run->first + n, o->npages - n, 'd');
    else
        paint(o->run, end, n - o->npages, 'u');
    ck_assert(holds(o, n < o->npages ? n : o->npages, o->mark));
    o->npages = n;
    fill(o);
}

static void model_purge(void)
{
    size_t ndirty = 0;

    for (size_t i = 0; i < nchunks; i++)
        for (size_t p = 0; p < CHUNK_PAGES; p++)
            if (page[i][p] == 'd') {
                page[i][p] = 'c';
                ndirty++;
            }
    size_t nbytes = pageheap_purge(&h, start_ms, true);
    ck_assert(nbytes == ndirty * PAGE || pages_size > PAGE);
    /* A chunk that was dirty when it came, and was not used since. */
    for (size_t i = 0; i < nchunks; i++)
        if (chunks[i]->arena == NULL && drop_if_empty(i))
            i--;
}

START_TEST(random_operations_against_the_model)
{
    const char *text = getenv("SEED");
    uint64_t first = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)_i + 1;
    size_t nsteps = getenv("SHORT") != NULL ? 300 : 1500;

    fprintf(stderr, "SEED=%llu\n", (unsigned long long)first);
    state = first;
    start();
    for (size_t i = 0; i < nsteps; i++) {
        size_t dice = below(20);
        bool filling = i / 300 % 2 == 0;
        if (dice == 0)
            model_purge();
        else if (dice < 4 && nowned > 0)
            model_resize();
        else if (nowned == NRUNS || (nowned > 0 && (dice < 9) == filling))
            model_put();
        else
            model_take();
        compare();
    }
    while (nowned > 0)
        model_put();
    compare();
    ck_assert(nchunks <= 1);                  /* one may have come and not been used */
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, an_empty_heap_has_nothing);
    tcase_add_test(t, the_figure);
    tcase_add_test(t, the_fit_in_the_figure);
    tcase_add_test(t, dirty_is_not_zeroed_and_clean_is);
    tcase_add_test(t, the_aligned_run_of_the_figure);
    tcase_add_test(t, every_alignment_that_is_asked_for);
    tcase_add_test(t, what_is_not_in_that_state_is_not_put);
    tcase_add_loop_test(t, joins_on_either_side, 0, 6);
    tcase_add_test(t, an_empty_chunk_goes_back);
    tcase_add_test(t, resize_in_place);
    tcase_add_test(t, resize_into_clean_pages);
    tcase_add_test(t, the_oldest_is_purged_first);
    tcase_add_test(t, dirty_anew_is_young);
    tcase_add_test(t, what_cannot_be_purged_stays_dirty);
    tcase_add_test(t, without_memory_the_heap_is_as_it_was);
    tcase_add_test(t, a_run_that_is_purged_is_nobodys);
    tcase_add_test(t, find_walks_to_the_run);
    tcase_add_loop_test(t, random_operations_against_the_model, 0, 8);
}

int main(void)
{
    return unit_run("pageheap", add_tests);
}
