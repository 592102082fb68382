/* fit.c - see fit.h. */
#include "fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "synthetic.h"

enum { SETTINGS_MAX = 5, CLASSES_MAX = 4 };

/* One row for each entry of any registry that does not run with the defaults. */
static const struct {
    const char *name;
    const char *set[SETTINGS_MAX];
} needs[] = {
    { "adaptive-period", { "run/iterations=400", "solver/decay-at=150,250" } },
    { "growing", { "run/iterations=400", "policy/rounds=20" } },
    { "budget", { "run/iterations=400", "policy/budget-bytes=40000", "policy/budget-rate=500" } },
    { "one-shot", { "run/iterations=400" } },
    { "blocks", { "solver/smoothness=8" } },
    { "ibgd", { "solver/smoothness=8" } },
    { "isega", { "solver/smoothness=4", "optimiser/kind=sega" } },
    { "isega-raw", { "solver/smoothness=4", "optimiser/kind=sega-table", "encoding/up=blocks" } },
    { "isgd", { "solver/smoothness=1" } },
    { "isaga", { "solver/smoothness=1" } },
    { "isaga-shared",
      { "solver/smoothness=16",
        "optimiser/kind=saga-table",
        "encoding/up=blocks",
        "data/shared=true",
        "run/agents=3" } },
    { "async-isgd", { "sync/mode=async", "sync/contributions=1", "sync/damping=0" } },
    { "sega-table", { "encoding/up=blocks" } },
    { "saga-table", { "encoding/up=blocks" } },
    { "quadratic", { "problem/dimension=30", "run/start=random" } },
    { "noisy-quadratic", { "problem/noise=0", "run/start=ones" } },
    { "noisy-skewed", { "problem/noise=0", "run/start=ones" } },
    { "mlp", { "problem/hidden=3,2", "run/start=random" } },
};

static void give_up(const char *name, const struct cnv_error *err)
{
    (void) fprintf(stderr, "%s: %s\n", name, err->text);
    abort();
}

void fit_settings(struct cnv_config *config, const char *name)
{
    struct cnv_error err;

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        for (size_t k = 0; strcmp(needs[i].name, name) == 0 && k < SETTINGS_MAX; k++) {
            const char *set = needs[i].set[k];

            if (set != NULL && cnv_config_assign(config, set, "test", &err) != CNV_OK) {
                give_up(name, &err);
            }
        }
    }
}

static bool takes_classes(const struct cnv_problem_ops *ops, size_t classes)
{
    static const double labels[CLASSES_MAX] = { 1.0, 2.0, 3.0, 4.0 };
    struct synthetic how = { .rows = CLASSES_MAX, .features = 2, .density = 1.0, .seed = 1 };
    struct cnv_config *config = cnv_config_new();
    struct cnv_shard *shard = synthetic_shard(&how);
    struct cnv_problem *problem = NULL;
    struct cnv_problem_setup setup = { .config = config,
                                       .shard = shard,
                                       .features = how.features,
                                       .labels = labels,
                                       .classes = classes,
                                       .total_rows = how.rows };

    for (size_t i = 0; i < shard->rows; i++) {
        shard->labels[i] = labels[i % classes];
    }
    fit_settings(config, ops->name);
    bool takes = cnv_problem_new(ops->name, &setup, &problem, NULL) == CNV_OK;
    cnv_problem_destroy(problem);
    synthetic_destroy(shard);
    cnv_config_destroy(config);
    return takes;
}

size_t fit_classes(const struct cnv_problem_ops *problem)
{
    if (!problem->is_classification) {
        return 0;
    }
    return takes_classes(problem, CLASSES_MAX) ? CLASSES_MAX : 2;
}

bool fit_is_meant_for(const struct cnv_solver_ops *solver,
                      const struct cnv_config *config,
                      struct cnv_problem *problem)
{
    struct cnv_solver_setup setup = { .config = config, .problem = problem, .seed = 1, .shard = 1 };
    void *state = cnv_array_new(1, solver->state_size);
    struct cnv_error err;
    enum cnv_status status = solver->init(state, &setup, &err);

    if (status != CNV_OK && status != CNV_E_INPUT) {
        give_up(solver->name, &err);
    }
    solver->fini(state);
    cnv_free(state);
    return status == CNV_OK;
}
