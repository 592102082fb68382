/* Local SGD against its own few lines, batches, momentum over rounds, step decay. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "base/mem.h"
#include "config/config.h"
#include "lone.h"

enum { FEATURES = LONE_FEATURES };

static bool is_same(const double *a, const double *b)
{
    for (size_t j = 0; j < FEATURES; j++) {
        if (a[j] != b[j]) {
            return false;
        }
    }
    return true;
}

Test(sgd, follows_the_recursion_over_rounds_with_momentum_and_decay, .timeout = 20)
{
    const char *const set[] = { "problem/l2=0.05",
                                "solver/step=0.5",
                                "solver/batch=8",
                                "solver/momentum=0.9",
                                "solver/decay=0.1",
                                "solver/decay-at=4,9",
                                NULL };
    struct lone agent = lone_new("sgd", set, 3);
    double model[FEATURES] = { 0.0 };
    double u[FEATURES] = { 0.0 };
    double v[FEATURES] = { 0.0 };
    uint64_t k = 0;

    for (int r = 0; r < 4; r++) {
        lone_round(&agent, model, k, 3, model);
        agent.ops->concluded(agent.state, true);
        for (int i = 0; i < 3; i++, k++) {
            double step = k < 4 ? 0.5 : k < 9 ? 0.05 : 0.005;
            size_t rows[8];
            double g[FEATURES];
            struct cnv_batch batch = { .rows = rows, .count = 8 };

            lone_draw(&agent, k, 8, rows);
            (void) agent.problem->ops->gradient(agent.problem->state, u, &batch, g);
            for (size_t j = 0; j < FEATURES; j++) {
                v[j] = 0.9 * v[j] + g[j];
                u[j] -= step * v[j];
            }
        }
        for (size_t j = 0; j < FEATURES; j++) {
            cr_assert_float_eq(model[j], u[j], 1e-14);
        }
    }
    lone_drop(&agent);
}

Test(sgd, momentum_of_a_round_that_did_not_count_is_forgotten, .timeout = 20)
{
    const char *const set[] = { "solver/momentum=0.9", "solver/batch=8", NULL };
    struct lone agent = lone_new("sgd", set, 3);
    double zero[FEATURES] = { 0.0 };
    double first[FEATURES];
    double refused[FEATURES];
    double counted[FEATURES];

    lone_round(&agent, zero, 0, 5, first);
    agent.ops->concluded(agent.state, false);
    lone_round(&agent, zero, 0, 5, refused);
    cr_assert(is_same(first, refused));
    agent.ops->concluded(agent.state, true);
    lone_round(&agent, zero, 0, 5, counted);
    cr_assert_not(is_same(first, counted));
    lone_drop(&agent);
}

Test(sgd, shards_and_iterations_draw_different_batches, .timeout = 20)
{
    const char *const set[] = { "solver/batch=8", NULL };
    struct lone one = lone_new("sgd", set, 1);
    struct lone two = lone_new("sgd", set, 2);
    double zero[FEATURES] = { 0.0 };
    double a[FEATURES];
    double b[FEATURES];
    double c[FEATURES];

    lone_round(&one, zero, 0, 1, a);
    lone_round(&two, zero, 0, 1, b);
    lone_round(&one, zero, 1, 1, c);
    cr_assert_not(is_same(a, b));
    cr_assert_not(is_same(a, c));
    lone_drop(&one);
    lone_drop(&two);
}

Test(sgd, a_batch_of_0_or_of_all_rows_is_gradient_descent, .timeout = 20)
{
    const char *const batches[] = { "solver/batch=0", "solver/batch=60", "solver/batch=1000" };

    for (int i = 0; i < 3; i++) {
        const char *const set[] = { "solver/step=0.25", batches[i], NULL };
        struct lone agent = lone_new("sgd", set, 1);
        double zero[FEATURES] = { 0.0 };
        double moved[FEATURES];
        double g[FEATURES];

        lone_round(&agent, zero, 0, 1, moved);
        (void) agent.problem->ops->gradient(agent.problem->state, zero, NULL, g);
        for (size_t j = 0; j < FEATURES; j++) {
            cr_assert_eq(moved[j], -0.25 * g[j]);
        }
        lone_drop(&agent);
    }
}

/* Steps too short to matter: the gradients of a pass sum to ten times that of the shard. */
Test(sgd, a_shuffled_pass_sees_every_row_once, .timeout = 20)
{
    const char *const set[] = {
        "solver/sampling=shuffle", "solver/batch=6", "solver/step=1e-9", NULL
    };
    struct lone agent = lone_new("sgd", set, 1);
    double zero[FEATURES] = { 0.0 };
    double moved[FEATURES];
    double first[FEATURES];
    double later[FEATURES];
    double g[FEATURES];

    (void) agent.problem->ops->gradient(agent.problem->state, zero, NULL, g);
    for (uint64_t pass = 0; pass < 3; pass++) {
        lone_round(&agent, zero, 10 * pass, 10, moved);
        for (size_t j = 0; j < FEATURES; j++) {
            cr_assert_float_eq(moved[j], -1e-8 * g[j], 1e-15);
        }
    }
    lone_round(&agent, zero, 0, 1, first);
    lone_round(&agent, zero, 10, 1, later);
    cr_assert_not(is_same(first, later));
    lone_round(&agent, zero, 0, 1, later);
    cr_assert(is_same(first, later));
    lone_drop(&agent);
}

/* 60 rows in batches of 8: the eighth has 4. */
Test(sgd, the_last_batch_of_a_pass_may_be_smaller, .timeout = 20)
{
    const char *const set[] = {
        "solver/sampling=shuffle", "solver/batch=8", "solver/step=0.1", NULL
    };
    struct lone agent = lone_new("sgd", set, 1);
    double zero[FEATURES] = { 0.0 };
    double moved[FEATURES];
    double again[FEATURES];

    lone_round(&agent, zero, 5, 20, moved);
    lone_round(&agent, zero, 5, 20, again);
    cr_assert(is_same(moved, again));
    lone_drop(&agent);
}

Test(sgd, a_list_of_decays_that_cannot_be_read_is_refused, .timeout = 20)
{
    const char *const bad[] = {
        "5,", "x", "5,5", "9,4", "-3", "4;5", " 4", "99999999999999999999"
    };
    struct lone agent = lone_new("sgd", NULL, 1);
    struct cnv_solver_setup setup = { .config = agent.cluster->config, .problem = agent.problem };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        void *state = cnv_array_new(1, agent.ops->state_size);
        struct cnv_error err = { .text = "" };
        char expected[160];

        cr_assert_eq(cnv_config_set(agent.cluster->config, "solver/decay-at", bad[i], "test", NULL),
                     CNV_OK);
        cr_assert_eq(agent.ops->init(state, &setup, &err), CNV_E_INPUT);
        (void) snprintf(expected,
                        sizeof(expected),
                        "solver/decay-at=%s: expected ascending iterations with commas between "
                        "them, like 1000,1500",
                        bad[i]);
        cr_assert_str_eq(err.text, expected);
        agent.ops->fini(state);
        cnv_free(state);
    }
    lone_drop(&agent);
}
