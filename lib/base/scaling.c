/* scaling.c - see scaling.h. */
#include "base/scaling.h"

#include <math.h>
#include <string.h>

static const struct cnv_scaling_kind kinds[] = {
    { "adam", false, true, CNV_SCALING_CORRECTED },
    { "rmsprop", false, true, CNV_SCALING_CONSTANT },
    { "adagrad", false, true, CNV_SCALING_SUM },
    { "oasis", true, false, CNV_SCALING_CONSTANT },
    { "adahessian", true, true, CNV_SCALING_CORRECTED },
};

void cnv_scaling_read(const struct cnv_config *config, struct cnv_scaling *ret_scaling)
{
    const char *name = cnv_config_text(config, "solver/scaling");

    ret_scaling->kind = &kinds[0];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            ret_scaling->kind = &kinds[i];
        }
    }
    ret_scaling->alpha = cnv_config_real(config, "solver/alpha");
    ret_scaling->beta2 = cnv_config_real(config, "solver/beta2");
}

void cnv_scaling_weights(const struct cnv_scaling *scaling,
                         uint64_t t,
                         double *ret_keep,
                         double *ret_add)
{
    double beta = t == 0 ? 0.0 : scaling->beta2;

    if (scaling->kind->memory == CNV_SCALING_SUM) {
        *ret_keep = 1.0;
        *ret_add = 1.0;
        return;
    }
    if (scaling->kind->memory == CNV_SCALING_CORRECTED && t > 0) {
        double power = pow(scaling->beta2, (double) t + 1.0);

        beta = (scaling->beta2 - power) / (1.0 - power);
    }
    *ret_keep = beta;
    *ret_add = 1.0 - beta;
}

double cnv_scaling_entry(const struct cnv_scaling *scaling, double d)
{
    d = fabs(d);
    return fmax(scaling->alpha, scaling->kind->is_square ? sqrt(d) : d);
}
