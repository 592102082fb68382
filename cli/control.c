/*
 * control.c - a DEALER socket, and libzmq's monitor to tell "nobody is there" from "no answer".
 *
 * Happy path: wait until the connection stands, send [header], receive [header][body] with our id.
 * What can fail: nobody listens (the monitor reports a retry, at once on this machine), the host
 * swallows packets (the time runs out unconnected), the daemon dies (disconnected), or it is there
 * and silent (the time runs out connected). ZMQ_IMMEDIATE keeps commands from piling up in a
 * connection that does not stand.
 */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "base/mem.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "proto/message.h"

enum { COMMANDS_HWM = 100 };

struct cnv_control {
    void *ctx;
    void *socket;
    void *monitor;
    uint64_t id; /* of the last command */
    bool is_patient;
    bool is_ipv6;      /* the kind of address that is tried */
    bool is_reached;   /* somebody accepted the connection */
    bool is_connected; /* and shook hands */
    bool is_refused;
    const char *payload; /* of the next command; NULL: none */
    char endpoint[256];
};

static int64_t now_ms(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_option(void *socket, int option, int value)
{
    (void) zmq_setsockopt(socket, option, &value, sizeof(value));
}

/* The DEALER, with keys if there are any. */
static enum cnv_status
new_socket(struct cnv_control *control, const struct cnv_joinfile *keys, struct cnv_error *err)
{
    struct cnv_certificate own = { .name = "" };
    struct cnv_socket_setup setup = { .type = ZMQ_DEALER,
                                      .hwm = COMMANDS_HWM,
                                      .message_bytes = -1 };

    if (keys != NULL) {
        (void) snprintf(own.public_key, sizeof(own.public_key), "%s", keys->public_key);
        (void) snprintf(own.secret_key, sizeof(own.secret_key), "%s", keys->secret_key);
        setup.certificate = &own;
        setup.server_key = keys->server_key;
    }
    enum cnv_status status = cnv_socket_new(control->ctx, &setup, &control->socket, err);
    if (status == CNV_OK) {
        set_option(control->socket, ZMQ_IMMEDIATE, 1);
        set_option(control->socket, ZMQ_RECONNECT_IVL, 20);
    }
    return status;
}

enum cnv_status cnv_control_open(const char *endpoint,
                                 const struct cnv_joinfile *keys,
                                 bool is_patient,
                                 struct cnv_control **ret_control,
                                 struct cnv_error *err)
{
    static const char monitor[] = "inproc://monitor";
    struct cnv_control *control = cnv_object_new(struct cnv_control);

    if (control == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    (void) snprintf(control->endpoint, sizeof(control->endpoint), "%s", endpoint);
    control->is_patient = is_patient;
    control->ctx = zmq_ctx_new();
    control->monitor = control->ctx == NULL ? NULL : zmq_socket(control->ctx, ZMQ_PAIR);
    if (control->monitor == NULL) {
        (void) cnv_fail(err, CNV_E_SYSTEM, "cannot make a socket: %s", zmq_strerror(errno));
        goto fail;
    }
    set_option(control->monitor, ZMQ_LINGER, 0);
    if (new_socket(control, keys, err) != CNV_OK) {
        goto fail;
    }
    if (zmq_socket_monitor(control->socket, monitor, ZMQ_EVENT_ALL) != 0 ||
        zmq_connect(control->monitor, monitor) != 0) {
        (void) cnv_fail(err, CNV_E_SYSTEM, "cannot watch a socket: %s", zmq_strerror(errno));
        goto fail;
    }
    control->is_ipv6 = cnv_resolve_needs_ipv6(endpoint);
    set_option(control->socket, ZMQ_IPV6, control->is_ipv6);
    if (zmq_connect(control->socket, endpoint) != 0) {
        (void) cnv_fail(err,
                        CNV_E_INPUT,
                        "cannot connect to '%s' (%s): expected ipc://PATH or tcp://HOST:PORT",
                        endpoint,
                        zmq_strerror(errno));
        goto fail;
    }
    *ret_control = control;
    return CNV_OK;

fail:
    cnv_control_close(control);
    return err == NULL ? CNV_E_SYSTEM : err->status;
}

void cnv_control_close(struct cnv_control *control)
{
    if (control == NULL) {
        return;
    }
    if (control->monitor != NULL) {
        (void) zmq_close(control->monitor);
    }
    if (control->socket != NULL) {
        (void) zmq_close(control->socket);
    }
    if (control->ctx != NULL) {
        (void) zmq_ctx_term(control->ctx);
    }
    cnv_free(control);
}

/* Nobody listens there: tries the host's IPv6 address, if it has one too and it was not that. */
static bool turn(struct cnv_control *control)
{
    if (control->is_ipv6 || (cnv_resolve_families(control->endpoint) & CNV_FAMILY_6) == 0) {
        return false;
    }
    control->is_ipv6 = true;
    (void) zmq_disconnect(control->socket, control->endpoint);
    set_option(control->socket, ZMQ_IPV6, 1);
    return zmq_connect(control->socket, control->endpoint) == 0;
}

/* Takes what the monitor has to say. An event is a frame [u16 event][u32 value] and an address. */
static void take_events(struct cnv_control *control)
{
    for (;;) {
        uint8_t bytes[256];
        uint16_t event = 0;

        if (zmq_recv(control->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT) < 6) {
            return;
        }
        memcpy(&event, bytes, sizeof(event));
        (void) zmq_recv(control->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT);
        switch (event) {
        case ZMQ_EVENT_CONNECTED:
            control->is_reached = true;
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            control->is_connected = true;
            control->is_refused = false;
            break;
        case ZMQ_EVENT_CONNECT_RETRIED:
            control->is_connected = false;
            control->is_refused = !turn(control);
            break;
        case ZMQ_EVENT_DISCONNECTED:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            control->is_connected = false;
            control->is_refused = true;
            break;
        default:
            break;
        }
    }
}

static enum cnv_status fail_refused(const struct cnv_control *control, struct cnv_error *err)
{
    if (control->is_reached) {
        return cnv_fail(
            err,
            CNV_E_UNREACHABLE,
            "%s ends the connection: the daemon is ending, or it asks for keys (give an operator's "
            "with --join)",
            control->endpoint);
    }
    return cnv_fail(err,
                    CNV_E_UNREACHABLE,
                    "no daemon answers at %s: is convened running, and is this its control socket?",
                    control->endpoint);
}

/* Waits until the socket can do wanted (ZMQ_POLLIN or ZMQ_POLLOUT). */
static enum cnv_status
wait_for(struct cnv_control *control, short wanted, int64_t deadline_ms, struct cnv_error *err)
{
    for (;;) {
        zmq_pollitem_t items[] = {
            { .socket = control->socket, .events = wanted },
            { .socket = control->monitor, .events = ZMQ_POLLIN },
        };
        int64_t left = deadline_ms - now_ms();

        if (zmq_poll(items, 2, left < 0 ? 0 : (long) left) < 0 && errno != EINTR) {
            return cnv_fail(err, CNV_E_SYSTEM, "cannot poll: %s", zmq_strerror(errno));
        }
        if ((items[0].revents & wanted) != 0) {
            return CNV_OK;
        }
        take_events(control);
        if (control->is_refused && !control->is_patient) {
            /* An answer that came before the end may not have been there when poll looked for it.
             */
            if (wanted == ZMQ_POLLIN && zmq_poll(items, 1, 0) > 0) {
                return CNV_OK;
            }
            return fail_refused(control, err);
        }
        if (left > 0) {
            continue;
        }
        if (!control->is_connected) {
            return cnv_fail(err,
                            CNV_E_UNREACHABLE,
                            "cannot reach %s: no connection within the time allowed (--timeout)",
                            control->endpoint);
        }
        return cnv_fail(err,
                        CNV_E_TIMEOUT,
                        "%s is there but does not answer within the time allowed (--timeout)",
                        control->endpoint);
    }
}

static enum cnv_status send_command(struct cnv_control *control,
                                    const char *command,
                                    const char *argument,
                                    struct cnv_error *err)
{
    struct cnv_message message = { .kind = CNV_KIND_COMMAND };
    uint8_t header[CNV_HEADER_MAX];

    message.command.id = ++control->id;
    (void) snprintf(message.command.command, sizeof(message.command.command), "%s", command);
    (void) snprintf(message.command.argument, sizeof(message.command.argument), "%s", argument);
    size_t len = cnv_message_encode(&message, header, sizeof(header));
    const char *payload = control->payload;
    control->payload = NULL;
    if (zmq_send(control->socket, header, len, ZMQ_DONTWAIT | (payload == NULL ? 0 : ZMQ_SNDMORE)) <
            0 ||
        (payload != NULL &&
         zmq_send(control->socket, payload, strlen(payload), ZMQ_DONTWAIT) < 0)) {
        return cnv_fail(err,
                        CNV_E_UNREACHABLE,
                        "cannot send to %s: %s",
                        control->endpoint,
                        zmq_strerror(errno));
    }
    return CNV_OK;
}

static void release_message(void *hint)
{
    (void) zmq_msg_close(hint);
    cnv_free(hint);
}

/* The bytes of one frame as a blob. NULL: no frame, or out of memory. */
static struct cnv_blob *receive_frame(void *socket)
{
    zmq_msg_t *frame = cnv_object_new(zmq_msg_t);

    if (frame == NULL) {
        return NULL;
    }
    (void) zmq_msg_init(frame);
    if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
        release_message(frame);
        return NULL;
    }
    struct cnv_blob *blob =
        cnv_blob_wrap(zmq_msg_data(frame), zmq_msg_size(frame), release_message, frame);
    if (blob == NULL) {
        release_message(frame);
    }
    return blob;
}

static bool has_more(void *socket)
{
    int more = 0;
    size_t size = sizeof(more);

    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

/* One reply with all its frames; *ret_ours is false for the answer to an earlier command. */
static enum cnv_status receive_reply(struct cnv_control *control,
                                     struct cnv_message *message,
                                     struct cnv_blob **ret_body,
                                     bool *ret_ours,
                                     struct cnv_error *err)
{
    struct cnv_blob *header = receive_frame(control->socket);
    struct cnv_blob *body = has_more(control->socket) ? receive_frame(control->socket) : NULL;
    enum cnv_status status = CNV_E_MALFORMED;

    while (has_more(control->socket)) {
        cnv_blob_unref(receive_frame(control->socket));
    }
    *ret_ours = false;
    if (header != NULL) {
        status = cnv_message_decode(cnv_blob_data(header), cnv_blob_len(header), message, err);
    }
    cnv_blob_unref(header);
    if (status == CNV_OK && message->kind == CNV_KIND_REPLY && message->reply.id == control->id) {
        *ret_ours = true;
        *ret_body = body;
        return CNV_OK;
    }
    cnv_blob_unref(body);
    if (status != CNV_OK || (message->kind != CNV_KIND_REPLY && message->kind != CNV_KIND_ERROR)) {
        return cnv_fail(err,
                        CNV_E_UNREACHABLE,
                        "%s does not speak convene's control protocol, version %d",
                        control->endpoint,
                        CNV_PROTOCOL_VERSION);
    }
    if (message->kind == CNV_KIND_ERROR) {
        return cnv_fail(err, CNV_E_UNREACHABLE, "%s: %s", control->endpoint, message->error.text);
    }
    return CNV_OK;
}

/* A failure the daemon reports, as our own status. */
static enum cnv_status status_of_code(uint64_t code)
{
    switch (code) {
#define CNV_CASE(symbol, number, scope, name, text)                                                \
    case number:                                                                                   \
        return symbol;
        CNV_STATUS_LIST(CNV_CASE)
#undef CNV_CASE
    default:
        return CNV_E_SYSTEM;
    }
}

void cnv_control_attach(struct cnv_control *control, const char *text)
{
    control->payload = text;
}

enum cnv_status cnv_control_call(struct cnv_control *control,
                                 const char *command,
                                 const char *argument,
                                 int64_t timeout_ms,
                                 struct cnv_blob **ret_body,
                                 struct cnv_error *err)
{
    int64_t deadline_ms = now_ms() + timeout_ms;
    struct cnv_message message = { 0 };
    bool ours = false;

    *ret_body = NULL;
    enum cnv_status status = wait_for(control, ZMQ_POLLOUT, deadline_ms, err);
    if (status == CNV_OK) {
        status = send_command(control, command, argument, err);
    }
    while (status == CNV_OK && !ours) {
        status = wait_for(control, ZMQ_POLLIN, deadline_ms, err);
        if (status == CNV_OK) {
            status = receive_reply(control, &message, ret_body, &ours, err);
        }
    }
    if (status == CNV_OK && message.reply.code != 0) {
        status = cnv_fail(err, status_of_code(message.reply.code), "%s", message.reply.text);
    }
    return status;
}
