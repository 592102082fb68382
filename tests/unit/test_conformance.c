/*
 * Every policy, server optimiser, aggregator and encoding on every problem, in whole runs through
 * engine, session, trainer and codecs: what it makes is finite and downhill, and with one agent it
 * is the serial algorithm to the last bit. New entries of the registries are covered as they are.
 *
 * Solvers on problems are in test_solvers.c and test_serial.c; what is saved and loaded at any
 * point in test_policies.c and test_optimisers.c.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/blob.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cluster.h"
#include "config/config.h"
#include "encodings/encoding.h"
#include "engine/engine.h"
#include "fit.h"
#include "num/num.h"
#include "num/vector.h"
#include "optimiser/optimiser.h"
#include "policy/policy.h"
#include "proto/vector.h"
#include "sim/sim.h"
#include "synthetic.h"
#include "with_plugins.h"

TestSuite(conformance, .init = with_plugins);

enum { FEATURES = 12, ROWS = 300, ROUNDS_MAX = 400, AGENTS = 3, LIMIT_MS = 1000000 };

/* One run: that method in that place, on that problem. */
struct subject {
    const char *key; /* "policy/kind" */
    const char *method;
    const char *solver;
    const char *problem;
    size_t agents;
};

static const char *text_of(const struct subject *subject)
{
    static char text[128];

    (void) snprintf(text,
                    sizeof(text),
                    "%s=%s, %s on %s, %zu agents",
                    subject->key,
                    subject->method,
                    subject->solver,
                    subject->problem,
                    subject->agents);
    return text;
}

static struct cnv_shard *shard_of(const struct subject *subject, size_t k)
{
    const struct cnv_problem_ops *ops = cnv_problem_find(subject->problem);
    struct synthetic how = { .rows = ops->is_synthetic ? 1 : ROWS, /* as the trainer has it */
                             .features = FEATURES,
                             .density = 0.5,
                             .classes = fit_classes(ops),
                             .noise = 0.5,
                             .seed = 3 };
    struct cnv_shard *whole = synthetic_shard(&how);

    if (ops->is_synthetic) {
        return whole;
    }
    struct cnv_shard *part =
        synthetic_part(whole, ROWS * k / subject->agents, ROWS * (k + 1) / subject->agents);
    synthetic_destroy(whole);
    return part;
}

static enum cnv_status load(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err)
{
    (void) config;
    (void) shards;
    (void) err;
    *ret_shard = shard_of(self, shard - 1);
    *ret_test = NULL;
    return CNV_OK;
}

static void set(struct cnv_config *config, const char *path, const char *value)
{
    struct cnv_error err;

    cr_assert_eq(cnv_config_set(config, path, value, "test", &err), CNV_OK, "%s", err.text);
}

/* The agents that run without a server, with the settings of the run. */
static struct cluster *cluster_of(const struct subject *subject)
{
    static const char *const settings[] = { "problem/l2=0.01",      "problem/intercept=true",
                                            "solver/step=0.1",      "solver/batch=20",
                                            "solver/momentum=0.5",  "run/start=random",
                                            "run/rounds=12",        "run/start-scale=0.3",
                                            "policy/local-steps=3", NULL };
    struct cnv_shard *shards[AGENTS];
    char number[24];

    for (size_t k = 0; k < subject->agents; k++) {
        shards[k] = shard_of(subject, k);
    }
    struct cluster *cluster = cluster_new(subject->problem, settings, shards, subject->agents);
    set(cluster->config, "solver/kind", subject->solver);
    set(cluster->config, "problem/kind", subject->problem);
    fit_settings(cluster->config, subject->solver);
    fit_settings(cluster->config, subject->method);
    (void) snprintf(number, sizeof(number), "%zu", subject->agents);
    set(cluster->config, "run/agents", number);
    set(cluster->config, subject->key, subject->method);
    if (cnv_config_integer(cluster->config, "run/iterations") > 0) {
        set(cluster->config, "run/rounds", "0");
    }
    return cluster;
}

/* --- With a server ------------------------------------------------------------------------ */

struct outcome {
    bool is_meant; /* false: refused, in words */
    char solvers[ROUNDS_MAX][CNV_SOLVER_NAME_SIZE];
    uint32_t local_steps[ROUNDS_MAX];
    size_t rounds;
    double *model; /* [dimension] */
};

/* When the round begins: near its end there is a decision about the next. */
static void note_solver(const struct cnv_engine *engine, struct outcome *outcome)
{
    struct cnv_engine_view view;

    cnv_engine_view(engine, &view);
    if (view.version < ROUNDS_MAX && outcome->solvers[view.version][0] == '\0') {
        (void) snprintf(outcome->solvers[view.version], CNV_SOLVER_NAME_SIZE, "%s", view.solver);
    }
}

