/* LocalNewton: what the paper says of it on least squares, its line search, singular Hessians. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cluster.h"
#include "num/vector.h"
#include "synthetic.h"

enum { FEATURES = 20, ROWS = 800, AGENTS = 4 };

static struct cluster *
cluster_of(const char *problem, const char *const *set, size_t agents, double density)
{
    struct synthetic how = { .rows = ROWS,
                             .features = FEATURES,
                             .density = density,
                             .classes = strcmp(problem, "ridge") == 0 ? 0 : 2,
                             .noise = 1.0,
                             .seed = 8 };
    struct cnv_shard *whole = synthetic_shard(&how);
    struct cnv_shard *parts[AGENTS];

    for (size_t k = 0; k < agents; k++) {
        parts[k] = synthetic_part(whole, ROWS * k / agents, ROWS * (k + 1) / agents);
    }
    synthetic_destroy(whole);
    return cluster_new(problem, set, parts, agents);
}

static double gradient_norm(struct cnv_problem *problem, const double *w)
{
    double *g = cnv_array_new(problem->dimension, sizeof(*g));

    (void) problem->ops->gradient(problem->state, w, NULL, g);
    double norm = cnv_vector_norm(problem->dimension, g);
    cnv_free(g);
    return norm;
}

/* Gupta et al. 2021, section 4: one unit Newton step solves the local problem. */
Test(newton, one_step_solves_local_least_squares, .timeout = 20)
{
    struct cluster *alone = cluster_of("ridge", NULL, 1, 1.0);

    cr_assert_gt(gradient_norm(alone->problems[0], alone->model), 0.1);
    (void) cluster_round(alone, "newton", 1);
    cr_assert_lt(gradient_norm(alone->problems[0], alone->model), 1e-14);
    cluster_destroy(alone);
}

/* The average after round 1 is a fixed point, and not the global optimum. */
Test(newton, average_on_least_squares_is_a_fixed_point_apart_from_the_optimum, .timeout = 20)
{
    struct cluster *cluster = cluster_of("ridge", NULL, AGENTS, 1.0);
    struct cluster *giant = cluster_of("ridge", NULL, AGENTS, 1.0);
    double after_one[FEATURES];

    for (uint32_t local_steps = 1; local_steps <= 3; local_steps += 2) {
        cnv_vector_zero(FEATURES, cluster->model);
        (void) cluster_round(cluster, "newton", local_steps);
        cnv_vector_copy(FEATURES, cluster->model, after_one);
        (void) cluster_round(cluster, "newton", local_steps);
        double norm = cnv_vector_norm(FEATURES, after_one);
        cnv_vector_add(FEATURES, -1.0, cluster->model, after_one);
        cr_assert_leq(cnv_vector_norm(FEATURES, after_one), 1e-12 * norm);
    }
    for (int r = 0; r < 20; r++) {
        (void) cluster_round(giant, "giant", 1);
    }
    double gap = cluster_loss(cluster, cluster->model) - cluster_loss(giant, giant->model);
    cr_assert_gt(gap, 1e-5);
    cluster_destroy(cluster);
    cluster_destroy(giant);
}

/* Far out a unit step on a logistic loss overshoots: Armijo has to shorten it. */
Test(newton, line_search_never_lets_the_local_loss_rise, .timeout = 20)
{
    const char *const set[] = { "problem/l2=1e-4", NULL };
    struct cluster *cluster = cluster_of("logistic", set, AGENTS, 1.0);
    struct cnv_solver_setup setup = { .config = cluster->config, .problem = cluster->problems[0] };
    const struct cnv_solver_ops *ops = cnv_solver_find("newton");
    void *state = cnv_array_new(1, ops->state_size);
    double before = 0.0;

    for (size_t i = 0; i < FEATURES; i++) {
        cluster->model[i] = i % 2 == 0 ? 20.0 : -20.0;
    }
    cr_assert_eq(ops->init(state, &setup, NULL), CNV_OK);
    before = setup.problem->ops->loss(setup.problem->state, cluster->model, NULL);
    for (uint32_t steps = 1; steps <= 12; steps++) {
        struct cnv_solver_round round = { .model = cluster->model, .local_steps = steps };
        struct cnv_solver_contribution part;
        double moved[FEATURES];

        ops->begin(state, &round);
        for (uint32_t i = 0; i < steps; i++) {
            cr_assert_eq(ops->step(state, NULL), CNV_OK);
        }
        cr_assert_eq(ops->contribute(state, "model", 0, &part, NULL), CNV_OK);
        cr_assert_eq(part.scalar_count, 0);
        cnv_vector_move(FEATURES, cluster->model, 1.0, part.values, moved);
        double loss = setup.problem->ops->loss(setup.problem->state, moved, NULL);
        cr_assert_leq(loss, before * (1.0 + 1e-14), "step %u: %g to %g", steps, before, loss);
        before = loss;
    }
    cr_assert_lt(gradient_norm(setup.problem, cluster->model), 1e3);
    cr_assert_lt(before, 0.7);
    ops->fini(state);
    cnv_free(state);
    cluster_destroy(cluster);
}

/* With l2 = 0 and features that never occur, the Hessian is singular. */
Test(newton, a_singular_hessian_is_damped, .timeout = 20)
{
    const char *const names[] = { "newton", "giant" };

    for (int s = 0; s < 2; s++) {
        struct cluster *alone = cluster_of("ridge", NULL, 1, 0.002);

        (void) cluster_round(alone, names[s], 2);
        cr_assert_lt(gradient_norm(alone->problems[0], alone->model), 1e-10);
        cluster_destroy(alone);
    }
}
