/*
 * quadratic.c - a quadratic of each agent's own, made from the seed, with a minimum that all share.
 *
 * Mishchenko et al. 2020, experiments with interpolation:
 *     f_i(x) = x'M_i x / 2,   M_i = vv' + (I - vv') (A_i A_i' / lambda_max(A_i A_i')) (I - vv')
 * v is a unit vector that all agents share, A_i has problem/dimension rows and problem/rank columns
 * of independent normal numbers. So x* = 0 minimises every f_i (interpolation), and the largest
 * eigenvalue of every M_i is 1. problem/l2 adds to both, as elsewhere.
 */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/vector.h"
#include "problem/problem.h"

enum { POWER_ITERATIONS = 10000 };

struct quadratic {
    size_t dimension;
    size_t rank;
    double l2;
    double *v;       /* [dimension] */
    double *columns; /* [rank x dimension] of A_i / sqrt(lambda_max) */
    double *work;    /* [dimension] */
};

/* Columns are numbered from 1; 0 is v, the same for all agents. */
static void draw_column(uint64_t seed, uint64_t stream, size_t column, size_t n, double *out)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, column == 0 ? 0 : stream, column);
    for (size_t i = 0; i < n; i++) {
        out[i] = cnv_rng_normal(&rng);
    }
}

/* Power iteration; the quotient's error is the square of the vector's. */
static double largest_eigenvalue(const struct quadratic *quadratic, double *x)
{
    size_t n = quadratic->dimension;
    double *next = quadratic->work;
    double before = 0.0;
    double largest = 0.0;

    cnv_vector_copy(n, quadratic->columns, x);
    for (int i = 0; i < POWER_ITERATIONS; i++) {
        cnv_vector_scale(n, 1.0 / cnv_vector_norm(n, x), x);
        cnv_vector_zero(n, next);
        for (size_t k = 0; k < quadratic->rank; k++) {
            const double *column = quadratic->columns + k * n;

            cnv_vector_add(n, cnv_vector_dot(n, column, x), column, next);
        }
        largest = cnv_vector_dot(n, x, next);
        if (largest - before <= 1e-14 * largest) {
            break;
        }
        before = largest;
        cnv_vector_copy(n, next, x);
    }
    return largest;
}

static enum cnv_status
quadratic_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct quadratic *quadratic = state;
    uint64_t seed = (uint64_t) cnv_config_integer(setup->config, "run/seed");
    size_t n = (size_t) cnv_config_integer(setup->config, "problem/dimension");
    size_t rank = (size_t) cnv_config_integer(setup->config, "problem/rank");
    size_t entries = 0;

    quadratic->dimension = n;
    quadratic->rank = rank;
    quadratic->l2 = cnv_config_fraction(setup->config, "problem/l2", setup->total_rows);
    quadratic->v = cnv_array_new(n, sizeof(double));
    quadratic->work = cnv_array_new(n, sizeof(double));
    if (!__builtin_mul_overflow(n, rank, &entries)) {
        quadratic->columns = cnv_array_new(entries, sizeof(double));
    }
    if (quadratic->v == NULL || quadratic->work == NULL || quadratic->columns == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "a quadratic of rank %zu in %zu coordinates", rank, n);
    }
    for (size_t k = 0; k < rank; k++) {
        draw_column(seed, setup->stream, k + 1, n, quadratic->columns + k * n);
    }
    double scale = 1.0 / sqrt(largest_eigenvalue(quadratic, quadratic->v));
    cnv_vector_scale(entries, scale, quadratic->columns);
    draw_column(seed, setup->stream, 0, n, quadratic->v);
    cnv_vector_scale(n, 1.0 / cnv_vector_norm(n, quadratic->v), quadratic->v);
    return CNV_OK;
}

static void quadratic_fini(void *state)
{
    struct quadratic *quadratic = state;

    cnv_free(quadratic->v);
    cnv_free(quadratic->columns);
    cnv_free(quadratic->work);
    *quadratic = (struct quadratic){ 0 };
}

static size_t quadratic_dimension(const void *state)
{
    return ((const struct quadratic *) state)->dimension;
}

/* x'M x + l2 x'x, and with out != NULL out = M x + l2 x. */
static double quadratic_form(const struct quadratic *quadratic, const double *x, double *out)
{
    size_t n = quadratic->dimension;
    double along = cnv_vector_dot(n, quadratic->v, x);
    double sum = along * along + quadratic->l2 * cnv_vector_dot(n, x, x);

    cnv_vector_move(n, x, -along, quadratic->v, quadratic->work); /* (I - vv') x */
    if (out != NULL) {
        cnv_vector_zero(n, out);
    }
    for (size_t k = 0; k < quadratic->rank; k++) {
        const double *column = quadratic->columns + k * n;
        double part = cnv_vector_dot(n, column, quadratic->work);

        sum += part * part;
        if (out != NULL) {
            cnv_vector_add(n, part, column, out);
        }
    }
    if (out != NULL) {
        cnv_vector_add(n, along - cnv_vector_dot(n, quadratic->v, out), quadratic->v, out);
        cnv_vector_add(n, quadratic->l2, x, out);
    }
    return sum;
}

static void quadratic_times(void *state, const double *x, double *out)
{
    (void) quadratic_form(state, x, out);
}

/* There are no rows to sum over: a batch is as good as all. */
static double
quadratic_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient)
{
    (void) batch;
    return 0.5 * quadratic_form(state, w, gradient);
}

static double quadratic_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    (void) batch;
    return 0.5 * quadratic_form(state, w, NULL);
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

/* There is no data to be right about. */
static double quadratic_score(const void *state, const double *w, const struct cnv_shard *data)
{
    (void) state;
    (void) w;
    (void) data;
    return 0.0;
}

static enum cnv_status quadratic_smoothness(void *state,
                                            enum cnv_smoothness of,
                                            double *ret_smoothness,
                                            struct cnv_error *err)
{
    (void) of;
    (void) err;
    *ret_smoothness = 1.0 + ((const struct quadratic *) state)->l2;
    return CNV_OK;
}

const struct cnv_problem_ops cnv_problem_quadratic = {
    .name = "quadratic",
    .text = "a random quadratic for each agent, with one minimum for all; needs no data",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), experiments",
    .keys = "problem/dimension problem/rank problem/l2 run/seed",
    .is_classification = false,
    .is_synthetic = true,
    .state_size = sizeof(struct quadratic),
    .init = quadratic_init,
    .fini = quadratic_fini,
    .dimension = quadratic_dimension,
    .loss = quadratic_loss,
    .gradient = quadratic_gradient,
    .curvature_at = quadratic_curvature_at,
    .hessian = NULL,
    .hessian_times = quadratic_times,
    .score = quadratic_score,
    .smoothness = quadratic_smoothness,
};
