/*
 * join.c - becoming a member: the welcome, our data, the run's shape, ready.
 *
 * What fails: an answer is lost (what has no answer is said again with each beat, session.c); the
 * welcome comes again after a rejoin (everything is said again from memory, the application hears
 * nothing); it names another run or shard (all is forgotten, the application starts anew).
 * Invariant: WELCOME and SHAPE are delivered once for each run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "client/session_state.h"

static void say_loaded(struct cnv_session *session)
{
    struct cnv_message message = { .kind = CNV_KIND_LOADED, .loaded = session->loaded };

    (void) session->io.send(
        session->io.self, CNV_DATA, &message, session->labels, 0, cnv_blob_len(session->labels));
}

static void say_ready(struct cnv_session *session)
{
    struct cnv_message message = { .kind = CNV_KIND_READY, .ready = session->ready };

    (void) cnv_session_send(session, CNV_DATA, &message);
}

void cnv_session_say_member(struct cnv_session *session)
{
    if (session->is_loaded) {
        say_loaded(session);
    }
    if (session->is_ready) {
        say_ready(session);
    }
}

void cnv_session_forget_run(struct cnv_session *session)
{
    cnv_session_forget_round(session);
    cnv_blob_unref(session->model);
    cnv_blob_unref(session->values);
    cnv_blob_unref(session->labels);
    session->model = NULL;
    session->values = NULL;
    session->labels = NULL;
    session->commit = (struct cnv_msg_commit){ 0 };
    session->has_run = false;
    session->is_loaded = false;
    session->has_shape = false;
    session->is_ready = false;
    session->ready = (struct cnv_msg_ready){ 0 };
    session->has_finish = false;
    session->is_waiting = false;
    session->has_report = false;
}

/* Finds "path=" at the start of a line; the value ends with the line. */
static void spec_value(const char *spec, const char *path, char *value, size_t size)
{
    size_t len = strlen(path);

    value[0] = '\0';
    for (const char *line = spec; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, path, len) == 0 && line[len] == '=') {
            (void) snprintf(
                value, size, "%.*s", (int) strcspn(line + len + 1, "\r\n"), line + len + 1);
            return;
        }
    }
}

static void deliver_welcome(struct cnv_session *session, struct cnv_blob *payload)
{
    char name[16];
    char seed[24];
    struct cnv_event *event = cnv_session_event(session, CONVENE_WELCOME);

    if (event == NULL) {
        return;
    }
    event->spec = cnv_array_new(cnv_blob_len(payload) + 1, 1);
    if (event->spec == NULL) {
        convene_event_release(&event->event);
        cnv_session_lose(session, CNV_E_NOMEM, "out of memory for the specification");
        return;
    }
    if (cnv_blob_len(payload) > 0) {
        memcpy(event->spec, cnv_blob_data(payload), cnv_blob_len(payload));
    }
    event->event.spec = event->spec;
    memcpy(event->run_name, session->welcome.run_name, sizeof(event->run_name));
    event->event.shard = (uint32_t) session->welcome.shard;
    event->event.shards = (uint32_t) session->welcome.shards;
    spec_value(event->spec, "encoding/up", name, sizeof(name));
    spec_value(event->spec, "run/seed", seed, sizeof(seed));
    session->rounding.seed = strtoull(seed, NULL, 10);
    /* As in the trainer: any number of agents may hold shard 1 of 1. */
    session->rounding.stream =
        session->welcome.shards > 1
            ? session->welcome.shard
            : cnv_crc32c(0, (const uint8_t *) session->name, strlen(session->name));
    session->encoding_up = cnv_encoding_find(name[0] == '\0' ? "f64" : name);
    if (session->encoding_up == NULL) {
        convene_event_release(&event->event);
        cnv_session_lose(session, CNV_E_MISFIT, "the run's encoding/up is not known here");
        return;
    }
    cnv_session_deliver(session, event);
}

