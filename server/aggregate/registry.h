/* registry.h - the aggregators there are. Inside server/aggregate. */
#ifndef CNV_SERVER_AGGREGATE_REGISTRY_H
#define CNV_SERVER_AGGREGATE_REGISTRY_H

#include "aggregate/aggregate.h"

extern const struct cnv_aggregate_ops cnv_aggregate_mean;
extern const struct cnv_aggregate_ops cnv_aggregate_trimmed_mean;
extern const struct cnv_aggregate_ops cnv_aggregate_median;
extern const struct cnv_aggregate_ops cnv_aggregate_clipped_mean;
extern const struct cnv_aggregate_ops cnv_aggregate_multi_krum;

#endif
