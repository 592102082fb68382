/*
 * report.c - makes the report's directory, whole or not at all.
 *
 * model.json says how to use model.npy on new data; run.json how to repeat the run.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"
#include "envelope.h"
#include "format.h"
#include "model/model.h"
#include "plot.h"

enum { LOSS_COLUMN = 6 }; /* of rounds.csv, from 1 */

static bool is_ours(void *self, const char *name)
{
    static const char *const names[] = { "rounds.csv", "model.npy",       "model.json",
                                         "run.json",   "convergence.svg", "logs" };

    (void) self;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The path without slashes at its end, so that a name can be put behind it. */
static enum cnv_status trim(const char *directory, char text[CNV_PATH_SIZE], struct cnv_error *err)
{
    size_t len = strlen(directory);

    while (len > 1 && directory[len - 1] == '/') {
        len--;
    }
    if (len == 0 || len + 32 > CNV_PATH_SIZE) {
        return cnv_fail(
            err, CNV_E_INPUT, "--out %.40s: expected the path of a directory", directory);
    }
    (void) snprintf(text, CNV_PATH_SIZE, "%.*s", (int) len, directory);
    return CNV_OK;
}

/* Room for the texts of a report: its model may still not fit. */
enum { PROBE_BYTES = 1 << 18 };

/* Tries to write beside where the report is to be: a full disk is better found before the run. */
static enum cnv_status probe(const char *path, struct cnv_error *err)
{
    char partial[CNV_PATH_SIZE];
    uint8_t *bytes = cnv_array_new(PROBE_BYTES, 1);
    struct cnv_error why = { .text = "out of memory" };
    enum cnv_status status = CNV_E_NOMEM;

    (void) snprintf(
        partial, sizeof(partial), "%.*s.probe-%ld", CNV_PATH_SIZE - 32, path, (long) getpid());
    if (bytes != NULL) {
        status = cnv_file_replace(partial, bytes, PROBE_BYTES, &why);
    }
    (void) unlink(partial);
    cnv_free(bytes);
    return status == CNV_OK ? CNV_OK
                            : cnv_fail(err, CNV_E_INPUT, "--out %.100s: %s", path, why.text);
}

enum cnv_status cnv_report_check(const char *directory, struct cnv_error *err)
{
    char path[CNV_PATH_SIZE];
    char parent[CNV_PATH_SIZE];
    char text[128];
    struct stat about;
    enum cnv_status status = trim(directory, path, err);

    if (status != CNV_OK) {
        return status;
    }
    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode)) {
        return cnv_fail(err, CNV_E_INPUT, "--out %s: is a file, expected a directory", path);
    }
    if (!cnv_directory_each(path, is_ours, NULL)) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "--out %s: holds files that are not of a report; name a new or empty directory",
            path);
    }
    (void) snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        (void) snprintf(parent, sizeof(parent), ".");
    } else {
        slash[slash == parent] = '\0';
    }
    if (access(parent, W_OK) != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "--out %s: cannot write in %s: %s",
                        path,
                        parent,
                        strerror_r(errno, text, sizeof(text)));
    }
    return probe(path, err);
}

void cnv_report_announce(const char *directory, FILE *out)
{
    char path[CNV_PATH_SIZE];

    if (cnv_path_join(path, directory, "run.json", NULL) != CNV_OK) {
        return;
    }
    json_t *root = json_load_file(path, 0, NULL);
    if (root != NULL) {
        (void) fprintf(out,
                       "%s: replaces the report of run %s (%s)\n",
                       directory,
                       cnv_json_text(root, "name", "?"),
                       cnv_json_text(root, "id", "?"));
    }
    json_decref(root);
}

static enum cnv_status write_blob(const char *directory,
                                  const char *name,
                                  const struct cnv_blob *blob,
                                  struct cnv_error *err)
{
    char path[CNV_PATH_SIZE];
    enum cnv_status status = cnv_path_join(path, directory, name, err);

    if (status == CNV_OK) {
        status = cnv_file_replace(path, cnv_blob_data(blob), cnv_blob_len(blob), err);
    }
    return status;
}

/* Takes root over. */
static enum cnv_status
write_json(const char *directory, const char *name, json_t *root, struct cnv_error *err)
{
    char path[CNV_PATH_SIZE];
    enum cnv_status status = cnv_path_join(path, directory, name, err);

    if (status == CNV_OK) {
        status = cnv_json_write(path, root, err);
    }
    json_decref(root);
    return status;
}

