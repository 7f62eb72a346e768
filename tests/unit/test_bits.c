/* test_bits.c -- the floor: bits.h, at its edges. */

#include "bits.h"

#include "unit.h"

#include <sys/mman.h>

#undef assert                   /* ours; what follows is Check's */

/* What the chapters say in prose. */
static_assert(QUANTUM == 16, "the quantum");
static_assert(PAGE == 16384, "the page of the book is 16 KiB");
static_assert(CHUNK == 4 * 1024 * 1024, "a chunk is 4 MiB");
static_assert(CHUNK_PAGES == 256, "256 pages a chunk");
static_assert(_Alignof(max_align_t) <= QUANTUM, "aligned for any type");
static_assert(CACHE_LINE == 64, "a cache line");
static_assert((PAGE & (PAGE - 1)) == 0, "a power of two");
static_assert((CHUNK & (CHUNK - 1)) == 0, "a power of two");
static_assert(POW2(PAGE_SHIFT) == PAGE, "PAGE_SHIFT");
static_assert(POW2(CHUNK_SHIFT) == CHUNK, "CHUNK_SHIFT");
static_assert(POW2(63) == UINT64_C(0x8000000000000000), "the highest");

START_TEST(powers_of_two)
{
    ck_assert(!is_pow2(0));
    for (unsigned k = 0; k < 64; k++) {
        ck_assert(is_pow2(POW2(k)));
        if (k > 1)
            ck_assert(!is_pow2(POW2(k) - 1));
        if (k > 0)
            ck_assert(!is_pow2(POW2(k) + 1));
    }
}
END_TEST

START_TEST(rounding)
{
    for (unsigned k = 0; k < 32; k++)
        for (uintptr_t n = 0; n < 5; n++) {
            uintptr_t u = POW2(k), x = n * u;
            ck_assert_uint_eq(round_up(x, u), x);
            ck_assert_uint_eq(round_down(x, u), x);
            ck_assert_uint_eq(round_up(x + 1, u), k == 0 ? x + 1 : x + u);
            ck_assert_uint_eq(round_down(x + u - 1, u), x);
        }
}
END_TEST

/* The book warns of it; the door is what keeps it from happening. */
START_TEST(rounding_overflows)
{
    ck_assert_uint_eq(round_up(SIZE_MAX, 16), 0);
    ck_assert_uint_eq(round_up(SIZE_MAX - 14, 16), 0);
    ck_assert_uint_eq(round_up(SIZE_MAX - 15, 16), SIZE_MAX - 15);
}
END_TEST

static unsigned slow_floor_log2(uint64_t x)
{
    unsigned k = 0;

    while (x > 1) {
        x /= 2;
        k++;
    }
    return k;
}

static void logarithms_of(uint64_t x)
{
    unsigned k = slow_floor_log2(x);

    ck_assert_uint_eq(floor_log2(x), k);
    ck_assert_uint_eq(ceil_log2(x), (x & (x - 1)) == 0 ? k : k + 1);
}

START_TEST(logarithms)
{
    for (uint64_t x = 1; x < 5000; x++)
        logarithms_of(x);
    for (unsigned k = 2; k < 64; k++) {
        logarithms_of(POW2(k) - 1);
        logarithms_of(POW2(k));
        logarithms_of(POW2(k) + 1);
    }
    logarithms_of(UINT64_MAX);
    ck_assert_uint_eq(floor_log2(48), 5);
    ck_assert_uint_eq(ceil_log2(48), 6);
    ck_assert_uint_eq(floor_log2(64), 6);
    ck_assert_uint_eq(ceil_log2(64), 6);
}
END_TEST

START_TEST(one_bit)
{
    for (unsigned k = 0; k < 64; k++) {
        ck_assert_uint_eq(lowest_bit(POW2(k)), k);
        ck_assert_uint_eq(lowest_bit(~UINT64_C(0) << k), k);
        ck_assert_uint_eq(POW2(k) & -POW2(k), POW2(lowest_bit(POW2(k))));
    }
}
END_TEST

START_TEST(masks)
{
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_uint_eq(bits_from(i) ^ bits_below(i), UINT64_MAX);
        ck_assert_uint_eq(bits_from(i) & bits_below(i), 0);
    }
    ck_assert_uint_eq(bits_below(0), 0);
    ck_assert_uint_eq(bits_below(64), UINT64_MAX);
    ck_assert_uint_eq(bits_below(1000), UINT64_MAX);
}
END_TEST

