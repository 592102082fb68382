/*
 * link.h - one DEALER socket to the server, and what its monitor has to say.
 *
 * Belongs to the network thread. Sending never blocks; nothing is queued while there is no
 * connection (ZMQ_IMMEDIATE), because the session repeats whatever was lost. libzmq connects
 * anew by itself.
 */
#ifndef CNV_CLIENT_LINK_H
#define CNV_CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/status.h"
#include "client/joinfile.h"
#include "proto/message.h"

struct cnv_link;

/* What became of the connection. */
enum cnv_link_news {
    CNV_LINK_NOTHING,
    CNV_LINK_UP,      /* connected, keys accepted */
    CNV_LINK_DOWN,    /* there was a connection; libzmq tries to get another */
    CNV_LINK_ABSENT,  /* nobody listens, or the host is not known; libzmq tries again */
    CNV_LINK_REFUSED, /* trying again is useless: the text says why */
};

/*
 * Starts connecting to endpoint. keys NULL: without CURVE; borrowed for the call. Frames longer
 * than max_frame end the connection.
 *
 * CNV_E_INPUT: not an endpoint; CNV_E_SYSTEM: no socket to be had.
 */
CNV_MUST_CHECK enum cnv_status cnv_link_new(const char *endpoint,
                                            const struct cnv_joinfile *keys,
                                            size_t max_frame,
                                            struct cnv_link **ret_link,
                                            struct cnv_error *err);

/* What is queued gets linger_ms to leave. NULL is fine. */
void cnv_link_destroy(struct cnv_link *link, int linger_ms);

/* Handles for zmq_poll: messages, and news of the connection. */
void *cnv_link_socket(const struct cnv_link *link);
void *cnv_link_monitor(const struct cnv_link *link);

/*
 * Queues message, with payload blob[offset, offset + len) unless blob is NULL (shares blob where
 * the payload is larger than 64 KiB, else copies). Returns the bytes of all frames, 0 when
 * nothing was queued.
 */
size_t cnv_link_send(struct cnv_link *link,
                     const struct cnv_message *message,
                     struct cnv_blob *blob,
                     size_t offset,
                     size_t len);

/*
 * Takes one message off the queue; false when there is none. *ret_status is that of decoding;
 * *ret_payload, NULL without one, is the caller's to unref.
 */
bool cnv_link_receive(struct cnv_link *link,
                      struct cnv_message *ret_message,
                      struct cnv_blob **ret_payload,
                      enum cnv_status *ret_status);

/* Takes one report off the monitor; CNV_LINK_NOTHING when there is none, or it does not matter.
 * CNV_LINK_REFUSED fills text with one line. */
enum cnv_link_news cnv_link_watch(struct cnv_link *link, uint64_t now_ms, char *text, size_t size);

#endif
