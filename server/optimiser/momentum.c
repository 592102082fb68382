/*
 * momentum.c - FedAvgM: the averaged update goes through a momentum.
 *
 *   M = beta M + D        x = x + eta M
 *
 * D is the averaged update, beta optimiser/momentum (0.9), eta optimiser/step (1).
 * Source: Hsu et al. 2019, arXiv 1909.06335, section 4.
 */
#include "moments.h"
#include "registry.h"

static const double default_step = 1;

static enum cnv_status
momentum_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    return cnv_moments_init(state, config, dimension, default_step, CNV_MOMENTS_M, err);
}

static void momentum_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct cnv_moments *s = state;

    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double d = input->update[i];
        double m = s->momentum * s->m[j] + d;

        s->pending_m[j] = m;
        out[i] = input->base[i] + s->step * m;
    }
}

const struct cnv_optimiser_ops cnv_optimiser_momentum = {
    .name = "momentum",
    .text = "FedAvgM: the updates go through a momentum",
    .paper = "Hsu et al. 2019, FedAvgM",
    .keys = "optimiser/step optimiser/momentum",
    .state_size = sizeof(struct cnv_moments),
    .init = momentum_init,
    .fini = cnv_moments_fini,
    .apply_slice = momentum_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
