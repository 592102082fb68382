/*
 * Every problem, sparse and dense, with and without intercept: derivatives against differences,
 * products against the Hessian, bits against the number of threads, and what is refused.
 */
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "config/config.h"
#include "fit.h"
#include "num/num.h"
#include "num/vector.h"
#include "problem/problem.h"
#include "synthetic.h"
#include "with_plugins.h"

TestSuite(problems, .init = with_plugins);

enum { FEATURES = 70, CLASSES = 4, BLOCKS = 3, SHARD_ROWS = (BLOCKS - 1) * CNV_ROW_BLOCK + 321 };

static const double class_labels[CLASSES] = { 1.0, 2.0, 3.0, 4.0 };
static const double sign_labels[2] = { -1.0, 1.0 };

/* A problem on synthetic rows, with what it was made of. */
struct subject {
    struct cnv_config *config;
    struct cnv_shard *shard;
    struct cnv_problem *problem;
};

struct variant {
    const char *name;
    bool dense;
    bool intercept;
    size_t threads;
    size_t rows;
};

static void set(struct cnv_config *config, const char *path, const char *value)
{
    cr_assert_eq(cnv_config_set(config, path, value, "test", NULL), CNV_OK);
}

static struct cnv_problem_setup setup_of(const struct subject *subject, const char *name)
{
    size_t classes = fit_classes(cnv_problem_find(name));

    return (struct cnv_problem_setup){
        .config = subject->config,
        .shard = subject->shard,
        .features = subject->shard->features + 2, /* the run has features this shard has not */
        .labels = classes == 0   ? NULL
                  : classes == 2 ? sign_labels
                                 : class_labels,
        .classes = classes,
        .total_rows = 3 * subject->shard->rows,
    };
}

static struct subject subject_new(const struct variant *variant)
{
    struct synthetic how = { .rows = variant->rows,
                             .features = FEATURES,
                             .density = 0.1,
                             .classes = fit_classes(cnv_problem_find(variant->name)),
                             .noise = 0.3,
                             .seed = 5 };
    struct subject subject = { .config = cnv_config_new(), .shard = synthetic_shard(&how) };
    struct cnv_problem_setup setup;
    char threads[24];

    cnv_num_init();
    (void) snprintf(threads, sizeof(threads), "%zu", variant->threads);
    set(subject.config, "problem/l2", "0.01");
    fit_settings(subject.config, variant->name);
    set(subject.config, "problem/intercept", variant->intercept ? "true" : "false");
    set(subject.config, "agent/threads", threads);
    if (variant->dense) {
        struct cnv_shard *dense = synthetic_dense(subject.shard);

        synthetic_destroy(subject.shard);
        subject.shard = dense;
    }
    setup = setup_of(&subject, variant->name);
    cr_assert_eq(cnv_problem_new(variant->name, &setup, &subject.problem, NULL), CNV_OK);
    return subject;
}

static void subject_drop(struct subject *subject)
{
    cnv_problem_destroy(subject->problem);
    synthetic_destroy(subject->shard);
    cnv_config_destroy(subject->config);
}

static double *normals(size_t n, double scale, uint64_t seed)
{
    double *x = cnv_array_new(n, sizeof(*x));
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 1, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = scale * cnv_rng_normal(&rng);
    }
    return x;
}

/* Calls check for every problem x layout x intercept. */
static void for_all(size_t rows, void (*check)(const struct subject *subject))
{
    for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
        for (int i = 0; i < 4; i++) {
            struct variant variant = {
                cnv_problem_at(p)->name, (i & 1) != 0, (i & 2) != 0, 1, rows
            };
            struct subject subject = subject_new(&variant);

            check(&subject);
            subject_drop(&subject);
        }
    }
}

static double loss(const struct subject *subject, const double *w)
{
    return subject->problem->ops->loss(subject->problem->state, w, NULL);
}

static double gradient(const struct subject *subject, const double *w, double *g)
{
    return subject->problem->ops->gradient(subject->problem->state, w, NULL, g);
}

