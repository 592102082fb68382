/* check_scaled.c - what SAVIC with one round trip needs: members offer gradients beside their
 * updates, and the last step of a round is the server's. */
#include <string.h>

#include "config/check.h"

enum cnv_status cnv_config_check_scaled(const struct cnv_config *config, struct cnv_error *err)
{
    static const struct {
        const char *path;
        const char *value;
        const char *why;
    } misfits[] = {
        { "policy/kind", "adaptive-l", "it ends with solver giant" },
        { "policy/balance", "time", "a gradient is no update to be normalised by its steps" },
        { "encoding/up", "q8", "an update and a gradient have no norm in common" },
        { "aggregate/kind", "clipped-mean", "an update and a gradient have no norm in common" },
        { "aggregate/kind", "multi-krum", "an update and a gradient have no norm in common" },
    };
    const char *solver = cnv_config_text(config, "solver/kind");

    if (strcmp(cnv_config_text(config, "optimiser/kind"), "scaled") != 0) {
        return CNV_OK;
    }
    if (strcmp(solver, "savic") != 0) {
        return cnv_fail(
            err, CNV_E_INPUT, "optimiser/kind=scaled needs solver/kind=savic, not %s", solver);
    }
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        if (strcmp(cnv_config_text(config, misfits[i].path), misfits[i].value) == 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "optimiser/kind=scaled does not go with %s=%s: %s",
                            misfits[i].path,
                            misfits[i].value,
                            misfits[i].why);
        }
    }
    return CNV_OK;
}
