/*
 * isgd.c - ISGD: blocks of a minibatch gradient, scaled so that their mean is unbiased.
 *
 * Mishchenko et al. 2020, Algorithm 6:
 *     agent i : draws U_i and a minibatch ;  g_i := its gradient at x
 *               sends -(gamma / tau) (g_i)_{U_i}
 *     server  : x := x - gamma q ,  q = (1 / (n tau)) sum_i (g_i)_{U_i} ,  E q = grad f(x)
 * As printed it has no 1 / tau and would be n times slower at tau = 1/n. With
 * optimiser/kind=async-isgd it is Algorithm 8, which has none: then 1 / tau is in gamma. L is that
 * of single rows, but of f_i where g_i is the gradient of the whole shard (solver/batch=0). sharp
 * is the experiments' 1 / (5 L); theory is the first step of the printed rule, on q: tau / (2 L
 * (tau + 2 (1 - tau) / n)). With solver/batch=0 and optimiser/kind=accelerated this is Algorithm 7.
 */
#include "num/vector.h"
#include "solver/local.h"
#include "solver/sampling.h"

/* Two parts that know nothing of each other: the blocks, and the minibatches. */
struct isgd {
    struct cnv_sampled sampled;
    struct cnv_local local;
};

extern const struct cnv_solver_ops cnv_solver_isgd;

static enum cnv_status
isgd_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct isgd *isgd = state;
    struct cnv_sampled *sampled = &isgd->sampled;
    enum cnv_status status = cnv_sampled_init(sampled, &cnv_solver_isgd, setup, 0, err);

    if (status == CNV_OK) {
        const struct cnv_partition *partition = &sampled->sampling.partition;
        double n = (double) partition->agents;
        double tau = partition->tau;
        double smoothness = sampled->sampling.smoothness;

        sampled->step = cnv_sampling_step(setup->config,
                                          1.0 / (5.0 * smoothness),
                                          tau / (2.0 * smoothness * (tau + 2.0 * (1.0 - tau) / n)));
        status = cnv_local_init(&isgd->local, setup, "isgd", 0, err);
    }
    return status;
}

static void isgd_fini(void *state)
{
    struct isgd *isgd = state;

    cnv_sampled_fini(&isgd->sampled);
    cnv_local_fini(&isgd->local);
}

static void isgd_begin(void *state, const struct cnv_solver_round *round)
{
    struct isgd *isgd = state;

    cnv_sampled_begin(&isgd->sampled, round);
    cnv_local_begin(&isgd->local, round);
}

static enum cnv_status isgd_step(void *state, struct cnv_error *err)
{
    struct isgd *isgd = state;
    struct cnv_sampled *sampled = &isgd->sampled;
    double scale = sampled->step / sampled->sampling.partition.tau;

    (void) err;
    cnv_local_gradient(&isgd->local, sampled->model);
    cnv_vector_zero(sampled->problem->dimension, sampled->update);
    cnv_sampling_add(&sampled->sampling, -scale, isgd->local.g, sampled->update);
    return CNV_OK;
}

static enum cnv_smoothness isgd_smoothness(const struct cnv_config *config)
{
    return cnv_config_integer(config, "solver/batch") == 0 ? cnv_sampling_of_shard(config)
                                                           : cnv_sampling_of_rows(config);
}

const struct cnv_solver_ops cnv_solver_isgd = {
    .name = "isgd",
    .text = "ISGD: blocks of minibatch gradients, scaled by 1/tau",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 6",
    .keys = CNV_LOCAL_KEYS " " CNV_SAMPLING_KEYS,
    .state_size = sizeof(struct isgd),
    .init = isgd_init,
    .fini = isgd_fini,
    .begin = isgd_begin,
    .step = isgd_step,
    .contribute = cnv_sampled_contribute,
    .settled = cnv_local_settled,
    .concluded = cnv_sampled_concluded,
    .smoothness = isgd_smoothness,
};
