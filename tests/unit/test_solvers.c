/*
 * Every solver on every problem: finite, downhill, repeatable, and untouched by what did not count.
 * To be run on each new entry of either registry.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cluster.h"
#include "config/config.h"
#include "num/num.h"
#include "num/vector.h"
#include "synthetic.h"

enum { FEATURES = 12, ROWS = 300, AGENTS = 3 };

static const char *const settings[] = { "problem/l2=0.01",     "problem/intercept=true",
                                        "solver/step=0.02",    "solver/batch=20",
                                        "solver/momentum=0.9", NULL };

static size_t classes_of(const char *problem)
{
    return strcmp(problem, "ridge") == 0 ? 0 : strcmp(problem, "logistic") == 0 ? 2 : 4;
}

/* Shards of 1/6, 2/6, 3/6 of the rows: weights matter. */
static struct cluster *cluster_of(const char *problem, const char *const *set)
{
    struct synthetic how = { .rows = ROWS,
                             .features = FEATURES,
                             .density = 0.5,
                             .classes = classes_of(problem),
                             .noise = 0.5,
                             .seed = 3 };
    struct cnv_shard *whole = synthetic_shard(&how);
    struct cnv_shard *parts[AGENTS];
    size_t first = 0;

    for (size_t k = 0; k < AGENTS; k++) {
        size_t last = first + ROWS * (k + 1) / 6;

        parts[k] = synthetic_part(whole, first, last);
        first = last;
    }
    synthetic_destroy(whole);
    return cluster_new(problem, set, parts, AGENTS);
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

/* Where a network starts from: zeros hold it for ever. */
static void start_random(struct cluster *cluster)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, 1, CNV_RNG_INIT, 0, 0);
    for (size_t i = 0; i < cluster->dimension; i++) {
        cluster->model[i] = 0.3 * cnv_rng_normal(&rng);
    }
}

static void check_descent(const char *solver, const char *problem)
{
    struct cluster *cluster = cluster_of(problem, settings);
    if (strcmp(problem, "mlp") == 0) {
        start_random(cluster);
    }
    double start = cluster_loss(cluster, cluster->model);

    for (int r = 0; r < 15; r++) {
        double loss = cluster_loss(cluster, cluster->model);
        double sent = cluster_round(cluster, solver, 2);

        cr_assert_float_eq(sent, loss, 1e-13 * loss, "%s on %s: loss sent", solver, problem);
        cr_assert(is_finite(cluster->dimension, cluster->model));
    }
    double end = cluster_loss(cluster, cluster->model);
    cr_assert_lt(end, 0.9 * start, "%s on %s: %g to %g", solver, problem, start, end);
    cluster_destroy(cluster);
}

static void for_all(void (*check)(const char *solver, const char *problem))
{
    for (size_t s = 0; cnv_solver_at(s) != NULL; s++) {
        for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
            check(cnv_solver_at(s)->name, cnv_problem_at(p)->name);
        }
    }
}

Test(solvers, every_solver_brings_every_problem_down, .timeout = 60)
{
    for_all(check_descent);
}

/* One agent alone, playing the exchanges with itself as the only member. */
struct soloist {
    const struct cnv_solver_ops *ops;
    void *state;
    struct cluster *cluster; /* its agent 0 */
    double *model;
};

static struct soloist soloist_new(const char *solver, const char *problem, const char *const *set)
{
    struct soloist solo = { .ops = cnv_solver_find(solver), .cluster = cluster_of(problem, set) };
    struct cnv_solver_setup setup = {
        .config = solo.cluster->config, .problem = solo.cluster->problems[0], .seed = 1, .shard = 1
    };

    solo.state = cnv_array_new(1, solo.ops->state_size);
    solo.model = cnv_array_new(solo.cluster->dimension, sizeof(double));
    cr_assert_eq(solo.ops->init(solo.state, &setup, NULL), CNV_OK);
    return solo;
}

static void soloist_drop(struct soloist *solo)
{
    solo->ops->fini(solo->state);
    cnv_free(solo->state);
    cnv_free(solo->model);
    cluster_destroy(solo->cluster);
}

static void start_round(struct soloist *solo, uint64_t iteration, uint32_t local_steps)
{
    struct cnv_solver_round round = {
        .model = solo->model, .iteration = iteration, .local_steps = local_steps, .evaluate = true
    };

    solo->ops->begin(solo->state, &round);
    for (uint32_t i = 0; i < local_steps; i++) {
        cr_assert_eq(solo->ops->step(solo->state, NULL), CNV_OK);
    }
}

