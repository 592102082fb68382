/* SAVIC with one round trip, agents and server optimiser together, against 2.3 of Chezhegov et al.
 * written out with models instead of updates: every agent takes the last step as well. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "config/config.h"
#include "lone.h"
#include "optimiser/optimiser.h"

enum { N = LONE_FEATURES, BATCH = 8, STEPS = 3, ROUNDS = 5, AGENTS_MAX = 2 };

#define ALPHA 0.02
#define BETA2 0.8
#define STEP  0.05

/* Of the one round trip: M agents, the optimiser, and what is committed. */
struct trip {
    struct lone agents[AGENTS_MAX];
    size_t count;
    const struct cnv_optimiser_ops *ops;
    struct cnv_config *config;
    void *state;
    double kept[2 * N]; /* x and D, side by side */
    uint64_t version;
};

static const char *recipe[9];
static char scaling_text[40];
static char beta1_text[40];

static void set_recipe(const char *scaling, double beta1)
{
    static const char *const fixed[] = { "problem/l2=0.05",   "solver/step=0.05", "solver/batch=8",
                                         "solver/alpha=0.02", "solver/beta2=0.8", NULL };

    (void) snprintf(scaling_text, sizeof(scaling_text), "solver/scaling=%s", scaling);
    (void) snprintf(beta1_text, sizeof(beta1_text), "solver/beta1=%g", beta1);
    recipe[0] = scaling_text;
    recipe[1] = beta1_text;
    memcpy(&recipe[2], fixed, sizeof(fixed));
}

static struct trip trip_new(size_t count)
{
    struct trip trip = { .count = count, .ops = cnv_optimiser_find("scaled") };

    trip.config = cnv_config_new();
    for (size_t i = 0; recipe[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(trip.config, recipe[i], "test", NULL), CNV_OK);
    }
    trip.state = cnv_array_new(1, trip.ops->state_size);
    cr_assert_eq(trip.ops->init(trip.state, trip.config, N, NULL), CNV_OK);
    for (size_t i = 0; i < count; i++) {
        trip.agents[i] = lone_new("savic", recipe, 3 + (uint32_t) i);
    }
    return trip;
}

static void trip_drop(struct trip *trip)
{
    for (size_t i = 0; i < trip->count; i++) {
        lone_drop(&trip->agents[i]);
    }
    cnv_free(trip->state);
    cnv_config_destroy(trip->config);
}

/* What agent i offers, side by side, as the session sends it. */
static void offer_of(struct trip *trip, size_t i, double *offered)
{
    struct lone *agent = &trip->agents[i];
    struct cnv_solver_contribution contribution;
    double model[N];
    double beside[N];
    struct cnv_solver_round round = {
        .model = model, .beside = beside, .iteration = trip->version * STEPS, .local_steps = STEPS
    };

    for (size_t j = 0; j < N; j++) {
        model[j] = trip->kept[2 * j];
        beside[j] = trip->kept[2 * j + 1];
    }
    agent->ops->begin(agent->state, &round);
    for (int s = 0; s < STEPS; s++) {
        cr_assert_eq(agent->ops->step(agent->state, NULL), CNV_OK);
    }
    cr_assert_eq(agent->ops->contribute(agent->state, "model", 0, &contribution, NULL), CNV_OK);
    cr_assert_eq(contribution.length, N);
    size_t width = contribution.width;
    cr_assert_eq(width, trip->ops->width(trip->state).offered);
    for (size_t k = 0; k < width; k++) {
        for (size_t j = 0; j < N; j++) {
            offered[j * width + k] = contribution.values[k * N + j];
        }
    }
}

static void trip_round(struct trip *trip)
{
    double mean[3 * N] = { 0 };
    double kept[2 * N];
    struct cnv_apply_input input = { .count = N,
                                     .version = trip->version,
                                     .last = (trip->version + 1) * STEPS - 1,
                                     .base = trip->kept,
                                     .update = mean };

    for (size_t i = 0; i < trip->count; i++) {
        double offered[3 * N];
        double merged[3 * N];

        offer_of(trip, i, offered);
        trip->ops->widen(trip->state, N, offered, merged);
        for (size_t j = 0; j < 3 * N; j++) {
            mean[j] += merged[j] / (double) trip->count;
        }
    }
    trip->ops->apply_slice(trip->state, &input, kept);
    memcpy(trip->kept, kept, sizeof(kept));
    trip->version++;
    for (size_t i = 0; i < trip->count; i++) {
        trip->agents[i].ops->concluded(trip->agents[i].state, true);
    }
}

/* 2.2 and 2.3 as printed: one D, beta_t, M models. */
struct reference {
    double x[N];
    double d[N]; /* D, or D^2 where the rule is in squares */
    double m[AGENTS_MAX][N];
    uint64_t t;
};

static void batch_look(const struct lone *agent, const double *w, uint64_t k, double *g, double *h)
{
    size_t rows[BATCH];
    struct cnv_batch batch = { .rows = rows, .count = BATCH };
    const struct cnv_problem_ops *ops = agent->problem->ops;
    double v[N];
    struct cnv_rng rng;

    cnv_rng_init(&rng, 7, CNV_RNG_SCALE, 0, k);
    for (size_t j = 0; j < N; j++) {
        v[j] = cnv_rng_u32(&rng) < 0x80000000U ? 1.0 : -1.0;
    }
    lone_draw(agent, k, BATCH, rows);
    (void) ops->gradient(agent->problem->state, w, &batch, g);
    cr_assert_eq(ops->curvature_at(agent->problem->state, w, &batch, NULL), CNV_OK);
    ops->hessian_times(agent->problem->state, v, h);
    for (size_t j = 0; j < N; j++) {
        h[j] *= v[j];
    }
}

