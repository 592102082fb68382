/*
 * linear.h - objectives (1/s) sum of l(x_i'w, y_i) + (l2/2) |w|^2 with one output.
 *
 * What differs between them is the loss of a score, which struct cnv_link gives: logistic.c,
 * ridge.c. With z = x'w the gradient is X' l'(z) / s and the Hessian X' diag(l''(z)) X / s.
 */
#ifndef CNV_AGENT_PROBLEM_LINEAR_H
#define CNV_AGENT_PROBLEM_LINEAR_H

#include "problem/design.h"

struct cnv_link {
    /* The loss summed over the span; z[span->count]: in the scores, out the slopes l'(z).
     * y holds the targets of all rows of the shard. */
    double (*slopes)(const struct cnv_span *span, const double *y, double *z);
    /* z: in the scores, out the curvatures l''(z) >= 0. */
    void (*curvatures)(const struct cnv_span *span, const double *y, double *z);
    double steepest; /* no curvature l''(z) is larger: for cnv_linear_smoothness */
};

struct cnv_linear {
    const struct cnv_link *link;
    struct cnv_design design;
    double *targets;   /* [rows] what link is given as y; filled in by the problem's init */
    double *curvature; /* [at.count] l''(z) / s at the point and the rows of curvature_at */
    struct cnv_batch at;
};

/* Also allocates targets. Leaves the state fit for fini even when it fails. */
CNV_MUST_CHECK enum cnv_status cnv_linear_init(struct cnv_linear *linear,
                                               const struct cnv_link *link,
                                               const struct cnv_problem_setup *setup,
                                               struct cnv_error *err);

/* The members of struct cnv_problem_ops that are the same for all; state is a cnv_linear. */
void cnv_linear_fini(void *state);
size_t cnv_linear_dimension(const void *state);
double cnv_linear_loss(void *state, const double *w, const struct cnv_batch *batch);
double
cnv_linear_gradient(void *state, const double *w, const struct cnv_batch *batch, double *gradient);
enum cnv_status cnv_linear_curvature_at(void *state,
                                        const double *w,
                                        const struct cnv_batch *batch,
                                        struct cnv_error *err);
void cnv_linear_hessian(void *state, double *hessian);
void cnv_linear_hessian_times(void *state, const double *v, double *out);
enum cnv_status cnv_linear_smoothness(void *state,
                                      enum cnv_smoothness of,
                                      double *ret_smoothness,
                                      struct cnv_error *err);

/* Sums count(score, label) over the rows of data: what the problems' score members are made of. */
double cnv_linear_tally(const struct cnv_linear *linear,
                        const double *w,
                        const struct cnv_shard *data,
                        double (*count)(const void *ctx, double score, double label),
                        const void *ctx);

#endif
