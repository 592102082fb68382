/*
 * isega_raw.c - ISEGA whose agents remember nothing: they send blocks of the gradient as it is.
 *
 * Mishchenko et al. 2020, Algorithm 2 and its first remark, h_i on the server:
 *     agent i : sends -gamma (grad f_i(x))_{U_i}
 *     server  : optimiser/kind=sega-table: Delta_i := (grad f_i(x) - h_i)_{U_i} ; then as isega.c
 * So an agent that died and came back, or another in its place, goes on where it was: U_i comes
 * from (seed, agent, iteration). gamma has to be the same in all rounds, and for all agents.
 */
#include "num/vector.h"
#include "solver/local.h"
#include "solver/sampling.h"

extern const struct cnv_solver_ops cnv_solver_isega_raw;

static enum cnv_status
isega_raw_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct cnv_sampled *isega = state;
    enum cnv_status status = cnv_sampled_init(isega, &cnv_solver_isega_raw, setup, 0, err);

    if (status == CNV_OK) {
        isega->step = cnv_sampling_isega_step(&isega->sampling, setup->config);
    }
    return status;
}

static enum cnv_status isega_raw_step(void *state, struct cnv_error *err)
{
    struct cnv_sampled *isega = state;
    struct cnv_problem *problem = isega->problem;

    (void) err;
    (void) problem->ops->gradient(problem->state, isega->model, NULL, isega->g);
    cnv_vector_zero(problem->dimension, isega->update);
    cnv_sampling_add(&isega->sampling, -isega->step, isega->g, isega->update);
    return CNV_OK;
}

const struct cnv_solver_ops cnv_solver_isega_raw = {
    .name = "isega-raw",
    .text = "ISEGA: blocks of raw gradients; needs optimiser/kind=sega-table",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 2",
    .keys = CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct cnv_sampled),
    .init = isega_raw_init,
    .fini = cnv_sampled_fini,
    .begin = cnv_sampled_begin,
    .step = isega_raw_step,
    .contribute = cnv_sampled_contribute,
    .settled = cnv_local_settled,
    .concluded = cnv_sampled_concluded,
    .smoothness = cnv_sampling_of_shard,
};