/* A number of the status, or null. */
static json_t *number_or_null(const json_t *status, const char *path)
{
    double value = cnv_json_number(status, path);

    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *copy_of(const json_t *status, const char *path)
{
    json_t *copy = json_deep_copy(cnv_json_at(status, path));

    return copy == NULL ? json_null() : copy;
}

static json_t *specification(const struct cnv_config *config)
{
    json_t *all = json_object();

    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
        (void) json_object_set_new(
            all, key->path, json_string(cnv_config_value(config, key->path)));
    }
    return all;
}

static json_t *run_json(const struct cnv_run_setup *setup, const json_t *status)
{
    static const char *const figures[] = { "state",      "reason",    "version",   "iteration",
                                           "seconds",    "exchanges", "bytes_up",  "bytes_down",
                                           "payload_up", "dimension", "features",  "total_rows",
                                           "digest",     "test",      "smoothness" };
    char host[256] = "";
    char path[64];
    json_t *final = json_object();

    (void) gethostname(host, sizeof(host) - 1);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        (void) snprintf(path, sizeof(path), "run/%s", figures[i]);
        (void) json_object_set_new(final, figures[i], copy_of(status, path));
    }
    (void) json_object_set_new(final, "loss", number_or_null(status, "run/loss"));
    (void) json_object_set_new(final, "policy", copy_of(status, "policy"));
    return json_pack("{s:i, s:s, s:s, s:s, s:{s:s}, s:s, s:o, s:o, s:o}",
                     "schema",
                     1,
                     "name",
                     cnv_config_text(setup->config, "run/name"),
                     "id",
                     cnv_json_text(status, "run/id", ""),
                     "host",
                     host,
                     "versions",
                     "convene",
                     CNV_VERSION,
                     "data",
                     setup->data,
                     "specification",
                     specification(setup->config),
                     "final",
                     final,
                     "agents",
                     copy_of(status, "agents"));
}

struct log_copy {
    const char *from;
    const char *to;
    struct cnv_error *err;
    enum cnv_status status;
};

static bool copy_log(void *self, const char *name)
{
    struct log_copy *copy = self;
    char from[CNV_PATH_SIZE];
    char to[CNV_PATH_SIZE];
    size_t len = strlen(name);

    if (len < 4 || strcmp(name + len - 4, ".log") != 0) {
        return true;
    }
    copy->status = cnv_path_join(from, copy->from, name, copy->err);
    if (copy->status == CNV_OK) {
        copy->status = cnv_path_join(to, copy->to, name, copy->err);
    }
    if (copy->status == CNV_OK) {
        copy->status = cnv_file_copy(from, to, copy->err);
    }
    return copy->status == CNV_OK;
}

static enum cnv_status
copy_logs(const char *directory, const struct cnv_run_result *result, struct cnv_error *err)
{
    char logs[CNV_PATH_SIZE];
    struct log_copy copy = { .from = result->workspace, .to = logs, .err = err };

    if (result->workspace[0] == '\0') {
        return CNV_OK;
    }
    enum cnv_status status = cnv_path_join(logs, directory, "logs", err);
    if (status == CNV_OK && mkdir(logs, 0777) != 0) {
        status = cnv_fail(err, CNV_E_SYSTEM, "cannot make %s", logs);
    }
    if (status == CNV_OK) {
        (void) cnv_directory_each(result->workspace, copy_log, &copy);
        status = copy.status;
    }
    return status;
}

static enum cnv_status fill(const char *directory,
                            const struct cnv_run_setup *setup,
                            const struct cnv_run_result *result,
                            struct cnv_error *err)
{
    enum cnv_status status = write_blob(directory, "rounds.csv", result->rows, err);

    if (status == CNV_OK) {
        status = write_blob(directory, "model.npy", result->model, err);
    }
    if (status == CNV_OK) {
        status = write_json(
            directory,
            "model.json",
            cnv_card_json(setup->config, cnv_json_at(result->status, "run"), setup->scale),
            err);
    }
    if (status == CNV_OK) {
        status = write_json(directory, "run.json", run_json(setup, result->status), err);
    }
    if (status == CNV_OK) {
        status = copy_logs(directory, result, err);
    }
    return status;
}

static enum cnv_status plot(const char *directory, struct cnv_error *err)
{
    char svg[CNV_PATH_SIZE];
    enum cnv_status status = cnv_path_join(svg, directory, "convergence.svg", err);

    return status == CNV_OK ? cnv_plot(&directory, 1, svg, err) : status;
}

enum cnv_status cnv_report_write(const char *directory,
                                 const struct cnv_run_setup *setup,
                                 const struct cnv_run_result *result,
                                 struct cnv_error *ret_plot,
                                 struct cnv_error *err)
{
    char path[CNV_PATH_SIZE];
    char partial[CNV_PATH_SIZE];
    char text[128];
    enum cnv_status status = trim(directory, path, err);

