/*
 * direction.h - the Newton direction on a shard: p = H^-1 g with the local Hessian H.
 *
 * solver/direction=factor: dense Hessian and Cholesky factor up to solver/cg-above coordinates,
 * conjugate gradients on Hessian products above (Gupta et al. 2021 allow both).
 *
 * solver/direction=cg: conjugate gradients from 0 as in the code of GIANT's authors (Wang et al.
 * 2018), at most q = solver/cg-iterations steps. With s rows and d coordinates they form the
 * Hessian where that is cheaper, (s + q) d <= 4 q s (for dense rows), and take products else. They
 * begin with the tolerance 1e-20 and halve it each time q steps were not enough
 * (solver/cg-tolerance, solver/cg-tighten): such a tolerance outlives a round, and advances only
 * when the contribution was counted.
 */
#ifndef CNV_AGENT_SOLVER_DIRECTION_H
#define CNV_AGENT_SOLVER_DIRECTION_H

#include "problem/problem.h"

/* Settings that cnv_direction_init reads. */
#define CNV_DIRECTION_KEYS                                                                         \
    "solver/direction solver/cg-above solver/cg-iterations solver/cg-tolerance solver/cg-tighten"

struct cnv_direction {
    struct cnv_problem *problem; /* borrowed */
    bool is_factored;            /* Cholesky; else conjugate gradients */
    double damping;              /* Cholesky: what was added to the diagonal of the last Hessian */
    double *hessian;   /* [n x n], then its factor if there is one; NULL: products are taken */
    double *diagonal;  /* Cholesky: [n] */
    double *scratch;   /* CG: [3 n] */
    size_t iterations; /* CG: at most so many steps */
    double tolerance;  /* CG: of the residual, relative to g */
    double counted;    /* CG: the tolerance as of the last commit we were counted in */
    double tighten;    /* CG: factor on it when the steps ran out */
};

/* Leaves the direction fit for fini even when it fails. */
CNV_MUST_CHECK enum cnv_status cnv_direction_init(struct cnv_direction *direction,
                                                  const struct cnv_config *config,
                                                  struct cnv_problem *problem,
                                                  struct cnv_error *err);
void cnv_direction_fini(struct cnv_direction *direction);

/* A round begins, and ends. */
void cnv_direction_begin(struct cnv_direction *direction);
void cnv_direction_concluded(struct cnv_direction *direction, bool counted);

/* Fixes the point w[n] and makes its Hessian or factor; damping as in cholesky.h. */
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
