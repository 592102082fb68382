/* test_sampling.c - solvers that draw blocks, against the pseudo-code written out in full. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/partition.h"
#include "base/rng.h"
#include "cluster.h"
#include "config/config.h"
#include "num/vector.h"
#include "synthetic.h"

enum { AGENTS = 10, DIMENSION = 40 };

/* Synthetic problems still count rows: one each. */
static struct cluster *quadratics(size_t agents, const char *const *more)
{
    const char *settings[16] = { "run/agents=10", "problem/dimension=40", "problem/rank=20" };
    struct cnv_shard *shards[CLUSTER_MAX];
    size_t count = 3;

    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        settings[count++] = more[i];
    }
    for (size_t k = 0; k < agents; k++) {
        struct synthetic how = { .rows = 1, .features = 1, .density = 1, .seed = 1 };

        shards[k] = synthetic_shard(&how);
    }
    struct cluster *cluster = cluster_new("quadratic", settings, shards, agents);
    for (size_t j = 0; j < cluster->dimension; j++) {
        cluster->model[j] = 1;
    }
    return cluster;
}

Test(sampling, quadratics_share_a_minimum_and_have_smoothness_one, .timeout = 20)
{
    struct cluster *cluster = quadratics(3, NULL);
    double zero[DIMENSION] = { 0 };
    double x[DIMENSION];
    double y[DIMENSION];

    for (size_t k = 0; k < 3; k++) {
        struct cnv_problem *problem = cluster->problems[k];
        double largest = 0;

        cr_assert_eq(problem->ops->gradient(problem->state, zero, NULL, y), 0.0);
        cr_assert_eq(cnv_vector_norm(DIMENSION, y), 0.0);
        cr_assert_eq(problem->ops->smoothness(problem->state, CNV_SMOOTHNESS_SHARD, &largest, NULL),
                     CNV_OK);
        cr_assert_eq(largest, 1.0);
        for (size_t j = 0; j < DIMENSION; j++) {
            x[j] = (double) (j % 5) - 1.7;
        }
        for (int i = 0; i < 50000; i++) { /* power iteration: the largest eigenvalue is 1 */
            problem->ops->hessian_times(problem->state, x, y);
            largest = cnv_vector_norm(DIMENSION, y) / cnv_vector_norm(DIMENSION, x);
            cnv_vector_scale(DIMENSION, 1 / cnv_vector_norm(DIMENSION, y), y);
            cnv_vector_copy(DIMENSION, y, x);
        }
        cr_assert_float_eq(largest, 1.0, 1e-9);
    }
    double *one = cluster->model;
    cr_assert_neq(cluster->problems[0]->ops->loss(cluster->problems[0]->state, one, NULL),
                  cluster->problems[1]->ops->loss(cluster->problems[1]->state, one, NULL));
    cluster_destroy(cluster);
}

/* C3, IBCD: x := x - (gamma / n) sum_i (grad f_i(x))_{U_i}, with one block of ten for each. */
static void ibcd_iteration(struct cluster *cluster, double gamma, uint64_t t, double *x)
{
    const struct cnv_partition partition = { DIMENSION, 4, 10, 1, AGENTS, 0.1 };
    double sum[DIMENSION] = { 0 };
    double g[DIMENSION];

    for (size_t i = 0; i < AGENTS; i++) {
        struct cnv_problem *problem = cluster->problems[i];
        uint8_t marks[10] = { 0 };
        uint32_t block = 0;

        cnv_partition_draw(&partition, 1, i + 1, t, marks, &block);
        problem->ops->gradient(problem->state, x, NULL, g);
        for (size_t j = 4 * block; j < 4 * block + 4; j++) {
            sum[j] += g[j];
        }
    }
    for (size_t j = 0; j < DIMENSION; j++) {
        x[j] -= gamma / AGENTS * sum[j];
    }
}

