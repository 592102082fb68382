/*
 * receive.c - messages of agents, and what becomes of their connections, told to the engine.
 *
 * A message is routing id, header, at most one payload. What does not look so, or cannot be
 * decoded, is reported as malformed; only the engine decides what that means.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/log.h"
#include "config/config.h"
#include "io/internal.h"

enum frame_of { FRAME_ROUTE, FRAME_HEADER, FRAME_PAYLOAD, FRAME_COUNT };

enum { PROBE_TICKS = 2, PROBE_PATIENCE = 3 };

/* Takes all frames of one message; those past FRAME_COUNT are dropped. Returns how many came. */
static size_t frames_receive(void *socket, zmq_msg_t *frames)
{
    size_t count = 0;
    int more = 1;

    for (size_t i = 0; i < FRAME_COUNT; i++) {
        (void) zmq_msg_init(&frames[i]);
    }
    while (more != 0) {
        zmq_msg_t spare;
        zmq_msg_t *frame = count < FRAME_COUNT ? &frames[count] : &spare;

        if (frame == &spare) {
            (void) zmq_msg_init(&spare);
        }
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            return 0;
        }
        more = zmq_msg_more(frame);
        if (frame == &spare) {
            (void) zmq_msg_close(&spare);
        }
        count++;
    }
    return count;
}

static void peer_forget_silent(void *self, struct cnv_peer *peer)
{
    struct cnv_daemon *daemon = self;
    double patience_ms = 1000 * cnv_config_real(daemon->config, "limits/patience");

    if ((double) (cnv_daemon_now(daemon) - peer->heard_ms) > PROBE_PATIENCE * patience_ms) {
        cnv_peers_mark_gone(&daemon->peers, peer);
    }
}

/* The peer the message is from, known or new; NULL: there is no room for another. */
static struct cnv_peer *peer_of(struct cnv_port *port, zmq_msg_t *route, zmq_msg_t *header)
{
    struct cnv_daemon *daemon = port->daemon;
    const char *user = NULL;
    unsigned skipped = 0;
    struct cnv_peer *peer =
        cnv_peers_route(&daemon->peers, port->channel, zmq_msg_data(route), zmq_msg_size(route));

    if (peer != NULL) {
        return peer;
    }
    if (daemon->peers.count >= daemon->peers_max) {
        cnv_peers_each(&daemon->peers, peer_forget_silent, daemon);
        cnv_daemon_settle(daemon);
    }
    if (daemon->peers.count < daemon->peers_max) {
        peer =
            cnv_peers_add(&daemon->peers, port->channel, zmq_msg_data(route), zmq_msg_size(route));
    }
    if (peer == NULL) {
        if (cnv_limiter_allows(&daemon->refused_log, cnv_daemon_now(daemon), 1000, &skipped)) {
            cnv_log(CNV_LOG_WARN,
                    "too_many_connections",
                    "known=%zu skipped=%u",
                    daemon->peers.count,
                    skipped);
        }
        return NULL;
    }
    user = zmq_msg_gets(header, "User-Id");
    (void) snprintf(peer->user, sizeof(peer->user), "%s", user == NULL ? "" : user);
    return peer;
}

static void message_deliver(struct cnv_port *port, zmq_msg_t *frames, size_t count)
{
    struct cnv_daemon *daemon = port->daemon;
    struct cnv_peer *peer = peer_of(port, &frames[FRAME_ROUTE], &frames[FRAME_HEADER]);
    struct cnv_blob *payload = NULL;
    struct cnv_message message;
    struct cnv_error err;

    if (peer == NULL || peer->is_refused) {
        return;
    }
    const uint64_t now_ms = cnv_daemon_now(daemon);
    const size_t bytes = zmq_msg_size(&frames[FRAME_HEADER]) + zmq_msg_size(&frames[FRAME_PAYLOAD]);
    peer->heard_ms = now_ms;
    enum cnv_status status = count < FRAME_HEADER + 1 || count > FRAME_COUNT
                                 ? cnv_fail(&err,
                                            CNV_E_MALFORMED,
                                            "message of %zu frames: must be header and payload",
                                            count - 1)
                                 : cnv_message_decode(zmq_msg_data(&frames[FRAME_HEADER]),
                                                      zmq_msg_size(&frames[FRAME_HEADER]),
                                                      &message,
                                                      &err);
    if (status != CNV_OK) {
        cnv_log(CNV_LOG_DEBUG,
                "malformed",
                "peer=%" PRIu64 " why=%s",
                peer->id,
                cnv_log_quote(err.text));
        cnv_engine_malformed(daemon->engine, now_ms, peer->id, port->channel, status, &err);
        return;
    }
    if (count > FRAME_PAYLOAD) {
        payload = cnv_frame_to_blob(&frames[FRAME_PAYLOAD]);
        if (payload == NULL) {
            return; /* as if it had been lost: beats repair it */
        }
    }
    cnv_engine_receive(daemon->engine,
                       now_ms,
                       peer->id,
                       port->channel,
                       peer->user[0] == '\0' ? NULL : peer->user,
                       &message,
                       payload,
                       bytes);
    cnv_blob_unref(payload);
}

void cnv_receive_message(void *self, void *socket)
{
    struct cnv_port *port = self;
    zmq_msg_t frames[FRAME_COUNT];
    size_t count = frames_receive(socket, frames);

    if (count > 0) {
        message_deliver(port, frames, count);
        cnv_daemon_settle(port->daemon);
    }
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        (void) zmq_msg_close(&frames[i]);
    }
}

/* Two frames: number and value of the event, and the address it is about. */
void cnv_receive_event(void *self, void *socket)
{
    struct cnv_port *port = self;
    struct cnv_daemon *daemon = port->daemon;
    unsigned skipped = 0;
    uint16_t event = 0;
    zmq_msg_t frames[FRAME_COUNT];

    if (frames_receive(socket, frames) > 0 && zmq_msg_size(&frames[0]) >= sizeof(event)) {
        memcpy(&event, zmq_msg_data(&frames[0]), sizeof(event));
    }
    if (event == ZMQ_EVENT_DISCONNECTED) {
        /* libzmq tells before it lets go of the connection: the first look may come too early. */
        daemon->probes = PROBE_TICKS;
    } else if (event != 0 &&
               cnv_limiter_allows(&daemon->refused_log, cnv_daemon_now(daemon), 1000, &skipped)) {
        cnv_log(CNV_LOG_WARN,
                "handshake_failed",
                "listen=%s skipped=%u why=\"no ZeroMQ peer, or its keys are wrong\"",
                port->text,
                skipped);
    }
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        (void) zmq_msg_close(&frames[i]);
    }
}
