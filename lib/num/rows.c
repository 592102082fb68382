/*
 * rows.c - sparse rows by plain loops, dense rows by BLAS.
 *
 * For several outputs sparse loops go output by output, so that one output's coefficients stay in
 * cache while the rows of the block pass by. Dense listed rows (minibatches) go row by row, dense
 * consecutive ones as one matrix.
 */
#include "num/rows.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>

/* One past the last entry of a sparse row that takes part. */
static size_t row_end(const struct cnv_rows *x, size_t row)
{
    size_t end = x->start[row + 1];

    while (end > x->start[row] && x->columns[end - 1] >= x->width) {
        end--;
    }
    return end;
}

static int blas_int(size_t n)
{
    assert(n <= INT_MAX);
    return (int) n;
}

static void sparse_times(
    const struct cnv_rows *x, const struct cnv_span *span, size_t k, const double *w, double *z)
{
    for (size_t c = 0; c < k; c++) {
        const double *wc = w + c * x->cols;

        for (size_t i = 0; i < span->count; i++) {
            size_t row = cnv_span_row(span, i);
            size_t end = row_end(x, row);
            double sum = 0.0;

            for (size_t e = x->start[row]; e < end; e++) {
                sum += x->values[e] * wc[x->columns[e]];
            }
            z[i * k + c] = sum;
        }
    }
}

static void dense_times(
    const struct cnv_rows *x, const struct cnv_span *span, size_t k, const double *w, double *z)
{
    int width = blas_int(x->width);
    int stride = blas_int(x->stride);
    int cols = blas_int(x->cols);
    const double *block = x->values + span->first * x->stride;

    if (span->list != NULL) {
        for (size_t i = 0; i < span->count; i++) {
            const double *row = x->values + cnv_span_row(span, i) * x->stride;

            for (size_t c = 0; c < k; c++) {
                z[i * k + c] = cblas_ddot(width, row, 1, w + c * x->cols, 1);
            }
        }
    } else if (k == 1) {
        cblas_dgemv(CblasRowMajor,
                    CblasNoTrans,
                    blas_int(span->count),
                    width,
                    1.0,
                    block,
                    stride,
                    w,
                    1,
                    0.0,
                    z,
                    1);
    } else {
        cblas_dgemm(CblasRowMajor,
                    CblasNoTrans,
                    CblasTrans,
                    blas_int(span->count),
                    blas_int(k),
                    width,
                    1.0,
                    block,
                    stride,
                    w,
                    cols,
                    0.0,
                    z,
                    blas_int(k));
    }
}

void cnv_rows_times(
    const struct cnv_rows *x, const struct cnv_span *span, size_t k, const double *w, double *z)
{
    if (x->start != NULL) {
        sparse_times(x, span, k, w, z);
    } else {
        dense_times(x, span, k, w, z);
    }
    if (x->has_intercept) {
        for (size_t i = 0; i < span->count; i++) {
            for (size_t c = 0; c < k; c++) {
                z[i * k + c] += w[(c + 1) * x->cols - 1];
            }
        }
    }
}

static void sparse_add_transposed(const struct cnv_rows *x,
                                  const struct cnv_span *span,
                                  size_t k,
                                  const double *factor,
                                  double *out)
{
    for (size_t c = 0; c < k; c++) {
        double *oc = out + c * x->cols;

        for (size_t i = 0; i < span->count; i++) {
            size_t row = cnv_span_row(span, i);
            size_t end = row_end(x, row);
            double f = factor[i * k + c];

            for (size_t e = x->start[row]; e < end; e++) {
                oc[x->columns[e]] += f * x->values[e];
            }
        }
    }
}

static void dense_add_transposed(const struct cnv_rows *x,
                                 const struct cnv_span *span,
                                 size_t k,
                                 const double *factor,
                                 double *out)
{
    int width = blas_int(x->width);
    int stride = blas_int(x->stride);
    int cols = blas_int(x->cols);
    const double *block = x->values + span->first * x->stride;

    if (span->list != NULL) {
        for (size_t i = 0; i < span->count; i++) {
            const double *row = x->values + cnv_span_row(span, i) * x->stride;

            for (size_t c = 0; c < k; c++) {
                cblas_daxpy(width, factor[i * k + c], row, 1, out + c * x->cols, 1);
            }
        }
    } else if (k == 1) {
        cblas_dgemv(CblasRowMajor,
                    CblasTrans,
                    blas_int(span->count),
                    width,
                    1.0,
                    block,
                    stride,
                    factor,
                    1,
                    1.0,
                    out,
                    1);
    } else {
        cblas_dgemm(CblasRowMajor,
                    CblasTrans,
                    CblasNoTrans,
                    blas_int(k),
                    width,
                    blas_int(span->count),
                    1.0,
                    factor,
                    blas_int(k),
                    block,
                    stride,
                    1.0,
                    out,
                    cols);
    }
}

