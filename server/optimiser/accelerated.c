/*
 * accelerated.c - the server's half of accelerated ISGD (solver isgd).
 *
 * Mishchenko et al. 2020, Algorithm 7, with the constants of Vaswani, Bach and Schmidt 2019. D is
 * the mean update, -gamma q at x:
 *
 *   y = x + D                  v = b v + (1 - b) x + eta D         x = a v + (1 - a) y
 *   s = sqrt(mu gamma / rho)   a = s / (1 + s)   b = 1 - s   eta = 1 / sqrt(mu gamma rho)
 *
 * gamma is solver/step, mu optimiser/convexity, rho optimiser/noise. What is kept is v - x, which
 * is zero at the start (y0 = v0 = x0); y is not needed again.
 */
#include <math.h>

#include "moments.h"
#include "registry.h"

struct accelerated {
    struct cnv_moments moments; /* first: m is v - x */
    double a;
    double b;
    double eta;
};

static enum cnv_status accelerated_init(void *state,
                                        const struct cnv_config *config,
                                        size_t dimension,
                                        struct cnv_error *err)
{
    struct accelerated *s = state;
    double gamma = cnv_config_real(config, "solver/step");
    double mu = cnv_config_real(config, "optimiser/convexity");
    double rho = cnv_config_real(config, "optimiser/noise");
    double root = sqrt(mu * gamma / rho);

    s->a = root / (1.0 + root);
    s->b = 1.0 - root;
    s->eta = 1.0 / sqrt(mu * gamma * rho);
    return cnv_moments_reserve(&s->moments, dimension, CNV_MOMENTS_M, 0.0, err);
}

static void accelerated_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct accelerated *s = state;

    for (size_t i = 0; i < input->count; i++) {
        size_t j = input->first + i;
        double d = input->update[i];
        double v = s->b * s->moments.m[j] + s->eta * d; /* relative to x */
        double x = s->a * v + (1.0 - s->a) * d;         /* the same */

        s->moments.pending_m[j] = v - x;
        out[i] = input->base[i] + x;
    }
}

const struct cnv_optimiser_ops cnv_optimiser_accelerated = {
    .name = "accelerated",
    .text = "accelerated ISGD (solver isgd): two sequences that the mean update moves; needs "
            "solver/step-rule=given",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 7",
    .keys = "solver/step optimiser/convexity optimiser/noise",
    .state_size = sizeof(struct accelerated),
    .init = accelerated_init,
    .fini = cnv_moments_fini,
    .apply_slice = accelerated_apply_slice,
    .conclude = cnv_moments_conclude,
    .save = cnv_moments_save,
    .load = cnv_moments_load,
};