START_TEST(rows)
{
    uint64_t row[3] = { 0, 0, 0 };

    for (size_t i = 0; i < 192; i++) {
        ck_assert(!bit_test(row, i));
        bit_set(row, i);
        ck_assert(bit_test(row, i));
        for (size_t w = 0; w < 3; w++)
            ck_assert_uint_eq(row[w], w == i / 64 ? POW2(i % 64) : 0);
        bit_clear(row, i);
    }
    memset(row, 0xff, sizeof row);
    bit_clear(row, 70);
    ck_assert_uint_eq(row[0], UINT64_MAX);
    ck_assert_uint_eq(row[1], ~POW2(6));
    ck_assert_uint_eq(row[2], UINT64_MAX);
}
END_TEST

static void find_everywhere(const uint64_t *row, size_t nwords)
{
    for (size_t from = 0; from <= nwords * 64; from++) {
        size_t i = from;
        while (i < nwords * 64 && !bit_test(row, i))
            i++;
        ck_assert_uint_eq(bit_find(row, nwords, from), i);
    }
}

START_TEST(finding)
{
    uint64_t none[3] = { 0 }, all[3], some[3] = { 0 };

    memset(all, 0xff, sizeof all);
    bit_set(some, 0);
    bit_set(some, 63);
    bit_set(some, 64);
    bit_set(some, 190);
    find_everywhere(none, 3);
    find_everywhere(all, 3);
    find_everywhere(some, 3);
}
END_TEST

/* The figure of the chapter: runs of 3, 6, 70 and 130 pages, 7 wanted. */
START_TEST(finding_as_in_the_book)
{
    uint64_t row[5] = { 0 };

    bit_set(row, 3);
    bit_set(row, 6);
    bit_set(row, 70);
    bit_set(row, 130);
    ck_assert_uint_eq(bit_find(row, 5, 7), 70);
    ck_assert_uint_eq(bit_find(row, 5, 71), 130);
    ck_assert_uint_eq(bit_find(row, 5, 131), 5 * 64);
}
END_TEST

START_TEST(calling_the_system)
{
    errno = 77;
    ck_assert_int_eq(system_call(SYS_getpid, 0, 0, 0, 0, 0, 0), getpid());
    /* Six arguments, the last two in registers that have no letter. */
    long p = system_call(SYS_mmap, 0, 65536, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_gt(p, 0);
    ck_assert_int_eq(*(volatile char *)p, 0);
    ck_assert_int_eq(system_call(SYS_munmap, p, 65536, 0, 0, 0, 0), 0);
    ck_assert_int_eq(system_call(SYS_close, -1, 0, 0, 0, 0, 0), -EBADF);
    ck_assert_int_eq(system_call(-1, 0, 0, 0, 0, 0, 0), -ENOSYS);
    ck_assert_int_eq(errno, 77);
    relax();
}
END_TEST

START_TEST(stepping)
{
    void *slots[3] = { NULL, slots, &slots[1] }, **at = &slots[1];

    step_on(&at);
    ck_assert_ptr_eq(at, &slots[2]);
    step_back(&at);
    step_back(&at);
    ck_assert_ptr_eq(at, &slots[0]);
    ck_assert_ptr_eq(as_result(slots), slots);
    ck_assert_ptr_null(as_result(NULL));
    ck_assert(has_tls());
}
END_TEST

START_TEST(sealing)
{
    ck_assert(is_pow2(SEAL_ALIGNMENT));
    ck_assert_int_ge(SEAL_ALIGNMENT, sysconf(_SC_PAGESIZE));
}
END_TEST

/* From python3: s = (s * 6364136223846793005 + 1442695040888963407) % 2**64; s >> 32. */
START_TEST(dice)
{
    static const uint32_t numbers[4] = { 1817669548, 2187888307, 2784682393, 1644385741 };
    uint64_t state = 1;

    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(random_next(&state), numbers[i]);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, powers_of_two);
    tcase_add_test(t, rounding);
    tcase_add_test(t, rounding_overflows);
    tcase_add_test(t, logarithms);
    tcase_add_test(t, one_bit);
    tcase_add_test(t, masks);
    tcase_add_test(t, rows);
    tcase_add_test(t, finding);
    tcase_add_test(t, finding_as_in_the_book);
    tcase_add_test(t, dice);
    tcase_add_test(t, calling_the_system);
    tcase_add_test(t, stepping);
    tcase_add_test(t, sealing);
}

int main(void)
{
    return unit_run("bits", add_tests);
}
