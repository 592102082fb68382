/*
 * engine.c - makes and frees an engine, and takes each event to the file whose duty it is.
 *
 * Every event goes the same way: note the time, change what the event says, then let
 * cnv_round_advance do whatever has become possible. So an effect never depends on which event
 * made it possible, and the order of handlers within an event does not matter.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/policy.h"
#include "internal.h"

static uint64_t milliseconds(const struct cnv_config *config, const char *path)
{
    return (uint64_t) llround(cnv_config_real(config, path) * 1000.0);
}

static void engine_configure(struct cnv_settings *settings, const struct cnv_config *config)
{
    const char *start = cnv_config_text(config, "run/start");
    uint64_t slice_bytes = CNV_SLICE * sizeof(double);
    uint64_t least = 0;

    settings->agents = (size_t) cnv_config_integer(config, "run/agents");
    settings->shards = (uint32_t) cnv_config_integer(config, "run/shards");
    if (settings->shards == 0) {
        settings->shards = (uint32_t) settings->agents;
    }
    settings->rounds = (uint64_t) cnv_config_integer(config, "run/rounds");
    settings->iterations = (uint64_t) cnv_config_integer(config, "run/iterations");
    settings->seconds = cnv_config_real(config, "run/seconds");
    settings->start_mean = strcmp(start, "ones") == 0 ? 1.0 : 0.0;
    settings->start_scale =
        strcmp(start, "random") == 0 ? cnv_config_real(config, "run/start-scale") : 0.0;
    settings->seed = (uint64_t) cnv_config_integer(config, "run/seed");
    settings->stop_gradient = cnv_config_real(config, "stop/gradient");
    settings->stop_gradient_rms = cnv_config_real(config, "stop/gradient-rms");
    settings->stop_loss = cnv_config_real(config, "stop/loss");
    settings->stop_bytes = (uint64_t) cnv_config_integer(config, "stop/bytes");
    settings->is_uniform = strcmp(cnv_config_text(config, "aggregate/weighting"), "uniform") == 0;
    settings->is_shared = cnv_config_boolean(config, "data/shared");
    settings->is_async = strcmp(cnv_config_text(config, "sync/mode"), "async") == 0;
    settings->is_quorum = strcmp(cnv_config_text(config, "sync/mode"), "quorum") == 0;
    settings->quorum = cnv_config_real(config, "sync/quorum");
    settings->deadline_ms = (uint64_t) (1000 * cnv_config_real(config, "sync/deadline"));
    settings->contributions = (uint64_t) cnv_config_integer(config, "sync/contributions");
    settings->staleness = (uint64_t) cnv_config_integer(config, "sync/staleness");
    if (settings->staleness == 0) {
        settings->staleness = 10 * settings->agents;
    }
    settings->damping = cnv_config_real(config, "sync/damping");
    settings->heartbeat_ms = milliseconds(config, "limits/heartbeat");
    settings->patience_ms = milliseconds(config, "limits/patience");
    settings->drain_ms = milliseconds(config, "limits/drain");
    settings->rejoin_ms = milliseconds(config, "sync/rejoin");
    settings->chunk_bytes = (uint64_t) cnv_config_integer(config, "limits/chunk");
    settings->window = (uint64_t) cnv_config_integer(config, "limits/window");
    /* A window that holds two slices: one may be merged while the next comes in. */
    least = 2 * slice_bytes / settings->chunk_bytes + 2;
    settings->window = settings->window < least ? least : settings->window;
    settings->members_max = (size_t) cnv_config_integer(config, "limits/members");
    settings->dimension_max = (uint64_t) cnv_config_integer(config, "limits/dimension");
    settings->held_max = (uint64_t) cnv_config_integer(config, "limits/held");
    settings->samples_max = (uint64_t) cnv_config_integer(config, "limits/samples");
    settings->up = cnv_encoding_find(cnv_config_text(config, "encoding/up"));
    settings->down = cnv_encoding_find(cnv_config_text(config, "encoding/down"));
}

/* What a plug-in's solver needs of the server. */
static enum cnv_status check_plan(const struct cnv_config *config, struct cnv_error *err)
{
    const char *text = cnv_config_text(config, "solver/plan");
    struct cnv_plan plan;

    if (text[0] != '\0' &&
        (!cnv_plan_parse(text, &plan) || strcmp(plan.names[plan.count - 1], "model") != 0)) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "solver/plan=%.60s: allowed are at most %d of gradient, direction, loss, "
            "scale, monitor, auxiliary, batch, separated by commas, and model at the end",
            text,
            CNV_PLAN_MAX);
    }
    return CNV_OK;
}

