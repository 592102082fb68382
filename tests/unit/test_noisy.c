/* The problems of growing intervals: what is exact, and how the noise is distributed. */
#include <criterion/criterion.h>

#include <math.h>

#include "config/config.h"
#include "problem/problem.h"
#include "synthetic.h"

enum { DRAWS = 40000 };

struct noisy {
    struct cnv_config *config;
    struct cnv_shard *shard;
    struct cnv_problem *problem;
};

static struct noisy noisy_new(const char *name, uint32_t stream)
{
    struct synthetic how = { .rows = 1, .features = 1, .density = 1.0, .seed = 1 };
    struct noisy noisy = { .config = cnv_config_new(), .shard = synthetic_shard(&how) };
    struct cnv_problem_setup setup = {
        .config = noisy.config, .shard = noisy.shard, .total_rows = 1, .stream = stream
    };

    cr_assert_eq(cnv_problem_new(name, &setup, &noisy.problem, NULL), CNV_OK);
    return noisy;
}

static void noisy_drop(struct noisy *noisy)
{
    cnv_problem_destroy(noisy->problem);
    synthetic_destroy(noisy->shard);
    cnv_config_destroy(noisy->config);
}

/* Mean and variance of the gradient's coordinate over the draws. */
static void moments(const struct noisy *noisy,
                    const double *w,
                    size_t coordinate,
                    double *ret_mean,
                    double *ret_var)
{
    double sum = 0.0;
    double square = 0.0;

    for (uint64_t draw = 1; draw <= DRAWS; draw++) {
        struct cnv_batch batch = { .count = 1, .draw = draw };
        double g[3];

        (void) noisy->problem->ops->gradient(noisy->problem->state, w, &batch, g);
        sum += g[coordinate];
        square += g[coordinate] * g[coordinate];
    }
    *ret_mean = sum / DRAWS;
    *ret_var = square / DRAWS - *ret_mean * *ret_mean;
}

/* Coordinate 3 at x = 2: gradient 3 x (1 + z1) + z2, so mean 6 and variance 36 + 1/4. */
Test(noisy, the_quadratics_noise_grows_with_the_distance, .timeout = 20)
{
    struct noisy noisy = noisy_new("noisy-quadratic", 1);
    const double w[] = { 1.0, -1.0, 2.0 };
    double mean = 0.0;
    double variance = 0.0;

    cr_assert_eq(noisy.problem->dimension, 3);
    cr_assert_float_eq(noisy.problem->ops->loss(noisy.problem->state, w, NULL), 7.5, 1e-15);
    moments(&noisy, w, 2, &mean, &variance);
    cr_assert_float_eq(mean, 6.0, 0.12); /* 4 standard errors */
    cr_assert_float_eq(variance, 36.25, 1.2);
    noisy_drop(&noisy);
}

/* Around w = -1: slope 2 x above, x below, variance 64 on both sides. */
Test(noisy, the_skewed_ones_slope_has_a_kink_at_its_minimum, .timeout = 20)
{
    struct noisy noisy = noisy_new("noisy-skewed", 1);
    const double above[] = { 1.0 };
    const double below[] = { -3.0 };
    double g = 0.0;
    double mean = 0.0;
    double variance = 0.0;

    cr_assert_eq(noisy.problem->ops->gradient(noisy.problem->state, above, NULL, &g), 4.0);
    cr_assert_eq(g, 4.0);
    cr_assert_eq(noisy.problem->ops->gradient(noisy.problem->state, below, NULL, &g), 2.0);
    cr_assert_eq(g, -2.0);
    moments(&noisy, below, 0, &mean, &variance);
    cr_assert_float_eq(mean, -2.0, 0.16);
    cr_assert_float_eq(variance, 64.0, 1.9);
    noisy_drop(&noisy);
}

Test(noisy, agents_and_draws_see_noise_of_their_own_and_repeat_it, .timeout = 20)
{
    struct noisy one = noisy_new("noisy-skewed", 1);
    struct noisy two = noisy_new("noisy-skewed", 2);
    struct cnv_batch first = { .count = 1, .draw = 1 };
    struct cnv_batch second = { .count = 1, .draw = 2 };
    const double w[] = { 1.0 };
    double g[4];

    (void) one.problem->ops->gradient(one.problem->state, w, &first, &g[0]);
    (void) one.problem->ops->gradient(one.problem->state, w, &first, &g[1]);
    (void) one.problem->ops->gradient(one.problem->state, w, &second, &g[2]);
    (void) two.problem->ops->gradient(two.problem->state, w, &first, &g[3]);
    cr_assert_eq(g[0], g[1]);
    cr_assert_neq(g[0], g[2]);
    cr_assert_neq(g[0], g[3]);
    noisy_drop(&one);
    noisy_drop(&two);
}
