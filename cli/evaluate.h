/* evaluate.h - how good a model is on data: computed here, shown by cmd_evaluate.c. */
#ifndef CNV_CLI_EVALUATE_H
#define CNV_CLI_EVALUATE_H

#include "base/status.h"
#include "data/shard.h"
#include "model/model.h"

enum { CNV_CONFUSION_MAX = 20 };

/* Zero before use. */
struct cnv_evaluation {
    bool is_classification;
    size_t rows;
    size_t known;     /* rows of a label that the model knows; real targets: all */
    double loss;      /* mean over the known rows, without the regulariser; NaN: there are none */
    double objective; /* the same with the regulariser */
    size_t strange_features; /* of the data beyond the model's: they take no part */

    /* Classification. Rows of a label that the model does not know count as wrong. */
    size_t correct;
    double *labels; /* [label_count] of the data, ascending, owned; NULL: too many to tell */
    size_t label_count;
    size_t *confusion; /* [classes x classes] known rows of label i that are taken for j, owned;
                          NULL: more than CNV_CONFUSION_MAX classes */

    /* Real targets. */
    double rmse;
    double r2; /* NaN: all targets are alike */
};

/*
 * CNV_E_INPUT: the card's problem is not known here, or does not fit the rest of the card.
 *
 *   card, model  belong together (cnv_card_fits)
 */
CNV_MUST_CHECK enum cnv_status cnv_evaluate(const struct cnv_card *card,
                                            const struct cnv_model *model,
                                            const struct cnv_shard *data,
                                            struct cnv_evaluation *ret_evaluation,
                                            struct cnv_error *err);
void cnv_evaluation_fini(struct cnv_evaluation *evaluation);

/* The place of a label in the card's map; false: the model does not know it. */
bool cnv_card_label(const struct cnv_card *card, double label, size_t *ret_place);

#endif
