/*
 * Every solver on every problem it is meant for: finite, downhill, repeatable, untouched by what
 * did not count. New entries of either registry are covered as they are; see support/fit.h.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cluster.h"
#include "config/config.h"
#include "fit.h"
#include "num/num.h"
#include "num/vector.h"
#include "synthetic.h"
#include "with_plugins.h"

TestSuite(solvers, .init = with_plugins);

enum { FEATURES = 12, ROWS = 300, AGENTS = 3, SETTINGS_MAX = 10 };

static const char *const settings[] = { "problem/l2=0.01",
                                        "problem/intercept=true",
                                        "solver/step=0.02",
                                        "solver/batch=20",
                                        "solver/momentum=0.9",
                                        "problem/hidden=32",
                                        NULL };

static bool is_for_shared_data(const char *solver)
{
    struct cnv_config *config = cnv_config_new();

    fit_settings(config, solver);
    bool is_shared = cnv_config_boolean(config, "data/shared");
    cnv_config_destroy(config);
    return is_shared;
}

/* Shards of 1/6, 2/6, 3/6 of the rows: weights matter. Or one agent with the first of them. A
 * solver for data that all share has that first one everywhere. */
static struct cluster *
cluster_of(const char *solver, const char *problem, const char *const *set, size_t agents)
{
    struct synthetic how = { .rows = ROWS,
                             .features = FEATURES,
                             .density = 0.5,
                             .classes = fit_classes(cnv_problem_find(problem)),
                             .noise = 0.5,
                             .seed = 3 };
    struct cnv_shard *whole = synthetic_shard(&how);
    struct cnv_shard *parts[AGENTS];
    const char *with[SETTINGS_MAX + 2] = { NULL };
    bool is_shared = is_for_shared_data(solver);
    size_t count = 0;
    size_t first = 0;

    for (; set[count] != NULL && count < SETTINGS_MAX; count++) {
        with[count] = set[count];
    }
    with[count] = is_shared ? "data/shared=true" : NULL;
    for (size_t k = 0; k < agents; k++) {
        size_t last = first + ROWS * (k + 1) / 6;

        parts[k] =
            is_shared ? synthetic_part(whole, 0, ROWS / 6) : synthetic_part(whole, first, last);
        first = last;
    }
    synthetic_destroy(whole);
    struct cluster *cluster = cluster_new(problem, with, parts, agents);
    fit_settings(cluster->config, solver);
    return cluster;
}

static bool is_meant_for(const char *solver, const char *problem)
{
    struct cluster *cluster = cluster_of(solver, problem, settings, 1);
    bool is_meant =
        fit_is_meant_for(cnv_solver_find(solver), cluster->config, cluster->problems[0]);

    cluster_destroy(cluster);
    return is_meant;
}

static bool is_finite(size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

/* Not zeros, which hold a network for ever. */
static void start_random(struct cluster *cluster)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, 1, CNV_RNG_INIT, 0, 0);
    for (size_t i = 0; i < cluster->dimension; i++) {
        cluster->model[i] = 0.3 * cnv_rng_normal(&rng);
    }
}

static void for_all(void (*check)(const char *solver, const char *problem))
{
    for (size_t s = 0; cnv_solver_at(s) != NULL; s++) {
        for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
            const char *solver = cnv_solver_at(s)->name;
            const char *problem = cnv_problem_at(p)->name;

            if (is_meant_for(solver, problem)) {
                check(solver, problem);
            }
        }
    }
}

Test(solvers, have_a_name_a_sentence_and_a_problem, .timeout = 60)
{
    for (size_t s = 0; cnv_solver_at(s) != NULL; s++) {
        const struct cnv_solver_ops *ops = cnv_solver_at(s);
        size_t problems = 0;

        cr_assert_eq(cnv_solver_find(ops->name), ops);
        cr_assert_gt(strlen(ops->text), 10, "%s", ops->name);
        bool is_plugin = strncmp(ops->name, "plugin:", strlen("plugin:")) == 0;
        cr_assert(is_plugin || strlen(ops->paper) > 5, "%s", ops->name);
        for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
            problems += is_meant_for(ops->name, cnv_problem_at(p)->name);
        }
        cr_assert_gt(problems, 0, "%s refuses every problem", ops->name);
    }
    cr_assert_null(cnv_solver_find("newto"));
}

static void check_descent(const char *solver, const char *problem)
{
    struct cluster *cluster = cluster_of(solver, problem, settings, AGENTS);

    start_random(cluster);
    double start = cluster_loss(cluster, cluster->model);
    /* Of data that all share each agent looks at one row a round. */
    for (int r = 0; r < (is_for_shared_data(solver) ? ROWS : 15); r++) {
        double loss = cluster_loss(cluster, cluster->model);
        double sent = cluster_round(cluster, solver, 2);

        cr_assert_float_eq(sent, loss, 1e-13 * loss, "%s on %s: loss sent", solver, problem);
        cr_assert(is_finite(cluster->dimension, cluster->model), "%s on %s", solver, problem);
    }
    double end = cluster_loss(cluster, cluster->model);
    cr_assert_lt(end, 0.9 * start, "%s on %s: %g to %g", solver, problem, start, end);
    cluster_destroy(cluster);
}

Test(solvers, every_solver_brings_every_problem_down, .timeout = 60)
{
    for_all(check_descent);
}

