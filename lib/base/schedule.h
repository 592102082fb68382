/*
 * schedule.h - the step size of every iteration of a run: solver/step, times solver/decay at each
 * iteration that solver/decay-at lists.
 *
 * Agents that take the steps and policies that have to know them read the same settings here. It
 * counts iterations of the run, not rounds, so that a changing L does not move the schedule.
 */
#ifndef CNV_BASE_SCHEDULE_H
#define CNV_BASE_SCHEDULE_H

#include "base/param.h"
#include "base/status.h"

enum { CNV_DECAYS_MAX = 128 }; /* more do not fit into a setting's text */

struct cnv_schedule {
    double step;
    double decay;
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