/* Along a few random directions: (f(w + h v) - f(w - h v)) / 2h = g'v, error O(h^2) + eps / h. */
static void check_gradient(const struct subject *subject)
{
    const double h = 1e-5;
    size_t n = subject->problem->dimension;
    double *w = normals(n, 0.3, 1);
    double *g = cnv_array_new(n, sizeof(*g));
    double *moved = cnv_array_new(n, sizeof(*moved));

    double value = gradient(subject, w, g);
    cr_assert_eq(value, loss(subject, w));
    for (uint64_t d = 0; d < 5; d++) {
        double *v = normals(n, 1.0, 2 + d);

        cnv_vector_move(n, w, h, v, moved);
        double up = loss(subject, moved);
        cnv_vector_move(n, w, -h, v, moved);
        double difference = (up - loss(subject, moved)) / (2.0 * h);
        cr_assert_float_eq(difference,
                           cnv_vector_dot(n, g, v),
                           1e-7 * (1.0 + fabs(difference)),
                           "%s: %.12g against %.12g",
                           subject->problem->ops->name,
                           difference,
                           cnv_vector_dot(n, g, v));
        cnv_free(v);
    }
    cnv_free(w);
    cnv_free(g);
    cnv_free(moved);
}

Test(problems, gradient_agrees_with_central_differences, .timeout = 60)
{
    for_all(500, check_gradient);
}

static bool has_curvature(const struct cnv_problem *problem)
{
    const struct cnv_problem_ops *ops = problem->ops;

    cr_assert_eq(ops->curvature_at == NULL, ops->hessian_times == NULL, "%s", ops->name);
    cr_assert(ops->hessian == NULL || ops->curvature_at != NULL, "%s", ops->name);
    return ops->curvature_at != NULL;
}

static void check_hessian(const struct subject *subject)
{
    const double h = 1e-5;
    struct cnv_problem *problem = subject->problem;
    size_t n = problem->dimension;

    if (!has_curvature(problem)) {
        return;
    }
    double *w = normals(n, 0.3, 1);
    double *v = normals(n, 1.0, 2);
    double *up = cnv_array_new(n, sizeof(*up));
    double *down = cnv_array_new(n, sizeof(*down));
    double *moved = cnv_array_new(n, sizeof(*moved));
    double *product = cnv_array_new(n, sizeof(*product));
    double *hessian = cnv_array_new(n * n, sizeof(*hessian));

    cnv_vector_move(n, w, h, v, moved);
    (void) gradient(subject, moved, up);
    cnv_vector_move(n, w, -h, v, moved);
    (void) gradient(subject, moved, down);
    cr_assert_eq(problem->ops->curvature_at(problem->state, w, NULL, NULL), CNV_OK);
    problem->ops->hessian_times(problem->state, v, product);
    for (size_t i = 0; i < n; i++) {
        cr_assert_float_eq((up[i] - down[i]) / (2.0 * h), product[i], 1e-7);
    }
    if (problem->ops->hessian != NULL) {
        problem->ops->hessian(problem->state, hessian);
    }
    for (size_t i = 0; problem->ops->hessian != NULL && i < n; i++) {
        double row = cnv_vector_dot(n, hessian + i * n, v);

        cr_assert_float_eq(row, product[i], 1e-12);
        for (size_t j = 0; j < i; j++) {
            cr_assert_eq(hessian[i * n + j], hessian[j * n + i]);
        }
    }
    cnv_free(w);
    cnv_free(v);
    cnv_free(up);
    cnv_free(down);
    cnv_free(moved);
    cnv_free(product);
    cnv_free(hessian);
}

Test(problems, hessian_and_its_products_agree_with_differences_of_the_gradient, .timeout = 60)
{
    for_all(500, check_hessian);
}

Test(problems, sparse_and_dense_rows_give_the_same, .timeout = 60)
{
    for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
        struct variant variant = { cnv_problem_at(p)->name, false, true, 1, 700 };
        struct subject sparse = subject_new(&variant);
        variant.dense = true;
        struct subject dense = subject_new(&variant);
        size_t n = sparse.problem->dimension;
        double *w = normals(n, 0.3, 1);
        double *a = cnv_array_new(n, sizeof(*a));
        double *b = cnv_array_new(n, sizeof(*b));
        const struct cnv_problem_ops *ops = sparse.problem->ops;

        cr_assert_eq(dense.problem->dimension, n);
        cr_assert_float_eq(gradient(&sparse, w, a), gradient(&dense, w, b), 1e-13);
        for (size_t i = 0; i < n; i++) {
            cr_assert_float_eq(a[i], b[i], 1e-14);
        }
        double score = ops->score(sparse.problem->state, w, sparse.shard);
        cr_assert_float_eq(ops->score(sparse.problem->state, w, dense.shard), score, 1e-9);
        cr_assert_float_eq(ops->score(dense.problem->state, w, sparse.shard), score, 1e-9);
        cnv_free(w);
        cnv_free(a);
        cnv_free(b);
        subject_drop(&sparse);
        subject_drop(&dense);
    }
}

