/*
 * isaga.c - ISAGA for distributed data: a table of row gradients, one row and some blocks a round.
 *
 * Mishchenko et al. 2020, Algorithm 5. Agent i keeps
 * alpha_ij, the gradient of row j as it was last seen, block by block, and their mean abar_i:
 *     draws a row j and U_i ;  D := (grad f_ij(x) - alpha_ij)_{U_i}
 *     sends -gamma (D + (abar_i)_{U_i})
 *     alpha_ij := alpha_ij + D ;  abar_i := abar_i + D / rows
 * gamma = 1 / (L (3/n + tau)) with L of single rows; the corollary's n / (5 L) at tau = 1/n
 * is `theory`. Proved where all agents share a minimum. The table has rows x n numbers,
 * starts at zero, and moves only when the contribution counted. One agent with tau = 1 and gamma =
 * 1/(4 L) is SAGA.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "num/vector.h"
#include "solver/local.h"
#include "solver/sampling.h"

struct isaga {
    struct cnv_sampled sampled;
    double *table; /* [rows x n] alpha */
    double *mean;  /* [n] abar */
    double *d;     /* [n] D of the round in hand */
    size_t row;    /* j of the round in hand */
};

extern const struct cnv_solver_ops cnv_solver_isaga;

static enum cnv_status
isaga_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct isaga *isaga = state;
    struct cnv_sampled *sampled = &isaga->sampled;
    size_t n = setup->problem->dimension;
    size_t rows = setup->problem->rows;
    size_t entries = 0;
    enum cnv_status status = cnv_sampled_init(sampled, &cnv_solver_isaga, setup, 2, err);

    if (status != CNV_OK) {
        return status;
    }
    if (!__builtin_mul_overflow(n, rows, &entries)) {
        isaga->table = cnv_array_new(entries, sizeof(double));
    }
    if (isaga->table == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "table of %zu rows in %zu coordinates", rows, n);
    }
    isaga->mean = sampled->vectors;
    isaga->d = isaga->mean + n;
    double agents = (double) sampled->sampling.partition.agents;
    double tau = sampled->sampling.partition.tau;
    double smoothness = sampled->sampling.smoothness;
    sampled->step = cnv_sampling_step(setup->config,
                                      1.0 / (smoothness * (3.0 / agents + tau)),
                                      1.0 / (smoothness * (4.0 / agents + tau)));
    return CNV_OK;
}

static void isaga_fini(void *state)
{
    struct isaga *isaga = state;

    cnv_sampled_fini(&isaga->sampled);
    cnv_free(isaga->table);
    isaga->table = NULL;
}

static enum cnv_status isaga_step(void *state, struct cnv_error *err)
{
    struct isaga *isaga = state;
    struct cnv_sampled *sampled = &isaga->sampled;
    struct cnv_problem *problem = sampled->problem;
    const struct cnv_sampling *sampling = &sampled->sampling;
    size_t n = problem->dimension;
    struct cnv_rng rng;

    (void) err;
    cnv_rng_init(&rng, sampling->seed, CNV_RNG_BATCH, sampling->stream, sampled->iteration);
    isaga->row = (size_t) cnv_rng_below(&rng, problem->rows);
    struct cnv_batch batch = { .rows = &isaga->row, .count = 1 };
    (void) problem->ops->gradient(problem->state, sampled->model, &batch, sampled->g);
    cnv_sampling_difference(sampling, sampled->g, isaga->table + isaga->row * n, isaga->d);
    cnv_vector_zero(n, sampled->update);
    cnv_vector_add(n, -sampled->step, isaga->d, sampled->update);
    cnv_sampling_add(sampling, -sampled->step, isaga->mean, sampled->update);
    return CNV_OK;
}

static void isaga_concluded(void *state, bool counted)
{
    struct isaga *isaga = state;
    size_t n = isaga->sampled.problem->dimension;

    if (counted) {
        cnv_vector_add(n, 1.0, isaga->d, isaga->table + isaga->row * n);
        cnv_vector_add(n, 1.0 / (double) isaga->sampled.problem->rows, isaga->d, isaga->mean);
    }
}

const struct cnv_solver_ops cnv_solver_isaga = {
    .name = "isaga",
    .text = "ISAGA on distributed data: variance reduced blocks of row gradients",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 5",
    .keys = CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct isaga),
    .init = isaga_init,
    .fini = isaga_fini,
    .begin = cnv_sampled_begin,
    .step = isaga_step,
    .contribute = cnv_sampled_contribute,
    .settled = cnv_local_settled,
    .concluded = isaga_concluded,
    .smoothness = cnv_sampling_of_rows,
};
