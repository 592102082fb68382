/* registry.c - every server optimiser by name. Adding one is a line here and in registry.h. */
#include "registry.h"

#include <string.h>

static const struct cnv_optimiser_ops *const optimisers[] = {
    &cnv_optimiser_none,        &cnv_optimiser_momentum,   &cnv_optimiser_nesterov,
    &cnv_optimiser_adam,        &cnv_optimiser_yogi,       &cnv_optimiser_adagrad,
    &cnv_optimiser_sega,        &cnv_optimiser_sega_table, &cnv_optimiser_saga_table,
    &cnv_optimiser_accelerated, &cnv_optimiser_async_isgd, &cnv_optimiser_scaled,
};

const struct cnv_optimiser_ops *cnv_optimiser_at(size_t i)
{
    return i < sizeof(optimisers) / sizeof(optimisers[0]) ? optimisers[i] : NULL;
}

const struct cnv_optimiser_ops *cnv_optimiser_find(const char *name)
{
    for (size_t i = 0; i < sizeof(optimisers) / sizeof(optimisers[0]); i++) {
        if (strcmp(optimisers[i]->name, name) == 0) {
            return optimisers[i];
        }
    }
    return NULL;
}
