/* test_client.c - the calls of convene.h against a server whose every answer the test decides. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/crc32c.h"
#include "client/convene.h"
#include "client/joinfile.h"
#include "support/fake_server.h"

enum { LENGTH = 6 };

static convene_client *join(const struct fake_server *server)
{
    convene_options options = { .server = server->data, .name = "a1", .shard = 2, .shards = 5 };
    convene_client *client = NULL;
    convene_error error;

    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_OK, "%s", error.text);
    return client;
}

static convene_event *expect(convene_client *client, convene_event_kind kind)
{
    convene_event *event = NULL;

    cr_assert_eq(convene_wait(client, 5000, &event), CONVENE_OK, "waiting for event %d", kind);
    cr_assert_eq(event->kind, kind, "event %d instead of %d: %s", event->kind, kind, event->text);
    return event;
}

static void expect_and_release(convene_client *client, convene_event_kind kind)
{
    convene_event_release(expect(client, kind));
}

static void hear(struct fake_server *server, enum cnv_kind kind, struct cnv_message *ret_message)
{
    cr_assert(
        fake_server_expect(server, CNV_DATA, kind, ret_message), "no %s", cnv_kind_name(kind));
}

/* Up to round 1 of a run whose model has length zeros. */
static void open_round(struct fake_server *server, convene_client *client, size_t length)
{
    static const double labels[2] = { -1.0, 1.0 };
    struct cnv_message message;

    hear(server, CNV_KIND_HELLO, &message);
    fake_server_welcome(server);
    expect_and_release(client, CONVENE_WELCOME);
    cr_assert_eq(convene_loaded(client, &(convene_data){ 20, length, labels, 2 }), CONVENE_OK);
    hear(server, CNV_KIND_LOADED, &message);
    fake_server_shape(server, length);
    expect_and_release(client, CONVENE_SHAPE);
    cr_assert_eq(convene_ready(client, length), CONVENE_OK);
    hear(server, CNV_KIND_READY, &message);
    fake_server_commit(server, 0, 1, 0.0, length, 0);
    fake_server_announce(server, 1, 1, 1, "model");
    expect_and_release(client, CONVENE_COMMIT);
    expect_and_release(client, CONVENE_ROUND);
}

/* --- A run -------------------------------------------------------------------------------- */

