/*
 * test_trainer.c - the trainer between a script of events and a solver that notes what it is asked.
 *
 * The registries of problems and solvers are this file's own: two solvers, "newton" and "giant",
 * with one state each.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "problem/problem.h"
#include "solver/solver.h"
#include "trainer/trainer.h"

enum { DIMENSION = 3, LOG_SIZE = 400 };

/* What happened, one word a call. */
static char calls[LOG_SIZE];
static uint64_t ahead; /* of the round begun last */
static double said_smoothness;
static double given_smoothness; /* to the solver made last */
static int lives;               /* solver states and problems that are alive */

CNV_PRINTF(1, 2) static void say(const char *format, ...)
{
    size_t at = strlen(calls);
    va_list args;

    va_start(args, format);
    (void) vsnprintf(calls + at, sizeof(calls) - at, format, args);
    va_end(args);
}

static void cr_assert_calls(const char *expected)
{
    cr_assert_str_eq(calls, expected);
    calls[0] = '\0';
}

/* --- A solver that notes ------------------------------------------------------------------- */

struct fake_solver {
    const char *name;
    struct cnv_solver_round round;
    double values[DIMENSION];
};

static enum cnv_status
fake_init(struct fake_solver *state, const char *name, const struct cnv_solver_setup *setup)
{
    cr_assert_eq(setup->seed, 9);
    cr_assert_eq(setup->shard, 2);
    given_smoothness = setup->smoothness;
    state->name = name;
    lives++;
    return CNV_OK;
}

static enum cnv_status
newton_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    (void) err;
    return fake_init(state, "newton", setup);
}

static enum cnv_status
giant_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    (void) err;
    return fake_init(state, "giant", setup);
}

static enum cnv_status
scaled_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    (void) err;
    return fake_init(state, "scaled", setup);
}

static void fake_fini(void *state)
{
    (void) state;
    lives--;
}

static void fake_begin(void *memory, const struct cnv_solver_round *round)
{
    struct fake_solver *state = memory;

    state->round = *round;
    ahead = round->ahead;
    say("begin-%s(%g) ", state->name, round->model[0]);
}

static enum cnv_status fake_step(void *memory, struct cnv_error *err)
{
    struct fake_solver *state = memory;

    if (state->round.model[0] < 0) {
        return cnv_fail(err, CNV_E_NUMERIC, "pivot 1 is negative");
    }
    say("step ");
    return CNV_OK;
}

static enum cnv_status fake_contribute(void *memory,
                                       const char *exchange,
                                       uint32_t index,
                                       struct cnv_solver_contribution *contribution,
                                       struct cnv_error *err)
{
    struct fake_solver *state = memory;

    (void) err;
    say("%s#%u ", exchange, index);
    state->values[0] = 0.5;
    contribution->values = state->values;
    contribution->length = DIMENSION;
    contribution->scalars[0] = 0.25;
    contribution->scalar_count = state->round.evaluate ? 1 : 0;
    return CNV_OK;
}

static void fake_settled(void *memory,
                         const char *exchange,
                         uint32_t index,
                         const struct cnv_solver_result *result)
{
    (void) memory;
    (void) index;
    say("settled-%s=%g ", exchange, result->values[0]);
}

static void fake_concluded(void *memory, bool counted)
{
    struct fake_solver *state = memory;

    say("concluded-%s(%d) ", state->name, counted);
}

static enum cnv_smoothness fake_asks(const struct cnv_config *config)
{
    return cnv_config_real(config, "solver/smoothness") > 0 ? CNV_SMOOTHNESS_NONE
                                                            : CNV_SMOOTHNESS_ROWS;
}

enum { SOLVERS = 3 };

static const struct cnv_solver_ops solvers[SOLVERS] = {
    { .name = "newton",
      .state_size = sizeof(struct fake_solver),
      .init = newton_init,
      .fini = fake_fini,
      .begin = fake_begin,
      .step = fake_step,
      .contribute = fake_contribute,
      .settled = fake_settled,
      .concluded = fake_concluded },
    { .name = "giant",
      .state_size = sizeof(struct fake_solver),
      .init = giant_init,
      .fini = fake_fini,
      .begin = fake_begin,
      .step = fake_step,
      .contribute = fake_contribute,
      .settled = fake_settled,
      .concluded = fake_concluded,
      .smoothness = fake_asks },
    { .name = "scaled",
      .state_size = sizeof(struct fake_solver),
      .settled_before_steps = 1,
      .init = scaled_init,
      .fini = fake_fini,
      .begin = fake_begin,
      .step = fake_step,
      .contribute = fake_contribute,
      .settled = fake_settled,
      .concluded = fake_concluded },
};

