/*
 * local.h - what every solver that only moves a model of its own shares: the minibatches, and the
 * update that is contributed in the end (plan "model").
 *
 * The batch of iteration k is drawn from (seed, shard, k), so a repeated round repeats its batches;
 * with solver/sampling=shuffle it is the next part of the shard in the order of (seed, shard,
 * pass). An agent that takes more steps than the run counts (policy/balance=time) is ahead by so
 * many batches: else it would see the same ones again in the next round. Where batches grow
 * (growth.h), a pass in which they do is left for the next one.
 */
#ifndef CNV_AGENT_SOLVER_LOCAL_H
#define CNV_AGENT_SOLVER_LOCAL_H

#include "solver/growth.h"
#include "solver/solver.h"

/* Settings that cnv_local_init reads. */
#define CNV_LOCAL_KEYS "solver/batch solver/sampling"

struct cnv_local {
    struct cnv_problem *problem; /* borrowed */
    uint64_t seed;
    uint32_t shard;
    size_t batch;             /* rows; 0: the whole shard */
    struct cnv_growth growth; /* off, unless cnv_local_grow was called */
    double *part;             /* [n] of growth: the gradient over a part of the minibatch */
    bool is_shuffled;         /* solver/sampling=shuffle: batches follow the order of a pass */
    uint64_t pass;            /* order is that of this pass, from 1; 0: none yet */
    size_t *order;            /* [rows] identity between draws; shuffled: the order of the pass */
    size_t *picked;           /* [batch] where the draw swapped */
    const double *model;
    bool evaluate;
    uint64_t iteration; /* of the next local step */
    uint64_t ahead;     /* its minibatch is that of iteration + ahead */
    double *u;          /* [n] the agent's own model */
    double *g;          /* [n] a gradient; also the update that is contributed */
    double *vectors;    /* [more x n] of the solver, zero at first */
    double *all;        /* what the three above point into */
};

/* Reads its settings; makes `more` vectors for the solver. Fit for fini even when it fails. */
CNV_MUST_CHECK enum cnv_status cnv_local_init(struct cnv_local *local,
                                              const struct cnv_solver_setup *setup,
                                              const char *solver,
                                              size_t more,
                                              struct cnv_error *err);
void cnv_local_fini(struct cnv_local *local);

/* Behind init: batches grow. part[n] is borrowed. Needs the plan "batch,model". CNV_E_NOMEM. */
CNV_MUST_CHECK enum cnv_status cnv_local_grow(struct cnv_local *local,
                                              const struct cnv_config *config,
                                              double *part,
                                              struct cnv_error *err);

/* The own model starts at the round's. */
void cnv_local_begin(struct cnv_local *local, const struct cnv_solver_round *round);

/* g := gradient over the minibatch of this iteration, at w[n]. */
void cnv_local_gradient(struct cnv_local *local, const double *w);

/* out := Hessian over the same minibatch, at w[n], times v[n]. CNV_E_NOMEM. */
CNV_MUST_CHECK enum cnv_status cnv_local_hessian_times(
    struct cnv_local *local, const double *w, const double *v, double *out, struct cnv_error *err);

/* For "model" the update u - w, in g; for "batch", where batches grow, what is wanted; the loss
 * where it is asked for. Else CNV_E_UNEXPECTED. */
CNV_MUST_CHECK enum cnv_status cnv_local_contribute(struct cnv_local *local,
                                                    const char *solver,
                                                    const char *exchange,
                                                    uint32_t index,
                                                    struct cnv_solver_contribution *contribution,
                                                    struct cnv_error *err);

/* For solvers that learn nothing from a settled result. */
void cnv_local_settled(void *state,
                       const char *exchange,
                       uint32_t index,
                       const struct cnv_solver_result *result);

/* For those whose batches grow: takes what "batch" has settled over, for the steps to come. */
void cnv_local_grown(struct cnv_local *local,
                     const char *exchange,
                     const struct cnv_solver_result *result);

#endif
