/* envelope.c - jansson behind the few questions the commands ask. */
#include "envelope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum cnv_status
cnv_envelope_parse(const struct cnv_blob *body, json_t **ret_root, struct cnv_error *err)
{
    json_error_t why;
    json_t *root = json_loadb((const char *) cnv_blob_data(body), cnv_blob_len(body), 0, &why);

    if (root == NULL) {
        return cnv_fail(err, CNV_E_MALFORMED, "the daemon's answer is not JSON: %s", why.text);
    }
    if (!json_is_object(json_object_get(root, "data"))) {
        json_decref(root);
        return cnv_fail(err, CNV_E_MALFORMED, "the daemon's answer has no data");
    }
    *ret_root = root;
    return CNV_OK;
}

const json_t *cnv_json_at(const json_t *root, const char *path)
{
    while (root != NULL && *path != '\0') {
        char key[64];
        size_t len = strcspn(path, "/");

        (void) snprintf(key, sizeof(key), "%.*s", (int) len, path);
        root = json_object_get(root, key);
        path += len;
        path += *path == '/';
    }
    return root;
}

const char *cnv_json_text(const json_t *root, const char *path, const char *fallback)
{
    const char *text = json_string_value(cnv_json_at(root, path));

    return text == NULL ? fallback : text;
}

double cnv_json_number(const json_t *root, const char *path)
{
    const json_t *value = cnv_json_at(root, path);

    return json_is_number(value) ? json_number_value(value) : (double) NAN;
}

uint64_t cnv_json_count(const json_t *root, const char *path)
{
    double value = cnv_json_number(root, path);

    return value > 0.0 && value < 1.8e19 ? (uint64_t) value : 0;
}

void cnv_envelope_print_failure(const struct cnv_error *err, FILE *out)
{
    json_t *root = json_pack("{s:i, s:b, s:{s:i, s:s, s:s}}",
                             "schema",
                             1,
                             "ok",
                             0,
                             "error",
                             "code",
                             -(int) err->status,
                             "name",
                             cnv_status_name(err->status),
                             "text",
                             err->text);

    if (root != NULL) {
        (void) json_dumpf(root, out, JSON_COMPACT);
        (void) fprintf(out, "\n");
        json_decref(root);
    }
}

enum cnv_status cnv_json_write(const char *path, const json_t *root, struct cnv_error *err)
{
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));

    if (text == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory for %s", path);
    }
    size_t len = strlen(text);
    text[len++] = '\n'; /* in place of its NUL: nothing reads it as a string any more */
    enum cnv_status status = cnv_file_replace(path, text, len, err);
    free(text);
    return status;
}
