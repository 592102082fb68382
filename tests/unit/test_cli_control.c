/* test_cli_control.c - asking a daemon: its answer, its refusal, its silence, its absence. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "control.h"
#include "envelope.h"
#include "proto/message.h"

/* A daemon that answers each command by its name. Bound before the thread starts. */
struct daemon {
    void *ctx;
    void *socket;
    pthread_t thread;
    char directory[64];
    char endpoint[128];
};

static double now_s(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static void answer(
    void *socket, const char *peer, size_t peer_len, uint64_t id, uint64_t code, const char *body)
{
    struct cnv_message reply = { .kind = CNV_KIND_REPLY };
    uint8_t header[CNV_HEADER_MAX];

    reply.reply.id = id;
    reply.reply.code = code;
    (void) snprintf(
        reply.reply.text, sizeof(reply.reply.text), "%s", code == 0 ? "" : "no such thing");
    (void) snprintf(reply.reply.type, sizeof(reply.reply.type), "application/json");
    size_t len = cnv_message_encode(&reply, header, sizeof(header));
    (void) zmq_send(socket, peer, peer_len, ZMQ_SNDMORE);
    (void) zmq_send(socket, header, len, ZMQ_SNDMORE);
    (void) zmq_send(socket, body, strlen(body), 0);
}

static void *serve(void *argument)
{
    struct daemon *daemon = argument;
    uint8_t header[CNV_HEADER_MAX];
    struct cnv_message message;
    char peer[64];

    for (;;) {
        int peer_len = zmq_recv(daemon->socket, peer, sizeof(peer), 0);
        int len = peer_len < 0 ? -1 : zmq_recv(daemon->socket, header, sizeof(header), 0);

        if (len < 0 || cnv_message_decode(header, (size_t) len, &message, NULL) != CNV_OK ||
            strcmp(message.command.command, "stop") == 0) {
            return NULL;
        }
        const char *command = message.command.command;
        uint64_t id = message.command.id;
        if (strcmp(command, "status") == 0) {
            answer(daemon->socket,
                   peer,
                   (size_t) peer_len,
                   id,
                   0,
                   "{\"ok\":true,\"data\":{\"a\":{\"b\":7}}}");
        } else if (strcmp(command, "late") == 0) {
            answer(daemon->socket, peer, (size_t) peer_len, id - 1, 0, "{\"late\":true}");
            answer(daemon->socket, peer, (size_t) peer_len, id, 0, "{\"late\":false}");
        } else if (strcmp(command, "refuse") == 0) {
            answer(daemon->socket, peer, (size_t) peer_len, id, 61, "{\"ok\":false}");
        } else if (strcmp(command, "garbage") == 0) {
            (void) zmq_send(daemon->socket, peer, (size_t) peer_len, ZMQ_SNDMORE);
            (void) zmq_send(daemon->socket, "GET /", 5, 0);
        }
    }
}

static struct daemon *daemon_start(void)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));

    (void) snprintf(daemon->directory, sizeof(daemon->directory), "/tmp/convene-test-XXXXXX");
    cr_assert_not_null(mkdtemp(daemon->directory));
    (void) snprintf(
        daemon->endpoint, sizeof(daemon->endpoint), "ipc://%s/control", daemon->directory);
    daemon->ctx = zmq_ctx_new();
    daemon->socket = zmq_socket(daemon->ctx, ZMQ_ROUTER);
    cr_assert_eq(zmq_bind(daemon->socket, daemon->endpoint), 0);
    cr_assert_eq(pthread_create(&daemon->thread, NULL, serve, daemon), 0);
    return daemon;
}

static struct cnv_control *opened(const char *endpoint)
{
    struct cnv_control *control = NULL;
    struct cnv_error err;

    cr_assert_eq(cnv_control_open(endpoint, NULL, false, &control, &err), CNV_OK, "%s", err.text);
    return control;
}

/* The thread has to be told first, with the command "stop". */
static void daemon_end(struct daemon *daemon)
{
    int linger = 0;
    struct cnv_blob *body = NULL;

    do { /* until it has arrived: what it takes in 100 ms depends on the machine */
        struct cnv_control *control = opened(daemon->endpoint);

        cr_assert_neq(cnv_control_call(control, "stop", "", 100, &body, NULL), CNV_OK);
        cnv_control_close(control);
    } while (pthread_tryjoin_np(daemon->thread, NULL) != 0);
    (void) zmq_setsockopt(daemon->socket, ZMQ_LINGER, &linger, sizeof(linger));
    (void) zmq_close(daemon->socket);
    (void) zmq_ctx_term(daemon->ctx);
    (void) unlink(daemon->endpoint + strlen("ipc://"));
    (void) rmdir(daemon->directory);
    free(daemon);
}

