/*
 * vector.h - sums over the coordinates of vectors.
 *
 * Reductions run per block of CNV_VECTOR_BLOCK coordinates, added in block order, so that a sum
 * is the same bits wherever it is taken. No allocation. Threads: any, on disjoint outputs.
 */
#ifndef CNV_NUM_VECTOR_H
#define CNV_NUM_VECTOR_H

#include <stddef.h>

enum { CNV_VECTOR_BLOCK = 65536 }; /* coordinates */

/* Sum of a[i] * b[i]. */
double cnv_vector_dot(size_t n, const double *a, const double *b);

/* Euclidean norm: the root of the dot product, which must not overflow. */
double cnv_vector_norm(size_t n, const double *a);

/* y += factor * x. */
void cnv_vector_add(size_t n, double factor, const double *x, double *y);

/* y = x + factor * p. y may be x. */
void cnv_vector_move(size_t n, const double *x, double factor, const double *p, double *y);

void cnv_vector_scale(size_t n, double factor, double *x);
void cnv_vector_copy(size_t n, const double *from, double *to);
void cnv_vector_zero(size_t n, double *x);

#endif
