/*
 * lanczos.h - the largest eigenvalue of a symmetric A that is known by its products only.
 *
 *   cnv_lanczos_begin(&lanczos, n, scratch, tolerance);
 *   while (!cnv_lanczos_is_done(&lanczos)) { product(l.v, l.av); cnv_lanczos_step(&lanczos); }
 *
 * The caller owns the loop and takes the products. From a random start, always the same, the
 * largest Ritz value comes near the largest eigenvalue from below, whatever the gap to the next
 * one, and some eigenvalue lies within `residual` of it. That may be another of a cluster: so there
 * is a least number of steps, and cnv_lanczos_bound adds the residual and the tolerance, so as not
 * to be below. Vectors are not made orthogonal anew: copies of converged eigenvalues appear, never
 * larger ones. Source: Lanczos 1950; Kuczynski and Wozniakowski 1992 for the random start.
 */
#ifndef CNV_NUM_LANCZOS_H
#define CNV_NUM_LANCZOS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CNV_LANCZOS_SCRATCH = 3, /* vectors of n */
    CNV_LANCZOS_LEAST = 20,  /* steps */
    CNV_LANCZOS_STEPS = 100, /* at most */
};

struct cnv_lanczos {
    size_t n;
    double *v;      /* where the product is wanted next */
    double *av;     /* A v, filled in by the caller before each step */
    double *before; /* the v before */
    double tolerance;
    size_t steps;
    double alpha[CNV_LANCZOS_STEPS]; /* of the tridiagonal matrix */
    double beta[CNV_LANCZOS_STEPS];  /* beside it; the last one leads out of it */
    double largest; /* its largest eigenvalue; NaN: A has entries that are not finite */
    double residual;
    bool is_done;
};

/* Ends after CNV_LANCZOS_LEAST steps when the residual is at most tolerance * the eigenvalue; at
 * the latest after min(n, CNV_LANCZOS_STEPS); and where Krylov's space has no more dimensions.
 * Borrows scratch[3 n] until the end. */
void cnv_lanczos_begin(struct cnv_lanczos *lanczos, size_t n, double *scratch, double tolerance);

bool cnv_lanczos_is_done(const struct cnv_lanczos *lanczos);

/* One iteration with av = A v. Cost: five sums over n, and an eigenvalue of a small matrix. */
void cnv_lanczos_step(struct cnv_lanczos *lanczos);

/* Above the largest eigenvalue by no more than 2 tolerance, unless the steps ran out. */
double cnv_lanczos_bound(const struct cnv_lanczos *lanczos);

#endif