static void check_ibcd(const char *rule, double gamma)
{
    const char *const more[] = { rule, "solver/step=0.7", NULL };
    struct cluster *cluster = quadratics(AGENTS, more);
    double x[DIMENSION];

    cnv_vector_copy(DIMENSION, cluster->model, x);
    for (uint64_t t = 0; t < 50; t++) {
        ibcd_iteration(cluster, gamma, t, x);
        (void) cluster_round(cluster, "blocks", 1);
        for (size_t j = 0; j < DIMENSION; j++) {
            cr_assert_float_eq(cluster->model[j], x[j], 1e-12, "%s, iteration %lu", rule, t);
        }
    }
    cluster_destroy(cluster);
}

Test(sampling, blocks_is_ibcd_with_each_of_its_step_sizes, .timeout = 20)
{
    check_ibcd("solver/step-rule=sharp", 10 / (0.1 * 10 + 0.9));
    check_ibcd("solver/step-rule=theory", 10 / (2 * (0.1 * 10 + 2 * 0.9)));
    check_ibcd("solver/step-rule=given", 0.7);
}

/* The block that agent i draws in iteration t, one of ten. */
static size_t drawn(size_t i, uint64_t t)
{
    const struct cnv_partition partition = { DIMENSION, 4, 10, 1, AGENTS, 0.1 };
    uint8_t marks[10] = { 0 };
    uint32_t block = 0;

    cnv_partition_draw(&partition, 1, i + 1, t, marks, &block);
    return 4 * block;
}

static void agree(const struct cluster *cluster, const double *x, uint64_t t)
{
    for (size_t j = 0; j < DIMENSION; j++) {
        cr_assert_float_eq(cluster->model[j], x[j], 1e-11, "iteration %lu", t);
    }
}

/* C3, ISEGA, with the g_i and h_i of all agents in the open. */
Test(sampling, isega_is_algorithm_2, .timeout = 20)
{
    const char *const more[] = { "optimiser/kind=sega", NULL };
    struct cluster *cluster = quadratics(AGENTS, more);
    static double h[AGENTS][DIMENSION];
    double x[DIMENSION];
    const double gamma = 0.5; /* 1 / (L (1 + 1 / (n tau))) */

    cnv_vector_copy(DIMENSION, cluster->model, x);
    for (uint64_t t = 0; t < 60; t++) {
        double g[DIMENSION] = { 0 };

        for (size_t i = 0; i < AGENTS; i++) {
            struct cnv_problem *problem = cluster->problems[i];
            double gradient[DIMENSION];
            size_t first = drawn(i, t);

            problem->ops->gradient(problem->state, x, NULL, gradient);
            for (size_t j = 0; j < DIMENSION; j++) {
                bool is_drawn = j >= first && j < first + 4;
                double delta = is_drawn ? gradient[j] - h[i][j] : 0;

                g[j] += (h[i][j] + delta / 0.1) / AGENTS;
                h[i][j] += delta;
            }
        }
        cnv_vector_add(DIMENSION, -gamma, g, x);
        (void) cluster_round(cluster, "isega", 1);
        agree(cluster, x, t);
    }
    cluster_destroy(cluster);
}

/* With the h_i on the server all is the same, to rounding. */
Test(sampling, isega_raw_is_isega, .timeout = 20)
{
    const char *const settings[] = { "optimiser/kind=sega", NULL };
    const char *const raw_settings[] = { "optimiser/kind=sega-table", NULL };
    struct cluster *cluster = quadratics(AGENTS, settings);
    struct cluster *raw = quadratics(AGENTS, raw_settings);

    for (uint64_t t = 0; t < 300; t++) {
        (void) cluster_round(cluster, "isega", 1);
        (void) cluster_round(raw, "isega-raw", 1);
        agree(raw, cluster->model, t);
    }
    cr_assert_lt(cnv_vector_norm(DIMENSION, raw->model), 0.1);
    cluster_destroy(cluster);
    cluster_destroy(raw);
}

