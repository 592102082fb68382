/*
 * mlp_pass.c - a block of rows forward and backward through the network.
 *
 *   forward    z_l = W_l a_(l-1) + b_l;  a_l = max(z_l, 0), the scores z_L stay as they are
 *   backward   d_L = p - y;  dW_l = d_l' a_(l-1);  d_(l-1) = [a_(l-1) > 0] d_l W_l
 *   R{.}       the derivative of every line above along v = (V_l, c_l), at a fixed point:
 *              R{z_l} = V_l a_(l-1) + c_l + W_l R{a_(l-1)};  R{a_l} = [a_l > 0] R{z_l}
 *              R{d_L} = p (R{z_L} - p'R{z_L});  R{dW_l} = R{d_l}' a_(l-1) + d_l' R{a_(l-1)}
 *              R{d_(l-1)} = [a_(l-1) > 0] (d_l V_l + R{d_l} W_l)
 *
 * The Hessian product is exact wherever no sum is 0; the derivative of max(z, 0) at 0 counts as 0.
 * Source: Pearlmutter 1994, "Fast exact multiplication by the Hessian", section 3.
 */
#include "num/vector.h"
#include "problem/classes.h"
#include "problem/mlp.h"

/* The part of a slot's scratch that belongs to a layer: [CNV_MLP_BLOCK x outputs]. */
static double *
part_of(const struct cnv_mlp *mlp, double *scratch, size_t slot, const struct cnv_mlp_layer *layer)
{
    return scratch + (slot * mlp->units + layer->unit) * CNV_MLP_BLOCK;
}

/* Activations of a layer as rows of data for the next one. */
static struct cnv_rows
rows_of(const struct cnv_mlp_layer *layer, const double *values, bool has_bias)
{
    return (struct cnv_rows){
        .count = CNV_MLP_BLOCK,
        .width = layer->outputs,
        .cols = layer->outputs + 1,
        .stride = layer->outputs,
        .values = values,
        .has_intercept = has_bias,
    };
}

/* factor where the unit is active, 0 elsewhere. */
static void mask(size_t n, const double *activations, double *factor)
{
    for (size_t i = 0; i < n; i++) {
        factor[i] = activations[i] > 0.0 ? factor[i] : 0.0;
    }
}

double *cnv_mlp_forward(const struct cnv_mlp *mlp,
                        const struct cnv_rows *x,
                        const struct cnv_span *span,
                        size_t slot,
                        const double *w)
{
    struct cnv_span block = { NULL, 0, span->count };
    double *values = part_of(mlp, mlp->values, slot, &mlp->layers[0]);

    cnv_rows_times(x, span, mlp->layers[0].outputs, w, values);
    for (size_t l = 1; l < mlp->layer_count; l++) {
        const struct cnv_mlp_layer *layer = &mlp->layers[l];
        struct cnv_rows below = rows_of(layer - 1, values, true);

        mask(span->count * layer->inputs, values, values);
        values = part_of(mlp, mlp->values, slot, layer);
        cnv_rows_times(&below, &block, layer->outputs, w + layer->at, values);
    }
    return values;
}

/* Scores z become p, and p - y goes to delta; returns the sum of the rows' losses. */
static double
score_rows(const struct cnv_mlp *mlp, const struct cnv_span *span, double *z, double *delta)
{
    size_t k = mlp->layers[mlp->layer_count - 1].outputs;
    double loss = 0.0;

    for (size_t i = 0; i < span->count; i++) {
        uint32_t class = mlp->classes[cnv_span_row(span, i)];
        double score = z[i * k + class];

        loss += cnv_classes_normalise(z + i * k, k) - score;
        cnv_vector_copy(k, z + i * k, delta + i * k);
        delta[i * k + class] -= 1.0;
    }
    return loss;
}

double cnv_mlp_gradient_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct cnv_mlp_pass *pass = ctx;
    const struct cnv_mlp *mlp = pass->mlp;
    const struct cnv_mlp_layer *layer = &mlp->layers[mlp->layer_count - 1];
    struct cnv_span block = { NULL, 0, span->count };
    double *delta = part_of(mlp, mlp->deltas, slot, layer);
    double *z = cnv_mlp_forward(mlp, &mlp->x, span, slot, pass->w);
    double loss = score_rows(mlp, span, z, delta);

    if (sum == NULL) {
        return loss;
    }
    for (; layer != mlp->layers; layer--) {
        double *values = part_of(mlp, mlp->values, slot, layer - 1);
        double *lower = part_of(mlp, mlp->deltas, slot, layer - 1);
        struct cnv_rows below = rows_of(layer - 1, values, true);

        cnv_rows_add_transposed(&below, &block, layer->outputs, delta, sum + layer->at);
        cnv_rows_combine(&below, span->count, layer->outputs, delta, pass->w + layer->at, 0, lower);
        mask(span->count * layer->inputs, values, lower);
        delta = lower;
    }
    cnv_rows_add_transposed(&mlp->x, span, layer->outputs, delta, sum);
    return loss;
}

