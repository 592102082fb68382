/* FedAC against its four lines, with both sequences averaged over two agents' worth of settling. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "lone.h"

enum { N = LONE_FEATURES, BATCH = 8, STEPS = 3 };

/* A round whose exchange settles with what the agent itself offers. */
static void
round_of(struct lone *agent, const double *model, uint64_t iteration, double *x, double *out)
{
    struct cnv_solver_round round = { .model = model,
                                      .iteration = iteration,
                                      .local_steps = STEPS };
    struct cnv_solver_contribution part;

    agent->ops->begin(agent->state, &round);
    for (int i = 0; i < STEPS; i++) {
        cr_assert_eq(agent->ops->step(agent->state, NULL), CNV_OK);
    }
    cr_assert_eq(agent->ops->contribute(agent->state, "auxiliary", 0, &part, NULL), CNV_OK);
    memcpy(x, part.values, N * sizeof(*x));
    struct cnv_solver_result settled = { .values = x, .length = N };
    agent->ops->settled(agent->state, "auxiliary", 0, &settled);
    cr_assert_eq(agent->ops->contribute(agent->state, "model", 1, &part, NULL), CNV_OK);
    for (size_t j = 0; j < N; j++) {
        out[j] = model[j] + part.values[j];
    }
}

static void step(const struct lone *agent,
                 double alpha,
                 double beta,
                 double gamma,
                 double *x,
                 double *ag,
                 uint64_t k)
{
    size_t rows[BATCH];
    struct cnv_batch batch = { .rows = rows, .count = BATCH };
    double md[N];
    double g[N];

    for (size_t j = 0; j < N; j++) {
        md[j] = x[j] / beta + (1.0 - 1.0 / beta) * ag[j];
    }
    lone_draw(agent, k, BATCH, rows);
    (void) agent->problem->ops->gradient(agent->problem->state, md, &batch, g);
    for (size_t j = 0; j < N; j++) {
        ag[j] = md[j] - 0.1 * g[j];
        x[j] = (1.0 - 1.0 / alpha) * x[j] + md[j] / alpha - gamma * g[j];
    }
}

static void follows(const char *kind, double alpha, double beta, double gamma)
{
    const char *const set[] = {
        "problem/l2=0.05", "solver/step=0.1", "solver/batch=8", "solver/convexity=0.5", kind, NULL
    };
    struct lone agent = lone_new("fedac", set, 3);
    double model[N] = { 0.0 };
    double told[N];
    double x[N] = { 0.0 };
    double ag[N] = { 0.0 };
    uint64_t k = 0;

    for (int r = 0; r < 4; r++) {
        round_of(&agent, model, k, told, model);
        agent.ops->concluded(agent.state, true);
        for (int i = 0; i < STEPS; i++, k++) {
            step(&agent, alpha, beta, gamma, x, ag, k);
        }
        for (size_t j = 0; j < N; j++) {
            cr_assert_float_eq(model[j], ag[j], 1e-13, "%s, round %d", kind, r + 1);
            cr_assert_float_eq(told[j], x[j], 1e-13, "%s, round %d", kind, r + 1);
        }
    }
    lone_drop(&agent);
}

/* eta 0.1, mu 0.5, K 3: gamma = sqrt(0.1 / 1.5). */
Test(fedac, follows_both_choices_of_its_constants, .timeout = 20)
{
    double gamma = sqrt(0.1 / 1.5);
    double one = 1.0 / (gamma * 0.5);
    double two = 3.0 / (2.0 * gamma * 0.5) - 0.5;

    follows("solver/fedac=I", one, one + 1.0, gamma);
    follows("solver/fedac=II", two, (2.0 * two * two - 1.0) / (two - 1.0), gamma);
}

/* What settled is where the next round starts from, whatever the agent had itself. */
Test(fedac, takes_the_settled_sequence_over_once_it_was_counted, .timeout = 20)
{
    const char *const set[] = { "solver/batch=8", NULL };
    struct lone agent = lone_new("fedac", set, 3);
    double zero[N] = { 0.0 };
    double first[N];
    double again[N];
    double x[N];

    round_of(&agent, zero, 0, x, first);
    agent.ops->concluded(agent.state, false);
    round_of(&agent, zero, 0, x, again);
    cr_assert_eq(memcmp(first, again, sizeof(first)), 0);
    agent.ops->concluded(agent.state, true);
    round_of(&agent, zero, 0, x, again);
    cr_assert_neq(memcmp(first, again, sizeof(first)), 0);
    lone_drop(&agent);
}
