/* The norm test against numbers made by hand, and what becomes of its result over rounds. */
#include <criterion/criterion.h>

#include <math.h>

#include "config/config.h"
#include "lone.h"
#include "solver/growth.h"

enum { FEATURES = LONE_FEATURES };

static struct cnv_growth growth_of(size_t batch, size_t max, double eta)
{
    struct cnv_growth growth = { .eta = eta, .max = max, .counted = { .batch = batch } };

    cnv_growth_begin(&growth, 1);
    return growth;
}

/* One round to its end: the settled scalars, then a test with that variance, |g| being 1. */
static void play(struct cnv_growth *growth, double sum, double share, double variance)
{
    const double scalars[] = { 0.7, sum, share }; /* behind a loss */
    struct cnv_solver_result result = { .scalars = scalars, .scalar_count = 3 };

    cnv_growth_begin(growth, 2);
    cnv_growth_settled(growth, &result);
    cr_assert_not(cnv_growth_is_due(growth));
    cr_assert(cnv_growth_is_due(growth));
    cnv_growth_test(growth, variance, 1.0);
}

/* p over one row, q over three: g = (4 + 3 * 0, 0 + 3 * 4) / 4, V = (16 + 16) 1 3 / 4. */
Test(growth, variance_and_gradient_of_two_parts, .timeout = 5)
{
    double p[] = { 4.0, 0.0 };
    double q[] = { 0.0, 4.0 };

    cr_assert_eq(cnv_growth_variance(2, p, 1, q, 3), 24.0);
    cr_assert_eq(p[0], 1.0);
    cr_assert_eq(p[1], 3.0);
}

/* Rows 1, 2, 3, 8: mean 3.5, variance (6.25 + 2.25 + 0.25 + 20.25) / 3 = 29 / 3. */
Test(growth, variance_has_no_bias, .timeout = 5)
{
    const double rows[] = { 1.0, 2.0, 3.0, 8.0 };
    double sum = 0.0;
    int draws = 0;

    for (int a = 0; a < 4; a++) {
        for (int b = 0; b < 4; b++) {
            for (int c = b + 1; c < 4; c++) {
                double p[] = { rows[a] };
                double q[] = { (rows[b] + rows[c]) / 2.0 };

                if (a != b && a != c) {
                    sum += cnv_growth_variance(1, p, 1, q, 2);
                    cr_assert_float_eq(p[0], (rows[a] + rows[b] + rows[c]) / 3.0, 1e-14);
                    draws++;
                }
            }
        }
    }
    cr_assert_eq(draws, 12);
    cr_assert_float_eq(sum / draws, 29.0 / 3.0, 1e-13);
}

