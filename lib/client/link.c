/*
 * link.c - a DEALER with a monitor, for the actor.
 *
 * Happy path: connect, handshake, UP, messages. What can go wrong: nobody listens (ABSENT, libzmq
 * retries), the connection breaks (DOWN, libzmq retries), the handshake fails. Measured with
 * libzmq 4.3.4: a client without keys at a CURVE server, or the other way round, gets a protocol
 * error; a key that is not on the list, an authentication error; both end libzmq's retries. With a
 * wrong *server* key the server just closes the connection, over and over. So does a proxy whose
 * server is not there yet, which is why that is given some seconds.
 */
#include "client/link.h"

#include <czmq.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "net/frame.h"
#include "net/resolve.h"

enum {
    LINK_QUEUE = 1024,      /* messages; what credit allows is far less */
    LINK_CONNECT_MS = 5000, /* for one attempt */
    LINK_RETRY_MS = 100,    /* between attempts to connect, doubling up to: */
    LINK_RETRY_MAX_MS = 1000,
    LINK_TURN_MS =
        1000, /* a host with both kinds of addresses is tried at the other after so long */
    LINK_CLOSE_QUICK_MS = 1000, /* a handshake that fails sooner was refused, not overtaken */
    LINK_CLOSE_PATIENCE_MS = 3000,
};

struct cnv_link {
    zsock_t *socket;
    zsock_t *monitor;
    bool has_keys;
    bool is_up;
    bool is_ipv6;
    uint64_t turned_ms; /* when it last went over to the other kind of address */
    uint64_t connected_ms;
    uint64_t closed_since_ms; /* first of the handshakes in a row that the server closed; 0: none */
    char endpoint[CNV_ENDPOINT_SIZE];
};

/* What libzmq still holds of our blobs. For the whole process: libzmq's own threads count here. */
static struct cnv_pinned pinned;

static bool monitor_open(struct cnv_link *link)
{
    static atomic_uint_fast64_t count;
    char place[64];
    int events = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED |
                 ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

    (void) snprintf(place,
                    sizeof(place),
                    "inproc://convene-link-%llu",
                    (unsigned long long) atomic_fetch_add(&count, 1));
    if (zmq_socket_monitor(zsock_resolve(link->socket), place, events) != 0) {
        return false;
    }
    link->monitor = zsock_new(ZMQ_PAIR);
    return link->monitor != NULL && zsock_connect(link->monitor, "%s", place) == 0;
}

/* Not by CZMQ's setters: they end the process when libzmq does not like a key. */
static bool keys_set(zsock_t *socket, const struct cnv_joinfile *keys)
{
    void *handle = zsock_resolve(socket);
    size_t len = CNV_KEY_SIZE;

    return zmq_setsockopt(handle, ZMQ_CURVE_SERVERKEY, keys->server_key, len) == 0 &&
           zmq_setsockopt(handle, ZMQ_CURVE_PUBLICKEY, keys->public_key, len) == 0 &&
           zmq_setsockopt(handle, ZMQ_CURVE_SECRETKEY, keys->secret_key, len) == 0;
}

enum cnv_status cnv_link_new(const char *endpoint,
                             const struct cnv_joinfile *keys,
                             size_t max_frame,
                             struct cnv_link **ret_link,
                             struct cnv_error *err)
{
    enum cnv_status status = CNV_E_SYSTEM;
    struct cnv_link *link = cnv_object_new(struct cnv_link);

