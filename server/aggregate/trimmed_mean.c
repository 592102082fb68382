/*
 * trimmed_mean.c - in each coordinate the largest and the smallest values do not count.
 *
 * floor(aggregate/trim * n) values are dropped at either end, the rest averaged, all alike: an
 * agent that claims many samples gains nothing by it. Up to so many agents may send what they like.
 * Source: Yin et al. 2018, arXiv 1803.01498, Definition 2.
 */
#include "registry.h"
#include "sorted.h"
#include "weighting.h"

struct trimmed_state {
    struct cnv_weighting weighting; /* of the scalars */
    double trim;
};

static enum cnv_status
trimmed_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct trimmed_state *state = memory;

    (void) err;
    cnv_weighting_init(&state->weighting, config);
    state->trim = cnv_config_real(config, "aggregate/trim");
    return CNV_OK;
}

static size_t trimmed_scratch_size(const void *memory, size_t n, size_t count)
{
    (void) memory;
    return cnv_sorted_scratch(n, count);
}

static enum cnv_status trimmed_merge_slice(const void *memory,
                                           const struct cnv_merge_input *input,
                                           double *out,
                                           double *scratch)
{
    const struct trimmed_state *state = memory;
    size_t cut = (size_t) (state->trim * (double) input->contributors);

    return cnv_sorted_merge(input, cut, out, scratch);
}

const struct cnv_aggregate_ops cnv_aggregate_trimmed_mean = {
    .name = "trimmed-mean",
    .text = "the mean of each coordinate without its extremes",
    .paper = "Yin et al. 2018, Algorithm 1, option II",
    .keys = "aggregate/trim aggregate/weighting",
    .state_size = sizeof(struct trimmed_state),
    .init = trimmed_init,
    .fini = NULL,
    .weigh = cnv_weighting_weigh,
    .scratch_size = trimmed_scratch_size,
    .merge_slice = trimmed_merge_slice,
};