/* Everything a problem computes, into out; returns how many numbers. */
static size_t everything(const struct subject *subject, double *out)
{
    struct cnv_problem *problem = subject->problem;
    size_t n = problem->dimension;
    double *w = normals(n, 0.3, 1);
    size_t list[3] = { 4100, 0, 17 };
    struct cnv_batch batch = { .rows = list, .count = 3 };

    out[0] = gradient(subject, w, out + 2);
    out[1] = problem->ops->gradient(problem->state, w, &batch, out + 2 + n);
    if (has_curvature(problem)) {
        cr_assert_eq(problem->ops->curvature_at(problem->state, w, NULL, NULL), CNV_OK);
        problem->ops->hessian_times(problem->state, w, out + 2 + 2 * n);
    }
    cnv_free(w);
    if (problem->ops->hessian == NULL) {
        return 2 + 3 * n;
    }
    problem->ops->hessian(problem->state, out + 2 + 3 * n);
    return 2 + 3 * n + n * n;
}

static void check_threads(struct variant variant)
{
    struct subject subject = subject_new(&variant);
    size_t n = subject.problem->dimension;
    double *one = cnv_array_new(2 + 3 * n + n * n, sizeof(*one));
    double *many = cnv_array_new(2 + 3 * n + n * n, sizeof(*many));
    size_t count = everything(&subject, one);

    subject_drop(&subject);
    for (variant.threads = 2; variant.threads <= 4; variant.threads++) {
        subject = subject_new(&variant);
        cr_assert_eq(everything(&subject, many), count);
        cr_assert_eq(memcmp(one, many, count * sizeof(*one)), 0, "%s", variant.name);
        subject_drop(&subject);
    }
    cnv_free(one);
    cnv_free(many);
}

Test(problems, bits_do_not_depend_on_the_number_of_threads, .timeout = 60)
{
    for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
        for (int dense = 0; dense < 2; dense++) {
            struct variant variant = { cnv_problem_at(p)->name, dense == 1, true, 1, SHARD_ROWS };

            check_threads(variant);
        }
    }
}

/* The mean over all rows, taken row by row, is the gradient of the whole shard. */
static void check_batches(const struct subject *subject)
{
    struct cnv_problem *problem = subject->problem;
    size_t n = problem->dimension;
    size_t rows = subject->shard->rows;
    double *w = normals(n, 0.3, 1);
    double *whole = cnv_array_new(n, sizeof(*whole));
    double *one = cnv_array_new(n, sizeof(*one));
    double *mean = cnv_array_new(n, sizeof(*mean));
    double value = 0.0;

    for (size_t i = 0; i < rows; i++) {
        struct cnv_batch batch = { .rows = &i, .count = 1 };

        value += problem->ops->gradient(problem->state, w, &batch, one) / (double) rows;
        cnv_vector_add(n, 1.0 / (double) rows, one, mean);
        cr_assert_eq(problem->ops->loss(problem->state, w, &batch),
                     problem->ops->gradient(problem->state, w, &batch, one));
    }
    cr_assert_float_eq(value, gradient(subject, w, whole), 1e-12 * (1.0 + fabs(value)));
    for (size_t i = 0; i < n; i++) {
        cr_assert_float_eq(mean[i], whole[i], 1e-13);
    }
    cnv_free(w);
    cnv_free(whole);
    cnv_free(one);
    cnv_free(mean);
}

Test(problems, minibatch_gradients_average_to_the_gradient_of_the_shard, .timeout = 60)
{
    for_all(200, check_batches);
}

