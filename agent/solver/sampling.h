/*
 * sampling.h - what the methods of "99 % of worker-master communication is not needed" share: the
 * blocks an agent draws in a round, and the constants L, n, tau their step sizes follow from.
 *
 * Mishchenko, Hanzely, Richtarik 2020.
 */
#ifndef CNV_AGENT_SOLVER_SAMPLING_H
#define CNV_AGENT_SOLVER_SAMPLING_H

#include "base/partition.h"
#include "solver/solver.h"

/* Settings that cnv_sampling_init and cnv_sampling_step read. */
#define CNV_SAMPLING_KEYS                                                                          \
    "solver/smoothness solver/step-rule solver/step solver/draw " CNV_PARTITION_KEYS

struct cnv_sampling {
    struct cnv_partition partition;
    double smoothness; /* L */
    uint64_t seed;
    uint32_t stream;
    uint32_t *blocks; /* [partition.drawn] U, ascending */
    uint8_t *marks;
};

/* That of f_i, or of single rows, unless solver/smoothness is given or solver/step-rule asks for
 * none: for smoothness of struct cnv_solver_ops. */
enum cnv_smoothness cnv_sampling_of_shard(const struct cnv_config *config);
enum cnv_smoothness cnv_sampling_of_rows(const struct cnv_config *config);

/* Leaves the sampling fit for fini even when it fails. CNV_E_INPUT: tau m is not a whole number, or
 * L is known neither from the run nor from solver/smoothness. */
CNV_MUST_CHECK enum cnv_status cnv_sampling_init(struct cnv_sampling *sampling,
                                                 const struct cnv_solver_setup *setup,
                                                 struct cnv_error *err);
void cnv_sampling_fini(struct cnv_sampling *sampling);

/* Draws U for an iteration of the run: the same for the same iteration, whatever came between. */
void cnv_sampling_draw(struct cnv_sampling *sampling, uint64_t iteration);

/*
 * The step size solver/step-rule asks for: solver/step, or one of two in L, n and tau, which the
 * method gives.
 */
double cnv_sampling_step(const struct cnv_config *config, double sharp, double theory);

/* Algorithms 1 and 3: n / (L (tau n + 1 - tau)), or in theory n / (2 L (tau n + 2 (1 - tau))). */
double cnv_sampling_ibcd_step(const struct cnv_sampling *sampling, const struct cnv_config *config);

/* Algorithm 2: 1 / (L (1 + 1 / (n tau))), the experiments'; theory has a quarter of that. */
double cnv_sampling_isega_step(const struct cnv_sampling *sampling,
                               const struct cnv_config *config);

/* y_U += factor * x_U */
void cnv_sampling_add(const struct cnv_sampling *sampling,
                      double factor,
                      const double *x,
                      double *y);
/* y_U := x_U - z_U, and zero elsewhere. */
void cnv_sampling_difference(const struct cnv_sampling *sampling,
                             const double *x,
                             const double *z,
                             double *y);

/* A contribution of values, which are zero but for U. */
void cnv_sampling_contribute(const struct cnv_sampling *sampling,
                             const double *values,
                             struct cnv_solver_contribution *contribution);

/* --- Methods whose round is one gradient, whatever L is ----------------------------------- */

/* State that begins with this can use the functions below as they are. */
struct cnv_sampled {
    const struct cnv_solver_ops *ops;
    struct cnv_problem *problem;
    struct cnv_sampling sampling;
    double step; /* gamma */
    const double *model;
    uint64_t iteration;
    bool evaluate;
    double *g;       /* [n] */
    double *update;  /* [n] what step leaves: zero but for the blocks that are sent */
    double *vectors; /* [more x n] of the method, zero at first */
    double *all;     /* what the three above point into */
};

CNV_MUST_CHECK enum cnv_status cnv_sampled_init(struct cnv_sampled *sampled,
                                                const struct cnv_solver_ops *ops,
                                                const struct cnv_solver_setup *setup,
                                                size_t more,
                                                struct cnv_error *err);
void cnv_sampled_fini(void *state);
void cnv_sampled_begin(void *state, const struct cnv_solver_round *round);
enum cnv_status cnv_sampled_contribute(void *state,
                                       const char *exchange,
                                       uint32_t index,
                                       struct cnv_solver_contribution *contribution,
                                       struct cnv_error *err);
void cnv_sampled_concluded(void *state, bool counted);

#endif