const struct cnv_solver_ops *cnv_solver_find(const char *name)
{
    for (size_t i = 0; i < SOLVERS; i++) {
        if (strcmp(solvers[i].name, name) == 0) {
            return &solvers[i];
        }
    }
    return NULL;
}

/* --- A problem and its data ---------------------------------------------------------------- */

static double fake_loss(void *state, const double *w, const struct cnv_batch *batch)
{
    (void) state;
    cr_assert_null(batch->rows);
    return 10 + w[0];
}

static double fake_score(const void *state, const double *w, const struct cnv_shard *data)
{
    (void) state;
    return w[0] + (double) data->rows;
}

static enum cnv_status
fake_smoothness(void *state, enum cnv_smoothness of, double *ret_smoothness, struct cnv_error *err)
{
    (void) state;
    (void) err;
    cr_assert_eq(of, CNV_SMOOTHNESS_ROWS);
    *ret_smoothness = 2.5;
    return CNV_OK;
}

static struct cnv_problem_ops problem_ops = { .name = "logistic",
                                              .is_classification = true,
                                              .loss = fake_loss,
                                              .score = fake_score,
                                              .smoothness = fake_smoothness };

const struct cnv_problem_ops *cnv_problem_find(const char *name)
{
    problem_ops.is_classification = strcmp(name, "logistic") == 0;
    problem_ops.name = name;
    return &problem_ops;
}

enum cnv_status cnv_problem_new(const char *name,
                                const struct cnv_problem_setup *setup,
                                struct cnv_problem **ret_problem,
                                struct cnv_error *err)
{
    (void) err;
    (void) name;
    cr_assert_eq(setup->features, 7);
    cr_assert_eq(setup->total_rows, 40);
    *ret_problem = cnv_object_new(struct cnv_problem);
    **ret_problem = (struct cnv_problem){ .ops = &problem_ops,
                                          .dimension = DIMENSION,
                                          .rows = setup->shard->rows };
    lives++;
    return CNV_OK;
}

void cnv_problem_destroy(struct cnv_problem *problem)
{
    lives -= problem == NULL ? 0 : 1;
    cnv_free(problem);
}

enum cnv_status cnv_shard_blank(struct cnv_shard **ret_shard, struct cnv_error *err)
{
    (void) ret_shard;
    return cnv_fail(err, CNV_E_NOMEM, "not here");
}

void cnv_shard_destroy(struct cnv_shard *shard)
{
    lives -= shard == NULL ? 0 : 1;
    cnv_free(shard);
}

bool cnv_shard_labels(const struct cnv_shard *shard, double *ret_labels, size_t *ret_count)
{
    ret_labels[0] = -1;
    ret_labels[1] = 1;
    *ret_count = 2;
    return shard->rows != 13;
}

/* --- The trainer's surroundings ------------------------------------------------------------ */

static size_t shard_rows = 20;
static bool has_test;
static double test_labels[100] = { 7, -1, 1, 8 }; /* the others are 0 */
static convene_contribution newest;
static convene_score score;

static enum cnv_status load(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err)
{
    (void) self;
    (void) err;
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 9, "the specification is overlaid first");
    cr_assert_eq(shard, 2);
    cr_assert_eq(shards, 4);
    *ret_shard = cnv_object_new(struct cnv_shard);
    (*ret_shard)->rows = shard_rows;
    (*ret_shard)->features = 5;
    lives++;
    if (has_test) {
        *ret_test = cnv_object_new(struct cnv_shard);
        (*ret_test)->rows = 100;
        (*ret_test)->labels = test_labels;
        lives++;
    }
    return CNV_OK;
}

static void on_loaded(void *self, const convene_data *data)
{
    (void) self;
    say("loaded%s:%g ", data->label_count == 2 ? "+labels" : "", (double) data->rows);
}

static void on_ready(void *self, uint64_t dimension, double smoothness)
{
    (void) self;
    said_smoothness = smoothness;
    say("ready:%d ", (int) dimension);
}

static void on_contribute(void *self, const convene_contribution *contribution)
{
    (void) self;
    newest = *contribution;
}

