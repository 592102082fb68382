/* Kernels against plain loops, solvers against each other, sums against the number of threads. */
#include <criterion/criterion.h>

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/cg.h"
#include "num/cholesky.h"
#include "num/lanczos.h"
#include "num/num.h"
#include "num/reduce.h"
#include "num/rows.h"
#include "num/vector.h"

static double *normals(size_t n, uint64_t seed)
{
    double *x = cnv_array_new(n, sizeof(*x));
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = cnv_rng_normal(&rng);
    }
    return x;
}

Test(num, dot_product_is_summed_in_blocks, .timeout = 20)
{
    size_t n = 2 * CNV_VECTOR_BLOCK + 17;
    double *a = normals(n, 1);
    double *b = normals(n, 2);
    long double sum = 0.0L;
    double blocks = 0;

    cnv_num_init();
    blocks += cnv_vector_dot(CNV_VECTOR_BLOCK, a, b);
    blocks += cnv_vector_dot(CNV_VECTOR_BLOCK, a + CNV_VECTOR_BLOCK, b + CNV_VECTOR_BLOCK);
    blocks += cnv_vector_dot(17, a + n - 17, b + n - 17);
    for (size_t i = 0; i < n; i++) {
        sum += (long double) a[i] * (long double) b[i];
    }
    cr_assert_float_eq(cnv_vector_dot(n, a, b), (double) sum, 1e-10);
    cr_assert_eq(cnv_vector_dot(n, a, b), blocks);
    cr_assert_eq(cnv_vector_dot(0, a, b), 0.0);
    cnv_free(a);
    cnv_free(b);
}

/* A + A' + shift I, both triangles. */
static double *symmetric(size_t n, double shift, uint64_t seed)
{
    double *a = normals(n * n, seed);
    double *h = cnv_array_new(n * n, sizeof(*h));

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            h[i * n + j] = a[i * n + j] + a[j * n + i] + (i == j ? shift : 0.0);
        }
    }
    cnv_free(a);
    return h;
}

static void times(size_t n, const double *h, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = cnv_vector_dot(n, h + i * n, x);
    }
}

Test(num, cholesky_solves_a_definite_system_without_damping, .timeout = 20)
{
    enum { N = 37 };
    double *h = symmetric(N, 40.0, 3);
    double *x = normals(N, 4);
    double *kept = cnv_array_new((size_t) N * N, sizeof(*kept));
    double b[N];
    double diagonal[N];
    double damping = 1.0;

    cnv_vector_copy((size_t) N * N, h, kept);
    times(N, h, x, b);
    cr_assert_eq(cnv_cholesky_factor(N, h, diagonal, &damping, NULL), CNV_OK);
    cr_assert_eq(damping, 0.0);
    cnv_cholesky_solve(N, h, b);
    for (size_t i = 0; i < N; i++) {
        cr_assert_float_eq(b[i], x[i], 1e-12);
        cr_assert_eq(diagonal[i], kept[i * N + i]);
        for (size_t j = 0; j < i; j++) {
            cr_assert_eq(h[i * N + j], kept[i * N + j]);
        }
    }
    cnv_free(h);
    cnv_free(x);
    cnv_free(kept);
}

/* The certificate of a damped solution: (H + damping I) x = b. */
static double
damped_residual(size_t n, const double *h, double damping, const double *x, const double *b)
{
    double worst = 0.0;

    for (size_t i = 0; i < n; i++) {
        double sum = damping * x[i] - b[i];

        for (size_t j = 0; j < n; j++) {
            sum += h[i * n + j] * x[j];
        }
        worst = fmax(worst, fabs(sum));
    }
    return worst;
}