    if (link == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "connection to %.120s", endpoint);
    }
    (void) snprintf(link->endpoint, sizeof(link->endpoint), "%s", endpoint);
    link->has_keys = keys != NULL;
    link->socket = zsock_new(ZMQ_DEALER);
    if (link->socket == NULL || !monitor_open(link)) {
        (void) cnv_fail(err, status, "no socket: %s", zmq_strerror(zmq_errno()));
        goto fail;
    }
    zsock_set_linger(link->socket, 0);
    zsock_set_immediate(link->socket, 1);
    zsock_set_sndhwm(link->socket, LINK_QUEUE);
    zsock_set_rcvhwm(link->socket, LINK_QUEUE);
    zsock_set_maxmsgsize(link->socket, (int) max_frame);
    zsock_set_reconnect_ivl(link->socket, LINK_RETRY_MS);
    zsock_set_reconnect_ivl_max(link->socket, LINK_RETRY_MAX_MS);
    link->is_ipv6 = cnv_resolve_needs_ipv6(endpoint);
    zsock_set_ipv6(link->socket, link->is_ipv6 ? 1 : 0);
    zsock_set_connect_timeout(link->socket, LINK_CONNECT_MS);
    if (keys != NULL && !keys_set(link->socket, keys)) {
        status = CNV_E_INPUT;
        (void) cnv_fail(err, status, "the keys in the join file are not CURVE keys");
        goto fail;
    }
    if (zmq_connect(zsock_resolve(link->socket), endpoint) != 0) {
        status = CNV_E_INPUT;
        (void) cnv_fail(err,
                        status,
                        "cannot connect to %.120s: %s; expected tcp://HOST:PORT or ipc://PATH",
                        endpoint,
                        zmq_strerror(zmq_errno()));
        goto fail;
    }
    *ret_link = link;
    return CNV_OK;

fail:
    cnv_link_destroy(link, 0);
    return status;
}

void cnv_link_destroy(struct cnv_link *link, int linger_ms)
{
    if (link == NULL) {
        return;
    }
    if (link->socket != NULL) {
        (void) zmq_socket_monitor(zsock_resolve(link->socket), NULL, 0);
        zsock_set_linger(link->socket, linger_ms);
    }
    zsock_destroy(&link->monitor);
    zsock_destroy(&link->socket);
    cnv_free(link);
}

void *cnv_link_socket(const struct cnv_link *link)
{
    return zsock_resolve(link->socket);
}

void *cnv_link_monitor(const struct cnv_link *link)
{
    return zsock_resolve(link->monitor);
}

/* --- Messages ----------------------------------------------------------------------------- */

size_t cnv_link_send(struct cnv_link *link,
                     const struct cnv_message *message,
                     struct cnv_blob *blob,
                     size_t offset,
                     size_t len)
{
    void *socket = zsock_resolve(link->socket);
    uint8_t header[CNV_HEADER_MAX];
    size_t header_len = cnv_message_encode(message, header, sizeof(header));
    zmq_msg_t payload;

    if (header_len == 0 || !link->is_up) {
        return 0;
    }
    if (blob == NULL) {
        return zmq_send(socket, header, header_len, ZMQ_DONTWAIT) < 0 ? 0 : header_len;
    }
    /* Made first: once the header is queued, the rest must follow. */
    if (cnv_frame_from_blob(&payload, blob, offset, len, &pinned) != CNV_OK) {
        return 0;
    }
    if (zmq_send(socket, header, header_len, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0 ||
        zmq_msg_send(&payload, socket, ZMQ_DONTWAIT) < 0) {
        (void) zmq_msg_close(&payload);
        return 0;
    }
    return header_len + len;
}

bool cnv_link_receive(struct cnv_link *link,
                      struct cnv_message *ret_message,
                      struct cnv_blob **ret_payload,
                      enum cnv_status *ret_status)
{
    void *socket = zsock_resolve(link->socket);
    struct cnv_blob *payload = NULL;
    zmq_msg_t part;

    (void) zmq_msg_init(&part);
    if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
        (void) zmq_msg_close(&part);
        return false;
    }
    memset(ret_message, 0, sizeof(*ret_message));
    *ret_status = cnv_message_decode(zmq_msg_data(&part), zmq_msg_size(&part), ret_message, NULL);
    /* The parts of a message arrive all or none; more than two are not ours. */
    for (unsigned i = 1; zmq_msg_more(&part) != 0 && zmq_msg_recv(&part, socket, 0) >= 0; i++) {
        bool is_last = zmq_msg_more(&part) == 0;

        if (i == 1 && is_last) {
            payload = cnv_frame_to_blob(&part);
        }
        if (payload == NULL) {
            *ret_status = CNV_E_MALFORMED;
        }
    }
    (void) zmq_msg_close(&part);
    *ret_payload = payload;
    return true;
}

