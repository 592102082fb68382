/* test_aggregators.c - what every aggregator must hold (conformance), and the mean's own rules. */
#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/mem.h"
#include "base/rng.h"
#include "config/config.h"

/* Contributions in memory, behind the load function the engine would give. */
struct table {
    struct cnv_merge_input input;
    double *values; /* [contributors][length] */
    size_t length;
    size_t loads;
};

static bool table_load(const struct cnv_merge_input *input, size_t i, double *buffer)
{
    const struct table *table =
        (const struct table *) ((const char *) input - offsetof(struct table, input));
    bool is_finite = true;

    for (size_t j = 0; j < input->count; j++) {
        buffer[j] = table->values[i * table->length + input->first + j];
        is_finite = is_finite && isfinite(buffer[j]);
    }
    return is_finite;
}

static bool
table_add(const struct cnv_merge_input *input, size_t i, double weight, double *sum, double *buffer)
{
    bool is_finite = table_load(input, i, buffer);

    for (size_t j = 0; j < input->count; j++) {
        sum[j] += weight * buffer[j];
    }
    return is_finite;
}

static void *aggregate_new(const struct cnv_aggregate_ops *ops, const char *setting)
{
    struct cnv_config *config = cnv_config_new();
    void *state = cnv_array_new(1, ops->state_size);

    if (setting != NULL) {
        cr_assert_eq(cnv_config_assign(config, setting, "test", NULL), CNV_OK);
    }
    cr_assert_eq(ops->init(state, config, NULL), CNV_OK);
    cnv_config_destroy(config);
    return state;
}

static void aggregate_destroy(const struct cnv_aggregate_ops *ops, void *state)
{
    if (ops->fini != NULL) {
        ops->fini(state);
    }
    cnv_free(state);
}

/* n random contributions of length coordinates, and their weights. */
static struct table
table_new(const struct cnv_aggregate_ops *ops, const void *state, size_t n, size_t length)
{
    struct table table = { .length = length };
    struct cnv_contributor *contributors = cnv_array_new(n, sizeof(*contributors));
    double *weights = cnv_array_new(n, sizeof(*weights));
    struct cnv_rng rng;

    table.values = cnv_array_new(n * length, sizeof(*table.values));
    cnv_rng_init(&rng, 1, CNV_RNG_SYNTHETIC, n, length);
    for (size_t i = 0; i < n * length; i++) {
        table.values[i] = cnv_rng_normal(&rng);
    }
    for (size_t i = 0; i < n; i++) {
        contributors[i].samples = 1 + cnv_rng_below(&rng, 100000);
        contributors[i].steps = 1 + cnv_rng_below(&rng, 10);
    }
    ops->weigh(state, contributors, n, weights);
    cnv_free(contributors);
    table.input.contributors = n;
    table.input.weights = weights;
    table.input.count = length;
    table.input.load = table_load;
    table.input.add = table_add;
    return table;
}

static void table_destroy(struct table *table)
{
    cnv_free(table->values);
    cnv_free((void *) (uintptr_t) table->input.weights);
}

static enum cnv_status merge(const struct cnv_aggregate_ops *ops,
                             const void *state,
                             const struct table *table,
                             double *out)
{
    double *scratch = cnv_array_new(
        ops->scratch_size(state, table->input.contributors, table->input.count), sizeof(*scratch));
    enum cnv_status status = ops->merge_slice(state, &table->input, out, scratch);

    cnv_free(scratch);
    return status;
}

Test(aggregators, every_aggregator_is_found_by_its_name, .timeout = 5)
{
    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        cr_assert_eq(cnv_aggregate_find(cnv_aggregate_at(i)->name), cnv_aggregate_at(i));
        cr_assert_not_null(cnv_aggregate_at(i)->text);
    }
    cr_assert_not_null(cnv_aggregate_find("mean"));
    cr_assert_null(cnv_aggregate_find("no-such-thing"));
}

Test(aggregators, weights_are_not_negative_and_sum_to_one, .timeout = 10)
{
    static const size_t counts[] = { 1, 2, 3, 100, 1000 };

    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        const struct cnv_aggregate_ops *ops = cnv_aggregate_at(i);
        void *state = aggregate_new(ops, NULL);

        for (size_t k = 0; k < 5; k++) {
            struct table table = table_new(ops, state, counts[k], 1);
            double sum = 0;

            for (size_t j = 0; j < counts[k]; j++) {
                cr_assert_geq(table.input.weights[j], 0);
                sum += table.input.weights[j];
            }
            cr_assert_float_eq(sum, 1.0, 1e-12);
            table_destroy(&table);
        }
        aggregate_destroy(ops, state);
    }
}

Test(aggregators, a_single_contribution_comes_out_as_it_is, .timeout = 5)
{
    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        const struct cnv_aggregate_ops *ops = cnv_aggregate_at(i);
        void *state = aggregate_new(ops, NULL);
        struct table table = table_new(ops, state, 1, 50);
        double out[50];

        cr_assert_eq(merge(ops, state, &table, out), CNV_OK);
        cr_assert_arr_eq(out, table.values, sizeof(out));
        table_destroy(&table);
        aggregate_destroy(ops, state);
    }
}

