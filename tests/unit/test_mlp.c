/* The network against its definition, row by row; its layout, its biases, and what is refused. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "config/config.h"
#include "num/num.h"
#include "num/vector.h"
#include "problem/problem.h"
#include "synthetic.h"

enum { FEATURES = 6, RUN_FEATURES = 7, CLASSES = 3, ROWS = 600, UNITS_MAX = 16 };

static const double labels[CLASSES] = { 1.0, 2.0, 3.0 };

struct subject {
    struct cnv_config *config;
    struct cnv_shard *shard; /* dense */
    struct cnv_problem *problem;
};

static struct cnv_problem_setup setup_of(const struct subject *subject)
{
    return (struct cnv_problem_setup){
        .config = subject->config,
        .shard = subject->shard,
        .features = RUN_FEATURES,
        .labels = labels,
        .classes = CLASSES,
        .total_rows = ROWS,
    };
}

static struct subject subject_new(const char *hidden, const char *l2)
{
    struct synthetic how = { .rows = ROWS,
                             .features = FEATURES,
                             .density = 0.8,
                             .classes = CLASSES,
                             .noise = 0.3,
                             .seed = 3 };
    struct cnv_shard *sparse = synthetic_shard(&how);
    struct subject subject = { .config = cnv_config_new(), .shard = synthetic_dense(sparse) };
    struct cnv_problem_setup setup = setup_of(&subject);

