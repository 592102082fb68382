/*
 * isega.c - ISEGA: differences to the gradient as the server knows it, so that it converges where
 * the agents' minima differ.
 *
 * Mishchenko et al. 2020, Algorithm 2, h_i with the agents:
 *     agent i : Delta_i := (grad f_i(x) - h_i)_{U_i} ;  h_i := h_i + Delta_i
 *               sends -gamma Delta_i
 *     server  : optimiser/kind=sega: x := x - gamma (h + (1 / (n tau)) sum_i Delta_i) ;
 *               h := h + (1/n) sum_i Delta_i
 * h_i moves only when the contribution counted. An agent whose process died begins with h_i = 0
 * while the server remembers its share: such a run converges to a point that is off by what was
 * lost. isega_raw.c has the h_i on the server.
 */
#include "num/vector.h"
#include "solver/local.h"
#include "solver/sampling.h"

extern const struct cnv_solver_ops cnv_solver_isega;

static enum cnv_status
isega_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct cnv_sampled *isega = state;
    enum cnv_status status = cnv_sampled_init(isega, &cnv_solver_isega, setup, 1, err);

    if (status == CNV_OK) {
        isega->step = cnv_sampling_isega_step(&isega->sampling, setup->config);
    }
    return status;
}

static enum cnv_status isega_step(void *state, struct cnv_error *err)
{
    struct cnv_sampled *isega = state;
    struct cnv_problem *problem = isega->problem;
    const double *h = isega->vectors;

    (void) err;
    (void) problem->ops->gradient(problem->state, isega->model, NULL, isega->g);
    cnv_sampling_difference(&isega->sampling, isega->g, h, isega->update);
    cnv_vector_scale(problem->dimension, -isega->step, isega->update);
    return CNV_OK;
}

/* h_i := h_i + Delta_i */
static void isega_concluded(void *state, bool counted)
{
    struct cnv_sampled *isega = state;

    if (counted) {
        cnv_sampling_add(&isega->sampling, -1.0 / isega->step, isega->update, isega->vectors);
    }
}

const struct cnv_solver_ops cnv_solver_isega = {
    .name = "isega",
    .text = "ISEGA: blocks of gradient differences; needs optimiser/kind=sega",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 2",
    .keys = CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct cnv_sampled),
    .init = isega_init,
    .fini = cnv_sampled_fini,
    .begin = cnv_sampled_begin,
    .step = isega_step,
    .contribute = cnv_sampled_contribute,
    .settled = cnv_local_settled,
    .concluded = isega_concluded,
    .smoothness = cnv_sampling_of_shard,
};
