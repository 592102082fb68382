/*
 * trainer.c - what an agent does with the events of a run.
 *
 *   WELCOME ─► overlay, load ─► loaded     SHAPE ─► problem ─► ready     ROUND ─► begin
 *   step: local steps, then one contribution for each exchange of the plan; SETTLED opens the next
 *         (after monitor, which may come again, there are more local steps before the next)
 *   COMMIT ─► concluded, the round is over
 *
 * What fails: a round begins anew (begin forgets the work in hand); the model moves on without us
 * (COMMIT, not counted; also after a refusal); another run welcomes us (all is loaded again).
 * Invariants: a solver's begin and concluded alternate, whatever comes; solvers are made when a
 * round first names them and live as long as the problem, so that their state outlives rounds.
 */
#include "trainer/trainer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "config/config.h"
#include "problem/problem.h"
#include "proto/plan.h"
#include "solver/solver.h"
#include "trainer/method.h"
#include "trainer/monitor.h"
#include "trainer/score.h"

enum { SOLVERS_MAX = 16, READING_SIZE = 640 };

struct engaged_solver {
    const struct cnv_solver_ops *ops;
    void *state;
};

struct cnv_trainer {
    struct cnv_config *config;
    struct cnv_trainer_io io;

    const struct cnv_problem_ops *kind;
    struct cnv_shard *shard;
    struct cnv_shard *test;
    uint32_t shard_number;
    uint64_t seed;              /* of the run */
    char reading[READING_SIZE]; /* how shard and test were read: the same again is not read anew */
    uint32_t name_crc;
    uint32_t stream;
    double *labels; /* [label_count] of the run */
    size_t label_count;
    struct cnv_problem *problem;
    struct engaged_solver solvers[SOLVERS_MAX]; /* that rounds have named so far */
    size_t solver_count;
    double *model; /* [2 x dimension] of the round in hand: version; and what is kept beside it */
    bool has_model;
    uint64_t drawn; /* minibatches below have been used in rounds that counted */
    struct cnv_monitor monitor;

    /* The round in hand. */
    bool is_active;  /* from ROUND to the end of its plan */
    bool is_waiting; /* for the exchange to settle */
    bool is_evaluation;
    struct engaged_solver *solver; /* begun and not concluded; NULL: none */
    struct cnv_plan plan;
    uint64_t round;
    uint64_t attempt;
    uint64_t version;
    uint64_t iteration;
    uint64_t ahead;
    uint32_t local_steps;
    uint32_t check_every;
    char monitor_kind[16];
    uint32_t steps;     /* taken */
    uint32_t steps_due; /* to be taken before the next contribution */
    uint32_t exchange;
    uint32_t place; /* of it in the plan */
    uint32_t looks; /* exchanges monitor before it, which solvers do not count */

    bool is_over;
    int exit_code;
};

static void forget_run(struct cnv_trainer *trainer)
{
    for (size_t i = 0; i < trainer->solver_count; i++) {
        trainer->solvers[i].ops->fini(trainer->solvers[i].state);
        cnv_free(trainer->solvers[i].state);
    }
    trainer->solver_count = 0;
    cnv_monitor_fini(&trainer->monitor);
    cnv_problem_destroy(trainer->problem);
    cnv_free(trainer->labels);
    cnv_free(trainer->model);
    trainer->problem = NULL;
    trainer->labels = NULL;
    trainer->model = NULL;
    trainer->solver = NULL;
    trainer->has_model = false;
    trainer->is_active = false;
    trainer->drawn = 0;
}

/* --- Joining ------------------------------------------------------------------------------- */

static void forget_data(struct cnv_trainer *trainer)
{
    cnv_shard_destroy(trainer->shard);
    cnv_shard_destroy(trainer->test);
    trainer->shard = NULL;
    trainer->test = NULL;
}