Test(client, joins_contributes_and_finishes, .timeout = 20)
{
    static const double labels[2] = { -1.0, 1.0 };
    double values[LENGTH] = { 1, 2, 3, 4, 5, 6 };
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    hear(server, CNV_KIND_HELLO, &message);
    cr_assert_str_eq(message.hello.name, "a1");
    cr_assert_str_eq(message.hello.role, "worker");
    cr_assert_neq(message.hello.instance, 0);
    cr_assert_geq(message.hello.cores, 1);
    cr_assert_eq(message.hello.shard, 2);
    fake_server_welcome(server);
    convene_event *event = expect(client, CONVENE_WELCOME);
    cr_assert_eq(event->shard, 2);
    cr_assert_eq(event->shards, 5);
    cr_assert_str_eq(event->run_name, "fake");
    cr_assert_str_eq(event->spec, "run/seed=1\nencoding/up=f64\n");
    convene_event_release(event);

    cr_assert_eq(convene_loaded(client, &(convene_data){ 20, LENGTH, labels, 2 }), CONVENE_OK);
    hear(server, CNV_KIND_LOADED, &message);
    cr_assert_eq(message.loaded.rows, 20);
    cr_assert_eq(server->payload_len, sizeof(labels));
    fake_server_shape(server, LENGTH);
    event = expect(client, CONVENE_SHAPE);
    cr_assert_eq(event->total_rows, 100);
    cr_assert_eq(event->label_count, 2);
    convene_event_release(event);

    cr_assert_eq(convene_ready(client, LENGTH), CONVENE_OK);
    hear(server, CNV_KIND_READY, &message);
    cr_assert_eq(message.ready.dimension, LENGTH);
    fake_server_commit(server, 0, 1, 0.5, LENGTH, 0);
    fake_server_announce(server, 1, 1, 1, "model");
    expect_and_release(client, CONVENE_COMMIT);
    event = expect(client, CONVENE_ROUND);
    cr_assert_eq(event->local_steps, 3);
    cr_assert_eq(event->length, LENGTH);
    cr_assert_float_eq(event->values[5], 0.5, 0.0);
    convene_event_release(event);

    convene_contribution mine = {
        .round = 1, .attempt = 1, .values = values, .length = LENGTH, .samples = 20, .steps = 3
    };
    cr_assert_eq(convene_contribute(client, &mine), CONVENE_OK);
    hear(server, CNV_KIND_OFFER, &message);
    cr_assert_eq(message.offer.samples, 20);
    cr_assert_eq(server->payload_len, sizeof(values));
    cr_assert_arr_eq(server->payload, values, sizeof(values));
    fake_server_commit(server, 1, 2, 3.5, LENGTH, 0);
    event = expect(client, CONVENE_COMMIT);
    cr_assert(event->counted);
    cr_assert_float_eq(event->values[0], 3.5, 0.0);
    convene_event_release(event);

    fake_server_finish(server, 0, "2 rounds done");
    event = expect(client, CONVENE_FINISHED);
    cr_assert_eq(event->exit_code, 0);
    cr_assert_str_eq(event->text, "2 rounds done");
    convene_event_release(event);
    cr_assert_eq(convene_wait(client, -1, &event), CONVENE_FAILED);
    cr_assert_neq(convene_ready(client, LENGTH), CONVENE_OK);
    cr_assert_str_eq(convene_reason(client), "the session is over");
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, a_wrong_length_is_refused_with_its_reason, .timeout = 20)
{
    double values[LENGTH] = { 0 };
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);

    open_round(server, client, LENGTH);
    convene_contribution mine = {
        .round = 1, .attempt = 1, .values = values, .length = 5, .samples = 1
    };
    cr_assert_eq(convene_contribute(client, &mine), CONVENE_USAGE);
    cr_assert_not_null(strstr(convene_reason(client), "5"), "%s", convene_reason(client));
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, the_server_hears_beats_while_the_application_computes, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    open_round(server, client, LENGTH);
    convene_speed(client, 12.5);
    for (int i = 0; i < 3; i++) {
        hear(server, CNV_KIND_BEAT, &message);
    }
    cr_assert_str_eq(message.beat.state, "working");
    cr_assert_float_eq(message.beat.steps_per_second, 12.5, 0.0);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, leaving_says_so, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    open_round(server, client, LENGTH);
    convene_leave(client, "enough");
    hear(server, CNV_KIND_LEAVE, &message);
    cr_assert_str_eq(message.leave.reason, "enough");
    fake_server_close(server);
}

Test(client, leaving_with_events_unread_is_fine, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    open_round(server, client, LENGTH);
    for (uint64_t version = 2; version < 40; version++) {
        fake_server_commit(server, version - 1, version, 1.0, LENGTH, 0);
        fake_server_announce(server, version, 1, version, "model");
    }
    hear(server, CNV_KIND_BEAT, &message);
    convene_leave(client, NULL);
    hear(server, CNV_KIND_LEAVE, &message);
    fake_server_close(server);
}

static void *interrupt_later(void *client)
{
    zclock_sleep(50);
    convene_interrupt(client);
    return NULL;
}

Test(client, an_interrupt_says_goodbye_and_wakes_the_one_who_waits, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;
    pthread_t thread;

    open_round(server, client, LENGTH);
    cr_assert_eq(pthread_create(&thread, NULL, interrupt_later, client), 0);
    convene_event *event = expect(client, CONVENE_LOST);
    cr_assert_eq(event->result, CONVENE_OK);
    convene_event_release(event);
    hear(server, CNV_KIND_LEAVE, &message);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    convene_leave(client, NULL);
    fake_server_close(server);
}

/* --- Servers that are not there ------------------------------------------------------------ */

Test(client, gives_up_after_its_patience_and_names_the_address, .timeout = 20)
{
    convene_options options = { .server = "tcp://127.0.0.1:9", .patience_ms = 200 };
    convene_client *client = NULL;
    convene_error error;
    int64_t begin = zclock_mono();

    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_REFUSED);
    cr_assert_not_null(strstr(error.text, "tcp://127.0.0.1:9"), "%s", error.text);
    cr_assert_lt(zclock_mono() - begin, 1500);
    cr_assert_null(client);
}

