/* test_optimisers.c - what every server optimiser must hold (conformance). */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "optimiser/optimiser.h"

enum { LENGTH = 40, SLICE = 8, AGENTS = 3, ROWS = 7, WIDTH = 3 };

struct optimiser {
    const struct cnv_optimiser_ops *ops;
    struct cnv_config *config;
    void *state;
};

static struct optimiser optimiser_new(const struct cnv_optimiser_ops *ops)
{
    struct optimiser optimiser = { .ops = ops, .config = cnv_config_new() };

    optimiser.state = cnv_array_new(1, ops->state_size);
    if (ops->table != NULL) {
        cr_assert_eq(cnv_config_assign(optimiser.config, "run/agents=3", "test", NULL), CNV_OK);
    }
    cr_assert_eq(ops->init(optimiser.state, optimiser.config, LENGTH, NULL), CNV_OK);
    if (ops->table != NULL) {
        struct cnv_table_setup setup = { optimiser.config, LENGTH, LENGTH / SLICE, ROWS };

        cr_assert_eq(ops->table->reserve(optimiser.state, &setup, NULL), CNV_OK);
    }
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

/* What a table makes of three agents: the second sends all of the slice, the others a part of it,
 * and in every other round the third is not there. */
static void look_up(struct optimiser *optimiser, unsigned round, size_t first, double *update)
{
    const struct cnv_table_ops *table = optimiser->ops->table;
    static const size_t parts[AGENTS][2] = { { 0, 3 }, { 0, SLICE }, { 5, 2 } };
    size_t agents = AGENTS - round % 2;
    uint64_t rows[AGENTS];
    double values[SLICE];

    table->rows(optimiser->state, round, rows);
    cr_assert_eq(table->open_slice(optimiser->state, first / SLICE, first, SLICE, 13), CNV_OK);
    memset(update, 0, SLICE * sizeof(*update));
    for (size_t i = 0; i < agents; i++) {
        struct cnv_table_piece piece = { .row = rows[i],
                                         .weight = 1.0 / AGENTS,
                                         .slice = first / SLICE,
                                         .first = first + parts[i][0],
                                         .count = parts[i][1],
                                         .values = values };

        for (size_t j = 0; j < piece.count; j++) {
            values[j] = cos((double) (piece.first + j + 5 * i + 11 * round));
        }
        table->take(optimiser->state, &piece, update + parts[i][0]);
    }
}

static struct cnv_width width_of(const struct optimiser *optimiser)
{
    return optimiser->ops->width == NULL ? (struct cnv_width){ 1, 1, 1 }
                                         : optimiser->ops->width(optimiser->state);
}

/* Applies round `round`'s update in slices, last one first; commits it or not. out: the model. */
static void apply(struct optimiser *optimiser, unsigned round, bool is_kept, double *out)
{
    struct cnv_width width = width_of(optimiser);
    double base[WIDTH * LENGTH];
    double update[WIDTH * LENGTH];
    double result[WIDTH * LENGTH];

    for (size_t j = 0; j < LENGTH * width.kept; j++) {
        base[j] = (double) j;
    }
    for (size_t j = 0; j < LENGTH * width.merged; j++) {
        update[j] = sin((double) (j + 7 * round));
    }
    for (size_t end = LENGTH; end > 0; end -= SLICE) {
        size_t first = end - SLICE;
        struct cnv_apply_input input = { .first = first,
                                         .count = SLICE,
                                         .version = round,
                                         .base = base + first * width.kept,
                                         .update = update + first * width.merged };

        if (optimiser->ops->table != NULL) {
            look_up(optimiser, round, first, update + first);
        }
        optimiser->ops->apply_slice(optimiser->state, &input, result + first * width.kept);
    }
    for (size_t j = 0; j < LENGTH; j++) {
        out[j] = result[j * width.kept];
    }
    if (optimiser->ops->conclude != NULL) {
        optimiser->ops->conclude(optimiser->state, is_kept);
    }
}

Test(optimisers, no_vector_is_wider_than_what_is_merged, .timeout = 5)
{
    for (size_t i = 0; cnv_optimiser_at(i) != NULL; i++) {
        struct optimiser one = optimiser_new(cnv_optimiser_at(i));
        struct cnv_width width = width_of(&one);

        cr_assert_eq(one.ops->width == NULL, one.ops->widen == NULL);
        cr_assert_leq(width.merged, WIDTH);
        cr_assert(width.offered >= 1 && width.offered <= width.merged);
        cr_assert(width.kept >= 1 && width.kept <= width.merged);
        cr_assert_eq(width.kept & (width.kept - 1), 0, "slices are cut into equal parts");
        optimiser_destroy(&one);
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

/* --- Tables --------------------------------------------------------------------------------- */

/* Two agents in two dimensions with a block each, in turn; what they send and where it leads. */
struct told {
    size_t agents; /* 1: the second is not there */
    size_t at[2];
    double value[2];
    double model[2];
};

static void check_told(const char *name,
                       const char *const *settings,
                       uint64_t rows,
                       const struct told *told,
                       size_t rounds)
{
    const struct cnv_optimiser_ops *ops = cnv_optimiser_find(name);
    struct cnv_config *config = cnv_config_new();
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_table_setup setup = { config, 2, 1, rows };
    double model[2] = { 0, 0 };

    for (size_t i = 0; settings[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(config, settings[i], "test", NULL), CNV_OK);
    }
    cr_assert_eq(ops->init(state, config, 2, NULL), CNV_OK);
    cr_assert_eq(ops->table->reserve(state, &setup, NULL), CNV_OK);
    for (size_t round = 0; round < rounds; round++) {
        double update[2] = { 0, 0 };
        double out[2];
        uint64_t row[2];
        struct cnv_apply_input input = { .count = 2, .base = model, .update = update };

        ops->table->rows(state, round, row);
        cr_assert_eq(ops->table->open_slice(state, 0, 0, 2, told[round].agents), CNV_OK);
        for (size_t i = 0; i < told[round].agents; i++) {
            struct cnv_table_piece piece = { .row = row[i],
                                             .weight = 0.5,
                                             .first = told[round].at[i],
                                             .count = 1,
                                             .values = &told[round].value[i] };

            ops->table->take(state, &piece, update + piece.first);
        }
        ops->apply_slice(state, &input, out);
        ops->conclude(state, true);
        memcpy(model, out, sizeof(out));
        for (size_t j = 0; j < 2; j++) {
            cr_assert_float_eq(model[j],
                               told[round].model[j],
                               1e-12,
                               "%s, round %zu: %.15g",
                               name,
                               round + 1,
                               model[j]);
        }
    }
    ops->fini(state);
    cnv_free(state);
    cnv_config_destroy(config);
}

/* By hand, tau = 1/2: Delta is what was sent less the row, D its sum over all agents by halves,
 * x = x + M + 2 D. After round 1 the rows are (4, 0), (0, -2), M (2, -1); round 2: D = (1, 3), M
 * (3, 2); round 3, one alone: D = (-2, 0); round 4, both at the first coordinate: D = (1 + 1, 0)
 * from rows (2, 0), (0, 4) with (0, 0) in between. */
Test(optimisers, sega_table_is_algorithm_2_with_the_rows_on_the_server, .timeout = 5)
{
    static const struct told told[] = {
        { 2, { 0, 1 }, { 4, -2 }, { 4, -2 } },
        { 2, { 0, 1 }, { 6, 4 }, { 4 + 2 + 2, -2 - 1 + 6 } },
        { 1, { 0 }, { 2 }, { 8 + 3 - 4, 3 + 2 } },
        { 2, { 0, 0 }, { 4, 2 }, { 7 + 1 + 4, 5 + 2 } },
    };
    static const char *const settings[] = {
        "run/agents=2", "encoding/block=1", "encoding/fraction=0.5", NULL
    };

    check_told("sega-table", settings, 9, told, sizeof(told) / sizeof(told[0]));
}

/* By hand with two rows, of which both are told each round, in whatever order they are
 * drawn. D is what was sent less the row, x = x + the halves of D + abar on the blocks
 * sent, abar = abar + the halves of D. Both agents say the same of the same coordinate: rows (4,
 * 0), abar (4, 0); D 2, abar (6, 0); then one agent alone, of the other coordinate: D 8, x_2 = 0 +
 * (8 + 0) / 2, abar (6, 4). In the last round D is 0 twice in the first coordinate: x_1 = 10 + 6.
 */
Test(optimisers, saga_table_is_algorithm_4, .timeout = 5)
{
    static const struct told told[] = {
        { 2, { 0, 0 }, { 4, 4 }, { 4, 0 } },
        { 2, { 0, 0 }, { 6, 6 }, { 4 + 2 + 4, 0 } },
        { 1, { 1 }, { 8 }, { 10, 4 } },
        { 2, { 0, 0 }, { 6, 6 }, { 10 + 6, 4 } },
    };
    static const char *const settings[] = { "run/agents=2", NULL };

    check_told("saga-table", settings, 2, told, sizeof(told) / sizeof(told[0]));
}

/* Three rows, one agent: the mean is over the rows of the data, not over the agents. */
Test(optimisers, the_mean_of_saga_table_is_over_the_rows, .timeout = 5)
{
    const struct cnv_optimiser_ops *ops = cnv_optimiser_find("saga-table");
    struct cnv_config *config = cnv_config_new();
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_table_setup setup = { config, 1, 1, 3 };
    double rows_said[3] = { 0 };
    double mean = 0;
    double x = 0;

    cr_assert_eq(ops->init(state, config, 1, NULL), CNV_OK);
    cr_assert_eq(ops->table->reserve(state, &setup, NULL), CNV_OK);
    for (uint64_t t = 0; t < 20; t++) {
        double value = (double) (t * t % 7);
        double update = 0;
        double out = 0;
        struct cnv_table_piece piece = { .weight = 1, .count = 1, .values = &value };
        struct cnv_apply_input input = { .count = 1, .base = &x, .update = &update };

        ops->table->rows(state, t, &piece.row);
        cr_assert_lt(piece.row, 3);
        cr_assert_eq(ops->table->open_slice(state, 0, 0, 1, 1), CNV_OK);
        ops->table->take(state, &piece, &update);
        ops->apply_slice(state, &input, &out);
        ops->conclude(state, true);
        double expected = x + value - rows_said[piece.row] + mean;
        mean += (value - rows_said[piece.row]) / 3;
        rows_said[piece.row] = value;
        cr_assert_float_eq(out, expected, 1e-12);
        x = out;
    }
    ops->fini(state);
    cnv_free(state);
    cnv_config_destroy(config);
}

Test(optimisers, a_table_that_is_too_large_is_refused_in_words, .timeout = 5)
{
    for (size_t i = 0; cnv_optimiser_at(i) != NULL; i++) {
        const struct cnv_optimiser_ops *ops = cnv_optimiser_at(i);
        struct cnv_config *config = cnv_config_new();
        void *state = cnv_array_new(1, ops->state_size);
        struct cnv_error err = { .text = "" };

        cr_assert_eq(cnv_config_assign(config, "run/agents=3", "test", NULL), CNV_OK);
        cr_assert_eq(cnv_config_assign(config, "limits/table=959", "test", NULL), CNV_OK);
        cr_assert_eq(ops->init(state, config, LENGTH, NULL), CNV_OK);
        if (ops->table != NULL) {
            struct cnv_table_setup setup = { config, LENGTH, 1, ROWS };

            cr_assert_eq(ops->table->reserve(state, &setup, &err), CNV_E_INPUT);
            cr_assert_not_null(strstr(err.text, "limits/table allows 959"), "%s", err.text);
            setup.dimension = SIZE_MAX / 2;
            cr_assert_eq(ops->table->reserve(state, &setup, &err), CNV_E_INPUT);
        }
        if (ops->fini != NULL) {
            ops->fini(state);
        }
        cnv_free(state);
        cnv_config_destroy(config);
    }
}