Test(num, cholesky_damps_a_singular_and_an_indefinite_matrix, .timeout = 20)
{
    enum { N = 20 };
    double *singular = cnv_array_new((size_t) N * N, sizeof(*singular));
    double *indefinite = symmetric(N, 0.0, 5);
    double *matrices[] = { singular, indefinite };

    for (size_t i = 0; i < N; i++) { /* rank one, with an empty row and column */
        for (size_t j = 0; j < N; j++) {
            singular[i * N + j] = i == 7 || j == 7 ? 0.0 : 3.0;
        }
    }
    for (size_t m = 0; m < 2; m++) {
        double *kept = cnv_array_new((size_t) N * N, sizeof(*kept));
        double *b = normals(N, 6);
        double diagonal[N];
        double x[N];
        double damping = 0.0;
        double first = 0.0;

        cnv_vector_copy((size_t) N * N, matrices[m], kept);
        cr_assert_eq(cnv_cholesky_factor(N, matrices[m], diagonal, &damping, NULL), CNV_OK);
        cr_assert_gt(damping, 0.0);
        first = damping;
        cr_assert_eq(cnv_cholesky_raise(N, matrices[m], diagonal, &damping, NULL), CNV_OK);
        cr_assert_geq(damping, 10.0 * first);
        cnv_vector_copy(N, b, x);
        cnv_cholesky_solve(N, matrices[m], x);
        double tolerance = 1e-13 * 60.0 * cnv_vector_norm(N, x);
        cr_assert_lt(damped_residual(N, kept, damping, x, b), tolerance);
        cnv_free(kept);
        cnv_free(b);
        cnv_free(matrices[m]);
    }
}

Test(num, cholesky_refuses_a_matrix_that_is_not_finite, .timeout = 20)
{
    double h[4] = { 1.0, 0.0, 0.0, NAN };
    double diagonal[2];
    double damping = 0.0;
    struct cnv_error err;

    cr_assert_eq(cnv_cholesky_factor(2, h, diagonal, &damping, &err), CNV_E_NUMERIC);
    cr_assert_str_eq(err.text, "the Hessian is not finite at coordinate 1");
    double off[4] = { 1.0, NAN, NAN, 1.0 };
    cr_assert_eq(cnv_cholesky_factor(2, off, diagonal, &damping, &err), CNV_E_NUMERIC);
}

Test(num, cg_agrees_with_cholesky_and_descends_at_every_iterate, .timeout = 20)
{
    enum { N = 50 };
    double *h = symmetric(N, 30.0, 7);
    double *b = normals(N, 8);
    double *expected = cnv_array_new(N, sizeof(*expected));
    double x[N];
    double scratch[CNV_CG_SCRATCH * N];
    double diagonal[N];
    double damping = 0.0;
    struct cnv_cg cg;
    int iterations = 0;

    for (size_t i = 0; i < N; i++) { /* so badly scaled that steepest descent would not end */
        h[i * N + i] += 40.0 * (double) (i * i);
    }
    cnv_cg_begin(&cg, N, b, x, scratch, 1e-13);
    while (!cnv_cg_is_done(&cg) && iterations < 200) {
        times(N, h, cg.p, cg.hp);
        cnv_cg_step(&cg);
        cr_assert_gt(cnv_vector_dot(N, x, b), 0.0);
        iterations++;
    }
    cr_assert_lt(iterations, 2 * N, "%d iterations", iterations);
    cnv_vector_copy(N, b, expected);
    cr_assert_eq(cnv_cholesky_factor(N, h, diagonal, &damping, NULL), CNV_OK);
    cnv_cholesky_solve(N, h, expected);
    for (size_t i = 0; i < N; i++) {
        cr_assert_float_eq(x[i], expected[i], 1e-12);
    }
    cnv_free(h);
    cnv_free(b);
    cnv_free(expected);
}

/* By LAPACK, from all of the matrix. */
static double largest_by_lapack(size_t n, const double *matrix)
{
    double *copy = cnv_array_new(n * n, sizeof(*copy));
    double *values = cnv_array_new(n, sizeof(*values));

    memcpy(copy, matrix, n * n * sizeof(*copy));
    cr_assert_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (int) n, copy, (int) n, values), 0);
    double largest = values[n - 1];
    cnv_free(copy);
    cnv_free(values);
    return largest;
}

static struct cnv_lanczos lanczos_of(size_t n, const double *matrix)
{
    double *scratch = cnv_array_new(CNV_LANCZOS_SCRATCH * n, sizeof(*scratch));
    struct cnv_lanczos lanczos;

