/*
 * post.c - messages out, and every byte of them counted.
 *
 * Nothing here waits for an answer: a message that is lost is sent again when a beat shows that
 * its receiver lacks it (recv_beat.c). Invariant: bytes are counted exactly when io.send says that
 * the message was queued.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

size_t cnv_post(struct cnv_engine *engine,
                struct cnv_member *member,
                enum cnv_channel channel,
                const struct cnv_message *message,
                struct cnv_blob *blob,
                size_t offset,
                size_t len)
{
    cnv_peer_id peer = channel == CNV_DATA ? member->peer : member->bulk_peer;
    size_t bytes = 0;

    if (peer != 0) {
        bytes = engine->io.send(engine->io.self, peer, channel, message, blob, offset, len);
        member->bytes_down += bytes;
        engine->bytes_down += bytes;
    }
    return bytes;
}

void cnv_post_header(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_message *message)
{
    (void) cnv_post(engine, member, CNV_DATA, message, NULL, 0, 0);
}

void cnv_post_stranger(struct cnv_engine *engine,
                       cnv_peer_id peer,
                       enum cnv_channel channel,
                       const struct cnv_message *message)
{
    engine->bytes_down += engine->io.send(engine->io.self, peer, channel, message, NULL, 0, 0);
}

static struct cnv_message
error_message(enum cnv_status status, bool is_fatal, uint64_t round, const char *text)
{
    struct cnv_message message = { .kind = CNV_KIND_ERROR };

    message.error.code = (uint64_t) -status;
    message.error.fatal = is_fatal;
    message.error.round = round;
    (void) snprintf(message.error.text, sizeof(message.error.text), "%s", text);
    return message;
}

void cnv_post_error(struct cnv_engine *engine,
                    struct cnv_member *member,
                    enum cnv_status status,
                    uint64_t round,
                    const char *text)
{
    struct cnv_message message = error_message(status, false, round, text);

    cnv_post_header(engine, member, &message);
}

void cnv_post_refusal(struct cnv_engine *engine,
                      cnv_peer_id peer,
                      enum cnv_status status,
                      const char *text)
{
    struct cnv_message message = error_message(status, true, 0, text);

    cnv_post_stranger(engine, peer, CNV_DATA, &message);
    engine->io.drop(engine->io.self, peer);
}

void cnv_post_rejoin(struct cnv_engine *engine, cnv_peer_id peer, enum cnv_channel channel)
{
    struct cnv_message message = { .kind = CNV_KIND_REJOIN };

    message.rejoin.server = engine->server;
    cnv_post_stranger(engine, peer, channel, &message);
}

void cnv_post_welcome(struct cnv_engine *engine, struct cnv_member *member)
{
    const struct cnv_settings *settings = &engine->settings;
    struct cnv_message message = { .kind = CNV_KIND_WELCOME };

    message.welcome.run = engine->run;
    memcpy(message.welcome.run_name, engine->run_name, sizeof(message.welcome.run_name));
    message.welcome.server = engine->server;
    message.welcome.incarnation = member->incarnation;
    message.welcome.token = member->token;
    message.welcome.shard = member->shard;
    message.welcome.shards = member->shards;
    message.welcome.heartbeat_ms = settings->heartbeat_ms;
    message.welcome.patience_ms = settings->patience_ms;
    message.welcome.chunk_bytes = settings->chunk_bytes;
    message.welcome.window = settings->window;
    (void) snprintf(
        message.welcome.bulk, sizeof(message.welcome.bulk), "%s", engine->bulk_endpoint);
    (void) cnv_post(
        engine, member, CNV_DATA, &message, engine->spec_blob, 0, cnv_blob_len(engine->spec_blob));
}

void cnv_post_shape(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_message message = { .kind = CNV_KIND_SHAPE };
    struct cnv_blob *labels = NULL;
    size_t bytes = engine->label_count * sizeof(*engine->labels);

    if (bytes > 0) {
        labels = cnv_blob_copy(engine->labels, bytes);
        if (labels == NULL) {
            return; /* the next beat asks again */
        }
    }
    message.shape.features = engine->features;
    message.shape.labels = engine->label_count;
    message.shape.rows = engine->total_rows;
    (void) cnv_post(engine, member, CNV_DATA, &message, labels, 0, bytes);
    cnv_blob_unref(labels);
}

void cnv_post_announce(struct cnv_engine *engine, struct cnv_member *member)
{
    const struct cnv_round *round = &engine->round;
    struct cnv_message message = { .kind = CNV_KIND_ANNOUNCE };

    message.announce.run = engine->run;
    message.announce.round = round->number;
    message.announce.attempt = round->announced;
    message.announce.version = engine->version;
    message.announce.iteration = engine->iteration;
    message.announce.local_steps = round->is_evaluation ? 0 : member->local_steps;
    memcpy(message.announce.solver, round->decision.solver, sizeof(message.announce.solver));
    memcpy(message.announce.plan, round->plan_text, sizeof(message.announce.plan));
    message.announce.evaluate = round->decision.evaluate || round->is_evaluation;
    if (!round->is_evaluation && round->decision.check_every > 0) {
        message.announce.check_every = round->decision.check_every;
        memcpy(message.announce.monitor, round->decision.monitor, sizeof(message.announce.monitor));
    }
    if (cnv_async_is_on(engine) && member->task.round != 0) {
        message.announce.round = member->task.round;
        message.announce.attempt = member->task.attempt;
        message.announce.version = member->task.version;
        message.announce.iteration = member->task.iteration;
    }
    message.announce.smoothness = engine->smoothness;
    member->announce_ms = engine->now_ms;
    cnv_post_header(engine, member, &message);
}

void cnv_post_beat(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_message message = { .kind = CNV_KIND_BEAT };

    message.beat.run = engine->run;
    message.beat.version = engine->version;
    if (engine->round.phase != CNV_PHASE_IDLE) {
        message.beat.round = engine->round.number;
        message.beat.attempt = engine->round.attempt;
        message.beat.exchange = engine->round.exchange;
    }
    (void) snprintf(
        message.beat.state, sizeof(message.beat.state), "%s", cnv_run_state_name(engine->state));
    cnv_post_header(engine, member, &message);
}

static struct cnv_message finish_message(const struct cnv_engine *engine)
{
    struct cnv_message message = { .kind = CNV_KIND_FINISH };

    message.finish.run = engine->run;
    message.finish.version = engine->version;
    message.finish.next = engine->has_next;
    message.finish.exit = engine->state == CNV_RUN_FAILED ? CNV_EXIT_FAILED : CNV_EXIT_DONE;
    (void) snprintf(message.finish.reason, sizeof(message.finish.reason), "%s", engine->reason);
    return message;
}

void cnv_post_finish(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_message message = finish_message(engine);

    cnv_post_header(engine, member, &message);
}

void cnv_post_finish_stranger(struct cnv_engine *engine, cnv_peer_id peer)
{
    struct cnv_message message = finish_message(engine);

    cnv_post_stranger(engine, peer, CNV_DATA, &message);
}

void cnv_note(struct cnv_engine *engine,
              int what,
              const struct cnv_member *member,
              enum cnv_status status,
              const char *text)
{
    struct cnv_engine_note note = {
        .member = member == NULL ? NULL : member->name,
        .round = engine->round.phase == CNV_PHASE_IDLE ? engine->version : engine->round.number,
        .version = engine->version,
        .status = status,
        .text = text,
    };

    note.what = what;
    engine->io.note(engine->io.self, &note);
}
