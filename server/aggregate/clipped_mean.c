/*
 * clipped_mean.c - the mean of updates none of which is longer than a bound.
 *
 *   out = sum of p_i u_i min(1, C / |u_i|)
 *
 * C is aggregate/clip; 0: the median of the norms at hand, so that half of them are shortened and
 * one long update moves the model no more than an ordinary one.
 * Source: Sun et al. 2019, arXiv 1911.07963, section 4 (norm thresholding).
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "registry.h"
#include "sorted.h"
#include "weighting.h"

struct clipped_state {
    struct cnv_weighting weighting;
    double bound;
};

static enum cnv_status
clipped_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct clipped_state *state = memory;

    (void) err;
    cnv_weighting_init(&state->weighting, config);
    state->bound = cnv_config_real(config, "aggregate/clip");
    return CNV_OK;
}

static size_t clipped_scratch_size(const void *memory, size_t n, size_t count)
{
    return cnv_aggregate_mean.scratch_size(memory, n, count);
}

static enum cnv_status clipped_merge_slice(const void *memory,
                                           const struct cnv_merge_input *input,
                                           double *out,
                                           double *scratch)
{
    return cnv_aggregate_mean.merge_slice(memory, input, out, scratch);
}

/* Of each contributor: its squared norm. */
static size_t clipped_size(size_t n)
{
    return n;
}

static enum cnv_status clipped_score_slice(const void *memory,
                                           const struct cnv_merge_input *input,
                                           double *scores,
                                           double *scratch)
{
    (void) memory;
    for (size_t i = 0; i < input->contributors; i++) {
        double square = 0;

        if (!input->load(input, i, scratch)) {
            return CNV_E_NOT_FINITE;
        }
        for (size_t j = 0; j < input->count; j++) {
            square += scratch[j] * scratch[j];
        }
        scores[i] = square;
    }
    return CNV_OK;
}

static enum cnv_status
/* NOLINTNEXTLINE(readability-non-const-parameter): as the table has it */
clipped_judge(const void *memory, size_t n, const double *scores, double *weights, double *scales)
{
    const struct clipped_state *state = memory;
    double square = state->bound * state->bound;

    (void) weights;
    if (state->bound == 0) {
        double *squares = cnv_array_new(n, sizeof(*squares));

        if (squares == NULL) {
            return CNV_E_NOMEM;
        }
        memcpy(squares, scores, n * sizeof(*squares));
        cnv_sort(squares, n);
        square = squares[(n - 1) / 2];
        cnv_free(squares);
    }
    for (size_t i = 0; i < n; i++) {
        scales[i] *= scores[i] > square ? sqrt(square / scores[i]) : 1;
    }
    return CNV_OK;
}

static const struct cnv_scoring clipped_scoring = {
    .size = clipped_size,
    .score_slice = clipped_score_slice,
    .judge = clipped_judge,
};

const struct cnv_aggregate_ops cnv_aggregate_clipped_mean = {
    .name = "clipped-mean",
    .text = "the mean of updates of bounded norm",
    .paper = "Sun et al. 2019, norm thresholding",
    .keys = "aggregate/clip aggregate/weighting",
    .state_size = sizeof(struct clipped_state),
    .init = clipped_init,
    .fini = NULL,
    .weigh = cnv_weighting_weigh,
    .scratch_size = clipped_scratch_size,
    .merge_slice = clipped_merge_slice,
    .scoring = &clipped_scoring,
};
