/* vector.c - level-1 operations; blocks keep the lengths within BLAS's 32-bit int. */
#include "num/vector.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static int block_len(size_t n, size_t first)
{
    return (int) (n - first < CNV_VECTOR_BLOCK ? n - first : CNV_VECTOR_BLOCK);
}

double cnv_vector_dot(size_t n, const double *a, const double *b)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i += CNV_VECTOR_BLOCK) {
        sum += cblas_ddot(block_len(n, i), a + i, 1, b + i, 1);
    }
    return sum;
}

double cnv_vector_norm(size_t n, const double *a)
{
    return sqrt(cnv_vector_dot(n, a, a));
}

void cnv_vector_add(size_t n, double factor, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += factor * x[i];
    }
}

void cnv_vector_move(size_t n, const double *x, double factor, const double *p, double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] + factor * p[i];
    }
}

void cnv_vector_scale(size_t n, double factor, double *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

void cnv_vector_copy(size_t n, const double *from, double *to)
{
    memcpy(to, from, n * sizeof(*to));
}

void cnv_vector_zero(size_t n, double *x)
{
    memset(x, 0, n * sizeof(*x));
}
