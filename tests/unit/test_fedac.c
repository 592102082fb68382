/* FedAC against its four lines, with both sequences averaged over two agents' worth of settling. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "lone.h"
#include "num/vector.h"

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

/* --- On F = sum of h_j x_j^2 / 2, with L = 1 and mu = 1e-3 ------------------------------------ */

enum { D = 4, ROUNDS = 400 };

static const double curvatures[D] = { 1.0, 0.1, 0.01, 0.001 };

static double bowl_gradient(void *state, const double *w, const struct cnv_batch *batch, double *g)
{
    double value = 0.0;

    (void) state;
    (void) batch;
    for (size_t j = 0; j < D; j++) {
        g[j] = curvatures[j] * w[j];
        value += 0.5 * g[j] * w[j];
    }
    return value;
}

static double bowl_value(const double *w)
{
    double g[D];

    return bowl_gradient(NULL, w, NULL, g);
}

/* With step 1 / L = 1. Each step keeps within its bound; F at the end is returned. */
static double descend(const char *kind, uint32_t steps)
{
    static const struct cnv_problem_ops bowl = { .name = "bowl", .gradient = bowl_gradient };
    const char *const set[] = { "solver/step=1", "solver/convexity=1e-3", "solver/batch=0", kind };
    struct cnv_problem problem = { &bowl, NULL, D, 1 };
    struct cnv_config *config = cnv_config_new();
    struct cnv_solver_setup setup = { .config = config, .problem = &problem };
    const struct cnv_solver_ops *ops = cnv_solver_find("fedac");
    void *state = cnv_array_new(1, ops->state_size);
    double model[D] = { 1.0, -1.0, 1.0, -1.0 };
    double gamma = sqrt(1.0 / (1e-3 * steps));
    bool is_first = strcmp(kind, "solver/fedac=I") == 0;
    double alpha = is_first ? 1.0 / (gamma * 1e-3) : 3.0 / (2.0 * gamma * 1e-3) - 0.5;
    double rho = is_first ? 1.0 / alpha : 0.5 / alpha;
    double before = bowl_value(model) + 0.5 * rho / gamma * cnv_vector_dot(D, model, model);

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        cr_assert_eq(cnv_config_assign(config, set[i], "test", NULL), CNV_OK);
    }
    cr_assert_eq(ops->init(state, &setup, NULL), CNV_OK);
    for (int r = 0; r < ROUNDS; r++) {
        struct cnv_solver_round round = { .model = model, .local_steps = steps };
        struct cnv_solver_contribution part;
        double x[D];

        ops->begin(state, &round);
        for (uint32_t i = 0; i < steps; i++) {
            cr_assert_eq(ops->step(state, NULL), CNV_OK);
        }
        cr_assert_eq(ops->contribute(state, "auxiliary", 0, &part, NULL), CNV_OK);
        cnv_vector_copy(D, part.values, x);
        cr_assert_eq(ops->contribute(state, "model", 1, &part, NULL), CNV_OK);
        cnv_vector_add(D, 1.0, part.values, model);
        ops->concluded(state, true);
        double after = bowl_value(model) + 0.5 * rho / gamma * cnv_vector_dot(D, x, x);
        cr_assert_leq(after,
                      pow(1.0 - rho, steps) * before * (1.0 + 1e-12),
                      "%s, %u steps, round %d: %g to %g",
                      kind,
                      steps,
                      r,
                      before,
                      after);
        before = after;
    }
    ops->fini(state);
    cnv_free(state);
    cnv_config_destroy(config);
    return bowl_value(model);
}

/* Gradient descent with the same step leaves exp(-0.8) of what is slow after 400 steps. */
Test(fedac, accelerates_at_the_bound_that_its_constants_promise, .timeout = 20)
{
    double plain = 0.5e-3 * pow(1.0 - 1e-3, 2 * ROUNDS);

    cr_assert_lt(descend("solver/fedac=I", 1), 1e-3 * plain);
    cr_assert_lt(descend("solver/fedac=II", 1), 1e-2 * plain);
    plain = 0.5e-3 * pow(1.0 - 1e-3, 2 * 8 * ROUNDS);
    cr_assert_lt(descend("solver/fedac=I", 8), 1e-3 * plain);
    cr_assert_lt(descend("solver/fedac=II", 8), 1e-3 * plain);
}
