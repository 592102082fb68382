/*
 * evaluate.c - through the problems themselves (agent/problem), so that a model is judged by the
 * code that trained it.
 *
 * A problem is built on the rows whose label the model knows, without the features that it has
 * not. Which class rows are taken for is asked through the one question that problems answer, how
 * many rows are right: of the rows of one label, once for each label they may be taken for.
 */
#include "evaluate.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "config/config.h"
#include "problem/problem.h"

/* What the steps share. */
struct judge {
    const struct cnv_card *card;
    const double *w;
    const struct cnv_shard *data;
    size_t *rows;            /* [data->rows] scratch */
    struct cnv_shard *known; /* the rows that take part */
};

bool cnv_card_label(const struct cnv_card *card, double label, size_t *ret_place)
{
    for (size_t i = 0; i < card->label_count; i++) {
        if (card->labels[i] == label) {
            *ret_place = i;
            return true;
        }
    }
    return false;
}

/* The problem of the card on the known rows, with that l2. */
static enum cnv_status make_problem(const struct judge *judge,
                                    double l2,
                                    struct cnv_config *config,
                                    struct cnv_problem **ret_problem,
                                    struct cnv_error *err)
{
    const struct cnv_card *card = judge->card;
    struct cnv_problem_setup setup = {
        .config = config,
        .shard = judge->known,
        .features = (size_t) card->features,
        .labels = card->label_count == 0 ? NULL : card->labels,
        .classes = card->label_count,
        .total_rows = card->rows == 0 ? 1 : card->rows,
    };
    char text[32];

    if (card->features > card->dimension) { /* before a problem of that size is made */
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "model.json: a %s model of %llu features, but it has %llu numbers",
                        card->problem,
                        (unsigned long long) card->features,
                        (unsigned long long) card->dimension);
    }
    enum cnv_status status =
        cnv_config_set(config, "problem/kind", card->problem, "model.json", err);

    (void) snprintf(text, sizeof(text), "%.17g", l2);
    if (status == CNV_OK) {
        status = cnv_config_set(config, "problem/l2", text, "model.json", err);
    }
    if (status == CNV_OK) {
        status = cnv_config_set(
            config, "problem/intercept", card->has_intercept ? "true" : "false", "model.json", err);
    }
    if (status == CNV_OK && card->hidden[0] != '\0') {
        status = cnv_config_set(config, "problem/hidden", card->hidden, "model.json", err);
    }
    if (status == CNV_OK) {
        status = cnv_problem_new(card->problem, &setup, ret_problem, err);
    }
    if (status == CNV_OK && (*ret_problem)->dimension != card->dimension) {
        status = cnv_fail(err,
                          CNV_E_INPUT,
                          "model.json: a %s model of %llu features and %zu labels has %zu "
                          "coordinates, not %llu",
                          card->problem,
                          (unsigned long long) card->features,
                          card->label_count,
                          (*ret_problem)->dimension,
                          (unsigned long long) card->dimension);
        cnv_problem_destroy(*ret_problem);
        *ret_problem = NULL;
    }
    return status;
}

/* The data's rows of a label, or (SIZE_MAX) of any that the model knows, into rows. */
static size_t list_rows(const struct judge *judge, size_t place)
{
    size_t count = 0;

    for (size_t row = 0; row < judge->data->rows; row++) {
        size_t found = 0;
        bool is_known = judge->card->label_count == 0 ||
                        cnv_card_label(judge->card, judge->data->labels[row], &found);

        if (is_known && (place == SIZE_MAX || place == found)) {
            judge->rows[count++] = row;
        }
    }
    return count;
}

static enum cnv_status fill_confusion(const struct judge *judge,
                                      const struct cnv_problem *problem,
                                      struct cnv_evaluation *evaluation,
                                      struct cnv_error *err)
{
    size_t classes = judge->card->label_count;

    if (classes > CNV_CONFUSION_MAX) {
        return CNV_OK;
    }
    evaluation->confusion = cnv_array_new(classes * classes, sizeof(*evaluation->confusion));
    if (evaluation->confusion == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < classes; i++) {
        struct cnv_shard *rows = NULL;
        size_t count = list_rows(judge, i);
        enum cnv_status status = CNV_OK;

        if (count == 0) {
            continue;
        }
        status = cnv_shard_pick(
            judge->data, judge->rows, count, (size_t) judge->card->features, &rows, err);
        if (status != CNV_OK) {
            return status;
        }
        for (size_t j = 0; j < classes; j++) {
            for (size_t row = 0; row < count; row++) {
                rows->labels[row] = judge->card->labels[j];
            }
            evaluation->confusion[i * classes + j] =
                (size_t) problem->ops->score(problem->state, judge->w, rows);
        }
        cnv_shard_destroy(rows);
    }
    return CNV_OK;
}

