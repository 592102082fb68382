/*
 * mlp.c - a network with one or two hidden layers of ReLU units and a softmax output.
 *
 * problem/hidden says how many units: "32", or "64,32" from the data on. Every layer has biases;
 * the regulariser is on the weights alone. The objective is not convex and has no gradient step
 * out of zeros, so the run has to start from run/start=random. Hessian products are exact
 * (mlp_pass.c); a dense Hessian is not offered, as it is indefinite.
 */
#include "problem/mlp.h"

#include "base/list.h"
#include "base/mem.h"
#include "num/vector.h"
#include "problem/classes.h"
#include "problem/design.h"

/* Lays out the layers; false: too many coordinates to count. */
static bool
lay_out(struct cnv_mlp *mlp, size_t features, const uint64_t *hidden, size_t count, size_t classes)
{
    size_t inputs = features;

    mlp->layer_count = count + 1;
    for (size_t l = 0; l <= count; l++) {
        size_t outputs = l < count ? (size_t) hidden[l] : classes;
        size_t size = 0;

        mlp->layers[l] = (struct cnv_mlp_layer){ inputs, outputs, mlp->dimension, mlp->units };
        mlp->units += outputs;
        if (__builtin_mul_overflow(outputs, inputs + 1, &size) ||
            __builtin_add_overflow(mlp->dimension, size, &mlp->dimension)) {
            return false;
        }
        inputs = outputs;
    }
    return true;
}

static enum cnv_status
read_layers(struct cnv_mlp *mlp, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    const char *text = cnv_config_text(setup->config, "problem/hidden");
    uint64_t hidden[CNV_MLP_HIDDEN_MAX];
    size_t count = 0;
    bool is_list = cnv_list_read(text, hidden, CNV_MLP_HIDDEN_MAX, &count) && count > 0;

    for (size_t i = 0; is_list && i < count; i++) {
        is_list = hidden[i] > 0 && hidden[i] <= CNV_MLP_UNITS_MAX;
    }
    if (!is_list) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem/hidden=%s: allowed are one or two numbers of units from 1 to %d, "
                        "separated by a comma",
                        text,
                        CNV_MLP_UNITS_MAX);
    }
    if (!lay_out(mlp, setup->features, hidden, count, setup->classes)) {
        return cnv_fail(err, CNV_E_NOMEM, "a network on %zu features", setup->features);
    }
    return CNV_OK;
}

static enum cnv_status
mlp_init(void *state, const struct cnv_problem_setup *setup, struct cnv_error *err)
{
    struct cnv_mlp *mlp = state;
    size_t threads = (size_t) cnv_config_integer(setup->config, "agent/threads");
    size_t rows = threads * CNV_MLP_BLOCK;
    enum cnv_status status = cnv_design_check(setup, err);

    if (status == CNV_OK) {
        status = cnv_classes_new(setup, "mlp", &mlp->classes, err);
    }
    if (status == CNV_OK) {
        status = read_layers(mlp, setup, err);
    }
    if (status != CNV_OK) {
        return status;
    }
    mlp->x = cnv_design_rows(setup->shard, setup->features, true);
    mlp->labels = setup->labels;
    mlp->l2 = cnv_config_fraction(setup->config, "problem/l2", setup->total_rows);
    mlp->values = cnv_array_new(rows, mlp->units * sizeof(*mlp->values));
    mlp->deltas = cnv_array_new(rows, mlp->units * sizeof(*mlp->deltas));
    if (mlp->values == NULL || mlp->deltas == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "activations of %zu units", mlp->units);
    }
    return cnv_reducer_new(threads, CNV_MLP_BLOCK, mlp->dimension, &mlp->reducer, err);
}

static void mlp_fini(void *state)
{
    struct cnv_mlp *mlp = state;

    cnv_reducer_destroy(mlp->reducer);
    cnv_free(mlp->classes);
    cnv_free(mlp->values);
    cnv_free(mlp->deltas);
    cnv_free(mlp->point);
    cnv_free(mlp->tangent);
    *mlp = (struct cnv_mlp){ 0 };
}

static size_t mlp_dimension(const void *state)
{
    return ((const struct cnv_mlp *) state)->dimension;
}