/* 24 / (eta^2 10) rows: 2.4 / eta^2. */
Test(growth, wants_what_the_norm_test_asks_for, .timeout = 5)
{
    static const struct {
        size_t batch;
        size_t max;
        double eta;
        double wanted;
    } cases[] = {
        { 8, 99, 0.5, 10.0 },  /* 9.6 */
        { 4, 99, 0.5, 8.0 },   /* no more than twice */
        { 8, 9, 0.5, 9.0 },    /* no more than allowed */
        { 16, 99, 0.5, 16.0 }, /* enough */
        { 8, 8, 0.1, 8.0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cnv_growth growth = growth_of(cases[i].batch, cases[i].max, cases[i].eta);

        cr_assert(cnv_growth_is_due(&growth));
        cnv_growth_test(&growth, 24.0, 10.0);
        cr_assert_eq(growth.pending.wanted, cases[i].wanted, "%zu", i);
        cr_assert_not(cnv_growth_is_due(&growth));
    }
}

Test(growth, of_a_gradient_of_zero_or_none_at_all, .timeout = 5)
{
    struct cnv_growth growth = growth_of(8, 99, 0.5);

    cr_assert(cnv_growth_is_due(&growth));
    cnv_growth_test(&growth, 0.0, 0.0);
    cr_assert_eq(growth.pending.wanted, 8.0);
    cnv_growth_test(&growth, (double) NAN, 1.0);
    cr_assert_eq(growth.pending.wanted, 8.0);
    cnv_growth_test(&growth, 1e-300, 0.0);
    cr_assert_eq(growth.pending.wanted, 16.0);
}

Test(growth, takes_the_mean_of_those_who_know_and_never_falls, .timeout = 5)
{
    struct cnv_growth growth = growth_of(8, 99, 1.0);

    play(&growth, 0.0, 0.0, 11.0);
    cr_assert_eq(growth.pending.batch, 8);
    cnv_growth_concluded(&growth, true);
    play(&growth, 9.3, 0.8, 1.0); /* 11.6, of four fifths of the weight */
    cr_assert_eq(growth.pending.batch, 12);
    cr_assert_eq(growth.pending.wanted, 12.0);
    cnv_growth_concluded(&growth, true);
    play(&growth, 8.0, 1.0, 1.0);
    cr_assert_eq(growth.pending.batch, 12);
    play(&growth, 100.0, 1.0, 1.0);
    cr_assert_eq(growth.pending.batch, 12);
    play(&growth, (double) NAN, 1.0, 1.0);
    cr_assert_eq(growth.pending.batch, 12);
}

Test(growth, says_what_was_counted_alone, .timeout = 5)
{
    struct cnv_growth growth = growth_of(8, 99, 1.0);
    struct cnv_solver_contribution offer = { .scalars = { 0.7 }, .scalar_count = 1 };

    play(&growth, 0.0, 0.0, 11.0);
    cnv_growth_concluded(&growth, false);
    cnv_growth_offer(&growth, &offer);
    cr_assert_eq(offer.scalar_count, 3);
    cr_assert_eq(offer.scalars[0], 0.7);
    cr_assert_eq(offer.scalars[1], 0.0);
    cr_assert_eq(offer.scalars[2], 0.0);
    play(&growth, 0.0, 0.0, 11.0);
    cnv_growth_concluded(&growth, true);
    offer.scalar_count = 0;
    cnv_growth_offer(&growth, &offer);
    cr_assert_eq(offer.scalars[0], 11.0);
    cr_assert_eq(offer.scalars[1], 1.0);
}

/* The steps of a newcomer draw as many rows as the others have settled on. */
Test(growth, steps_take_the_settled_batch, .timeout = 20)
{
    const char *const set[] = { "solver/batch=8", "solver/batch-max=40", "solver/step=0.5", NULL };
    const double scalars[] = { 20.0, 1.0 };
    struct cnv_solver_result result = { .scalars = scalars, .scalar_count = 2 };
    struct lone agent = lone_new("sgd-batch", set, 3);
    double u[FEATURES] = { 0.0 };
    const double zero[FEATURES] = { 0.0 };
    struct cnv_solver_round round = { .model = zero, .iteration = 5, .local_steps = 3 };
    struct cnv_solver_contribution part;

    agent.ops->begin(agent.state, &round);
    agent.ops->settled(agent.state, "batch", 0, &result);
    for (uint64_t k = 5; k < 8; k++) {
        size_t rows[LONE_ROWS];
        double g[FEATURES];
        struct cnv_batch batch = { .rows = rows, .count = 20 };

        cr_assert_eq(agent.ops->step(agent.state, NULL), CNV_OK);
        lone_draw(&agent, k, 20, rows);
        (void) agent.problem->ops->gradient(agent.problem->state, u, &batch, g);
        for (size_t j = 0; j < FEATURES; j++) {
            u[j] -= 0.5 * g[j];
        }
    }
    cr_assert_eq(agent.ops->contribute(agent.state, "model", 1, &part, NULL), CNV_OK);
    for (size_t j = 0; j < FEATURES; j++) {
        cr_assert_float_eq(part.values[j], u[j], 1e-14);
    }
    agent.ops->concluded(agent.state, true);
    agent.ops->begin(agent.state, &round);
    cr_assert_eq(agent.ops->contribute(agent.state, "batch", 0, &part, NULL), CNV_OK);
    cr_assert_null(part.values);
    cr_assert_eq(part.scalar_count, 2);
    cr_assert_geq(part.scalars[0], 20.0);
    cr_assert_leq(part.scalars[0], 40.0);
    cr_assert_eq(part.scalars[1], 1.0);
    lone_drop(&agent);
}

/* 60 rows, and a batch that ends beyond them: gradient descent, and nothing more to want. */
Test(growth, ends_with_the_whole_shard, .timeout = 20)
{
    const char *const solvers[] = { "sgd-batch", "adam-batch" };
    const char *const shuffle[] = { "solver/batch=4",
                                    "solver/batch-max=1000000",
                                    "solver/batch-eta=0.01",
                                    "solver/sampling=shuffle",
                                    NULL };

    for (size_t s = 0; s < 2; s++) {
        struct lone agent = lone_new(solvers[s], shuffle, 3);
        const double zero[FEATURES] = { 0.0 };
        double expected[] = { 0.0, 8.0, 16.0, 32.0, 64.0, 64.0, 64.0 };

        for (uint64_t r = 0; r < 7; r++) {
            struct cnv_solver_round round = { .model = zero, .iteration = 9 * r, .local_steps = 9 };
            struct cnv_solver_contribution part;

            agent.ops->begin(agent.state, &round);
            cr_assert_eq(agent.ops->contribute(agent.state, "batch", 0, &part, NULL), CNV_OK);
            cr_assert_eq(part.scalars[0], expected[r]);
            struct cnv_solver_result result = { .scalars = part.scalars, .scalar_count = 2 };
            agent.ops->settled(agent.state, "batch", 0, &result);
            for (int i = 0; i < 9; i++) {
                cr_assert_eq(agent.ops->step(agent.state, NULL), CNV_OK);
            }
            cr_assert_eq(agent.ops->contribute(agent.state, "model", 1, &part, NULL), CNV_OK);
            agent.ops->concluded(agent.state, true);
        }
        lone_drop(&agent);
    }
}