/* Reads the shard, unless it is what the run before read in the same way. */
static enum cnv_status
load_data(struct cnv_trainer *trainer, const convene_event *event, struct cnv_error *err)
{
    static const char *const keys[] = {
        "run/seed",    "data/shuffle", "data/shared", "data/scale",
        "data/labels", "data/missing", NULL,
    };
    char reading[READING_SIZE];
    size_t used = (size_t) snprintf(reading, sizeof(reading), "%u/%u", event->shard, event->shards);
    enum cnv_status status = CNV_OK;

    for (size_t i = 0; keys[i] != NULL && used < sizeof(reading); i++) {
        used += (size_t) snprintf(reading + used,
                                  sizeof(reading) - used,
                                  " %s",
                                  cnv_config_value(trainer->config, keys[i]));
    }
    if (trainer->shard != NULL && !trainer->kind->is_synthetic &&
        strcmp(trainer->reading, reading) == 0 && trainer->io.is_unchanged != NULL &&
        trainer->io.is_unchanged(trainer->io.self)) {
        return CNV_OK;
    }
    forget_data(trainer);
    trainer->reading[0] = '\0';
    if (trainer->kind->is_synthetic) {
        return cnv_shard_blank(&trainer->shard, err);
    }
    status = trainer->io.load(trainer->io.self,
                              trainer->config,
                              event->shard,
                              event->shards,
                              &trainer->shard,
                              &trainer->test,
                              err);
    if (status == CNV_OK) {
        memcpy(trainer->reading, reading, sizeof(reading));
    }
    return status;
}

static enum cnv_status
on_welcome(struct cnv_trainer *trainer, const convene_event *event, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    convene_data data = { 0 };
    double *labels = NULL;

    forget_run(trainer);
    status = cnv_config_overlay(trainer->config, event->spec, err);
    if (status != CNV_OK) {
        return status;
    }
    trainer->kind = cnv_problem_find(cnv_config_text(trainer->config, "problem/kind"));
    if (trainer->kind == NULL) {
        return cnv_method_unknown(
            "problem/kind", cnv_config_text(trainer->config, "problem/kind"), err);
    }
    if (cnv_solver_find(cnv_config_text(trainer->config, "solver/kind")) == NULL) {
        return cnv_method_unknown(
            "solver/kind", cnv_config_text(trainer->config, "solver/kind"), err);
    }
    trainer->shard_number = event->shard;
    trainer->seed = (uint64_t) cnv_config_integer(trainer->config, "run/seed");
    /* Any number of agents may hold shard 1 of 1. */
    trainer->stream = event->shards > 1 ? event->shard : trainer->name_crc;
    status = load_data(trainer, event, err);
    if (status != CNV_OK) {
        return status;
    }
    data.rows = trainer->shard->rows;
    data.features = trainer->shard->features;
    if (trainer->kind->is_classification) {
        labels = cnv_array_new(CNV_LABELS_MAX, sizeof(*labels));
        if (labels == NULL) {
            return cnv_fail(err, CNV_E_NOMEM, "labels of the shard");
        }
        if (!cnv_shard_labels(trainer->shard, labels, &data.label_count)) {
            cnv_free(labels);
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "problem/kind=%s needs at most %d distinct finite labels, the data "
                            "has others",
                            trainer->kind->name,
                            CNV_LABELS_MAX);
        }
        data.labels = labels;
    }
    trainer->io.loaded(trainer->io.self, &data);
    cnv_free(labels);
    return CNV_OK;
}

static enum cnv_status
on_shape(struct cnv_trainer *trainer, const convene_event *event, struct cnv_error *err)
{
    struct cnv_problem_setup setup = {
        .config = trainer->config,
        .shard = trainer->shard,
        .features = (size_t) event->features,
        .classes = event->label_count,
        .total_rows = event->total_rows,
        .stream = trainer->stream,
    };
    enum cnv_status status = CNV_OK;
    double smoothness = 0;

    if (trainer->shard == NULL || trainer->problem != NULL) {
        return CNV_OK;
    }
    if (event->label_count > 0) {
        trainer->labels = cnv_array_new(event->label_count, sizeof(*trainer->labels));
        if (trainer->labels == NULL) {
            return cnv_fail(err, CNV_E_NOMEM, "label map of the run");
        }
        memcpy(trainer->labels, event->labels, event->label_count * sizeof(*trainer->labels));
        trainer->label_count = event->label_count;
        setup.labels = trainer->labels;
    }
    status = cnv_problem_new(trainer->kind->name, &setup, &trainer->problem, err);
    if (status != CNV_OK) {
        return status;
    }
    if (trainer->problem->dimension == 0) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "no row of the run has a feature: problem/intercept=true would learn a constant");
    }
    trainer->model = cnv_array_new(trainer->problem->dimension, 2 * sizeof(*trainer->model));
    if (trainer->model == NULL ||
        !cnv_monitor_init(&trainer->monitor, trainer->problem->dimension)) {
        return cnv_fail(err, CNV_E_NOMEM, "model of %zu coordinates", trainer->problem->dimension);
    }
    status = cnv_method_smoothness(trainer->config, trainer->problem, &smoothness, err);
    if (status == CNV_OK) {
        trainer->io.ready(trainer->io.self, trainer->problem->dimension, smoothness);
    }
    return status;
}