Test(client, waits_for_a_server_that_comes_late, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    char endpoint[64];
    convene_event *event = NULL;
    struct cnv_message message;

    (void) snprintf(endpoint, sizeof(endpoint), "%s", server->data);
    fake_server_close(server);
    convene_options options = { .server = endpoint };
    convene_client *client = NULL;
    convene_error error;
    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_OK);
    cr_assert_eq(convene_wait(client, 300, &event), CONVENE_TIMEOUT);
    cr_assert_eq(convene_link_state(client), CONVENE_LINK_WAITING);
    server = fake_server_open(endpoint, NULL);
    hear(server, CNV_KIND_HELLO, &message);
    fake_server_welcome(server);
    expect_and_release(client, CONVENE_WELCOME);
    cr_assert_eq(convene_link_state(client), CONVENE_LINK_CONNECTED);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, finds_a_server_again_that_went_away, .timeout = 20)
{
    double values[LENGTH] = { 1 };
    char endpoint[64];
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    (void) snprintf(endpoint, sizeof(endpoint), "%s", server->data);
    open_round(server, client, LENGTH);
    convene_contribution mine = {
        .round = 1, .attempt = 1, .values = values, .length = LENGTH, .samples = 1
    };
    cr_assert_eq(convene_contribute(client, &mine), CONVENE_OK);
    hear(server, CNV_KIND_OFFER, &message);
    uint64_t incarnation = server->incarnation;
    fake_server_close(server);

    server = fake_server_open(endpoint, NULL);
    server->incarnation = incarnation;
    hear(server, CNV_KIND_HELLO, &message);
    fake_server_welcome(server);
    hear(server, CNV_KIND_LOADED, &message);
    hear(server, CNV_KIND_READY, &message);
    hear(server, CNV_KIND_OFFER, &message);
    cr_assert_eq(message.offer.round, 1);
    fake_server_commit(server, 1, 2, 1.0, LENGTH, 0);
    expect_and_release(client, CONVENE_COMMIT);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, a_silent_server_is_connected_to_anew, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    open_round(server, client, LENGTH);
    size_t old_len = server->routing_id_len[CNV_DATA];
    uint8_t old[8];
    memcpy(old, server->routing_id[CNV_DATA], old_len);
    /* The patience of the welcome is 4 heartbeats of 200 ms. */
    hear(server, CNV_KIND_HELLO, &message);
    cr_assert(server->routing_id_len[CNV_DATA] != old_len ||
              memcmp(old, server->routing_id[CNV_DATA], old_len) != 0);
    convene_leave(client, NULL);
    fake_server_close(server);
}

/* --- Servers that say no ------------------------------------------------------------------ */

static void refuse(struct fake_server *server, uint32_t version, uint64_t code, const char *text)
{
    struct cnv_message message = { .version = version, .kind = CNV_KIND_ERROR };

    message.error.code = code;
    message.error.fatal = true;
    (void) snprintf(message.error.text, sizeof(message.error.text), "%s", text);
    fake_server_send(server, CNV_DATA, &message, NULL, 0);
}

Test(client, a_refusal_is_given_in_the_servers_words, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    hear(server, CNV_KIND_HELLO, &message);
    refuse(server, 0, 24, "shard 2/5 is held by a9");
    convene_event *event = expect(client, CONVENE_LOST);
    cr_assert_eq(event->result, CONVENE_REFUSED);
    cr_assert_str_eq(event->text, "shard 2/5 is held by a9");
    convene_event_release(event);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, a_server_of_another_version_is_understood, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    hear(server, CNV_KIND_HELLO, &message);
    refuse(server, 9, 20, "agent speaks 1 to 1, server 8 to 9");
    convene_event *event = expect(client, CONVENE_LOST);
    cr_assert_eq(event->result, CONVENE_REFUSED);
    cr_assert_str_eq(event->text, "agent speaks 1 to 1, server 8 to 9");
    convene_event_release(event);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, another_process_of_the_name_ends_this_one, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;

    open_round(server, client, LENGTH);
    message = (struct cnv_message){ .kind = CNV_KIND_REPLACED };
    (void) snprintf(message.replaced.host, sizeof(message.replaced.host), "far-host");
    fake_server_send(server, CNV_DATA, &message, NULL, 0);
    convene_event *event = expect(client, CONVENE_LOST);
    cr_assert_eq(event->result, CONVENE_REFUSED);
    cr_assert_not_null(strstr(event->text, "far-host"));
    convene_event_release(event);
    convene_leave(client, NULL);
    fake_server_close(server);
}

