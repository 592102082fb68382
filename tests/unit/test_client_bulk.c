/* test_client_bulk.c - large vectors on the bulk socket. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <string.h>

#include "base/crc32c.h"
#include "support/client_steps.h"

static void expect_bulk(struct fake_server *server, enum cnv_kind kind, struct cnv_message *message)
{
    cr_assert(
        fake_server_expect(server, CNV_BULK, kind, message), "no %s on bulk", cnv_kind_name(kind));
}

static void send_chunk(
    struct fake_server *server, uint64_t transfer, uint64_t index, const uint8_t *bytes, size_t len)
{
    struct cnv_message message = { .kind = CNV_KIND_CHUNK };

    message.chunk.transfer = transfer;
    message.chunk.index = index;
    message.chunk.crc = cnv_crc32c(0, bytes, len);
    fake_server_send(server, CNV_BULK, &message, bytes, len);
}

static void grant(struct fake_server *server, const struct cnv_message *offer, uint64_t limit)
{
    struct cnv_message message = { .kind = CNV_KIND_CREDIT };

    message.credit.transfer = offer->offer.transfer;
    message.credit.attempt = 1;
    message.credit.limit = limit;
    fake_server_send(server, CNV_DATA, &message, NULL, 0);
}

enum { LARGE = 100000, LARGE_BYTES = LARGE * sizeof(double) };

static double large[LARGE];

/* A model by chunks of 2^18 bytes: attach first, then credit, then the model. */
static void
download(struct fake_server *server, convene_client *client, uint64_t round, double coordinate)
{
    struct cnv_message message;

    for (size_t i = 0; i < LARGE; i++) {
        large[i] = coordinate;
    }
    fake_server_commit(server, round, round + 1, coordinate, LARGE, round + 1);
    hear(server, CNV_KIND_CREDIT, &message);
    cr_assert_eq(message.credit.transfer, round + 1);
    for (uint64_t i = 0; i * server->chunk_bytes < LARGE_BYTES; i++) {
        size_t offset = (size_t) (i * server->chunk_bytes);
        size_t left = LARGE_BYTES - offset;

        send_chunk(server,
                   round + 1,
                   i,
                   (const uint8_t *) large + offset,
                   left < server->chunk_bytes ? left : (size_t) server->chunk_bytes);
    }
    convene_event *event = expect(client, CONVENE_COMMIT);
    cr_assert_eq(event->length, LARGE);
    cr_assert_float_eq(event->values[LARGE - 1], coordinate, 0.0);
    convene_event_release(event);
}

static void open_large_round(struct fake_server *server, convene_client *client)
{
    struct cnv_message message;

    hear(server, CNV_KIND_HELLO, &message);
    fake_server_welcome(server);
    expect_and_release(client, CONVENE_WELCOME);
    cr_assert_eq(convene_loaded(client, &(convene_data){ .rows = 20, .features = LARGE }),
                 CONVENE_OK);
    hear(server, CNV_KIND_LOADED, &message);
    fake_server_shape(server, LARGE);
    expect_and_release(client, CONVENE_SHAPE);
    cr_assert_eq(convene_ready(client, LARGE), CONVENE_OK);
    hear(server, CNV_KIND_READY, &message);
    /* Announced so that the bulk connection is made before chunks are sent to it. */
    fake_server_commit(server, 0, 1, 0.25, LARGE, 1);
    expect_bulk(server, CNV_KIND_ATTACH, &message);
    cr_assert_eq(message.attach.token, 1000 + server->incarnation);
    download(server, client, 0, 0.25);
    fake_server_announce(server, 1, 1, 1, "model");
    expect_and_release(client, CONVENE_ROUND);
}

Test(client_bulk, large_vectors_travel_by_chunks_both_ways, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;
    size_t got = 0;

    open_large_round(server, client);
    for (size_t i = 0; i < LARGE; i++) {
        large[i] = (double) i;
    }
    convene_contribution mine = {
        .round = 1, .attempt = 1, .values = large, .length = LARGE, .samples = 20
    };
    cr_assert_eq(convene_contribute(client, &mine), CONVENE_OK);
    hear(server, CNV_KIND_OFFER, &message);
    cr_assert_eq(message.offer.bytes, LARGE_BYTES);
    cr_assert_eq(server->payload_len, 0);
    /* The vector was copied: what the application does with its own does not matter. */
    memset(large, 0, sizeof(large));
    grant(server, &message, 4);
    while (got < LARGE_BYTES) {
        double last = 0.0;

        expect_bulk(server, CNV_KIND_CHUNK, &message);
        cr_assert_eq(message.chunk.crc, cnv_crc32c(0, server->payload, server->payload_len));
        got += server->payload_len;
        memcpy(&last, server->payload + server->payload_len - sizeof(last), sizeof(last));
        cr_assert_eq((size_t) last, got / sizeof(last) - 1);
    }
    download(server, client, 1, 7.0);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client_bulk, a_new_bulk_connection_begins_with_attach, .timeout = 20)
{
    char endpoint[64];
    size_t size = sizeof(endpoint);
    int linger = 0;
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    open_large_round(server, client);
    (void) snprintf(endpoint, size, "%s", server->bulk);
    (void) zmq_close(server->sockets[CNV_BULK]);
    server->sockets[CNV_BULK] = zmq_socket(zsys_init(), ZMQ_ROUTER);
    (void) zmq_setsockopt(server->sockets[CNV_BULK], ZMQ_LINGER, &linger, sizeof(linger));
    while (zmq_bind(server->sockets[CNV_BULK], endpoint) != 0) {
        zclock_sleep(10);
    }
    expect_bulk(server, CNV_KIND_ATTACH, &message);
    cr_assert_eq(message.attach.token, 1000 + server->incarnation);
    convene_leave(client, NULL);
    fake_server_close(server);
}