static void check_batch_products(const struct subject *subject)
{
    struct cnv_problem *problem = subject->problem;
    size_t n = problem->dimension;
    size_t rows = problem->rows;

    if (!has_curvature(problem)) {
        return;
    }
    double *w = normals(n, 0.3, 1);
    double *v = normals(n, 1.0, 2);
    double *whole = cnv_array_new(n, sizeof(*whole));
    double *one = cnv_array_new(n, sizeof(*one));
    double *mean = cnv_array_new(n, sizeof(*mean));

    for (size_t i = 0; i < rows; i++) {
        struct cnv_batch batch = { .rows = &i, .count = 1 };

        cr_assert_eq(problem->ops->curvature_at(problem->state, w, &batch, NULL), CNV_OK);
        problem->ops->hessian_times(problem->state, v, one);
        cnv_vector_add(n, 1.0 / (double) rows, one, mean);
    }
    cr_assert_eq(problem->ops->curvature_at(problem->state, w, NULL, NULL), CNV_OK);
    problem->ops->hessian_times(problem->state, v, whole);
    for (size_t i = 0; i < n; i++) {
        cr_assert_float_eq(mean[i], whole[i], 1e-13);
    }
    cnv_free(w);
    cnv_free(v);
    cnv_free(whole);
    cnv_free(one);
    cnv_free(mean);
}

Test(problems, minibatch_hessian_products_average_to_that_of_the_shard, .timeout = 60)
{
    for_all(200, check_batch_products);
}

/* At w = 1: what the regulariser adds to loss and gradient, coordinate by coordinate. */
static void check_regulariser(const struct subject *subject)
{
    struct cnv_problem *problem = subject->problem;
    const char *name = problem->ops->name;
    size_t n = problem->dimension;
    double *w = cnv_array_new(n, sizeof(*w));
    double *with = cnv_array_new(n, sizeof(*with));
    double *without = cnv_array_new(n, sizeof(*without));
    struct cnv_problem_setup setup = setup_of(subject, name);
    struct cnv_problem *bare = NULL;
    size_t regularised = 0;

    for (size_t i = 0; i < n; i++) {
        w[i] = 1.0;
    }
    set(subject->config, "problem/l2", "0");
    cr_assert_eq(cnv_problem_new(name, &setup, &bare, NULL), CNV_OK);
    double value = gradient(subject, w, with);
    double plain = bare->ops->gradient(bare->state, w, NULL, without);
    for (size_t i = 0; i < n; i++) {
        double ridge = with[i] - without[i];

        regularised += ridge > 0.005;
        cr_assert_float_eq(ridge, ridge > 0.005 ? 0.01 : 0.0, 1e-13, "%s: %g", name, ridge);
    }
    cr_assert_float_eq(
        value - plain, 0.5 * 0.01 * (double) regularised, 1e-12 * (1.0 + fabs(value)), "%s", name);
    cnv_problem_destroy(bare);
    cnv_free(w);
    cnv_free(with);
    cnv_free(without);
}

Test(problems, regulariser_is_half_of_l2_times_the_square, .timeout = 60)
{
    for_all(50, check_regulariser);
}

Test(problems, intercept_is_not_regularised, .timeout = 60)
{
    static const char *const linear[] = { "logistic", "ridge", "softmax" };

    for (size_t p = 0; p < sizeof(linear) / sizeof(linear[0]); p++) {
        struct variant variant = { linear[p], false, true, 1, 50 };
        struct subject subject = subject_new(&variant);
        size_t n = subject.problem->dimension;
        size_t cols = FEATURES + 3;
        double *w = cnv_array_new(n, sizeof(*w));
        struct cnv_problem_setup setup = setup_of(&subject, variant.name);
        struct cnv_problem *bare = NULL;

        set(subject.config, "problem/l2", "0");
        cr_assert_eq(cnv_problem_new(variant.name, &setup, &bare, NULL), CNV_OK);
        for (size_t i = cols - 1; i < n; i += cols) {
            w[i] = 1.0;
        }
        cr_assert_eq(loss(&subject, w), bare->ops->loss(bare->state, w, NULL));
        w[0] = 1.0;
        cr_assert_gt(loss(&subject, w), bare->ops->loss(bare->state, w, NULL));
        cnv_problem_destroy(bare);
        cnv_free(w);
        subject_drop(&subject);
    }
}