void cnv_rows_add_transposed(const struct cnv_rows *x,
                             const struct cnv_span *span,
                             size_t k,
                             const double *factor,
                             double *out)
{
    if (x->start != NULL) {
        sparse_add_transposed(x, span, k, factor, out);
    } else {
        dense_add_transposed(x, span, k, factor, out);
    }
    if (x->has_intercept) {
        for (size_t i = 0; i < span->count; i++) {
            for (size_t c = 0; c < k; c++) {
                out[(c + 1) * x->cols - 1] += factor[i * k + c];
            }
        }
    }
}

void cnv_rows_combine(const struct cnv_rows *x,
                      size_t count,
                      size_t k,
                      const double *factor,
                      const double *w,
                      double keep,
                      double *out)
{
    cblas_dgemm(CblasRowMajor,
                CblasNoTrans,
                CblasNoTrans,
                blas_int(count),
                blas_int(x->width),
                blas_int(k),
                1.0,
                factor,
                blas_int(k),
                w,
                blas_int(x->cols),
                keep,
                out,
                blas_int(x->width));
}

static void sparse_gram(const struct cnv_rows *x,
                        const struct cnv_span *span,
                        const double *c,
                        size_t first,
                        size_t last,
                        double *out,
                        size_t ld)
{
    for (size_t i = 0; i < span->count; i++) {
        size_t row = cnv_span_row(span, i);
        size_t end = row_end(x, row);
        size_t e = x->start[row];

        while (e < end && x->columns[e] < first) {
            e++;
        }
        for (; e < end && x->columns[e] < last; e++) {
            double *line = out + x->columns[e] * ld;
            double f = c[i] * x->values[e];

            for (size_t g = e; g < end; g++) {
                line[x->columns[g]] += f * x->values[g];
            }
            if (x->has_intercept) {
                line[x->cols - 1] += f;
            }
        }
    }
}

static void dense_gram(const struct cnv_rows *x,
                       const struct cnv_span *span,
                       const double *c,
                       size_t first,
                       size_t last,
                       double *scratch,
                       double *out,
                       size_t ld)
{
    const double *block = x->values + span->first * x->stride;
    size_t panel = last - first;

    assert(span->list == NULL);
    for (size_t i = 0; i < span->count; i++) {
        const double *row = block + i * x->stride + first;

        for (size_t j = 0; j < panel; j++) {
            scratch[i * panel + j] = c[i] * row[j];
        }
        if (x->has_intercept) {
            for (size_t j = 0; j < panel; j++) {
                out[(first + j) * ld + x->cols - 1] += scratch[i * panel + j];
            }
        }
    }
    cblas_dgemm(CblasRowMajor,
                CblasTrans,
                CblasNoTrans,
                blas_int(panel),
                blas_int(x->width - first),
                blas_int(span->count),
                1.0,
                scratch,
                blas_int(panel),
                block + first,
                blas_int(x->stride),
                1.0,
                out + first * ld + first,
                blas_int(ld));
}

void cnv_rows_gram(const struct cnv_rows *x,
                   const struct cnv_span *span,
                   const double *c,
                   size_t first,
                   size_t last,
                   double *scratch,
                   double *out,
                   size_t ld)
{
    size_t data_last = last < x->width ? last : x->width;

    assert(last - first <= CNV_GRAM_PANEL);
    if (first < data_last && x->start != NULL) {
        sparse_gram(x, span, c, first, data_last, out, ld);
    } else if (first < data_last) {
        dense_gram(x, span, c, first, data_last, scratch, out, ld);
    }
    if (x->has_intercept && last == x->cols) {
        for (size_t i = 0; i < span->count; i++) {
            out[(x->cols - 1) * ld + x->cols - 1] += c[i];
        }
    }
}

double cnv_rows_largest(const struct cnv_rows *x)
{
    double largest = 0.0;

    for (size_t row = 0; row < x->count; row++) {
        const double *values = x->values + (x->start == NULL ? row * x->stride : x->start[row]);
        size_t count = x->start == NULL ? x->width : row_end(x, row) - x->start[row];
        double square = cblas_ddot(blas_int(count), values, 1, values, 1) + x->has_intercept;

        largest = square > largest ? square : largest;
    }
    return largest;
}

void cnv_mirror_upper(double *matrix, size_t n, size_t ld)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            matrix[i * ld + j] = matrix[j * ld + i];
        }
    }
}