static void read_outcome(const struct cnv_engine *engine, struct outcome *outcome)
{
    struct cnv_engine_view view;
    struct cnv_round_row row;

    cnv_engine_view(engine, &view);
    outcome->rounds = view.version;
    cr_assert_leq(outcome->rounds, ROUNDS_MAX);
    for (size_t i = 0; i < outcome->rounds; i++) {
        cnv_engine_row(engine, i, &row);
        outcome->local_steps[i] = row.local_steps;
    }
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(view.model_encoding);
    uint8_t *bytes = cnv_array_new(view.dimension, sizeof(double));

    cnv_vector_first(
        cnv_blob_data(view.model), view.dimension, view.model_width, encoding->size(1), bytes);
    outcome->model = cnv_array_new(view.dimension, sizeof(double));
    encoding->decode(bytes, view.dimension, NULL, outcome->model);
    cnv_free(bytes);
}

static struct outcome run(struct subject *subject, const struct cnv_config *config)
{
    struct cnv_sim_setup setup = { .config = config, .seed = 1, .self = subject, .load = load };
    struct outcome outcome = { .is_meant = cnv_config_check(config, NULL) == CNV_OK };
    struct cnv_sim *sim = NULL;
    struct cnv_error err = { .text = "" };
    enum cnv_status status = CNV_OK;
    bool is_more = true;

    if (!outcome.is_meant) {
        return outcome;
    }
    cr_assert_eq(cnv_sim_new(&setup, &sim, &err), CNV_OK, "%s: %s", text_of(subject), err.text);
    while (is_more && status == CNV_OK) {
        note_solver(cnv_sim_engine(sim), &outcome);
        status = cnv_sim_step(sim, &is_more, &err);
        cr_assert_lt(cnv_sim_now_ms(sim), LIMIT_MS, "%s", text_of(subject));
    }
    outcome.is_meant = status != CNV_E_INPUT;
    if (outcome.is_meant) {
        cr_assert_eq(status, CNV_OK, "%s: %s", text_of(subject), err.text);
        read_outcome(cnv_sim_engine(sim), &outcome);
    }
    cnv_sim_destroy(sim);
    return outcome;
}

/* --- Without ------------------------------------------------------------------------------ */

static void round_to(const char *encoding, size_t n, double *x)
{
    const struct cnv_encoding_ops *ops = cnv_encoding_find(encoding);

    if (!ops->is_sparse && !ops->is_relative) {
        uint8_t *bytes = cnv_array_new(ops->size(n), 1);

        ops->encode(x, n, bytes);
        ops->decode(bytes, n, NULL, x);
        cnv_free(bytes);
    }
}

static void start(struct cluster *serial)
{
    double scale = cnv_config_real(serial->config, "run/start-scale");
    bool is_ones = strcmp(cnv_config_text(serial->config, "run/start"), "ones") == 0;
    struct cnv_rng rng;

    cnv_rng_init(&rng, 1, CNV_RNG_INIT, 0, 0);
    for (size_t i = 0; i < serial->dimension; i++) {
        serial->model[i] = is_ones ? 1.0 : scale * cnv_rng_normal(&rng);
    }
    round_to(cnv_config_text(serial->config, "encoding/down"), serial->dimension, serial->model);
}

/* The same rounds: local steps, the update as it travels, what the optimiser makes of it. */
static void replay(struct cluster *serial, const struct outcome *outcome)
{
    const char *up = cnv_config_text(serial->config, "encoding/up");
    const char *down = cnv_config_text(serial->config, "encoding/down");
    const struct cnv_optimiser_ops *optimiser =
        cnv_optimiser_find(cnv_config_text(serial->config, "optimiser/kind"));
    void *state = cnv_array_new(1, optimiser->state_size);
    double *next = cnv_array_new(serial->dimension, sizeof(*next));

    cr_assert_eq(optimiser->init(state, serial->config, serial->dimension, NULL), CNV_OK);
    start(serial);
    for (size_t r = 0; r < outcome->rounds; r++) {
        struct cnv_apply_input input = { .count = serial->dimension,
                                         .base = serial->model,
                                         .update = serial->update };

        cluster_begin(serial, outcome->solvers[r], outcome->local_steps[r]);
        (void) cluster_play(serial, UINT32_MAX);
        round_to(up, serial->dimension, serial->update);
        optimiser->apply_slice(state, &input, next);
        if (optimiser->conclude != NULL) {
            optimiser->conclude(state, true);
        }
        cluster_conclude(serial, true);
        cnv_vector_copy(serial->dimension, next, serial->model);
        round_to(down, serial->dimension, serial->model);
    }
    if (optimiser->fini != NULL) {
        optimiser->fini(state);
    }
    cnv_free(state);
    cnv_free(next);
}

