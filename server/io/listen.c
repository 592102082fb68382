/*
 * listen.c - keys and sockets: who may reach the daemon, and where.
 *
 * Invariants: beyond this machine nobody is heard without CURVE, unless security/insecure says so;
 * the control socket is guarded by its file's permissions, or by a key whose name begins with
 * "operator".
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/log.h"
#include "config/config.h"
#include "io/internal.h"

enum { LINGER_MS = 500, ALLOW_CHECK_MS = 1000, BULK_HWM_SPARE = 16, PULL_BYTES = 2 * 65536 * 8 };

static void zap_asked(void *self, const char *address, const char *name, const char *text)
{
    struct cnv_daemon *daemon = self;
    unsigned skipped = 0;

    if (text != NULL) {
        cnv_log(CNV_LOG_ERROR, "allow_list_bad", "why=%s", cnv_log_quote(text));
    }
    if (name != NULL) {
        cnv_log(CNV_LOG_DEBUG, "key_allowed", "name=%s address=%s", name, cnv_log_quote(address));
    } else if (cnv_limiter_allows(&daemon->refused_log, cnv_daemon_now(daemon), 1000, &skipped)) {
        cnv_log(
            CNV_LOG_WARN, "key_refused", "address=%s skipped=%u", cnv_log_quote(address), skipped);
    }
}

static enum cnv_status security_open(struct cnv_daemon *daemon, struct cnv_error *err)
{
    const char *certificate = cnv_config_text(daemon->config, "security/certificate");
    const char *allow = cnv_config_text(daemon->config, "security/allow");

    if (certificate[0] == '\0') {
        return CNV_OK;
    }
    enum cnv_status status = cnv_certificate_load(certificate, &daemon->certificate, err);
    if (status == CNV_OK && daemon->certificate.secret_key[0] == '\0') {
        status = cnv_fail(err,
                          CNV_E_INPUT,
                          "security/certificate=%s: holds no secret key: this is the public half",
                          certificate);
    }
    if (status == CNV_OK && allow[0] == '\0') {
        status =
            cnv_fail(err,
                     CNV_E_INPUT,
                     "security/certificate needs security/allow: a file or directory that says "
                     "whose keys are let in");
    }
    if (status == CNV_OK) {
        status = cnv_allow_new(allow, &daemon->allow, err);
    }
    if (status == CNV_OK) {
        daemon->has_certificate = true;
        daemon->allow_generation = cnv_allow_generation(daemon->allow);
        status = cnv_zap_new(
            &daemon->loop, daemon->context, daemon->allow, zap_asked, daemon, &daemon->zap, err);
    }
    return status;
}

static enum cnv_status
endpoint_check(const struct cnv_daemon *daemon, const struct cnv_port *port, struct cnv_error *err)
{
    if (cnv_endpoint_is_local(&port->endpoint) || daemon->has_certificate ||
        cnv_config_boolean(daemon->config, "security/insecure")) {
        return CNV_OK;
    }
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s=%s reaches beyond this machine: set security/certificate, or "
                    "security/insecure=true",
                    port->key,
                    port->text);
}

static enum cnv_status port_open(struct cnv_daemon *daemon,
                                 struct cnv_port *port,
                                 const struct cnv_socket_setup *setup,
                                 struct cnv_error *err)
{
    (void) cnv_endpoint_format(&port->endpoint, port->text, sizeof(port->text));
    enum cnv_status status = endpoint_check(daemon, port, err);
    if (status == CNV_OK) {
        status = cnv_socket_new(daemon->context, setup, &port->socket, err);
    }
    if (status == CNV_OK) {
        status = cnv_socket_bind(port->socket, &port->endpoint, port->key, &port->endpoint, err);
    }
    if (status == CNV_OK) {
        port->is_bound = true;
        (void) cnv_endpoint_format(&port->endpoint, port->text, sizeof(port->text));
    }
    return status;
}

static enum cnv_status endpoints_read(struct cnv_daemon *daemon, struct cnv_error *err)
{
    const char *bulk = cnv_config_text(daemon->config, "listen/bulk");
    const char *control = cnv_config_text(daemon->config, "listen/control");
    char fallback[CNV_ENDPOINT_SIZE];

    daemon->data = (struct cnv_port){ .daemon = daemon, .key = "listen/data", .channel = CNV_DATA };
    daemon->bulk = (struct cnv_port){ .daemon = daemon, .key = "listen/bulk", .channel = CNV_BULK };
    daemon->control = (struct cnv_port){ .daemon = daemon, .key = "listen/control" };
    enum cnv_status status = cnv_endpoint_parse(
        cnv_config_text(daemon->config, "listen/data"), "listen/data", &daemon->data.endpoint, err);
    if (status == CNV_OK) {
        status = bulk[0] == '\0'
                     ? cnv_endpoint_next(&daemon->data.endpoint, &daemon->bulk.endpoint, err)
                     : cnv_endpoint_parse(bulk, "listen/bulk", &daemon->bulk.endpoint, err);
    }
    if (status == CNV_OK && control[0] == '\0') {
        control = cnv_endpoint_control(fallback, sizeof(fallback));
    }
    if (status == CNV_OK) {
        status = cnv_endpoint_parse(control, "listen/control", &daemon->control.endpoint, err);
    }
    return status == CNV_OK ? cnv_endpoint_control_directory(&daemon->control.endpoint, err)
                            : status;
}

/* Credit bounds what is under way to each peer; the mark only has to lie above it. */
static int bulk_hwm(const struct cnv_daemon *daemon)
{
    int64_t window = cnv_config_integer(daemon->config, "limits/window");
    int64_t least = PULL_BYTES / cnv_config_integer(daemon->config, "limits/chunk") + 2;

    return (int) (2 * (window > least ? window : least) + BULK_HWM_SPARE);
}

