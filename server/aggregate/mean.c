/*
 * mean.c - the weighted mean, coordinate by coordinate, in rank order.
 *
 * Weights are samples (shards of different size then count as one data set) or all equal.
 * Invariant: out[j] = (..(0 + p0 x0[j]) + p1 x1[j]) + .. in this order, in float64: the bits
 * depend on the contributions alone. Every contributor's weight counts, whether it has sent
 * a coordinate or left it zero (the sum is divided by all). A single contributor has weight 1 and
 * comes out as it is. Source: McMahan et al. 2017, Algorithm 1, server step.
 */
#include <string.h>

#include "registry.h"
#include "weighting.h"

static enum cnv_status
mean_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    (void) err;
    cnv_weighting_init(memory, config);
    return CNV_OK;
}

static size_t mean_scratch_size(const void *memory, size_t n, size_t count)
{
    (void) memory;
    (void) n;
    return count;
}

static enum cnv_status mean_merge_slice(const void *memory,
                                        const struct cnv_merge_input *input,
                                        double *out,
                                        double *scratch)
{
    (void) memory;
    memset(out, 0, input->count * sizeof(*out));
    for (size_t i = 0; i < input->contributors; i++) {
        if (!input->add(input, i, input->weights[i], out, scratch)) {
            return CNV_E_NOT_FINITE;
        }
    }
    return CNV_OK;
}

const struct cnv_aggregate_ops cnv_aggregate_mean = {
    .name = "mean",
    .text = "the mean of the contributions, weighted as aggregate/weighting says",
    .paper = "McMahan et al. 2017, Algorithm 1, server step",
    .keys = "aggregate/weighting",
    .state_size = sizeof(struct cnv_weighting),
    .init = mean_init,
    .fini = NULL,
    .weigh = cnv_weighting_weigh,
    .scratch_size = mean_scratch_size,
    .merge_slice = mean_merge_slice,
};