Test(problems, l2_of_one_over_n_means_the_rows_of_the_whole_run, .timeout = 60)
{
    struct variant variant = { "logistic", false, false, 1, 50 };
    struct subject subject = subject_new(&variant);
    size_t n = subject.problem->dimension;
    double *w = normals(n, 1.0, 1);
    struct cnv_problem_setup setup = setup_of(&subject, variant.name);
    struct cnv_problem *problem = NULL;

    set(subject.config, "problem/l2", "1/n");
    cr_assert_eq(cnv_problem_new(variant.name, &setup, &problem, NULL), CNV_OK);
    double difference = loss(&subject, w) - problem->ops->loss(problem->state, w, NULL);
    double square = cnv_vector_dot(n, w, w);
    cr_assert_float_eq(difference, 0.5 * (0.01 - 1.0 / 150.0) * square, 1e-12);
    cnv_problem_destroy(problem);
    cnv_free(w);
    subject_drop(&subject);
}

/* Scores of +-1000 and more: exp would overflow. */
static void check_large_scores(const struct subject *subject)
{
    struct cnv_problem *problem = subject->problem;
    size_t n = problem->dimension;
    double *w = normals(n, 2000.0, 1);
    double *g = cnv_array_new(n, sizeof(*g));

    cr_assert(isfinite(gradient(subject, w, g)));
    cr_assert(isfinite(cnv_vector_dot(n, g, g)));
    if (has_curvature(problem)) {
        cr_assert_eq(problem->ops->curvature_at(problem->state, w, NULL, NULL), CNV_OK);
        problem->ops->hessian_times(problem->state, w, g);
        cr_assert(isfinite(cnv_vector_dot(n, g, g)));
    }
    cnv_free(w);
    cnv_free(g);
}

Test(problems, scores_far_beyond_the_range_of_exp_stay_finite, .timeout = 60)
{
    for_all(100, check_large_scores);
}

/* One row per value of x, one feature, for what a few known numbers show. */
static struct cnv_shard *column(const double *labels, const double *values, size_t rows)
{
    struct synthetic how = { .rows = rows, .features = 1, .density = 1.0, .seed = 1 };
    struct cnv_shard *shard = synthetic_shard(&how);

    cnv_vector_copy(rows, labels, shard->labels);
    cnv_vector_copy(rows, values, shard->values);
    return shard;
}

static struct cnv_problem *small(const char *name,
                                 struct cnv_config *config,
                                 const struct cnv_shard *shard,
                                 const double *labels,
                                 size_t classes)
{
    struct cnv_problem_setup setup = {
        .config = config,
        .shard = shard,
        .features = 1,
        .labels = labels,
        .classes = classes,
        .total_rows = shard->rows,
    };
    struct cnv_problem *problem = NULL;

    cr_assert_eq(cnv_problem_new(name, &setup, &problem, NULL), CNV_OK);
    return problem;
}

Test(problems, losses_have_their_known_values, .timeout = 60)
{
    struct cnv_config *config = cnv_config_new();
    const double labels[] = { 2.0, 1.0 };
    const double values[] = { 800.0, 3.0 };
    const double map[] = { 1.0, 2.0 };
    const double w[] = { -1.0, 1.0 };
    struct cnv_shard *shard = column(labels, values, 2);
    struct cnv_problem *logistic = small("logistic", config, shard, map, 2);
    struct cnv_problem *ridge = small("ridge", config, shard, NULL, 0);
    struct cnv_problem *softmax = small("softmax", config, shard, map, 2);

    /* Margins -800 and +3: the larger label is the positive one. */
    double expected = 0.5 * (800.0 + log1p(exp(-3.0)));
    cr_assert_float_eq(logistic->ops->loss(logistic->state, w, NULL), expected, 1e-12);
    /* Residuals -802 and -4. */
    cr_assert_float_eq(
        ridge->ops->loss(ridge->state, w, NULL), 0.25 * (802.0 * 802.0 + 16.0), 1e-9);
    /* Scores (-z, z): the margin of the logistic problem doubled, the sign turned. */
    expected = 0.5 * (log1p(exp(-1600.0)) + 6.0 + log1p(exp(-6.0)));
    cr_assert_float_eq(softmax->ops->loss(softmax->state, w, NULL), expected, 1e-12);
    cnv_problem_destroy(logistic);
    cnv_problem_destroy(ridge);
    cnv_problem_destroy(softmax);
    synthetic_destroy(shard);
    cnv_config_destroy(config);
}

