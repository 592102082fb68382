#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/mem.h"
#include "loop/zap.h"
#include "loop/zsocket_watch.h"
#include "net/socket.h"

enum { REQUESTS = 3000, HOLD_MS = 2, BEAT_MS = 5 };

/* A ROUTER that answers a DEALER's requests, one at a time, and sends beats from a timer. */
struct lock_step {
    uv_loop_t loop;
    uv_timer_t timer;
    void *context;
    struct cnv_watch *watch;
    void *router; /* for the timer */
    char endpoint[CNV_ENDPOINT_SIZE];
    uint8_t peer[256];
    int peer_len;
    int served;
    int beats;
};

static void lock_step_on_message(void *self, void *socket)
{
    struct lock_step *test = self;
    uint8_t body[16];

    test->peer_len = zmq_recv(socket, test->peer, sizeof(test->peer), ZMQ_DONTWAIT);
    int len = zmq_recv(socket, body, sizeof(body), ZMQ_DONTWAIT);
    cr_assert_gt(test->peer_len, 0);
    cr_assert_eq(len, 1);
    if (body[0] == 'q') {
        uv_close((uv_handle_t *) &test->timer, NULL);
        cnv_watch_close(test->watch, NULL, NULL);
        return;
    }
    test->served++;
    cr_assert_gt(zmq_send(socket, test->peer, (size_t) test->peer_len, ZMQ_SNDMORE | ZMQ_DONTWAIT),
                 0);
    cr_assert_eq(zmq_send(socket, "a", 1, ZMQ_DONTWAIT), 1);
}

