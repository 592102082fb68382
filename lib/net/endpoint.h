/* endpoint.h - what can be said about "tcp://host:port" and "ipc://path" without connecting. */
#ifndef CNV_NET_ENDPOINT_H
#define CNV_NET_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { CNV_ENDPOINT_SIZE = 256 };

enum cnv_transport { CNV_TCP, CNV_IPC };

/* The parts of an endpoint. */
struct cnv_endpoint {
    enum cnv_transport transport;
    char host[CNV_ENDPOINT_SIZE]; /* tcp: "host", "1.2.3.4", "[::1]", "*"; ipc: the path */
    uint16_t port;                /* tcp; 0: any free one ("*") */
};

/* CNV_E_INPUT with a line that starts with key ("listen/data"): neither tcp://HOST:PORT nor
 * ipc://PATH, a port outside 0..65535, or too long. */
CNV_MUST_CHECK enum cnv_status cnv_endpoint_parse(const char *text,
                                                  const char *key,
                                                  struct cnv_endpoint *ret_endpoint,
                                                  struct cnv_error *err);

/* The text again; port 0 is written "*". Returns text. */
const char *cnv_endpoint_format(const struct cnv_endpoint *endpoint, char *text, size_t size);

/*
 * Where bulk listens when it is not said: the next port (any free one stays any), the path with
 * ".bulk" behind it. CNV_E_INPUT: there is no port after 65535, or the path gets too long.
 */
CNV_MUST_CHECK enum cnv_status cnv_endpoint_next(const struct cnv_endpoint *endpoint,
                                                 struct cnv_endpoint *ret_next,
                                                 struct cnv_error *err);

/* Only this machine can reach it: ipc, 127.0.0.0/8, [::1], localhost. */
bool cnv_endpoint_is_local(const struct cnv_endpoint *endpoint);

/* Guarded by the permissions of a file: ipc, unless the name is abstract ("ipc://@name"). */
bool cnv_endpoint_is_file(const struct cnv_endpoint *endpoint);

/*
 * The control socket where none is named: convene.control under XDG_RUNTIME_DIR, else under
 * /tmp/convene-UID. Returns text.
 */
const char *cnv_endpoint_control(char *text, size_t size);

/*
 * Makes the directory of that default under /tmp, for its owner alone. Nothing happens for any
 * other endpoint. CNV_E_SYSTEM: it exists but belongs to or is open to someone else, or cannot be
 * made.
 */
CNV_MUST_CHECK enum cnv_status cnv_endpoint_control_directory(const struct cnv_endpoint *endpoint,
                                                              struct cnv_error *err);

#endif
