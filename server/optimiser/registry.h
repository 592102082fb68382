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
extern const struct cnv_optimiser_ops cnv_optimiser_scaled;

/* These fit the table of an optimiser without state. In none.c. */
size_t cnv_optimiser_save_nothing(const void *state, uint8_t *bytes, size_t size);
enum cnv_status
cnv_optimiser_load_nothing(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err);

#endif
