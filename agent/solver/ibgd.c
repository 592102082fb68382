/*
 * ibgd.c - IBGD: each agent sends its whole gradient now and then, by a coin of its own.
 *
 * Mishchenko et al. 2020, Algorithm 3. Agent i flips a coin
 * that is heads with probability tau; heads: it sends -gamma grad f_i(x), tails: no block at all.
 * The server divides by n, as for IBCD, whose step sizes these are. Models agents that answer at
 * random.
 */
#include "base/rng.h"
#include "num/vector.h"
#include "solver/local.h"
#include "solver/sampling.h"

extern const struct cnv_solver_ops cnv_solver_ibgd;

static enum cnv_status
ibgd_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct cnv_sampled *ibgd = state;
    enum cnv_status status = cnv_sampled_init(ibgd, &cnv_solver_ibgd, setup, 0, err);

    if (status == CNV_OK) {
        ibgd->step = cnv_sampling_ibcd_step(&ibgd->sampling, setup->config);
    }
    return status;
}

/* Not by cnv_sampling_draw: a coin, not exactly tau m blocks. */
static bool is_heads(const struct cnv_sampled *ibgd)
{
    const struct cnv_sampling *sampling = &ibgd->sampling;
    struct cnv_rng rng;

    cnv_rng_init(&rng, sampling->seed, CNV_RNG_BLOCKS, sampling->stream, ibgd->iteration);
    return cnv_rng_uniform(&rng) < sampling->partition.tau;
}

static enum cnv_status ibgd_step(void *state, struct cnv_error *err)
{
    struct cnv_sampled *ibgd = state;
    struct cnv_problem *problem = ibgd->problem;

    (void) err;
    if (is_heads(ibgd)) {
        (void) problem->ops->gradient(problem->state, ibgd->model, NULL, ibgd->update);
        cnv_vector_scale(problem->dimension, -ibgd->step, ibgd->update);
    }
    return CNV_OK;
}

/* All of it, or no block. */
static enum cnv_status ibgd_contribute(void *state,
                                       const char *exchange,
                                       uint32_t index,
                                       struct cnv_solver_contribution *contribution,
                                       struct cnv_error *err)
{
    const struct cnv_sampled *ibgd = state;
    enum cnv_status status = cnv_sampled_contribute(state, exchange, index, contribution, err);

    if (status == CNV_OK && contribution->values != NULL) {
        static const uint32_t whole = 0;

        contribution->blocks = &whole;
        contribution->block = ibgd->problem->dimension;
        contribution->block_count = is_heads(ibgd) ? 1 : 0;
    }
    return status;
}

const struct cnv_solver_ops cnv_solver_ibgd = {
    .name = "ibgd",
    .text = "IBGD: the whole gradient with probability tau, else nothing",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 3",
    .keys = CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct cnv_sampled),
    .init = ibgd_init,
    .fini = cnv_sampled_fini,
    .begin = cnv_sampled_begin,
    .step = ibgd_step,
    .contribute = ibgd_contribute,
    .settled = cnv_local_settled,
    .concluded = cnv_sampled_concluded,
    .smoothness = cnv_sampling_of_shard,
};
