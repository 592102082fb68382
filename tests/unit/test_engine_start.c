/* run/start: the model of version 0. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "engine_script.h"

enum { SLICE = 65536, LARGE = 70000 };

/* The model of version 0, which the caller frees. */
static double *start_of(const char *start, const char *scale, const char *seed, size_t n)
{
    const char *settings[] = { "run/agents=1", start, scale, seed, NULL };
    struct script *script = script_new(settings);
    double *model = cnv_array_new(n, sizeof(*model));

    script_join_all(script, 1, n);
    for (size_t i = 0; i < n; i++) {
        model[i] = script_model(script, i);
    }
    script_destroy(script);
    return model;
}

Test(engine_start, is_zeros_or_ones, .timeout = 10)
{
    double *zeros = start_of("run/start=zeros", "run/start-scale=2", "run/seed=1", 3);
    double *ones = start_of("run/start=ones", "run/start-scale=2", "run/seed=1", 3);

    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(zeros[i], 0.0);
        cr_assert_eq(ones[i], 1.0);
    }
    cnv_free(zeros);
    cnv_free(ones);
}

Test(engine_start, is_normal_with_the_scale_and_repeats_with_the_seed, .timeout = 10)
{
    double *a = start_of("run/start=random", "run/start-scale=2", "run/seed=1", LARGE);
    double *b = start_of("run/start=random", "run/start-scale=1", "run/seed=1", LARGE);
    double *other = start_of("run/start=random", "run/start-scale=2", "run/seed=2", LARGE);
    double sum = 0.0;
    double square = 0.0;
    size_t same = 0;

    for (size_t i = 0; i < LARGE; i++) {
        same += a[i] != 2.0 * b[i];
        same += a[i] == other[i];
        same += i >= SLICE && a[i] == a[i - SLICE];
        sum += a[i];
        square += a[i] * a[i];
    }
    cr_assert_eq(same, 0);
    /* Standard errors: 2 / sqrt(n) = 0.008 and 4 sqrt(2 / n) = 0.02. */
    cr_assert_float_eq(sum / LARGE, 0.0, 0.03);
    cr_assert_float_eq(square / LARGE, 4.0, 0.09);
    cnv_free(a);
    cnv_free(b);
    cnv_free(other);
}

Test(engine_start, does_not_depend_on_the_dimension, .timeout = 10)
{
    double *small = start_of("run/start=random", "run/start-scale=1", "run/seed=1", 5);
    double *large = start_of("run/start=random", "run/start-scale=1", "run/seed=1", LARGE);

    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(small[i], large[i]);
    }
    cnv_free(small);
    cnv_free(large);
}
