/*
 * noisy.c - the two problems of growing intervals: exact objectives, gradients with noise.
 *
 * Spiridonoff, Olshevsky and Paschalidis 2021, experiments. All agents share
 * the objective F; a local step sees a gradient of
 *
 *   noisy-quadratic  F = sum of (i/2) x_i^2 (1 + z1_i) + x'z2 in 3 coordinates,
 *                    z1 ~ N(0, 1), which grows with x, and z2 ~ N(0, 1/4)
 *   noisy-skewed     F = x^2 for x >= 0, x^2 / 2 below, plus x z, z ~ N(0, 64): one coordinate,
 *                    not twice differentiable at its minimum. The coordinate is w = x - 1, so that
 *                    run/start=ones is the paper's x0 = 2.
 *
 * z is drawn anew for each agent and draw, from (seed, agent, draw); problem/noise multiplies it.
 * Whatever is not a draw - the loss, a gradient over the whole - is exact, so that a run's loss is
 * F itself; its minimum is 0.
 */
#include "base/rng.h"
#include "num/vector.h"
#include "problem/problem.h"

enum { QUADRATIC_DIMENSION = 3 };

struct noisy {
    uint64_t seed;
    uint64_t stream;
    double noise;
};

static enum cnv_status
noisy_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct noisy *noisy = state;

    (void) err;
    noisy->seed = (uint64_t) cnv_config_integer(setup->config, "run/seed");
    noisy->stream = setup->stream;
    noisy->noise = cnv_config_real(setup->config, "problem/noise");
    return CNV_OK;
}

static void noisy_fini(void *state)
{
    (void) state;
}

/* Starts the noise of this draw; false: the gradient is to be exact. */
static bool
start_noise(const struct noisy *noisy, const struct cnv_batch *batch, struct cnv_rng *rng)
{
    if (batch == NULL || batch->draw == 0 || noisy->noise == 0.0) {
        return false;
    }
    cnv_rng_init(rng, noisy->seed, CNV_RNG_NOISE, noisy->stream, batch->draw);
    return true;
}

/* There is no data to be right about. */
static double noisy_score(const void *state, const double *w, const struct cnv_shard *data)
{
    (void) state;
    (void) w;
    (void) data;
    return 0.0;
}

/* --- The quadratic ------------------------------------------------------------------------- */

static size_t quadratic_dimension(const void *state)
{
    (void) state;
    return QUADRATIC_DIMENSION;
}

static double quadratic_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    double sum = 0.0;

    (void) state;
    (void) batch;
    for (int i = 0; i < QUADRATIC_DIMENSION; i++) {
        sum += 0.5 * (i + 1) * w[i] * w[i];
    }
    return sum;
}

static double
quadratic_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient)
{
    const struct noisy *noisy = state;
    struct cnv_rng rng;
    bool is_noisy = start_noise(noisy, batch, &rng);

    for (int i = 0; i < QUADRATIC_DIMENSION; i++) {
        double z1 = is_noisy ? noisy->noise * cnv_rng_normal(&rng) : 0.0;
        double z2 = is_noisy ? noisy->noise * 0.5 * cnv_rng_normal(&rng) : 0.0;

        gradient[i] = (i + 1) * w[i] * (1.0 + z1) + z2;
    }
    return quadratic_loss(state, w, batch);
}

/* The same everywhere: nothing to keep. */
static enum cnv_status quadratic_curvature_at(void *state,
                                              const double *w,
                                              const struct cnv_batch *batch,
                                              struct cnv_error *err)
{
    (void) state;
    (void) w;
    (void) batch;
    (void) err;
    return CNV_OK;
}

static void quadratic_times(void *state, const double *v, double *out)
{
    (void) state;
    for (int i = 0; i < QUADRATIC_DIMENSION; i++) {
        out[i] = (i + 1) * v[i];
    }
}

static enum cnv_status quadratic_smoothness(void *state,
                                            enum cnv_smoothness of,
                                            double *ret_smoothness,
                                            struct cnv_error *err)
{
    (void) state;
    (void) of;
    (void) err;
    *ret_smoothness = QUADRATIC_DIMENSION;
    return CNV_OK;
}

/* --- The skewed problem -------------------------------------------------------------------- */

struct skewed {
    struct noisy noisy;
    double curvature; /* at the point of curvature_at */
};

static double skewed_curvature(double x)
{
    return x >= 0.0 ? 2.0 : 1.0;
}

static size_t skewed_dimension(const void *state)
{
    (void) state;
    return 1;
}

static double skewed_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    double x = w[0] + 1.0;

    (void) state;
    (void) batch;
    return 0.5 * skewed_curvature(x) * x * x;
}

static double
skewed_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient)
{
    const struct skewed *skewed = state;
    double x = w[0] + 1.0;
    struct cnv_rng rng;

    gradient[0] = skewed_curvature(x) * x;
    if (start_noise(&skewed->noisy, batch, &rng)) {
        gradient[0] += skewed->noisy.noise * 8.0 * cnv_rng_normal(&rng);
    }
    return skewed_loss(state, w, batch);
}

static enum cnv_status skewed_curvature_at(void *state,
                                           const double *w,
                                           const struct cnv_batch *batch,
                                           struct cnv_error *err)
{
    struct skewed *skewed = state;

    (void) batch;
    (void) err;
    skewed->curvature = skewed_curvature(w[0] + 1.0);
    return CNV_OK;
}

static void skewed_times(void *state, const double *v, double *out)
{
    out[0] = ((const struct skewed *) state)->curvature * v[0];
}

static enum cnv_status skewed_smoothness(void *state,
                                         enum cnv_smoothness of,
                                         double *ret_smoothness,
                                         struct cnv_error *err)
{
    (void) state;
    (void) of;
    (void) err;
    *ret_smoothness = 2.0;
    return CNV_OK;
}

const struct cnv_problem_ops cnv_problem_noisy_quadratic = {
    .name = "noisy-quadratic",
    .text =
        "a quadratic in 3 coordinates whose gradients carry multiplicative noise; needs no data",
    .paper = "Spiridonoff, Olshevsky and Paschalidis 2021 (arXiv 2106.04759), experiments",
    .keys = "problem/noise run/seed",
    .is_classification = false,
    .is_synthetic = true,
    .state_size = sizeof(struct noisy),
    .init = noisy_init,
    .fini = noisy_fini,
    .dimension = quadratic_dimension,
    .loss = quadratic_loss,
    .gradient = quadratic_gradient,
    .curvature_at = quadratic_curvature_at,
    .hessian = NULL,
    .hessian_times = quadratic_times,
    .score = noisy_score,
    .smoothness = quadratic_smoothness,
};

const struct cnv_problem_ops cnv_problem_noisy_skewed = {
    .name = "noisy-skewed",
    .text = "a function of one coordinate with a kink in its slope at the minimum and noisy "
            "gradients; needs no data",
    .paper = "Spiridonoff, Olshevsky and Paschalidis 2021 (arXiv 2106.04759), experiments",
    .keys = "problem/noise run/seed",
    .is_classification = false,
    .is_synthetic = true,
    .state_size = sizeof(struct skewed),
    .init = noisy_init,
    .fini = noisy_fini,
    .dimension = skewed_dimension,
    .loss = skewed_loss,
    .gradient = skewed_gradient,
    .curvature_at = skewed_curvature_at,
    .hessian = NULL,
    .hessian_times = skewed_times,
    .score = noisy_score,
    .smoothness = skewed_smoothness,
};
