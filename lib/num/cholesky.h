/*
 * cholesky.h - H p = g for a symmetric H that ought to be positive definite.
 *
 * Where it is not, or so nearly singular that the factor would be noise, a multiple of the
 * identity is added and raised until it is (Levenberg's damping).
 */
#ifndef CNV_NUM_CHOLESKY_H
#define CNV_NUM_CHOLESKY_H

#include <stddef.h>

#include "base/status.h"

/*
 * Factorises the n x n matrix in place.
 *
 *   matrix    in/out  row-major, both triangles; the lower one stays as it was, the upper one
 *                     and the diagonal become the factor
 *   diagonal  out [n] the diagonal as it was: with the lower triangle it is what is left of H
 *   damping   out     what was added to the diagonal: 0 if H was well-conditioned
 *
 * The pivot check: each pivot must exceed n * epsilon * the largest diagonal entry. On failure
 * the damping becomes the larger of ten times what it was and 1e-10 of the largest diagonal
 * entry, and the factorisation begins again.
 *
 * CNV_E_NUMERIC when the matrix is not finite. Cost: n^3 / 3 per attempt; no allocation.
 */
CNV_MUST_CHECK enum cnv_status cnv_cholesky_factor(
    size_t n, double *matrix, double *diagonal, double *damping, struct cnv_error *err);

/* Factorises once more what cnv_cholesky_factor left, with more damping than before. */
CNV_MUST_CHECK enum cnv_status cnv_cholesky_raise(
    size_t n, double *matrix, const double *diagonal, double *damping, struct cnv_error *err);

/* Solves with the factor, in place: x[n] is the right-hand side, then the solution. */
void cnv_cholesky_solve(size_t n, const double *matrix, double *x);

#endif
