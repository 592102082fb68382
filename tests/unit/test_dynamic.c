/*
 * The policy that averages when the models have come apart: estimates never below the variance,
 * Theta as set or learnt, state that survives.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/sketch.h"
#include "config/config.h"
#include "policy/monitor.h"
#include "policy/policy.h"

struct desk {
    struct cnv_config *config;
    const struct cnv_policy_ops *ops;
    void *state;
};

static struct desk desk_new(const char *const *settings)
{
    struct desk desk = { .config = cnv_config_new(), .ops = cnv_policy_find("dynamic") };

    for (; *settings != NULL; settings++) {
        cr_assert_eq(cnv_config_assign(desk.config, *settings, "test", NULL), CNV_OK);
    }
    desk.state = cnv_array_new(1, desk.ops->state_size);
    cr_assert_eq(desk.ops->init(desk.state, desk.config, NULL), CNV_OK);
    return desk;
}

static void desk_free(struct desk *desk)
{
    cnv_free(desk->state);
    cnv_config_destroy(desk->config);
}

static struct cnv_decision
decide(struct desk *desk, uint64_t round, uint32_t steps, double variance)
{
    struct cnv_round_view view = {
        .round = round,
        .local_steps = steps,
        .contributors = 4,
        .variance = variance,
        .estimate = NAN,
        .loss = NAN,
        .rows = 3200,
    };
    struct cnv_decision decision = { .local_steps = 3 };

    desk->ops->decide(desk->state, &view, &decision);
    return decision;
}

static bool sync_now(struct desk *desk, double square)
{
    struct cnv_monitor_view view = { .monitor = "naive", .scalars = &square, .scalar_count = 1 };
    double estimate = 0;
    bool is_time = desk->ops->sync_now(desk->state, &view, &estimate);

    cr_assert(estimate == square || (isnan(estimate) && isnan(square)));
    return is_time;
}

Test(dynamic, a_set_threshold_is_watched_from_the_first_round_on, .timeout = 5)
{
    const char *const settings[] = { "policy/threshold=2",
                                     "policy/check-every=5",
                                     "policy/monitor=sketch",
                                     "policy/max-local-steps=700",
                                     NULL };
    struct desk desk = desk_new(settings);
    struct cnv_decision decision = decide(&desk, 0, 0, NAN);

    cr_assert_eq(decision.local_steps, 700);
    cr_assert_eq(decision.check_every, 5);
    cr_assert_str_eq(decision.monitor, "sketch");
    cr_assert_not(sync_now(&desk, 2.0));
    cr_assert(sync_now(&desk, 2.0001));
    cr_assert(sync_now(&desk, NAN), "what is not known may be more");
    (void) decide(&desk, 1, 50, 9.0);
    cr_assert_not(sync_now(&desk, 2.0));
    desk_free(&desk);
}

/* Batch 100, 4 agents, 3200 rows: a pass has 8 steps. */
Test(dynamic, theta_is_learnt_as_fda_opt_does, .timeout = 5)
{
    const char *const settings[] = { "run/agents=4", "solver/batch=100", NULL };
    struct desk desk = desk_new(settings);
    struct cnv_decision decision = decide(&desk, 0, 0, NAN);

    cr_assert_eq(decision.local_steps, 8);
    cr_assert_eq(decision.check_every, 0, "nothing is watched in the first round");
    decision = decide(&desk, 1, 8, 0.25); /* (5 * 8 / 8) 0.25 */
    cr_assert_eq(decision.local_steps, 80);
    cr_assert_eq(decision.check_every, 1);
    cr_assert_not(sync_now(&desk, 1.25));
    cr_assert(sync_now(&desk, 1.2501));
    (void) decide(&desk, 2, 80, 1.0); /* (40 / 80) 1 */
    cr_assert_not(sync_now(&desk, 0.5));
    cr_assert(sync_now(&desk, 0.5001));
    desk_free(&desk);
}

Test(dynamic, a_round_of_one_teaches_nothing, .timeout = 5)
{
    const char *const settings[] = { "run/agents=4", "solver/batch=100", NULL };
    struct desk desk = desk_new(settings);

    (void) decide(&desk, 0, 0, NAN);
    struct cnv_decision decision = decide(&desk, 1, 8, 0.0);
    cr_assert_eq(decision.local_steps, 8);
    cr_assert_eq(decision.check_every, 0);
    desk_free(&desk);
}