/* C3, IBGD and ISGD on exact gradients: a coin each, or the unbiased 1 / (n tau). */
static void check_plain(const char *solver, bool is_coin, double gamma)
{
    struct cluster *cluster = quadratics(AGENTS, NULL);
    double x[DIMENSION];
    size_t heads = 0;

    cnv_vector_copy(DIMENSION, cluster->model, x);
    for (uint64_t t = 0; t < 60; t++) {
        double sum[DIMENSION] = { 0 };

        for (size_t i = 0; i < AGENTS; i++) {
            struct cnv_problem *problem = cluster->problems[i];
            double gradient[DIMENSION];
            size_t first = is_coin ? 0 : drawn(i, t);
            size_t end = is_coin ? DIMENSION : first + 4;
            struct cnv_rng rng;

            cnv_rng_init(&rng, 1, CNV_RNG_BLOCKS, i + 1, t);
            if (is_coin && !(cnv_rng_uniform(&rng) < 0.1)) {
                continue;
            }
            heads++;
            problem->ops->gradient(problem->state, x, NULL, gradient);
            cnv_vector_add(end - first, -gamma / AGENTS, gradient + first, sum + first);
        }
        cnv_vector_add(DIMENSION, 1, sum, x);
        (void) cluster_round(cluster, solver, 1);
        agree(cluster, x, t);
    }
    cr_assert(!is_coin || (heads > 30 && heads < 90));
    cluster_destroy(cluster);
}

Test(sampling, ibgd_is_algorithm_3, .timeout = 20)
{
    check_plain("ibgd", true, 10 / (0.1 * 10 + 0.9));
}

Test(sampling, isgd_is_algorithm_6_made_unbiased, .timeout = 20)
{
    check_plain("isgd", false, 0.2 / 0.1); /* 1 / (5 L), times 1 / tau */
}

/* C3, ISAGA on distributed data, each agent with its own table. */
Test(sampling, isaga_is_algorithm_5, .timeout = 20)
{
    enum { ROWS = 5, FEATURES = 40 };
    const char *const settings[] = {
        "run/agents=2", "encoding/block=8", "solver/smoothness=60", NULL
    };
    const struct cnv_partition partition = { FEATURES, 8, 5, 1, 2, 0.2 };
    struct cnv_shard *shards[2];
    static double table[2][ROWS][FEATURES];
    static double mean[2][FEATURES];
    double x[FEATURES] = { 0 };
    const double gamma = 1 / (60 * (3.0 / 2 + 0.2));

    for (size_t i = 0; i < 2; i++) {
        struct synthetic how = { .rows = ROWS, .features = FEATURES, .density = 1, .seed = i + 1 };

        shards[i] = synthetic_shard(&how);
    }
    struct cluster *cluster = cluster_new("ridge", settings, shards, 2);
    for (uint64_t t = 0; t < 100; t++) {
        double sum[FEATURES] = { 0 };

        for (size_t i = 0; i < 2; i++) {
            struct cnv_problem *problem = cluster->problems[i];
            double gradient[FEATURES];
            uint8_t marks[5] = { 0 };
            uint32_t block = 0;
            struct cnv_rng rng;

            cnv_partition_draw(&partition, 1, i + 1, t, marks, &block);
            cnv_rng_init(&rng, 1, CNV_RNG_BATCH, i + 1, t);
            size_t row = cnv_rng_below(&rng, ROWS);
            struct cnv_batch batch = { .rows = &row, .count = 1 };
            problem->ops->gradient(problem->state, x, &batch, gradient);
            for (size_t j = 8 * block; j < 8 * block + 8; j++) {
                double d = gradient[j] - table[i][row][j];

                sum[j] += (d + mean[i][j]) / 2;
                table[i][row][j] += d;
                mean[i][j] += d / ROWS;
            }
        }
        cnv_vector_add(FEATURES, -gamma, sum, x);
        (void) cluster_round(cluster, "isaga", 1);
        agree(cluster, x, t);
    }
    cluster_destroy(cluster);
}

enum { SAGA_ROWS = 12, SAGA_FEATURES = 40 };

/* So many agents, all with the same rows. */
static struct cluster *same_rows(size_t agents, const char *const *settings)
{
    struct cnv_shard *shards[CLUSTER_MAX];