void cnv_session_recv_welcome(struct cnv_session *session,
                              uint64_t now_ms,
                              const struct cnv_msg_welcome *welcome,
                              struct cnv_blob *payload)
{
    bool is_same = session->has_run && welcome->run == session->welcome.run &&
                   welcome->shard == session->welcome.shard &&
                   welcome->shards == session->welcome.shards;

    if (session->is_welcome && welcome->incarnation <= session->welcome.incarnation &&
        welcome->server == session->welcome.server) {
        return; /* a copy, or the answer to an older hello */
    }
    if (welcome->chunk_bytes == 0 || welcome->window == 0 || welcome->heartbeat_ms == 0) {
        cnv_session_lose(
            session, CNV_E_MALFORMED, "the welcome names no chunk size, window or heartbeat");
        return;
    }
    if (!is_same) {
        cnv_session_forget_run(session);
    }
    session->welcome = *welcome;
    session->has_run = true;
    session->is_welcome = true;
    session->is_confirmed = false;
    session->upload.is_in = false; /* it may be another server */
    if (!is_same) {
        deliver_welcome(session, payload);
    }
    if (session->is_over) {
        return;
    }
    if (session->is_bulk_used) {
        cnv_session_attach(session);
    }
    cnv_session_say_state(session, now_ms);
    cnv_download_rewind(session, now_ms);
}

void cnv_session_recv_shape(struct cnv_session *session,
                            const struct cnv_msg_shape *shape,
                            struct cnv_blob *payload)
{
    if (!session->is_loaded || session->has_shape) {
        return;
    }
    if (cnv_blob_len(payload) != shape->labels * sizeof(double)) {
        return; /* damaged: loaded is said again and answered again */
    }
    struct cnv_event *event = cnv_session_event(session, CONVENE_SHAPE);
    if (event == NULL) {
        return;
    }
    if (shape->labels > 0) {
        event->labels = cnv_array_new((size_t) shape->labels, sizeof(double));
        if (event->labels == NULL) {
            convene_event_release(&event->event);
            cnv_session_lose(session, CNV_E_NOMEM, "out of memory for the label map");
            return;
        }
        memcpy(event->labels, cnv_blob_data(payload), cnv_blob_len(payload));
    }
    event->event.features = shape->features;
    event->event.labels = event->labels;
    event->event.label_count = (size_t) shape->labels;
    event->event.total_rows = shape->rows;
    session->has_shape = true;
    cnv_session_deliver(session, event);
}

enum cnv_status
cnv_session_loaded(struct cnv_session *session, uint64_t now_ms, const convene_data *data)
{
    (void) now_ms;
    if (data->rows == 0 || data->label_count > CNV_INLINE_MAX / sizeof(double)) {
        return CNV_E_INPUT;
    }
    for (size_t i = 0; i < data->label_count; i++) {
        /* Also false for NaN, which fits no order. */
        bool is_ascending =
            i == 0 ? data->labels[i] == data->labels[i] : data->labels[i] > data->labels[i - 1];
        if (!is_ascending) {
            return CNV_E_INPUT;
        }
    }
    struct cnv_blob *labels = NULL;
    if (data->label_count > 0) {
        labels = cnv_blob_copy(data->labels, data->label_count * sizeof(double));
        if (labels == NULL) {
            return CNV_E_NOMEM;
        }
    }
    cnv_blob_unref(session->labels);
    session->labels = labels;
    session->loaded = (struct cnv_msg_loaded){
        .rows = data->rows,
        .features = data->features,
        .labels = data->label_count,
    };
    session->is_loaded = true;
    if (session->is_welcome) {
        say_loaded(session);
    }
    return CNV_OK;
}

enum cnv_status cnv_session_ready(struct cnv_session *session,
                                  uint64_t now_ms,
                                  uint64_t dimension,
                                  double smoothness)
{
    (void) now_ms;
    if (!session->has_shape || dimension == 0 || !(smoothness >= 0) || isinf(smoothness)) {
        return CNV_E_INPUT;
    }
    session->ready = (struct cnv_msg_ready){ .dimension = dimension, .smoothness = smoothness };
    session->is_ready = true;
    if (session->is_welcome) {
        say_ready(session);
    }
    return CNV_OK;
}