/* Holds the loop, and touches the socket: what makes draining in a poll callback hang. */
static void lock_step_on_timer(uv_timer_t *timer)
{
    struct lock_step *test = timer->data;
    const uint64_t end = uv_hrtime() + (uint64_t) HOLD_MS * 1000000;

    while (uv_hrtime() < end) {
    }
    if (test->peer_len > 0) {
        (void) zmq_send(
            test->router, test->peer, (size_t) test->peer_len, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        test->beats += zmq_send(test->router, "b", 1, ZMQ_DONTWAIT) == 1;
    }
}

static void lock_step_client(void *arg)
{
    struct lock_step *test = arg;
    void *dealer = zmq_socket(test->context, ZMQ_DEALER);
    char body = 0;

    if (zmq_connect(dealer, test->endpoint) == 0) {
        for (int i = 0; i < REQUESTS; i++) {
            (void) zmq_send(dealer, "r", 1, 0);
            do {
                (void) zmq_recv(dealer, &body, 1, 0);
            } while (body == 'b');
        }
        (void) zmq_send(dealer, "q", 1, 0);
    }
    (void) zmq_close(dealer);
}

Test(watch, serves_lock_step_requests_while_timers_send, .timeout = 60)
{
    struct lock_step test = { .context = zmq_ctx_new() };
    const struct cnv_socket_setup setup = { .type = ZMQ_ROUTER, .hwm = 1000, .message_bytes = -1 };
    struct cnv_endpoint endpoint;
    uv_thread_t client;

    cr_assert_eq(uv_loop_init(&test.loop), 0);
    cr_assert_eq(cnv_socket_new(test.context, &setup, &test.router, NULL), CNV_OK);
    cr_assert_eq(cnv_endpoint_parse("tcp://127.0.0.1:*", "test", &endpoint, NULL), CNV_OK);
    cr_assert_eq(cnv_socket_bind(test.router, &endpoint, "test", &endpoint, NULL), CNV_OK);
    (void) cnv_endpoint_format(&endpoint, test.endpoint, sizeof(test.endpoint));
    cr_assert_eq(
        cnv_watch_new(&test.loop, test.router, lock_step_on_message, &test, &test.watch, NULL),
        CNV_OK);
    cr_assert_eq(uv_timer_init(&test.loop, &test.timer), 0);
    test.timer.data = &test;
    cr_assert_eq(uv_timer_start(&test.timer, lock_step_on_timer, BEAT_MS, BEAT_MS), 0);
    cr_assert_eq(uv_thread_create(&client, lock_step_client, &test), 0);
    (void) uv_run(&test.loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_thread_join(&client), 0);
    cr_assert_eq(test.served, REQUESTS);
    cr_assert_gt(test.beats, 0);
    cr_assert_eq(zmq_ctx_term(test.context), 0);
    cr_assert_eq(uv_loop_close(&test.loop), 0);
}

/* Two inproc sockets, one flooded: the other still gets its turn. */
struct fair {
    struct cnv_watch *watches[2];
    int received[2];
    int flood_before_quiet;
};

struct fair_side {
    struct fair *fair;
    int side;
};

static void fair_on_message(void *self, void *socket)
{
    struct fair_side *at = self;
    char body = 0;

    cr_assert_eq(zmq_recv(socket, &body, 1, ZMQ_DONTWAIT), 1);
    at->fair->received[at->side]++;
    if (at->side == 1) {
        at->fair->flood_before_quiet = at->fair->received[0];
    }
    if (at->fair->received[0] == 1000) {
        cnv_watch_close(at->fair->watches[0], NULL, NULL);
        cnv_watch_close(at->fair->watches[1], NULL, NULL);
    }
}

Test(watch, one_busy_socket_does_not_starve_another, .timeout = 20)
{
    struct fair fair = { .received = { 0 } };
    struct fair_side sides[2] = { { &fair, 0 }, { &fair, 1 } };
    void *context = zmq_ctx_new();
    void *senders[2];
    uv_loop_t loop;

    cr_assert_eq(uv_loop_init(&loop), 0);
    for (int i = 0; i < 2; i++) {
        void *receiver = zmq_socket(context, ZMQ_PAIR);
        const char *endpoint = i == 0 ? "inproc://flood" : "inproc://quiet";

        cr_assert_eq(zmq_bind(receiver, endpoint), 0);
        senders[i] = zmq_socket(context, ZMQ_PAIR);
        cr_assert_eq(zmq_connect(senders[i], endpoint), 0);
        cr_assert_eq(
            cnv_watch_new(&loop, receiver, fair_on_message, &sides[i], &fair.watches[i], NULL),
            CNV_OK);
    }
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(zmq_send(senders[0], "x", 1, 0), 1);
    }
    cr_assert_eq(zmq_send(senders[1], "x", 1, 0), 1);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(fair.received[1], 1);
    cr_assert_leq(fair.flood_before_quiet, CNV_WATCH_MESSAGES);
    cr_assert_eq(zmq_close(senders[0]), 0);
    cr_assert_eq(zmq_close(senders[1]), 0);
    cr_assert_eq(zmq_ctx_term(context), 0);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

Test(watch, failed_allocation_leaves_the_socket_to_the_caller, .timeout = 5)
{
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PAIR);
    struct cnv_watch *watch = NULL;
    uv_loop_t loop;

    cr_assert_eq(uv_loop_init(&loop), 0);
    cnv_mem_fail_after(1);
    cr_assert_eq(cnv_watch_new(&loop, socket, fair_on_message, NULL, &watch, NULL), CNV_E_NOMEM);
    cnv_mem_fail_after(0);
    cr_assert_eq(zmq_close(socket), 0);
    cr_assert_eq(zmq_ctx_term(context), 0);
    cnv_watch_close(NULL, NULL, NULL);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

/* --- ZAP ------------------------------------------------------------------------------------ */

struct guarded {
    uv_loop_t loop;
    void *context;
    struct cnv_allow *allow;
    struct cnv_zap *zap;
    struct cnv_watch *watch;
    char endpoint[CNV_ENDPOINT_SIZE];
    char list[64];
    struct cnv_certificate server;
    char user[CNV_NAME_SIZE]; /* of the message that came */
    int refused;
    int let_in;
};

static void guarded_asked(void *self, const char *address, const char *name, const char *text)
{
    struct guarded *test = self;

    cr_assert_null(text);
    cr_assert_str_eq(address, "127.0.0.1");
    if (name == NULL) {
        test->refused++;
    } else {
        test->let_in++;
    }
}

static void guarded_on_message(void *self, void *socket)
{
    struct guarded *test = self;
    zmq_msg_t frame;
    int more = 1;

    while (more != 0) {
        cr_assert_eq(zmq_msg_init(&frame), 0);
        cr_assert_geq(zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT), 0);
        more = zmq_msg_more(&frame);
        if (more == 0) {
            const char *user = zmq_msg_gets(&frame, "User-Id");

            (void) snprintf(test->user, sizeof(test->user), "%s", user == NULL ? "?" : user);
        }
        cr_assert_eq(zmq_msg_close(&frame), 0);
    }
}

static void
guarded_write_list(struct guarded *test, const struct cnv_certificate *who, const char *name)
{
    FILE *out = fopen(test->list, "w");

    cr_assert_not_null(out);
    cr_assert_gt(fprintf(out, "%s %s\n", name, who->public_key), 0);
    cr_assert_eq(fclose(out), 0);
}

