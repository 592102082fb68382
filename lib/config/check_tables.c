/*
 * check_tables.c - methods whose other half is on the server: it remembers what agents said, or the
 * mean of it, so all have to be weighed as if all were there. Those that keep a table there need to
 * be told what was said, of agents that are known.
 */
#include <string.h>

#include "config/check.h"

static bool is_at(const struct cnv_config *config, const char *path, const char *value)
{
    return strcmp(cnv_config_text(config, path), value) == 0;
}

static enum cnv_status check_halves(const struct cnv_config *config, struct cnv_error *err)
{
    static const char *const halves[][2] = {
        { "isega", "sega" },
        { "isega-raw", "sega-table" },
        { "isaga-shared", "saga-table" },
    };

    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        if (is_at(config, "solver/kind", halves[i][0]) !=
            is_at(config, "optimiser/kind", halves[i][1])) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "solver/kind=%s and optimiser/kind=%s: %s and %s are two halves of one "
                            "method and need each other",
                            cnv_config_text(config, "solver/kind"),
                            cnv_config_text(config, "optimiser/kind"),
                            halves[i][0],
                            halves[i][1]);
        }
    }
    return CNV_OK;
}

static enum cnv_status
fail_half(const struct cnv_config *config, const char *path, const char *why, struct cnv_error *err)
{
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "optimiser/kind=%s does not go with %s=%s: %s",
                    cnv_config_text(config, "optimiser/kind"),
                    path,
                    cnv_config_value(config, path),
                    why);
}

/* What a server needs that remembers: rounds, and plain means of what was found in them. */
static enum cnv_status check_memory(const struct cnv_config *config, struct cnv_error *err)
{
    static const struct {
        const char *path;
        const char *needed; /* or, where it begins with !, what it must not be */
        const char *why;
    } needs[] = {
        { "aggregate/kind", "mean", "what is aggregated are differences to what was said before" },
        { "sync/mode", "!async", "agents are compared with what they said before in rounds" },
        { "policy/balance", "none", "contributions are gradients, whatever steps were taken" },
        { "policy/kind", "!adaptive-period", "there is no variance of models to learn from" },
        { "policy/kind", "!adaptive-l", "it ends with solver giant" },
    };

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        bool is_not = needs[i].needed[0] == '!';

        if (is_at(config, needs[i].path, needs[i].needed + is_not) == is_not) {
            return fail_half(config, needs[i].path, needs[i].why, err);
        }
    }
    return CNV_OK;
}

enum cnv_status cnv_config_check_tables(const struct cnv_config *config, struct cnv_error *err)
{
    int64_t shards = cnv_config_integer(config, "run/shards");
    bool has_row_table = is_at(config, "optimiser/kind", "saga-table");
    bool has_table = has_row_table || is_at(config, "optimiser/kind", "sega-table");
    enum cnv_status status = check_halves(config, err);

    if (status == CNV_OK && (has_table || is_at(config, "optimiser/kind", "sega"))) {
        status = check_memory(config, err);
    }
    if (status == CNV_OK && is_at(config, "optimiser/kind", "sega") &&
        is_at(config, "sync/mode", "quorum")) {
        return fail_half(
            config,
            "sync/mode",
            "its mean is of all agents; isega-raw with sega-table knows who is missing",
            err);
    }
    if (status != CNV_OK || !has_table) {
        return status;
    }
    if (!is_at(config, "encoding/up", "blocks")) {
        return fail_half(config,
                         "encoding/up",
                         "with encoding/up=blocks alone the server learns what was sent",
                         err);
    }
    if (has_row_table && !cnv_config_boolean(config, "data/shared") &&
        cnv_config_integer(config, "run/agents") > 1) {
        return fail_half(config, "data/shared", "each agent has to have any row", err);
    }
    if (shards != 0 && shards != cnv_config_integer(config, "run/agents")) {
        return fail_half(config, "run/shards", "the table is for run/agents agents", err);
    }
    if (cnv_config_integer(config, "limits/samples") != 0) {
        return fail_half(config, "limits/samples", "agents weigh what their data has", err);
    }
    return CNV_OK;
}
