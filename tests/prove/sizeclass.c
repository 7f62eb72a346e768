/* prove: classes
 * property: a request gets the smallest class that holds it
 * room: sizeclass
 * method: enumeration
 * bound: every size to 16 MiB and every class boundary +-1 to PTRDIFF_MAX
 * control: sizeclass.h | s/\(size - 1\) \/ POW2\(k - 2\)/size \/ POW2(k - 2)/ | size for size - 1 in the quotient
 * control: sizeclass.h | s/TIMES32\(9\), TIMES32\(10\)/TIMES32(10), TIMES32(10)/ | one wrong entry in the table
 * control: sizeclass.c | s/TIMES4\(31\), TIMES4\(32\)/TIMES4(32), TIMES4(32)/ | one wrong entry in the other table
 *
 * prove: aligned
 * property: an aligned request gets the smallest small class all of whose regions are aligned
 * room: sizeclass
 * method: enumeration
 * bound: every size to SMALL_MAX with every alignment to a page
 * control: sizeclass.c | s/round_up\(size == 0 \? 1 : size, alignment\)/size/ | the request is not rounded up */

#include "sizeclass.c"

#include "prove.h"

/* The class sizes as the chapter says them, made without the room: multiples of 16 up
 * to 128, from there four a doubling, and nine eighths of four powers of two. */
static uint64_t sizes[300];
static unsigned nsizes = 1;

static void list_sizes(void)
{
    for (uint64_t s = 16; s <= 128; s += 16)
        sizes[nsizes++] = s;
    for (uint64_t step = 32; step <= (UINT64_C(1) << 60); step *= 2) {
        if (step >= 256 && step <= 2048)
            sizes[nsizes++] = step * 9 / 2;
        for (int i = 5; i <= 8; i++)
            sizes[nsizes++] = step * (uint64_t)i;
    }
}

static const uint8_t table[TABLE_MAX + 1] = { SIZECLASS_TABLE };

static uint64_t classes(void)
{
    uint64_t most = UINT64_C(16) * 1024 * 1024, cases = 0;

    if (IS_QUICK)
        most = 4 * 1024 * 1024;
    hold(sizes[NCLASSES - 1] == LARGE_MAX && sizes[NSMALL - 1] == SMALL_MAX);
    for (unsigned c = 1; c < NCLASSES; c++)
        hold(sizeclasses[c].size == sizes[c]);
    unsigned c = 1;
    for (uint64_t n = 0; n <= most; n++, cases++) {
        if (n > sizes[c])
            c++;
        if (sizeclass_of(n) != c)
            violated("sizeclass_of(%" PRIu64 ") is %u, not %u", n, sizeclass_of(n), c);
        if (n > TABLE_MAX && n <= SMALL_MAX && sizeclass_medium(n) != c)
            violated("sizeclass_medium(%" PRIu64 ") is %u, not %u", n, sizeclass_medium(n), c);
        if (n <= TABLE_MAX && table[n] != c)
            violated("the table has %u for %" PRIu64 ", not %u", table[n], n, c);
    }
    for (c = 1; c < nsizes && sizes[c] - 1 <= PTRDIFF_MAX; c++)
        for (uint64_t n = sizes[c] - 1; n <= sizes[c] + 1; n++, cases++)
            if (n <= PTRDIFF_MAX && sizeclass_of(n) != c + (n > sizes[c]))
                violated("sizeclass_of(%" PRIu64 ") is %u, not %u", n,
                         sizeclass_of(n), c + (n > sizes[c]));
    for (c = 0; c <= NCLASSES; c++, cases++)
        hold(sizeclass_is_small(c) == (c >= 1 && c < NSMALL));
    return cases;
}

static bool all_aligned(unsigned c, size_t alignment)
{
    for (unsigned i = 0; i < sizeclasses[c].nregions; i++)
        if (i * sizeclasses[c].size % alignment != 0)
            return false;
    return true;
}

static uint64_t aligned(void)
{
    uint64_t cases = 0;

    for (size_t alignment = 1; alignment <= PAGE; alignment *= 2)
        for (size_t n = 0; n <= SMALL_MAX; n++, cases++) {
            unsigned want = 1;
            while (want < NSMALL
                   && (sizes[want] < n || !all_aligned(want, alignment)))
                want++;
            if (want == NSMALL)
                want = CLASS_NONE;
            if (sizeclass_aligned(n, alignment) != want)
                violated("sizeclass_aligned(%zu, %zu) is %u, not %u", n, alignment,
                         sizeclass_aligned(n, alignment), want);
        }
    return cases;
}

int main(int argc, char **argv)
{
    list_sizes();
    if (argc < 2)
        return 2;
    printf("cases %" PRIu64 "\n", strcmp(argv[1], "aligned") == 0 ? aligned() : classes());
    return 0;
}
