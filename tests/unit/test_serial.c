/*
 * One agent in a run is the serial algorithm, to the last bit: engine, session, trainer and codecs
 * change nothing. Every solver on every problem it is meant for, against a few lines of loop.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cluster.h"
#include "config/config.h"
#include "engine/engine.h"
#include "fit.h"
#include "num/num.h"
#include "num/vector.h"
#include "sim/sim.h"
#include "synthetic.h"
#include "with_plugins.h"

TestSuite(serial, .init = with_plugins);

enum { FEATURES = 12, ROWS = 100, ROUNDS = 5, LOCAL_STEPS = 3, LIMIT_MS = 1000000 };

static const char *const settings[] = {
    "problem/l2=0.01", "problem/intercept=true", "solver/step=0.02",
    "solver/batch=20", "solver/momentum=0.9",    "run/start=random",
    "run/rounds=5",    "policy/local-steps=3",   NULL
};

static struct cnv_shard *rows_for(const char *problem)
{
    const struct cnv_problem_ops *ops = cnv_problem_find(problem);
    struct synthetic how = { .rows = ops->is_synthetic ? 1 : ROWS, /* as the trainer has it */
                             .features = FEATURES,
                             .density = 0.5,
                             .classes = fit_classes(ops),
                             .noise = 0.5,
                             .seed = 3 };

    return synthetic_shard(&how);
}

static struct cluster *serial_of(const char *solver, const char *problem)
{
    struct cnv_shard *shard = rows_for(problem);
    struct cluster *serial = cluster_new(problem, settings, &shard, 1);
    double scale = cnv_config_real(serial->config, "run/start-scale");
    struct cnv_rng rng;

    cr_assert_eq(cnv_config_set(serial->config, "solver/kind", solver, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_set(serial->config, "problem/kind", problem, "test", NULL), CNV_OK);
    fit_settings(serial->config, solver);
    cr_assert_eq(cnv_config_set(serial->config, "run/agents", "1", "test", NULL), CNV_OK);
    if (cnv_solver_find(solver)->plan != NULL) {
        cr_assert_eq(
            cnv_config_set(
                serial->config, "solver/plan", cnv_solver_find(solver)->plan, "test", NULL),
            CNV_OK);
    }
    cnv_rng_init(&rng, 1, CNV_RNG_INIT, 0, 0);
    for (size_t i = 0; i < serial->dimension; i++) {
        serial->model[i] = scale * cnv_rng_normal(&rng);
    }
    return serial;
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
    (void) shard;
    (void) shards;
    (void) err;
    *ret_shard = rows_for(self);
    *ret_test = NULL;
    return CNV_OK;
}

static void check(const char *solver, const char *problem)
{
    struct cluster *serial = serial_of(solver, problem);
    char name[64];
    struct cnv_sim_setup setup = {
        .config = serial->config, .seed = 1, .self = name, .load = load
    };
    struct cnv_sim *sim = NULL;
    struct cnv_engine_view view;
    struct cnv_error err = { .text = "" };

    if (!fit_is_meant_for(cnv_solver_find(solver), serial->config, serial->problems[0])) {
        cluster_destroy(serial);
        return;
    }
    (void) snprintf(name, sizeof(name), "%s", problem);
    for (size_t r = 0; r < ROUNDS; r++) {
        (void) cluster_round(serial, solver, LOCAL_STEPS);
    }
    cr_assert_eq(cnv_sim_new(&setup, &sim, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(
        cnv_sim_run(sim, LIMIT_MS, &err), CNV_OK, "%s on %s: %s", solver, problem, err.text);
    cnv_engine_view(cnv_sim_engine(sim), &view);
    cr_assert_eq(view.version, ROUNDS, "%s on %s: %s", solver, problem, view.state_reason);
    cr_assert_eq(cnv_blob_len(view.model), serial->dimension * sizeof(double));
    cr_assert_eq(memcmp(cnv_blob_data(view.model), serial->model, cnv_blob_len(view.model)),
                 0,
                 "%s on %s: other bits than the serial code",
                 solver,
                 problem);
    cnv_sim_destroy(sim);
    cluster_destroy(serial);
}

Test(serial, one_agent_is_the_serial_algorithm_to_the_last_bit, .timeout = 60)
{
    for (size_t s = 0; cnv_solver_at(s) != NULL; s++) {
        for (size_t p = 0; cnv_problem_at(p) != NULL; p++) {
            check(cnv_solver_at(s)->name, cnv_problem_at(p)->name);
        }
    }
}