    cnv_num_init();
    synthetic_destroy(sparse);
    cr_assert_eq(cnv_config_set(subject.config, "problem/hidden", hidden, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_set(subject.config, "problem/l2", l2, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_problem_new("mlp", &setup, &subject.problem, NULL), CNV_OK);
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

/* Scores of one row by the definition: sizes[layers + 1], W row-major with its bias last. */
static const double *
apply(const size_t *sizes, size_t layers, const double *w, const double *row, double *out)
{
    double below[UNITS_MAX] = { 0.0 };

    memcpy(below, row, FEATURES * sizeof(*row));
    for (size_t l = 0; l < layers; l++) {
        for (size_t k = 0; k < sizes[l + 1]; k++) {
            double sum = w[sizes[l]];

            for (size_t j = 0; j < sizes[l]; j++) {
                sum += w[j] * below[j];
            }
            out[k] = l + 1 < layers && sum < 0.0 ? 0.0 : sum;
            w += sizes[l] + 1;
        }
        memcpy(below, out, sizes[l + 1] * sizeof(*out));
    }
    return out;
}

static void
check_definition(const char *hidden, const size_t *sizes, size_t layers, size_t dimension)
{
    struct subject subject = subject_new(hidden, "0");
    const struct cnv_problem_ops *ops = subject.problem->ops;
    double *w = normals(dimension, 0.7, 1);
    double expected = 0.0;
    double right = 0.0;

    cr_assert_eq(subject.problem->dimension, dimension);
    for (size_t i = 0; i < ROWS; i++) {
        double z[UNITS_MAX];
        size_t class = (size_t) subject.shard->labels[i] - 1;
        double mass = 0.0;

        (void) apply(sizes, layers, w, subject.shard->values + i * FEATURES, z);
        for (size_t c = 0; c < CLASSES; c++) {
            mass += exp(z[c]);
        }
        expected += (log(mass) - z[class]) / ROWS;
        right += z[class] >= fmax(z[0], fmax(z[1], z[2])) ? 1.0 : 0.0;
    }
    cr_assert_float_eq(ops->loss(subject.problem->state, w, NULL), expected, 1e-12);
    cr_assert_eq(ops->score(subject.problem->state, w, subject.shard), right);
    cnv_free(w);
    subject_drop(&subject);
}

Test(mlp, is_the_network_of_its_definition, .timeout = 20)
{
    const size_t one[] = { RUN_FEATURES, 5, CLASSES };
    const size_t two[] = { RUN_FEATURES, 5, 4, CLASSES };

    check_definition("5", one, 2, 8 * 5 + 6 * 3);
    check_definition("5,4", two, 3, 8 * 5 + 6 * 4 + 5 * 3);
}

Test(mlp, biases_are_not_regularised, .timeout = 20)
{
    struct subject with = subject_new("5", "0.25");
    struct subject without = subject_new("5", "0");
    size_t n = with.problem->dimension;
    double *w = normals(n, 1.0, 1);
    double *a = cnv_array_new(n, sizeof(*a));
    double *b = cnv_array_new(n, sizeof(*b));
    double square = 0.0;

    double loss = with.problem->ops->gradient(with.problem->state, w, NULL, a) -
                  without.problem->ops->gradient(without.problem->state, w, NULL, b);
    for (size_t i = 0; i < n; i++) {
        bool is_bias = i < 40 ? i % 8 == 7 : (i - 40) % 6 == 5;

        square += is_bias ? 0.0 : w[i] * w[i];
        cr_assert_float_eq(a[i] - b[i], is_bias ? 0.0 : 0.25 * w[i], 1e-14);
    }
    cr_assert_float_eq(loss, 0.125 * square, 1e-12);
    cnv_free(w);
    cnv_free(a);
    cnv_free(b);
    subject_drop(&with);
    subject_drop(&without);
}

/* u'Hv = v'Hu, and what is not so for a Gauss-Newton matrix: some direction curves downwards. */
Test(mlp, hessian_products_are_symmetric_and_indefinite, .timeout = 20)
{
    struct subject subject = subject_new("5,4", "0");
    struct cnv_problem *problem = subject.problem;
    size_t n = problem->dimension;
    double *w = normals(n, 0.7, 1);
    double *hu = cnv_array_new(n, sizeof(*hu));
    double *hv = cnv_array_new(n, sizeof(*hv));
    size_t down = 0;

    cr_assert_eq(problem->ops->curvature_at(problem->state, w, NULL, NULL), CNV_OK);
    for (uint64_t d = 0; d < 20; d++) {
        double *u = normals(n, 1.0, 100 + d);
        double *v = normals(n, 1.0, 200 + d);

        problem->ops->hessian_times(problem->state, u, hu);
        problem->ops->hessian_times(problem->state, v, hv);
        cr_assert_float_eq(cnv_vector_dot(n, u, hv), cnv_vector_dot(n, v, hu), 1e-11);
        down += cnv_vector_dot(n, u, hu) < 0.0;
        cnv_free(u);
        cnv_free(v);
    }
    cr_assert_gt(down, 0);
    cr_assert_null(problem->ops->hessian);
    cnv_free(w);
    cnv_free(hu);
    cnv_free(hv);
    subject_drop(&subject);
}

Test(mlp, plain_gradient_descent_fits_what_no_linear_model_can, .timeout = 20)
{
    /* Exclusive or: classes 1 and 2 of four points. */
    const double values[] = { 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0 };
    struct synthetic how = { .rows = 4, .features = 2, .density = 1.0, .classes = 2, .seed = 1 };
    struct cnv_shard *sparse = synthetic_shard(&how);
    struct cnv_shard *shard = synthetic_dense(sparse);
    struct cnv_config *config = cnv_config_new();
    struct cnv_problem_setup setup = { .config = config,
                                       .shard = shard,
                                       .features = 2,
                                       .labels = labels,
                                       .classes = 2,
                                       .total_rows = 4 };
    struct cnv_problem *problem = NULL;

    memcpy(shard->values, values, sizeof(values));
    for (size_t i = 0; i < 4; i++) {
        shard->labels[i] = i == 1 || i == 2 ? 2.0 : 1.0;
    }
    cr_assert_eq(cnv_config_set(config, "problem/hidden", "8", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_problem_new("mlp", &setup, &problem, NULL), CNV_OK);
    double *w = normals(problem->dimension, 0.5, 1);
    double *g = cnv_array_new(problem->dimension, sizeof(*g));
    for (int i = 0; i < 2000; i++) {
        (void) problem->ops->gradient(problem->state, w, NULL, g);
        cnv_vector_add(problem->dimension, -0.5, g, w);
    }
    cr_assert_lt(problem->ops->loss(problem->state, w, NULL), 0.01);
    cr_assert_eq(problem->ops->score(problem->state, w, shard), 4.0);
    cnv_free(w);
    cnv_free(g);
    cnv_problem_destroy(problem);
    synthetic_destroy(sparse);
    synthetic_destroy(shard);
    cnv_config_destroy(config);
}

Test(mlp, hidden_layers_that_cannot_be_are_refused, .timeout = 20)
{
    static const char *const bad[] = { "", "0", "4,0", "4,4,4", "65537", "4,", "x" };
    struct subject subject = subject_new("5", "0");
    struct cnv_problem_setup setup = setup_of(&subject);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cnv_problem *problem = NULL;
        struct cnv_error err = { .text = "" };

        cr_assert_eq(cnv_config_set(subject.config, "problem/hidden", bad[i], "test", NULL),
                     CNV_OK);
        cr_assert_eq(cnv_problem_new("mlp", &setup, &problem, &err), CNV_E_INPUT, "%s", bad[i]);
        cr_assert_not_null(strstr(err.text, ": allowed are one or two numbers of units"));
    }
    subject_drop(&subject);
}