/* --- A round ------------------------------------------------------------------------------- */

static const char *current_exchange(const struct cnv_trainer *trainer)
{
    return trainer->plan.names[trainer->place];
}

/* How many local steps lie before the exchange that comes next. */
static void set_steps_due(struct cnv_trainer *trainer)
{
    uint64_t steps = ((uint64_t) trainer->exchange + 1) * trainer->check_every;

    if (trainer->solver != NULL && trainer->plan.count > 1 &&
        trainer->exchange < trainer->solver->ops->settled_before_steps) {
        trainer->steps_due = 0;
    } else if (strcmp(current_exchange(trainer), "monitor") == 0) {
        trainer->steps_due = steps < trainer->local_steps ? (uint32_t) steps : trainer->local_steps;
    } else if (trainer->check_every == 0) {
        trainer->steps_due = trainer->local_steps;
    } /* else the models are averaged as they are */
}

/* Takes the round's model over; from the one before it learns how the model moves. */
static void take_model(struct cnv_trainer *trainer, const convene_event *event)
{
    if (!trainer->has_model || event->version != trainer->version) {
        bool is_next = trainer->has_model && event->version == trainer->version + 1;

        cnv_monitor_moved(&trainer->monitor, is_next ? trainer->model : NULL, event->values);
    }
    trainer->has_model = true;
    memcpy(trainer->model, event->values, event->width * event->length * sizeof(*trainer->model));
}

/* The solver of the round, made if no round has named it yet. */
static enum cnv_status find_solver(struct cnv_trainer *trainer,
                                   const convene_event *event,
                                   struct engaged_solver **ret_solver,
                                   struct cnv_error *err)
{
    for (size_t i = 0; i < trainer->solver_count; i++) {
        if (strcmp(trainer->solvers[i].ops->name, event->solver) == 0) {
            *ret_solver = &trainer->solvers[i];
            return CNV_OK;
        }
    }
    struct engaged_solver solver = { .ops = cnv_solver_find(event->solver) };
    struct cnv_solver_setup setup = {
        .config = trainer->config,
        .smoothness = event->smoothness,
        .problem = trainer->problem,
        .seed = trainer->seed,
        .shard = trainer->shard_number,
        .stream = trainer->stream,
    };
    if (solver.ops == NULL || trainer->solver_count == SOLVERS_MAX) {
        return cnv_method_unknown("solver", event->solver, err);
    }
    solver.state = cnv_array_new(1, solver.ops->state_size);
    if (solver.state == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "solver %s", event->solver);
    }
    enum cnv_status status = solver.ops->init(solver.state, &setup, err);
    if (status != CNV_OK) {
        solver.ops->fini(solver.state);
        cnv_free(solver.state);
        return status;
    }
    trainer->solvers[trainer->solver_count] = solver;
    *ret_solver = &trainer->solvers[trainer->solver_count++];
    return CNV_OK;
}

static void conclude(struct cnv_trainer *trainer, bool counted)
{
    if (trainer->solver != NULL) {
        trainer->solver->ops->concluded(trainer->solver->state, counted);
        if (counted) {
            trainer->drawn = trainer->iteration + trainer->ahead + trainer->steps;
        }
    }
    trainer->solver = NULL;
    trainer->is_active = false;
}