enum cnv_status cnv_listen_open(struct cnv_daemon *daemon, struct cnv_error *err)
{
    const int64_t chunk = cnv_config_integer(daemon->config, "limits/chunk");
    struct cnv_socket_setup setup = {
        .type = ZMQ_ROUTER,
        .linger_ms = LINGER_MS,
        .hwm = CNV_DATA_HWM,
        .message_bytes = CNV_DATA_BYTES,
        .is_mandatory = true,
    };
    enum cnv_status status = endpoints_read(daemon, err);

    if (status == CNV_OK) {
        status = security_open(daemon, err);
    }
    setup.certificate = daemon->has_certificate ? &daemon->certificate : NULL;
    if (status == CNV_OK) {
        status = port_open(daemon, &daemon->data, &setup, err);
    }
    setup.hwm = bulk_hwm(daemon);
    setup.message_bytes = chunk > CNV_HEADER_MAX ? chunk : CNV_HEADER_MAX;
    if (status == CNV_OK) {
        status = port_open(daemon, &daemon->bulk, &setup, err);
    }
    setup.hwm = CNV_DATA_HWM;
    setup.message_bytes = CNV_CONTROL_BYTES;
    if (cnv_endpoint_is_file(&daemon->control.endpoint)) {
        setup.certificate = NULL;
    }
    return status == CNV_OK ? port_open(daemon, &daemon->control, &setup, err) : status;
}

const char *cnv_listen_bulk_for_agents(const struct cnv_daemon *daemon, char *text, size_t size)
{
    const struct cnv_endpoint *data = &daemon->data.endpoint;
    struct cnv_endpoint bulk = daemon->bulk.endpoint;

    /* Agents know the host by the name they reached us under; ours may mean nothing to them, and
     * least of all an address that means any. */
    if (bulk.transport == CNV_TCP && data->transport == CNV_TCP &&
        (strcmp(bulk.host, data->host) == 0 || strcmp(bulk.host, "[::]") == 0 ||
         strcmp(bulk.host, "0.0.0.0") == 0)) {
        strcpy(bulk.host, "*");
    }
    return cnv_endpoint_format(&bulk, text, size);
}