Test(aggregators, zero_contributors_do_not_crash, .timeout = 5)
{
    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        const struct cnv_aggregate_ops *ops = cnv_aggregate_at(i);
        void *state = aggregate_new(ops, NULL);
        struct table table = table_new(ops, state, 0, 3);
        double out[3] = { 1, 1, 1 };

        cr_assert_eq(merge(ops, state, &table, out), CNV_OK);
        cr_assert_eq(out[0], 0.0);
        table_destroy(&table);
        aggregate_destroy(ops, state);
    }
}

Test(aggregators, what_is_not_finite_is_said_wherever_it_is, .timeout = 10)
{
    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        const struct cnv_aggregate_ops *ops = cnv_aggregate_at(i);
        void *state = aggregate_new(ops, NULL);
        struct table table = table_new(ops, state, 5, 20);
        double out[20];

        for (size_t at = 0; at < 100; at++) {
            double kept = table.values[at];

            table.values[at] = at % 2 == 0 ? (double) NAN : (double) INFINITY;
            cr_assert_eq(merge(ops, state, &table, out), CNV_E_NOT_FINITE);
            table.values[at] = kept;
        }
        cr_assert_eq(merge(ops, state, &table, out), CNV_OK);
        table_destroy(&table);
        aggregate_destroy(ops, state);
    }
}

Test(aggregators, slices_give_the_same_bits_as_the_whole, .timeout = 10)
{
    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        const struct cnv_aggregate_ops *ops = cnv_aggregate_at(i);
        void *state = aggregate_new(ops, NULL);
        struct table table = table_new(ops, state, 7, 100);
        double whole[100];
        double parts[100];

        cr_assert_eq(merge(ops, state, &table, whole), CNV_OK);
        for (size_t first = 0; first < 100; first += 13) {
            table.input.first = first;
            table.input.count = 100 - first < 13 ? 100 - first : 13;
            cr_assert_eq(merge(ops, state, &table, parts + first), CNV_OK);
        }
        cr_assert_arr_eq(whole, parts, sizeof(whole));
        table_destroy(&table);
        aggregate_destroy(ops, state);
    }
}

Test(aggregators, the_mean_agrees_with_a_long_double_reference, .timeout = 20)
{
    static const char *const weightings[] = { "aggregate/weighting=samples",
                                              "aggregate/weighting=uniform" };
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find("mean");

    for (size_t k = 0; k < 2; k++) {
        void *state = aggregate_new(ops, weightings[k]);
        struct table table = table_new(ops, state, 1000, 64);
        double out[64];

        cr_assert_eq(merge(ops, state, &table, out), CNV_OK);
        for (size_t j = 0; j < 64; j++) {
            long double sum = 0;

            for (size_t i = 0; i < 1000; i++) {
                sum += (long double) table.input.weights[i] * table.values[i * 64 + j];
            }
            /* n rounding errors of size eps * |w x|, whose sum is below 1. */
            cr_assert_float_eq(out[j], (double) sum, 1000 * 2.3e-16);
        }
        table_destroy(&table);
        aggregate_destroy(ops, state);
    }
}

Test(aggregators, the_mean_weighs_by_samples_or_uniformly, .timeout = 5)
{
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find("mean");
    const struct cnv_contributor contributors[] = { { 30, 1 }, { 10, 9 } };
    double weights[2];

    void *state = aggregate_new(ops, "aggregate/weighting=samples");
    ops->weigh(state, contributors, 2, weights);
    cr_assert_eq(weights[0], 0.75);
    cr_assert_eq(weights[1], 0.25);
    aggregate_destroy(ops, state);
    state = aggregate_new(ops, "aggregate/weighting=uniform");
    ops->weigh(state, contributors, 2, weights);
    cr_assert_eq(weights[0], 0.5);
    cr_assert_eq(weights[1], 0.5);
    aggregate_destroy(ops, state);
}

/* Five contributions of three coordinates, the last of them hostile. */
static const double hostile[] = { 1, -2, 0, 2, -1, 0, 3, 0, 0, 4, 1, 0, 1e300, -1e300, 7 };

static void
robust_gives(const char *kind, const char *setting, size_t n, double a, double b, double c)
{
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find(kind);
    void *state = aggregate_new(ops, setting);
    struct table table = table_new(ops, state, n, 3);
    double out[3];

    memcpy(table.values, hostile, n * 3 * sizeof(*hostile));
    cr_assert_eq(merge(ops, state, &table, out), CNV_OK);
    cr_assert_eq(out[0], a);
    cr_assert_eq(out[1], b);
    cr_assert_eq(out[2], c);
    table_destroy(&table);
    aggregate_destroy(ops, state);
}

