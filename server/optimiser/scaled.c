/*
 * scaled.c - the server's half of SAVIC with one round trip (solver savic).
 *
 * Chezhegov et al. 2024 (SAVIC), global scaling. Members send, coordinate by coordinate, the update
 * x_m - x after their local steps, the gradient g_m of the last step, which they have not taken,
 * and where D is made of curvature h_m = v * (H v) of the same minibatch. With t the version, that
 * is the refreshes so far, and step = solver/step of that last iteration:
 *
 *     Hs^2 = mean(g_m * g_m), or Hs = mean(h_m), or Hs^2 = mean(h_m * h_m)
 *     D    = the rule of solver/scaling, see base/scaling.h           Dh = max(alpha, |D|)
 *     x    = mean(x_m) - step (1 - beta1) mean(g_m) / Dh
 *
 * which is what averaging the models after that step would give, for Dh is common. With beta1 > 0
 * members have taken the share of their own momentum m in that step, step beta1 m, with the matrix
 * of before, for the server does not know m.
 *
 * D (D^2 where squares are averaged) lies beside the model in what is committed: it advances with
 * the model or not at all, whoever has a version has its D, and there is nothing else to keep.
 */
#include "base/scaling.h"
#include "base/schedule.h"
#include "registry.h"

struct scaled {
    struct cnv_scaling scaling;
    struct cnv_schedule schedule;
    double beta1;
};

static enum cnv_status
scaled_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    struct scaled *s = state;

    (void) dimension;
    cnv_scaling_read(config, &s->scaling);
    s->beta1 = cnv_config_real(config, "solver/beta1");
    return cnv_schedule_read(config, &s->schedule, err);
}

static struct cnv_width scaled_width(const void *state)
{
    const struct scaled *s = state;

    return (struct cnv_width){
        .offered = s->scaling.kind->is_curvature ? 3 : 2, /* x_m - x, g_m and h_m */
        .merged = 3,                                      /* x_m - x, g_m and Hs */
        .kept = 2,                                        /* x and D */
    };
}

/* Squares are taken before the mean. */
static void scaled_widen(const void *state, size_t count, const double *offered, double *merged)
{
    const struct scaled *s = state;
    size_t width = s->scaling.kind->is_curvature ? 3 : 2;

    for (size_t i = 0; i < count; i++) {
        double h = offered[width * i + width - 1];

        merged[3 * i] = offered[width * i];
        merged[3 * i + 1] = offered[width * i + 1];
        merged[3 * i + 2] = s->scaling.kind->is_square ? h * h : h;
    }
}

static void scaled_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    const struct scaled *s = state;
    double step = cnv_schedule_step(&s->schedule, input->last) * (1.0 - s->beta1);
    double keep = 0.0;
    double add = 0.0;

    cnv_scaling_weights(&s->scaling, input->version, &keep, &add);
    for (size_t i = 0; i < input->count; i++) {
        const double *mean = input->update + 3 * i;
        double d = keep * input->base[2 * i + 1] + add * mean[2];

        out[2 * i] =
            input->base[2 * i] + (mean[0] - step * mean[1] / cnv_scaling_entry(&s->scaling, d));
        out[2 * i + 1] = d;
    }
}

const struct cnv_optimiser_ops cnv_optimiser_scaled = {
    .name = "scaled",
    .text = "the server's half of SAVIC with one round trip: scaling matrix and model from one "
            "exchange",
    .paper = "Chezhegov et al. 2024, SAVIC (arXiv 2406.00846)",
    .keys = CNV_SCALING_KEYS " solver/beta1 " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct scaled),
    .init = scaled_init,
    .width = scaled_width,
    .widen = scaled_widen,
    .apply_slice = scaled_apply_slice,
    .save = cnv_optimiser_save_nothing,
    .load = cnv_optimiser_load_nothing,
};