/* Reports closed connections and failed handshakes of a port; its address is in the port's key. */
static enum cnv_status
monitor_start(struct cnv_daemon *daemon, struct cnv_port *port, struct cnv_error *err)
{
    const int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    char address[64];
    void *socket = zmq_socket(daemon->context, ZMQ_PAIR);
    enum cnv_status status = CNV_E_SYSTEM;

    (void) snprintf(address, sizeof(address), "inproc://monitor/%s", port->key);
    if (socket == NULL || zmq_socket_monitor(port->socket, address, events) != 0 ||
        zmq_connect(socket, address) != 0) {
        status = cnv_fail(
            err, CNV_E_SYSTEM, "cannot monitor %s: %s", port->key, zmq_strerror(zmq_errno()));
    } else {
        status = cnv_watch_new(&daemon->loop, socket, cnv_receive_event, port, &port->monitor, err);
    }
    if (status != CNV_OK && socket != NULL) {
        (void) zmq_close(socket);
    }
    return status;
}

enum cnv_status cnv_listen_start(struct cnv_daemon *daemon, struct cnv_error *err)
{
    enum cnv_status status = monitor_start(daemon, &daemon->data, err);

    if (status == CNV_OK) {
        status = cnv_watch_new(&daemon->loop,
                               daemon->data.socket,
                               cnv_receive_message,
                               &daemon->data,
                               &daemon->data.watch,
                               err);
    }
    if (status == CNV_OK) {
        status = cnv_watch_new(&daemon->loop,
                               daemon->bulk.socket,
                               cnv_receive_message,
                               &daemon->bulk,
                               &daemon->bulk.watch,
                               err);
    }
    if (status == CNV_OK) {
        status = cnv_watch_new(&daemon->loop,
                               daemon->control.socket,
                               cnv_control_message,
                               &daemon->control,
                               &daemon->control.watch,
                               err);
    }
    return status;
}

static void port_close(struct cnv_port *port)
{
    if (port->is_bound && cnv_endpoint_is_file(&port->endpoint)) {
        (void) unlink(port->endpoint.host); /* libzmq leaves it */
        port->is_bound = false;
    }
    cnv_watch_close(port->monitor, NULL, NULL);
    if (port->watch != NULL) {
        cnv_watch_close(port->watch, NULL, NULL);
    } else if (port->socket != NULL) {
        (void) zmq_close(port->socket);
    }
    port->monitor = NULL;
    port->watch = NULL;
    port->socket = NULL;
}

void cnv_listen_close(struct cnv_daemon *daemon)
{
    port_close(&daemon->data);
    port_close(&daemon->bulk);
    port_close(&daemon->control);
    cnv_zap_close(daemon->zap, NULL, NULL);
    daemon->zap = NULL;
}

static void peer_check_allowed(void *self, struct cnv_peer *peer)
{
    struct cnv_daemon *daemon = self;

    if (peer->user[0] == '\0' || peer->is_refused ||
        cnv_allow_has_name(daemon->allow, peer->user)) {
        return;
    }
    cnv_log(CNV_LOG_WARN, "session_ended", "name=%s why=\"taken off the allow list\"", peer->user);
    peer->is_refused = true;
    cnv_act_refuse(daemon, peer);
}

void cnv_listen_check_allow(struct cnv_daemon *daemon, bool is_asked)
{
    struct cnv_error err;

    if (daemon->allow == NULL || (!is_asked && cnv_daemon_now(daemon) < daemon->allow_ms)) {
        return;
    }
    daemon->allow_ms = cnv_daemon_now(daemon) + ALLOW_CHECK_MS;
    if ((is_asked ? cnv_allow_reload(daemon->allow, &err)
                  : cnv_allow_refresh(daemon->allow, &err)) != CNV_OK) {
        cnv_log(CNV_LOG_ERROR, "allow_list_bad", "why=%s", cnv_log_quote(err.text));
    }
    if (cnv_allow_generation(daemon->allow) != daemon->allow_generation) {
        daemon->allow_generation = cnv_allow_generation(daemon->allow);
        cnv_log(CNV_LOG_INFO, "allow_list", "keys=%zu", cnv_allow_count(daemon->allow));
        cnv_peers_each(&daemon->peers, peer_check_allowed, daemon);
        cnv_daemon_settle(daemon);
    }
}