Test(problems, score_counts_ties_as_the_smaller_label_and_ignores_unknown_features, .timeout = 60)
{
    struct cnv_config *config = cnv_config_new();
    const double labels[] = { 0.0, 1.0, 1.0, 0.0 };
    const double values[] = { 0.0, 0.0, 2.0, 2.0 };
    const double map[] = { 0.0, 1.0 };
    const double w[] = { 0.0, 1.0 };
    struct cnv_shard *shard = column(labels, values, 4);
    struct cnv_problem *logistic = small("logistic", config, shard, map, 2);
    struct cnv_problem *ridge = small("ridge", config, shard, NULL, 0);
    struct cnv_problem *softmax = small("softmax", config, shard, map, 2);

    /* Right: row 0 (a tie for 0) and row 2; softmax breaks ties for the first class. */
    cr_assert_eq(logistic->ops->score(logistic->state, w + 1, shard), 2.0);
    cr_assert_eq(softmax->ops->score(softmax->state, w, shard), 2.0);
    cr_assert_eq(ridge->ops->score(ridge->state, w + 1, shard), 0.0 + 1.0 + 1.0 + 4.0);
    /* Features that only the test set has, and labels the run has not. */
    shard->columns[2] = 5;
    shard->labels[0] = 7.0;
    shard->features = 6;
    cr_assert_eq(logistic->ops->score(logistic->state, w + 1, shard), 0.0);
    cr_assert_eq(softmax->ops->score(softmax->state, w, shard), 0.0);
    cnv_problem_destroy(logistic);
    cnv_problem_destroy(ridge);
    cnv_problem_destroy(softmax);
    synthetic_destroy(shard);
    cnv_config_destroy(config);
}

static void
expect_refusal(const char *name, const struct cnv_problem_setup *setup, const char *text)
{
    struct cnv_problem *problem = NULL;
    struct cnv_error err = { .text = "" };

    cr_assert_neq(cnv_problem_new(name, setup, &problem, &err), CNV_OK);
    cr_assert_null(problem);
    cr_assert_str_eq(err.text, text);
}

Test(problems, what_does_not_fit_is_refused_in_one_line, .timeout = 60)
{
    struct cnv_config *config = cnv_config_new();
    const double labels[] = { 1.0, 3.0 };
    const double values[] = { 1.0, 1.0 };
    const double map[] = { 1.0, 2.0, 3.0 };
    struct cnv_shard *shard = column(labels, values, 2);
    struct cnv_problem_setup setup = { .config = config,
                                       .shard = shard,
                                       .features = 1,
                                       .labels = map,
                                       .classes = 3,
                                       .total_rows = 2 };

    expect_refusal("lasso", &setup, "there is no problem named \"lasso\"");
    expect_refusal("logistic",
                   &setup,
                   "problem/kind=logistic needs exactly 2 label values, the run's data has 3: use "
                   "softmax for more, ridge for real targets");
    setup.classes = 2;
    expect_refusal("logistic", &setup, "label 3 is not one of the run's, 1 and 2");
    expect_refusal("softmax", &setup, "label 3 is not one of the run's 2, 1 to 2");
    setup.classes = 1;
    expect_refusal("softmax",
                   &setup,
                   "problem/kind=softmax needs data with at least 2 label values, this has 1");
    setup.features = 0;
    expect_refusal("ridge", &setup, "the shard has feature 1, the run only 0 features");
    setup.features = 1;
    shard->rows = 0;
    expect_refusal("ridge", &setup, "the shard has no rows: use fewer shards");
    synthetic_destroy(shard);
    cnv_config_destroy(config);
}

Test(problems, out_of_memory_is_an_error_at_every_allocation, .timeout = 60)
{
    for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
        struct variant variant = { cnv_problem_at(p)->name, true, true, 2, 60 };
        struct subject subject = subject_new(&variant);
        struct cnv_problem_setup setup = setup_of(&subject, variant.name);
        enum cnv_status status = CNV_E_NOMEM;
        double *w = normals(subject.problem->dimension, 0.1, 1);

        for (uint64_t n = 1; status != CNV_OK; n++) {
            struct cnv_problem *problem = NULL;

            cr_assert_lt(n, 30);
            cnv_mem_fail_after(n);
            status = cnv_problem_new(variant.name, &setup, &problem, NULL);
            if (status == CNV_OK && has_curvature(problem)) {
                status = problem->ops->curvature_at(problem->state, w, NULL, NULL);
            }
            cnv_mem_fail_after(0);
            cr_assert(status == CNV_OK || status == CNV_E_NOMEM);
            cnv_problem_destroy(problem);
        }
        cnv_free(w);
        subject_drop(&subject);
    }
}