    for (size_t i = 0; i < agents; i++) {
        struct synthetic how = {
            .rows = SAGA_ROWS, .features = SAGA_FEATURES, .density = 1, .seed = 5
        };

        shards[i] = synthetic_shard(&how);
    }
    return cluster_new("ridge", settings, shards, agents);
}

/* ISAGA on shared data, with the mean over N made anew from the table in each round. */
Test(sampling, isaga_shared_is_algorithm_4, .timeout = 20)
{
    const char *const settings[] = {
        "run/agents=3",   "encoding/block=8", "solver/smoothness=60",      "encoding/fraction=0.2",
        "problem/l2=0.1", "data/shared=true", "optimiser/kind=saga-table", NULL
    };
    const struct cnv_partition partition = { SAGA_FEATURES, 8, 5, 1, 3, 0.2 };
    static double alpha[SAGA_ROWS][SAGA_FEATURES];
    struct cluster *cluster = same_rows(3, settings);
    double x[SAGA_FEATURES] = { 0 };
    const double gamma = 1 / (60 * (3.0 / 3 + 0.2));

    for (uint64_t t = 0; t < 200; t++) {
        double sum[SAGA_FEATURES] = { 0 };
        double mean[SAGA_FEATURES] = { 0 };
        double difference[3][SAGA_FEATURES] = { { 0 } };
        uint64_t rows[3];
        struct cnv_rng rng;

        cnv_rng_init(&rng, 1, CNV_RNG_ROWS, 0, t);
        cnv_rng_distinct(&rng, SAGA_ROWS, 3, rows);
        for (size_t row = 0; row < SAGA_ROWS; row++) {
            cnv_vector_add(SAGA_FEATURES, 1.0 / SAGA_ROWS, alpha[row], mean);
        }
        for (size_t i = 0; i < 3; i++) {
            struct cnv_problem *problem = cluster->problems[i];
            double gradient[SAGA_FEATURES];
            uint8_t marks[5] = { 0 };
            uint32_t block = 0;
            size_t row = (size_t) rows[i];
            struct cnv_batch batch = { .rows = &row, .count = 1 };

            cnv_partition_draw(&partition, 1, i + 1, t, marks, &block);
            problem->ops->gradient(problem->state, x, &batch, gradient);
            for (size_t j = 8 * block; j < 8 * block + 8; j++) {
                difference[i][j] = gradient[j] - alpha[row][j];
                sum[j] += difference[i][j] + mean[j];
            }
        }
        for (size_t i = 0; i < 3; i++) {
            cnv_vector_add(SAGA_FEATURES, 1, difference[i], alpha[rows[i]]);
        }
        cnv_vector_add(SAGA_FEATURES, -gamma / 3, sum, x);
        (void) cluster_round(cluster, "isaga-shared", 1);
        agree(cluster, x, t);
    }
    cluster_destroy(cluster);
}

/* Defazio et al. 2014, by itself: one row a step, step 1 / (4 L), which is what one agent with
 * tau = 1 takes without being told; and it converges though no row's gradient vanishes. */