/* --- Both --------------------------------------------------------------------------------- */

static void check_downhill(struct subject subject, const struct outcome *outcome)
{
    struct cluster *cluster = cluster_of(&subject);

    start(cluster);
    double before = cluster_loss(cluster, cluster->model);
    double after = cluster_loss(cluster, outcome->model);
    cr_assert_gt(outcome->rounds, 0, "%s", text_of(&subject));
    for (size_t i = 0; i < cluster->dimension; i++) {
        cr_assert(isfinite(outcome->model[i]), "%s", text_of(&subject));
    }
    cr_assert_lt(after, before, "%s: %g to %g", text_of(&subject), before, after);
    cluster_destroy(cluster);
}

static void check_serial(struct subject subject, const struct outcome *outcome)
{
    struct cluster *serial = cluster_of(&subject);

    replay(serial, outcome);
    cr_assert_eq(memcmp(serial->model, outcome->model, serial->dimension * sizeof(double)),
                 0,
                 "%s: other bits than the serial code",
                 text_of(&subject));
    cluster_destroy(serial);
}

/* Whether what travels is one update, exactly, and what is committed made of it alone. */
static bool is_plain(const struct cnv_config *config)
{
    const struct cnv_optimiser_ops *optimiser =
        cnv_optimiser_find(cnv_config_text(config, "optimiser/kind"));

    return optimiser->table == NULL && optimiser->width == NULL &&
           cnv_encoding_find(cnv_config_text(config, "encoding/up"))->encode_random == NULL;
}

/* Returns whether the method was meant for the problem. */
static bool check(struct subject subject)
{
    struct cluster *cluster = cluster_of(&subject);
    bool is_solver =
        fit_is_meant_for(cnv_solver_find(subject.solver), cluster->config, cluster->problems[0]);
    struct outcome outcome = { .is_meant = false };

    if (is_solver) {
        outcome = run(&subject, cluster->config);
    }
    if (outcome.is_meant) {
        check_downhill(subject, &outcome);
    }
    if (outcome.is_meant && subject.agents == 1 && is_plain(cluster->config)) {
        check_serial(subject, &outcome);
    }
    cnv_free(outcome.model);
    cluster_destroy(cluster);
    return outcome.is_meant;
}

/* On every problem it is meant for, alone and with others. Returns how often. */
static size_t check_with(const char *key, const char *method, const char *solver)
{
    static const size_t agents[] = { 1, AGENTS };
    size_t runs = 0;

    for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
        for (size_t i = 0; i < 2; i++) {
            runs +=
                check((struct subject){ key, method, solver, cnv_problem_at(p)->name, agents[i] });
        }
    }
    return runs;
}

/* With sgd; a method that is not for sgd, with the first solver that it is for. */
static void check_method(const char *key, const char *method)
{
    size_t runs = check_with(key, method, "sgd");

    for (size_t s = 0; runs == 0 && cnv_solver_at(s) != NULL; s++) {
        runs = check_with(key, method, cnv_solver_at(s)->name);
    }
    cr_assert_gt(runs, 0, "%s=%s goes with no problem", key, method);
}

Test(conformance, every_policy_on_every_problem, .timeout = 120)
{
    for (size_t i = 0; cnv_policy_at(i) != NULL; i++) {
        check_method("policy/kind", cnv_policy_at(i)->name);
    }
}

Test(conformance, every_aggregator_on_every_problem, .timeout = 120)
{
    for (size_t i = 0; cnv_aggregate_at(i) != NULL; i++) {
        check_method("aggregate/kind", cnv_aggregate_at(i)->name);
    }
}

Test(conformance, every_optimiser_on_every_problem, .timeout = 120)
{
    for (size_t i = 0; cnv_optimiser_at(i) != NULL; i++) {
        check_method("optimiser/kind", cnv_optimiser_at(i)->name);
    }
}

Test(conformance, every_encoding_on_every_problem, .timeout = 120)
{
    for (size_t i = 0; cnv_encoding_at(i) != NULL; i++) {
        const struct cnv_encoding_ops *ops = cnv_encoding_at(i);

        if (!ops->is_relative) {
            check_method("encoding/up", ops->name);
        }
        if (cnv_encoding_is_dense(ops)) {
            check_method("encoding/down", ops->name);
        }
    }
}
