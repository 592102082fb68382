/*
 * softmax.c - several classes: l(z, c) = log sum_k exp(z_k) - z_c with scores z = W x.
 *
 * W is row-major, one row per class in the order of the run's label map, the intercept last in
 * its row. With p = softmax(z): gradient of W's row k is X'(p_k - [c = k]) / s; the Hessian's
 * block (a, b) is X' diag(p_a ([a = b] - p_b)) X / s, and its product with V is
 * X' (p_k (u_k - sum_j p_j u_j)) / s with u = V x. Scores are shifted by their largest.
 */
#include "base/mem.h"
#include "problem/classes.h"
#include "problem/design.h"

struct softmax {
    struct cnv_design design;
    const double *labels;  /* [classes] borrowed: the run's label map */
    uint32_t *classes;     /* [rows] index of each row's label in it */
    double *probabilities; /* [at.count x classes] at the point and rows of curvature_at */
    struct cnv_batch at;
};

/* What a block of a sum over rows is given. */
struct pass {
    struct softmax *softmax;
    const double *w;
};

static enum cnv_status
softmax_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct softmax *softmax = state;

    softmax->labels = setup->labels;
    enum cnv_status status = cnv_classes_new(setup, "softmax", &softmax->classes, err);
    if (status != CNV_OK) {
        return status;
    }
    return cnv_design_init(&softmax->design, setup, setup->classes, err);
}

static void softmax_fini(void *state)
{
    struct softmax *softmax = state;

    cnv_design_fini(&softmax->design);
    cnv_free(softmax->classes);
    cnv_free(softmax->probabilities);
    softmax->classes = NULL;
    softmax->probabilities = NULL;
}

static size_t softmax_dimension(const void *state)
{
    return ((const struct softmax *) state)->design.dimension;
}

static double gradient_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct softmax *softmax = pass->softmax;
    size_t k = softmax->design.outputs;
    double *z = cnv_design_scores(&softmax->design, slot);
    double loss = 0.0;

    cnv_rows_times(&softmax->design.x, span, k, pass->w, z);
    for (size_t i = 0; i < span->count; i++) {
        uint32_t class = softmax->classes[cnv_span_row(span, i)];
        double score = z[i * k + class];

        loss += cnv_classes_normalise(z + i * k, k) - score;
        z[i * k + class] -= 1.0;
    }
    if (sum != NULL) {
        cnv_rows_add_transposed(&softmax->design.x, span, k, z, sum);
    }
    return loss;
}

static double
softmax_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient)
{
    struct softmax *softmax = state;
    struct pass pass = { softmax, w };
    struct cnv_batch all = cnv_batch_all(&softmax->design, batch);
    double sum =
        cnv_reduce(softmax->design.reducer, all.rows, all.count, gradient_block, &pass, gradient);

    return cnv_design_finish(&softmax->design, w, all.count, sum, gradient);
}

static double softmax_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    return softmax_gradient(state, w, batch, NULL);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is cnv_reduce_fn's */
static double probability_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct softmax *softmax = pass->softmax;
    size_t k = softmax->design.outputs;
    double *p = softmax->probabilities + span->first * k;

    (void) slot;
    (void) sum;
    cnv_rows_times(&softmax->design.x, span, k, pass->w, p);
    for (size_t i = 0; i < span->count; i++) {
        (void) cnv_classes_normalise(p + i * k, k);
    }
    return 0.0;
}

static enum cnv_status softmax_curvature_at(void *state,
                                            const double *w,
                                            const struct cnv_batch *batch,
                                            struct cnv_error *err)
{
    struct softmax *softmax = state;
    struct pass pass = { softmax, w };
    size_t rows = softmax->design.x.count;
    size_t count = 0;

