/* test_decay.c -- decay: D1 to D4 of its chapter, and the curve against rational
 * numbers. */

#include "decay.h"

#include "unit.h"

__extension__ typedef __int128 wide;

static_assert(10000 / DECAY_STEPS == 156 && 156 * DECAY_STEPS == 9984, "steps of 10 s");
static_assert(968 % DECAY_STEPS == 8 && 1000 % DECAY_STEPS == 40, "the figure's entries");

static wide fifth(wide x)
{
    return x * x * x * x * x;
}

/* Sixty-four to the fifth times w(age / 64), term by term as printed. */
static wide exact(wide a)
{
    return fifth(64) - (6 * fifth(a) - 15 * 64 * a * a * a * a
                        + 10 * 64 * 64 * a * a * a);
}

START_TEST(the_weights_are_the_curve)
{
    for (uint64_t a = 0; a <= DECAY_STEPS; a++) {
        ck_assert(exact((wide)a) == (wide)decay_weight(a));
        ck_assert_uint_eq(decay_weight(a) + decay_weight(DECAY_STEPS - a), POW2(30));
        ck_assert(a == 0 || decay_weight(a) < decay_weight(a - 1));
    }
    ck_assert_uint_eq(decay_weight(0), POW2(30));
    ck_assert_uint_eq(decay_weight(DECAY_STEPS), 0);
    ck_assert_uint_eq(decay_weight(DECAY_STEPS + 1), 0);
    ck_assert_uint_eq(decay_weight(UINT64_MAX), 0);
}
END_TEST

/* 1000 pages at step 1000 of a 10 s decay; how many may there be `age` steps later? */
static size_t of_1000(uint64_t age)
{
    struct decay d;

    decay_start(&d, 10000, 156 * 1000);
    ck_assert_uint_eq(decay_allowed(&d, 156 * 1000, 1000), 1000);
    return decay_allowed(&d, 156 * (1000 + age), 1000);
}

START_TEST(the_numbers_in_the_chapter)
{
    ck_assert_uint_eq(of_1000(16), 896);
    ck_assert_uint_eq(of_1000(32), 500);
    ck_assert_uint_eq(of_1000(48), 103);
    ck_assert_uint_eq(of_1000(60), 2);
    ck_assert_uint_eq(of_1000(61), 0);
    /* w(0.1), at a tenth of the way between steps 6 and 7. */
    ck_assert_uint_lt(decay_weight(7), 0.991 * POW2(30));
    ck_assert_uint_gt(decay_weight(6), 0.9914 * POW2(30));
}
END_TEST

START_TEST(the_example_of_the_figure)
{
    struct decay d;

    decay_start(&d, 64 * 100, 100 * 968);
    ck_assert_uint_eq(decay_allowed(&d, 100 * 968, 1000), 1000);
    ck_assert_uint_eq(decay_allowed(&d, 100 * 1000 - 1, 1000), 529);
    decay_purged(&d, 500);
    ck_assert_uint_eq(decay_allowed(&d, 100 * 1000, 500), 500);
    ck_assert_uint_eq(decay_allowed(&d, 100 * 1000, 1100), 1100);
    ck_assert_uint_eq(d.added[8], 1000);
    ck_assert_uint_eq(d.added[40], 600);
    ck_assert_uint_eq(decay_allowed(&d, 100 * 1016, 1100), 641);
}
END_TEST

START_TEST(minus_one_keeps_and_zero_does_not)
{
    struct decay d;

    decay_start(&d, -1, 5);
    ck_assert_uint_eq(decay_allowed(&d, 5, 7), SIZE_MAX);
    ck_assert_uint_eq(decay_allowed(&d, UINT64_MAX, 7), SIZE_MAX);
    decay_start(&d, 0, 5);
    ck_assert_uint_eq(decay_allowed(&d, 5, 7), 0);
}
END_TEST

/* The last page goes after decay_ms at the latest, or after 64 ms. */
START_TEST(the_last_page_goes_in_time)
{
    static const int64_t times[] = { 1, 2, 63, 64, 65, 127, 128, 1000, 10000, 3600000,
                                     INT32_MAX };
    struct decay d;

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        uint64_t t = (uint64_t)times[i], all = t < 64 ? 64 : t;
        decay_start(&d, times[i], 12345);
        ck_assert_uint_eq(decay_allowed(&d, 12345, 1000000), 1000000);
        ck_assert_uint_eq(decay_allowed(&d, 12345 + all, 1000000), 0);
    }
    decay_start(&d, 1, 12345);
    decay_allowed(&d, 12345, 1000000);
    ck_assert_uint_gt(decay_allowed(&d, 12345 + 32, 1000000), 0);
}
END_TEST

START_TEST(a_young_clock_will_do)
{
    struct decay d;

    decay_start(&d, 6400, 0);
    for (uint64_t step = 0; step < 200; step++)
        ck_assert_uint_eq(decay_allowed(&d, 100 * step, 1000),
                          step < 64 ? 1000 * decay_weight(step) / POW2(30) : 0);
}
END_TEST

