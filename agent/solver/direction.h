/*
 * direction.h - the Newton direction on a shard: p = H^-1 g with the local Hessian H.
 *
 * Dense Hessian and Cholesky factor up to solver/cg-above coordinates, conjugate gradients on
 * Hessian products above (Gupta et al. 2021 allow both).
 */
#ifndef CNV_AGENT_SOLVER_DIRECTION_H
#define CNV_AGENT_SOLVER_DIRECTION_H

#include "problem/problem.h"

/* Settings that cnv_direction_init reads. */
#define CNV_DIRECTION_KEYS "solver/cg-above solver/cg-iterations solver/cg-tolerance"

struct cnv_direction {
    struct cnv_problem *problem; /* borrowed */
    bool is_dense;
    double damping;    /* dense: what was added to the diagonal of the last Hessian */
    double *hessian;   /* dense: [n x n], then its factor */
    double *diagonal;  /* dense: [n] */
    double *scratch;   /* CG: [3 n] */
    size_t iterations; /* CG: at most so many products */
    double tolerance;  /* CG: of the residual, relative to g */
};

/* Leaves the direction fit for fini even when it fails. */
CNV_MUST_CHECK enum cnv_status cnv_direction_init(struct cnv_direction *direction,
                                                  const struct cnv_config *config,
                                                  struct cnv_problem *problem,
                                                  struct cnv_error *err);
void cnv_direction_fini(struct cnv_direction *direction);

/* Fixes the point w[n] and factorises its Hessian; damping as in cholesky.h. */
CNV_MUST_CHECK enum cnv_status
cnv_direction_at(struct cnv_direction *direction, const double *w, struct cnv_error *err);

/*
 * p[n] = H^-1 g at that point. p'g > 0 unless g is 0: a factor that gives less is damped more.
 * Where that does not help, because p'g underflows, or CG finds no positive curvature at
 * all, p = g.
 */
CNV_MUST_CHECK enum cnv_status cnv_direction_solve(struct cnv_direction *direction,
                                                   const double *g,
                                                   double *p,
                                                   struct cnv_error *err);

#endif
