/* test_optimisers.c - what every server optimiser must hold (conformance). */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "optimiser/optimiser.h"

enum { LENGTH = 40 };

struct optimiser {
    const struct cnv_optimiser_ops *ops;
    struct cnv_config *config;
    void *state;
};

static struct optimiser optimiser_new(const struct cnv_optimiser_ops *ops)
{
    struct optimiser optimiser = { .ops = ops, .config = cnv_config_new() };

    optimiser.state = cnv_array_new(1, ops->state_size);
    cr_assert_eq(ops->init(optimiser.state, optimiser.config, LENGTH, NULL), CNV_OK);
    return optimiser;
}

static void optimiser_destroy(struct optimiser *optimiser)
{
    if (optimiser->ops->fini != NULL) {
        optimiser->ops->fini(optimiser->state);
    }
    cnv_free(optimiser->state);
    cnv_config_destroy(optimiser->config);
}

/* Applies round `round`'s update in slices, last one first; commits it or not. */
static void apply(struct optimiser *optimiser, unsigned round, bool is_kept, double *out)
{
    double base[LENGTH];
    double update[LENGTH];

    for (size_t j = 0; j < LENGTH; j++) {
        base[j] = (double) j;
        update[j] = sin((double) (j + 7 * round));
    }
    for (size_t first = LENGTH; first > 0; first -= 8) {
        struct cnv_apply_input input = {
            .first = first - 8, .count = 8, .base = base + first - 8, .update = update + first - 8
        };

        optimiser->ops->apply_slice(optimiser->state, &input, out + first - 8);
    }
    if (optimiser->ops->conclude != NULL) {
        optimiser->ops->conclude(optimiser->state, is_kept);
    }
}

Test(optimisers, every_optimiser_is_found_by_its_name, .timeout = 5)
{
    for (size_t i = 0; cnv_optimiser_at(i) != NULL; i++) {
        cr_assert_eq(cnv_optimiser_find(cnv_optimiser_at(i)->name), cnv_optimiser_at(i));
        cr_assert_not_null(cnv_optimiser_at(i)->text);
    }
    cr_assert_null(cnv_optimiser_find("no-such-thing"));
}

Test(optimisers, a_commit_given_up_leaves_no_trace, .timeout = 5)
{
    for (size_t i = 0; cnv_optimiser_at(i) != NULL; i++) {
        struct optimiser one = optimiser_new(cnv_optimiser_at(i));
        struct optimiser other = optimiser_new(cnv_optimiser_at(i));
        double left[LENGTH];
        double right[LENGTH];

        for (unsigned round = 0; round < 5; round++) {
            apply(&one, 100 + round, false, left);
            apply(&one, round, true, left);
            apply(&other, round, true, right);
            cr_assert_arr_eq(left, right, sizeof(left));
        }
        optimiser_destroy(&one);
        optimiser_destroy(&other);
    }
}

Test(optimisers, save_and_load_at_any_point_change_no_later_model, .timeout = 5)
{
    for (size_t i = 0; cnv_optimiser_at(i) != NULL; i++) {
        struct optimiser one = optimiser_new(cnv_optimiser_at(i));
        double left[LENGTH];
        double right[LENGTH];

        for (unsigned round = 0; round < 5; round++) {
            struct optimiser other = optimiser_new(cnv_optimiser_at(i));
            size_t size = one.ops->save(one.state, NULL, 0);
            uint8_t *bytes = cnv_array_new(size, 1);

            cr_assert_eq(one.ops->save(one.state, bytes, size), size);
            cr_assert_eq(other.ops->load(other.state, bytes, size, NULL), CNV_OK);
            cr_assert_neq(other.ops->load(other.state, bytes, size + 1, NULL), CNV_OK);
            cnv_free(bytes);
            apply(&one, round, true, left);
            apply(&other, round, true, right);
            cr_assert_arr_eq(left, right, sizeof(left));
            optimiser_destroy(&other);
        }
        optimiser_destroy(&one);
    }
}

Test(optimisers, none_adds_the_update, .timeout = 5)
{
    struct optimiser none = optimiser_new(cnv_optimiser_find("none"));
    double out[LENGTH];

    apply(&none, 1, true, out);
    for (size_t j = 0; j < LENGTH; j++) {
        cr_assert_eq(out[j], (double) j + sin((double) (j + 7)));
    }
    optimiser_destroy(&none);
}
