/* prove: region-index
 * property: an offset is taken for a region's start if and only if it is one
 * room: sizeclass
 * method: enumeration
 * bound: every class and every byte of a chunk
 * control: sizeclass.c | s/POW2\(32\) \+ \(s\) - 1/POW2(32)/ | the reciprocal rounded down */

#include "sizeclass.c"

#include "prove.h"

int main(void)
{
    uint64_t cases = 0;

    for (unsigned c = 1; c < NCLASSES; c++) {
        uint32_t size = sizeclasses[c].size, start = 0, index = 0;
        uint32_t npages = sizeclasses[c].npages;
        for (uint32_t offset = 0; offset < CHUNK; offset++, cases++) {
            if (offset == start + size) {
                start = offset;
                index++;
            }
            unsigned i = region_index(c, offset);
            if ((i * size == offset) != (start == offset))
                violated("class %u, offset %u: region %u", c, offset, i);
            if (offset < npages * PAGE && i != index
                && !(i == index + 1 && size > 48 * 1024))
                violated("class %u, offset %u: region %u, not %u", c, offset, i, index);
        }
    }
    printf("cases %" PRIu64 "\n", cases);
    return 0;
}
