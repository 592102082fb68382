/* SAVIC against the formulas of 2.2 written out with the paper's beta_t, and who shares what. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "lone.h"

enum { N = LONE_FEATURES, BATCH = 8, STEPS = 3 };

#define ALPHA 0.02
#define BETA1 0.6
#define BETA2 0.8
#define STEP  0.05

/* The recipe with one of the scalings; good until the next call. */
static const char *const *recipe(const char *scaling)
{
    static char text[64];
    static const char *set[] = { text,
                                 "problem/l2=0.05",
                                 "solver/step=0.05",
                                 "solver/batch=8",
                                 "solver/alpha=0.02",
                                 "solver/beta1=0.6",
                                 "solver/beta2=0.8",
                                 NULL };

    (void) snprintf(text, sizeof(text), "solver/scaling=%s", scaling);
    return set;
}

/* One agent's round: exchange scale, steps, model. offer: what it offers; settled: what it is told
 * (NULL: its own offer). The new model goes to out. */
static void round_of(struct lone *agent,
                     const double *model,
                     uint64_t iteration,
                     const struct cnv_solver_result *settled,
                     struct cnv_solver_contribution *offer,
                     double *out)
{
    struct cnv_solver_round round = { .model = model,
                                      .iteration = iteration,
                                      .local_steps = STEPS };
    struct cnv_solver_contribution update;

    agent->ops->begin(agent->state, &round);
    cr_assert_eq(agent->ops->contribute(agent->state, "scale", 0, offer, NULL), CNV_OK);
    cr_assert_eq(offer->scalar_count, 1);
    struct cnv_solver_result own = {
        .values = offer->values, .length = N, .scalars = offer->scalars, .scalar_count = 1
    };
    agent->ops->settled(agent->state, "scale", 0, settled != NULL ? settled : &own);
    for (int i = 0; i < STEPS; i++) {
        cr_assert_eq(agent->ops->step(agent->state, NULL), CNV_OK);
    }
    cr_assert_eq(agent->ops->contribute(agent->state, "model", 1, &update, NULL), CNV_OK);
    for (size_t j = 0; j < N; j++) {
        out[j] = model[j] + update.values[j];
    }
}

/* 2.2 as printed: one D, beta_t. */
struct reference {
    double u[N];
    double m[N];
    double d[N]; /* D, or D^2 where the rule is in squares */
    uint64_t t;
};

static void batch_gradient(const struct lone *agent, const double *w, uint64_t k, double *g)
{
    size_t rows[BATCH];
    struct cnv_batch batch = { .rows = rows, .count = BATCH };

    lone_draw(agent, k, BATCH, rows);
    (void) agent->problem->ops->gradient(agent->problem->state, w, &batch, g);
}

/* v * (H v) on the batch of iteration k. */
static void batch_curvature(const struct lone *agent, const double *w, uint64_t k, double *h)
{
    size_t rows[BATCH];
    struct cnv_batch batch = { .rows = rows, .count = BATCH };
    double v[N];
    struct cnv_rng rng;

    cnv_rng_init(&rng, 7, CNV_RNG_SCALE, 0, k);
    for (size_t j = 0; j < N; j++) {
        v[j] = cnv_rng_u32(&rng) < 0x80000000U ? 1.0 : -1.0;
    }
    lone_draw(agent, k, BATCH, rows);
    cr_assert_eq(agent->problem->ops->curvature_at(agent->problem->state, w, &batch, NULL), CNV_OK);
    agent->problem->ops->hessian_times(agent->problem->state, v, h);
    for (size_t j = 0; j < N; j++) {
        h[j] *= v[j];
    }
}

static void
reference_refresh(struct reference *ref, const struct lone *agent, const char *scaling, uint64_t k)
{
    bool is_curvature = strcmp(scaling, "oasis") == 0 || strcmp(scaling, "adahessian") == 0;
    bool is_corrected = strcmp(scaling, "adam") == 0 || strcmp(scaling, "adahessian") == 0;
    double power = pow(BETA2, (double) ref->t + 1.0);
    double beta = is_corrected ? (BETA2 - power) / (1.0 - power) : ref->t == 0 ? 0.0 : BETA2;
    double h[N];

    if (is_curvature) {
        batch_curvature(agent, ref->u, k, h);
    } else {
        batch_gradient(agent, ref->u, k, h);
    }
    for (size_t j = 0; j < N; j++) {
        double hs = strcmp(scaling, "oasis") == 0 ? h[j] : h[j] * h[j];

        ref->d[j] =
            strcmp(scaling, "adagrad") == 0 ? ref->d[j] + hs : beta * ref->d[j] + (1.0 - beta) * hs;
    }
    ref->t++;
}

static void
reference_step(struct reference *ref, const struct lone *agent, const char *scaling, uint64_t k)
{
    double g[N];

    batch_gradient(agent, ref->u, k, g);
    for (size_t j = 0; j < N; j++) {
        double d = strcmp(scaling, "oasis") == 0 ? fabs(ref->d[j]) : sqrt(ref->d[j]);

        ref->m[j] = BETA1 * ref->m[j] + (1.0 - BETA1) * g[j];
        ref->u[j] -= STEP * ref->m[j] / (d > ALPHA ? d : ALPHA);
    }
}

static const char *const scalings[] = { "adam", "rmsprop", "adagrad", "oasis", "adahessian" };

