/*
 * cluster.h - agents and an averaging server in one thread, for tests of problems and solvers.
 *
 * Nothing travels: contributions are averaged with the rows of the shards as weights, in agent
 * order, exchange by exchange, as server/aggregate/mean.c does. An independent few lines, so
 * that what solvers do can be tested without engine, session and trainer. With data/shared=true all
 * shards are the same rows.
 */
#ifndef CNV_TESTS_CLUSTER_H
#define CNV_TESTS_CLUSTER_H

#include "data/shard.h"
#include "problem/problem.h"
#include "proto/plan.h"
#include "solver/solver.h"

enum { CLUSTER_MAX = 100 };

struct cluster {
    size_t agents;
    struct cnv_config *config;
    struct cnv_shard *shards[CLUSTER_MAX];
    struct cnv_problem *problems[CLUSTER_MAX];
    void *solvers[CLUSTER_MAX]; /* states of the solver in use */
    const struct cnv_solver_ops *solver;
    struct cnv_plan plan; /* of that solver */
    double labels[CNV_LABELS_MAX];
    size_t label_count;
    size_t rows;
    size_t features;
    size_t dimension;
    uint64_t iteration;
    uint64_t rounds;
    uint32_t local_steps; /* of the round in hand */
    double *model;
    double *heard;  /* [dimension] what sega, sega-table, saga-table remember: the mean */
    double *said;   /* [rows x dimension] what those with a table remember: its rows, one for each
                     * agent or, with saga-table, row of the data; */
    double *saying; /* [agents x dimension] what it is told in the round in hand; NaN: nothing */
    double *update; /* of the round in hand, once its last exchange was played */
};

/* The agents have the shards, which the cluster takes over. settings: "path=value", ended by NULL.
 */
struct cluster *cluster_new(const char *problem,
                            const char *const *settings,
                            struct cnv_shard *const *shards,
                            size_t agents);

void cluster_destroy(struct cluster *cluster);

/* One round with L local steps of the solver; changes the model. Returns the global loss at the
 * model it started from. */
double cluster_round(struct cluster *cluster, const char *solver, uint32_t local_steps);

/* The same in parts, for what may happen in between. Begin takes the local steps, unless exchanges
 * come before them; may follow another begin. */
void cluster_begin(struct cluster *cluster, const char *solver, uint32_t local_steps);

/* The first upto exchanges of the plan, or all there are. Returns the loss as sent. */
double cluster_play(struct cluster *cluster, uint32_t upto);

/* The end of the round; the model moves if it counted. */
void cluster_conclude(struct cluster *cluster, bool counted);

/* The global objective at w[dimension]. */
double cluster_loss(struct cluster *cluster, const double *w);

/* Its gradient at w, into g[dimension]. */
void cluster_gradient(struct cluster *cluster, const double *w, double *g);

/* Adaptive LocalNewton (Gupta et al. 2021, Algorithm 2) with a decision that lags one round: from L
 * = 3, one less when the loss fell by less than delta, GIANT below 1. gaps[r] = loss after round r
 * + 1 - optimum.
 */
void cluster_adaptive(
    struct cluster *cluster, double delta, size_t rounds, double optimum, double *gaps);

#endif