    if (softmax->probabilities == NULL &&
        !__builtin_mul_overflow(rows, softmax->design.outputs, &count)) {
        softmax->probabilities = cnv_array_new(count, sizeof(*softmax->probabilities));
    }
    if (softmax->probabilities == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "probabilities of %zu rows", rows);
    }
    softmax->at = cnv_batch_all(&softmax->design, batch);
    (void) cnv_reduce(softmax->design.reducer,
                      softmax->at.rows,
                      softmax->at.count,
                      probability_block,
                      &pass,
                      NULL);
    return cnv_design_prepare_hessian(&softmax->design, err);
}

static void weigh(const void *ctx, size_t a, size_t b, const struct cnv_span *span, double *c)
{
    const struct softmax *softmax = ctx;
    size_t k = softmax->design.outputs;
    double rows = (double) softmax->at.count;

    for (size_t i = 0; i < span->count; i++) {
        const double *p = softmax->probabilities + (span->first + i) * k;

        c[i] = p[a] * ((a == b ? 1.0 : 0.0) - p[b]) / rows;
    }
}

static void softmax_hessian(void *state, double *hessian)
{
    struct softmax *softmax = state;

    cnv_design_hessian(&softmax->design, weigh, softmax, hessian);
}

static double times_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct softmax *softmax = pass->softmax;
    size_t k = softmax->design.outputs;
    double *u = cnv_design_scores(&softmax->design, slot);
    double rows = (double) softmax->at.count;

    cnv_rows_times(&softmax->design.x, span, k, pass->w, u);
    for (size_t i = 0; i < span->count; i++) {
        const double *p = softmax->probabilities + (span->first + i) * k;
        double *ui = u + i * k;
        double mean = 0.0;

        for (size_t c = 0; c < k; c++) {
            mean += p[c] * ui[c];
        }
        for (size_t c = 0; c < k; c++) {
            ui[c] = p[c] * (ui[c] - mean) / rows;
        }
    }
    cnv_rows_add_transposed(&softmax->design.x, span, k, u, sum);
    return 0.0;
}

static void softmax_hessian_times(void *state, const double *v, double *out)
{
    struct softmax *softmax = state;
    struct pass pass = { softmax, v };

    (void) cnv_reduce(
        softmax->design.reducer, softmax->at.rows, softmax->at.count, times_block, &pass, out);
    cnv_design_add_ridge(&softmax->design, v, out);
}

/* No eigenvalue of diag(p) - p p' is larger than 1/2. */
static enum cnv_status softmax_smoothness(void *state,
                                          enum cnv_smoothness of,
                                          double *ret_smoothness,
                                          struct cnv_error *err)
{
    return cnv_design_smoothness(&((struct softmax *) state)->design, of, 0.5, ret_smoothness, err);
}

/* The first class with the largest score is predicted. */
static double softmax_score(const void *state, const double *w, const struct cnv_shard *data)
{
    const struct softmax *softmax = state;
    struct cnv_rows x = cnv_design_view(&softmax->design, data);
    size_t k = softmax->design.outputs;
    double *z = cnv_design_scores(&softmax->design, 0);
    double right = 0.0;

    for (size_t row = 0; row < x.count; row += CNV_ROW_BLOCK) {
        size_t left = x.count - row;
        struct cnv_span span = { NULL, row, left < CNV_ROW_BLOCK ? left : CNV_ROW_BLOCK };

        cnv_rows_times(&x, &span, k, w, z);
        right += cnv_classes_right(z, k, span.count, softmax->labels, data->labels + row);
    }
    return right;
}

const struct cnv_problem_ops cnv_problem_softmax = {
    .name = "softmax",
    .text = "softmax (multinomial logistic) regression on two or more classes",
    .keys = CNV_DESIGN_KEYS,
    .is_classification = true,
    .state_size = sizeof(struct softmax),
    .init = softmax_init,
    .fini = softmax_fini,
    .dimension = softmax_dimension,
    .loss = softmax_loss,
    .gradient = softmax_gradient,
    .curvature_at = softmax_curvature_at,
    .hessian = softmax_hessian,
    .hessian_times = softmax_hessian_times,
    .score = softmax_score,
    .smoothness = softmax_smoothness,
};