Test(client, nonsense_from_the_server_is_answered_and_survived, .timeout = 20)
{
    struct fake_server *server = fake_server_open(NULL, NULL);
    convene_client *client = join(server);
    struct cnv_message message;
    void *socket = server->sockets[CNV_DATA];

    hear(server, CNV_KIND_HELLO, &message);
    (void) zmq_send(
        socket, server->routing_id[CNV_DATA], server->routing_id_len[CNV_DATA], ZMQ_SNDMORE);
    (void) zmq_send(socket, "nonsense", 8, ZMQ_SNDMORE);
    (void) zmq_send(socket, "in", 2, ZMQ_SNDMORE);
    (void) zmq_send(socket, "four parts", 10, 0);
    hear(server, CNV_KIND_ERROR, &message);
    cr_assert_eq(message.error.code, 1);
    fake_server_welcome(server);
    expect_and_release(client, CONVENE_WELCOME);
    convene_leave(client, NULL);
    fake_server_close(server);
}

/* --- Keys --------------------------------------------------------------------------------- */

static struct cnv_joinfile keys;
static char server_secret[41];
static char join_path[] = "/tmp/cnv-client-XXXXXX";

static void zap_thread(zsock_t *pipe, void *status)
{
    zsock_t *zap = zsock_new_rep("@inproc://zeromq.zap.01");
    zpoller_t *poller = zpoller_new(pipe, zap, NULL);

    (void) zsock_signal(pipe, 0);
    while (zpoller_wait(poller, -1) == zap) {
        char *version = NULL;
        char *id = NULL;
        zmsg_t *request = zmsg_recv(zap);

        version = zmsg_popstr(request);
        id = zmsg_popstr(request);
        (void) zstr_sendx(zap, version, id, status, "as the test says", "a1", "", NULL);
        free(version);
        free(id);
        zmsg_destroy(&request);
    }
    zpoller_destroy(&poller);
    zsock_destroy(&zap);
}

/* Answers every knock with status: "200" or "400". */
static zactor_t *fake_zap(const char *status)
{
    zsys_handler_set(NULL);
    return zactor_new(zap_thread, (void *) (uintptr_t) status);
}

/* A CURVE server, and a join file for it. */
static struct fake_server *open_with_keys(const char *endpoint)
{
    cr_assert_eq(zmq_curve_keypair(keys.server_key, server_secret), 0);
    cr_assert_eq(zmq_curve_keypair(keys.public_key, keys.secret_key), 0);
    struct fake_server *server = fake_server_open(endpoint, server_secret);
    struct cnv_error err;
    int fd = mkstemp(join_path);

    cr_assert_geq(fd, 0);
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(unlink(join_path), 0);
    (void) snprintf(keys.endpoint, sizeof(keys.endpoint), "%s", server->data);
    (void) snprintf(keys.name, sizeof(keys.name), "a1");
    cr_assert_eq(cnv_joinfile_write(join_path, &keys, &err), CNV_OK, "%s", err.text);
    return server;
}

static void expect_refusal(const convene_options *options, const char *words)
{
    convene_client *client = NULL;
    convene_error error;
    int64_t begin = zclock_mono();

    cr_assert_eq(convene_join(options, &client, &error), CONVENE_REFUSED, "%s", error.text);
    cr_assert_not_null(strstr(error.text, words), "%s", error.text);
    cr_assert_lt(zclock_mono() - begin, 6000);
}

Test(client_keys, the_right_keys_are_let_in, .timeout = 20)
{
    zactor_t *zap = fake_zap("200");
    struct fake_server *server = open_with_keys(NULL);
    convene_options options = { .join_file = join_path };
    convene_client *client = NULL;
    convene_error error;
    struct cnv_message message;

    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_OK, "%s", error.text);
    hear(server, CNV_KIND_HELLO, &message);
    cr_assert_str_eq(message.hello.name, "a1");
    convene_leave(client, NULL);
    (void) unlink(join_path);
    fake_server_close(server);
    zactor_destroy(&zap);
}

