/* lone.c - see lone.h. */
#include "lone.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "config/config.h"
#include "num/vector.h"
#include "synthetic.h"

enum { SEED = 7 };

static void check(enum cnv_status status)
{
    if (status != CNV_OK) {
        abort();
    }
}

struct lone lone_new(const char *solver, const char *const *settings, uint32_t shard)
{
    struct synthetic how = { .rows = LONE_ROWS,
                             .features = LONE_FEATURES,
                             .density = 0.7,
                             .classes = 2,
                             .noise = 0.5,
                             .seed = 4 };
    struct cnv_shard *part = synthetic_shard(&how);
    struct lone lone = { .ops = cnv_solver_find(solver), .shard = shard };

    lone.cluster = cluster_new("logistic", settings, &part, 1);
    lone.problem = lone.cluster->problems[0];
    lone.state = cnv_array_new(1, lone.ops->state_size);
    struct cnv_solver_setup setup = {
        .config = lone.cluster->config, .problem = lone.problem, .seed = SEED, .shard = shard
    };
    check(lone.ops->init(lone.state, &setup, NULL));
    return lone;
}

void lone_drop(struct lone *lone)
{
    lone->ops->fini(lone->state);
    cnv_free(lone->state);
    cluster_destroy(lone->cluster);
}

void lone_round(
    struct lone *lone, const double *model, uint64_t iteration, uint32_t steps, double *out)
{
    struct cnv_solver_round round = { .model = model,
                                      .iteration = iteration,
                                      .local_steps = steps };
    struct cnv_solver_contribution part;

    lone->ops->begin(lone->state, &round);
    for (uint32_t i = 0; i < steps; i++) {
        check(lone->ops->step(lone->state, NULL));
    }
    check(lone->ops->contribute(lone->state, "model", 0, &part, NULL));
    cnv_vector_move(LONE_FEATURES, model, 1.0, part.values, out);
}

void lone_draw(const struct lone *lone, uint64_t iteration, size_t batch, size_t *rows)
{
    size_t order[LONE_ROWS];
    struct cnv_rng rng;

    cnv_rng_init(&rng, SEED, CNV_RNG_BATCH, lone->shard, iteration);
    for (size_t i = 0; i < LONE_ROWS; i++) {
        order[i] = i;
    }
    for (size_t i = 0; i < batch; i++) {
        size_t j = i + (size_t) cnv_rng_below(&rng, LONE_ROWS - i);
        size_t kept = order[i];

        order[i] = order[j];
        order[j] = kept;
        rows[i] = order[i];
    }
}