/* product += l2 * v, and the sum of squares of v, both without the biases. */
static double add_ridge(const struct cnv_mlp *mlp, const double *v, double *product)
{
    double square = 0.0;

    for (size_t l = 0; l < mlp->layer_count; l++) {
        const struct cnv_mlp_layer *layer = &mlp->layers[l];

        for (size_t k = 0; k < layer->outputs; k++) {
            size_t at = layer->at + k * (layer->inputs + 1);

            square += cnv_vector_dot(layer->inputs, v + at, v + at);
            if (product != NULL) {
                cnv_vector_add(layer->inputs, mlp->l2, v + at, product + at);
            }
        }
    }
    return square;
}

static struct cnv_batch all_of(const struct cnv_mlp *mlp, const struct cnv_batch *batch)
{
    return batch == NULL || batch->rows == NULL ? (struct cnv_batch){ .count = mlp->x.count }
                                                : *batch;
}

static double
mlp_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient)
{
    struct cnv_mlp *mlp = state;
    struct cnv_mlp_pass pass = { mlp, w, NULL };
    struct cnv_batch all = all_of(mlp, batch);
    double rows = (double) all.count;
    double loss =
        cnv_reduce(mlp->reducer, all.rows, all.count, cnv_mlp_gradient_block, &pass, gradient);

    if (gradient != NULL) {
        cnv_vector_scale(mlp->dimension, 1.0 / rows, gradient);
    }
    return loss / rows + 0.5 * mlp->l2 * add_ridge(mlp, w, gradient);
}

static double mlp_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    return mlp_gradient(state, w, batch, NULL);
}

static enum cnv_status
mlp_curvature_at(void *state, const double *w, const struct cnv_batch *batch, struct cnv_error *err)
{
    struct cnv_mlp *mlp = state;
    size_t rows = cnv_team_size(cnv_reducer_team(mlp->reducer)) * CNV_MLP_BLOCK;

    if (mlp->point == NULL) {
        mlp->point = cnv_array_new(mlp->dimension, sizeof(*mlp->point));
    }
    if (mlp->tangent == NULL) {
        mlp->tangent = cnv_array_new(2 * rows, mlp->units * sizeof(*mlp->tangent));
    }
    if (mlp->point == NULL || mlp->tangent == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "Hessian products in %zu coordinates", mlp->dimension);
    }
    cnv_vector_copy(mlp->dimension, w, mlp->point);
    mlp->at = all_of(mlp, batch);
    return CNV_OK;
}

static void mlp_hessian_times(void *state, const double *v, double *out)
{
    struct cnv_mlp *mlp = state;
    struct cnv_mlp_pass pass = { mlp, mlp->point, v };

    (void) cnv_reduce(mlp->reducer, mlp->at.rows, mlp->at.count, cnv_mlp_times_block, &pass, out);
    cnv_vector_scale(mlp->dimension, 1.0 / (double) mlp->at.count, out);
    (void) add_ridge(mlp, v, out);
}

static double mlp_score(const void *state, const double *w, const struct cnv_shard *data)
{
    const struct cnv_mlp *mlp = state;
    struct cnv_rows x = cnv_design_rows(data, mlp->layers[0].inputs, true);
    size_t k = mlp->layers[mlp->layer_count - 1].outputs;
    double right = 0.0;

    for (size_t row = 0; row < x.count; row += CNV_MLP_BLOCK) {
        size_t left = x.count - row;
        struct cnv_span span = { NULL, row, left < CNV_MLP_BLOCK ? left : CNV_MLP_BLOCK };
        const double *z = cnv_mlp_forward(mlp, &x, &span, 0, w);

        right += cnv_classes_right(z, k, span.count, mlp->labels, data->labels + row);
    }
    return right;
}

const struct cnv_problem_ops cnv_problem_mlp = {
    .name = "mlp",
    .text = "a network with one or two hidden layers of ReLU units and a softmax output",
    .keys = "problem/hidden problem/l2 agent/threads",
    .is_classification = true,
    .state_size = sizeof(struct cnv_mlp),
    .init = mlp_init,
    .fini = mlp_fini,
    .dimension = mlp_dimension,
    .loss = mlp_loss,
    .gradient = mlp_gradient,
    .curvature_at = mlp_curvature_at,
    .hessian = NULL,
    .hessian_times = mlp_hessian_times,
    .score = mlp_score,
};