/* Finds the three extensions and lets them read their keys. */
static enum cnv_status engine_equip(struct cnv_engine *engine, struct cnv_error *err)
{
    const struct cnv_config *config = engine->config;

    engine->aggregate = cnv_aggregate_find(cnv_config_text(config, "aggregate/kind"));
    engine->width = (struct cnv_width){ 1, 1, 1 };
    engine->optimiser = cnv_optimiser_find(cnv_config_text(config, "optimiser/kind"));
    if (engine->aggregate == NULL || engine->optimiser == NULL || engine->settings.up == NULL ||
        engine->settings.down == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "aggregator, optimiser or encoding not known");
    }
    enum cnv_status status = check_plan(config, err);
    if (status != CNV_OK) {
        return status;
    }
    engine->aggregate_state = cnv_array_new(1, engine->aggregate->state_size);
    engine->optimiser_state = cnv_array_new(1, engine->optimiser->state_size);
    if (engine->aggregate_state == NULL || engine->optimiser_state == NULL ||
        !cnv_places_new(engine)) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory for an engine");
    }
    status = cnv_policy_equip(engine, config, err);
    if (status == CNV_OK) {
        status = engine->aggregate->init(engine->aggregate_state, config, err);
    }
    return status;
}

enum cnv_status cnv_engine_new(const struct cnv_engine_setup *setup,
                               const struct cnv_engine_io *io,
                               uint64_t now_ms,
                               struct cnv_engine **ret_engine,
                               struct cnv_error *err)
{
    struct cnv_engine *engine = cnv_object_new(struct cnv_engine);
    enum cnv_status status = CNV_E_NOMEM;

    if (engine == NULL) {
        return cnv_fail(err, status, "out of memory for an engine");
    }
    engine->config = setup->config;
    engine->io = *io;
    engine->run = setup->run;
    engine->server = setup->server;
    engine->token_seed = setup->token_seed;
    engine->now_ms = now_ms;
    engine->final_loss = NAN;
    engine->previous_loss = NAN;
    engine->round.loss = NAN;
    engine->round.gradient_norm = NAN;
    engine->round.variance = NAN;
    engine->round.estimate = NAN;
    engine_configure(&engine->settings, setup->config);
    engine->beat_ms = now_ms + engine->settings.heartbeat_ms;
    (void) snprintf(engine->run_name,
                    sizeof(engine->run_name),
                    "%s",
                    cnv_config_text(setup->config, "run/name"));
    (void) snprintf(engine->reason,
                    sizeof(engine->reason),
                    "waiting for %zu of %zu agents",
                    engine->settings.agents,
                    engine->settings.agents);
    engine->spec_blob = cnv_blob_copy(setup->spec, strlen(setup->spec));
    engine->bulk_endpoint = cnv_string_new(setup->bulk_endpoint);
    if (engine->spec_blob == NULL || engine->bulk_endpoint == NULL) {
        (void) cnv_fail(err, status, "out of memory for an engine");
        goto fail;
    }
    status = engine_equip(engine, err);
    if (status != CNV_OK) {
        goto fail;
    }
    *ret_engine = engine;
    return CNV_OK;

fail:
    cnv_engine_destroy(engine);
    return status;
}

bool cnv_engine_start_from(struct cnv_engine *engine, const struct cnv_engine_start *start)
{
    double *labels = cnv_array_new(start->label_count, sizeof(*labels));

    if (labels == NULL) {
        return false;
    }
    if (start->label_count > 0) {
        memcpy(labels, start->labels, start->label_count * sizeof(*labels));
    }
    cnv_blob_unref(engine->start);
    cnv_free(engine->start_labels);
    engine->start = cnv_blob_ref(start->values);
    engine->start_labels = labels;
    engine->start_label_count = start->label_count;
    engine->has_start_labels = start->has_labels;
    return true;
}

void cnv_engine_destroy(struct cnv_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    cnv_round_abandon(engine);
    cnv_merge_forget(engine);
    for (size_t i = 0; i < engine->member_count; i++) {
        cnv_member_destroy(engine->members[i]);
    }
    cnv_policy_drop(engine);
    if (engine->aggregate_state != NULL && engine->aggregate->fini != NULL) {
        engine->aggregate->fini(engine->aggregate_state);
    }
    if (engine->has_optimiser && engine->optimiser->fini != NULL) {
        engine->optimiser->fini(engine->optimiser_state);
    }
    cnv_parcel_unref(engine->model);
    cnv_blob_unref(engine->start);
    cnv_free(engine->start_labels);
    cnv_blob_unref(engine->spec_blob);
    cnv_free(engine->bulk_endpoint);
    cnv_free(engine->aggregate_state);
    cnv_free(engine->optimiser_state);
    cnv_free(engine->places);
    cnv_free(engine->members);
    cnv_free(engine->labels);
    cnv_free(engine->previous_evaluators);
    cnv_free(engine->rows);
    cnv_free(engine);
}

