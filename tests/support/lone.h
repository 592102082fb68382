/*
 * lone.h - one agent with its solver on logistic regression, for tests that follow a recursion
 * step by step: LONE_ROWS rows, LONE_FEATURES features, seed 7.
 */
#ifndef CNV_TESTS_LONE_H
#define CNV_TESTS_LONE_H

#include "cluster.h"

enum { LONE_FEATURES = 9, LONE_ROWS = 60 };

struct lone {
    struct cluster *cluster;
    struct cnv_problem *problem;
    const struct cnv_solver_ops *ops;
    void *state;
    uint32_t shard;
};

/* settings: "path=value", ended by NULL; or NULL. */
struct lone lone_new(const char *solver, const char *const *settings, uint32_t shard);
void lone_drop(struct lone *lone);

/* One round of plan "model" from model; the new model, the agent's own, goes to out. */
void lone_round(
    struct lone *lone, const double *model, uint64_t iteration, uint32_t steps, double *out);

/* The rows of that iteration's batch, drawn as the stream (seed, batch, shard, iteration) says. */
void lone_draw(const struct lone *lone, uint64_t iteration, size_t batch, size_t *rows);

#endif