Test(savic, follows_the_recursion_of_every_scaling, .timeout = 20)
{
    for (size_t s = 0; s < 5; s++) {
        struct lone agent = lone_new("savic", recipe(scalings[s]), 3);
        struct reference ref = { .t = 0 };
        struct cnv_solver_contribution offer;
        double model[N] = { 0.0 };
        uint64_t k = 0;

        for (int r = 0; r < 4; r++) {
            round_of(&agent, model, k, NULL, &offer, model);
            agent.ops->concluded(agent.state, true);
            reference_refresh(&ref, &agent, scalings[s], k);
            for (int i = 0; i < STEPS; i++, k++) {
                reference_step(&ref, &agent, scalings[s], k);
            }
            for (size_t j = 0; j < N; j++) {
                cr_assert_float_eq(model[j], ref.u[j], 1e-13, "%s, round %d", scalings[s], r + 1);
            }
        }
        lone_drop(&agent);
    }
}

/* It has what the others have before its first step, and offers what adds up with theirs. */
Test(savic, a_newcomer_moves_as_those_who_were_there, .timeout = 20)
{
    static const char *const plain[] = {
        "solver/batch=8", "solver/beta1=0", "solver/beta2=0.8", NULL
    };
    struct lone old = lone_new("savic", plain, 3);
    struct lone new = lone_new("savic", plain, 3);
    struct cnv_solver_contribution offer;
    double model[N] = { 0.0 };
    double next[N];
    double other[N];
    double values[N];

    for (uint64_t r = 0; r < 3; r++) {
        round_of(&old, model, r * STEPS, NULL, &offer, model);
        old.ops->concluded(old.state, true);
    }
    round_of(&old, model, 3 * STEPS, NULL, &offer, next);
    memcpy(values, offer.values, sizeof(values));
    struct cnv_solver_result settled = {
        .values = values, .length = N, .scalars = offer.scalars, .scalar_count = 1
    };
    double told = offer.scalars[0];
    cr_assert_float_eq(told, 1.0 - pow(0.8, 4), 1e-15);
    struct cnv_solver_contribution first;
    round_of(&new, model, 3 * STEPS, &settled, &first, other);
    cr_assert_eq(memcmp(next, other, sizeof(next)), 0);
    cr_assert_float_eq(first.scalars[0], 0.2, 1e-15);
    lone_drop(&old);
    lone_drop(&new);
}

/* Same model, other shards: the settled matrix is the mean of the squared gradients. */
Test(savic, the_matrix_is_made_of_all_agents_gradients, .timeout = 20)
{
    struct lone one = lone_new("savic", recipe("adam"), 1);
    struct lone two = lone_new("savic", recipe("adam"), 2);
    struct cnv_solver_contribution offer;
    double zero[N] = { 0.0 };
    double out[N];
    double g[N];
    double v[2][N];

    round_of(&one, zero, 0, NULL, &offer, out);
    memcpy(v[0], offer.values, sizeof(v[0]));
    round_of(&two, zero, 0, NULL, &offer, out);
    memcpy(v[1], offer.values, sizeof(v[1]));
    batch_gradient(&one, zero, 0, g);
    for (size_t j = 0; j < N; j++) {
        cr_assert_float_eq(v[0][j], 0.2 * g[j] * g[j], 1e-15);
    }
    batch_gradient(&two, zero, 0, g);
    for (size_t j = 0; j < N; j++) {
        cr_assert_float_eq(v[1][j], 0.2 * g[j] * g[j], 1e-15);
    }
    lone_drop(&one);
    lone_drop(&two);
}

Test(savic, what_was_not_counted_leaves_matrix_and_momentum_as_they_were, .timeout = 20)
{
    struct lone agent = lone_new("savic", recipe("rmsprop"), 3);
    struct cnv_solver_contribution offer;
    double zero[N] = { 0.0 };
    double first[N];
    double again[N];

    round_of(&agent, zero, 0, NULL, &offer, first);
    agent.ops->concluded(agent.state, false);
    round_of(&agent, zero, 0, NULL, &offer, again);
    cr_assert_eq(memcmp(first, again, sizeof(first)), 0);
    agent.ops->concluded(agent.state, true);
    round_of(&agent, zero, 0, NULL, &offer, again);
    cr_assert_neq(memcmp(first, again, sizeof(first)), 0);
    lone_drop(&agent);
}

/* Alone, with one refresh a round, it is the global method; with one a step it is not. */
Test(savic, the_local_variant_refreshes_a_matrix_of_its_own, .timeout = 20)
{
    struct lone global = lone_new("savic", recipe("adam"), 3);
    struct lone local = lone_new("savic-local", recipe("adam"), 3);
    struct cnv_solver_contribution offer;
    double model[N] = { 0.0 };
    double expected[N];
    double moved[N];

    for (uint64_t r = 0; r < 3; r++) {
        round_of(&global, model, r * STEPS, NULL, &offer, expected);
        lone_round(&local, model, r * STEPS, STEPS, moved);
        cr_assert_eq(memcmp(expected, moved, sizeof(moved)), 0);
        global.ops->concluded(global.state, true);
        local.ops->concluded(local.state, true);
        memcpy(model, moved, sizeof(model));
    }
    lone_drop(&global);
    lone_drop(&local);
}
