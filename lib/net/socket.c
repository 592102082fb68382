/* socket.c - options and binding. A Unix socket in use is found by connecting, for libzmq would
 * take its path over without a word. */
#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "net/resolve.h"

/* What CURVE adds to a frame: a command's name and nonce, flags, a code; libzmq's limit counts it.
 */
enum { CURVE_BYTES = 64 };

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static bool set_text(void *socket, int option, const char *value)
{
    return zmq_setsockopt(socket, option, value, strlen(value)) == 0;
}

static bool set_curve(void *socket, const struct cnv_socket_setup *setup)
{
    if (setup->certificate == NULL) {
        return true;
    }
    bool is_set = setup->server_key == NULL
                      ? set_int(socket, ZMQ_CURVE_SERVER, 1) &&
                            set_text(socket, ZMQ_ZAP_DOMAIN, CNV_ZAP_DOMAIN)
                      : set_text(socket, ZMQ_CURVE_SERVERKEY, setup->server_key);

    return is_set && set_text(socket, ZMQ_CURVE_PUBLICKEY, setup->certificate->public_key) &&
           set_text(socket, ZMQ_CURVE_SECRETKEY, setup->certificate->secret_key);
}

enum cnv_status cnv_socket_new(void *context,
                               const struct cnv_socket_setup *setup,
                               void **ret_socket,
                               struct cnv_error *err)
{
    void *socket = zmq_socket(context, setup->type);
    bool has_limit = setup->message_bytes >= 0;
    int64_t message_bytes =
        setup->message_bytes + (has_limit && setup->certificate != NULL ? CURVE_BYTES : 0);

    if (socket == NULL) {
        return cnv_fail(err, CNV_E_SYSTEM, "cannot make a socket: %s", zmq_strerror(zmq_errno()));
    }
    if (!set_int(socket, ZMQ_LINGER, setup->linger_ms) || !set_int(socket, ZMQ_IPV6, 1) ||
        !set_int(socket, ZMQ_SNDHWM, setup->hwm) || !set_int(socket, ZMQ_RCVHWM, setup->hwm) ||
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_bytes, sizeof(message_bytes)) != 0 ||
        (setup->is_mandatory && !set_int(socket, ZMQ_ROUTER_MANDATORY, 1)) ||
        !set_curve(socket, setup)) {
        enum cnv_status status = cnv_fail(
            err, CNV_E_SYSTEM, "cannot set a socket option: %s", zmq_strerror(zmq_errno()));

        (void) zmq_close(socket);
        return status;
    }
    *ret_socket = socket;
    return CNV_OK;
}

/* Does anybody accept connections on this path? */
static bool ipc_is_answered(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1); /* cnv_endpoint_parse saw to the length */
    bool is_answered = connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0 ||
                       errno == EAGAIN || errno == EINPROGRESS;
    (void) close(fd);
    return is_answered;
}

static enum cnv_status
bind_failed(int why, const char *text, const char *key, struct cnv_error *err)
{
    enum cnv_status status =
        why == EADDRINUSE || why == EACCES || why == EMFILE ? CNV_E_SYSTEM : CNV_E_INPUT;

    return cnv_fail(err,
                    status,
                    "%s=%s: cannot listen: %s",
                    key,
                    text,
                    why == ENODEV ? "this host has no such name, address or interface"
                                  : zmq_strerror(why));
}

static enum cnv_status bind_ipc(void *socket,
                                const struct cnv_endpoint *endpoint,
                                const char *text,
                                const char *key,
                                struct cnv_error *err)
{
    if (!cnv_endpoint_is_file(endpoint)) {
        return zmq_bind(socket, text) == 0 ? CNV_OK : bind_failed(zmq_errno(), text, key, err);
    }
    if (ipc_is_answered(endpoint->host)) {
        return bind_failed(EADDRINUSE, text, key, err);
    }
    struct stat is;
    if (lstat(endpoint->host, &is) == 0 && !S_ISSOCK(is.st_mode)) {
        return cnv_fail(
            err, CNV_E_INPUT, "%s=%s: a file that is no socket is in the way", key, text);
    }
    mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
    int result = zmq_bind(socket, text);
    int why = zmq_errno();
    (void) umask(before);
    return result == 0 ? CNV_OK : bind_failed(why, text, key, err);
}

/* libzmq binds to addresses and interfaces; what it does not know as either may be a name. */
static bool bind_tcp(void *socket, const struct cnv_endpoint *endpoint, const char *text)
{
    struct cnv_endpoint address;
    char numeric[CNV_ENDPOINT_SIZE + 16];

    if (zmq_bind(socket, text) == 0) {
        return true;
    }
    if (zmq_errno() != ENODEV) {
        return false;
    }
    if (!cnv_resolve_address(endpoint, &address)) {
        errno = ENODEV;
        return false;
    }
    return zmq_bind(socket, cnv_endpoint_format(&address, numeric, sizeof(numeric))) == 0;
}

enum cnv_status cnv_socket_bind(void *socket,
                                const struct cnv_endpoint *endpoint,
                                const char *key,
                                struct cnv_endpoint *ret_bound,
                                struct cnv_error *err)
{
    char text[CNV_ENDPOINT_SIZE + 16];

    (void) cnv_endpoint_format(endpoint, text, sizeof(text));
    if (endpoint->transport == CNV_IPC) {
        enum cnv_status status = bind_ipc(socket, endpoint, text, key, err);

        if (status == CNV_OK) {
            *ret_bound = *endpoint;
        }
        return status;
    }
    if (!bind_tcp(socket, endpoint, text)) {
        return bind_failed(zmq_errno(), text, key, err);
    }
    size_t size = sizeof(text);
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, text, &size) != 0) {
        return bind_failed(zmq_errno(), text, key, err);
    }
    /* Only the port is news: the host comes back as "[::ffff:127.0.0.1]". */
    struct cnv_endpoint last;
    enum cnv_status status = cnv_endpoint_parse(text, key, &last, err);
    if (status == CNV_OK) {
        *ret_bound = *endpoint;
        ret_bound->port = last.port;
    }
    return status;
}
