/* fake_server.c - see fake_server.h. Two ROUTERs on CZMQ's context, so that a test can fork freely
 * before it opens one. */
#include "fake_server.h"

#include <czmq.h>
#include <string.h>

#include "base/mem.h"
#include "encodings/encoding.h"
#include "proto/vector.h"

enum { EXPECT_MS = 30000 };

/* A test cannot go on without it. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void) fprintf(stderr, "fake server, line %d: %s\n", __LINE__, #condition);            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void *open_socket(const char *endpoint, const char *secret_key, char *bound, size_t size)
{
    void *socket = zmq_socket(zsys_init(), ZMQ_ROUTER);
    int linger = 0;
    int is_server = 1;

    MUST(socket != NULL);
    MUST(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger)) == 0);
    if (secret_key != NULL) {
        MUST(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &is_server, sizeof(is_server)) == 0);
        MUST(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, 41) == 0);
        MUST(zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "convene", 7) == 0);
    }
    /* A port that was just closed may need a moment. */
    for (int i = 0; zmq_bind(socket, endpoint) != 0; i++) {
        MUST(i < 100);
        zclock_sleep(20);
    }
    MUST(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) == 0);
    return socket;
}

struct fake_server *fake_server_open(const char *endpoint, const char *secret_key)
{
    struct fake_server *server = cnv_object_new(struct fake_server);

    MUST(server != NULL);
    zsys_handler_set(NULL);
    server->sockets[CNV_DATA] = open_socket(endpoint == NULL ? "tcp://127.0.0.1:*" : endpoint,
                                            secret_key,
                                            server->data,
                                            sizeof(server->data));
    server->sockets[CNV_BULK] =
        open_socket("tcp://127.0.0.1:*", secret_key, server->bulk, sizeof(server->bulk));
    server->heartbeat_ms = 200;
    server->chunk_bytes = 1 << 18;
    return server;
}

void fake_server_close(struct fake_server *server)
{
    (void) zmq_close(server->sockets[CNV_DATA]);
    (void) zmq_close(server->sockets[CNV_BULK]);
    cnv_free(server);
}

/* One whole message; false when none came in time. */
static bool receive(struct fake_server *server,
                    enum cnv_channel channel,
                    long wait_ms,
                    struct cnv_message *message)
{
    void *socket = server->sockets[channel];
    zmq_pollitem_t item = { socket, 0, ZMQ_POLLIN, 0 };
    uint8_t header[CNV_HEADER_MAX];
    int more = 0;
    size_t size = sizeof(more);

    if (zmq_poll(&item, 1, wait_ms) <= 0) {
        return false;
    }
    int n = zmq_recv(socket, server->routing_id[channel], sizeof(server->routing_id[channel]), 0);
    MUST(n > 0);
    server->routing_id_len[channel] = (size_t) n;
    n = zmq_recv(socket, header, sizeof(header), 0);
    MUST(n > 0 && cnv_message_decode(header, (size_t) n, message, NULL) == CNV_OK);
    server->payload_len = 0;
    MUST(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0);
    if (more != 0) {
        n = zmq_recv(socket, server->payload, sizeof(server->payload), 0);
        MUST(n >= 0 && (size_t) n <= sizeof(server->payload));
        server->payload_len = (size_t) n;
    }
    return true;
}

bool fake_server_expect(struct fake_server *server,
                        enum cnv_channel channel,
                        enum cnv_kind kind,
                        struct cnv_message *ret_message)
{
    int64_t until = zclock_mono() + EXPECT_MS;

    while (zclock_mono() < until) {
        if (receive(server, channel, (long) (until - zclock_mono()), ret_message) &&
            ret_message->kind == kind) {
            return true;
        }
    }
    return false;
}

void fake_server_send(struct fake_server *server,
                      enum cnv_channel channel,
                      const struct cnv_message *message,
                      const void *payload,
                      size_t len)
{
    void *socket = server->sockets[channel];
    uint8_t header[CNV_HEADER_MAX];
    size_t header_len = cnv_message_encode(message, header, sizeof(header));

    MUST(zmq_send(
             socket, server->routing_id[channel], server->routing_id_len[channel], ZMQ_SNDMORE) >=
         0);
    MUST(zmq_send(socket, header, header_len, payload == NULL ? 0 : ZMQ_SNDMORE) >= 0);
    if (payload != NULL) {
        MUST(zmq_send(socket, payload, len, 0) >= 0);
    }
}

