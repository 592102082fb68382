/* run/start: the model of version 0. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "engine_script.h"

enum { SLICE = 65536, LARGE = 70000 };

/* The model of version 0, which the caller frees. */
static double *start_of(const char *start, const char *scale, const char *seed, size_t n)
{
    const char *settings[] = { "run/agents=1", start, scale, seed, NULL };
    struct script *script = script_new(settings);
    double *model = cnv_array_new(n, sizeof(*model));

    script_join_all(script, 1, n);
    for (size_t i = 0; i < n; i++) {
        model[i] = script_model(script, i);
    }
    script_destroy(script);
    return model;
}

Test(engine_start, is_zeros_or_ones, .timeout = 10)
{
    double *zeros = start_of("run/start=zeros", "run/start-scale=2", "run/seed=1", 3);
    double *ones = start_of("run/start=ones", "run/start-scale=2", "run/seed=1", 3);

    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(zeros[i], 0.0);
        cr_assert_eq(ones[i], 1.0);
    }
    cnv_free(zeros);
    cnv_free(ones);
}

Test(engine_start, is_normal_with_the_scale_and_repeats_with_the_seed, .timeout = 10)
{
    double *a = start_of("run/start=random", "run/start-scale=2", "run/seed=1", LARGE);
    double *b = start_of("run/start=random", "run/start-scale=1", "run/seed=1", LARGE);
    double *other = start_of("run/start=random", "run/start-scale=2", "run/seed=2", LARGE);
    double sum = 0.0;
    double square = 0.0;
    size_t same = 0;

    for (size_t i = 0; i < LARGE; i++) {
        same += a[i] != 2.0 * b[i];
        same += a[i] == other[i];
        same += i >= SLICE && a[i] == a[i - SLICE];
        sum += a[i];
        square += a[i] * a[i];
    }
    cr_assert_eq(same, 0);
    /* Standard errors: 2 / sqrt(n) = 0.008 and 4 sqrt(2 / n) = 0.02. */
    cr_assert_float_eq(sum / LARGE, 0.0, 0.03);
    cr_assert_float_eq(square / LARGE, 4.0, 0.09);
    cnv_free(a);
    cnv_free(b);
    cnv_free(other);
}

Test(engine_start, does_not_depend_on_the_dimension, .timeout = 10)
{
    double *small = start_of("run/start=random", "run/start-scale=1", "run/seed=1", 5);
    double *large = start_of("run/start=random", "run/start-scale=1", "run/seed=1", LARGE);

    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(small[i], large[i]);
    }
    cnv_free(small);
    cnv_free(large);
}

/* A run of one agent with labels -1 and 1 and two coordinates, from that model. */
static struct script *started(const double *values, size_t n, const double *labels)
{
    struct script *script = script_new((const char *const[]){ "run/agents=1", NULL });
    struct cnv_blob *blob = cnv_blob_copy(values, n * sizeof(*values));
    struct cnv_engine_start start = {
        .values = blob,
        .labels = labels,
        .label_count = labels == NULL ? 0 : 2,
        .has_labels = labels != NULL,
    };

    cr_assert(cnv_engine_start_from(script->engine, &start));
    cnv_blob_unref(blob);
    script_join_all(script, 1, 2);
    return script;
}

Test(engine_start, is_a_given_model, .timeout = 10)
{
    struct script *script = started((const double[]){ 0.5, -3 }, 2, NULL);

    cr_assert_eq(script_model(script, 0), 0.5);
    cr_assert_eq(script_model(script, 1), -3.0);
    script_destroy(script);
}

static void fails_with(const double *values, size_t n, const double *labels, const char *reason)
{
    struct script *script = started(values, n, labels);
    struct cnv_engine_view view;

    cnv_engine_view(script->engine, &view);
    cr_expect_eq(view.state, CNV_RUN_FAILED);
    cr_expect_str_eq(view.state_reason, reason);
    script_destroy(script);
}

Test(engine_start, of_another_shape_ends_the_run_in_words, .timeout = 10)
{
    fails_with((const double[]){ 1, 2, 3 },
               3,
               NULL,
               "run/start: that model has 3 coordinates, this run's has 2");
    fails_with((const double[]){ 1, 2 },
               2,
               (const double[]){ 5, 7 },
               "run/start: that model knows 2 labels, 5 to 7, this run's data has 2, -1 to 1");
}