Test(aggregators, what_a_hostile_agent_sends_moves_no_median, .timeout = 5)
{
    robust_gives("median", NULL, 5, 3, -1, 0);
    robust_gives("median", NULL, 4, 2.5, -0.5, 0);
    robust_gives("median", NULL, 2, 1.5, -1.5, 0);
}

Test(aggregators, the_trimmed_mean_drops_its_share_at_either_end, .timeout = 5)
{
    robust_gives("trimmed-mean", "aggregate/trim=0.2", 5, 3, -1, 0);
    robust_gives("trimmed-mean", "aggregate/trim=0.45", 5, 3, -1, 0);
    robust_gives("trimmed-mean", "aggregate/trim=0.2", 4, 2.5, -0.5, 0); /* floor(0.8) is none */
    robust_gives("trimmed-mean", "aggregate/trim=0.25", 4, 2.5, -0.5, 0);
}

Test(aggregators, a_thousand_values_are_in_order, .timeout = 10)
{
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find("median");
    void *state = aggregate_new(ops, NULL);
    struct table table = table_new(ops, state, 1001, 1);
    double out = 0;
    size_t below = 0;

    cr_assert_eq(merge(ops, state, &table, &out), CNV_OK);
    for (size_t i = 0; i < 1001; i++) {
        below += table.values[i] < out;
    }
    cr_assert_eq(below, 500U);
    table_destroy(&table);
    aggregate_destroy(ops, state);
}

/* The pass before merging, in slices of 2 coordinates, and what is judged from it. */
static void
judge(const char *kind, const char *setting, struct table *table, double *weights, double *scales)
{
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find(kind);
    void *state = aggregate_new(ops, setting);
    size_t n = table->input.contributors;
    size_t size = ops->scoring->size(n);
    double *sums = cnv_array_new(size, sizeof(*sums));
    double *scores = cnv_array_new(size, sizeof(*scores));
    double *scratch = cnv_array_new(ops->scratch_size(state, n, 2), sizeof(*scratch));

    for (size_t first = 0; first < table->length; first += 2) {
        table->input.first = first;
        table->input.count = table->length - first < 2 ? table->length - first : 2;
        cr_assert_eq(ops->scoring->score_slice(state, &table->input, scores, scratch), CNV_OK);
        for (size_t k = 0; k < size; k++) {
            sums[k] += scores[k];
        }
    }
    for (size_t i = 0; i < n; i++) {
        weights[i] = table->input.weights[i];
        scales[i] = 1;
    }
    cr_assert_eq(ops->scoring->judge(state, n, sums, weights, scales), CNV_OK);
    cnv_free(sums);
    cnv_free(scores);
    cnv_free(scratch);
    aggregate_destroy(ops, state);
}

Test(aggregators, an_update_longer_than_the_bound_is_shortened_to_it, .timeout = 5)
{
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find("clipped-mean");
    void *state = aggregate_new(ops, NULL);
    struct table table = table_new(ops, state, 3, 3);
    const double values[] = { 3, 0, 4, 0, 0, 2, 6, 6, 7 }; /* norms 5, 2, 11 */
    double weights[3];
    double scales[3];

    memcpy(table.values, values, sizeof(values));
    judge("clipped-mean", "aggregate/clip=4", &table, weights, scales);
    cr_assert_float_eq(scales[0], 4.0 / 5, 1e-15);
    cr_assert_eq(scales[1], 1.0);
    cr_assert_float_eq(scales[2], 4.0 / 11, 1e-15);
    cr_assert_arr_eq(weights, table.input.weights, sizeof(weights));
    judge("clipped-mean", NULL, &table, weights, scales); /* the median, 5 */
    cr_assert_eq(scales[0], 1.0);
    cr_assert_eq(scales[1], 1.0);
    cr_assert_float_eq(scales[2], 5.0 / 11, 1e-15);
    table_destroy(&table);
    aggregate_destroy(ops, state);
}

Test(aggregators, multi_krum_leaves_out_who_is_far_from_all, .timeout = 5)
{
    const struct cnv_aggregate_ops *ops = cnv_aggregate_find("multi-krum");
    void *state = aggregate_new(ops, NULL);
    struct table table = table_new(ops, state, 5, 3);
    const double values[] = { 1, 0, 0, 1.1, 0, 0, -1e200, 1e200, 0, 0.9, 0, 0.1, 1, 0.1, 0 };
    double weights[5];
    double scales[5];

    memcpy(table.values, values, sizeof(values));
    judge("multi-krum", NULL, &table, weights, scales);
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(weights[i], i == 2 ? 0.0 : 0.25);
        cr_assert_eq(scales[i], 1.0);
    }
    table.input.contributors = 4; /* fewer than 2 + 3: nobody can be told to be hostile */
    judge("multi-krum", NULL, &table, weights, scales);
    cr_assert_eq(weights[2], 0.25);
    table_destroy(&table);
    aggregate_destroy(ops, state);
}
