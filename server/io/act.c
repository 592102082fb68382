/*
 * act.c - carries out what the engine asks for: send, compute, keep, drop, tell.
 *
 * Happy path of a message: routing id, header, payload go to the socket without waiting. What can
 * fail: the peer's queue is full or too much is pinned (nothing is queued, the engine tries again
 * later); the peer is gone (marked, and told by cnv_daemon_settle, never from here). libzmq says
 * either on the routing id alone; once that is taken, header and payload are too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/log.h"
#include "io/internal.h"

/* Sends the three frames. errno as libzmq leaves it. */
static bool frames_send(void *socket,
                        const struct cnv_peer *peer,
                        const uint8_t *header,
                        size_t header_len,
                        zmq_msg_t *payload)
{
    if (zmq_send(socket, peer->route, peer->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return false;
    }
    if (zmq_send(socket, header, header_len, (payload == NULL ? 0 : ZMQ_SNDMORE) | ZMQ_DONTWAIT) <
        0) {
        return false;
    }
    return payload == NULL || zmq_msg_send(payload, socket, ZMQ_DONTWAIT) >= 0;
}

/* Says so when the limit is reached and when it no longer is, not while it lasts. */
static bool pinned_allows(struct cnv_daemon *daemon, size_t len)
{
    size_t bytes = atomic_load_explicit(&daemon->pinned.bytes, memory_order_relaxed);
    bool is_full = len >= CNV_FRAME_COPY_BELOW && bytes + len > daemon->pinned_max;

    if (is_full != daemon->is_pinned_full && (is_full || bytes <= daemon->pinned_max / 2)) {
        daemon->is_pinned_full = is_full;
        cnv_log(is_full ? CNV_LOG_WARN : CNV_LOG_INFO,
                is_full ? "pinned_full" : "pinned_free",
                "pinned_bytes=%zu limit=%zu",
                bytes,
                daemon->pinned_max);
    }
    return !is_full;
}

static size_t act_send(void *self,
                       cnv_peer_id id,
                       enum cnv_channel channel,
                       const struct cnv_message *message,
                       struct cnv_blob *blob,
                       size_t offset,
                       size_t len)
{
    struct cnv_daemon *daemon = self;
    struct cnv_peer *peer = cnv_peers_find(&daemon->peers, id);
    void *socket = channel == CNV_DATA ? daemon->data.socket : daemon->bulk.socket;
    bool has_payload = blob != NULL && len > 0;
    uint8_t header[CNV_HEADER_MAX];
    zmq_msg_t payload;

    if (peer == NULL || peer->is_gone || peer->channel != channel || socket == NULL ||
        !pinned_allows(daemon, has_payload ? len : 0)) {
        return 0;
    }
    size_t header_len = cnv_message_encode(message, header, sizeof(header));
    if (has_payload &&
        cnv_frame_from_blob(&payload, blob, offset, len, &daemon->pinned) != CNV_OK) {
        return 0;
    }
    if (frames_send(socket, peer, header, header_len, has_payload ? &payload : NULL)) {
        return header_len + (has_payload ? len : 0);
    }
    if (zmq_errno() == EHOSTUNREACH) {
        cnv_peers_mark_gone(&daemon->peers, peer);
    }
    if (has_payload) {
        (void) zmq_msg_close(&payload);
    }
    return 0;
}

static void act_submit(void *self, struct cnv_job *job)
{
    struct cnv_daemon *daemon = self;

    cnv_pool_submit(daemon->pool, job);
}

/* There is no state directory yet: a record is as durable as it gets. */
static void act_persist(void *self, const struct cnv_engine_record *record)
{
    struct cnv_daemon *daemon = self;

    daemon->has_persisted = true;
    daemon->persisted_version = record->version;
}

static void act_drop(void *self, cnv_peer_id id)
{
    struct cnv_daemon *daemon = self;
    struct cnv_peer *peer = cnv_peers_find(&daemon->peers, id);

    if (peer != NULL) {
        cnv_peers_remove(&daemon->peers, peer);
    }
}

/* What others can bring about as often as they like, and short rounds, get a line now and then. */
static enum cnv_log_level note_level(struct cnv_daemon *daemon,
                                     const struct cnv_engine_note *note,
                                     enum cnv_log_level level,
                                     unsigned *ret_skipped)
{
    const uint64_t now_ms = cnv_daemon_now(daemon);
    bool is_seldom = true;

    if (note->what == CNV_NOTE_COMMITTED) {
        is_seldom = cnv_limiter_allows(&daemon->commit_log, now_ms, 100, ret_skipped);
    } else if (note->what == CNV_NOTE_REFUSED) {
        is_seldom = cnv_limiter_allows(&daemon->refused_log, now_ms, 200, ret_skipped);
    } else if (note->what == CNV_NOTE_LOST && daemon->is_over) {
        level = CNV_LOG_INFO; /* that is how agents go when the run has ended */
    }
    return is_seldom ? level : CNV_LOG_DEBUG;
}

static void act_note(void *self, const struct cnv_engine_note *note)
{
    static const struct {
        const char *event;
        enum cnv_log_level level;
    } rows[] = {
        [CNV_NOTE_JOINED] = { "joined", CNV_LOG_INFO },
        [CNV_NOTE_RETURNED] = { "returned", CNV_LOG_INFO },
        [CNV_NOTE_LOST] = { "lost", CNV_LOG_WARN },
        [CNV_NOTE_LEFT] = { "left", CNV_LOG_INFO },
        [CNV_NOTE_REFUSED] = { "refused", CNV_LOG_WARN },
        [CNV_NOTE_COMMITTED] = { "committed", CNV_LOG_INFO },
        [CNV_NOTE_BALANCED] = { "balanced", CNV_LOG_INFO },
        [CNV_NOTE_RESTARTED] = { "restarted", CNV_LOG_WARN },
        [CNV_NOTE_STATE] = { "state", CNV_LOG_INFO },
        [CNV_NOTE_POLICY] = { "policy", CNV_LOG_INFO },
        [CNV_NOTE_SMOOTHNESS] = { "smoothness", CNV_LOG_INFO },
        [CNV_NOTE_STEEP] = { "steep", CNV_LOG_WARN },
    };
    struct cnv_daemon *daemon = self;
    struct cnv_engine_view view;
    unsigned skipped = 0;
    char count[32] = "";

    cnv_engine_view(daemon->engine, &view);
    daemon->is_over = view.state == CNV_RUN_FINISHED || view.state == CNV_RUN_FAILED;
    enum cnv_log_level level = note_level(daemon, note, rows[note->what].level, &skipped);
    if (skipped > 0) {
        (void) snprintf(count, sizeof(count), " skipped=%u", skipped);
    }
    cnv_log(level,
            rows[note->what].event,
            "%s%s%sround=%" PRIu64 " version=%" PRIu64 " state=%s%s%s%s%s%s",
            note->member == NULL ? "" : "agent=",
            note->member == NULL ? "" : note->member,
            note->member == NULL ? "" : " ",
            note->round,
            note->version,
            cnv_run_state_name(view.state),
            note->status == CNV_OK ? "" : " code=",
            note->status == CNV_OK ? "" : cnv_status_name(note->status),
            note->text == NULL || note->text[0] == '\0' ? "" : " why=",
            note->text == NULL || note->text[0] == '\0' ? "" : cnv_log_quote(note->text),
            count);
}

void cnv_act_refuse(struct cnv_daemon *daemon, struct cnv_peer *peer)
{
    struct cnv_message message = { .kind = CNV_KIND_ERROR };

    message.error.code = (uint64_t) -CNV_E_UNAUTHORIZED;
    message.error.fatal = true;
    strcpy(message.error.text, "your key was taken off the server's allow list");
    (void) act_send(daemon, peer->id, peer->channel, &message, NULL, 0, 0);
    cnv_engine_gone(daemon->engine, cnv_daemon_now(daemon), peer->id);
}

struct cnv_engine_io cnv_act_io(struct cnv_daemon *daemon)
{
    return (struct cnv_engine_io){
        .self = daemon,
        .send = act_send,
        .submit = act_submit,
        .persist = act_persist,
        .drop = act_drop,
        .note = act_note,
    };
}