Test(sampling, one_agent_that_sends_everything_is_saga, .timeout = 20)
{
    const char *const settings[] = {
        "run/agents=1", "solver/smoothness=80", "problem/l2=0.1", "optimiser/kind=saga-table", NULL
    };
    static double phi[SAGA_ROWS][SAGA_FEATURES];
    struct cluster *cluster = same_rows(1, settings);
    struct cnv_problem *problem = cluster->problems[0];
    double x[SAGA_FEATURES] = { 0 };
    double gradient[SAGA_FEATURES];

    for (uint64_t t = 0; t < 40000; t++) {
        double mean[SAGA_FEATURES] = { 0 };
        uint64_t drawn_row = 0;
        struct cnv_rng rng;

        cnv_rng_init(&rng, 1, CNV_RNG_ROWS, 0, t);
        cnv_rng_distinct(&rng, SAGA_ROWS, 1, &drawn_row);
        size_t row = (size_t) drawn_row;
        struct cnv_batch batch = { .rows = &row, .count = 1 };
        for (size_t i = 0; i < SAGA_ROWS; i++) {
            cnv_vector_add(SAGA_FEATURES, 1.0 / SAGA_ROWS, phi[i], mean);
        }
        problem->ops->gradient(problem->state, x, &batch, gradient);
        for (size_t j = 0; j < SAGA_FEATURES; j++) {
            x[j] -= 1.0 / (4 * 80) * (gradient[j] - phi[row][j] + mean[j]);
            phi[row][j] = gradient[j];
        }
        (void) cluster_round(cluster, "isaga-shared", 1);
        agree(cluster, x, t);
    }
    problem->ops->gradient(problem->state, x, NULL, gradient);
    cr_assert_lt(cnv_vector_norm(SAGA_FEATURES, gradient), 1e-9);
    cr_assert_gt(cnv_vector_norm(SAGA_FEATURES, phi[0]), 1e-2);
    cluster_destroy(cluster);
}

Test(sampling, the_same_blocks_everywhere_are_block_coordinate_descent, .timeout = 20)
{
    const char *const more[] = { "solver/draw=same", NULL };
    struct cluster *cluster = quadratics(AGENTS, more);
    double before[DIMENSION];
    size_t moved = 0;

    cnv_vector_copy(DIMENSION, cluster->model, before);
    (void) cluster_round(cluster, "blocks", 1);
    for (size_t j = 0; j < DIMENSION; j++) {
        moved += cluster->model[j] != before[j] ? 1 : 0;
    }
    cr_assert_eq(moved, 4);
    cluster_destroy(cluster);
}

Test(sampling, a_smoothness_that_is_given_overrides_the_problem, .timeout = 20)
{
    const char *const more[] = { "solver/smoothness=4", NULL };
    struct cluster *cluster = quadratics(AGENTS, more);
    double x[DIMENSION];

    cnv_vector_copy(DIMENSION, cluster->model, x);
    ibcd_iteration(cluster, 10 / (4 * (0.1 * 10 + 0.9)), 0, x);
    (void) cluster_round(cluster, "blocks", 1);
    for (size_t j = 0; j < DIMENSION; j++) {
        cr_assert_float_eq(cluster->model[j], x[j], 1e-12);
    }
    cluster_destroy(cluster);
}

Test(sampling, the_blocks_named_hold_all_that_is_not_zero, .timeout = 20)
{
    const char *const more[] = { "encoding/block=7", "encoding/fraction=0.5", NULL };
    struct cluster *cluster = quadratics(AGENTS, more);
    struct cnv_solver_contribution part;
    struct cnv_error err;
    size_t nonzero = 0;

    (void) cluster_round(cluster, "blocks", 1);
    struct cnv_solver_round round = { .model = cluster->model, .iteration = 1, .local_steps = 2 };
    cluster->solver->begin(cluster->solvers[0], &round);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cluster->solver->step(cluster->solvers[0], &err), CNV_OK);
    }
    cr_assert_eq(cluster->solver->contribute(cluster->solvers[0], "model", 0, &part, &err), CNV_OK);
    cr_assert_eq(part.block, 7);
    cr_assert_eq(part.block_count, 3);
    for (size_t j = 0; j < DIMENSION; j++) {
        bool is_named = false;

        for (size_t i = 0; i < part.block_count; i++) {
            is_named = is_named || part.blocks[i] == j / 7;
        }
        cr_assert(is_named || part.values[j] == 0);
        nonzero += part.values[j] != 0 ? 1 : 0;
    }
    cr_assert_geq(nonzero, 2 * 7 + 5);
    cluster_destroy(cluster);
}