void fake_server_welcome(struct fake_server *server)
{
    static const char spec[] = "run/seed=1\nencoding/up=f64\n";
    struct cnv_message message = { .kind = CNV_KIND_WELCOME };
    struct cnv_msg_welcome *welcome = &message.welcome;

    welcome->run = 77;
    (void) snprintf(welcome->run_name, sizeof(welcome->run_name), "fake");
    welcome->server = 1;
    welcome->incarnation = ++server->incarnation;
    welcome->token = 1000 + server->incarnation;
    welcome->shard = 2;
    welcome->shards = 5;
    welcome->heartbeat_ms = server->heartbeat_ms;
    welcome->patience_ms = 4 * server->heartbeat_ms;
    welcome->chunk_bytes = server->chunk_bytes;
    welcome->window = 4;
    (void) snprintf(welcome->bulk, sizeof(welcome->bulk), "tcp://*%s", strrchr(server->bulk, ':'));
    fake_server_send(server, CNV_DATA, &message, spec, sizeof(spec) - 1);
}

void fake_server_shape(struct fake_server *server, uint64_t features)
{
    static const double labels[2] = { -1.0, 1.0 };
    struct cnv_message message = { .kind = CNV_KIND_SHAPE };

    message.shape.features = features;
    message.shape.labels = 2;
    message.shape.rows = 100;
    fake_server_send(server, CNV_DATA, &message, labels, sizeof(labels));
}

void fake_server_commit(struct fake_server *server,
                        uint64_t round,
                        uint64_t version,
                        double coordinate,
                        size_t length,
                        uint64_t transfer)
{
    struct cnv_message message = { .kind = CNV_KIND_COMMIT };
    struct cnv_msg_commit *commit = &message.commit;
    double *values = cnv_array_new(length, sizeof(*values));

    MUST(values != NULL);
    for (size_t i = 0; i < length; i++) {
        values[i] = coordinate;
    }
    commit->run = 77;
    commit->round = round;
    commit->version = version;
    commit->contributors = 1;
    commit->counted = true;
    commit->transfer = transfer;
    (void) snprintf(commit->encoding, sizeof(commit->encoding), "f64");
    commit->length = length;
    commit->width = 1;
    commit->bytes = length * sizeof(*values);
    commit->digest = cnv_vector_digest(cnv_encoding_find("f64"), (const uint8_t *) values, length);
    if (transfer == 0) {
        fake_server_send(server, CNV_DATA, &message, values, length * sizeof(*values));
    } else {
        fake_server_send(server, CNV_DATA, &message, NULL, 0);
    }
    cnv_free(values);
}

void fake_server_announce(struct fake_server *server,
                          uint64_t round,
                          uint64_t attempt,
                          uint64_t version,
                          const char *plan)
{
    struct cnv_message message = { .kind = CNV_KIND_ANNOUNCE };
    struct cnv_msg_announce *announce = &message.announce;

    announce->run = 77;
    announce->round = round;
    announce->attempt = attempt;
    announce->version = version;
    announce->local_steps = strcmp(plan, "loss") == 0 ? 0 : 3;
    (void) snprintf(announce->solver, sizeof(announce->solver), "sgd");
    (void) snprintf(announce->plan, sizeof(announce->plan), "%s", plan);
    fake_server_send(server, CNV_DATA, &message, NULL, 0);
}

void fake_server_finish(struct fake_server *server, uint64_t exit, const char *reason)
{
    struct cnv_message message = { .kind = CNV_KIND_FINISH };

    message.finish.run = 77;
    message.finish.exit = exit;
    (void) snprintf(message.finish.reason, sizeof(message.finish.reason), "%s", reason);
    fake_server_send(server, CNV_DATA, &message, NULL, 0);
}
