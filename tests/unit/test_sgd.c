/* Local SGD against its own few lines, batches, momentum over rounds, step decay. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cluster.h"
#include "config/config.h"
#include "num/vector.h"
#include "synthetic.h"

enum { FEATURES = 9, ROWS = 60 };

/* One agent with its solver, on logistic regression. */
struct agent {
    struct cluster *cluster;
    struct cnv_problem *problem;
    const struct cnv_solver_ops *ops;
    void *state;
};

static struct agent agent_new(const char *const *set, uint32_t shard)
{
    struct synthetic how = {
        .rows = ROWS, .features = FEATURES, .density = 0.7, .classes = 2, .noise = 0.5, .seed = 4
    };
    struct cnv_shard *part = synthetic_shard(&how);
    struct agent agent = { .ops = cnv_solver_find("sgd") };

    agent.cluster = cluster_new("logistic", set, &part, 1);
    agent.problem = agent.cluster->problems[0];
    agent.state = cnv_array_new(1, agent.ops->state_size);
    struct cnv_solver_setup setup = {
        .config = agent.cluster->config, .problem = agent.problem, .seed = 7, .shard = shard
    };
    cr_assert_eq(agent.ops->init(agent.state, &setup, NULL), CNV_OK);
    return agent;
}

static void agent_drop(struct agent *agent)
{
    agent->ops->fini(agent->state);
    cnv_free(agent->state);
    cluster_destroy(agent->cluster);
}

/* One round from model; the new model, the agent's own, goes to out. */
static void round_from(
    struct agent *agent, const double *model, uint64_t iteration, uint32_t steps, double *out)
{
    struct cnv_solver_round round = { .model = model,
                                      .iteration = iteration,
                                      .local_steps = steps };
    struct cnv_solver_contribution part;

    agent->ops->begin(agent->state, &round);
    for (uint32_t i = 0; i < steps; i++) {
        cr_assert_eq(agent->ops->step(agent->state, NULL), CNV_OK);
    }
    cr_assert_eq(agent->ops->contribute(agent->state, "model", 0, &part, NULL), CNV_OK);
    cnv_vector_move(FEATURES, model, 1.0, part.values, out);
}

static bool is_same(const double *a, const double *b)
{
    for (size_t j = 0; j < FEATURES; j++) {
        if (a[j] != b[j]) {
            return false;
        }
    }
    return true;
}

/* The rows of iteration k, drawn as the stream (seed, batch, shard, k) says. */
static void draw(uint64_t iteration, size_t batch, size_t *rows)
{
    size_t order[ROWS];
    struct cnv_rng rng;

    cnv_rng_init(&rng, 7, CNV_RNG_BATCH, 3, iteration);
    for (size_t i = 0; i < ROWS; i++) {
        order[i] = i;
    }
    for (size_t i = 0; i < batch; i++) {
        size_t j = i + (size_t) cnv_rng_below(&rng, ROWS - i);
        size_t kept = order[i];

        order[i] = order[j];
        order[j] = kept;
        rows[i] = order[i];
    }
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
    struct agent agent = agent_new(set, 3);
    double model[FEATURES] = { 0.0 };
    double u[FEATURES] = { 0.0 };
    double v[FEATURES] = { 0.0 };
    uint64_t k = 0;

    for (int r = 0; r < 4; r++) {
        round_from(&agent, model, k, 3, model);
        agent.ops->concluded(agent.state, true);
        for (int i = 0; i < 3; i++, k++) {
            double step = k < 4 ? 0.5 : k < 9 ? 0.05 : 0.005;
            size_t rows[8];
            double g[FEATURES];
            struct cnv_batch batch = { rows, 8 };

            draw(k, 8, rows);
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
    agent_drop(&agent);
}

Test(sgd, momentum_of_a_round_that_did_not_count_is_forgotten, .timeout = 20)
{
    const char *const set[] = { "solver/momentum=0.9", "solver/batch=8", NULL };
    struct agent agent = agent_new(set, 3);
    double zero[FEATURES] = { 0.0 };
    double first[FEATURES];
    double refused[FEATURES];
    double counted[FEATURES];

    round_from(&agent, zero, 0, 5, first);
    agent.ops->concluded(agent.state, false);
    round_from(&agent, zero, 0, 5, refused);
    cr_assert(is_same(first, refused));
    agent.ops->concluded(agent.state, true);
    round_from(&agent, zero, 0, 5, counted);
    cr_assert_not(is_same(first, counted));
    agent_drop(&agent);
}

Test(sgd, shards_and_iterations_draw_different_batches, .timeout = 20)
{
    const char *const set[] = { "solver/batch=8", NULL };
    struct agent one = agent_new(set, 1);
    struct agent two = agent_new(set, 2);
    double zero[FEATURES] = { 0.0 };
    double a[FEATURES];
    double b[FEATURES];
    double c[FEATURES];

    round_from(&one, zero, 0, 1, a);
    round_from(&two, zero, 0, 1, b);
    round_from(&one, zero, 1, 1, c);
    cr_assert_not(is_same(a, b));
    cr_assert_not(is_same(a, c));
    agent_drop(&one);
    agent_drop(&two);
}

Test(sgd, a_batch_of_0_or_of_all_rows_is_gradient_descent, .timeout = 20)
{
    const char *const batches[] = { "solver/batch=0", "solver/batch=60", "solver/batch=1000" };

    for (int i = 0; i < 3; i++) {
        const char *const set[] = { "solver/step=0.25", batches[i], NULL };
        struct agent agent = agent_new(set, 1);
        double zero[FEATURES] = { 0.0 };
        double moved[FEATURES];
        double g[FEATURES];

        round_from(&agent, zero, 0, 1, moved);
        (void) agent.problem->ops->gradient(agent.problem->state, zero, NULL, g);
        for (size_t j = 0; j < FEATURES; j++) {
            cr_assert_eq(moved[j], -0.25 * g[j]);
        }
        agent_drop(&agent);
    }
}

Test(sgd, a_list_of_decays_that_cannot_be_read_is_refused, .timeout = 20)
{
    const char *const bad[] = {
        "5,", "x", "5,5", "9,4", "-3", "4;5", " 4", "99999999999999999999"
    };
    struct agent agent = agent_new(NULL, 1);
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
    agent_drop(&agent);
}
