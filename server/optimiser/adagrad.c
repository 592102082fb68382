/*
 * adagrad.c - FedAdagrad: steps shrink with the sum of the squared updates.
 *
 *   v = v + D^2        x = x + eta D / (sqrt(v) + tau)
 *
 * b1 = 0: no momentum. v starts from optimiser/initial.
 * Source: Reddi et al. 2021, arXiv 2003.00295, Algorithm 2.
 */
#include <math.h>

#include "moments.h"
#include "registry.h"

static const double default_step = 0.03;

static enum cnv_status
adagrad_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    return cnv_moments_init(state, config, dimension, default_step, CNV_MOMENTS_V, err);
}

static void adagrad_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct cnv_moments *s = state;

    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double d = input->update[i];
        double v = s->v[j] + d * d;

        s->pending_v[j] = v;
        out[i] = input->base[i] + s->step * d / (sqrt(v) + s->tau);
    }
}

const struct cnv_optimiser_ops cnv_optimiser_adagrad = {
    .name = "adagrad",
    .text = "FedAdagrad: the update divided by the root of the sum of all squares",
    .paper = "Reddi et al. 2021, Adaptive federated optimization, Algorithm 2",
    .keys = "optimiser/step optimiser/tau optimiser/initial",
    .state_size = sizeof(struct cnv_moments),
    .init = adagrad_init,
    .fini = cnv_moments_fini,
    .apply_slice = adagrad_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
