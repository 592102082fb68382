/* lanczos.c - the plain three-term recurrence; LAPACK's dstevr for the small matrix. */
#include "num/lanczos.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "num/vector.h"

void cnv_lanczos_begin(struct cnv_lanczos *lanczos, size_t n, double *scratch, double tolerance)
{
    struct cnv_rng rng;

    *lanczos = (struct cnv_lanczos){ .n = n, .tolerance = tolerance, .is_done = n == 0 };
    lanczos->v = scratch;
    lanczos->av = scratch + n;
    lanczos->before = scratch + 2 * n;
    cnv_rng_init(&rng, 0, CNV_RNG_LANCZOS, 0, 0);
    for (size_t i = 0; i < n; i++) {
        lanczos->v[i] = cnv_rng_normal(&rng);
    }
    cnv_vector_scale(n, 1.0 / cnv_vector_norm(n, lanczos->v), lanczos->v);
    cnv_vector_zero(n, lanczos->before);
}

bool cnv_lanczos_is_done(const struct cnv_lanczos *lanczos)
{
    return lanczos->is_done;
}

/* The largest eigenvalue of the tridiagonal matrix; its residual is what the last entry of its
 * eigenvector leads out of the space. */
static void lanczos_look(struct cnv_lanczos *lanczos)
{
    lapack_int k = (lapack_int) lanczos->steps;
    double diagonal[CNV_LANCZOS_STEPS];
    double beside[CNV_LANCZOS_STEPS];
    double values[CNV_LANCZOS_STEPS];
    double vector[CNV_LANCZOS_STEPS];
    lapack_int support[2];
    lapack_int found = 0;

    memcpy(diagonal, lanczos->alpha, lanczos->steps * sizeof(double));
    memcpy(beside, lanczos->beta, lanczos->steps * sizeof(double));
    lapack_int failed = LAPACKE_dstevr(LAPACK_COL_MAJOR,
                                       'V',
                                       'I',
                                       k,
                                       diagonal,
                                       beside,
                                       0,
                                       0,
                                       k,
                                       k,
                                       0,
                                       &found,
                                       values,
                                       vector,
                                       k,
                                       support);
    lanczos->largest = failed == 0 && found == 1 ? values[0] : NAN;
    lanczos->residual = lanczos->beta[k - 1] * fabs(vector[k - 1]);
}

void cnv_lanczos_step(struct cnv_lanczos *lanczos)
{
    size_t n = lanczos->n;
    size_t k = lanczos->steps++;
    double *w = lanczos->av;

    lanczos->alpha[k] = cnv_vector_dot(n, lanczos->v, w);
    cnv_vector_add(n, -lanczos->alpha[k], lanczos->v, w);
    cnv_vector_add(n, k == 0 ? 0.0 : -lanczos->beta[k - 1], lanczos->before, w);
    lanczos->beta[k] = cnv_vector_norm(n, w);
    if (!isfinite(lanczos->alpha[k]) || !isfinite(lanczos->beta[k])) {
        lanczos->largest = NAN;
        lanczos->is_done = true;
        return;
    }
    lanczos_look(lanczos);
    double tolerance = lanczos->steps < CNV_LANCZOS_LEAST ? DBL_EPSILON : lanczos->tolerance;
    lanczos->is_done = !(lanczos->residual > tolerance * lanczos->largest) || lanczos->steps == n ||
                       lanczos->steps == CNV_LANCZOS_STEPS;
    if (!lanczos->is_done) {
        cnv_vector_scale(n, 1.0 / lanczos->beta[k], w);
        lanczos->av = lanczos->before;
        lanczos->before = lanczos->v;
        lanczos->v = w;
    }
}

double cnv_lanczos_bound(const struct cnv_lanczos *lanczos)
{
    return (1.0 + lanczos->tolerance) * lanczos->largest + lanczos->residual;
}
