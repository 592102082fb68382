/* mean.h - the mean of what contributors sent, for averages.c. */
#ifndef CNV_SIM_MEAN_H
#define CNV_SIM_MEAN_H

#include "promises.h"

struct contributor {
    const char *name;
    uint32_t shard;
    const struct vector_note *note; /* what it sent for the exchange that is looked at */
};

/* Whether the setting has this value. */
bool sim_is_kind(const struct cnv_sim *sim, const char *key, const char *value);
/* Whether nobody is waited for. */
bool sim_is_async(const struct cnv_sim *sim);

/* The result of this exchange as it was told to those who work on this attempt. */
const struct vector_note *sim_find_result(const struct sim_promises *promises,
                                          uint64_t round,
                                          uint64_t attempt,
                                          uint32_t exchange);

/* Through the encoding and back: what the other side can know of the vector. False: out of memory.
 */
bool sim_pass(const char *name, double *values, size_t length);

/* mean[j] = sum of p_i x_i[j] in rank order; values[length] is scratch. False: somebody's is not
 * there, does not fit, or disagrees. */
bool sim_take_mean(const struct cnv_sim *sim,
                   const struct contributor *contributors,
                   size_t count,
                   double *mean,
                   double *values,
                   size_t length);

#endif
