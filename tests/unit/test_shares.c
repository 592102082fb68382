#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "engine/shares.h"

enum { MOST = 1000 };

static uint64_t sum_of(const struct cnv_share *shares, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += shares[i].steps;
    }
    return sum;
}

static uint32_t steps_of(const struct cnv_share *shares, size_t owner)
{
    size_t i = 0;

    while (shares[i].owner != owner) {
        i++;
    }
    return shares[i].steps;
}

static double longest(const struct cnv_share *shares, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++) {
        most = fmax(most, shares[i].fixed_s + shares[i].steps * shares[i].step_s);
    }
    return most;
}

Test(shares, go_by_speed, .timeout = 5)
{
    struct cnv_share shares[] = { { 0, 0, 0.1, 7 }, { 1, 0, 0.2, 7 }, { 2, 0, 0.4, 7 } };

    cr_assert(cnv_shares_divide(shares, 3, 7, MOST));
    cr_assert_eq(steps_of(shares, 0), 12);
    cr_assert_eq(steps_of(shares, 1), 6);
    cr_assert_eq(steps_of(shares, 2), 3);
}

Test(shares, count_the_time_on_the_link, .timeout = 5)
{
    /* All compute alike; the last needs 2 s more to send. */
    struct cnv_share shares[] = { { 0, 0, 0.1, 0 }, { 1, 0, 0.1, 0 }, { 2, 2, 0.1, 0 } };

    cr_assert(cnv_shares_divide(shares, 3, 20, MOST));
    cr_assert_eq(steps_of(shares, 0), 27);
    cr_assert_eq(steps_of(shares, 1), 27);
    cr_assert_eq(steps_of(shares, 2), 6);
}

/* 54 s on the link, whatever is computed: there is no reason for the others to be unequal. */
Test(shares, are_as_equal_as_the_time_there_is_allows, .timeout = 5)
{
    struct cnv_share shares[] = { { 0, 0.5, 0.004, 20 },
                                  { 1, 5, 0.008, 20 },
                                  { 2, 54, 0.016, 20 } };

    cr_assert(cnv_shares_divide(shares, 3, 20, MOST));
    cr_assert_eq(steps_of(shares, 2), 1);
    cr_assert_leq(abs((int) steps_of(shares, 0) - (int) steps_of(shares, 1)), 1);
    cr_assert_eq(sum_of(shares, 3), 60);
}

Test(shares, stay_between_one_and_the_most, .timeout = 5)
{
    struct cnv_share shares[] = { { 0, 0, 1e-9, 0 }, { 1, 1000, 1, 0 }, { 2, 0, 1, 0 } };

    cr_assert(cnv_shares_divide(shares, 3, 10, 12));
    cr_assert_eq(steps_of(shares, 0), 12);
    cr_assert_eq(steps_of(shares, 1), 6, "what the others may not take");
    cr_assert_eq(steps_of(shares, 2), 12);
    shares[0] = (struct cnv_share){ 0, 0, 1, 0 };
    cr_assert(cnv_shares_divide(shares, 1, 12, 12));
    cr_assert_eq(shares[0].steps, 12);
}

Test(shares, do_not_swing_with_the_measurements, .timeout = 5)
{
    struct cnv_share shares[] = { { 0, 0, 0.1, 12 }, { 1, 0, 0.2, 6 }, { 2, 0, 0.4, 3 } };

    for (int i = 0; i < 20; i++) {
        shares[0].step_s = 0.1 + 0.005 * (i % 3);
        shares[2].step_s = 0.4 - 0.02 * (i % 2);
        cr_assert_not(cnv_shares_divide(shares, 3, 7, MOST), "measurement %d", i);
    }
    shares[2].step_s = 0.8;
    cr_assert(cnv_shares_divide(shares, 3, 7, MOST), "a change that counts");
    cr_assert_eq(sum_of(shares, 3), 21);
    cr_assert(cnv_shares_divide(shares, 3, 8, MOST), "another nominal L");
    cr_assert_eq(sum_of(shares, 3), 24);
}

Test(shares, keep_the_sum_and_are_never_slower_than_equal_ones, .timeout = 20)
{
    unsigned seed = 7;

    for (int i = 0; i < 2000; i++) {
        struct cnv_share shares[40];
        size_t n = 1 + (size_t) rand_r(&seed) % 40;
        uint32_t nominal = 1 + (uint32_t) rand_r(&seed) % 50;
        uint32_t most = nominal + (uint32_t) rand_r(&seed) % 200;

        for (size_t k = 0; k < n; k++) {
            shares[k] = (struct cnv_share){
                .owner = k,
                .fixed_s = rand_r(&seed) % 3 == 0 ? rand_r(&seed) % 1000 / 100.0 : 0,
                .step_s = 1e-4 * pow(10, rand_r(&seed) % 500 / 100.0),
                .steps = nominal,
            };
        }
        double before = longest(shares, n);
        (void) cnv_shares_divide(shares, n, nominal, most);
        cr_assert_eq(sum_of(shares, n), (uint64_t) n * nominal, "case %d", i);
        cr_assert_leq(longest(shares, n), before, "case %d", i);
        for (size_t k = 0; k < n; k++) {
            cr_assert(shares[k].steps >= 1 && shares[k].steps <= most, "case %d", i);
        }
    }
}
