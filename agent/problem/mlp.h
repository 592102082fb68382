/*
 * mlp.h - the parts of problem mlp: a network of layers, and sums over blocks of rows through it.
 *
 * Inside agent/problem. Layer l has a matrix [outputs x (inputs + 1)], row-major, the bias last in
 * its row; the model is these matrices one after the other. A matrix therefore looks like the
 * model of softmax with an intercept, and activations like dense data rows: every product is one
 * of num/rows.h, a BLAS call for a block of rows.
 */
#ifndef CNV_AGENT_PROBLEM_MLP_H
#define CNV_AGENT_PROBLEM_MLP_H

#include "num/reduce.h"
#include "problem/problem.h"

enum {
    CNV_MLP_HIDDEN_MAX = 2,
    CNV_MLP_LAYERS_MAX = CNV_MLP_HIDDEN_MAX + 1,
    CNV_MLP_UNITS_MAX = 65536, /* of a layer */
    CNV_MLP_BLOCK = 256,       /* rows: fixed, it decides the bits; small, for the scratch */
};

struct cnv_mlp_layer {
    size_t inputs;
    size_t outputs;
    size_t at;   /* where its matrix begins in the model */
    size_t unit; /* units of the layers before it */
};

struct cnv_mlp {
    struct cnv_rows x;    /* with a column of ones */
    const double *labels; /* [classes] borrowed: the run's label map */
    uint32_t *classes;    /* [rows] */
    size_t layer_count;   /* hidden layers and the output */
    struct cnv_mlp_layer layers[CNV_MLP_LAYERS_MAX];
    size_t dimension;
    size_t units; /* of all layers */
    double l2;
    struct cnv_reducer *reducer;
    double *values; /* [threads x CNV_MLP_BLOCK x units] scratch: activations */
    double *deltas; /* the same: derivatives of the loss by a layer's sums */
    double *point;  /* [dimension] of curvature_at; NULL until then */
    struct cnv_batch at;
    double *tangent; /* [threads x 2 x CNV_MLP_BLOCK x units] R{values} and R{deltas} */
};

/* What a block of a sum over rows is given. */
struct cnv_mlp_pass {
    const struct cnv_mlp *mlp;
    const double *w;
    const double *v; /* the vector of a Hessian product */
};

/* Scores of the rows of the span, in the scratch of the slot: [span->count x classes]. */
double *cnv_mlp_forward(const struct cnv_mlp *mlp,
                        const struct cnv_rows *x,
                        const struct cnv_span *span,
                        size_t slot,
                        const double *w);

/* A cnv_reduce_fn: sum of losses, and of gradients where sum is not NULL. ctx: a pass. */
double cnv_mlp_gradient_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum);

/* A cnv_reduce_fn: sum of Hessian products. */
double cnv_mlp_times_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum);

#endif