    cnv_lanczos_begin(&lanczos, n, scratch, 5e-4);
    while (!cnv_lanczos_is_done(&lanczos)) {
        times(n, matrix, lanczos.v, lanczos.av);
        cnv_lanczos_step(&lanczos);
    }
    cnv_free(scratch);
    return lanczos;
}

Test(num, lanczos_finds_the_largest_eigenvalue_from_above, .timeout = 20)
{
    static const size_t sizes[] = { 1, 2, 3, 10, 150, 400 };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            size_t n = sizes[i];
            double *root = normals(n * n, seed);
            double *matrix = cnv_array_new(n * n, sizeof(*matrix));

            for (size_t j = 0; seed == 5 && j < n * n; j++) { /* a cluster around 1 */
                root[j] = (j % (n + 1) == 0 ? 1.0 : 0.0) + 1e-3 * root[j];
            }
            cblas_dsyrk(CblasRowMajor,
                        CblasUpper,
                        CblasNoTrans,
                        (int) n,
                        (int) n,
                        1,
                        root,
                        (int) n,
                        0,
                        matrix,
                        (int) n);
            cnv_mirror_upper(matrix, n, n);
            double largest = largest_by_lapack(n, matrix);
            struct cnv_lanczos lanczos = lanczos_of(n, matrix);
            cr_assert_geq(cnv_lanczos_bound(&lanczos), largest * (1 - 1e-13), "n = %zu", n);
            cr_assert_leq(cnv_lanczos_bound(&lanczos),
                          largest * 1.001,
                          "n = %zu, seed %d, %zu steps",
                          n,
                          (int) seed,
                          lanczos.steps);
            cnv_free(root);
            cnv_free(matrix);
        }
    }
}

Test(num, lanczos_ends_where_there_is_nothing_to_find, .timeout = 20)
{
    double matrix[9] = { 0 };
    struct cnv_lanczos lanczos = lanczos_of(3, matrix);

    cr_assert_eq(lanczos.steps, 1);
    cr_assert_eq(cnv_lanczos_bound(&lanczos), 0.0);
    matrix[4] = NAN;
    lanczos = lanczos_of(3, matrix);
    cr_assert(isnan(cnv_lanczos_bound(&lanczos)));
}

Test(num, cg_is_done_at_once_when_there_is_nothing_to_solve, .timeout = 20)
{
    double zero[3] = { 0.0, 0.0, 0.0 };
    double b[3] = { 1.0, 0.0, 0.0 };
    double x[3] = { 9.0, 9.0, 9.0 };
    double scratch[9];
    struct cnv_cg cg;

    cnv_cg_begin(&cg, 3, zero, x, scratch, 1e-10);
    cr_assert(cnv_cg_is_done(&cg));
    cr_assert_eq(x[0], 0.0);
    cnv_cg_begin(&cg, 3, b, x, scratch, 1e-10);
    cnv_vector_zero(3, cg.hp); /* no curvature: the step would be infinite */
    cnv_cg_step(&cg);
    cr_assert(cnv_cg_is_done(&cg));
    cr_assert_eq(x[0], 0.0);
}

enum { ROWS = 11, WIDTH = 150, COLS = WIDTH + 1, OUTPUTS = 3 };

/* The same rows twice: sparse (two of three values left out) and dense. */
struct both {
    double dense[ROWS * WIDTH];
    double values[ROWS * WIDTH];
    uint32_t columns[ROWS * WIDTH];
    size_t start[ROWS + 1];
    struct cnv_rows view[2];
};

static void both_fill(struct both *both)
{
    double *x = normals((size_t) ROWS * WIDTH, 9);
    size_t at = 0;

    for (size_t i = 0; i < ROWS; i++) {
        both->start[i] = at;
        for (size_t j = 0; j < WIDTH; j++) {
            double value = (i + j) % 3 == 0 && i != 4 ? x[i * WIDTH + j] : 0.0;

            both->dense[i * WIDTH + j] = value;
            if (value != 0.0) {
                both->columns[at] = (uint32_t) j;
                both->values[at++] = value;
            }
        }
    }
    both->start[ROWS] = at;
    both->view[0] = (struct cnv_rows){ .count = ROWS,
                                       .width = WIDTH,
                                       .cols = COLS,
                                       .start = both->start,
                                       .columns = both->columns,
                                       .values = both->values,
                                       .has_intercept = true };
    both->view[1] = both->view[0];
    both->view[1].start = NULL;
    both->view[1].stride = WIDTH;
    both->view[1].values = both->dense;
    cnv_free(x);
}

