/*
 * fedac.c - FedAC: local SGD with two sequences, the comparator of growing intervals.
 *
 * Yuan and Ma 2020 (FedAC), Algorithm 1. At local step k
 *     x_md := x / beta + (1 - 1 / beta) x_ag;   g := minibatch gradient at x_md
 *     x_ag := x_md - eta g;   x := (1 - 1 / alpha) x + x_md / alpha - gamma g
 * with eta = step(k), mu = solver/convexity, K the local steps of the round and
 *     gamma = max(eta, sqrt(eta / (mu K)))
 *     I   alpha = 1 / (gamma mu),             beta = alpha + 1
 *     II  alpha = 3 / (2 gamma mu) - 1 / 2,   beta = (2 alpha^2 - 1) / (alpha - 1)
 * Checked: I, and gamma and alpha of II, are those of the authors' published code, whose beta of II
 * is 2 alpha^2 / (alpha - 1). The paper's, with the - 1, was not at hand, but is what its argument
 * needs. Without noise, for eta <= 1 / L and c = rho / (gamma mu), one step takes
 *     F(x_ag) - F* + (c mu / 2) |x - x*|^2   to at most 1 - rho times what it was
 * where what multiplies the gradient cancels: beta = (alpha - rho) / (rho (alpha - 1)). With
 * rho = 1 / alpha that is I, with rho = 1 / (2 alpha) it is II (tests/unit/test_fedac.c).
 *
 * Both are averaged. x_ag is the model, relative to the broadcast one; x travels in the exchange
 * `auxiliary` before it, as it is: no server has to know it, and who comes new starts from x = x_ag
 * and has what settles from the next round on. x advances only when the contribution was counted.
 */
#include <math.h>
#include <string.h>

#include "base/schedule.h"
#include "num/vector.h"
#include "solver/local.h"

struct fedac {
    struct cnv_local local; /* u is x_ag */
    struct cnv_schedule schedule;
    bool is_second; /* FedAC-II */
    double mu;
    double steps; /* K */
    bool has_x;   /* false: x is the model */
    double *x;    /* [n] as of the last commit we were counted in */
    double *next; /* [n] of the round in hand; once settled, the mean of all */
    double *md;   /* [n] */
};

static enum cnv_status
fedac_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct fedac *fedac = state;
    size_t n = setup->problem->dimension;
    enum cnv_status status = cnv_local_init(&fedac->local, setup, "fedac", 3, err);

    if (status != CNV_OK) {
        return status;
    }
    fedac->is_second = strcmp(cnv_config_text(setup->config, "solver/fedac"), "II") == 0;
    fedac->mu = cnv_config_real(setup->config, "solver/convexity");
    fedac->x = fedac->local.vectors;
    fedac->next = fedac->x + n;
    fedac->md = fedac->next + n;
    return cnv_schedule_read(setup->config, &fedac->schedule, err);
}

static void fedac_fini(void *state)
{
    struct fedac *fedac = state;

    cnv_local_fini(&fedac->local);
}

static void fedac_begin(void *state, const struct cnv_solver_round *round)
{
    struct fedac *fedac = state;

    cnv_local_begin(&fedac->local, round);
    fedac->steps = fmax((double) round->local_steps, 1.0);
    cnv_vector_copy(
        fedac->local.problem->dimension, fedac->has_x ? fedac->x : round->model, fedac->next);
}

static enum cnv_status fedac_step(void *state, struct cnv_error *err)
{
    struct fedac *fedac = state;
    struct cnv_local *local = &fedac->local;
    size_t n = local->problem->dimension;
    double eta = cnv_schedule_step(&fedac->schedule, local->iteration);
    double gamma = fmax(eta, sqrt(eta / (fedac->mu * fedac->steps)));
    double ratio = 1.0 / (gamma * fedac->mu);
    double alpha = fedac->is_second ? 1.5 * ratio - 0.5 : ratio;
    double beta = fedac->is_second ? (2.0 * alpha * alpha - 1.0) / (alpha - 1.0) : alpha + 1.0;

    (void) err;
    for (size_t i = 0; i < n; i++) {
        fedac->md[i] = fedac->next[i] / beta + (1.0 - 1.0 / beta) * local->u[i];
    }
    cnv_local_gradient(local, fedac->md);
    for (size_t i = 0; i < n; i++) {
        local->u[i] = fedac->md[i] - eta * local->g[i];
        fedac->next[i] =
            (1.0 - 1.0 / alpha) * fedac->next[i] + fedac->md[i] / alpha - gamma * local->g[i];
    }
    local->iteration++;
    return CNV_OK;
}

static enum cnv_status fedac_contribute(void *state,
                                        const char *exchange,
                                        uint32_t index,
                                        struct cnv_solver_contribution *contribution,
                                        struct cnv_error *err)
{
    struct fedac *fedac = state;
    struct cnv_local *local = &fedac->local;
    struct cnv_problem *problem = local->problem;

    if (index != 0 || strcmp(exchange, "auxiliary") != 0) {
        return cnv_local_contribute(local, "fedac", exchange, index, contribution, err);
    }
    *contribution =
        (struct cnv_solver_contribution){ .values = fedac->next, .length = problem->dimension };
    if (local->evaluate) {
        contribution->scalars[0] = problem->ops->loss(problem->state, local->model, NULL);
        contribution->scalar_count = 1;
    }
    return CNV_OK;
}

static void fedac_settled(void *state,
                          const char *exchange,
                          uint32_t index,
                          const struct cnv_solver_result *result)
{
    struct fedac *fedac = state;

    if (index == 0 && strcmp(exchange, "auxiliary") == 0) {
        cnv_vector_copy(fedac->local.problem->dimension, result->values, fedac->next);
    }
}

static void fedac_concluded(void *state, bool counted)
{
    struct fedac *fedac = state;

    if (counted) {
        cnv_vector_copy(fedac->local.problem->dimension, fedac->next, fedac->x);
        fedac->has_x = true;
    }
}

const struct cnv_solver_ops cnv_solver_fedac = {
    .name = "fedac",
    .text = "FedAC: accelerated local SGD; two sequences, both averaged",
    .paper = "Yuan and Ma 2020, FedAC (arXiv 2006.08950), Algorithm 1",
    .keys = "solver/fedac solver/convexity " CNV_LOCAL_KEYS " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct fedac),
    .init = fedac_init,
    .fini = fedac_fini,
    .begin = fedac_begin,
    .step = fedac_step,
    .contribute = fedac_contribute,
    .settled = fedac_settled,
    .concluded = fedac_concluded,
};
