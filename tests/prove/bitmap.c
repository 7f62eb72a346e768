/* prove: bitmap
 * property: run_take gives the lowest free regions and run_put brings back exactly one
 * room: run
 * method: enumeration
 * bound: every bitmap of runs of up to 21 regions with every wish; 4-word bitmaps of 8 sorts of words
 * control: run.c | s/w > r->hint \? w - 1 : w/w/ | the hint passes the word it stopped in
 * control: run.c | s/rest &= rest - 1;/rest \&= rest - 2;/ | the lowest bit is not the one taken off
 * control: run.h | s/word < hint \? word/word > hint ? word/ | the hint is not lowered */

#include "run.c"
#include "sizeclass.c"

#include "prove.h"

static uint8_t map[2 * CHUNK_PAGES];
uint8_t *pagemap_classes = map;
uintptr_t pagemap_npages = 2 * CHUNK_PAGES;
struct chunk **pagemap_chunks;

void pagemap_set(uintptr_t address, size_t npages, unsigned c)
{
    memset(map + address / PAGE, (int)c, npages);
}

static struct chunk chunk = { .address = CHUNK };
static struct run *const r = &chunk.runs[3];
static uint64_t cases;
static unsigned class, nregions;

static void start(unsigned c)
{
    class = c;
    nregions = sizeclasses[c].nregions;
    r->chunk = &chunk;
    r->first = 3;
    r->npages = sizeclasses[c].npages;
    r->state = RUN_SMALL;
    run_cut(r, c);
    hold(run_check(r));
    hold(r->nfree == nregions);
}

static uintptr_t region(unsigned i)
{
    return CHUNK + 3 * PAGE + (uintptr_t)i * sizeclasses[class].size;
}

static enum run_answer put_one(struct run *from, uintptr_t region)
{
    unsigned n;

    return run_put(from, &(void *){ (void *)region }, 1, &n);
}

/* Give the run this bitmap, and the hint `hint`. */
static void give(const uint64_t *words, uint8_t hint)
{
    r->nfree = 0;
    for (unsigned w = 0; w < NWORDS; w++) {
        r->free[w] = w * 64 < nregions ? words[w] : 0;
        r->nfree += (unsigned)__builtin_popcountll(r->free[w]);
    }
    r->hint = hint;
}

/* The room's own check, without its look into the page map. */
static void check_hint_and_count(void)
{
    unsigned nfree = 0;

    for (unsigned w = 0; w < NWORDS; w++) {
        nfree += (unsigned)__builtin_popcountll(r->free[w]);
        hold(w >= r->hint || r->free[w] == 0);
    }
    hold(nfree == r->nfree);
}

/* Take `want` of them: the lowest, in order, and no other bit moves. */
static void take(const uint64_t *words, uint8_t hint, unsigned want)
{
    static void *out[2000];
    unsigned got, k = 0;

    give(words, hint);
    unsigned nfree = r->nfree;
    got = run_take(r, want, out + want);
    hold(got == (want < nfree ? want : nfree));
    for (unsigned i = 0; i < nregions; i++) {
        bool was = words[i / 64] >> (i % 64) & 1;
        bool is = r->free[i / 64] >> (i % 64) & 1;
        hold(is == (was && k >= got));
        if (was && k < got) {
            hold((uintptr_t)out[want - 1 - k] == region(i));
            k++;
        }
    }
    hold(k == got);
    check_hint_and_count();
    cases++;
}

/* Every region comes home, or is home already; a neighbouring byte is neither. */
static void put(const uint64_t *words, uint8_t hint)
{
    for (unsigned i = 0; i < nregions; i++) {
        bool was = words[i / 64] >> (i % 64) & 1;
        give(words, hint);
        hold(run_asks(r, region(i)) == (was ? RUN_FREE_ALREADY : RUN_OK));
        hold(run_asks(r, region(i) + 1) == RUN_INTERIOR);
        hold(put_one(r, region(i)) == (was ? RUN_FREE_ALREADY : RUN_OK));
        hold(r->free[i / 64] == (words[i / 64] | UINT64_C(1) << (i % 64)));
        check_hint_and_count();
        hold(put_one(r, region(i)) == RUN_FREE_ALREADY);
        hold(put_one(r, region(i) + 16) == RUN_INTERIOR
             || sizeclasses[class].size == 16);
        cases++;
    }
}

static void small_runs(unsigned most)
{
    for (unsigned c = 1; c < NSMALL; c++) {
        start(c);
        if (nregions > most)
            continue;
        for (uint64_t word = 0; word < UINT64_C(1) << nregions; word++) {
            uint64_t words[NWORDS] = { word };
            for (unsigned want = 0; want <= nregions; want++)
                take(words, 0, want);
            put(words, 0);
        }
    }
}

static void four_words(unsigned c)
{
    static const uint64_t sorts[8] = {
        0, 1, UINT64_C(1) << 63, UINT64_C(0x8000000000000001), ~UINT64_C(0),
        ~UINT64_C(1), ~UINT64_C(0) >> 1, UINT64_C(0x00f0000000000100)
    };

    start(c);
    hold(nregions == 256);
    for (unsigned n = 0; n < 4096; n++) {
        uint64_t words[NWORDS] = { sorts[n % 8], sorts[n / 8 % 8], sorts[n / 64 % 8],
                                   sorts[n / 512] };
        uint8_t low = 0;
        while (low < 4 && words[low] == 0)
            low++;
        for (uint8_t hint = 0; hint <= low; hint++) {
            for (unsigned want = 0; want <= 256; want += IS_QUICK ? 5 : 1)
                take(words, hint, want);
            if (!IS_QUICK || n % 16 == 0)
                put(words, hint);
        }
    }
}

int main(void)
{
    small_runs(IS_QUICK ? 12 : 21);
    four_words(4);
    printf("cases %" PRIu64 "\n", cases);
    return 0;
}
