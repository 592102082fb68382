/* load.c - from settings to the options of the reader, the same for the agent and inline. */
#include "data/load.h"

#include <string.h>

/* The place of a choice in the list that the table of settings allows, which is the enum's order.
 */
static int choice_of(const struct cnv_config *config, const char *path, const char *const *choices)
{
    const char *value = cnv_config_text(config, path);

    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(value, choices[i]) == 0) {
            return i;
        }
    }
    return 0;
}

struct cnv_data_options cnv_data_options_of(const struct cnv_config *config)
{
    static const char *const formats[] = { "auto", "libsvm", "csv", "idx", "cifar10", NULL };
    static const char *const headers[] = { "auto", "yes", "no", NULL };
    static const char *const missing[] = { "error", "drop", "zero", NULL };
    static const char *const separators[] = { "auto", "comma", "semicolon", "tab", NULL };
    static const char separator_bytes[] = { '\0', ',', ';', '\t' };

    return (struct cnv_data_options){
        .scale = cnv_config_real(config, "data/scale"),
        .format = (enum cnv_data_format) choice_of(config, "data/format", formats),
        .csv = {
            .header = (enum cnv_csv_header) choice_of(config, "data/header", headers),
            .missing = (enum cnv_csv_missing) choice_of(config, "data/missing", missing),
            .separator = separator_bytes[choice_of(config, "data/separator", separators)],
            .label = cnv_config_text(config, "data/label"),
            .labels = cnv_config_text(config, "data/labels"),
            .skip = cnv_config_text(config, "data/skip"),
        },
    };
}

enum cnv_status cnv_data_load(const char *path,
                              const struct cnv_config *config,
                              uint32_t shard,
                              uint32_t shards,
                              struct cnv_shard **ret_shard,
                              struct cnv_shard **ret_test,
                              struct cnv_error *err)
{
    const char *test = cnv_config_text(config, "data/test");
    struct cnv_data_options whole = cnv_data_options_of(config);
    struct cnv_data_options options = whole;
    struct cnv_shard *data = NULL;
    struct cnv_shard *test_data = NULL;
    enum cnv_status status = CNV_OK;

    options.seed = (uint64_t) cnv_config_integer(config, "run/seed");
    options.shuffle = cnv_config_boolean(config, "data/shuffle");
    options.shard = cnv_config_boolean(config, "data/shared") ? 0 : shard;
    options.shards = shards;
    status = cnv_shard_read(path, &options, &data, err);
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
