/*
 * blocks.c - IBCD: each agent moves blocks of the model of its own drawing.
 *
 * Mishchenko et al. 2020, Algorithm 1. In iteration t:
 *     agent i : draws U_i, exactly tau m of the m blocks, independently of the others
 *               sends -gamma (grad f_i(x))_{U_i}
 *     server  : x := x - (gamma / n) sum_i (grad f_i(x))_{U_i}: the mean over all, where a block
 *               that was not drawn counts as zero
 * Theory has gamma = n / (2 L (tau n + 2 (1 - tau))). Where every f_i has the same minimum
 * (interpolation) gamma = n / (L (tau n + 1 - tau)) has a proof too and is about twice as fast; it
 * is the default. Where they have not, the method stalls at a distance from the optimum: isega.
 * With L > 1 an agent takes L steps on the blocks drawn in the first of them. No state outlives a
 * round: U comes from (seed, agent, iteration).
 */
#include <string.h>

#include "base/mem.h"
#include "num/vector.h"
#include "solver/sampling.h"

struct blocks {
    struct cnv_problem *problem;
    struct cnv_sampling sampling;
    double step; /* gamma */
    const double *model;
    bool evaluate;
    double *vectors; /* what the next three point into */
    double *u;
    double *g;
    double *update;
};

static enum cnv_status
blocks_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct blocks *blocks = state;
    size_t n = setup->problem->dimension;
    enum cnv_status status = cnv_sampling_init(&blocks->sampling, setup, err);

    if (status != CNV_OK) {
        return status;
    }
    blocks->problem = setup->problem;
    blocks->step = cnv_sampling_ibcd_step(&blocks->sampling, setup->config);
    blocks->vectors = n <= SIZE_MAX / 3 ? cnv_array_new(3 * n, sizeof(double)) : NULL;
    if (blocks->vectors == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "solver blocks in %zu coordinates", n);
    }
    blocks->u = blocks->vectors;
    blocks->g = blocks->u + n;
    blocks->update = blocks->g + n;
    return CNV_OK;
}

static void blocks_fini(void *state)
{
    struct blocks *blocks = state;

    cnv_sampling_fini(&blocks->sampling);
    cnv_free(blocks->vectors);
    blocks->vectors = NULL;
}

static void blocks_begin(void *state, const struct cnv_solver_round *round)
{
    struct blocks *blocks = state;

    blocks->model = round->model;
    blocks->evaluate = round->evaluate;
    cnv_vector_copy(blocks->problem->dimension, round->model, blocks->u);
    cnv_sampling_draw(&blocks->sampling, round->iteration);
}

static enum cnv_status blocks_step(void *state, struct cnv_error *err)
{
    struct blocks *blocks = state;
    struct cnv_problem *problem = blocks->problem;

    (void) err;
    (void) problem->ops->gradient(problem->state, blocks->u, NULL, blocks->g);
    cnv_sampling_add(&blocks->sampling, -blocks->step, blocks->g, blocks->u);
    return CNV_OK;
}

static enum cnv_status blocks_contribute(void *state,
                                         const char *exchange,
                                         uint32_t index,
                                         struct cnv_solver_contribution *contribution,
                                         struct cnv_error *err)
{
    struct blocks *blocks = state;
    struct cnv_problem *problem = blocks->problem;
    bool is_model = strcmp(exchange, "model") == 0;

    if (index != 0 || (!is_model && strcmp(exchange, "loss") != 0)) {
        return cnv_fail(
            err, CNV_E_UNEXPECTED, "solver blocks has no exchange %u \"%s\"", index, exchange);
    }
    *contribution = (struct cnv_solver_contribution){ 0 };
    if (blocks->evaluate || !is_model) {
        contribution->scalars[0] = problem->ops->loss(problem->state, blocks->model, NULL);
        contribution->scalar_count = 1;
    }
    if (is_model) {
        cnv_sampling_difference(&blocks->sampling, blocks->u, blocks->model, blocks->update);
        cnv_sampling_contribute(&blocks->sampling, blocks->update, contribution);
    }
    return CNV_OK;
}

static void blocks_settled(void *state,
                           const char *exchange,
                           uint32_t index,
                           const struct cnv_solver_result *result)
{
    (void) state;
    (void) exchange;
    (void) index;
    (void) result;
}

static void blocks_concluded(void *state, bool counted)
{
    (void) state;
    (void) counted;
}

const struct cnv_solver_ops cnv_solver_blocks = {
    .name = "blocks",
    .text = "IBCD: gradient steps on blocks that each agent draws by itself",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 1",
    .keys = CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct blocks),
    .init = blocks_init,
    .fini = blocks_fini,
    .begin = blocks_begin,
    .step = blocks_step,
    .contribute = blocks_contribute,
    .settled = blocks_settled,
    .concluded = blocks_concluded,
    .smoothness = cnv_sampling_of_shard,
};