/* One agent alone, from a model at which every problem has a gradient. */
static struct cluster *soloist(const char *solver, const char *problem)
{
    struct cluster *cluster = cluster_of(solver, problem, settings, 1);

    start_random(cluster);
    return cluster;
}

/* A round that is not concluded; the update goes to update[dimension]. */
static void play(struct cluster *solo, const char *solver, double *update)
{
    cluster_begin(solo, solver, 2);
    (void) cluster_play(solo, UINT32_MAX);
    cnv_vector_copy(solo->dimension, solo->update, update);
}

/* A restarted round, and one that did not count, leave no trace. */
static void check_repeat(const char *solver, const char *problem)
{
    struct cluster *solo = soloist(solver, problem);
    struct cluster *fresh = soloist(solver, problem);
    size_t bytes = solo->dimension * sizeof(double);
    double *first = cnv_array_new(solo->dimension, sizeof(double));
    double *again = cnv_array_new(solo->dimension, sizeof(double));

    play(solo, solver, first);
    cr_assert_gt(cnv_vector_norm(solo->dimension, first), 0.0, "%s on %s", solver, problem);
    cluster_begin(solo, solver, 1); /* cut off in the middle, then begun again */
    (void) cluster_play(solo, solo->plan.count - 1);
    play(solo, solver, again);
    cr_assert_eq(memcmp(first, again, bytes), 0, "%s on %s: begin again", solver, problem);
    cluster_conclude(solo, false);
    play(solo, solver, again);
    cr_assert_eq(memcmp(first, again, bytes), 0, "%s on %s: not counted", solver, problem);
    cluster_conclude(solo, true);

    play(fresh, solver, again);
    cluster_conclude(fresh, true);
    play(solo, solver, first);
    play(fresh, solver, again);
    cr_assert_eq(memcmp(first, again, bytes), 0, "%s on %s: after that", solver, problem);
    cnv_free(first);
    cnv_free(again);
    cluster_destroy(solo);
    cluster_destroy(fresh);
}

Test(solvers, what_was_begun_again_or_did_not_count_leaves_no_trace, .timeout = 60)
{
    for_all(check_repeat);
}

static void check_evaluation(const char *solver, const char *problem)
{
    struct cluster *solo = soloist(solver, problem);
    struct cnv_problem *agent = solo->problems[0];
    struct cnv_solver_contribution part;
    struct cnv_error err;

    cluster_begin(solo, solver, 0);
    const struct cnv_solver_ops *ops = solo->solver;
    void *state = solo->solvers[0];
    cr_assert_eq(ops->contribute(state, "loss", 0, &part, NULL), CNV_OK, "%s", solver);
    cr_assert_null(part.values);
    cr_assert_eq(part.scalar_count, 1);
    cr_assert_eq(part.scalars[0], agent->ops->loss(agent->state, solo->model, NULL));
    cr_assert_eq(ops->contribute(state, "nothing", 0, &part, &err), CNV_E_UNEXPECTED, "%s", solver);
    cluster_destroy(solo);
}

Test(solvers, the_round_that_only_evaluates_gets_the_loss_of_the_model, .timeout = 60)
{
    for_all(check_evaluation);
}

static void check_memory(const char *solver, const char *problem)
{
    const struct cnv_solver_ops *ops = cnv_solver_find(solver);
    struct cluster *solo = soloist(solver, problem);
    struct cnv_solver_setup setup = { .config = solo->config,
                                      .problem = solo->problems[0],
                                      .shard = 1 };
    enum cnv_status status = CNV_E_NOMEM;

    for (uint64_t n = 1; status != CNV_OK; n++) {
        void *state = cnv_array_new(1, ops->state_size);

        cr_assert_lt(n, 20);
        cnv_mem_fail_after(n);
        status = ops->init(state, &setup, NULL);
        cnv_mem_fail_after(0);
        cr_assert(status == CNV_OK || status == CNV_E_NOMEM, "%s", solver);
        ops->fini(state);
        cnv_free(state);
    }
    cluster_destroy(solo);
}

Test(solvers, out_of_memory_is_an_error_at_every_allocation, .timeout = 60)
{
    for_all(check_memory);
}

/* Conjugate gradients to 1e-10 find what the factor finds. */
static void check_cg_with(const char *solver, const char *problem, const char *setting)
{
    const char *const factor[] = { "problem/l2=0.01", NULL };
    const char *const products[] = { "problem/l2=0.01", setting, NULL };
    struct cluster *a = cluster_of(solver, problem, factor, AGENTS);
    struct cluster *b = cluster_of(solver, problem, products, AGENTS);

    start_random(a);
    start_random(b);
    for (int r = 0; r < 3; r++) {
        (void) cluster_round(a, solver, 2);
        (void) cluster_round(b, solver, 2);
        for (size_t i = 0; i < a->dimension; i++) {
            cr_assert_float_eq(
                a->model[i], b->model[i], 1e-8, "%s on %s, round %d", solver, problem, r + 1);
        }
    }
    cluster_destroy(a);
    cluster_destroy(b);
}

static void check_cg(const char *solver, const char *problem)
{
    check_cg_with(solver, problem, "solver/cg-above=0");
    check_cg_with(solver, problem, "solver/direction=cg");
}

Test(solvers, conjugate_gradients_and_cholesky_agree, .timeout = 60)
{
    for_all(check_cg);
}
