/*
 * design.h - what all objectives on a linear score x'w have in common: the design matrix (the
 * shard's rows, with a column of ones for the intercept), the regulariser, and sums over rows.
 *
 * A model has outputs x cols coordinates: one output for logistic and ridge, one per class for
 * softmax. Threads: the functions use the design's own team and scratch; one caller at a time.
 */
#ifndef CNV_AGENT_PROBLEM_DESIGN_H
#define CNV_AGENT_PROBLEM_DESIGN_H

#include "num/reduce.h"
#include "problem/problem.h"

/* Settings that cnv_design_init reads. */
#define CNV_DESIGN_KEYS "problem/l2 problem/intercept agent/threads"

struct cnv_design {
    struct cnv_rows x;
    size_t outputs;
    size_t dimension; /* outputs * x.cols */
    double l2;
    struct cnv_reducer *reducer;
    double *scores;  /* [threads x CNV_ROW_BLOCK x outputs] scratch, one part per slot */
    double *weights; /* [threads x CNV_ROW_BLOCK] scratch of the Hessian */
    double *panels;  /* [threads x CNV_ROW_BLOCK x CNV_GRAM_PANEL] scratch of the dense Hessian */
};

/* The rows of data under a model of so many features; columns the model lacks take no part. */
struct cnv_rows cnv_design_rows(const struct cnv_shard *data, size_t features, bool has_intercept);

/* CNV_E_INPUT: a shard without rows; CNV_E_MISFIT: more features than the run has. */
CNV_MUST_CHECK enum cnv_status cnv_design_check(const struct cnv_problem_setup *setup,
                                                struct cnv_error *err);

/*
 * Reads problem/l2 ("1/n" is one over the rows of the run), problem/intercept and agent/threads.
 * Borrows the shard. Leaves the design fit for fini even when it fails.
 * Fails as cnv_design_check does, and with CNV_E_NOMEM.
 */
CNV_MUST_CHECK enum cnv_status cnv_design_init(struct cnv_design *design,
                                               const struct cnv_problem_setup *setup,
                                               size_t outputs,
                                               struct cnv_error *err);
void cnv_design_fini(struct cnv_design *design);

/* The scratch for scores that belongs to a slot: [CNV_ROW_BLOCK x outputs]. */
double *cnv_design_scores(const struct cnv_design *design, size_t slot);

/* The batch, with the number of rows where it is NULL or lists none: all of the shard. */
struct cnv_batch cnv_batch_all(const struct cnv_design *design, const struct cnv_batch *batch);

/*
 * Turns sums over rows into a mean, and adds the regulariser (the whole of l2 in
 * every local objective; the intercept's coordinates left out). gradient may be NULL.
 */
double cnv_design_finish(const struct cnv_design *design,
                         const double *w,
                         size_t rows,
                         double loss_sum,
                         double *gradient);

/* product += l2 * v, without the intercept's coordinates. */
void cnv_design_add_ridge(const struct cnv_design *design, const double *v, double *product);

/* What the Gram matrix of a pair of outputs (a, b) weighs its rows with: c[span->count]. */
typedef void (*cnv_weigh_fn)(
    const void *ctx, size_t a, size_t b, const struct cnv_span *span, double *c);

/*
 * hessian[dimension x dimension] = the blocks X' diag(weigh(a, b)) X, plus l2 on the diagonal.
 * Work is split by output, in panels of CNV_GRAM_PANEL rows of the Hessian, and each entry sums
 * its rows in order: the same bits on any number of threads, without a copy per thread.
 */
CNV_MUST_CHECK enum cnv_status cnv_design_prepare_hessian(struct cnv_design *design,
                                                          struct cnv_error *err);
void cnv_design_hessian(struct cnv_design *design,
                        cnv_weigh_fn weigh,
                        const void *ctx,
                        double *hessian);

/*
 * L of the mean over the rows of losses of which no second derivative in a score is larger than
 * curvature: curvature * the largest eigenvalue of X'X / rows + l2, at most 0.1 % above it and not
 * below; of single rows curvature * the largest |x|^2 + l2. The intercept counts as a column of
 * ones. CNV_E_NOMEM; CNV_E_NUMERIC: the data is not finite.
 */
CNV_MUST_CHECK enum cnv_status cnv_design_smoothness(struct cnv_design *design,
                                                     enum cnv_smoothness of,
                                                     double curvature,
                                                     double *ret_smoothness,
                                                     struct cnv_error *err);

/* A view of other data (a test set) under the same model; columns the model lacks take no part. */
struct cnv_rows cnv_design_view(const struct cnv_design *design, const struct cnv_shard *data);

#endif
