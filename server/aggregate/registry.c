/* registry.c - every aggregator by name. Adding one is a line here and a line in registry.h. */
#include "registry.h"

#include <string.h>

static const struct cnv_aggregate_ops *const aggregates[] = {
    &cnv_aggregate_mean,         &cnv_aggregate_trimmed_mean, &cnv_aggregate_median,
    &cnv_aggregate_clipped_mean, &cnv_aggregate_multi_krum,
};

const struct cnv_aggregate_ops *cnv_aggregate_at(size_t i)
{
    return i < sizeof(aggregates) / sizeof(aggregates[0]) ? aggregates[i] : NULL;
}

const struct cnv_aggregate_ops *cnv_aggregate_find(const char *name)
{
    for (size_t i = 0; i < sizeof(aggregates) / sizeof(aggregates[0]); i++) {
        if (strcmp(aggregates[i]->name, name) == 0) {
            return aggregates[i];
        }
    }
    return NULL;
}