START_TEST(the_clock_may_go_back)               /* D1 */
{
    struct decay d;

    decay_start(&d, 6400, 100000);
    ck_assert_uint_eq(decay_allowed(&d, 100000, 1000), 1000);
    ck_assert_uint_eq(decay_allowed(&d, 103200, 1000), 500);
    ck_assert_uint_eq(decay_allowed(&d, 100000, 1000), 500);
    ck_assert_uint_eq(decay_allowed(&d, 0, 1000), 500);
    ck_assert_uint_eq(d.step, 1032);
}
END_TEST

/* A history kept in full: when did how many pages become dirty? */
enum { NEVENTS = 2000 };

static struct event {
    uint64_t step;
    size_t n;
} events[NEVENTS];

static size_t allowed_exactly(size_t nevents, uint64_t step)
{
    wide sum = 0;

    for (size_t i = 0; i < nevents; i++)
        if (step - events[i].step < DECAY_STEPS)
            sum += (wide)events[i].n * exact((wide)(step - events[i].step));
    return (size_t)(sum / fifth(64));
}

/* n pages were taken again: the newest of those that still count. */
static void take_back(size_t nevents, uint64_t step, size_t n)
{
    for (size_t i = nevents; i-- > 0 && step - events[i].step < DECAY_STEPS;) {
        size_t m = n < events[i].n ? n : events[i].n;
        events[i].n -= m;
        n -= m;
    }
}

static uint64_t state;

static uint64_t below(uint64_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 33) % n;
}

static uint64_t seed(uint64_t i)
{
    const char *text = getenv("SEED");

    return state = text != NULL ? strtoull(text, NULL, 0) : i + 1;
}

START_TEST(any_history_is_exact)                /* D2, D3, D4 */
{
    struct decay d;
    uint64_t first = seed((uint64_t)_i), newest;
    uint64_t step_ms = 1 + below(300), now = below(100000);
    size_t last = 0, before = 0;

    decay_start(&d, (int64_t)(step_ms * DECAY_STEPS), now);
    newest = now / step_ms;
    for (size_t i = 0; i < NEVENTS; i++) {
        uint64_t back = below(20) == 0 ? below(100) : 0;
        now += below(3) == 0 ? 0 : below(below(40) == 0 ? 100 * step_ms : step_ms);
        uint64_t then = now > back ? now - back : now;
        size_t n = below(4) == 0 ? last : below(POW2(26));
        bool moved = then / step_ms > newest;
        if (moved)
            newest = then / step_ms;
        events[i] = (struct event){ newest, n > last ? n - last : 0 };
        if (n < last && below(2) == 0)
            decay_purged(&d, last - n);
        else if (n < last)
            take_back(i, newest, last - n);
        size_t allowed = decay_allowed(&d, then, n);
        ck_assert_msg(allowed == allowed_exactly(i + 1, newest),
                      "SEED=%llu event %zu", (unsigned long long)first, i);
        if (!moved && n >= last)                                /* D3 */
            ck_assert_uint_eq(allowed, before + events[i].n);
        else if (events[i].n == 0)                              /* D4 */
            ck_assert_uint_le(allowed, before);
        last = n;
        before = allowed;
    }
    ck_assert_uint_eq(decay_allowed(&d, (newest + DECAY_STEPS) * step_ms, last), 0);
}
END_TEST

/* A burst decays although pages beside it go to and fro. */
START_TEST(a_burst_decays_beside_steady_work)
{
    struct decay d;
    size_t burst = 1000;

    decay_start(&d, 6400, 0);
    ck_assert_uint_eq(decay_allowed(&d, 100 * 100, burst), burst);
    for (uint64_t step = 100; step <= 164; step++)
        for (int i = 0; i < 10; i++) {
            size_t n = burst + (i % 2 == 0 ? 50 : 0);
            size_t allowed = decay_allowed(&d, step * 100, n);
            while (n > allowed && burst > 0) {
                decay_purged(&d, 1);
                burst--;
                n--;
                allowed = decay_allowed(&d, step * 100, n);
            }
        }
    ck_assert_uint_eq(burst, 0);
}
END_TEST

START_TEST(many_small_frees_are_one)
{
    struct decay d;

    decay_start(&d, 6400, 0);
    for (size_t i = 1; i <= 64; i++)
        ck_assert_uint_le(decay_allowed(&d, 100 * (1000 + i), i), i);
    /* Sixty-four pages, one a step: half of them may be there. */
    ck_assert_uint_eq(decay_allowed(&d, 100 * 1064, 64), 32);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, the_weights_are_the_curve);
    tcase_add_test(t, the_numbers_in_the_chapter);
    tcase_add_test(t, the_example_of_the_figure);
    tcase_add_test(t, minus_one_keeps_and_zero_does_not);
    tcase_add_test(t, the_last_page_goes_in_time);
    tcase_add_test(t, a_young_clock_will_do);
    tcase_add_test(t, the_clock_may_go_back);
    tcase_add_loop_test(t, any_history_is_exact, 0, 20);
    tcase_add_test(t, a_burst_decays_beside_steady_work);
    tcase_add_test(t, many_small_frees_are_one);
}

int main(void)
{
    return unit_run("decay", add_tests);
}