static void on_report(void *self, const convene_score *reported)
{
    (void) self;
    say("report:%g ", reported->value);
    score = *reported;
}

struct bench {
    struct cnv_config *config;
    struct cnv_trainer *trainer;
};

static struct bench bench_new(void)
{
    struct cnv_trainer_io io = { .load = load,
                                 .loaded = on_loaded,
                                 .ready = on_ready,
                                 .contribute = on_contribute,
                                 .report = on_report };
    struct bench bench = { .config = cnv_config_new() };

    cr_assert_eq(cnv_trainer_new(bench.config, &io, &bench.trainer, NULL), CNV_OK);
    return bench;
}

static void bench_end(struct bench *bench)
{
    cnv_trainer_destroy(bench->trainer);
    cnv_config_destroy(bench->config);
    cr_assert_eq(lives, 0, "%d objects are left", lives);
}

static enum cnv_status tell(struct bench *bench, const convene_event *event)
{
    return cnv_trainer_event(bench->trainer, event, NULL);
}

static void welcome(struct bench *bench)
{
    convene_event event = { .kind = CONVENE_WELCOME,
                            .spec = "run/seed=9\nproblem/kind=logistic\n",
                            .shard = 2,
                            .shards = 4 };

    cr_assert_eq(tell(bench, &event), CNV_OK);
}

static void shape(struct bench *bench)
{
    double labels[2] = { -1, 1 };
    convene_event event = {
        .kind = CONVENE_SHAPE, .features = 7, .labels = labels, .label_count = 2, .total_rows = 40
    };

    cr_assert_eq(tell(bench, &event), CNV_OK);
}

static enum cnv_status announce(
    struct bench *bench, uint64_t round, uint64_t attempt, const char *solver, const char *plan)
{
    double model[DIMENSION] = { (double) round };
    convene_event event = {
        .kind = CONVENE_ROUND,
        .round = round,
        .attempt = attempt,
        .version = round - 1,
        .iteration = round - 1,
        .local_steps = 2,
        .solver = solver,
        .plan = plan,
        .values = model,
        .length = DIMENSION,
        .width = 1,
    };

    return tell(bench, &event);
}

static void settle(struct bench *bench, uint64_t round, uint64_t attempt, uint32_t exchange)
{
    double values[DIMENSION] = { 8 };
    convene_event event = {
        .kind = CONVENE_SETTLED,
        .round = round,
        .attempt = attempt,
        .exchange = exchange,
        .values = values,
        .length = DIMENSION,
    };

    cr_assert_eq(tell(bench, &event), CNV_OK);
}

static void commit(struct bench *bench, uint64_t round, bool counted)
{
    convene_event event = { .kind = CONVENE_COMMIT, .round = round, .counted = counted };

    cr_assert_eq(tell(bench, &event), CNV_OK);
}

static void work(struct bench *bench)
{
    while (cnv_trainer_has_work(bench->trainer)) {
        cr_assert_eq(cnv_trainer_step(bench->trainer, NULL), CNV_OK);
    }
}

static struct bench member_new(void)
{
    struct bench bench = bench_new();

    welcome(&bench);
    shape(&bench);
    cr_assert_calls("loaded+labels:20 ready:3 ");
    return bench;
}

/* --- Claims -------------------------------------------------------------------------------- */

Test(trainer, steps_contributes_and_concludes, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_not(cnv_trainer_has_work(bench.trainer));
    cr_assert_eq(announce(&bench, 1, 1, "newton", "model"), CNV_OK);
    work(&bench);
    cr_assert_calls("begin-newton(1) step step model#0 ");
    cr_assert_eq(newest.round, 1);
    cr_assert_eq(newest.samples, 20);
    cr_assert_eq(newest.steps, 2);
    cr_assert_eq(newest.values[0], 0.5);
    commit(&bench, 1, true);
    cr_assert_calls("concluded-newton(1) ");
    bench_end(&bench);
}

Test(trainer, follows_the_plan_exchange_by_exchange, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "giant", "gradient,direction,loss,model"), CNV_OK);
    work(&bench);
    cr_assert_calls("begin-giant(1) step step gradient#0 ");
    settle(&bench, 1, 1, 0);
    settle(&bench, 1, 1, 0);
    settle(&bench, 2, 1, 1);
    cr_assert_calls("settled-gradient=8 ");
    work(&bench);
    cr_assert_calls("direction#1 ");
    cr_assert_eq(newest.exchange, 1);
    bench_end(&bench);
}

