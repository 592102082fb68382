/* method.h - the problem and solver that the run names: whether they are here, and what they need.
 */
#ifndef CNV_AGENT_TRAINER_METHOD_H
#define CNV_AGENT_TRAINER_METHOD_H

#include "base/param.h"
#include "base/status.h"
#include "problem/problem.h"

/* The run asks for what is not here: before any data is read. CNV_E_MISFIT. */
enum cnv_status cnv_method_unknown(const char *path, const char *name, struct cnv_error *err);

/* L of this shard, as far as solver/kind, which is known, asks for it and the problem knows; else
 * 0. */
CNV_MUST_CHECK enum cnv_status cnv_method_smoothness(const struct cnv_config *config,
                                                     struct cnv_problem *problem,
                                                     double *ret_smoothness,
                                                     struct cnv_error *err);

#endif
