/*
 * rows.h - products with a matrix of data rows X, compressed sparse or dense, a block at a time.
 *
 * A model has cols coordinates per output: one per column of the data and, with an intercept, a
 * last one whose column is all ones. Columns of the data at or beyond width take no part (a test
 * set may have features that the run has not). Problems with several outputs (softmax) keep
 * their model as k rows of cols, and their values as one row of k per data row.
 *
 * No allocation; fixed order of summation. Threads: any, on disjoint outputs.
 */
#ifndef CNV_NUM_ROWS_H
#define CNV_NUM_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed view. Dense when start is NULL. */
struct cnv_rows {
    size_t count;
    size_t width;            /* columns that take part */
    size_t cols;             /* coordinates per output: >= width, + 1 with an intercept */
    size_t stride;           /* dense: distance between rows, >= width */
    const size_t *start;     /* [count + 1] sparse: first entry of each row */
    const uint32_t *columns; /* sparse: ascending in a row */
    const double *values;
    bool has_intercept;
};

/* Rows [first, first + count), or those at list[first ..] when list is not NULL. */
struct cnv_span {
    const size_t *list;
    size_t first;
    size_t count;
};

/* The i-th row of the span. */
static inline size_t cnv_span_row(const struct cnv_span *span, size_t i)
{
    return span->list == NULL ? span->first + i : span->list[span->first + i];
}

/* z[i * k + c] = row i of the span times output c of w[k x cols]. Cost: 2 k nonzeros. */
void cnv_rows_times(
    const struct cnv_rows *x, const struct cnv_span *span, size_t k, const double *w, double *z);

/* out[k x cols] += Z' X: adds factor[i * k + c] * row i to output c. */
void cnv_rows_add_transposed(const struct cnv_rows *x,
                             const struct cnv_span *span,
                             size_t k,
                             const double *factor,
                             double *out);

/*
 * out[count x x->width] = keep * out + Z W: row i becomes the sum of the outputs' coordinates in
 * w[k x cols], weighed by factor[i * k + c], the intercept's left out. Only the shape of x is used.
 */
void cnv_rows_combine(const struct cnv_rows *x,
                      size_t count,
                      size_t k,
                      const double *factor,
                      const double *w,
                      double keep,
                      double *out);

/* The largest |row|^2, with the one of the intercept. Cost: 2 nonzeros. */
double cnv_rows_largest(const struct cnv_rows *x);

enum { CNV_GRAM_PANEL = 64 }; /* rows of the Gram matrix done in one call */

/*
 * Rows [first, last) of X' diag(c) X, at most CNV_GRAM_PANEL of them, are added to
 * out[. * ld + .] at columns at or right of the diagonal; entries left of it, inside the panel,
 * are overwritten with nothing of use. scratch: span->count * CNV_GRAM_PANEL doubles.
 * Cost: sparse the sum of nonzeros squared, dense count * (last - first) * width.
 */
void cnv_rows_gram(const struct cnv_rows *x,
                   const struct cnv_span *span,
                   const double *c,
                   size_t first,
                   size_t last,
                   double *scratch,
                   double *out,
                   size_t ld);

/* Copies the upper triangle of an n x n part with leading dimension ld onto the lower. */
void cnv_mirror_upper(double *matrix, size_t n, size_t ld);

#endif
