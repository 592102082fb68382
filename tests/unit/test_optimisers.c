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

/* Three updates (1, -2), (0.5, 0), (-1, 4) from the model (0, 0), and where they lead with the
 * default settings. By hand for momentum and nesterov: M is (1, -2), (1.4, -1.8), (0.26, 2.38). The
 * others by the formulas of arXiv 2003.00295, evaluated apart from this code. */
struct path {
    const char *name;
    const char *setting;
    double models[3][2];
};

static const struct path paths[] = {
    { "momentum", NULL, { { 1, -2 }, { 2.4, -3.8 }, { 2.66, -1.42 } } },
    { "nesterov", NULL, { { 1.33, -2.66 }, { 2.562, -3.794 }, { 2.0258, 0.5054 } } },
    { "adam",
      NULL,
      { { 0.00990050488825424, -0.00995012623676586 },
        { 0.0223604896529056, -0.0189501284867667 },
        { 0.0240908845891002, -0.0136295982884972 } } },
    { "yogi",
      NULL,
      { { 0.00990049998750062, -0.00995012499921875 },
        { 0.0223109815307092, -0.0189052374985156 },
        { 0.0240327978265775, -0.0135952824074783 } } },
    { "yogi", /* the squares fall, rest and rise */
      "optimiser/initial=4",
      { { 0.00050037567316278, -0.000999500249875062 },
        { 0.00120112107189021, -0.00189905047476262 },
        { 0.00133142291170328, -0.000732731305709854 } } },
    /* By hand: M is (1, -2), (1.5, -2); x = x + M + 2 D. */
    { "sega", "encoding/fraction=0.5", { { 2, -4 }, { 4, -6 }, { 3.5, 0 } } },
    /* By hand with mu gamma = 0.04, rho 1: s = 0.2, a = 1/6, b = 0.8, eta = 5. */
    { "accelerated",
      "optimiser/convexity=0.4",
      { { 1.66666666666667, -3.33333333333333 },
        { 2.94444444444444, -4.22222222222222 },
        { 1.79629629629630, 1.85185185185185 } } },
    { "adagrad",
      NULL,
      { { 0.0299700149999963, -0.0299850037499998 },
        { 0.0433744282315571, -0.0299850037499998 },
        { 0.0233877571204464, -0.00315818734918191 } } },
};

Test(optimisers, three_steps_lead_where_the_papers_say, .timeout = 5)
{
    const double updates[3][2] = { { 1, -2 }, { 0.5, 0 }, { -1, 4 } };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct cnv_optimiser_ops *ops = cnv_optimiser_find(paths[i].name);
        struct cnv_config *config = cnv_config_new();
        void *state = cnv_array_new(1, ops->state_size);
        double model[2] = { 0, 0 };

        if (paths[i].setting != NULL) {
            cr_assert_eq(cnv_config_assign(config, paths[i].setting, "test", NULL), CNV_OK);
        }
        cr_assert_eq(cnv_config_assign(config, "encoding/block=1", "test", NULL), CNV_OK);
        cr_assert_eq(ops->init(state, config, 2, NULL), CNV_OK);
        for (size_t round = 0; round < 3; round++) {
            struct cnv_apply_input input = { .count = 2, .base = model, .update = updates[round] };
            double out[2];

            ops->apply_slice(state, &input, out);
            ops->conclude(state, true);
            memcpy(model, out, sizeof(out));
            for (size_t j = 0; j < 2; j++) {
                cr_assert_float_eq(model[j],
                                   paths[i].models[round][j],
                                   1e-12,
                                   "%s, round %zu: %.15g",
                                   ops->name,
                                   round + 1,
                                   model[j]);
            }
        }
        ops->fini(state);
        cnv_free(state);
        cnv_config_destroy(config);
    }
}

Test(optimisers, a_state_that_cannot_be_is_refused, .timeout = 5)
{
    struct optimiser adam = optimiser_new(cnv_optimiser_find("adam"));
    double values[2 * LENGTH] = { 0 };
    uint8_t bytes[sizeof(values)];

    values[LENGTH] = -1; /* a mean of squares */
    memcpy(bytes, values, sizeof(values));
    cr_assert_eq(adam.ops->load(adam.state, bytes, sizeof(bytes), NULL), CNV_E_NOT_FINITE);
    values[LENGTH] = 1;
    values[0] = NAN;
    memcpy(bytes, values, sizeof(values));
    cr_assert_eq(adam.ops->load(adam.state, bytes, sizeof(bytes), NULL), CNV_E_NOT_FINITE);
    optimiser_destroy(&adam);
}
