/* registry.h - the server optimisers there are. Inside server/optimiser. */
#ifndef CNV_SERVER_OPTIMISER_REGISTRY_H
#define CNV_SERVER_OPTIMISER_REGISTRY_H

#include "optimiser/optimiser.h"

extern const struct cnv_optimiser_ops cnv_optimiser_none;
extern const struct cnv_optimiser_ops cnv_optimiser_momentum;
extern const struct cnv_optimiser_ops cnv_optimiser_nesterov;
extern const struct cnv_optimiser_ops cnv_optimiser_adam;
extern const struct cnv_optimiser_ops cnv_optimiser_yogi;
extern const struct cnv_optimiser_ops cnv_optimiser_adagrad;
extern const struct cnv_optimiser_ops cnv_optimiser_async_isgd;
extern const struct cnv_optimiser_ops cnv_optimiser_sega;
extern const struct cnv_optimiser_ops cnv_optimiser_sega_table;
extern const struct cnv_optimiser_ops cnv_optimiser_saga_table;
extern const struct cnv_optimiser_ops cnv_optimiser_accelerated;

#endif