static double entry_of(const char *scaling, double d)
{
    return fmax(ALPHA, strcmp(scaling, "oasis") == 0 ? fabs(d) : sqrt(d));
}

static void refresh(struct reference *ref, const char *scaling, const double *hs)
{
    bool is_corrected = strcmp(scaling, "adam") == 0 || strcmp(scaling, "adahessian") == 0;
    double power = pow(BETA2, (double) ref->t + 1.0);
    double beta = is_corrected ? (BETA2 - power) / (1.0 - power) : ref->t == 0 ? 0.0 : BETA2;

    for (size_t j = 0; j < N; j++) {
        ref->d[j] = strcmp(scaling, "adagrad") == 0 ? ref->d[j] + hs[j]
                                                    : beta * ref->d[j] + (1.0 - beta) * hs[j];
    }
    ref->t++;
}

/* One synchronisation: H - 1 steps with the D there is (none: no steps), all of them once more with
 * the new one, then the mean of the models. With momentum, the part of before is taken with D as it
 * was. */
static void
reference_round(struct reference *ref, const struct trip *trip, const char *scaling, double beta1)
{
    bool is_curvature = strcmp(scaling, "oasis") == 0 || strcmp(scaling, "adahessian") == 0;
    double u[AGENTS_MAX][N];
    double last[AGENTS_MAX][N];
    double hs[N] = { 0 };
    double x[N] = { 0 };
    double count = (double) trip->count;

    for (size_t i = 0; i < trip->count; i++) {
        uint64_t k = ref->t * STEPS;
        double g[N];
        double h[N];

        memcpy(u[i], ref->x, sizeof(ref->x));
        for (int s = 0; s < STEPS - 1; s++, k++) {
            batch_look(&trip->agents[i], u[i], k, g, h);
            for (size_t j = 0; ref->t > 0 && j < N; j++) {
                ref->m[i][j] = beta1 * ref->m[i][j] + (1.0 - beta1) * g[j];
                u[i][j] -= STEP * ref->m[i][j] / entry_of(scaling, ref->d[j]);
            }
        }
        batch_look(&trip->agents[i], u[i], k, last[i], h);
        for (size_t j = 0; j < N; j++) {
            double one = is_curvature ? h[j] : last[i][j];

            hs[j] += (strcmp(scaling, "oasis") == 0 ? one : one * one) / count;
            u[i][j] -=
                ref->t == 0 ? 0.0 : STEP * beta1 * ref->m[i][j] / entry_of(scaling, ref->d[j]);
            ref->m[i][j] = beta1 * ref->m[i][j] + (1.0 - beta1) * last[i][j];
        }
    }
    refresh(ref, scaling, hs);
    for (size_t i = 0; i < trip->count; i++) {
        for (size_t j = 0; j < N; j++) {
            double moved =
                u[i][j] - STEP * (1.0 - beta1) * last[i][j] / entry_of(scaling, ref->d[j]);

            x[j] += moved / count;
        }
    }
    memcpy(ref->x, x, sizeof(x));
}

static const char *const scalings[] = { "adam", "rmsprop", "adagrad", "oasis", "adahessian" };

static void check(const char *scaling, size_t agents, double beta1)
{
    set_recipe(scaling, beta1);
    struct trip trip = trip_new(agents);
    struct reference ref = { .t = 0 };

    for (int r = 0; r < ROUNDS; r++) {
        trip_round(&trip);
        reference_round(&ref, &trip, scaling, beta1);
        for (size_t j = 0; j < N; j++) {
            cr_assert_float_eq(
                trip.kept[2 * j], ref.x[j], 1e-12, "%s, round %d, x of %zu", scaling, r, j);
            cr_assert_float_eq(
                trip.kept[2 * j + 1], ref.d[j], 1e-12, "%s, round %d, D of %zu", scaling, r, j);
        }
    }
    trip_drop(&trip);
}

Test(scaled, one_agent_is_the_serial_algorithm, .timeout = 20)
{
    for (size_t s = 0; s < 5; s++) {
        check(scalings[s], 1, 0.0);
        check(scalings[s], 1, 0.6);
    }
}

Test(scaled, the_mean_of_updates_is_that_of_models_after_the_common_step, .timeout = 20)
{
    for (size_t s = 0; s < 5; s++) {
        check(scalings[s], 2, 0.0);
        check(scalings[s], 2, 0.6);
    }
}

Test(scaled, a_newcomer_offers_what_one_that_was_there_does, .timeout = 20)
{
    set_recipe("adam", 0.0);
    struct trip trip = trip_new(1);
    double left[3 * N];
    double right[3 * N];

    for (int r = 0; r < ROUNDS; r++) {
        trip_round(&trip);
    }
    offer_of(&trip, 0, left);
    lone_drop(&trip.agents[0]);
    trip.agents[0] = lone_new("savic", recipe, 3);
    offer_of(&trip, 0, right);
    cr_assert_arr_eq(left, right, 2 * N * sizeof(double));
    trip_drop(&trip);
}

Test(scaled, what_was_not_counted_leaves_the_momentum_as_it_was, .timeout = 20)
{
    set_recipe("adam", 0.6);
    struct trip trip = trip_new(1);
    double left[3 * N];
    double right[3 * N];

    for (int r = 0; r < ROUNDS; r++) {
        trip_round(&trip);
    }
    offer_of(&trip, 0, left);
    trip.agents[0].ops->concluded(trip.agents[0].state, false);
    offer_of(&trip, 0, right);
    cr_assert_arr_eq(left, right, 2 * N * sizeof(double));
    trip.agents[0].ops->concluded(trip.agents[0].state, true);
    offer_of(&trip, 0, right);
    cr_assert_neq(memcmp(left, right, 2 * N * sizeof(double)), 0);
    trip_drop(&trip);
}
