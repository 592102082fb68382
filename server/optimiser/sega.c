/*
 * sega.c - the server's half of ISEGA (solver isega): remembers the mean of what agents have said.
 *
 * Mishchenko et al. 2020, Algorithm 2, h_i with the agents. The update D is
 * -(gamma / n) sum_i Delta_i and M = -gamma h:
 *
 *   x = x + (M + D / tau)        M = M + D
 *
 * so that neither gamma nor L has to be known here.
 */
#include "sega.h"

#include "base/partition.h"
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
        out[i] = input->base[i] + (s->m[j] + d / s->tau);
    }
}

const struct cnv_optimiser_ops cnv_optimiser_sega = {
    .name = "sega",
    .text = "the server's half of ISEGA: the mean of the gradients as last heard of",
    .paper = "Mishchenko et al. 2020, 99% of worker-master communication, Algorithm 2",
    .keys = CNV_PARTITION_KEYS,
    .state_size = sizeof(struct cnv_moments),
    .init = cnv_sega_init,
    .fini = cnv_moments_fini,
    .apply_slice = cnv_sega_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
