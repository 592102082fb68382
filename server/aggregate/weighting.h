/*
 * weighting.h - what a contribution weighs: its samples, or as much as any other. Inside
 * server/aggregate.
 */
#ifndef CNV_SERVER_AGGREGATE_WEIGHTING_H
#define CNV_SERVER_AGGREGATE_WEIGHTING_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate/aggregate.h"

/* First in the state of an aggregator that weighs by it. */
struct cnv_weighting {
    bool is_uniform;
};

void cnv_weighting_init(struct cnv_weighting *weighting, const struct cnv_config *config);

/* Fits the table. state begins with a struct cnv_weighting. */
void cnv_weighting_weigh(const void *state,
                         const struct cnv_contributor *contributors,
                         size_t n,
                         double *weights);

#endif