/* Entry (row, col) of the matrix with its column of ones. */
static double entry(const struct both *both, size_t row, size_t col)
{
    return col == WIDTH ? 1.0 : both->dense[row * WIDTH + col];
}

static const size_t picked[] = { 7, 0, 4, 10 };
static const struct cnv_span spans[] = { { NULL, 2, 8 }, { picked, 1, 3 } };

Test(num, rows_times_and_transposed_agree_with_plain_loops, .timeout = 20)
{
    struct both both;
    double *w = normals((size_t) OUTPUTS * COLS, 10);
    double *factor = normals((size_t) ROWS * OUTPUTS, 11);

    both_fill(&both);
    for (int test = 0; test < 8; test++) {
        const struct cnv_rows *x = &both.view[test & 1];
        const struct cnv_span *span = &spans[test >> 1 & 1];
        size_t k = (test & 4) != 0 ? OUTPUTS : 1;
        double z[ROWS * OUTPUTS];
        double out[OUTPUTS * COLS];

        cnv_rows_times(x, span, k, w, z);
        for (size_t i = 0; i < k * COLS; i++) {
            out[i] = 1.0;
        }
        cnv_rows_add_transposed(x, span, k, factor, out);
        for (size_t c = 0; c < k; c++) {
            for (size_t i = 0; i < span->count; i++) {
                double sum = 0.0;

                for (size_t j = 0; j < COLS; j++) {
                    sum += entry(&both, cnv_span_row(span, i), j) * w[c * COLS + j];
                }
                cr_assert_float_eq(z[i * k + c], sum, 1e-12);
            }
            for (size_t j = 0; j < COLS; j++) {
                double sum = 1.0;

                for (size_t i = 0; i < span->count; i++) {
                    sum += entry(&both, cnv_span_row(span, i), j) * factor[i * k + c];
                }
                cr_assert_float_eq(out[c * COLS + j], sum, 1e-12);
            }
        }
    }
    cnv_free(w);
    cnv_free(factor);
}

Test(num, gram_agrees_with_plain_loops_panel_by_panel, .timeout = 20)
{
    struct both both;
    double *c = normals(ROWS, 12); /* of either sign: softmax needs that */
    double *scratch = cnv_array_new((size_t) ROWS * CNV_GRAM_PANEL, sizeof(*scratch));
    double *gram = cnv_array_new((size_t) COLS * COLS, sizeof(*gram));

    both_fill(&both);
    for (int test = 0; test < 2; test++) {
        const struct cnv_span *span = &spans[0];

        cnv_vector_zero((size_t) COLS * COLS, gram);
        for (size_t first = 0; first < COLS; first += CNV_GRAM_PANEL) {
            size_t last = first + CNV_GRAM_PANEL < COLS ? first + CNV_GRAM_PANEL : COLS;

            cnv_rows_gram(&both.view[test], span, c, first, last, scratch, gram, COLS);
        }
        cnv_mirror_upper(gram, COLS, COLS);
        for (size_t a = 0; a < COLS; a++) {
            for (size_t b = 0; b < COLS; b++) {
                double sum = 0.0;

                for (size_t i = 0; i < span->count; i++) {
                    size_t row = cnv_span_row(span, i);

                    sum += c[i] * entry(&both, row, a) * entry(&both, row, b);
                }
                cr_assert_float_eq(gram[a * COLS + b], sum, 1e-12);
            }
        }
    }
    cnv_free(c);
    cnv_free(scratch);
    cnv_free(gram);
}

