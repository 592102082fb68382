/*
 * log_cosh.c - a problem as a plug-in: regression that outliers do not spoil.
 *
 * l(z, y) = log cosh(z - y): half the square of small errors, the size of large ones. Smooth and
 * convex, slope tanh(r), curvature 1 - tanh(r)^2. What all objectives of one output share is in
 * problem/linear.h.
 *
 *   cc -O2 -shared -fPIC -std=c17 -I. -Ilib -Iserver -Iagent examples/plugins/log_cosh.c \
 *       -o log_cosh.so
 *   convene run --agents 4 --data FILE --plugin ./log_cosh.so --set problem/kind=plugin:log-cosh
 */
#include <math.h>

#include "num/vector.h"
#include "problem/linear.h"

/* log cosh r without overflow: |r| + log((1 + exp(-2 |r|)) / 2). */
static double log_cosh(double r)
{
    return fabs(r) + log1p(exp(-2.0 * fabs(r))) - log(2.0);
}

static double slopes(const struct cnv_span *span, const double *y, double *z)
{
    double sum = 0.0;

    for (size_t i = 0; i < span->count; i++) {
        double r = z[i] - y[cnv_span_row(span, i)];

        sum += log_cosh(r);
        z[i] = tanh(r);
    }
    return sum;
}

static void curvatures(const struct cnv_span *span, const double *y, double *z)
{
    for (size_t i = 0; i < span->count; i++) {
        double slope = tanh(z[i] - y[cnv_span_row(span, i)]);

        z[i] = 1.0 - slope * slope;
    }
}

static const struct cnv_link loss_link = { slopes, curvatures, 1.0 };

static enum cnv_status
log_cosh_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct cnv_linear *linear = state;
    enum cnv_status status = cnv_linear_init(linear, &loss_link, setup, err);

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

static double log_cosh_score(const void *state, const double *w, const struct cnv_shard *data)
{
    return cnv_linear_tally(state, w, data, squared_error, NULL);
}

static const struct cnv_problem_ops log_cosh_ops = {
    .name = "log-cosh",
    .text = "regression on real targets that large errors move no more than small ones",
    .keys = CNV_DESIGN_KEYS,
    .state_size = sizeof(struct cnv_linear),
    .init = log_cosh_init,
    .fini = cnv_linear_fini,
    .dimension = cnv_linear_dimension,
    .loss = cnv_linear_loss,
    .gradient = cnv_linear_gradient,
    .curvature_at = cnv_linear_curvature_at,
    .hessian = cnv_linear_hessian,
    .hessian_times = cnv_linear_hessian_times,
    .score = log_cosh_score,
    .smoothness = cnv_linear_smoothness,
};

CNV_PROBLEM_PLUGIN(&log_cosh_ops, NULL);
