/*
 * isaga_shared.c - ISAGA on data that all agents have: some blocks of one row's gradient a round,
 * against a table of all rows' on the server.
 *
 * Mishchenko et al. 2020, Algorithm 4. With psi_j the objective on row j alone, in iteration t:
 *     all     : draw n different rows j_1 .. j_n from (seed, t): agent i, of shard i, takes j_i
 *     agent i : draws U_i ; sends -gamma (grad psi_{j_i}(x))_{U_i}
 *     server  : optimiser/kind=saga-table, which draws the same rows
 * gamma = 1 / (L (3/n + tau)) with L of single rows (solver/smoothness); the corollary's n / (5 L)
 * at tau = 1/n is `theory`. No state outlives a round. One agent with tau = 1 is SAGA, and gamma
 * then 1 / (4 L).
 */
#include <inttypes.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/vector.h"
#include "solver/local.h"
#include "solver/sampling.h"

struct isaga_shared {
    struct cnv_sampled sampled;
    uint32_t number; /* i, from 1 */
    uint64_t *rows;  /* [number] j_1 .. j_i */
};

extern const struct cnv_solver_ops cnv_solver_isaga_shared;

static enum cnv_status
isaga_shared_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct isaga_shared *isaga = state;
    struct cnv_sampled *sampled = &isaga->sampled;
    enum cnv_status status = cnv_sampled_init(sampled, &cnv_solver_isaga_shared, setup, 0, err);

    if (status != CNV_OK) {
        return status;
    }
    size_t agents = sampled->sampling.partition.agents;
    double tau = sampled->sampling.partition.tau;
    double smoothness = sampled->sampling.smoothness;

    if (setup->shard < 1 || setup->shard > agents || agents > setup->problem->rows) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "solver isaga-shared: run/agents=%zu agents, of which this is number "
                        "%" PRIu32 ", cannot have a row each of %zu",
                        agents,
                        setup->shard,
                        setup->problem->rows);
    }
    isaga->number = setup->shard;
    isaga->rows = cnv_array_new(isaga->number, sizeof(*isaga->rows));
    sampled->step = cnv_sampling_step(setup->config,
                                      1.0 / (smoothness * (3.0 / (double) agents + tau)),
                                      1.0 / (smoothness * (4.0 / (double) agents + tau)));
    return isaga->rows != NULL ? CNV_OK : cnv_fail(err, CNV_E_NOMEM, "solver isaga-shared");
}

static void isaga_shared_fini(void *state)
{
    struct isaga_shared *isaga = state;

    cnv_sampled_fini(&isaga->sampled);
    cnv_free(isaga->rows);
    isaga->rows = NULL;
}

static enum cnv_status isaga_shared_step(void *state, struct cnv_error *err)
{
    struct isaga_shared *isaga = state;
    struct cnv_sampled *sampled = &isaga->sampled;
    struct cnv_problem *problem = sampled->problem;
    struct cnv_rng rng;

    (void) err;
    cnv_rng_init(&rng, sampled->sampling.seed, CNV_RNG_ROWS, 0, sampled->iteration);
    cnv_rng_distinct(&rng, problem->rows, isaga->number, isaga->rows);
    size_t row = (size_t) isaga->rows[isaga->number - 1];
    struct cnv_batch batch = { .rows = &row, .count = 1 };
    (void) problem->ops->gradient(problem->state, sampled->model, &batch, sampled->g);
    cnv_vector_zero(problem->dimension, sampled->update);
    cnv_sampling_add(&sampled->sampling, -sampled->step, sampled->g, sampled->update);
    return CNV_OK;
}

const struct cnv_solver_ops cnv_solver_isaga_shared = {
    .name = "isaga-shared",
    .text = "ISAGA on shared data: blocks of row gradients; needs optimiser/kind=saga-table and "
            "data/shared=true",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 4",
    .keys = CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct isaga_shared),
    .init = isaga_shared_init,
    .fini = isaga_shared_fini,
    .begin = cnv_sampled_begin,
    .step = isaga_shared_step,
    .contribute = cnv_sampled_contribute,
    .settled = cnv_local_settled,
    .concluded = cnv_sampled_concluded,
    .smoothness = cnv_sampling_of_rows,
};
