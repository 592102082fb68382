/* design.c - the view of a shard, the regulariser, the Hessian's panels. */
#include "problem/design.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "num/vector.h"

struct cnv_rows cnv_design_rows(const struct cnv_shard *data, size_t features, bool has_intercept)
{
    return (struct cnv_rows){
        .count = data->rows,
        .width = data->row_start == NULL && data->features < features ? data->features : features,
        .cols = features + has_intercept,
        .stride = data->features,
        .start = data->row_start,
        .columns = data->columns,
        .values = data->values,
        .has_intercept = has_intercept,
    };
}

enum cnv_status cnv_design_check(const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    const struct cnv_shard *shard = setup->shard;

    if (shard->rows == 0) {
        return cnv_fail(err, CNV_E_INPUT, "the shard has no rows: use fewer shards");
    }
    if (shard->features > setup->features) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "the shard has feature %zu, the run only %zu features",
                        shard->features,
                        setup->features);
    }
    return CNV_OK;
}

enum cnv_status cnv_design_init(struct cnv_design *design,
                                const struct cnv_problem_setup *setup,
                                size_t outputs,
                                struct cnv_error *err)
{
    const struct cnv_shard *shard = setup->shard;
    size_t threads = (size_t) cnv_config_integer(setup->config, "agent/threads");
    bool has_intercept = cnv_config_boolean(setup->config, "problem/intercept");
    size_t scores = 0;

    *design = (struct cnv_design){ .outputs = outputs };
    enum cnv_status status = cnv_design_check(setup, err);
    if (status != CNV_OK) {
        return status;
    }
    design->x = cnv_design_rows(shard, setup->features, has_intercept);
    design->l2 = cnv_config_fraction(setup->config, "problem/l2", setup->total_rows);
    if (__builtin_mul_overflow(outputs, design->x.cols, &design->dimension) ||
        __builtin_mul_overflow(threads * CNV_ROW_BLOCK, outputs, &scores)) {
        return cnv_fail(
            err, CNV_E_NOMEM, "%zu outputs of %zu coordinates", outputs, design->x.cols);
    }
    design->scores = cnv_array_new(scores, sizeof(*design->scores));
    if (design->scores == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "scores of %zu outputs", outputs);
    }
    return cnv_reducer_new(threads, CNV_ROW_BLOCK, design->dimension, &design->reducer, err);
}

void cnv_design_fini(struct cnv_design *design)
{
    cnv_reducer_destroy(design->reducer);
    cnv_free(design->scores);
    cnv_free(design->weights);
    cnv_free(design->panels);
    *design = (struct cnv_design){ 0 };
}

double *cnv_design_scores(const struct cnv_design *design, size_t slot)
{
    return design->scores + slot * CNV_ROW_BLOCK * design->outputs;
}

struct cnv_batch cnv_batch_all(const struct cnv_design *design, const struct cnv_batch *batch)
{
    return batch == NULL || batch->rows == NULL ? (struct cnv_batch){ .count = design->x.count }
                                                : *batch;
}

/* Coordinates of one output that are regularised. */
static size_t regularised(const struct cnv_design *design)
{
    return design->x.cols - design->x.has_intercept;
}

void cnv_design_add_ridge(const struct cnv_design *design, const double *v, double *product)
{
    for (size_t k = 0; k < design->outputs; k++) {
        size_t at = k * design->x.cols;

        cnv_vector_add(regularised(design), design->l2, v + at, product + at);
    }
}

double cnv_design_finish(const struct cnv_design *design,
                         const double *w,
                         size_t rows,
                         double loss_sum,
                         double *gradient)
{
    double square = 0.0;

    for (size_t k = 0; k < design->outputs; k++) {
        const double *wk = w + k * design->x.cols;

        square += cnv_vector_dot(regularised(design), wk, wk);
    }
    if (gradient != NULL) {
        cnv_vector_scale(design->dimension, 1.0 / (double) rows, gradient);
        cnv_design_add_ridge(design, w, gradient);
    }
    return loss_sum / (double) rows + 0.5 * design->l2 * square;
}