Test(trainer, takes_its_steps_once_what_they_need_has_settled, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "scaled", "scale,model"), CNV_OK);
    work(&bench);
    cr_assert_calls("begin-scaled(1) scale#0 ");
    settle(&bench, 1, 1, 0);
    work(&bench);
    cr_assert_calls("settled-scale=8 step step model#1 ");
    cr_assert_eq(newest.steps, 2);
    bench_end(&bench);
}

Test(trainer, a_settled_exchange_needs_no_contribution_of_ours, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "giant", "gradient,model"), CNV_OK);
    settle(&bench, 1, 1, 0);
    work(&bench);
    cr_assert_calls("begin-giant(1) settled-gradient=8 step step model#1 ");
    bench_end(&bench);
}

Test(trainer, a_new_attempt_begins_the_round_anew, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "giant", "gradient,model"), CNV_OK);
    cr_assert_eq(cnv_trainer_step(bench.trainer, NULL), CNV_OK);
    cr_assert_eq(announce(&bench, 1, 2, "giant", "gradient,model"), CNV_OK);
    work(&bench);
    cr_assert_calls("begin-giant(1) step begin-giant(1) step step gradient#0 ");
    settle(&bench, 1, 1, 0);
    cr_assert_not(cnv_trainer_has_work(bench.trainer), "that was of the attempt before");
    bench_end(&bench);
}

Test(trainer, keeps_each_solver_it_has_made, .timeout = 5)
{
    struct bench bench = member_new();

    for (uint64_t round = 1; round <= 4; round++) {
        cr_assert_eq(announce(&bench, round, 1, round % 2 == 0 ? "giant" : "newton", "model"),
                     CNV_OK);
        commit(&bench, round, true);
    }
    cr_assert_eq(lives, 4, "one shard, one problem, two solvers");
    cr_assert_eq(announce(&bench, 5, 1, "unheard-of", "model"), CNV_E_MISFIT);
    bench_end(&bench);
}

Test(trainer, what_was_not_counted_is_concluded_so, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "newton", "model"), CNV_OK);
    commit(&bench, 1, false);
    cr_assert_eq(announce(&bench, 2, 1, "newton", "model"), CNV_OK);
    commit(&bench, 4, true);
    cr_assert_eq(announce(&bench, 5, 1, "newton", "model"), CNV_OK);
    cr_assert_eq(announce(&bench, 6, 1, "newton", "model"), CNV_OK);
    cr_assert_calls("begin-newton(1) concluded-newton(0) begin-newton(2) concluded-newton(0) "
                    "begin-newton(5) concluded-newton(0) begin-newton(6) ");
    bench_end(&bench);
}

/* The run counts one step a round, this agent takes two. */
Test(trainer, minibatches_go_on_where_the_last_round_that_counted_ended, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "newton", "model"), CNV_OK);
    cr_assert_eq(ahead, 0);
    work(&bench);
    cr_assert_eq(announce(&bench, 1, 2, "newton", "model"), CNV_OK);
    cr_assert_eq(ahead, 0, "a round begun anew repeats its own");
    work(&bench);
    commit(&bench, 1, true);
    cr_assert_eq(announce(&bench, 2, 1, "newton", "model"), CNV_OK);
    cr_assert_eq(ahead, 1, "0 and 1 are used up, the run is at 1");
    work(&bench);
    commit(&bench, 2, false);
    cr_assert_eq(announce(&bench, 3, 1, "newton", "model"), CNV_OK);
    cr_assert_eq(ahead, 0, "2 and 3 did not count, the run is at 2");
    work(&bench);
    commit(&bench, 3, true);
    cr_assert_eq(announce(&bench, 4, 1, "newton", "model"), CNV_OK);
    cr_assert_eq(ahead, 1);
    bench_end(&bench);
}

Test(trainer, evaluation_reports_the_score_before_the_loss, .timeout = 5)
{
    has_test = true;
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 3, 1, "newton", "loss"), CNV_OK);
    work(&bench);
    cr_assert_calls("report:103 ");
    cr_assert_eq(score.version, 2);
    cr_assert_eq(score.rows, 100);
    cr_assert_eq(score.unknown, 98); /* the run knows -1 and 1 */
    cr_assert_not(score.is_error);
    cr_assert_null(newest.values);
    cr_assert_eq(newest.scalars[0], 13.0);
    cr_assert_eq(newest.scalar_count, 1);
    settle(&bench, 3, 1, 0);
    cr_assert_not(cnv_trainer_has_work(bench.trainer));
    bench_end(&bench);
}

