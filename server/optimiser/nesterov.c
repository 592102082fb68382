/*
 * nesterov.c - DiLoCo's outer step: Nesterov's momentum, as SGD with nesterov=True has it.
 *
 *   M = beta M + D        x = x + eta (D + beta M)
 *
 * D is the averaged update, beta optimiser/momentum (0.9), eta optimiser/step (0.7). M starts from
 * zeros, so the first step is 0.7 * 1.9 D.
 * Source: Douillard et al. 2023, arXiv 2311.08105, Algorithm 1, line 14.
 */
#include "moments.h"
#include "registry.h"

static const double default_step = 0.7;

static enum cnv_status
nesterov_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    return cnv_moments_init(state, config, dimension, default_step, CNV_MOMENTS_M, err);
}

static void nesterov_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct cnv_moments *s = state;

    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double d = input->update[i];
        double m = s->momentum * s->m[j] + d;

        s->pending_m[j] = m;
        out[i] = input->base[i] + s->step * (d + s->momentum * m);
    }
}

const struct cnv_optimiser_ops cnv_optimiser_nesterov = {
    .name = "nesterov",
    .text = "Nesterov's momentum over the updates, DiLoCo's outer step",
    .paper = "Douillard et al. 2023, DiLoCo, Algorithm 1",
    .keys = "optimiser/step optimiser/momentum",
    .state_size = sizeof(struct cnv_moments),
    .init = nesterov_init,
    .fini = cnv_moments_fini,
    .apply_slice = nesterov_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