/* Real targets: what is left of their spread. */
static void fill_errors(const struct judge *judge,
                        const struct cnv_problem *problem,
                        struct cnv_evaluation *evaluation)
{
    double n = (double) judge->data->rows;
    double mean = 0.0;
    double spread = 0.0;
    double errors = problem->ops->score(problem->state, judge->w, judge->known);

    for (size_t i = 0; i < judge->data->rows; i++) {
        mean += judge->data->labels[i] / n;
    }
    for (size_t i = 0; i < judge->data->rows; i++) {
        spread += (judge->data->labels[i] - mean) * (judge->data->labels[i] - mean);
    }
    evaluation->rmse = sqrt(errors / n);
    evaluation->r2 = spread > 0.0 ? 1.0 - errors / spread : (double) NAN;
}

static enum cnv_status judge_known(const struct judge *judge,
                                   struct cnv_config *config,
                                   struct cnv_evaluation *evaluation,
                                   struct cnv_error *err)
{
    struct cnv_batch all = { .count = judge->known->rows };
    struct cnv_problem *problem = NULL;
    enum cnv_status status = make_problem(judge, judge->card->l2, config, &problem, err);

    if (status != CNV_OK) {
        return status;
    }
    assert(problem != NULL);
    evaluation->objective = problem->ops->loss(problem->state, judge->w, &all);
    for (size_t j = 0; j < problem->dimension; j++) {
        evaluation->objective += judge->card->l1 * fabs(judge->w[j]);
    }
    cnv_problem_destroy(problem);
    problem = NULL;
    status = make_problem(judge, 0.0, config, &problem, err);
    if (status != CNV_OK) {
        return status;
    }
    assert(problem != NULL);
    evaluation->loss = problem->ops->loss(problem->state, judge->w, &all);
    if (problem->ops->is_classification) {
        evaluation->correct = (size_t) problem->ops->score(problem->state, judge->w, judge->known);
        status = fill_confusion(judge, problem, evaluation, err);
    } else {
        fill_errors(judge, problem, evaluation);
    }
    cnv_problem_destroy(problem);
    return status;
}

static enum cnv_status
list_labels(const struct cnv_shard *data, struct cnv_evaluation *evaluation, struct cnv_error *err)
{
    evaluation->labels = cnv_array_new(CNV_LABELS_MAX, sizeof(*evaluation->labels));
    if (evaluation->labels == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    if (!cnv_shard_labels(data, evaluation->labels, &evaluation->label_count)) {
        cnv_free(evaluation->labels);
        evaluation->labels = NULL;
    }
    return CNV_OK;
}

enum cnv_status cnv_evaluate(const struct cnv_card *card,
                             const struct cnv_model *model,
                             const struct cnv_shard *data,
                             struct cnv_evaluation *ret_evaluation,
                             struct cnv_error *err)
{
    struct judge judge = {
        .card = card,
        .w = (const double *) (const void *) cnv_blob_data(model->values),
        .data = data,
        .rows = cnv_array_new(data->rows, sizeof(size_t)),
    };
    struct cnv_evaluation evaluation = {
        .is_classification = card->label_count > 0,
        .rows = data->rows,
        .loss = NAN,
        .objective = NAN,
        .strange_features =
            data->features > card->features ? data->features - (size_t) card->features : 0,
    };
    struct cnv_config *config = cnv_config_new();
    enum cnv_status status = CNV_OK;

    if (judge.rows == NULL || config == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "out of memory");
        goto done;
    }
    evaluation.known = list_rows(&judge, SIZE_MAX);
    if (evaluation.is_classification) {
        status = list_labels(data, &evaluation, err);
    }
    if (status == CNV_OK && evaluation.known > 0) {
        status = cnv_shard_pick(
            data, judge.rows, evaluation.known, (size_t) card->features, &judge.known, err);
    }
    if (status == CNV_OK && evaluation.known > 0) {
        status = judge_known(&judge, config, &evaluation, err);
    }

done:
    cnv_shard_destroy(judge.known);
    cnv_free(judge.rows);
    cnv_config_destroy(config);
    if (status != CNV_OK) {
        cnv_evaluation_fini(&evaluation);
        return status;
    }
    *ret_evaluation = evaluation;
    return CNV_OK;
}

void cnv_evaluation_fini(struct cnv_evaluation *evaluation)
{
    cnv_free(evaluation->labels);
    cnv_free(evaluation->confusion);
    *evaluation = (struct cnv_evaluation){ .rows = 0 };
}
