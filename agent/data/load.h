/* load.h - what an agent reads, as its settings say: its shard of the data, and the test data. */
#ifndef CNV_AGENT_DATA_LOAD_H
#define CNV_AGENT_DATA_LOAD_H

#include "base/param.h"
#include "data/shard.h"

/* How the settings data/... say that a file is read, whole and in its own order. The texts are
 * borrowed of config. */
struct cnv_data_options cnv_data_options_of(const struct cnv_config *config);

/*
 * Reads shard k of n of path, and data/test whole, if it names a file. config: the run's settings
 * over the agent's.
 *
 *   ret_test  NULL when there is no test data
 *
 * Fails as cnv_shard_read; then nothing is set.
 */
CNV_MUST_CHECK enum cnv_status cnv_data_load(const char *path,
                                             const struct cnv_config *config,
                                             uint32_t shard,
                                             uint32_t shards,
                                             struct cnv_shard **ret_shard,
                                             struct cnv_shard **ret_test,
                                             struct cnv_error *err);

#endif
