/* test_l1.c - the l1 term of ISEGA: where it ends, against proximal gradients on all data. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/mem.h"
#include "cluster.h"
#include "config/config.h"
#include "num/vector.h"
#include "optimiser/optimiser.h"
#include "synthetic.h"

enum { AGENTS = 4, FEATURES = 12 };

static const double l1 = 0.03;

/* Shards of 40, 50, 60 and 70 rows. */
static struct cluster *cluster_of(const char *solver, const char *optimiser, const char *step)
{
    const char *const settings[] = { "run/agents=4",
                                     "problem/l2=0.01",
                                     "solver/step-rule=given",
                                     "optimiser/l1=0.03",
                                     solver,
                                     optimiser,
                                     step,
                                     NULL };
    struct cnv_shard *shards[AGENTS];

    for (size_t k = 0; k < AGENTS; k++) {
        struct synthetic how = { .rows = 40 + 10 * k,
                                 .features = FEATURES,
                                 .density = 1,
                                 .classes = 2,
                                 .noise = 2,
                                 .seed = k + 1 };

        shards[k] = synthetic_shard(&how);
    }
    return cluster_new("logistic", settings, shards, AGENTS);
}

static double prox(double value, double threshold)
{
    return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0;
}

static double objective(struct cluster *cluster, const double *x)
{
    double sum = 0;

    for (size_t j = 0; j < FEATURES; j++) {
        sum += fabs(x[j]);
    }
    return cluster_loss(cluster, x) + l1 * sum;
}

/* x := prox_{R/L}(x - grad f(x) / L) until it stays. */
static void serial(struct cluster *cluster, double steep, double *x)
{
    double g[FEATURES];

    cnv_vector_zero(FEATURES, x);
    for (int t = 0; t < 20000; t++) {
        cluster_gradient(cluster, x, g);
        for (size_t j = 0; j < FEATURES; j++) {
            x[j] = prox(x[j] - g[j] / steep, l1 / steep);
        }
    }
}

Test(l1, isega_ends_at_the_optimum_with_exact_zeros, .timeout = 60)
{
    struct cluster *cluster =
        cluster_of("solver/kind=isega", "optimiser/kind=sega", "solver/step=0.4");
    const struct cnv_optimiser_ops *ops = cnv_optimiser_find("sega");
    void *state = cnv_array_new(1, ops->state_size);
    double best[FEATURES];
    double next[FEATURES];
    size_t zeros = 0;

    cr_assert_eq(ops->init(state, cluster->config, FEATURES, NULL), CNV_OK);
    for (int t = 0; t < 3000; t++) {
        struct cnv_apply_input input = { .count = FEATURES,
                                         .base = cluster->model,
                                         .update = cluster->update };
        double before[FEATURES];

        cnv_vector_copy(FEATURES, cluster->model, before);
        (void) cluster_round(cluster, "isega", 1);
        input.base = before; /* the cluster's own half of ISEGA knows no prox */
        ops->apply_slice(state, &input, next);
        ops->conclude(state, true);
        cnv_vector_copy(FEATURES, next, cluster->model);
    }
    serial(cluster, 2.0, best);
    for (size_t j = 0; j < FEATURES; j++) {
        cr_assert_float_eq(cluster->model[j], best[j], 1e-9, "coordinate %zu", j);
        cr_assert_eq(cluster->model[j] == 0, best[j] == 0, "coordinate %zu", j);
        zeros += best[j] == 0;
    }
    cr_assert(zeros > 0 && zeros < FEATURES, "%zu zeros", zeros);
    cr_assert_float_eq(objective(cluster, cluster->model), objective(cluster, best), 1e-12);
    ops->fini(state);
    cnv_free(state);
    cluster_destroy(cluster);
}

Test(l1, a_number_that_is_none_stays_so, .timeout = 10)
{
    struct cnv_config *config = cnv_config_new();
    const struct cnv_optimiser_ops *ops = cnv_optimiser_find("sega");
    void *state = cnv_array_new(1, ops->state_size);
    const double base[] = { 0, 0, 0 };
    const double update[] = { NAN, INFINITY, -INFINITY };
    struct cnv_apply_input input = { .count = 3, .base = base, .update = update };
    double out[3];

    cr_assert_eq(cnv_config_assign(config, "optimiser/l1=1", "test", NULL), CNV_OK);
    cr_assert_eq(ops->init(state, config, 3, NULL), CNV_OK);
    ops->apply_slice(state, &input, out);
    cr_assert(isnan(out[0]) && out[1] == INFINITY && out[2] == -INFINITY);
    ops->fini(state);
    cnv_free(state);
    cnv_config_destroy(config);
}
