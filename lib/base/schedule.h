/*
 * schedule.h - the step size of every iteration of a run, by solver/decay-kind:
 *
 *   steps    solver/step, times solver/decay at each iteration that solver/decay-at lists
 *   inverse  min(solver/step, solver/decay-scale / (k + solver/decay-offset)), k from 0: the
 *            c / (mu (t + beta)) of strongly convex theory, with c / mu as the scale
 *   cosine   half a cosine from solver/step down to 0 at run/iterations
 *
 * Over the first solver/warm-up iterations any of them is brought up in proportion.
 * Agents that take the steps and policies that have to know them read the same settings here. It
 * counts iterations of the run, not rounds, so that a changing L does not move the schedule.
 */
#ifndef CNV_BASE_SCHEDULE_H
#define CNV_BASE_SCHEDULE_H

#include "base/param.h"
#include "base/status.h"

enum { CNV_DECAYS_MAX = 128 }; /* more do not fit into a setting's text */

enum cnv_decay_kind { CNV_DECAY_STEPS, CNV_DECAY_INVERSE, CNV_DECAY_COSINE };

/* Settings that cnv_schedule_read reads. */
#define CNV_SCHEDULE_KEYS                                                                          \
    "solver/step solver/decay-kind solver/decay solver/decay-at solver/decay-scale "               \
    "solver/decay-offset solver/warm-up run/iterations"

struct cnv_schedule {
    enum cnv_decay_kind kind;
    double step;
    double decay;
    double scale;
    double offset;
    double iterations; /* of the run: where a cosine ends */
    double warm_up;
    uint64_t at[CNV_DECAYS_MAX]; /* [count] iterations, ascending */
    size_t count;
};

/* CNV_E_INPUT: solver/decay-at is no list of ascending iterations. */
CNV_MUST_CHECK enum cnv_status cnv_schedule_read(const struct cnv_config *config,
                                                 struct cnv_schedule *ret_schedule,
                                                 struct cnv_error *err);

/* The step size of the local step that is number `iteration` of the run, counted from 0. */
double cnv_schedule_step(const struct cnv_schedule *schedule, uint64_t iteration);

#endif
