/*
 * cholesky.c - LAPACK's dpotrf with a pivot check and damping.
 *
 * A row-major upper triangle is a column-major lower one, so the factor is asked for as "lower"
 * in column-major order: no transposition, and LAPACKE allocates nothing.
 */
#include "num/cholesky.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>

#define DAMPING_FIRST    1e-10 /* of the largest diagonal entry */
#define DAMPING_RAISE    10.0
#define DAMPING_ATTEMPTS 40

static void restore(size_t n, double *matrix, const double *diagonal, double damping)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            matrix[i * n + j] = matrix[j * n + i];
        }
        matrix[i * n + i] = diagonal[i] + damping;
    }
}

static bool has_good_pivots(size_t n, const double *matrix, double largest)
{
    double least = (double) n * DBL_EPSILON * largest;

    for (size_t i = 0; i < n; i++) {
        double pivot = matrix[i * n + i] * matrix[i * n + i];

        if (!(pivot > least) || isinf(pivot)) {
            return false;
        }
    }
    return true;
}

static enum cnv_status
factor(size_t n, double *matrix, const double *diagonal, double *damping, struct cnv_error *err)
{
    double largest = 0.0;
    double added = *damping;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(diagonal[i])) {
            return cnv_fail(err, CNV_E_NUMERIC, "the Hessian is not finite at coordinate %zu", i);
        }
        largest = fmax(largest, fabs(diagonal[i]));
    }
    for (int attempt = 0; attempt < DAMPING_ATTEMPTS; attempt++) {
        restore(n, matrix, diagonal, added);
        lapack_int info =
            LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int) n, matrix, (lapack_int) n);

        if (info == 0 && has_good_pivots(n, matrix, largest)) {
            *damping = added;
            return CNV_OK;
        }
        added = fmax(DAMPING_RAISE * added, largest > 0.0 ? DAMPING_FIRST * largest : 1.0);
    }
    return cnv_fail(err,
                    CNV_E_NUMERIC,
                    "the Hessian has no Cholesky factor even with damping %g (largest diagonal "
                    "entry %g)",
                    added,
                    largest);
}

enum cnv_status cnv_cholesky_factor(
    size_t n, double *matrix, double *diagonal, double *damping, struct cnv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        diagonal[i] = matrix[i * n + i];
    }
    *damping = 0.0;
    return factor(n, matrix, diagonal, damping, err);
}

enum cnv_status cnv_cholesky_raise(
    size_t n, double *matrix, const double *diagonal, double *damping, struct cnv_error *err)
{
    double largest = 0.0;
    double raised = DAMPING_RAISE * *damping;

    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(diagonal[i]));
    }
    raised = fmax(raised, largest > 0.0 ? DAMPING_FIRST * largest : 1.0);
    enum cnv_status status = factor(n, matrix, diagonal, &raised, err);
    if (status == CNV_OK) {
        *damping = raised;
    }
    return status;
}

void cnv_cholesky_solve(size_t n, const double *matrix, double *x)
{
    (void) LAPACKE_dpotrs_work(
        LAPACK_COL_MAJOR, 'L', (lapack_int) n, 1, matrix, (lapack_int) n, x, (lapack_int) n);
}
