/* load.c - from settings to the options of the reader, the same for the agent and inline. */
#include "data/load.h"

enum cnv_status cnv_data_load(const char *path,
                              const struct cnv_config *config,
                              uint32_t shard,
                              uint32_t shards,
                              struct cnv_shard **ret_shard,
                              struct cnv_shard **ret_test,
                              struct cnv_error *err)
{
    const char *test = cnv_config_text(config, "data/test");
    struct cnv_data_options options = {
        .seed = (uint64_t) cnv_config_integer(config, "run/seed"),
        .shuffle = cnv_config_boolean(config, "data/shuffle"),
        .shard = shard,
        .shards = shards,
        .scale = cnv_config_real(config, "data/scale"),
    };
    struct cnv_data_options whole = { .scale = options.scale };
    struct cnv_shard *data = NULL;
    struct cnv_shard *test_data = NULL;
    enum cnv_status status = cnv_shard_read(path, &options, &data, err);

    if (status == CNV_OK && *test != '\0') {
        status = cnv_shard_read(test, &whole, &test_data, err);
    }
    if (status != CNV_OK) {
        cnv_shard_destroy(data);
        return status;
    }
    *ret_shard = data;
    *ret_test = test_data;
    return CNV_OK;
}