Test(dynamic, what_is_saved_decides_the_same, .timeout = 5)
{
    const char *const settings[] = { "run/agents=4", "solver/batch=100", NULL };
    struct desk before = desk_new(settings);
    struct desk after = desk_new(settings);
    uint8_t bytes[64];

    (void) decide(&before, 0, 0, NAN);
    (void) decide(&before, 1, 8, 0.25);
    size_t size = before.ops->save(before.state, bytes, sizeof(bytes));
    cr_assert_eq(after.ops->load(after.state, bytes, size, NULL), CNV_OK);
    cr_assert_not(sync_now(&after, 1.25));
    cr_assert(sync_now(&after, 1.2501));
    memset(bytes, 0xff, size);
    cr_assert_eq(after.ops->load(after.state, bytes, size, NULL), CNV_E_MALFORMED);
    cr_assert_eq(after.ops->load(after.state, bytes, size - 1, NULL), CNV_E_SIZE);
    desk_free(&before);
    desk_free(&after);
}

/* --- Estimates ---------------------------------------------------------------------------- */

enum { AGENTS = 5, LENGTH = 3000 };

/* Members' drifts with something in common, uneven weights, and the monitors' means. */
struct drift {
    double common; /* how much of it */
    double variance;
    double square;     /* mean q */
    double projection; /* mean <xi, Delta>, xi a unit vector near the mean */
    double sketch[CNV_SKETCH_SIZE];
};

static void drift_draw(struct drift *drift, uint64_t seed, double common)
{
    static double values[AGENTS][LENGTH];
    static double mean[LENGTH];
    static double direction[LENGTH];
    static const double weights[AGENTS] = { 0.1, 0.3, 0.2, 0.15, 0.25 };
    double sketch[CNV_SKETCH_SIZE];
    double norm = 0;
    struct cnv_rng rng;

    memset(mean, 0, sizeof(mean));
    memset(drift, 0, sizeof(*drift));
    drift->common = common;
    cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t j = 0; j < LENGTH; j++) {
        double shared = common * cnv_rng_normal(&rng);

        for (size_t i = 0; i < AGENTS; i++) {
            values[i][j] = shared + 0.3 * cnv_rng_normal(&rng);
            mean[j] += weights[i] * values[i][j];
        }
        direction[j] = mean[j] + 0.2 * cnv_rng_normal(&rng);
        norm += direction[j] * direction[j];
    }
    for (size_t i = 0; i < AGENTS; i++) {
        cnv_sketch_take(seed, values[i], LENGTH, sketch);
        for (size_t j = 0; j < LENGTH; j++) {
            double from_mean = values[i][j] - mean[j];

            drift->variance += weights[i] * from_mean * from_mean;
            drift->square += weights[i] * values[i][j] * values[i][j];
            drift->projection += weights[i] * direction[j] / sqrt(norm) * values[i][j];
        }
        for (size_t k = 0; k < CNV_SKETCH_SIZE; k++) {
            drift->sketch[k] += weights[i] * sketch[k];
        }
    }
}

Test(dynamic, estimates_are_not_below_the_variance, .timeout = 60)
{
    size_t below = 0;
    double ratio = 0;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct drift drift;

        drift_draw(&drift, seed, (double) (seed % 5));
        double numbers[3] = { drift.square, drift.projection, 1.0 };
        double slack = drift.variance * (1 - 1e-9);
        struct cnv_monitor_view view = { .monitor = "naive",
                                         .scalars = numbers,
                                         .scalar_count = 1 };

        cr_assert_geq(cnv_monitor_estimate(&view), slack);
        view.monitor = "linear";
        view.scalar_count = 3;
        cr_assert_geq(cnv_monitor_estimate(&view), slack);
        numbers[2] = 0.9; /* somebody does not know the direction */
        cr_assert_eq(cnv_monitor_estimate(&view), drift.square);
        view.monitor = "sketch";
        view.scalar_count = 1;
        view.vector = drift.sketch;
        view.length = CNV_SKETCH_SIZE;
        below += cnv_monitor_estimate(&view) < slack;
        ratio += cnv_monitor_estimate(&view) / drift.square / 100;
        view.monitor = "exact";
        view.variance = drift.variance;
        cr_assert_eq(cnv_monitor_estimate(&view), drift.variance);
    }
    cr_assert_leq(below, 10, "%zu of 100 sketches", below);
    cr_assert_lt(ratio, 1);
}

Test(dynamic, what_a_monitor_does_not_offer_is_not_known, .timeout = 5)
{
    double numbers[3] = { 1, 0, 1 };
    struct cnv_monitor_view view = { .monitor = "linear", .scalars = numbers, .scalar_count = 1 };

    cr_assert(isnan(cnv_monitor_estimate(&view)));
    view.monitor = "naive";
    view.scalar_count = 0;
    cr_assert(isnan(cnv_monitor_estimate(&view)));
    view.monitor = "sketch";
    view.scalar_count = 1;
    cr_assert(isnan(cnv_monitor_estimate(&view)));
    view.monitor = "what";
    cr_assert(isnan(cnv_monitor_estimate(&view)));
}