Test(trainer, labels_are_told_only_where_they_are_classes, .timeout = 5)
{
    struct bench bench = bench_new();
    convene_event event = {
        .kind = CONVENE_WELCOME, .spec = "run/seed=9\nproblem/kind=ridge\n", .shard = 2, .shards = 4
    };
    struct cnv_error err = { 0 };

    cr_assert_eq(tell(&bench, &event), CNV_OK);
    cr_assert_calls("loaded:20 ");
    shard_rows = 13;
    event.spec = "run/seed=9\nproblem/kind=logistic\n";
    cr_assert_eq(cnv_trainer_event(bench.trainer, &event, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "logistic"));
    bench_end(&bench);
}

Test(trainer, another_run_starts_from_nothing, .timeout = 5)
{
    struct bench bench = member_new();

    cr_assert_eq(announce(&bench, 1, 1, "newton", "model"), CNV_OK);
    calls[0] = '\0';
    welcome(&bench);
    cr_assert_not(cnv_trainer_has_work(bench.trainer));
    shape(&bench);
    cr_assert_calls("loaded+labels:20 ready:3 ");
    cr_assert_eq(lives, 2);
    bench_end(&bench);
}

Test(trainer, failures_and_ends_come_out, .timeout = 5)
{
    struct bench bench = member_new();
    struct cnv_error err = { 0 };
    double model[DIMENSION] = { -1 };
    convene_event round = {
        .kind = CONVENE_ROUND,
        .round = 1,
        .attempt = 1,
        .local_steps = 1,
        .solver = "newton",
        .plan = "model",
        .values = model,
        .length = DIMENSION,
        .width = 1,
    };
    convene_event finished = { .kind = CONVENE_FINISHED, .exit_code = 1 };
    int exit_code = 0;

    cr_assert_eq(tell(&bench, &round), CNV_OK);
    cr_assert_eq(cnv_trainer_step(bench.trainer, &err), CNV_E_NUMERIC);
    cr_assert_str_eq(err.text, "pivot 1 is negative");
    cr_assert_not(cnv_trainer_is_over(bench.trainer, &exit_code));
    cr_assert_eq(tell(&bench, &finished), CNV_OK);
    cr_assert(cnv_trainer_is_over(bench.trainer, &exit_code));
    cr_assert_eq(exit_code, 1);
    cr_assert_not(cnv_trainer_has_work(bench.trainer));
    round.length = 2;
    bench_end(&bench);
}

/* What a shard says of its L, where the run has that solver. */
static double said_with(const char *spec)
{
    struct bench bench = bench_new();
    convene_event event = { .kind = CONVENE_WELCOME, .spec = spec, .shard = 2, .shards = 4 };

    cr_assert_eq(tell(&bench, &event), CNV_OK);
    shape(&bench);
    bench_end(&bench);
    return said_smoothness;
}

Test(trainer, says_how_smooth_its_shard_is_if_the_solver_asks, .timeout = 10)
{
    cr_assert_eq(said_with("run/seed=9\nproblem/kind=logistic\nsolver/kind=giant\n"), 2.5);
    cr_assert_eq(said_with("run/seed=9\nproblem/kind=logistic\nsolver/kind=newton\n"), 0);
    cr_assert_eq(said_with("run/seed=9\nproblem/kind=logistic\nsolver/kind=giant\n"
                           "solver/smoothness=4\n"),
                 0);
}

Test(trainer, gives_the_solver_what_the_run_says, .timeout = 10)
{
    struct bench bench = member_new();
    double model[DIMENSION] = { 1 };
    convene_event event = { .kind = CONVENE_ROUND,
                            .round = 1,
                            .attempt = 1,
                            .local_steps = 2,
                            .solver = "newton",
                            .plan = "model",
                            .values = model,
                            .length = DIMENSION,
                            .smoothness = 6 };

    cr_assert_eq(tell(&bench, &event), CNV_OK);
    cr_assert_eq(given_smoothness, 6);
    bench_end(&bench);
}
