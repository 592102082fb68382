/*
 * fake_server.h - a server's sockets without a server: tests say what it answers, step by step.
 *
 * One agent at a time. Not thread-safe: one thread drives it.
 */
#ifndef CNV_TESTS_FAKE_SERVER_H
#define CNV_TESTS_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/message.h"

struct fake_server {
    void *sockets[2]; /* by enum cnv_channel */
    char data[64];    /* endpoints as bound */
    char bulk[64];
    uint64_t incarnation;
    uint64_t heartbeat_ms;
    uint64_t chunk_bytes;
    uint8_t routing_id[2][8]; /* of whoever spoke last */
    size_t routing_id_len[2];
    uint8_t payload[1 << 21]; /* of the message received last */
    size_t payload_len;
};

/* Binds; endpoint NULL: a free port on loopback. secret_key: CURVE, or NULL. */
struct fake_server *fake_server_open(const char *endpoint, const char *secret_key);
void fake_server_close(struct fake_server *server);

/* The next message of that kind within 5 s; beats and other repetitions are skipped. */
bool fake_server_expect(struct fake_server *server,
                        enum cnv_channel channel,
                        enum cnv_kind kind,
                        struct cnv_message *ret_message);

/* To whoever spoke last on that channel. */
void fake_server_send(struct fake_server *server,
                      enum cnv_channel channel,
                      const struct cnv_message *message,
                      const void *payload,
                      size_t len);

/* The usual answers. Numbers of run and server are 77 and 1. */
void fake_server_welcome(struct fake_server *server);
void fake_server_shape(struct fake_server *server, uint64_t features);
/* A model of length equal coordinates, with its vector: inline if it is small, else as transfer. */
void fake_server_commit(struct fake_server *server,
                        uint64_t round,
                        uint64_t version,
                        double coordinate,
                        size_t length,
                        uint64_t transfer);
void fake_server_announce(struct fake_server *server,
                          uint64_t round,
                          uint64_t attempt,
                          uint64_t version,
                          const char *plan);
void fake_server_finish(struct fake_server *server, uint64_t exit, const char *reason);

#endif
