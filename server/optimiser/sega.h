/* sega.h - the arithmetic of sega.c for sega_table.c. The state begins with a struct cnv_moments.
 */
#ifndef CNV_SERVER_OPTIMISER_SEGA_H
#define CNV_SERVER_OPTIMISER_SEGA_H

#include "moments.h"

/* Settings that cnv_sega_init reads. */
#define CNV_SEGA_KEYS "solver/step optimiser/l1 " CNV_PARTITION_KEYS

CNV_MUST_CHECK enum cnv_status cnv_sega_init(void *state,
                                             const struct cnv_config *config,
                                             size_t dimension,
                                             struct cnv_error *err);
void cnv_sega_apply_slice(void *state, const struct cnv_apply_input *input, double *out);

#endif