    if (status != CNV_OK) {
        return status;
    }
    (void) snprintf(
        partial, sizeof(partial), "%.*s.partial-%ld", CNV_PATH_SIZE - 32, path, (long) getpid());
    if (mkdir(partial, 0777) != 0) {
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "cannot make %s: %s",
                        partial,
                        strerror_r(errno, text, sizeof(text)));
    }
    status = fill(partial, setup, result, err);
    if (status == CNV_OK) {
        ret_plot->status = plot(partial, ret_plot);
    }
    if (status == CNV_OK && cnv_directory_each(path, is_ours, NULL)) {
        cnv_directory_remove(path);
    }
    if (status == CNV_OK && rename(partial, path) != 0) {
        status = cnv_fail(err,
                          CNV_E_SYSTEM,
                          "cannot move the report to %s: %s",
                          path,
                          strerror_r(errno, text, sizeof(text)));
    }
    if (status != CNV_OK) {
        cnv_directory_remove(partial);
    }
    return status;
}

static void print_test(const json_t *test, FILE *out)
{
    const char *metric = cnv_json_text(test, "metric", "");
    char text[CNV_FORMAT_SIZE];

    if (*metric != '\0') {
        (void) fprintf(out,
                       "test    %s %s on %" PRIu64 " rows\n",
                       metric,
                       cnv_format_number(text, cnv_json_number(test, "value"), 6),
                       cnv_json_count(test, "rows"));
    }
    if (cnv_json_count(test, "unknown") > 0) {
        (void) fprintf(out,
                       "        %" PRIu64 " of these rows have a label that the training data has "
                       "not: they count as wrong\n",
                       cnv_json_count(test, "unknown"));
    }
}

/* Of the model that round 1 started from, in rounds.csv; NaN: not evaluated. */
static double first_loss(const struct cnv_blob *rows)
{
    char text[256] = "";
    const char *at = text;

    (void) snprintf(
        text, sizeof(text), "%.*s", (int) cnv_blob_len(rows), (const char *) cnv_blob_data(rows));
    at += strcspn(at, "\n");
    for (int i = 1; i < LOSS_COLUMN && *at != '\0'; i++) {
        at += strcspn(at, ",");
        at += *at == ',' ? 1 : 0;
    }
    return *at == ',' || *at == '\0' ? (double) NAN : strtod(at, NULL);
}

static void print_loss(const struct cnv_run_result *result, FILE *out)
{
    double loss = cnv_json_number(result->status, "run/loss");
    double first = result->rows == NULL ? NAN : first_loss(result->rows);
    char text[2][CNV_FORMAT_SIZE];

    (void) fprintf(out, "loss    %s", cnv_format_number(text[0], loss, 10));
    if (!isnan(first) && !isnan(loss)) {
        (void) fprintf(out,
                       ", %s from %s",
                       loss > first ? "up" : "down",
                       cnv_format_number(text[1], first, 10));
    }
    (void) fprintf(
        out, "%s\n", loss > first ? ": a larger problem/l2 or smaller steps may help" : "");
}

void cnv_report_print(const struct cnv_run_result *result,
                      const char *directory,
                      const struct cnv_error *plot,
                      FILE *out)
{
    const json_t *status = result->status;
    char text[4][CNV_FORMAT_SIZE];

    (void) fprintf(out,
                   "%s: %s\n",
                   cnv_json_text(status, "run/state", "?"),
                   cnv_json_text(status, "run/reason", ""));
    (void) fprintf(out,
                   "rounds  %" PRIu64 " with %" PRIu64 " exchanges in %s\n",
                   cnv_json_count(status, "run/version"),
                   cnv_json_count(status, "run/exchanges"),
                   cnv_format_seconds(text[0], cnv_json_number(status, "run/seconds")));
    (void) fprintf(out,
                   "policy  %s: %s\n",
                   cnv_json_text(status, "policy/kind", "?"),
                   cnv_json_text(status, "policy/reason", ""));
    print_loss(result, out);
    print_test(cnv_json_at(status, "run/test"), out);
    (void) fprintf(out,
                   "sent    %s up (vectors %s), %s down\n",
                   cnv_format_bytes(text[1], cnv_json_number(status, "run/bytes_up")),
                   cnv_format_bytes(text[2], cnv_json_number(status, "run/payload_up")),
                   cnv_format_bytes(text[3], cnv_json_number(status, "run/bytes_down")));
    if (directory != NULL) {
        (void) fprintf(out,
                       "files   %s: rounds.csv model.npy model.json run.json%s%s\n",
                       directory,
                       plot->status == CNV_OK ? " convergence.svg" : "",
                       result->workspace[0] == '\0' ? "" : " logs/");
        if (plot->status != CNV_OK) {
            (void) fprintf(out, "        no convergence.svg: %s\n", plot->text);
        }
    }
}
