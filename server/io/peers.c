/*
 * peers.c - two chained hash tables over the same peers.
 *
 * Invariants: every peer is in both tables; buckets >= count once there is a peer; a peer that is
 * gone stays in the tables until it is taken, so that it is reported once.
 */
#include "io/peers.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { PEERS_BUCKETS = 64 };

static size_t id_bucket(cnv_peer_id id, size_t buckets)
{
    return (size_t) id & (buckets - 1);
}

/* FNV-1a: libzmq's own ids are a counter behind a zero byte. */
static size_t
route_bucket(enum cnv_channel channel, const uint8_t *route, size_t len, size_t buckets)
{
    uint64_t hash = 0xcbf29ce484222325U ^ (uint64_t) channel;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ route[i]) * 0x100000001b3U;
    }
    return (size_t) (hash ^ (hash >> 32)) & (buckets - 1);
}

static void peers_link(struct cnv_peers *peers, struct cnv_peer *peer)
{
    struct cnv_peer **id = &peers->by_id[id_bucket(peer->id, peers->buckets)];
    struct cnv_peer **route =
        &peers->by_route[route_bucket(peer->channel, peer->route, peer->route_len, peers->buckets)];

    peer->next_by_id = *id;
    *id = peer;
    peer->next_by_route = *route;
    *route = peer;
}

static bool peers_grow(struct cnv_peers *peers)
{
    size_t buckets = peers->buckets == 0 ? PEERS_BUCKETS : peers->buckets * 2;
    struct cnv_peers grown = {
        .by_id = cnv_array_new(buckets, sizeof(*grown.by_id)),
        .by_route = cnv_array_new(buckets, sizeof(*grown.by_route)),
        .buckets = buckets,
        .count = peers->count,
        .last = peers->last,
        .gone = peers->gone,
    };

    if (grown.by_id == NULL || grown.by_route == NULL) {
        cnv_free(grown.by_id);
        cnv_free(grown.by_route);
        return false;
    }
    for (size_t i = 0; i < peers->buckets; i++) {
        struct cnv_peer *next = NULL;

        for (struct cnv_peer *peer = peers->by_id[i]; peer != NULL; peer = next) {
            next = peer->next_by_id;
            peers_link(&grown, peer);
        }
    }
    cnv_free(peers->by_id);
    cnv_free(peers->by_route);
    *peers = grown;
    return true;
}

void cnv_peers_fini(struct cnv_peers *peers)
{
    for (size_t i = 0; i < peers->buckets; i++) {
        struct cnv_peer *next = NULL;

        for (struct cnv_peer *peer = peers->by_id[i]; peer != NULL; peer = next) {
            next = peer->next_by_id;
            cnv_free(peer);
        }
    }
    cnv_free(peers->by_id);
    cnv_free(peers->by_route);
    *peers = (struct cnv_peers){ .by_id = NULL };
}

struct cnv_peer *cnv_peers_find(const struct cnv_peers *peers, cnv_peer_id id)
{
    struct cnv_peer *peer = NULL;

    if (peers->buckets > 0) {
        peer = peers->by_id[id_bucket(id, peers->buckets)];
    }
    while (peer != NULL && peer->id != id) {
        peer = peer->next_by_id;
    }
    return peer;
}

struct cnv_peer *cnv_peers_route(const struct cnv_peers *peers,
                                 enum cnv_channel channel,
                                 const void *route,
                                 size_t len)
{
    struct cnv_peer *peer = NULL;

    if (peers->buckets > 0) {
        peer = peers->by_route[route_bucket(channel, route, len, peers->buckets)];
    }
    while (peer != NULL && (peer->channel != channel || peer->route_len != len ||
                            memcmp(peer->route, route, len) != 0)) {
        peer = peer->next_by_route;
    }
    return peer;
}

struct cnv_peer *
cnv_peers_add(struct cnv_peers *peers, enum cnv_channel channel, const void *route, size_t len)
{
    assert(len <= CNV_ROUTE_MAX);
    if (peers->count >= peers->buckets && !peers_grow(peers)) {
        return NULL;
    }
    struct cnv_peer *peer = cnv_object_new(struct cnv_peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->id = ++peers->last;
    peer->channel = channel;
    peer->route_len = (uint8_t) len;
    memcpy(peer->route, route, len);
    peers_link(peers, peer);
    peers->count++;
    return peer;
}

void cnv_peers_remove(struct cnv_peers *peers, struct cnv_peer *peer)
{
    struct cnv_peer **id = &peers->by_id[id_bucket(peer->id, peers->buckets)];
    struct cnv_peer **route =
        &peers->by_route[route_bucket(peer->channel, peer->route, peer->route_len, peers->buckets)];

    while (*id != peer) {
        id = &(*id)->next_by_id;
    }
    *id = peer->next_by_id;
    while (*route != peer) {
        route = &(*route)->next_by_route;
    }
    *route = peer->next_by_route;
    for (struct cnv_peer **gone = &peers->gone; *gone != NULL; gone = &(*gone)->next_gone) {
        if (*gone == peer) {
            *gone = peer->next_gone;
            break;
        }
    }
    peers->count--;
    cnv_free(peer);
}

void cnv_peers_mark_gone(struct cnv_peers *peers, struct cnv_peer *peer)
{
    if (!peer->is_gone) {
        peer->is_gone = true;
        peer->next_gone = peers->gone;
        peers->gone = peer;
    }
}

cnv_peer_id cnv_peers_take_gone(struct cnv_peers *peers)
{
    struct cnv_peer *peer = peers->gone;

    if (peer == NULL) {
        return 0;
    }
    cnv_peer_id id = peer->id;
    cnv_peers_remove(peers, peer);
    return id;
}

void cnv_peers_each(const struct cnv_peers *peers,
                    void (*visit)(void *self, struct cnv_peer *peer),
                    void *self)
{
    for (size_t i = 0; i < peers->buckets; i++) {
        for (struct cnv_peer *peer = peers->by_id[i]; peer != NULL; peer = peer->next_by_id) {
            visit(self, peer);
        }
    }
}