static enum cnv_status
on_round(struct cnv_trainer *trainer, const convene_event *event, struct cnv_error *err)
{
    struct engaged_solver *solver = NULL;

    if (trainer->problem == NULL || event->length != trainer->problem->dimension ||
        event->width > 2 || !cnv_plan_parse(event->plan, &trainer->plan)) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "round %" PRIu64 " (%zu coordinates, plan %s) does not fit this agent",
                        event->round,
                        event->length,
                        event->plan);
    }
    bool is_evaluation = strcmp(event->plan, CNV_PLAN_EVALUATE) == 0;
    if (!is_evaluation) {
        enum cnv_status status = find_solver(trainer, event, &solver, err);
        if (solver == NULL) {
            return status;
        }
        if (solver->ops->plan != NULL && strcmp(solver->ops->plan, event->plan) != 0) {
            return cnv_fail(err,
                            CNV_E_MISFIT,
                            "solver %s has the exchanges %s, the run %s: set solver/plan=%s on the "
                            "server",
                            event->solver,
                            solver->ops->plan,
                            event->plan,
                            solver->ops->plan);
        }
    }
    /* A round begun anew by the same solver is forgotten by its begin. */
    if (solver != trainer->solver || event->round != trainer->round) {
        conclude(trainer, false);
    }
    take_model(trainer, event);
    trainer->solver = solver;
    trainer->round = event->round;
    trainer->attempt = event->attempt;
    trainer->version = event->version;
    trainer->iteration = event->iteration;
    trainer->ahead = trainer->drawn > event->iteration ? trainer->drawn - event->iteration : 0;
    trainer->local_steps = is_evaluation ? 0 : event->local_steps;
    trainer->check_every = event->check_every;
    (void) snprintf(trainer->monitor_kind, sizeof(trainer->monitor_kind), "%s", event->monitor);
    trainer->steps = 0;
    trainer->exchange = 0;
    trainer->place = 0;
    trainer->looks = 0;
    set_steps_due(trainer);
    trainer->is_evaluation = is_evaluation;
    trainer->is_waiting = false;
    trainer->is_active = true;
    if (solver != NULL) {
        struct cnv_solver_round round = {
            .model = trainer->model,
            .iteration = event->iteration,
            .ahead = trainer->ahead,
            .local_steps = event->local_steps,
            .evaluate = event->evaluate,
            .beside = event->width > 1 ? trainer->model + event->length : NULL,
        };

        solver->ops->begin(solver->state, &round);
    }
    return CNV_OK;
}

static void on_settled(struct cnv_trainer *trainer, const convene_event *event)
{
    struct cnv_solver_result result = {
        .values = event->values,
        .length = event->length,
        .scalars = event->scalars,
        .scalar_count = event->scalar_count,
    };

    if (!trainer->is_active || event->round != trainer->round ||
        event->attempt != trainer->attempt || event->exchange != trainer->exchange) {
        return;
    }
    if (trainer->solver != NULL) {
        trainer->solver->ops->settled(trainer->solver->state,
                                      current_exchange(trainer),
                                      trainer->exchange - trainer->looks,
                                      &result);
    }
    trainer->exchange++;
    trainer->looks += strcmp(current_exchange(trainer), "monitor") == 0;
    trainer->place += event->again ? 0 : 1;
    trainer->is_waiting = false;
    if (trainer->place == trainer->plan.count) {
        trainer->is_active = false;
    } else {
        set_steps_due(trainer);
    }
}

enum cnv_status
cnv_trainer_event(struct cnv_trainer *trainer, const convene_event *event, struct cnv_error *err)
{
    if (trainer->is_over) {
        return CNV_OK;
    }
    switch (event->kind) {
    case CONVENE_WELCOME:
        return on_welcome(trainer, event, err);
    case CONVENE_SHAPE:
        return on_shape(trainer, event, err);
    case CONVENE_ROUND:
        return on_round(trainer, event, err);
    case CONVENE_SETTLED:
        on_settled(trainer, event);
        break;
    case CONVENE_COMMIT:
        /* Where nobody is waited for, what counted is in the version of a later round. */
        conclude(trainer, event->counted && trainer->is_waiting && event->round >= trainer->round);
        break;
    case CONVENE_FINISHED:
        trainer->is_over = true;
        trainer->exit_code = event->exit_code;
        break;
    case CONVENE_ENDED: /* the shard stays: the next run may want the same */
        conclude(trainer, false);
        break;
    case CONVENE_LOST:
        trainer->is_over = true;
        trainer->exit_code = (int) event->result;
        break;
    case CONVENE_REFUSED_CONTRIBUTION: /* the commit follows, without us */
    default:
        break;
    }
    return CNV_OK;
}

