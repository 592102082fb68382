#include <criterion/criterion.h>

#include "base/rng.h"

Test(rng, same_key_gives_the_same_numbers, .timeout = 5)
{
    struct cnv_rng a;
    struct cnv_rng b;

    cnv_rng_init(&a, 7, CNV_RNG_BATCH, 2, 3);
    cnv_rng_init(&b, 7, CNV_RNG_BATCH, 2, 3);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(cnv_rng_u64(&a), cnv_rng_u64(&b));
    }
}

Test(rng, streams_of_other_purpose_seed_or_part_differ, .timeout = 5)
{
    struct cnv_rng rng;
    uint64_t seen[5];

    cnv_rng_init(&rng, 7, CNV_RNG_BATCH, 2, 3);
    seen[0] = cnv_rng_u64(&rng);
    cnv_rng_init(&rng, 8, CNV_RNG_BATCH, 2, 3);
    seen[1] = cnv_rng_u64(&rng);
    cnv_rng_init(&rng, 7, CNV_RNG_BLOCKS, 2, 3);
    seen[2] = cnv_rng_u64(&rng);
    cnv_rng_init(&rng, 7, CNV_RNG_BATCH, 3, 3);
    seen[3] = cnv_rng_u64(&rng);
    cnv_rng_init(&rng, 7, CNV_RNG_BATCH, 2, 4);
    seen[4] = cnv_rng_u64(&rng);
    for (int i = 0; i < 5; i++) {
        for (int j = i + 1; j < 5; j++) {
            cr_assert_neq(seen[i], seen[j]);
        }
    }
}

/* Known answer of Philox-4x32-10 for counter 0 and key 0, from the authors' test file. */
Test(rng, first_block_is_the_published_one, .timeout = 5)
{
    struct cnv_rng rng = { .used = 4 };

    cr_assert_eq(cnv_rng_u32(&rng), 0x6627e8d5U);
    cr_assert_eq(cnv_rng_u32(&rng), 0xe169c58dU);
    cr_assert_eq(cnv_rng_u32(&rng), 0xbc57ac4cU);
    cr_assert_eq(cnv_rng_u32(&rng), 0x9b00dbd8U);
}

Test(rng, permutation_holds_each_number_once, .timeout = 5)
{
    enum { N = 997 };
    struct cnv_rng rng;
    size_t order[N];
    bool seen[N] = { false };

    cnv_rng_init(&rng, 1, CNV_RNG_SHUFFLE, 0, 0);
    cnv_rng_permutation(&rng, order, N);
    for (size_t i = 0; i < N; i++) {
        cr_assert_lt(order[i], N);
        cr_assert_not(seen[order[i]]);
        seen[order[i]] = true;
    }
}

Test(rng, normal_has_mean_zero_and_variance_one, .timeout = 5)
{
    enum { N = 200000 };
    struct cnv_rng rng;
    double sum = 0.0;
    double squares = 0.0;

    cnv_rng_init(&rng, 3, CNV_RNG_SYNTHETIC, 0, 0);
    for (int i = 0; i < N; i++) {
        double x = cnv_rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    /* five standard deviations of either estimate */
    cr_assert_float_eq(sum / N, 0.0, 5.0 / 447.0);
    cr_assert_float_eq(squares / N, 1.0, 5.0 * 1.4143 / 447.0);
}

Test(rng, distinct_numbers_are_uniform_and_none_comes_twice, .timeout = 10)
{
    enum { N = 7, COUNT = 4, DRAWS = 70000 };
    size_t counts[COUNT][N] = { { 0 } };

    for (uint64_t t = 0; t < DRAWS; t++) {
        uint64_t numbers[COUNT];
        struct cnv_rng rng;

        cnv_rng_init(&rng, 3, CNV_RNG_ROWS, 0, t);
        cnv_rng_distinct(&rng, N, COUNT, numbers);
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert_lt(numbers[i], N);
            for (size_t k = 0; k < i; k++) {
                cr_assert_neq(numbers[i], numbers[k]);
            }
            counts[i][numbers[i]]++;
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t n = 0; n < N; n++) { /* 10,000 expected, five standard deviations are 463 */
            cr_assert(counts[i][n] > 9500 && counts[i][n] < 10500);
        }
    }
}

Test(rng, distinct_numbers_may_be_all_there_are, .timeout = 5)
{
    uint64_t numbers[50];
    bool is_there[50] = { false };
    struct cnv_rng rng;

    cnv_rng_init(&rng, 3, CNV_RNG_ROWS, 0, 0);
    cnv_rng_distinct(&rng, 50, 50, numbers);
    for (size_t i = 0; i < 50; i++) {
        is_there[numbers[i]] = true;
    }
    for (size_t i = 0; i < 50; i++) {
        cr_assert(is_there[i]);
    }
}

/* What PROTOCOL.md says of a run with seed 1. */
Test(rng, the_rows_of_an_iteration_are_those_on_the_page, .timeout = 5)
{
    static const uint64_t page[2][5] = { { 677, 1469, 227, 698, 1014 },
                                         { 398, 860, 1252, 1565, 1064 } };
    uint64_t rows[5];
    struct cnv_rng rng;

    for (uint64_t t = 0; t < 2; t++) {
        cnv_rng_init(&rng, 1, CNV_RNG_ROWS, 0, t);
        cnv_rng_distinct(&rng, 1605, 5, rows);
        cr_assert_arr_eq(rows, page[t], sizeof(rows));
    }
    cnv_rng_init(&rng, 1, CNV_RNG_ROWS, 0, 0);
    cr_assert_eq(cnv_rng_u32(&rng), 0xcff0d999);
}