/* What a member of the run says, by kind. */
static void engine_dispatch(struct cnv_engine *engine,
                            struct cnv_member *member,
                            const struct cnv_message *message,
                            struct cnv_blob *payload)
{
    switch ((unsigned) message->kind) {
    case CNV_KIND_LOADED:
        cnv_recv_loaded(engine, member, &message->loaded, payload);
        break;
    case CNV_KIND_READY:
        cnv_recv_ready(engine, member, &message->ready);
        break;
    case CNV_KIND_OFFER:
        cnv_recv_offer(engine, member, &message->offer, payload);
        break;
    case CNV_KIND_CHUNK:
        cnv_recv_chunk(engine, member, &message->chunk, payload);
        break;
    case CNV_KIND_CREDIT:
        cnv_recv_credit(engine, member, &message->credit);
        break;
    case CNV_KIND_BEAT:
        cnv_recv_beat(engine, member, &message->beat);
        break;
    case CNV_KIND_REPORT:
        cnv_recv_report(engine, member, &message->report);
        break;
    case CNV_KIND_LEAVE:
        cnv_note(engine, CNV_NOTE_LEFT, member, CNV_OK, message->leave.reason);
        cnv_member_leave(engine, member, message->leave.reason);
        break;
    case CNV_KIND_ERROR:
        break; /* what it could not read is repaired by its beats */
    default:
        cnv_post_error(engine, member, CNV_E_UNEXPECTED, 0, cnv_kind_name(message->kind));
        break;
    }
}

void cnv_engine_receive(struct cnv_engine *engine,
                        uint64_t now_ms,
                        cnv_peer_id peer,
                        enum cnv_channel channel,
                        const char *user,
                        const struct cnv_message *message,
                        struct cnv_blob *payload,
                        size_t wire_bytes)
{
    struct cnv_member *member = cnv_member_by_peer(engine, channel, peer);

    engine->now_ms = now_ms;
    engine->bytes_up += wire_bytes;
    if (message->kind == CNV_KIND_HELLO) {
        cnv_recv_hello(engine, peer, user, &message->hello, wire_bytes);
    } else if (message->kind == CNV_KIND_ATTACH) {
        cnv_recv_attach(engine, peer, &message->attach, wire_bytes);
    } else if (member != NULL) {
        member->bytes_up += wire_bytes;
        member->heard_ms = now_ms;
        if (member->state == CNV_MEMBER_LOST) {
            cnv_member_return(engine, member);
        }
        engine_dispatch(engine, member, message, payload);
    } else if (message->kind != CNV_KIND_ERROR && message->kind != CNV_KIND_LEAVE) {
        cnv_post_rejoin(engine, peer, channel);
    }
    cnv_round_advance(engine);
}

void cnv_engine_malformed(struct cnv_engine *engine,
                          uint64_t now_ms,
                          cnv_peer_id peer,
                          enum cnv_channel channel,
                          enum cnv_status status,
                          const struct cnv_error *err)
{
    struct cnv_message message = { .kind = CNV_KIND_ERROR };

    engine->now_ms = now_ms;
    message.error.code = (uint64_t) -status;
    message.error.fatal = status == CNV_E_VERSION;
    (void) snprintf(message.error.text,
                    sizeof(message.error.text),
                    "%s",
                    err != NULL ? err->text : cnv_status_text(status));
    cnv_post_stranger(engine, peer, channel, &message);
    cnv_note(engine,
             CNV_NOTE_REFUSED,
             cnv_member_by_peer(engine, channel, peer),
             status,
             message.error.text);
}

