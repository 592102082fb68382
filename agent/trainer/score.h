/* score.h - a model on the agent's own test data. */
#ifndef CNV_AGENT_TRAINER_SCORE_H
#define CNV_AGENT_TRAINER_SCORE_H

#include "client/convene.h"
#include "data/shard.h"
#include "problem/problem.h"

/*
 * How right the model is on the test data.
 *
 *   labels  [count] the run's label map; NULL: real targets
 *
 * The version is the caller's to set.
 */
convene_score cnv_score_make(const struct cnv_problem *problem,
                             const double *model,
                             const struct cnv_shard *test,
                             const double *labels,
                             size_t count);

#endif