Test(client_keys, a_key_that_is_not_on_the_list_is_refused_at_once, .timeout = 20)
{
    zactor_t *zap = fake_zap("400");
    struct fake_server *server = open_with_keys(NULL);

    expect_refusal(&(convene_options){ .join_file = join_path, .patience_ms = -1 },
                   "not on the server's list");
    (void) unlink(join_path);
    fake_server_close(server);
    zactor_destroy(&zap);
}

Test(client_keys, no_key_is_refused_at_once, .timeout = 20)
{
    struct fake_server *server = open_with_keys(NULL);

    expect_refusal(&(convene_options){ .server = server->data, .patience_ms = -1 }, "join file");
    (void) unlink(join_path);
    fake_server_close(server);
}

Test(client_keys, keys_for_a_server_without_any_are_refused_at_once, .timeout = 20)
{
    struct fake_server *server = open_with_keys(NULL);
    struct fake_server *open = fake_server_open(NULL, NULL);

    expect_refusal(
        &(convene_options){ .server = open->data, .join_file = join_path, .patience_ms = -1 },
        "server uses none");
    (void) unlink(join_path);
    fake_server_close(open);
    fake_server_close(server);
}

Test(client_keys, a_wrong_server_key_is_refused_within_seconds, .timeout = 20)
{
    struct fake_server *server = open_with_keys(NULL);
    struct fake_server *other = fake_server_open(NULL, keys.secret_key);

    expect_refusal(
        &(convene_options){ .server = other->data, .join_file = join_path, .patience_ms = -1 },
        "server's public key");
    (void) unlink(join_path);
    fake_server_close(other);
    fake_server_close(server);
}

/* --- Large vectors ------------------------------------------------------------------------ */

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

/* --- Manners ------------------------------------------------------------------------------ */

Test(client, options_that_make_no_sense_are_refused, .timeout = 20)
{
    static const struct {
        convene_options options;
        const char *words;
    } cases[] = {
        { { .name = "a" }, "server" },
        { { .server = "host:5550" }, "host:5550" },
        { { .server = "tcp://h:1", .name = "two words" }, "two words" },
        { { .server = "tcp://h:1", .shard = 3, .shards = 2 }, "shard 3/2" },
        { { .server = "tcp://h:1", .shards = 2 }, "shard 0/2" },
        { { .server = "tcp://h:1", .role = "boss" }, "boss" },
        { { .join_file = "/nowhere/x.join" }, "/nowhere/x.join" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        convene_client *client = NULL;
        convene_error error;

        cr_assert_eq(
            convene_join(&cases[i].options, &client, &error), CONVENE_USAGE, "case %zu", i);
        cr_assert_not_null(strstr(error.text, cases[i].words), "%s", error.text);
    }
}

static void on_signal(int number)
{
    (void) number;
}

Test(client, the_programs_signal_handlers_are_left_alone, .timeout = 20)
{
    struct sigaction mine = { .sa_handler = on_signal };
    struct sigaction after;

    cr_assert_eq(sigaction(SIGTERM, &mine, NULL), 0);
    convene_client *client = join(&(struct fake_server){ .data = "tcp://127.0.0.1:9" });
    cr_assert_eq(sigaction(SIGTERM, NULL, &after), 0);
    cr_assert_eq(after.sa_handler, on_signal);
    cr_assert_eq(sigaction(SIGINT, NULL, &after), 0);
    cr_assert_eq(after.sa_handler, SIG_DFL);
    convene_leave(client, NULL);
}

Test(client, a_program_may_exit_without_leaving, .timeout = 20)
{
    int status = 0;
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0) {
        convene_options options = { .server = "tcp://127.0.0.1:9" };
        convene_client *client = NULL;
        convene_event *event = NULL;

        (void) convene_join(&options, &client, NULL);
        (void) convene_wait(client, 100, &event);
        exit(7); /* NOLINT(concurrency-mt-unsafe): that is the test */
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 7);
}
