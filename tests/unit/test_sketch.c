/* The sketch tells norms, and is linear. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/rng.h"
#include "base/sketch.h"

enum { LENGTH = 20000 };

static void fill(double *values, uint64_t number)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, number, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t i = 0; i < LENGTH; i++) {
        values[i] = cnv_rng_normal(&rng);
    }
}

static double square(const double *values)
{
    double sum = 0;

    for (size_t i = 0; i < LENGTH; i++) {
        sum += values[i] * values[i];
    }
    return sum;
}

Test(sketch, square_is_within_a_few_times_eps, .timeout = 20)
{
    static double values[LENGTH];
    double sketch[CNV_SKETCH_SIZE];
    double mean = 0;

    for (uint64_t i = 1; i <= 20; i++) {
        fill(values, i);
        cnv_sketch_take(i, values, LENGTH, sketch);
        double ratio = cnv_sketch_square(sketch) / square(values);

        cr_assert(ratio > 0.75 && ratio < 1.25, "seed %d: %g", (int) i, ratio);
        mean += ratio / 20;
    }
    cr_assert(fabs(mean - 1) < 0.05, "%g", mean);
}

Test(sketch, mean_of_sketches_is_the_sketch_of_the_mean, .timeout = 20)
{
    static double a[LENGTH];
    static double b[LENGTH];
    double of_a[CNV_SKETCH_SIZE];
    double of_b[CNV_SKETCH_SIZE];
    double of_mean[CNV_SKETCH_SIZE];

    fill(a, 1);
    fill(b, 2);
    cnv_sketch_take(7, a, LENGTH, of_a);
    cnv_sketch_take(7, b, LENGTH, of_b);
    for (size_t i = 0; i < LENGTH; i++) {
        a[i] = 0.25 * a[i] + 0.75 * b[i];
    }
    cnv_sketch_take(7, a, LENGTH, of_mean);
    for (size_t i = 0; i < CNV_SKETCH_SIZE; i++) {
        cr_assert(fabs(of_mean[i] - (0.25 * of_a[i] + 0.75 * of_b[i])) < 1e-9);
    }
}

/* One coordinate in each row, at the place that PROTOCOL.md names. */
Test(sketch, places_are_those_of_the_protocol, .timeout = 5)
{
    static const size_t columns[] = { 148, 4, 141, 89, 32 };
    static const double signs[] = { -1, 1, -1, 1, 1 };
    double value = 3;
    double sketch[CNV_SKETCH_SIZE];

    cnv_sketch_take(1, &value, 1, sketch);
    for (size_t i = 0; i < CNV_SKETCH_SIZE; i++) {
        size_t row = i / CNV_SKETCH_COLUMNS;
        bool is_there = i % CNV_SKETCH_COLUMNS == columns[row];

        cr_assert_eq(sketch[i], is_there ? 3 * signs[row] : 0);
    }
    cr_assert_eq(cnv_sketch_square(sketch), 9);
}