/* --- Work ---------------------------------------------------------------------------------- */

bool cnv_trainer_has_work(const struct cnv_trainer *trainer)
{
    return !trainer->is_over && trainer->is_active && !trainer->is_waiting;
}

static void evaluate(struct cnv_trainer *trainer, convene_contribution *contribution)
{
    const struct cnv_problem_ops *ops = trainer->problem->ops;
    struct cnv_batch all = { .rows = NULL, .count = trainer->problem->rows };

    if (trainer->test != NULL) {
        convene_score score = cnv_score_make(
            trainer->problem, trainer->model, trainer->test, trainer->labels, trainer->label_count);

        score.version = trainer->version;
        trainer->io.report(trainer->io.self, &score);
    }
    contribution->scalars[0] = ops->loss(trainer->problem->state, trainer->model, &all);
    contribution->scalar_count = 1;
}

static enum cnv_status contribute(struct cnv_trainer *trainer, struct cnv_error *err)
{
    convene_contribution contribution = {
        .round = trainer->round,
        .attempt = trainer->attempt,
        .exchange = trainer->exchange,
        .samples = trainer->problem->rows,
        .steps = trainer->steps,
    };

    if (trainer->is_evaluation) {
        evaluate(trainer, &contribution);
    } else {
        struct cnv_solver_contribution computed = { 0 };
        enum cnv_status status =
            trainer->solver->ops->contribute(trainer->solver->state,
                                             current_exchange(trainer),
                                             trainer->exchange - trainer->looks,
                                             &computed,
                                             err);
        if (status != CNV_OK) {
            return status;
        }
        contribution.values = computed.values;
        contribution.length = computed.length;
        contribution.width = computed.width;
        contribution.blocks = computed.blocks;
        contribution.block_count = computed.block_count;
        contribution.block = computed.block;
        contribution.is_scaled = computed.is_scaled;
        contribution.factor = computed.factor;
        contribution.reference = computed.reference;
        contribution.scalar_count = computed.scalar_count;
        memcpy(contribution.scalars, computed.scalars, sizeof(contribution.scalars));
        if (strcmp(current_exchange(trainer), "monitor") == 0 &&
            (computed.values == NULL || !cnv_monitor_tell(&trainer->monitor,
                                                          trainer->monitor_kind,
                                                          trainer->seed,
                                                          computed.values,
                                                          &contribution))) {
            return cnv_fail(
                err, CNV_E_MISFIT, "monitor %s is not known here", trainer->monitor_kind);
        }
    }
    trainer->is_waiting = true;
    trainer->io.contribute(trainer->io.self, &contribution);
    return CNV_OK;
}

enum cnv_status cnv_trainer_step(struct cnv_trainer *trainer, struct cnv_error *err)
{
    if (!cnv_trainer_has_work(trainer)) {
        return CNV_OK;
    }
    if (trainer->steps < trainer->steps_due) {
        trainer->steps++;
        return trainer->solver->ops->step(trainer->solver->state, err);
    }
    return contribute(trainer, err);
}

bool cnv_trainer_is_over(const struct cnv_trainer *trainer, int *ret_exit_code)
{
    if (trainer->is_over) {
        *ret_exit_code = trainer->exit_code;
    }
    return trainer->is_over;
}

/* --- Life ---------------------------------------------------------------------------------- */

enum cnv_status cnv_trainer_new(struct cnv_config *config,
                                const struct cnv_trainer_io *io,
                                struct cnv_trainer **ret_trainer,
                                struct cnv_error *err)
{
    struct cnv_trainer *trainer = cnv_object_new(struct cnv_trainer);

    if (trainer == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "trainer");
    }
    trainer->config = config;
    trainer->io = *io;
    trainer->io.name = NULL;
    trainer->name_crc =
        io->name == NULL ? 0 : cnv_crc32c(0, (const uint8_t *) io->name, strlen(io->name));
    *ret_trainer = trainer;
    return CNV_OK;
}

void cnv_trainer_destroy(struct cnv_trainer *trainer)
{
    if (trainer != NULL) {
        forget_run(trainer);
        forget_data(trainer);
        cnv_free(trainer);
    }
}
