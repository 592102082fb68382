/* test_smoothness.c - L of a shard, against all eigenvalues of its dense matrix. */
#include <criterion/criterion.h>
#include <lapacke.h>
#include <math.h>

#include "base/mem.h"
#include "config/config.h"
#include "problem/problem.h"
#include "synthetic.h"

enum { ROWS = 70, FEATURES = 9, COLS_MAX = FEATURES + 1 };

static const struct {
    const char *name;
    size_t classes;
    double curvature; /* of the loss in a score, at most */
} kinds[] = { { "logistic", 2, 0.25 }, { "ridge", 0, 1.0 }, { "softmax", 4, 0.5 } };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The rows as they are, a one behind them. */
static void dense_rows(const struct cnv_shard *shard, double x[ROWS][COLS_MAX])
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < FEATURES; j++) {
            x[i][j] = 0;
        }
        x[i][FEATURES] = 1;
        for (size_t e = shard->row_start[i]; e < shard->row_start[i + 1]; e++) {
            x[i][shard->columns[e]] = shard->values[e];
        }
    }
}

/* Of X'X / rows, by LAPACK. */
static double largest_eigenvalue(double x[ROWS][COLS_MAX], size_t cols)
{
    double gram[COLS_MAX * COLS_MAX] = { 0 };
    double values[COLS_MAX];

    for (size_t i = 0; i < ROWS; i++) {
        for (size_t a = 0; a < cols; a++) {
            for (size_t b = 0; b < cols; b++) {
                gram[a * cols + b] += x[i][a] * x[i][b] / ROWS;
            }
        }
    }
    cr_assert_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (int) cols, gram, (int) cols, values),
                 0);
    return values[cols - 1];
}

static double largest_row(double x[ROWS][COLS_MAX], size_t cols)
{
    double largest = 0;

    for (size_t i = 0; i < ROWS; i++) {
        double square = 0;

        for (size_t j = 0; j < cols; j++) {
            square += x[i][j] * x[i][j];
        }
        largest = fmax(largest, square);
    }
    return largest;
}

static struct cnv_problem *
problem_new(size_t kind, struct cnv_shard *shard, struct cnv_config *config)
{
    static const double labels[] = { 1, 2, 3, 4 };
    struct cnv_problem *problem = NULL;

    for (size_t i = 0; kinds[kind].classes > 0 && i < ROWS; i++) {
        shard->labels[i] = labels[i % kinds[kind].classes];
    }
    struct cnv_problem_setup setup = { .config = config,
                                       .shard = shard,
                                       .features = FEATURES,
                                       .labels = kinds[kind].classes > 0 ? labels : NULL,
                                       .classes = kinds[kind].classes,
                                       .total_rows = 200 };
    cr_assert_eq(cnv_problem_new(kinds[kind].name, &setup, &problem, NULL), CNV_OK);
    return problem;
}

static double smoothness(struct cnv_problem *problem, enum cnv_smoothness of)
{
    double found = 0;

    cr_assert_eq(problem->ops->smoothness(problem->state, of, &found, NULL), CNV_OK);
    return found;
}

static void check(size_t kind, bool is_dense, bool has_intercept)
{
    struct synthetic how = { .rows = ROWS, .features = FEATURES, .density = 0.6, .seed = 3 };
    struct cnv_shard *sparse = synthetic_shard(&how);
    struct cnv_shard *shard = is_dense ? synthetic_dense(sparse) : sparse;
    struct cnv_config *config = cnv_config_new();
    static double x[ROWS][COLS_MAX];
    size_t cols = FEATURES + has_intercept;
    double l2 = 1.0 / 200;

    cr_assert_eq(cnv_config_set(config, "problem/l2", "1/n", "test", NULL), CNV_OK);
    cr_assert_eq(
        cnv_config_set(config, "problem/intercept", has_intercept ? "true" : "false", "test", NULL),
        CNV_OK);
    dense_rows(sparse, x);
    struct cnv_problem *problem = problem_new(kind, shard, config);
    double expected = kinds[kind].curvature * largest_eigenvalue(x, cols) + l2;
    double found = smoothness(problem, CNV_SMOOTHNESS_SHARD);
    cr_assert(found >= expected * (1 - 1e-13) && found <= expected * 1.001,
              "%s: %.9g is not %.9g",
              kinds[kind].name,
              found,
              expected);
    cr_assert_float_eq(smoothness(problem, CNV_SMOOTHNESS_ROWS),
                       kinds[kind].curvature * largest_row(x, cols) + l2,
                       1e-12);
    cnv_problem_destroy(problem);
    cnv_config_destroy(config);
    if (is_dense) {
        synthetic_destroy(shard);
    }
    synthetic_destroy(sparse);
}

