/*
 * multi_krum.c - the mean of those updates that have the nearest neighbours.
 *
 * Of n updates f (aggregate/hostile) may be anything. The score of one is the sum of its squared
 * distances to the n - f - 2 nearest others; the n - f with the lowest scores are averaged, all
 * alike. Where n < 2 f + 3, f is taken as the largest for which that does not hold: with four
 * agents or fewer, 0, and all are averaged.
 * Equal scores go by rank. Cost: n^2 / 2 distances.
 * Source: Blanchard et al. 2017 (NeurIPS), sections 3 and 5.
 */
#include <string.h>

#include "base/mem.h"
#include "registry.h"
#include "sorted.h"
#include "weighting.h"

struct krum_state {
    struct cnv_weighting weighting; /* of the scalars */
    size_t hostile;
};

static enum cnv_status
krum_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct krum_state *state = memory;

    (void) err;
    cnv_weighting_init(&state->weighting, config);
    state->hostile = (size_t) cnv_config_integer(config, "aggregate/hostile");
    return CNV_OK;
}

/* All contributors' slices at once, as for the sorting rules. */
static size_t krum_scratch_size(const void *memory, size_t n, size_t count)
{
    (void) memory;
    return cnv_sorted_scratch(n, count);
}

static enum cnv_status krum_merge_slice(const void *memory,
                                        const struct cnv_merge_input *input,
                                        double *out,
                                        double *scratch)
{
    return cnv_aggregate_mean.merge_slice(memory, input, out, scratch);
}

/* Row i: the squared distances of contributor i to all. */
static size_t krum_size(size_t n)
{
    return n * n;
}

static enum cnv_status krum_score_slice(const void *memory,
                                        const struct cnv_merge_input *input,
                                        double *scores,
                                        double *scratch)
{
    size_t n = input->contributors;

    (void) memory;
    for (size_t i = 0; i < n; i++) {
        const double *a = scratch + i * input->count;

        if (!input->load(input, i, scratch + i * input->count)) {
            return CNV_E_NOT_FINITE;
        }
        scores[i * n + i] = 0;
        for (size_t k = 0; k < i; k++) {
            const double *b = scratch + k * input->count;
            double square = 0;

            for (size_t j = 0; j < input->count; j++) {
                square += (a[j] - b[j]) * (a[j] - b[j]);
            }
            scores[i * n + k] = square;
            scores[k * n + i] = square;
        }
    }
    return CNV_OK;
}

/* row[n]: the distances of one contributor, its own of 0 among them; in order afterwards. */
static double krum_score(double *row, size_t n, size_t nearest)
{
    double score = 0;

    cnv_sort(row, n);
    for (size_t k = 1; k <= nearest && k < n; k++) {
        score += row[k];
    }
    return score;
}

static enum cnv_status
/* NOLINTNEXTLINE(readability-non-const-parameter): as the table has it */
krum_judge(const void *memory, size_t n, const double *scores, double *weights, double *scales)
{
    const struct krum_state *state = memory;
    size_t most = n < 3 ? 0 : (n - 3) / 2;
    size_t hostile = state->hostile < most ? state->hostile : most;
    double *row = cnv_array_new(n, sizeof(*row));
    double *totals = cnv_array_new(n, sizeof(*totals));

    (void) scales;
    if (row == NULL || totals == NULL) {
        cnv_free(row);
        cnv_free(totals);
        return CNV_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(row, scores + i * n, n * sizeof(*row));
        totals[i] = krum_score(row, n, n < hostile + 2 ? 0 : n - hostile - 2);
    }
    for (size_t i = 0; i < n; i++) {
        size_t better = 0;

        for (size_t k = 0; k < n; k++) {
            better += totals[k] < totals[i] || (totals[k] == totals[i] && k < i);
        }
        weights[i] = better < n - hostile ? 1.0 / (double) (n - hostile) : 0;
    }
    cnv_free(row);
    cnv_free(totals);
    return CNV_OK;
}

static const struct cnv_scoring krum_scoring = {
    .size = krum_size,
    .score_slice = krum_score_slice,
    .judge = krum_judge,
};

const struct cnv_aggregate_ops cnv_aggregate_multi_krum = {
    .name = "multi-krum",
    .text = "the mean of the updates nearest to one another",
    .paper = "Blanchard et al. 2017, Krum",
    .keys = "aggregate/hostile aggregate/weighting",
    .state_size = sizeof(struct krum_state),
    .init = krum_init,
    .fini = NULL,
    .weigh = cnv_weighting_weigh,
    .scratch_size = krum_scratch_size,
    .merge_slice = krum_merge_slice,
    .scoring = &krum_scoring,
};
