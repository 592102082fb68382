/*
 * median.c - the median of each coordinate; of an even number the mean of the middle two.
 *
 * All alike, whatever they claim to weigh: fewer than half of the agents may send what they like.
 * Source: Yin et al. 2018, arXiv 1803.01498, Definition 1.
 */
#include "registry.h"
#include "sorted.h"
#include "weighting.h"

static enum cnv_status
median_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    (void) err;
    cnv_weighting_init(memory, config);
    return CNV_OK;
}

static size_t median_scratch_size(const void *memory, size_t n, size_t count)
{
    (void) memory;
    return cnv_sorted_scratch(n, count);
}

static enum cnv_status median_merge_slice(const void *memory,
                                          const struct cnv_merge_input *input,
                                          double *out,
                                          double *scratch)
{
    (void) memory;
    return cnv_sorted_merge(
        input, input->contributors == 0 ? 0 : (input->contributors - 1) / 2, out, scratch);
}

const struct cnv_aggregate_ops cnv_aggregate_median = {
    .name = "median",
    .text = "the median of each coordinate",
    .paper = "Yin et al. 2018, Algorithm 1, option I",
    .keys = "aggregate/weighting",
    .state_size = sizeof(struct cnv_weighting),
    .init = median_init,
    .fini = NULL,
    .weigh = cnv_weighting_weigh,
    .scratch_size = median_scratch_size,
    .merge_slice = median_merge_slice,
};
