/*
 * model.h - a model in files: the numbers (model.npy) and how to use them (model.json, the card).
 *
 * Programs that only hand a model on need neither; convene run writes both, convene evaluate and a
 * warm start (run/start=FILE.npy) read them.
 */
#ifndef CNV_MODEL_MODEL_H
#define CNV_MODEL_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/param.h"
#include "base/status.h"

enum { CNV_MODEL_PATH_SIZE = 4096, CNV_MODEL_TEXT_SIZE = 256 };

/* Zero before use. */
struct cnv_model {
    struct cnv_blob *values; /* float64 [length] */
    size_t length;
    uint32_t digest; /* of the vector as the file encodes it: what status and card call it by */
};

/* Reads a NumPy file of float32 or float64. CNV_E_INPUT: not one, or a number in it not finite. */
CNV_MUST_CHECK enum cnv_status
cnv_model_read(const char *path, struct cnv_model *ret_model, struct cnv_error *err);
void cnv_model_fini(struct cnv_model *model);

/* What model.json says. Zero before use. */
struct cnv_card {
    char problem[CNV_MODEL_TEXT_SIZE];     /* problem/kind */
    char hidden[CNV_MODEL_TEXT_SIZE];      /* problem/hidden; "": no hidden layers */
    char label_names[CNV_MODEL_TEXT_SIZE]; /* data/labels; "": labels are numbers */
    char fingerprint[CNV_MODEL_TEXT_SIZE]; /* "crc32c:1234abcd" */
    bool has_intercept;
    uint64_t dimension;
    uint64_t features;
    uint64_t rows; /* trained on */
    double scale;  /* of the values; 0: what is usual for the format of the file */
    double l2;
    double l1;      /* 0 where the card says nothing of it */
    double *labels; /* [label_count] the label map, ascending; none: real targets */
    size_t label_count;
};

/* "DIR/model.npy" -> "DIR/model.json": the card's path beside the model's. False: it is too long.
 */
bool cnv_card_path(const char *model, char path[CNV_MODEL_PATH_SIZE]);

/* CNV_E_INPUT: cannot be read, or lacks something; the line names file and member. */
CNV_MUST_CHECK enum cnv_status
cnv_card_read(const char *path, struct cnv_card *ret_card, struct cnv_error *err);
void cnv_card_fini(struct cnv_card *card);

/* The card of the model that run (as in the status of a daemon) has committed. config: of the run.
 * scale: 0 as above. NULL when memory is out. */
json_t *cnv_card_json(const struct cnv_config *config, const json_t *run, double scale);

/* Whether card and model belong together: fingerprint and dimension. CNV_E_INPUT. */
CNV_MUST_CHECK enum cnv_status cnv_card_fits(const struct cnv_card *card,
                                             const struct cnv_model *model,
                                             const char *path,
                                             struct cnv_error *err);

/* Where a run starts from, if run/start names a file. Zero: not from a file. */
struct cnv_start {
    struct cnv_model model;
    struct cnv_card card;
    bool has_card; /* there was one beside the file */
};

/*
 * Reads the file that run/start names, if it names one, and its card, if there is one. CNV_E_INPUT:
 * it cannot be used, card and file do not belong together, the card speaks of another problem; or
 * run/start=model, which only a daemon that has a model can make sense of.
 */
CNV_MUST_CHECK enum cnv_status
cnv_start_read(const struct cnv_config *config, struct cnv_start *ret_start, struct cnv_error *err);
void cnv_start_fini(struct cnv_start *start);

#endif
