/*
 * submit.c - the next run of a living daemon: checked when it is submitted, begun when the one
 * before is over.
 *
 * Happy path: settings over those of the present run ► checked like a configuration, and an engine
 * made of them, so that nothing is left to go wrong ► the present run ends and nobody receives its
 * model any more ► the new engine takes its place, and every connection is asked to rejoin.
 * What can fail: a setting (refused in one line, nothing has changed); another run is queued
 * already (refused); run/start=model and the run before has left none (then that of the run before
 * it, as long as it is served; else the next run is dropped, and the log says so).
 * Invariant: an engine is replaced only between events, when it has no job under way.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "encodings/encoding.h"
#include "io/internal.h"
#include "model/model.h"
#include "proto/vector.h"
#include "report/report.h"

struct cnv_next_run {
    struct cnv_config *config;
    struct cnv_engine *engine;
    bool is_from_model; /* run/start=model */
};

void cnv_next_run_destroy(struct cnv_next_run *next)
{
    if (next != NULL) {
        cnv_engine_destroy(next->engine);
        cnv_config_destroy(next->config);
        cnv_free(next);
    }
}

/* Whether a key belongs to a run. The others are of the daemon's process, or of the agents'. */
static bool is_of_run(const char *path)
{
    static const char *const own[] = {
        "run/",           "stop/",       "problem/",     "solver/",      "policy/",
        "aggregate/",     "optimiser/",  "sync/",        "encoding/",    "data/shuffle",
        "data/scale",     "data/labels", "data/missing", "limits/drain", "limits/dimension",
        "limits/samples", NULL,
    };

    if (strcmp(path, "run/linger") == 0 || strcmp(path, "policy/plugins") == 0) {
        return false;
    }
    for (size_t i = 0; own[i] != NULL; i++) {
        size_t len = strlen(own[i]);

        if (strncmp(path, own[i], len) == 0 && (own[i][len - 1] == '/' || path[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static enum cnv_status take_line(struct cnv_config *config, const char *line, struct cnv_error *err)
{
    char path[64];

    (void) snprintf(path, sizeof(path), "%.*s", (int) strcspn(line, "="), line);
    enum cnv_status status = cnv_config_assign(config, line, "submit", err);
    if (status == CNV_OK && !is_of_run(path)) {
        status =
            cnv_fail(err,
                     CNV_E_INPUT,
                     "submit: %s is no setting of a run: it belongs to the process, and is set "
                     "where that is started",
                     path);
    }
    return status;
}

/* The settings of the next run: the present ones, and over them the lines of the payload. */
static enum cnv_status read_settings(const struct cnv_daemon *daemon,
                                     const char *text,
                                     struct cnv_config *config,
                                     struct cnv_error *err)
{
    const char *start = cnv_config_text(daemon->config, "run/start");
    bool is_of_one_run = strcmp(start, "model") == 0 || strchr(start, '.') != NULL;
    char *lines = cnv_string_new(text);
    enum cnv_status status = CNV_OK;

    if (lines == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "settings of a run");
    }
    /* A model to start from is for one run alone. */
    if (is_of_one_run) {
        status = cnv_config_set(config, "run/start", "zeros", "submit", err);
    }
    for (char *line = lines; status == CNV_OK && *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        char *after = *end == '\0' ? end : end + 1;

        *end = '\0';
        status = *line == '\0' ? CNV_OK : take_line(config, line, err);
        line = after;
    }
    cnv_free(lines);
    cnv_config_settle(config);
    return status == CNV_OK ? cnv_config_check(config, err) : status;
}

/* Whether the model that is served is that of a run before the present one, which is over and has
 * none. */
static bool is_before_served(const struct cnv_daemon *daemon)
{
    struct cnv_engine_view view;

    cnv_engine_view(daemon->engine, &view);
    return view.model == NULL && daemon->is_over && daemon->before.model != NULL;
}

/* Whether the model that is served, or will be, can be what the next run starts from. */
static enum cnv_status
model_suits(const struct cnv_daemon *daemon, const struct cnv_config *config, struct cnv_error *err)
{
    static const char *const keys[] = { "problem/kind", "problem/intercept", "problem/hidden" };
    const json_t *before = json_object_get(daemon->before.report, "config");
    bool is_before = is_before_served(daemon);
    struct cnv_engine_view view;

    cnv_engine_view(daemon->engine, &view);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *now = is_before ? json_string_value(json_object_get(before, keys[i]))
                                    : cnv_config_value(daemon->config, keys[i]);
        const char *then = cnv_config_value(config, keys[i]);

        if (now == NULL || strcmp(now, then) != 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "submit: run/start=model: the present model has %s=%.40s, the next run "
                            "%.40s",
                            keys[i],
                            now == NULL ? "?" : now,
                            then);
        }
    }
    if (view.model == NULL && daemon->is_over && !is_before) {
        return cnv_fail(err, CNV_E_INPUT, "submit: run/start=model: there is no model yet");
    }
    return CNV_OK;
}

static enum cnv_status make_next(struct cnv_daemon *daemon,
                                 const char *text,
                                 struct cnv_next_run *next,
                                 struct cnv_error *err)
{
    struct cnv_start start = { .has_card = false };

    next->config = cnv_config_copy(daemon->config);
    if (next->config == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "settings of a run");
    }
    enum cnv_status status = read_settings(daemon, text, next->config, err);
    if (status != CNV_OK) {
        return status;
    }
    next->is_from_model = strcmp(cnv_config_text(next->config, "run/start"), "model") == 0;
    if (next->is_from_model) {
        status = model_suits(daemon, next->config, err);
    }
    if (status == CNV_OK && !next->is_from_model) {
        status = cnv_start_read(next->config, &start, err);
    }
    if (status == CNV_OK) {
        status = cnv_daemon_engine(daemon, next->config, &start, &next->engine, err);
    }
    cnv_start_fini(&start);
    return status;
}

json_t *cnv_next_run_report(const struct cnv_daemon *daemon)
{
    struct cnv_engine_view view;

    if (daemon->next == NULL) {
        return json_null();
    }
    cnv_engine_view(daemon->next->engine, &view);
    return json_pack("{s:s, s:s, s:s}",
                     "name",
                     view.run_name,
                     "problem",
                     cnv_config_text(daemon->next->config, "problem/kind"),
                     "start",
                     cnv_config_text(daemon->next->config, "run/start"));
}

enum cnv_status
cnv_submit(struct cnv_daemon *daemon, const char *lines, size_t len, struct cnv_error *err)
{
    struct cnv_next_run *next = NULL;
    char *text = NULL;
    enum cnv_status status = CNV_E_NOMEM;

    if (daemon->is_leaving) {
        return cnv_fail(err, CNV_E_UNEXPECTED, "submit: the daemon is ending");
    }
    if (daemon->next != NULL) {
        return cnv_fail(
            err,
            CNV_E_FULL,
            "submit: another run is waiting for the present one to end already, named %.64s; "
            "only one can",
            cnv_config_text(daemon->next->config, "run/name"));
    }
    if (len > 0 && memchr(lines, '\0', len) != NULL) {
        return cnv_fail(err, CNV_E_INPUT, "submit: the settings have a NUL byte");
    }
    next = cnv_object_new(struct cnv_next_run);
    text = cnv_array_new(len + 1, 1);
    if (next == NULL || text == NULL) {
        (void) cnv_fail(err, status, "a run");
        goto done;
    }
    memcpy(text, lines, len);
    status = make_next(daemon, text, next, err);
    if (status != CNV_OK) {
        goto done;
    }
    cnv_log(CNV_LOG_INFO,
            "submitted",
            "run=%s",
            cnv_log_quote(cnv_config_text(next->config, "run/name")));
    daemon->next = next;
    next = NULL;
    cnv_engine_announce_next(daemon->engine);

done:
    cnv_next_run_destroy(next);
    cnv_free(text);
    return status;
}

/* Gives the next engine the model that is served. */
static enum cnv_status hand_model_over(struct cnv_daemon *daemon, struct cnv_error *err)
{
    const struct cnv_run_before *before = &daemon->before;
    bool is_before = is_before_served(daemon);
    struct cnv_engine_view view;
    enum cnv_status status = model_suits(daemon, daemon->next->config, err);

    if (status != CNV_OK) {
        return status; /* the present run was to leave a model, and has not */
    }
    cnv_engine_view(daemon->engine, &view);
    const struct cnv_encoding_ops *encoding =
        cnv_encoding_find(is_before ? before->encoding : view.model_encoding);
    size_t dimension = (size_t) (is_before ? before->dimension : view.dimension);
    struct cnv_blob *model = cnv_blob_new_raw(encoding->size(dimension));
    struct cnv_blob *values = cnv_blob_new_raw(dimension * sizeof(double));
    if (model == NULL || values == NULL) {
        cnv_blob_unref(model);
        cnv_blob_unref(values);
        return cnv_fail(err, CNV_E_NOMEM, "the model to start from");
    }
    cnv_vector_first(cnv_blob_data(is_before ? before->model : view.model),
                     dimension,
                     is_before ? before->width : view.model_width,
                     encoding->size(1),
                     cnv_blob_edit(model));
    /* Blobs are aligned to 64 bytes. */
    encoding->decode(
        cnv_blob_data(model), dimension, NULL, (double *) (void *) cnv_blob_edit(values));
    cnv_blob_unref(model);
    const struct cnv_engine_start start = {
        .values = values,
        .labels = is_before ? before->labels : view.labels,
        .label_count = is_before ? before->label_count : view.label_count,
        .has_labels = true,
    };
    if (!cnv_engine_start_from(daemon->next->engine, &start)) {
        status = cnv_fail(err, CNV_E_NOMEM, "the model to start from");
    }
    cnv_blob_unref(values);
    return status;
}

/* The new engine knows no connection: each is asked to say hello. Lost, it is asked after its next
 * beat. */
static void ask_to_rejoin(void *self, struct cnv_peer *peer)
{
    struct cnv_daemon *daemon = self;

    if (peer->channel == CNV_DATA) {
        cnv_engine_ask_hello(daemon->engine, cnv_daemon_now(daemon), peer->id);
    }
}

void cnv_submit_tick(struct cnv_daemon *daemon)
{
    struct cnv_next_run *next = daemon->next;
    struct cnv_error err = { .status = CNV_OK };

    if (next == NULL || daemon->is_leaving || !cnv_engine_is_done(daemon->engine) ||
        daemon->answers > 0 || cnv_pool_outstanding(daemon->pool) > 0) {
        return;
    }
    if (next->is_from_model && hand_model_over(daemon, &err) != CNV_OK) {
        cnv_log(CNV_LOG_ERROR, "next_run_dropped", "why=%s", cnv_log_quote(err.text));
        daemon->next = NULL;
        cnv_next_run_destroy(next);
        return;
    }
    cnv_model_keep(daemon);
    cnv_engine_expect(next->engine, daemon->engine);
    cnv_engine_destroy(daemon->engine);
    cnv_config_destroy(daemon->own_config);
    cnv_blob_unref(daemon->npy);
    daemon->engine = next->engine;
    daemon->own_config = next->config;
    daemon->config = next->config;
    daemon->npy = NULL;
    daemon->next = NULL;
    daemon->has_persisted = false;
    daemon->is_over = false;
    daemon->over_ms = 0;
    daemon->exit = CNV_EXIT_DONE;
    cnv_free(next);
    cnv_log(CNV_LOG_INFO,
            "next_run",
            "run=%s",
            cnv_log_quote(cnv_config_text(daemon->config, "run/name")));
    cnv_peers_each(&daemon->peers, ask_to_rejoin, daemon);
    cnv_daemon_settle(daemon);
}
