/* Local Adam against its own few lines: moments over rounds, weight decay, clipping. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "lone.h"

enum { FEATURES = LONE_FEATURES, BATCH = 8 };

/* How much the first steps move: by hand from the definition, as g / |g| when epsilon is 0. */
Test(adam, the_first_step_is_the_sign_of_the_gradient_times_the_step, .timeout = 20)
{
    const char *const set[] = {
        "solver/step=0.5", "solver/batch=0", "solver/epsilon=1e-300", NULL
    };
    struct lone agent = lone_new("adam", set, 1);
    double zero[FEATURES] = { 0.0 };
    double moved[FEATURES];
    double g[FEATURES];

    (void) agent.problem->ops->gradient(agent.problem->state, zero, NULL, g);
    lone_round(&agent, zero, 0, 1, moved);
    for (size_t j = 0; j < FEATURES; j++) {
        cr_assert_float_eq(moved[j], g[j] > 0.0 ? -0.5 : 0.5, 1e-14);
    }
    lone_drop(&agent);
}

/* AdamW as its paper writes it, from the start of the run: Algorithm 2 of Loshchilov and Hutter. */
struct reference {
    double u[FEATURES];
    double m[FEATURES];
    double v[FEATURES];
    int t;
};

static void reference_step(struct reference *ref, const struct lone *agent, uint64_t k)
{
    size_t rows[BATCH];
    double g[FEATURES];
    double norm = 0.0;
    struct cnv_batch batch = { .rows = rows, .count = BATCH };

    lone_draw(agent, k, BATCH, rows);
    (void) agent->problem->ops->gradient(agent->problem->state, ref->u, &batch, g);
    for (size_t j = 0; j < FEATURES; j++) {
        norm += g[j] * g[j];
    }
    ref->t++;
    for (size_t j = 0; j < FEATURES; j++) {
        double cut = g[j] * fmin(1.0, 0.2 / sqrt(norm));

        ref->m[j] = 0.8 * ref->m[j] + 0.2 * cut;
        ref->v[j] = 0.95 * ref->v[j] + 0.05 * cut * cut;
        double m = ref->m[j] / (1.0 - pow(0.8, ref->t));
        double v = ref->v[j] / (1.0 - pow(0.95, ref->t));
        ref->u[j] -= 0.05 * (m / (sqrt(v) + 1e-3) + 0.1 * ref->u[j]);
    }
}

static const char *const recipe[] = { "solver/step=0.05",    "solver/batch=8",
                                      "solver/beta1=0.8",    "solver/beta2=0.95",
                                      "solver/epsilon=1e-3", "solver/weight-decay=0.1",
                                      "solver/clip=0.2",     NULL };

Test(adam, follows_the_recursion_over_rounds_without_a_reset, .timeout = 20)
{
    struct lone agent = lone_new("adam", recipe, 3);
    struct reference ref = { .t = 0 };
    double model[FEATURES] = { 0.0 };
    uint64_t k = 0;

    for (int r = 0; r < 4; r++) {
        lone_round(&agent, model, k, 3, model);
        agent.ops->concluded(agent.state, true);
        for (int i = 0; i < 3; i++, k++) {
            reference_step(&ref, &agent, k);
        }
        for (size_t j = 0; j < FEATURES; j++) {
            cr_assert_float_eq(model[j], ref.u[j], 1e-14);
        }
    }
    lone_drop(&agent);
}

Test(adam, moments_and_their_count_of_a_round_that_did_not_count_are_forgotten, .timeout = 20)
{
    struct lone agent = lone_new("adam", recipe, 3);
    double zero[FEATURES] = { 0.0 };
    double first[FEATURES];
    double refused[FEATURES];
    double counted[FEATURES];

    lone_round(&agent, zero, 0, 5, first);
    agent.ops->concluded(agent.state, false);
    lone_round(&agent, zero, 0, 5, refused);
    cr_assert_eq(memcmp(first, refused, sizeof(first)), 0);
    agent.ops->concluded(agent.state, true);
    lone_round(&agent, zero, 0, 5, counted);
    cr_assert_neq(memcmp(first, counted, sizeof(first)), 0);
    lone_drop(&agent);
}