Test(control, gives_the_answer_to_its_own_question, .timeout = 20)
{
    struct daemon *daemon = daemon_start();
    struct cnv_control *control = opened(daemon->endpoint);
    struct cnv_blob *body = NULL;
    struct cnv_error err;
    json_t *root = NULL;

    cr_assert_eq(
        cnv_control_call(control, "status", "", 5000, &body, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_envelope_parse(body, &root, &err), CNV_OK);
    cr_assert_eq(cnv_json_count(json_object_get(root, "data"), "a/b"), 7);
    json_decref(root);
    cnv_blob_unref(body);

    cr_assert_eq(cnv_control_call(control, "late", "", 5000, &body, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_blob_len(body), strlen("{\"late\":false}"));
    cnv_blob_unref(body);
    cnv_control_close(control);
    daemon_end(daemon);
}

Test(control, passes_on_the_daemons_refusal, .timeout = 20)
{
    struct daemon *daemon = daemon_start();
    struct cnv_control *control = opened(daemon->endpoint);
    struct cnv_blob *body = NULL;
    struct cnv_error err;

    cr_assert_eq(cnv_control_call(control, "refuse", "", 5000, &body, &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "no such thing");
    cr_assert_not_null(body);
    cnv_blob_unref(body);
    cnv_control_close(control);
    daemon_end(daemon);
}

Test(control, silence_is_a_timeout, .timeout = 20)
{
    struct daemon *daemon = daemon_start();
    struct cnv_control *control = opened(daemon->endpoint);
    struct cnv_blob *body = NULL;
    struct cnv_error err;
    double start_s = now_s();

    cr_assert_eq(
        cnv_control_call(control, "nothing", "", 300, &body, &err), CNV_E_TIMEOUT, "%s", err.text);
    cr_assert_geq(now_s() - start_s, 0.29);
    cr_assert_null(body);
    cnv_control_close(control);
    daemon_end(daemon);
}

Test(control, another_protocol_is_said_so, .timeout = 20)
{
    struct daemon *daemon = daemon_start();
    struct cnv_control *control = opened(daemon->endpoint);
    struct cnv_blob *body = NULL;
    struct cnv_error err;

    cr_assert_eq(cnv_control_call(control, "garbage", "", 5000, &body, &err), CNV_E_UNREACHABLE);
    cr_assert_not_null(strstr(err.text, "does not speak"), "%s", err.text);
    cnv_control_close(control);
    daemon_end(daemon);
}

Test(control, nobody_there_is_known_at_once, .timeout = 20)
{
    static const char *const endpoints[] = { "ipc:///tmp/convene-test-nobody",
                                             "tcp://127.0.0.1:1" };

    for (size_t i = 0; i < 2; i++) {
        struct cnv_control *control = opened(endpoints[i]);
        struct cnv_blob *body = NULL;
        struct cnv_error err;
        double start_s = now_s();

        cr_assert_eq(cnv_control_call(control, "status", "", 5000, &body, &err), CNV_E_UNREACHABLE);
        cr_assert_lt(now_s() - start_s, 4.0);
        cr_assert_not_null(strstr(err.text, endpoints[i]), "%s", err.text);
        cnv_control_close(control);
    }
}

/* Takes connections, and ends each at once, until its socket is shut down. */
static void *hang_up(void *argument)
{
    int listener = *(const int *) argument;

    for (int peer = accept(listener, NULL, NULL); peer >= 0; peer = accept(listener, NULL, NULL)) {
        (void) close(peer);
    }
    return NULL;
}

Test(control, one_that_ends_the_connection_may_be_ending_itself, .timeout = 20)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char endpoint[64];
    pthread_t thread;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(bind(listener, (struct sockaddr *) &address, len), 0);
    cr_assert_eq(listen(listener, 8), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *) &address, &len), 0);
    cr_assert_eq(pthread_create(&thread, NULL, hang_up, &listener), 0);
    (void) snprintf(
        endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", (unsigned) ntohs(address.sin_port));
    struct cnv_control *control = opened(endpoint);
    struct cnv_blob *body = NULL;
    struct cnv_error err;

    cr_assert_eq(cnv_control_call(control, "status", "", 5000, &body, &err), CNV_E_UNREACHABLE);
    cr_assert_not_null(
        strstr(err.text, "the daemon is ending, or it asks for keys"), "%s", err.text);
    cnv_control_close(control);
    (void) shutdown(listener, SHUT_RDWR);
    (void) pthread_join(thread, NULL);
    (void) close(listener);
}

Test(control, a_patient_one_waits_for_the_daemon, .timeout = 20)
{
    struct cnv_control *control = NULL;
    struct cnv_blob *body = NULL;
    struct cnv_error err;
    double start_s = now_s();

    cr_assert_eq(cnv_control_open("ipc:///tmp/convene-test-nobody", NULL, true, &control, &err),
                 CNV_OK);
    cr_assert_eq(cnv_control_call(control, "status", "", 300, &body, &err), CNV_E_UNREACHABLE);
    cr_assert_geq(now_s() - start_s, 0.29);
    cnv_control_close(control);
}

Test(control, an_endpoint_that_is_none_is_refused, .timeout = 20)
{
    struct cnv_control *control = NULL;
    struct cnv_error err;

    cr_assert_eq(cnv_control_open("nonsense", NULL, false, &control, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "nonsense"), "%s", err.text);
}
