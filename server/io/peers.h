/*
 * peers.h - connections: libzmq's routing ids on one side, the engine's peer numbers on the other.
 *
 * Each connection of either channel is a peer of its own. Numbers start at 1 and are never reused.
 */
#ifndef CNV_SERVER_IO_PEERS_H
#define CNV_SERVER_IO_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "net/certificate.h"

enum { CNV_ROUTE_MAX = 255 };

struct cnv_peer {
    cnv_peer_id id;
    enum cnv_channel channel;
    uint64_t heard_ms;
    char user[CNV_NAME_SIZE]; /* the name its key is bound to; "" without security */
    bool is_refused;          /* its key was taken off the list: what it says is not read */
    bool is_gone;             /* unreachable, and the engine is yet to be told */
    struct cnv_peer *next_gone;
    struct cnv_peer *next_by_id;
    struct cnv_peer *next_by_route;
    uint8_t route_len;
    uint8_t route[CNV_ROUTE_MAX];
};

struct cnv_peers {
    struct cnv_peer **by_id;    /* [buckets] */
    struct cnv_peer **by_route; /* [buckets] */
    size_t buckets;             /* a power of two; 0 before the first peer */
    size_t count;
    cnv_peer_id last;
    struct cnv_peer *gone; /* in no order */
};

/* Zeroed memory is an empty table. */
void cnv_peers_fini(struct cnv_peers *peers);

/* The peer of that number, or NULL. */
struct cnv_peer *cnv_peers_find(const struct cnv_peers *peers, cnv_peer_id id);

/* The peer of that connection, or NULL. */
struct cnv_peer *cnv_peers_route(const struct cnv_peers *peers,
                                 enum cnv_channel channel,
                                 const void *route,
                                 size_t len);

/* A new peer for a connection that has none; len <= CNV_ROUTE_MAX. NULL when memory is out. */
struct cnv_peer *
cnv_peers_add(struct cnv_peers *peers, enum cnv_channel channel, const void *route, size_t len);

/* Forgets the peer: it is freed. If the connection speaks again it is a new peer. */
void cnv_peers_remove(struct cnv_peers *peers, struct cnv_peer *peer);

/* Marks it as gone, once; cnv_peers_take_gone then gives each such peer's number, or 0, and removes
 * it. */
void cnv_peers_mark_gone(struct cnv_peers *peers, struct cnv_peer *peer);
cnv_peer_id cnv_peers_take_gone(struct cnv_peers *peers);

/* Calls visit for every peer; it may mark peers as gone, nothing else. */
void cnv_peers_each(const struct cnv_peers *peers,
                    void (*visit)(void *self, struct cnv_peer *peer),
                    void *self);

#endif
