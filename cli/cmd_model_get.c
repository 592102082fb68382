/* cmd_model_get.c - convene model get: the newest committed model as a NumPy file, with its card.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "envelope.h"
#include "files.h"
#include "model/model.h"
#include "proto/npy.h"
#include "proto/vector.h"
#include "request.h"

struct model_get_args {
    struct cnv_request request;
    const char *out;
};

static const struct cnv_option options[] = {
    { "out",
      CNV_OPTION_TEXT,
      offsetof(struct model_get_args, out),
      "FILE",
      "Where to write it, with FILE.json beside FILE.npy [standard output, the numbers alone]." },
    CNV_REQUEST_OPTIONS,
    { .name = NULL },
};

/* The settings of the run, as its status tells them; what this program does not know is left out.
 */
static struct cnv_config *config_of(const json_t *run)
{
    struct cnv_config *config = cnv_config_new();
    const char *path = NULL;
    json_t *value = NULL;

    json_object_foreach(json_object_get(run, "config"), path, value)
    {
        if (config != NULL && json_is_string(value)) {
            (void) !cnv_config_set(config, path, json_string_value(value), "status", NULL);
        }
    }
    return config;
}

/* The card of the numbers in file: a commit between the two answers must not part them. They may
 * be of the run before. */
static json_t *card_of(const json_t *status, const struct cnv_blob *file)
{
    static const char method[] = "crc32c:";
    struct cnv_npy npy = { .length = 0 };
    char fingerprint[32];
    json_t *card = NULL;

    if (cnv_npy_parse(cnv_blob_data(file), cnv_blob_len(file), &npy, NULL) != CNV_OK) {
        return NULL;
    }
    (void) snprintf(
        fingerprint,
        sizeof(fingerprint),
        "%s%08" PRIx32,
        method,
        cnv_vector_digest(npy.encoding, cnv_blob_data(file) + npy.offset, (size_t) npy.length));
    bool is_before =
        strcmp(cnv_json_text(status, "before/digest", ""), fingerprint + strlen(method)) == 0;
    const json_t *run = cnv_json_at(status, is_before ? "before" : "run");
    struct cnv_config *config = config_of(run);
    if (config != NULL) {
        card = cnv_card_json(config, run, cnv_config_real(config, "data/scale"));
    }
    if (card != NULL) {
        (void) json_object_set_new(card, "fingerprint", json_string(fingerprint));
    }
    cnv_config_destroy(config);
    return card;
}

/* Writes FILE.json beside the model. */
static enum cnv_exit write_card(const struct cnv_command *command,
                                const struct model_get_args *get,
                                const struct cnv_blob *file)
{
    char path[CNV_MODEL_PATH_SIZE];
    struct cnv_blob *body = NULL;
    struct cnv_error err = { 0 };
    json_t *root = NULL;
    enum cnv_exit code = CNV_EXIT_DONE;

    if (!cnv_request_ask(command, &get->request, "status", "", &body, &code)) {
        return code;
    }
    enum cnv_status status = cnv_envelope_parse(body, &root, &err);
    cnv_blob_unref(body);
    if (status == CNV_OK) {
        json_t *card = card_of(cnv_json_at(root, "data"), file);

        if (!cnv_card_path(get->out, path)) {
            status = cnv_fail(&err, CNV_E_INPUT, "the path %.40s... is too long", get->out);
        } else {
            status = cnv_json_write(path, card, &err);
        }
        json_decref(card);
        json_decref(root);
    }
    return status == CNV_OK ? CNV_EXIT_DONE : cnv_command_fail(command, &err);
}

static enum cnv_exit model_get_run(const struct cnv_command *command, void *args)
{
    struct model_get_args *get = args;
    struct cnv_blob *body = NULL;
    struct cnv_error err;
    enum cnv_exit code = CNV_EXIT_DONE;

    if (get->out == NULL && isatty(STDOUT_FILENO)) {
        (void) cnv_fail(&err, CNV_E_INPUT, "a model is not for a terminal: give --out FILE");
        return cnv_command_fail(command, &err);
    }
    if (!cnv_request_ask(command, &get->request, "model", "", &body, &code)) {
        return code;
    }
    if (get->out != NULL) {
        if (cnv_file_replace(get->out, cnv_blob_data(body), cnv_blob_len(body), &err) != CNV_OK) {
            code = cnv_command_fail(command, &err);
        } else {
            code = write_card(command, get, body);
        }
    } else if (fwrite(cnv_blob_data(body), 1, cnv_blob_len(body), stdout) != cnv_blob_len(body) ||
               fflush(stdout) != 0) {
        (void) cnv_fail(&err, CNV_E_SYSTEM, "cannot write to standard output");
        code = cnv_command_fail(command, &err);
    }
    cnv_blob_unref(body);
    return code;
}

const struct cnv_command cnv_command_model_get = {
    .name = "model get",
    .text = "Fetch the newest committed model as a NumPy .npy file.",
    .options = options,
    .args_size = sizeof(struct model_get_args),
    .examples = "  convene model get --out model.npy\n"
                "  python3 -c 'import numpy; print(numpy.load(\"model.npy\").shape)'\n",
    .notes =
        "Each file appears whole or not at all. model.json says how the numbers are used: convene "
        "evaluate needs it.\n",
    .run = model_get_run,
};