Test(num, columns_beyond_the_width_take_no_part, .timeout = 20)
{
    struct both both;
    double *w = normals(COLS, 13);
    struct cnv_span span = { NULL, 0, ROWS };

    both_fill(&both);
    for (int test = 0; test < 2; test++) {
        struct cnv_rows narrow = both.view[test];
        double z[ROWS];

        narrow.width = 40;
        narrow.cols = 41;
        cnv_rows_times(&narrow, &span, 1, w, z);
        for (size_t i = 0; i < ROWS; i++) {
            double sum = w[40];

            for (size_t j = 0; j < 40; j++) {
                sum += entry(&both, i, j) * w[j];
            }
            cr_assert_float_eq(z[i], sum, 1e-12);
        }
    }
    cnv_free(w);
}

static double add_rows(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const double *x = ctx;
    double scalar = 0.0;

    (void) slot;
    for (size_t i = 0; i < span->count; i++) {
        size_t row = cnv_span_row(span, i);

        scalar += x[row];
        if (sum != NULL) {
            sum[row % 3] += x[row];
        }
    }
    return scalar;
}

Test(num, reduction_has_the_same_bits_on_any_number_of_threads, .timeout = 20)
{
    enum { N = 1003, BLOCK = 64 };
    double *x = normals(N, 14);
    size_t list[N];
    double expected[3];
    double expected_scalar = 0.0;

    for (size_t i = 0; i < N; i++) {
        list[i] = N - 1 - i;
    }
    for (size_t threads = 1; threads <= 5; threads++) {
        struct cnv_reducer *reducer = NULL;
        double out[3] = { 9.0, 9.0, 9.0 };

        cr_assert_eq(cnv_reducer_new(threads, BLOCK, 3, &reducer, NULL), CNV_OK);
        double scalar = cnv_reduce(reducer, list, N, add_rows, x, out);
        cr_assert_eq(cnv_reduce(reducer, list, N, add_rows, x, NULL), scalar);
        if (threads == 1) {
            expected_scalar = scalar;
            cnv_vector_copy(3, out, expected);
        }
        cr_assert_eq(scalar, expected_scalar);
        for (size_t j = 0; j < 3; j++) {
            cr_assert_eq(out[j], expected[j]);
        }
        cr_assert_eq(cnv_reduce(reducer, NULL, 0, add_rows, x, out), 0.0);
        cr_assert_eq(out[0], 0.0);
        cnv_reducer_destroy(reducer);
    }
    /* Block sums added in block order, by hand. */
    double by_hand = 0.0;
    for (size_t first = 0; first < N; first += BLOCK) {
        double block = 0.0;

        for (size_t i = first; i < N && i < first + BLOCK; i++) {
            block += x[list[i]];
        }
        by_hand += block;
    }
    cr_assert_eq(by_hand, expected_scalar);
    cnv_free(x);
}

static void count_piece(void *ctx, size_t piece)
{
    atomic_uint *counts = ctx;

    atomic_fetch_add(&counts[piece], 1);
}

Test(num, team_runs_every_piece_once_in_every_wave, .timeout = 20)
{
    struct cnv_team *team = NULL;
    atomic_uint counts[4] = { 0 };

    cr_assert_eq(cnv_team_new(4, &team, NULL), CNV_OK);
    for (unsigned wave = 0; wave < 2000; wave++) {
        cnv_team_run(team, 1 + wave % 4, count_piece, counts);
    }
    cr_assert_eq(atomic_load(&counts[0]), 2000);
    cr_assert_eq(atomic_load(&counts[1]), 1500);
    cr_assert_eq(atomic_load(&counts[2]), 1000);
    cr_assert_eq(atomic_load(&counts[3]), 500);
    cnv_team_destroy(team);
    cnv_team_destroy(NULL);
}

Test(num, out_of_memory_is_an_error_and_leaks_nothing, .timeout = 20)
{
    enum cnv_status status = CNV_E_NOMEM;

    for (uint64_t n = 1; status != CNV_OK; n++) {
        struct cnv_reducer *reducer = NULL;

        cnv_mem_fail_after(n);
        status = cnv_reducer_new(3, 64, 10, &reducer, NULL);
        cnv_mem_fail_after(0);
        cr_assert(status == CNV_OK || (status == CNV_E_NOMEM && reducer == NULL));
        cr_assert_lt(n, 10);
        cnv_reducer_destroy(reducer);
    }
}