/* The exchanges of the round, up to upto of them; the update goes to update[dimension]. */
static void play(struct soloist *solo, uint32_t upto, double *update)
{
    static const char *const giant[] = { "gradient", "direction", "loss", "model" };
    bool is_giant = strcmp(solo->ops->name, "giant") == 0;
    size_t n = solo->cluster->dimension;
    double *settled[4] = { NULL, NULL, NULL, NULL };

    for (uint32_t e = 0; e < (is_giant ? 4U : 1U) && e < upto; e++) {
        const char *name = is_giant ? giant[e] : "model";
        struct cnv_solver_contribution part;

        cr_assert_eq(solo->ops->contribute(solo->state, name, e, &part, NULL), CNV_OK);
        settled[e] = cnv_array_new(n, sizeof(double));
        if (part.is_scaled) {
            cnv_vector_add(n, part.factor, settled[part.reference], settled[e]);
        } else if (part.values != NULL) {
            cnv_vector_copy(n, part.values, settled[e]);
        }
        struct cnv_solver_result result = { .values = part.values != NULL ? settled[e] : NULL,
                                            .length = part.values != NULL ? n : 0,
                                            .scalars = part.scalars,
                                            .scalar_count = part.scalar_count };
        solo->ops->settled(solo->state, name, e, &result);
        cnv_vector_copy(n, settled[e], update);
    }
    for (int e = 0; e < 4; e++) {
        cnv_free(settled[e]);
    }
}

static void play_round(struct soloist *solo, uint64_t iteration, double *update)
{
    start_round(solo, iteration, 2);
    play(solo, UINT32_MAX, update);
}

/* A restarted round, and one that did not count, leave no trace. */
static void check_repeat(const char *solver, const char *problem)
{
    struct soloist solo = soloist_new(solver, problem, settings);
    struct soloist fresh = soloist_new(solver, problem, settings);
    size_t n = solo.cluster->dimension;
    size_t bytes = n * sizeof(double);
    double *first = cnv_array_new(n, sizeof(double));
    double *again = cnv_array_new(n, sizeof(double));

    play_round(&solo, 0, first);
    cr_assert_gt(cnv_vector_norm(n, first), 0.0);
    start_round(&solo, 0, 1); /* cut off in the middle, then begun again */
    play(&solo, 2, again);
    play_round(&solo, 0, again);
    cr_assert_eq(memcmp(first, again, bytes), 0, "%s on %s: begin again", solver, problem);
    solo.ops->concluded(solo.state, false);
    play_round(&solo, 0, again);
    cr_assert_eq(memcmp(first, again, bytes), 0, "%s on %s: not counted", solver, problem);
    solo.ops->concluded(solo.state, true);

    play_round(&fresh, 0, again);
    fresh.ops->concluded(fresh.state, true);
    cnv_vector_add(n, 1.0, first, solo.model);
    cnv_vector_add(n, 1.0, first, fresh.model);
    play_round(&solo, 2, first);
    play_round(&fresh, 2, again);
    cr_assert_eq(memcmp(first, again, bytes), 0, "%s on %s: after that", solver, problem);
    cnv_free(first);
    cnv_free(again);
    soloist_drop(&solo);
    soloist_drop(&fresh);
}

Test(solvers, what_was_begun_again_or_did_not_count_leaves_no_trace, .timeout = 60)
{
    for_all(check_repeat);
}

static void check_evaluation(const char *solver, const char *problem)
{
    struct soloist solo = soloist_new(solver, problem, settings);
    struct cnv_problem *agent = solo.cluster->problems[0];
    struct cnv_solver_contribution part;
    struct cnv_error err;

    solo.model[0] = 0.25;
    start_round(&solo, 0, 0);
    cr_assert_eq(solo.ops->contribute(solo.state, "loss", 0, &part, NULL), CNV_OK);
    cr_assert_null(part.values);
    cr_assert_eq(part.scalar_count, 1);
    cr_assert_eq(part.scalars[0], agent->ops->loss(agent->state, solo.model, NULL));
    cr_assert_eq(solo.ops->contribute(solo.state, "scale", 0, &part, &err), CNV_E_UNEXPECTED);
    cr_assert_eq(solo.ops->contribute(solo.state, "model", 9, &part, &err), CNV_E_UNEXPECTED);
    soloist_drop(&solo);
}

Test(solvers, the_round_that_only_evaluates_gets_the_loss_of_the_model, .timeout = 60)
{
    for_all(check_evaluation);
}

static void check_memory(const char *solver, const char *problem)
{
    struct soloist solo = soloist_new(solver, problem, settings);
    struct cnv_solver_setup setup = { .config = solo.cluster->config,
                                      .problem = solo.cluster->problems[0] };
    enum cnv_status status = CNV_E_NOMEM;

    for (uint64_t n = 1; status != CNV_OK; n++) {
        void *state = cnv_array_new(1, solo.ops->state_size);

        cr_assert_lt(n, 20);
        cnv_mem_fail_after(n);
        status = solo.ops->init(state, &setup, NULL);
        cnv_mem_fail_after(0);
        cr_assert(status == CNV_OK || status == CNV_E_NOMEM);
        solo.ops->fini(state);
        cnv_free(state);
    }
    soloist_drop(&solo);
}

Test(solvers, out_of_memory_is_an_error_at_every_allocation, .timeout = 60)
{
    for_all(check_memory);
}

/* Conjugate gradients to 1e-10 find what the factor finds. */
static void check_cg(const char *solver, const char *problem)
{
    const char *const factor[] = { "problem/l2=0.01", NULL };
    const char *const products[] = { "problem/l2=0.01", "solver/cg-above=0", NULL };
    struct cluster *a = cluster_of(problem, factor);
    struct cluster *b = cluster_of(problem, products);

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

Test(solvers, conjugate_gradients_and_cholesky_agree, .timeout = 60)
{
    for_all(check_cg);
}
