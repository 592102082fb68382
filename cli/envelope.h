/*
 * envelope.h - the JSON that control commands answer with: {"schema":1,"ok":true,"data":{...}}.
 *
 * Reading is forgiving: what is missing or null gives the fallback, so that a newer daemon's
 * answer can still be shown.
 */
#ifndef CNV_CLI_ENVELOPE_H
#define CNV_CLI_ENVELOPE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/blob.h"
#include "base/status.h"

/* Parses body; *ret_root is the whole envelope, the caller's to json_decref. CNV_E_MALFORMED. */
CNV_MUST_CHECK enum cnv_status
cnv_envelope_parse(const struct cnv_blob *body, json_t **ret_root, struct cnv_error *err);

/* The value at "run/policy/kind" below root, borrowed; NULL when there is none. */
const json_t *cnv_json_at(const json_t *root, const char *path);

/* A text, or fallback. */
const char *cnv_json_text(const json_t *root, const char *path, const char *fallback);

/* A number, or NaN. */
double cnv_json_number(const json_t *root, const char *path);

/* A whole number, or 0. */
uint64_t cnv_json_count(const json_t *root, const char *path);

/* Prints {"schema":1,"ok":false,"error":{...}} and a newline. */
void cnv_envelope_print_failure(const struct cnv_error *err, FILE *out);

/* Writes root as a file for people too: indented, a newline at its end. NULL: memory is out. */
CNV_MUST_CHECK enum cnv_status
cnv_json_write(const char *path, const json_t *root, struct cnv_error *err);

#endif
