/* score.c - see score.h. Rows of a label that the run does not know cannot be right: they are told.
 */
#include "trainer/score.h"

static bool is_known(const double *labels, size_t count, double label)
{
    for (size_t i = 0; i < count; i++) {
        if (labels[i] == label) {
            return true;
        }
    }
    return false;
}

convene_score cnv_score_make(const struct cnv_problem *problem,
                             const double *model,
                             const struct cnv_shard *test,
                             const double *labels,
                             size_t count)
{
    convene_score score = {
        .is_error = !problem->ops->is_classification,
        .value = problem->ops->score(problem->state, model, test),
        .rows = test->rows,
    };

    for (size_t row = 0; labels != NULL && row < test->rows; row++) {
        score.unknown += is_known(labels, count, test->labels[row]) ? 0 : 1;
    }
    return score;
}
