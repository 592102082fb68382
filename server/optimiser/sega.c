/*
 * sega.c - the server's half of ISEGA (solver isega): remembers the mean of what agents have said.
 *
 * Mishchenko et al. 2020, Algorithm 2, h_i with the agents. The update D is
 * -(gamma / n) sum_i Delta_i and M = -gamma h:
 *
 *   x = prox_{gamma R}(x + (M + D / tau))        M = M + D
 *
 * so that neither gamma nor L has to be known here, but for R = optimiser/l1 |x|_1: then gamma is
 * solver/step. No coordinate is left out, not even the intercept's.
 */
#include "sega.h"

#include "base/partition.h"
#include "prox.h"
#include "registry.h"

enum cnv_status
cnv_sega_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    struct cnv_moments *s = state;
    struct cnv_partition partition;
    enum cnv_status status = cnv_moments_reserve(s, dimension, CNV_MOMENTS_M, 0.0, err);

    if (status == CNV_OK) {
        status = cnv_partition_read(config, dimension, &partition, err);
    }
    if (status == CNV_OK) {
        s->tau = partition.tau;
        s->threshold =
            cnv_config_real(config, "solver/step") * cnv_config_real(config, "optimiser/l1");
    }
    return status;
}

void cnv_sega_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct cnv_moments *s = state;

    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double d = input->update[i];

        s->pending_m[j] = s->m[j] + d;
        out[i] = cnv_prox_l1(input->base[i] + (s->m[j] + d / s->tau), s->threshold);
    }
}

const struct cnv_optimiser_ops cnv_optimiser_sega = {
    .name = "sega",
    .text = "the server's half of ISEGA (solver isega): the mean of the gradients as last heard of",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 2",
    .keys = CNV_SEGA_KEYS,
    .state_size = sizeof(struct cnv_moments),
    .init = cnv_sega_init,
    .fini = cnv_moments_fini,
    .apply_slice = cnv_sega_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