void cnv_engine_gone(struct cnv_engine *engine, uint64_t now_ms, cnv_peer_id peer)
{
    struct cnv_member *member = cnv_member_by_peer(engine, CNV_BULK, peer);

    engine->now_ms = now_ms;
    if (member != NULL) {
        member->bulk_peer = 0;
    }
    member = cnv_member_by_peer(engine, CNV_DATA, peer);
    if (member != NULL) {
        member->peer = 0;
        if (cnv_run_is_over(engine) && member->download.parcel == NULL) {
            /* What an agent does that was told so. */
            cnv_note(engine, CNV_NOTE_LEFT, member, CNV_OK, "the run is over");
            cnv_member_leave(engine, member, "the run is over");
        } else {
            cnv_member_lose(
                engine, member, now_ms + engine->settings.rejoin_ms, "its connection is gone");
        }
    }
    cnv_round_advance(engine);
}

void cnv_engine_probe(struct cnv_engine *engine, uint64_t now_ms)
{
    engine->now_ms = now_ms;
    for (size_t i = 0; i < engine->member_count; i++) {
        if (cnv_member_is_connected(engine->members[i])) {
            cnv_post_beat(engine, engine->members[i]);
        }
    }
}

static void tick_member(struct cnv_engine *engine, struct cnv_member *member, bool is_beat_due)
{
    char why[CNV_WHY_SIZE];
    uint64_t silence = engine->now_ms - member->heard_ms;

    if (cnv_member_is_connected(member) && silence > engine->settings.patience_ms) {
        (void) snprintf(why, sizeof(why), "silent for %" PRIu64 " s", silence / 1000);
        cnv_member_lose(engine, member, engine->now_ms, why);
    }
    if (cnv_run_is_over(engine) && member->download.parcel != NULL) {
        cnv_run_dismiss(engine, member);
    }
    if (cnv_member_is_connected(member) && is_beat_due) {
        cnv_post_beat(engine, member);
    }
    if (member->in_round) {
        cnv_offer_tick(engine, member);
    }
    cnv_outbox_pump(engine, member);
}

void cnv_engine_tick(struct cnv_engine *engine, uint64_t now_ms)
{
    bool is_beat_due = now_ms >= engine->beat_ms;

    engine->now_ms = now_ms;
    if (is_beat_due) {
        engine->beat_ms = now_ms + engine->settings.heartbeat_ms;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        tick_member(engine, engine->members[i], is_beat_due);
    }
    if (engine->state == CNV_RUN_DRAINING && now_ms >= engine->deadline_ms &&
        engine->round.phase != CNV_PHASE_COMMITTING) {
        cnv_run_end(engine, CNV_RUN_FINISHED, engine->reason);
    }
    if (engine->state == CNV_RUN_WAITING && engine->is_started) {
        cnv_run_check_stop(engine); /* run/seconds also ends a run that has no members */
    }
    cnv_round_advance(engine);
}

void cnv_engine_job_done(struct cnv_engine *engine, uint64_t now_ms, struct cnv_job *job)
{
    engine->now_ms = now_ms;
    cnv_merge_job_done(engine, job);
    cnv_round_advance(engine);
}

void cnv_engine_persisted(struct cnv_engine *engine, uint64_t now_ms, uint64_t version)
{
    engine->now_ms = now_ms;
    if (engine->round.phase == CNV_PHASE_COMMITTING && version == engine->version + 1) {
        cnv_commit_stand(engine);
    }
    cnv_round_advance(engine);
}

void cnv_engine_drain(struct cnv_engine *engine, uint64_t now_ms, const char *reason)
{
    char text[CNV_WHY_SIZE];

    engine->now_ms = now_ms;
    if (engine->state == CNV_RUN_WAITING || engine->state == CNV_RUN_RUNNING) {
        (void) snprintf(text, sizeof(text), "drained: %.140s", reason);
        engine->deadline_ms = now_ms + engine->settings.drain_ms;
        cnv_run_move(engine, CNV_RUN_DRAINING, text);
    }
    cnv_round_advance(engine);
}

void cnv_engine_stop(struct cnv_engine *engine, uint64_t now_ms, const char *reason)
{
    engine->now_ms = now_ms;
    if (cnv_run_is_over(engine)) {
        return;
    }
    if (engine->round.phase == CNV_PHASE_COMMITTING) {
        (void) snprintf(engine->ending, sizeof(engine->ending), "stopped: %.140s", reason);
        engine->stops_at_commit = true;
        return;
    }
    char text[CNV_WHY_SIZE];
    (void) snprintf(text, sizeof(text), "stopped: %.140s", reason);
    cnv_run_end(engine, CNV_RUN_FINISHED, text);
}

void cnv_engine_ask_hello(struct cnv_engine *engine, uint64_t now_ms, cnv_peer_id peer)
{
    engine->now_ms = now_ms;
    cnv_post_rejoin(engine, peer, CNV_DATA);
}
