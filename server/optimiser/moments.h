/*
 * moments.h - what the server optimisers with a memory share: settings, and one or two vectors of
 * the model's size with what is pending of them. Inside server/optimiser.
 *
 * An attempt writes pending, slice by slice; conclude makes it the state, or forgets it. So each
 * vector is held twice: 16 bytes a coordinate for momentum and nesterov and adagrad, 32 for adam
 * and yogi.
 */
#ifndef CNV_SERVER_OPTIMISER_MOMENTS_H
#define CNV_SERVER_OPTIMISER_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "optimiser/optimiser.h"

struct cnv_moments {
    size_t length;
    double step;
    double momentum;
    double beta1;
    double beta2;
    double tau;
    double threshold; /* of sega.c */
    double *m;        /* [length] momentum or first moment; NULL: not wanted */
    double *v;        /* [length] second moment; NULL: not wanted */
    double *pending_m;
    double *pending_v;
};

enum cnv_moments_kept { CNV_MOMENTS_M = 1, CNV_MOMENTS_V = 2 };

/* Allocates what is kept: m starts from zeros, v from initial. */
CNV_MUST_CHECK enum cnv_status cnv_moments_reserve(struct cnv_moments *moments,
                                                   size_t length,
                                                   unsigned kept,
                                                   double initial,
                                                   struct cnv_error *err);

/* Settings that cnv_moments_init reads where both moments are kept. */
#define CNV_MOMENTS_KEYS                                                                           \
    "optimiser/step optimiser/beta1 optimiser/beta2 optimiser/tau optimiser/initial"

/* The same, and the settings that go with what is kept. default_step stands where optimiser/step
 * is 0. */
CNV_MUST_CHECK enum cnv_status cnv_moments_init(struct cnv_moments *moments,
                                                const struct cnv_config *config,
                                                size_t length,
                                                double default_step,
                                                unsigned kept,
                                                struct cnv_error *err);

/* These fit the table of an optimiser whose state is a struct cnv_moments. */
void cnv_moments_fini(void *state);
void cnv_moments_conclude(void *state, bool committed);
size_t cnv_moments_save(const void *state, uint8_t *bytes, size_t size);
enum cnv_status
cnv_moments_load(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err);

#endif
