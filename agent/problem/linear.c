/* linear.c - loss, gradient and curvature by blocks of rows; see linear.h for the formulas. */
#include "problem/linear.h"

#include "base/mem.h"
#include "num/vector.h"

/* What a block of a sum over rows is given. */
struct pass {
    struct cnv_linear *linear;
    const double *w; /* the point, or the vector of a Hessian product */
};

enum cnv_status cnv_linear_init(struct cnv_linear *linear,
                                const struct cnv_link *link,
                                const struct cnv_problem_setup *setup,
                                struct cnv_error *err)
{
    enum cnv_status status = cnv_design_init(&linear->design, setup, 1, err);

    linear->link = link;
    if (status != CNV_OK) {
        return status;
    }
    linear->targets = cnv_array_new(setup->shard->rows, sizeof(*linear->targets));
    if (linear->targets == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "targets of %zu rows", setup->shard->rows);
    }
    return CNV_OK;
}

void cnv_linear_fini(void *state)
{
    struct cnv_linear *linear = state;

    cnv_design_fini(&linear->design);
    cnv_free(linear->targets);
    cnv_free(linear->curvature);
    linear->targets = NULL;
    linear->curvature = NULL;
}

size_t cnv_linear_dimension(const void *state)
{
    return ((const struct cnv_linear *) state)->design.dimension;
}

static double gradient_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct cnv_linear *linear = pass->linear;
    double *z = cnv_design_scores(&linear->design, slot);

    cnv_rows_times(&linear->design.x, span, 1, pass->w, z);
    double loss = linear->link->slopes(span, linear->targets, z);
    if (sum != NULL) {
        cnv_rows_add_transposed(&linear->design.x, span, 1, z, sum);
    }
    return loss;
}

double
cnv_linear_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient)
{
    struct cnv_linear *linear = state;
    struct pass pass = { linear, w };
    struct cnv_batch all = cnv_batch_all(&linear->design, batch);
    double sum =
        cnv_reduce(linear->design.reducer, all.rows, all.count, gradient_block, &pass, gradient);

    return cnv_design_finish(&linear->design, w, all.count, sum, gradient);
}

double cnv_linear_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    return cnv_linear_gradient(state, w, batch, NULL);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is cnv_reduce_fn's */
static double curvature_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct cnv_linear *linear = pass->linear;
    double *c = linear->curvature + span->first;

    (void) slot;
    (void) sum;
    cnv_rows_times(&linear->design.x, span, 1, pass->w, c);
    linear->link->curvatures(span, linear->targets, c);
    cnv_vector_scale(span->count, 1.0 / (double) linear->at.count, c);
    return 0.0;
}

enum cnv_status cnv_linear_curvature_at(void *state,
                                        const double *w,
                                        const struct cnv_batch *batch,
                                        struct cnv_error *err)
{
    struct cnv_linear *linear = state;
    struct pass pass = { linear, w };
    size_t rows = linear->design.x.count;

    if (linear->curvature == NULL) {
        linear->curvature = cnv_array_new(rows, sizeof(*linear->curvature));
    }
    if (linear->curvature == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "curvatures of %zu rows", rows);
    }
    linear->at = cnv_batch_all(&linear->design, batch);
    (void) cnv_reduce(
        linear->design.reducer, linear->at.rows, linear->at.count, curvature_block, &pass, NULL);
    return cnv_design_prepare_hessian(&linear->design, err);
}

static void weigh(const void *ctx, size_t a, size_t b, const struct cnv_span *span, double *c)
{
    const struct cnv_linear *linear = ctx;

    (void) a;
    (void) b;
    cnv_vector_copy(span->count, linear->curvature + span->first, c);
}

void cnv_linear_hessian(void *state, double *hessian)
{
    struct cnv_linear *linear = state;

    cnv_design_hessian(&linear->design, weigh, linear, hessian);
}

static double times_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct cnv_linear *linear = pass->linear;
    const double *c = linear->curvature + span->first;
    double *z = cnv_design_scores(&linear->design, slot);

    cnv_rows_times(&linear->design.x, span, 1, pass->w, z);
    for (size_t i = 0; i < span->count; i++) {
        z[i] *= c[i];
    }
    cnv_rows_add_transposed(&linear->design.x, span, 1, z, sum);
    return 0.0;
}

void cnv_linear_hessian_times(void *state, const double *v, double *out)
{
    struct cnv_linear *linear = state;
    struct pass pass = { linear, v };

    (void) cnv_reduce(
        linear->design.reducer, linear->at.rows, linear->at.count, times_block, &pass, out);
    cnv_design_add_ridge(&linear->design, v, out);
}

enum cnv_status cnv_linear_smoothness(void *state,
                                      enum cnv_smoothness of,
                                      double *ret_smoothness,
                                      struct cnv_error *err)
{
    struct cnv_linear *linear = state;

    return cnv_design_smoothness(&linear->design, of, linear->link->steepest, ret_smoothness, err);
}

double cnv_linear_tally(const struct cnv_linear *linear,
                        const double *w,
                        const struct cnv_shard *data,
                        double (*count)(const void *ctx, double score, double label),
                        const void *ctx)
{
    struct cnv_rows x = cnv_design_view(&linear->design, data);
    double *z = cnv_design_scores(&linear->design, 0);
    double sum = 0.0;

    for (size_t row = 0; row < x.count; row += CNV_ROW_BLOCK) {
        struct cnv_span span = { NULL,
                                 row,
                                 x.count - row < CNV_ROW_BLOCK ? x.count - row : CNV_ROW_BLOCK };

        cnv_rows_times(&x, &span, 1, w, z);
        for (size_t i = 0; i < span.count; i++) {
            sum += count(ctx, z[i], data->labels[row + i]);
        }
    }
    return sum;
}
