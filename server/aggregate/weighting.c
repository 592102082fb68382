/* weighting.c - weights are normalised over all contributors, in rank order. */
#include "weighting.h"

#include <string.h>

void cnv_weighting_init(struct cnv_weighting *weighting, const struct cnv_config *config)
{
    weighting->is_uniform = strcmp(cnv_config_text(config, "aggregate/weighting"), "uniform") == 0;
}

void cnv_weighting_weigh(const void *state,
                         const struct cnv_contributor *contributors,
                         size_t n,
                         double *weights)
{
    const struct cnv_weighting *weighting = state;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        weights[i] = weighting->is_uniform ? 1.0 : (double) contributors[i].samples;
        sum += weights[i];
    }
    for (size_t i = 0; i < n; i++) {
        weights[i] /= sum;
    }
}
