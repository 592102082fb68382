/* socket.h - ZeroMQ sockets with the options all our programs need, in one call. */
#ifndef CNV_NET_SOCKET_H
#define CNV_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "net/certificate.h"
#include "net/endpoint.h"

/* ZAP domain of sockets with CURVE; the name itself has no meaning. */
#define CNV_ZAP_DOMAIN "convene"

struct cnv_socket_setup {
    int type;              /* ZMQ_ROUTER, ... */
    int linger_ms;         /* how long closing waits for what is queued */
    int hwm;               /* messages queued per peer and direction */
    int64_t message_bytes; /* a peer that sends a larger frame is disconnected; -1: no limit.
                              With CURVE a few bytes more: those that it adds */
    bool is_mandatory;     /* ROUTER: unknown peers give EHOSTUNREACH */
    const struct cnv_certificate *certificate; /* own keys; NULL: no CURVE */
    const char
        *server_key; /* the server's public key: we are the client; NULL: we are the server */
};

/* Makes a socket (IPv6 on). CNV_E_NOMEM, CNV_E_SYSTEM (an option was refused). */
CNV_MUST_CHECK enum cnv_status cnv_socket_new(void *context,
                                              const struct cnv_socket_setup *setup,
                                              void **ret_socket,
                                              struct cnv_error *err);

/*
 * Binds and gives back where it listens, wildcard port resolved. A file of an ipc endpoint is for
 * its owner alone (0600); one that nobody listens on any more is replaced. key names the setting
 * in the error. CNV_E_SYSTEM: in use. CNV_E_INPUT: no such address on this machine.
 */
CNV_MUST_CHECK enum cnv_status cnv_socket_bind(void *socket,
                                               const struct cnv_endpoint *endpoint,
                                               const char *key,
                                               struct cnv_endpoint *ret_bound,
                                               struct cnv_error *err);

#endif