Test(sampling, without_a_smoothness_the_solver_says_what_to_give, .timeout = 20)
{
    struct synthetic how = { .rows = 20, .features = 5, .density = 1, .classes = 2, .seed = 1 };
    struct cnv_shard *shards[] = { synthetic_shard(&how) };
    const char *const settings[] = { "problem/hidden=2", NULL };
    struct cluster *cluster = cluster_new("mlp", settings, shards, 1);
    const struct cnv_solver_ops *ops = cnv_solver_find("blocks");
    struct cnv_solver_setup setup = { .config = cluster->config, .problem = cluster->problems[0] };
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_error err = { .text = "" };

    cr_assert_eq(ops->init(state, &setup, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "solver/smoothness: problem/kind=mlp does not say"));
    ops->fini(state);
    cnv_free(state);
    cluster_destroy(cluster);
}

Test(sampling, without_that_of_another_member_it_says_so_too, .timeout = 20)
{
    struct cluster *cluster = quadratics(1, NULL);
    const struct cnv_solver_ops *ops = cnv_solver_find("isega");
    struct cnv_solver_setup setup = { .config = cluster->config, .problem = cluster->problems[0] };
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_error err = { .text = "" };

    cr_assert_eq(ops->init(state, &setup, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "solver/smoothness: a member of the run does not say"));
    ops->fini(state);
    cnv_free(state);
    cluster_destroy(cluster);
}

Test(sampling, methods_ask_for_the_smoothness_they_need, .timeout = 20)
{
    static const struct {
        const char *solver;
        const char *setting;
        enum cnv_smoothness of;
    } rows[] = {
        { "blocks", NULL, CNV_SMOOTHNESS_SHARD },
        { "ibgd", NULL, CNV_SMOOTHNESS_SHARD },
        { "isega", NULL, CNV_SMOOTHNESS_SHARD },
        { "isega", "solver/smoothness=3", CNV_SMOOTHNESS_NONE },
        { "isega", "solver/step-rule=given", CNV_SMOOTHNESS_NONE },
        { "isega-raw", NULL, CNV_SMOOTHNESS_SHARD },
        { "isaga", NULL, CNV_SMOOTHNESS_ROWS },
        { "isaga-shared", NULL, CNV_SMOOTHNESS_ROWS },
        { "isgd", NULL, CNV_SMOOTHNESS_ROWS },
        { "isgd", "solver/batch=0", CNV_SMOOTHNESS_SHARD },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cnv_config *config = cnv_config_new();

        if (rows[i].setting != NULL) {
            cr_assert_eq(cnv_config_assign(config, rows[i].setting, "test", NULL), CNV_OK);
        }
        cr_assert_eq(cnv_solver_find(rows[i].solver)->smoothness(config), rows[i].of, "row %zu", i);
        cnv_config_destroy(config);
    }
}

/* C3 of IBCD with shards of 30 and 150 rows: f_i counts as (2 p_i) f_i, L with it. */
Test(sampling, uneven_shards_step_by_the_largest_weighted_smoothness, .timeout = 20)
{
    static const size_t rows[] = { 30, 150 };
    const char *const settings[] = {
        "run/agents=2", "encoding/block=3", "encoding/fraction=1", "problem/l2=0.01", NULL
    };
    struct cnv_shard *shards[2];
    double g[6];
    double largest = 0;

    for (size_t i = 0; i < 2; i++) {
        struct synthetic how = { .rows = rows[i], .features = 6, .density = 1, .seed = i + 1 };

        shards[i] = synthetic_shard(&how);
    }
    struct cluster *cluster = cluster_new("ridge", settings, shards, 2);
    for (size_t i = 0; i < 2; i++) {
        struct cnv_problem *problem = cluster->problems[i];
        double own = 0;

        cr_assert_eq(problem->ops->smoothness(problem->state, CNV_SMOOTHNESS_SHARD, &own, NULL),
                     CNV_OK);
        largest = fmax(largest, 2 * (double) rows[i] / 180 * own);
    }
    cluster_gradient(cluster, cluster->model, g);
    (void) cluster_round(cluster, "blocks", 1);
    for (size_t j = 0; j < 6; j++) { /* tau = 1: n / (L n) */
        cr_assert_float_eq(cluster->model[j], -g[j] / largest, 1e-12);
    }
    cluster_destroy(cluster);
}
