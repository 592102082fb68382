/*
 * adam.c - FedAdam: the averaged update takes the place of the gradient in Adam.
 *
 *   m = b1 m + (1 - b1) D        v = b2 v + (1 - b2) D^2        x = x + eta m / (sqrt(v) + tau)
 *
 * No bias correction. v starts from optimiser/initial, which with tau changes results.
 * Source: Reddi et al. 2021, arXiv 2003.00295, Algorithm 2.
 */
#include <math.h>

#include "moments.h"
#include "registry.h"

static const double default_step = 0.01;

static enum cnv_status
adam_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    return cnv_moments_init(
        state, config, dimension, default_step, CNV_MOMENTS_M | CNV_MOMENTS_V, err);
}

static void adam_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct cnv_moments *s = state;

    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double d = input->update[i];
        double m = s->beta1 * s->m[j] + (1 - s->beta1) * d;
        double v = s->beta2 * s->v[j] + (1 - s->beta2) * d * d;

        s->pending_m[j] = m;
        s->pending_v[j] = v;
        out[i] = input->base[i] + s->step * m / (sqrt(v) + s->tau);
    }
}

const struct cnv_optimiser_ops cnv_optimiser_adam = {
    .name = "adam",
    .text = "FedAdam: a momentum, divided by the root of the mean square of the updates",
    .paper = "Reddi et al. 2021, Adaptive federated optimization, Algorithm 2",
    .keys = CNV_MOMENTS_KEYS,
    .state_size = sizeof(struct cnv_moments),
    .init = adam_init,
    .fini = cnv_moments_fini,
    .apply_slice = adam_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