static void guarded_open(struct guarded *test, const struct cnv_certificate *who)
{
    struct cnv_socket_setup setup = { .type = ZMQ_ROUTER, .hwm = 10, .message_bytes = -1 };
    struct cnv_endpoint endpoint;
    struct cnv_error err;
    void *router = NULL;

    memset(test, 0, sizeof(*test));
    test->context = zmq_ctx_new();
    strcpy(test->list, "/tmp/test_loop_XXXXXX");
    int fd = mkstemp(test->list);
    cr_assert_geq(fd, 0);
    cr_assert_eq(close(fd), 0);
    guarded_write_list(test, who, "gpu-3");
    cr_assert_eq(cnv_certificate_generate("server", &test->server, NULL), CNV_OK);
    cr_assert_eq(cnv_allow_new(test->list, &test->allow, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(uv_loop_init(&test->loop), 0);
    cr_assert_eq(
        cnv_zap_new(&test->loop, test->context, test->allow, guarded_asked, test, &test->zap, &err),
        CNV_OK,
        "%s",
        err.text);
    setup.certificate = &test->server;
    cr_assert_eq(cnv_socket_new(test->context, &setup, &router, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_endpoint_parse("tcp://127.0.0.1:*", "test", &endpoint, NULL), CNV_OK);
    cr_assert_eq(cnv_socket_bind(router, &endpoint, "test", &endpoint, NULL), CNV_OK);
    (void) cnv_endpoint_format(&endpoint, test->endpoint, sizeof(test->endpoint));
    cr_assert_eq(cnv_watch_new(&test->loop, router, guarded_on_message, test, &test->watch, NULL),
                 CNV_OK);
}

static void guarded_close(struct guarded *test)
{
    cnv_watch_close(test->watch, NULL, NULL);
    cnv_zap_close(test->zap, NULL, NULL);
    (void) uv_run(&test->loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&test->loop), 0);
    cr_assert_eq(zmq_ctx_term(test->context), 0);
    cnv_allow_destroy(test->allow);
    cr_assert_eq(unlink(test->list), 0);
}

static void *guarded_connect(struct guarded *test, const struct cnv_certificate *who)
{
    const struct cnv_socket_setup setup = {
        .type = ZMQ_DEALER,
        .hwm = 10,
        .message_bytes = -1,
        .certificate = who,
        .server_key = test->server.public_key,
    };
    void *dealer = NULL;

    cr_assert_eq(cnv_socket_new(test->context, &setup, &dealer, NULL), CNV_OK);
    cr_assert_eq(zmq_connect(dealer, test->endpoint), 0);
    cr_assert_eq(zmq_send(dealer, "hello", 5, 0), 5);
    return dealer;
}

Test(zap, listed_key_is_let_in_under_its_name_and_another_is_not, .timeout = 20)
{
    struct cnv_certificate known;
    struct cnv_certificate unknown;
    struct guarded test;

    cr_assert_eq(cnv_certificate_generate("known", &known, NULL), CNV_OK);
    cr_assert_eq(cnv_certificate_generate("unknown", &unknown, NULL), CNV_OK);
    guarded_open(&test, &known);
    void *stranger = guarded_connect(&test, &unknown);
    while (test.refused == 0) {
        (void) uv_run(&test.loop, UV_RUN_ONCE);
    }
    cr_assert_str_eq(test.user, "");
    void *friend = guarded_connect(&test, &known);
    while (test.user[0] == '\0') {
        (void) uv_run(&test.loop, UV_RUN_ONCE);
    }
    cr_assert_str_eq(test.user, "gpu-3");
    cr_assert_eq(test.let_in, 1);
    cr_assert_eq(zmq_close(stranger), 0);
    cr_assert_eq(zmq_close(friend), 0);
    guarded_close(&test);
}

Test(zap, key_listed_later_is_let_in_without_a_restart, .timeout = 20)
{
    struct cnv_certificate first;
    struct cnv_certificate later;
    struct guarded test;

    cr_assert_eq(cnv_certificate_generate("first", &first, NULL), CNV_OK);
    cr_assert_eq(cnv_certificate_generate("later", &later, NULL), CNV_OK);
    guarded_open(&test, &first);
    guarded_write_list(&test, &later, "new-name");
    void *dealer = guarded_connect(&test, &later);
    while (test.user[0] == '\0' && test.refused == 0) {
        (void) uv_run(&test.loop, UV_RUN_ONCE);
    }
    cr_assert_str_eq(test.user, "new-name");
    cr_assert_eq(zmq_close(dealer), 0);
    guarded_close(&test);
}
