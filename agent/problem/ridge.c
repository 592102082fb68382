/*
 * ridge.c - least squares: l(z, y) = (z - y)^2 / 2 with the labels of the file as targets y.
 *
 * The objective is (1/2s) sum (x'w - y)^2 + (l2/2) |w|^2. Labels of two-class data are targets
 * like any others: 0/1 stays 0/1.
 */
#include "num/vector.h"
#include "problem/linear.h"

static double ridge_slopes(const struct cnv_span *span, const double *y, double *z)
{
    double sum = 0.0;

    for (size_t i = 0; i < span->count; i++) {
        z[i] -= y[cnv_span_row(span, i)];
        sum += 0.5 * z[i] * z[i];
    }
    return sum;
}

static void ridge_curvatures(const struct cnv_span *span, const double *y, double *z)
{
    (void) y;
    for (size_t i = 0; i < span->count; i++) {
        z[i] = 1.0;
    }
}

static const struct cnv_link ridge_link = { ridge_slopes, ridge_curvatures, 1.0 };

static enum cnv_status
ridge_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct cnv_linear *linear = state;
    enum cnv_status status = cnv_linear_init(linear, &ridge_link, setup, err);

    if (status == CNV_OK) {
        cnv_vector_copy(setup->shard->rows, setup->shard->labels, linear->targets);
    }
    return status;
}

static double squared_error(const void *ctx, double score, double label)
{
    (void) ctx;
    return (score - label) * (score - label);
}

static double ridge_score(const void *state, const double *w, const struct cnv_shard *data)
{
    return cnv_linear_tally(state, w, data, squared_error, NULL);
}

const struct cnv_problem_ops cnv_problem_ridge = {
    .name = "ridge",
    .text = "least squares on real targets, the labels as they stand in the file",
    .keys = CNV_DESIGN_KEYS,
    .is_classification = false,
    .state_size = sizeof(struct cnv_linear),
    .init = ridge_init,
    .fini = cnv_linear_fini,
    .dimension = cnv_linear_dimension,
    .loss = cnv_linear_loss,
    .gradient = cnv_linear_gradient,
    .curvature_at = cnv_linear_curvature_at,
    .hessian = cnv_linear_hessian,
    .hessian_times = cnv_linear_hessian_times,
    .score = ridge_score,
    .smoothness = cnv_linear_smoothness,
};
