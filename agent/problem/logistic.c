/*
 * logistic.c - two classes: l(z, y) = log(1 + exp(-y z)), y = +1 for the larger label, else -1.
 *
 * Gupta et al. 2021 (LocalNewton), section 2. With m = y z and q = 1 / (1 + exp(m)): slope -q y,
 * curvature q (1 - q). All three are written in t = exp(-|m|), which cannot overflow.
 */
#include <math.h>

#include "problem/linear.h"

struct logistic {
    struct cnv_linear linear; /* first: the state is used as a cnv_linear */
    double low;               /* the label that stands for y = -1 */
    double high;
};

static double logistic_slopes(const struct cnv_span *span, const double *y, double *z)
{
    double sum = 0.0;

    for (size_t i = 0; i < span->count; i++) {
        double sign = y[cnv_span_row(span, i)];
        double margin = sign * z[i];
        double t = exp(-fabs(margin));

        sum += log1p(t) + (margin < 0.0 ? -margin : 0.0);
        z[i] = -sign * (margin > 0.0 ? t : 1.0) / (1.0 + t);
    }
    return sum;
}

static void logistic_curvatures(const struct cnv_span *span, const double *y, double *z)
{
    (void) y;
    for (size_t i = 0; i < span->count; i++) {
        double t = exp(-fabs(z[i]));

        z[i] = t / ((1.0 + t) * (1.0 + t));
    }
}

static const struct cnv_link logistic_link = { logistic_slopes, logistic_curvatures, 0.25 };

static enum cnv_status
logistic_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct logistic *logistic = state;

    if (setup->classes != 2) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem/kind=logistic needs exactly 2 label values, the run's data has "
                        "%zu: use softmax for more, ridge for real targets",
                        setup->classes);
    }
    logistic->low = setup->labels[0];
    logistic->high = setup->labels[1];
    enum cnv_status status = cnv_linear_init(&logistic->linear, &logistic_link, setup, err);
    for (size_t i = 0; status == CNV_OK && i < setup->shard->rows; i++) {
        double label = setup->shard->labels[i];

        if (label != logistic->low && label != logistic->high) {
            status = cnv_fail(err,
                              CNV_E_MISFIT,
                              "label %g is not one of the run's, %g and %g",
                              label,
                              logistic->low,
                              logistic->high);
        }
        logistic->linear.targets[i] = label == logistic->high ? 1.0 : -1.0;
    }
    return status;
}

/* The larger label is predicted where z > 0: a row without features counts as the smaller. */
static double is_right(const void *ctx, double score, double label)
{
    const struct logistic *logistic = ctx;

    return label == (score > 0.0 ? logistic->high : logistic->low) ? 1.0 : 0.0;
}

static double logistic_score(const void *state, const double *w, const struct cnv_shard *data)
{
    const struct logistic *logistic = state;

    return cnv_linear_tally(&logistic->linear, w, data, is_right, logistic);
}

const struct cnv_problem_ops cnv_problem_logistic = {
    .name = "logistic",
    .text = "logistic regression on two classes; the larger label is the positive one",
    .keys = CNV_DESIGN_KEYS,
    .is_classification = true,
    .state_size = sizeof(struct logistic),
    .init = logistic_init,
    .fini = cnv_linear_fini,
    .dimension = cnv_linear_dimension,
    .loss = cnv_linear_loss,
    .gradient = cnv_linear_gradient,
    .curvature_at = cnv_linear_curvature_at,
    .hessian = cnv_linear_hessian,
    .hessian_times = cnv_linear_hessian_times,
    .score = logistic_score,
    .smoothness = cnv_linear_smoothness,
};