/* --- News of the connection --------------------------------------------------------------- */

static enum cnv_link_news
refuse(const struct cnv_link *link, char *text, size_t size, const char *why)
{
    (void) snprintf(text, size, "%s refused the connection: %s", link->endpoint, why);
    return CNV_LINK_REFUSED;
}

/* The handshake failed for a reason libzmq does not know: the other side closed the connection. */
static enum cnv_link_news closed(struct cnv_link *link, uint64_t now_ms, char *text, size_t size)
{
    bool was_quick = now_ms - link->connected_ms < LINK_CLOSE_QUICK_MS;

    if (!link->has_keys || !was_quick) {
        link->closed_since_ms = 0;
        return CNV_LINK_ABSENT;
    }
    if (link->closed_since_ms == 0) {
        link->closed_since_ms = now_ms;
    }
    if (now_ms - link->closed_since_ms < LINK_CLOSE_PATIENCE_MS) {
        return CNV_LINK_NOTHING;
    }
    return refuse(link,
                  text,
                  size,
                  "it closes during the handshake; is the server's public key the right one?");
}

static enum cnv_link_news
handshake_failed(const struct cnv_link *link, uint32_t value, char *text, size_t size)
{
    if (value != ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH) {
        return refuse(link, text, size, "what listens there does not speak ZeroMQ as we do");
    }
    return refuse(link,
                  text,
                  size,
                  link->has_keys ? "we have keys, but the server uses none"
                                 : "it lets in only agents with a key (join file)");
}

/* Nobody listens at the kind of address we try: the host may have one of the other kind, or a name
 * that was not known before. */
static void turn(struct cnv_link *link, uint64_t now_ms)
{
    void *socket = zsock_resolve(link->socket);
    unsigned other = link->is_ipv6 ? CNV_FAMILY_4 : CNV_FAMILY_6;

    if (now_ms - link->turned_ms < LINK_TURN_MS) {
        return;
    }
    link->turned_ms = now_ms;
    if ((cnv_resolve_families(link->endpoint) & other) == 0) {
        return;
    }
    link->is_ipv6 = !link->is_ipv6;
    (void) zmq_disconnect(socket, link->endpoint);
    zsock_set_ipv6(link->socket, link->is_ipv6 ? 1 : 0);
    (void) zmq_connect(socket, link->endpoint);
}

enum cnv_link_news cnv_link_watch(struct cnv_link *link, uint64_t now_ms, char *text, size_t size)
{
    void *monitor = zsock_resolve(link->monitor);
    struct {
        uint16_t event;
        uint32_t value;
    } __attribute__((packed)) news = { 0, 0 };
    char address[CNV_ENDPOINT_SIZE];
    bool was_up = link->is_up;

    if (zmq_recv(monitor, &news, sizeof(news), ZMQ_DONTWAIT) != sizeof(news)) {
        return CNV_LINK_NOTHING;
    }
    (void) zmq_recv(monitor, address, sizeof(address), ZMQ_DONTWAIT);
    switch (news.event) {
    case ZMQ_EVENT_CONNECTED:
        link->connected_ms = now_ms;
        return CNV_LINK_NOTHING;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        link->is_up = true;
        link->closed_since_ms = 0;
        /* Makes the socket take note of its new connection, which a send right now would miss. */
        (void) zsock_events(link->socket);
        return CNV_LINK_UP;
    case ZMQ_EVENT_DISCONNECTED:
        link->is_up = false;
        return was_up ? CNV_LINK_DOWN : CNV_LINK_NOTHING;
    case ZMQ_EVENT_CONNECT_RETRIED:
        turn(link, now_ms);
        return CNV_LINK_ABSENT;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        return closed(link, now_ms, text, size);
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return handshake_failed(link, news.value, text, size);
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return refuse(link, text, size, "our key is not on the server's list");
    default:
        return CNV_LINK_NOTHING;
    }
}
