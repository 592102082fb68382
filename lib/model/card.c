/* card.c - model.json: all that is needed to use model.npy on new data. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "model/model.h"

enum { CARD_BYTES_MAX = 1 << 20 };

bool cnv_card_path(const char *model, char path[CNV_MODEL_PATH_SIZE])
{
    const char *slash = strrchr(model, '/');
    const char *dot = strrchr(model, '.');
    size_t stem =
        dot != NULL && (slash == NULL || dot > slash) ? (size_t) (dot - model) : strlen(model);
    int n = snprintf(path, CNV_MODEL_PATH_SIZE, "%.*s.json", (int) stem, model);

    return n > 0 && n < CNV_MODEL_PATH_SIZE;
}

/* --- Reading ------------------------------------------------------------------------------ */

static enum cnv_status fail_member(const char *path, const char *name, struct cnv_error *err)
{
    return cnv_fail(err, CNV_E_INPUT, "%.120s: \"%s\" is missing or not of its kind", path, name);
}

static bool take_text(const json_t *root, const char *name, char text[CNV_MODEL_TEXT_SIZE])
{
    const char *value = json_string_value(json_object_get(root, name));

    if (value == NULL || strlen(value) >= CNV_MODEL_TEXT_SIZE) {
        return false;
    }
    (void) snprintf(text, CNV_MODEL_TEXT_SIZE, "%s", value);
    return true;
}

static bool take_count(const json_t *root, const char *name, uint64_t *ret_count)
{
    const json_t *value = json_object_get(root, name);

    *ret_count = (uint64_t) json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* null is 0: the usual scale of the file's format. */
static bool take_number(const json_t *root, const char *name, double *ret_number)
{
    const json_t *value = json_object_get(root, name);

    *ret_number = json_number_value(value);
    return json_is_number(value) || json_is_null(value);
}

static enum cnv_status
take_labels(const char *path, const json_t *labels, struct cnv_card *card, struct cnv_error *err)
{
    if (!json_is_array(labels)) {
        return fail_member(path, "labels", err);
    }
    card->label_count = json_array_size(labels);
    card->labels = cnv_array_new(card->label_count, sizeof(*card->labels));
    if (card->labels == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%.120s: out of memory", path);
    }
    for (size_t i = 0; i < card->label_count; i++) {
        const json_t *label = json_array_get(labels, i);

        card->labels[i] = json_number_value(label);
        if (!json_is_number(label) || (i > 0 && !(card->labels[i - 1] < card->labels[i]))) {
            return fail_member(path, "labels", err);
        }
    }
    return CNV_OK;
}

static enum cnv_status
take_card(const char *path, const json_t *root, struct cnv_card *card, struct cnv_error *err)
{
    const json_t *intercept = json_object_get(root, "intercept");

    if (!take_text(root, "problem", card->problem)) {
        return fail_member(path, "problem", err);
    }
    if (!take_text(root, "fingerprint", card->fingerprint)) {
        return fail_member(path, "fingerprint", err);
    }
    if (!take_text(root, "hidden", card->hidden)) {
        return fail_member(path, "hidden", err);
    }
    if (!take_text(root, "label_names", card->label_names)) {
        return fail_member(path, "label_names", err);
    }
    if (!take_count(root, "dimension", &card->dimension)) {
        return fail_member(path, "dimension", err);
    }
    if (!take_count(root, "features", &card->features)) {
        return fail_member(path, "features", err);
    }
    if (!take_count(root, "rows", &card->rows)) {
        return fail_member(path, "rows", err);
    }
    if (!take_number(root, "scale", &card->scale)) {
        return fail_member(path, "scale", err);
    }
    if (!take_number(root, "l2", &card->l2)) {
        return fail_member(path, "l2", err);
    }
    card->l1 = json_number_value(json_object_get(root, "l1"));
    if (!json_is_boolean(intercept)) {
        return fail_member(path, "intercept", err);
    }
    card->has_intercept = json_is_true(intercept);
    return take_labels(path, json_object_get(root, "labels"), card, err);
}

enum cnv_status cnv_card_read(const char *path, struct cnv_card *ret_card, struct cnv_error *err)
{
    struct cnv_blob *file = NULL;
    json_error_t why;
    json_t *root = NULL;
    struct cnv_card card = { .dimension = 0 };
    enum cnv_status status = cnv_file_read(path, CARD_BYTES_MAX, &file, err);

    if (status != CNV_OK) {
        return status;
    }
    root = json_loadb((const char *) cnv_blob_data(file), cnv_blob_len(file), 0, &why);
    cnv_blob_unref(file);
    if (root == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%.120s: not JSON: %.80s", path, why.text);
    }
    status = take_card(path, root, &card, err);
    json_decref(root);
    if (status != CNV_OK) {
        cnv_card_fini(&card);
        return status;
    }
    *ret_card = card;
    return CNV_OK;
}

void cnv_card_fini(struct cnv_card *card)
{
    cnv_free(card->labels);
    *card = (struct cnv_card){ .dimension = 0 };
}

enum cnv_status cnv_card_fits(const struct cnv_card *card,
                              const struct cnv_model *model,
                              const char *path,
                              struct cnv_error *err)
{
    char fingerprint[32];

    (void) snprintf(fingerprint, sizeof(fingerprint), "crc32c:%08" PRIx32, model->digest);
    if (card->dimension != model->length) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.120s: has %zu numbers, its model.json speaks of %" PRIu64,
                        path,
                        model->length,
                        card->dimension);
    }
    if (strcmp(card->fingerprint, fingerprint) != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.120s: is not the model of its model.json: fingerprint %s, there %.40s",
                        path,
                        fingerprint,
                        card->fingerprint);
    }
    return CNV_OK;
}

/* --- Writing ------------------------------------------------------------------------------ */

static json_t *copy_of(const json_t *run, const char *name)
{
    json_t *copy = json_deep_copy(json_object_get(run, name));

    return copy == NULL ? json_null() : copy;
}

json_t *cnv_card_json(const struct cnv_config *config, const json_t *run, double scale)
{
    uint64_t rows = (uint64_t) json_integer_value(json_object_get(run, "total_rows"));
    const char *problem = cnv_config_text(config, "problem/kind");
    const char *digest = json_string_value(json_object_get(run, "digest"));
    char fingerprint[64];

    (void) snprintf(fingerprint, sizeof(fingerprint), "crc32c:%s", digest == NULL ? "" : digest);
    return json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:s, s:b, s:o, s:f, s:f, s:s, s:s, "
                     "s:o, s:o}",
                     "schema",
                     1,
                     "file",
                     "model.npy",
                     "problem",
                     problem,
                     "hidden",
                     strcmp(problem, "mlp") == 0 ? cnv_config_text(config, "problem/hidden") : "",
                     "dimension",
                     copy_of(run, "dimension"),
                     "features",
                     copy_of(run, "features"),
                     "classes",
                     (int) json_array_size(json_object_get(run, "labels")),
                     "labels",
                     copy_of(run, "labels"),
                     "label_names",
                     cnv_config_text(config, "data/labels"),
                     "intercept",
                     (int) cnv_config_boolean(config, "problem/intercept"),
                     "scale",
                     scale == 0.0 ? json_null() : json_real(scale),
                     "l2",
                     cnv_config_fraction(config, "problem/l2", rows == 0 ? 1 : rows),
                     "l1",
                     cnv_config_real(config, "optimiser/l1"),
                     "encoding",
                     cnv_config_text(config, "encoding/down"),
                     "fingerprint",
                     fingerprint,
                     "version",
                     copy_of(run, "version"),
                     "rows",
                     copy_of(run, "total_rows"));
}
