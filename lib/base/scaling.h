/*
 * scaling.h - the diagonal matrix D that SAVIC divides steps by, by solver/scaling.
 *
 * Agents that take the steps and the server optimiser `scaled` read the same settings here. Source:
 * Chezhegov et al. 2024 (SAVIC, arXiv 2406.00846).
 */
#ifndef CNV_BASE_SCALING_H
#define CNV_BASE_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/param.h"

/* Settings that cnv_scaling_read reads. */
#define CNV_SCALING_KEYS "solver/scaling solver/alpha solver/beta2"

enum cnv_scaling_memory { CNV_SCALING_CORRECTED, CNV_SCALING_CONSTANT, CNV_SCALING_SUM };

struct cnv_scaling_kind {
    const char *name;
    bool is_curvature; /* made of v * (H v), else of g */
    bool is_square;    /* D^2 is what is averaged */
    enum cnv_scaling_memory memory;
};

struct cnv_scaling {
    const struct cnv_scaling_kind *kind;
    double alpha;
    double beta2;
};

void cnv_scaling_read(const struct cnv_config *config, struct cnv_scaling *ret_scaling);

/* D (or D^2, where that is averaged) := keep D + add Hs (Hs^2), after t refreshes. */
void cnv_scaling_weights(const struct cnv_scaling *scaling,
                         uint64_t t,
                         double *ret_keep,
                         double *ret_add);

/* An entry of Dh = max(alpha, |D|), from one of D or D^2: |.| behind the mean. */
double cnv_scaling_entry(const struct cnv_scaling *scaling, double d);

#endif