/* One wave of panels: panel number first_panel + piece of the pair (a, b). */
struct gram_wave {
    struct cnv_design *design;
    cnv_weigh_fn weigh;
    const void *ctx;
    double *block; /* where the pair's block begins in the Hessian */
    size_t a;
    size_t b;
    size_t first_panel;
};

static void gram_piece(void *arg, size_t piece)
{
    const struct gram_wave *wave = arg;
    struct cnv_design *design = wave->design;
    double *c = design->weights + piece * CNV_ROW_BLOCK;
    double *scratch = design->panels + piece * CNV_ROW_BLOCK * CNV_GRAM_PANEL;
    size_t first = (wave->first_panel + piece) * CNV_GRAM_PANEL;
    size_t last = first + CNV_GRAM_PANEL;

    if (last > design->x.cols) {
        last = design->x.cols;
    }
    for (size_t row = 0; row < design->x.count; row += CNV_ROW_BLOCK) {
        size_t left = design->x.count - row;
        struct cnv_span span = { NULL, row, left < CNV_ROW_BLOCK ? left : CNV_ROW_BLOCK };

        wave->weigh(wave->ctx, wave->a, wave->b, &span, c);
        cnv_rows_gram(&design->x, &span, c, first, last, scratch, wave->block, design->dimension);
    }
}

/* The Hessian's block (a, b), both triangles; and (b, a), which is the same. */
static void gram_block(struct gram_wave *wave, double *hessian)
{
    struct cnv_design *design = wave->design;
    struct cnv_team *team = cnv_reducer_team(design->reducer);
    size_t cols = design->x.cols;
    size_t ld = design->dimension;
    size_t panels = (cols + CNV_GRAM_PANEL - 1) / CNV_GRAM_PANEL;

    wave->block = hessian + wave->a * cols * ld + wave->b * cols;
    for (size_t first = 0; first < panels; first += cnv_team_size(team)) {
        size_t left = panels - first;

        wave->first_panel = first;
        cnv_team_run(
            team, left < cnv_team_size(team) ? left : cnv_team_size(team), gram_piece, wave);
    }
    cnv_mirror_upper(wave->block, cols, ld);
    for (size_t i = 0; wave->a != wave->b && i < cols; i++) {
        cnv_vector_copy(
            cols, wave->block + i * ld, hessian + (wave->b * cols + i) * ld + wave->a * cols);
    }
}

enum cnv_status cnv_design_prepare_hessian(struct cnv_design *design, struct cnv_error *err)
{
    size_t rows = cnv_team_size(cnv_reducer_team(design->reducer)) * CNV_ROW_BLOCK;

    if (design->weights == NULL) {
        design->weights = cnv_array_new(rows, sizeof(*design->weights));
    }
    if (design->panels == NULL) {
        design->panels = cnv_array_new(rows * CNV_GRAM_PANEL, sizeof(*design->panels));
    }
    if (design->weights == NULL || design->panels == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "scratch of the Hessian");
    }
    return CNV_OK;
}

void cnv_design_hessian(struct cnv_design *design,
                        cnv_weigh_fn weigh,
                        const void *ctx,
                        double *hessian)
{
    size_t n = design->dimension;

    cnv_vector_zero(n * n, hessian);
    for (size_t a = 0; a < design->outputs; a++) {
        for (size_t b = a; b < design->outputs; b++) {
            struct gram_wave wave = {
                .design = design, .weigh = weigh, .ctx = ctx, .a = a, .b = b
            };

            gram_block(&wave, hessian);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (i % design->x.cols < regularised(design)) {
            hessian[i * n + i] += design->l2;
        }
    }
}

struct cnv_rows cnv_design_view(const struct cnv_design *design, const struct cnv_shard *data)
{
    return cnv_design_rows(data, regularised(design), design->x.has_intercept);
}