Test(smoothness, is_that_of_the_dense_matrix, .timeout = 20)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < 4; i++) {
            check(kind, i % 2 == 1, i / 2 == 1);
        }
    }
}

/* At zero the Hessian of logistic regression is X'X / (4 rows) + l2 I itself. */
Test(smoothness, is_the_largest_curvature_there_is, .timeout = 20)
{
    struct synthetic how = { .rows = ROWS, .features = FEATURES, .density = 1, .seed = 5 };
    struct cnv_shard *shard = synthetic_shard(&how);
    struct cnv_config *config = cnv_config_new();
    struct cnv_problem *problem = problem_new(0, shard, config);
    double w[FEATURES] = { 0 };
    double hessian[FEATURES * FEATURES];
    double values[FEATURES];

    cr_assert_eq(problem->ops->curvature_at(problem->state, w, NULL, NULL), CNV_OK);
    problem->ops->hessian(problem->state, hessian);
    cr_assert_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', FEATURES, hessian, FEATURES, values), 0);
    double found = smoothness(problem, CNV_SMOOTHNESS_SHARD);
    cr_assert(found >= values[FEATURES - 1] * (1 - 1e-13));
    cr_assert_leq(found, values[FEATURES - 1] * 1.001);
    cnv_problem_destroy(problem);
    cnv_config_destroy(config);
    synthetic_destroy(shard);
}

Test(smoothness, has_the_same_bits_on_any_number_of_threads, .timeout = 20)
{
    struct synthetic how = { .rows = 5000, .features = FEATURES, .density = 0.5, .seed = 5 };
    double found[2];

    for (int i = 0; i < 2; i++) {
        struct cnv_shard *shard = synthetic_shard(&how);
        struct cnv_config *config = cnv_config_new();
        struct cnv_problem *problem = NULL;
        struct cnv_problem_setup setup = {
            .config = config, .shard = shard, .features = FEATURES, .total_rows = 5000
        };

        cr_assert_eq(cnv_config_set(config, "agent/threads", i == 0 ? "1" : "3", "test", NULL),
                     CNV_OK);
        cr_assert_eq(cnv_problem_new("ridge", &setup, &problem, NULL), CNV_OK);
        found[i] = smoothness(problem, CNV_SMOOTHNESS_SHARD);
        cnv_problem_destroy(problem);
        cnv_config_destroy(config);
        synthetic_destroy(shard);
    }
    cr_assert_eq(found[0], found[1]);
}

Test(smoothness, of_data_that_is_not_finite_is_an_error, .timeout = 20)
{
    struct synthetic how = { .rows = ROWS, .features = FEATURES, .density = 1, .seed = 5 };
    struct cnv_shard *shard = synthetic_shard(&how);
    struct cnv_config *config = cnv_config_new();
    struct cnv_error err;
    double found = 0;

    ((double *) shard->values)[7] = 1e200;
    struct cnv_problem *problem = problem_new(1, shard, config);
    for (int of = CNV_SMOOTHNESS_SHARD; of <= CNV_SMOOTHNESS_ROWS; of++) {
        cr_assert_eq(
            problem->ops->smoothness(problem->state, (enum cnv_smoothness) of, &found, &err),
            CNV_E_NUMERIC);
    }
    cnv_problem_destroy(problem);
    cnv_config_destroy(config);
    synthetic_destroy(shard);
}
