/* Tangled from src.nw/40-run.nw; edit that, not this. */
/* run.c -- pages cut into equal regions. */

#include "run.h"

#include "pagemap.h"

#include <string.h>

enum { NWORDS = PAGE / QUANTUM / 64 };

/* Cut a run into regions, and make it whole again.
 * [40-run.nw: Cutting and making whole] */
void run_cut(struct run *r, unsigned c)
{
    unsigned n = sizeclasses[c].nregions;

    r->class = (uint8_t)c;
    r->waiting = false;
    r->hint = 0;
    r->nfree = n;
    for (unsigned w = 0; w < NWORDS; w++)
        r->free[w] = n <= w * 64 ? 0 : bits_below(n - w * 64);
    /* The last page knows its first already; a neighbour may look there. */
    for (unsigned i = 1; i + 1 < r->npages; i++) {
        r[i].first = r->first;
        r[i].state = RUN_NONE;
    }
    pagemap_set(run_address(r), r->npages, c);
}

void run_uncut(struct run *r)
{
    assert(r->nfree == sizeclasses[r->class].nregions);
    pagemap_set(run_address(r), r->npages, CLASS_NONE);
}

/* Copy the addresses of one word's regions.  [40-run.nw: Taking regions] */
/* A whole word of free regions needs no look at its bits. */
static void **take_word(uintptr_t at, size_t size, uint64_t word, void **out)
{
    if (word == ~UINT64_C(0)) {
        for (int i = 0; i < 64; i++, at += size)
            *--out = (void *)at;
        return out;
    }
    for (; word != 0; word &= word - 1)
        *--out = (void *)(at + lowest_bit(word) * size);
    return out;
}

/* The lowest n bits set of a word that has more. */
static uint64_t lowest_bits(uint64_t word, unsigned n)
{
    uint64_t rest = word;

    while (n-- > 0)
        rest &= rest - 1;
    return word ^ rest;
}

/* Take regions, lowest first.  [40-run.nw: Taking regions] */
unsigned run_take(struct run *r, unsigned want, void **out)
{
    size_t size = sizeclasses[r->class].size;
    unsigned got = 0, w = r->hint;

    if (want > r->nfree)
        want = r->nfree;
    for (; got < want; w++) {
        uint64_t word = r->free[w];
        unsigned n = (unsigned)__builtin_popcountll(word);
        if (n > want - got) {
            word = lowest_bits(word, want - got);
            n = want - got;
        }
        out = take_word(run_address(r) + w * 64 * size, size, word, out);
        r->free[w] &= ~word;
        got += n;
    }
    /* The word we stopped in may have more; those before it have none. */
    r->hint = (uint8_t)(w > r->hint ? w - 1 : w);
    r->nfree -= got;
    return got;
}

/* Take a region from anywhere.  [40-run.nw: Taking regions] */
void *run_take_from(struct run *r, unsigned i)
{
    unsigned w = i / 64;
    uint64_t word = r->free[w] & ~bits_below(i % 64);

    while (word == 0) {
        w = (w + 1) % NWORDS;
        word = r->free[w];
    }
    i = w * 64 + lowest_bit(word);
    bit_clear(r->free, i);
    r->nfree--;
    return (void *)(run_address(r) + (size_t)i * sizeclasses[r->class].size);
}

/* Say whether an address is a region that is taken.
 * [40-run.nw: Where an address lies] */
/* Racy: somebody may change another region's bit in the same word; ours he
 * cannot change, if the region is live, and if not we may say so or not. */
RACY enum run_answer run_asks(const struct run *r, uintptr_t p)
{
    uint32_t offset = (uint32_t)(p - run_address(r));
    unsigned i = region_index(r->class, offset);

    if (i * sizeclasses[r->class].size != offset
        || i >= sizeclasses[r->class].nregions)
        return RUN_INTERIOR;
    return bit_test(r->free, i) ? RUN_FREE_ALREADY : RUN_OK;
}

/* Check a run.  [40-run.nw: The check] */
bool run_check(const struct run *r)
{
    unsigned nfree = 0;

    assert(r->state == RUN_SMALL);                              /* R1 */
    assert(r->npages == sizeclasses[r->class].npages);          /* R2 */
    for (unsigned w = 0; w < NWORDS; w++) {
        nfree += (unsigned)__builtin_popcountll(r->free[w]);
        assert(w >= r->hint || r->free[w] == 0);                /* R3 */
    }
    assert(nfree == r->nfree);                                  /* R4 */
    for (unsigned i = 0; i < r->npages; i++)
        assert(pagemap_class((char *)run_address(r) + i * PAGE)
               == r->class);                                    /* R5 */
    return true;
}