/* R{values} of every layer, from the values of the forward pass; those of the scores are returned.
 * other: scratch of the same shape. */
static double *forward_tangent(const struct cnv_mlp_pass *pass,
                               const struct cnv_span *span,
                               size_t slot,
                               double *other)
{
    const struct cnv_mlp *mlp = pass->mlp;
    struct cnv_span block = { NULL, 0, span->count };
    double *tangent = part_of(mlp, mlp->tangent, 2 * slot, &mlp->layers[0]);

    cnv_rows_times(&mlp->x, span, mlp->layers[0].outputs, pass->v, tangent);
    for (size_t l = 1; l < mlp->layer_count; l++) {
        const struct cnv_mlp_layer *layer = &mlp->layers[l];
        double *values = part_of(mlp, mlp->values, slot, layer - 1);
        struct cnv_rows below = rows_of(layer - 1, values, true);
        struct cnv_rows moving = rows_of(layer - 1, tangent, false);
        double *moved = part_of(mlp, other, 0, layer);

        mask(span->count * layer->inputs, values, tangent);
        tangent = part_of(mlp, mlp->tangent, 2 * slot, layer);
        cnv_rows_times(&below, &block, layer->outputs, pass->v + layer->at, tangent);
        cnv_rows_times(&moving, &block, layer->outputs, pass->w + layer->at, moved);
        cnv_vector_add(span->count * layer->outputs, 1.0, moved, tangent);
    }
    return tangent;
}

double cnv_mlp_times_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct cnv_mlp_pass *pass = ctx;
    const struct cnv_mlp *mlp = pass->mlp;
    const struct cnv_mlp_layer *layer = &mlp->layers[mlp->layer_count - 1];
    struct cnv_span block = { NULL, 0, span->count };
    size_t k = layer->outputs;
    double *delta = part_of(mlp, mlp->deltas, slot, layer);
    double *moving = part_of(mlp, mlp->tangent, 2 * slot + 1, layer); /* R{delta} */
    double *p = cnv_mlp_forward(mlp, &mlp->x, span, slot, pass->w);
    const double *u =
        forward_tangent(pass, span, slot, part_of(mlp, mlp->tangent, 2 * slot + 1, mlp->layers));

    (void) score_rows(mlp, span, p, delta);
    for (size_t i = 0; i < span->count; i++) {
        double mean = cnv_vector_dot(k, p + i * k, u + i * k);

        for (size_t c = 0; c < k; c++) {
            moving[i * k + c] = p[i * k + c] * (u[i * k + c] - mean);
        }
    }
    for (; layer != mlp->layers; layer--) {
        size_t outputs = layer->outputs;
        size_t count = span->count;
        double *values = part_of(mlp, mlp->values, slot, layer - 1);
        double *lower = part_of(mlp, mlp->deltas, slot, layer - 1);
        double *lower_moving = part_of(mlp, mlp->tangent, 2 * slot + 1, layer - 1);
        struct cnv_rows below = rows_of(layer - 1, values, true);
        struct cnv_rows tangent =
            rows_of(layer - 1, part_of(mlp, mlp->tangent, 2 * slot, layer - 1), false);

        cnv_rows_add_transposed(&below, &block, outputs, moving, sum + layer->at);
        cnv_rows_add_transposed(&tangent, &block, outputs, delta, sum + layer->at);
        cnv_rows_combine(&below, count, outputs, delta, pass->v + layer->at, 0, lower_moving);
        cnv_rows_combine(&below, count, outputs, moving, pass->w + layer->at, 1, lower_moving);
        cnv_rows_combine(&below, count, outputs, delta, pass->w + layer->at, 0, lower);
        mask(count * layer->inputs, values, lower_moving);
        mask(count * layer->inputs, values, lower);
        delta = lower;
        moving = lower_moving;
    }
    cnv_rows_add_transposed(&mlp->x, span, layer->outputs, moving, sum);
    return 0.0;
}
