/* test_daemon.c - a daemon in a thread, spoken to frame by frame: what strangers and tools may
 * send. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <zmq.h>

#include "base/log.h"
#include "config/config.h"
#include "io/daemon.h"
#include "proto/message.h"

struct served {
    char directory[64];
    struct cnv_config *config;
    struct cnv_daemon *daemon;
    uv_thread_t thread;
    enum cnv_exit exit;
    void *context;
    void *control;
};

/* The answer to one message: header, and what came behind it. */
struct answer {
    struct cnv_message message;
    size_t len;
    char *payload; /* NUL-terminated; NULL: none */
};

static void serve(void *arg)
{
    struct served *served = arg;

    served->exit = cnv_daemon_run(served->daemon);
}

static void *connected(struct served *served, int type, const char *name)
{
    char endpoint[128];
    int linger = 0;
    int timeout = 30000;
    int hwm = 1; /* else libzmq would go on reading for who does not */
    void *socket = zmq_socket(served->context, type);

    (void) snprintf(endpoint, sizeof(endpoint), "ipc://%s/%s", served->directory, name);
    cr_assert_eq(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger)), 0);
    cr_assert_eq(zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof(hwm)), 0);
    cr_assert_eq(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

/* A daemon with these settings ("path=value", ended by NULL), in a directory of its own. */
static void served_open(struct served *served, const char *const *settings)
{
    struct cnv_error err;
    char setting[160];

    memset(served, 0, sizeof(*served));
    cnv_log_open("test", CNV_LOG_ERROR, false);
    strcpy(served->directory, "/tmp/test_daemon_XXXXXX");
    cr_assert_not_null(mkdtemp(served->directory));
    served->config = cnv_config_new();
    (void) snprintf(setting, sizeof(setting), "listen/data=ipc://%s/data", served->directory);
    cr_assert_eq(cnv_config_assign(served->config, setting, "test", &err), CNV_OK, "%s", err.text);
    (void) snprintf(setting, sizeof(setting), "listen/control=ipc://%s/control", served->directory);
    cr_assert_eq(cnv_config_assign(served->config, setting, "test", &err), CNV_OK, "%s", err.text);
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        cr_assert_eq(
            cnv_config_assign(served->config, settings[i], "test", &err), CNV_OK, "%s", err.text);
    }
    cr_assert_eq(cnv_daemon_new(served->config, &served->daemon, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(uv_thread_create(&served->thread, serve, served), 0);
    served->context = zmq_ctx_new();
    served->control = connected(served, ZMQ_DEALER, "control");
}

static void say(void *socket, const struct cnv_message *message, const void *payload, size_t len)
{
    uint8_t header[CNV_HEADER_MAX];
    size_t header_len = cnv_message_encode(message, header, sizeof(header));

    cr_assert_eq(zmq_send(socket, header, header_len, payload == NULL ? 0 : ZMQ_SNDMORE),
                 (int) header_len);
    if (payload != NULL) {
        cr_assert_eq(zmq_send(socket, payload, len, 0), (int) len);
    }
}

static struct answer heard(void *socket)
{
    struct answer answer = { .len = 0 };
    struct cnv_error err;
    zmq_msg_t frame;

    cr_assert_eq(zmq_msg_init(&frame), 0);
    cr_assert_geq(zmq_msg_recv(&frame, socket, 0), 0, "no answer");
    cr_assert_eq(
        cnv_message_decode(zmq_msg_data(&frame), zmq_msg_size(&frame), &answer.message, &err),
        CNV_OK,
        "%s",
        err.text);
    if (zmq_msg_more(&frame) != 0) {
        cr_assert_geq(zmq_msg_recv(&frame, socket, 0), 0);
        cr_assert_eq(zmq_msg_more(&frame), 0);
        answer.len = zmq_msg_size(&frame);
        answer.payload = calloc(1, answer.len + 1);
        memcpy(answer.payload, zmq_msg_data(&frame), answer.len);
    }
    cr_assert_eq(zmq_msg_close(&frame), 0);
    return answer;
}

/* Answers until one of this kind comes: beats and the like may come in between. */
static struct answer heard_kind(void *socket, enum cnv_kind kind)
{
    struct answer answer = heard(socket);

    while (answer.message.kind != kind) {
        free(answer.payload);
        answer = heard(socket);
    }
    return answer;
}

static struct answer asked(struct served *served, const char *command, const char *argument)
{
    struct cnv_message message = { .kind = CNV_KIND_COMMAND };

    message.command.id = 77;
    (void) snprintf(message.command.command, sizeof(message.command.command), "%s", command);
    (void) snprintf(message.command.argument, sizeof(message.command.argument), "%s", argument);
    say(served->control, &message, NULL, 0);
    struct answer answer = heard(served->control);
    cr_assert_eq(answer.message.kind, CNV_KIND_REPLY);
    cr_assert_eq(answer.message.reply.id, 77);
    return answer;
}

static json_t *asked_json(struct served *served, const char *command)
{
    struct answer answer = asked(served, command, "");
    json_t *root = json_loadb(answer.payload, answer.len, 0, NULL);

    cr_assert_eq(answer.message.reply.code, 0);
    cr_assert_str_eq(answer.message.reply.type, "application/json");
    cr_assert(json_is_true(json_object_get(root, "ok")));
    cr_assert_eq(json_integer_value(json_object_get(root, "schema")), 1);
    free(answer.payload);
    return root;
}

static void served_close(struct served *served)
{
    json_decref(asked_json(served, "stop"));
    cr_assert_eq(zmq_close(served->control), 0);
    cr_assert_eq(uv_thread_join(&served->thread), 0);
    cr_assert_eq(served->exit, CNV_EXIT_DONE);
    cnv_daemon_destroy(served->daemon);
    cnv_config_destroy(served->config);
    cr_assert_eq(zmq_ctx_term(served->context), 0);
    cr_assert_eq(rmdir(served->directory), 0, "no socket may be left behind");
}

static struct cnv_message hello(const char *name)
{
    struct cnv_message message = { .kind = CNV_KIND_HELLO };

    message.hello.version_min = CNV_PROTOCOL_OLDEST;
    message.hello.version_max = CNV_PROTOCOL_VERSION;
    message.hello.instance = 1234;
    (void) snprintf(message.hello.name, sizeof(message.hello.name), "%s", name);
    strcpy(message.hello.host, "here");
    strcpy(message.hello.role, "worker");
    return message;
}

Test(daemon, answers_what_it_cannot_read, .timeout = 30)
{
    static const uint8_t unknown_kind[] = { 0x92, 1, 0x63 };
    struct served served;

    served_open(&served, NULL);
    void *data = connected(&served, ZMQ_DEALER, "data");
    cr_assert_eq(zmq_send(data, "nonsense", 8, 0), 8);
    struct answer answer = heard_kind(data, CNV_KIND_ERROR);
    cr_assert_eq(answer.message.error.code, -CNV_E_MALFORMED);
    cr_assert_not(answer.message.error.fatal);
    cr_assert_eq(zmq_send(data, unknown_kind, sizeof(unknown_kind), 0), sizeof(unknown_kind));
    answer = heard_kind(data, CNV_KIND_ERROR);
    cr_assert_eq(answer.message.error.code, -CNV_E_KIND);
    for (int i = 0; i < 9; i++) {
        cr_assert_eq(zmq_send(data, "x", 1, i < 8 ? ZMQ_SNDMORE : 0), 1);
    }
    answer = heard_kind(data, CNV_KIND_ERROR);
    cr_assert_eq(answer.message.error.code, -CNV_E_MALFORMED);
    struct cnv_message message = hello("late");
    message.hello.version_min = message.hello.version_max = 9;
    say(data, &message, NULL, 0);
    answer = heard_kind(data, CNV_KIND_ERROR);
    cr_assert_eq(answer.message.error.code, -CNV_E_VERSION);
    cr_assert(answer.message.error.fatal);
    cr_assert_eq(zmq_close(data), 0);
    served_close(&served);
}

Test(daemon, asks_strangers_to_join, .timeout = 30)
{
    struct cnv_message beat = { .kind = CNV_KIND_BEAT };
    struct cnv_message chunk = { .kind = CNV_KIND_CHUNK };
    struct served served;

    served_open(&served, NULL);
    void *data = connected(&served, ZMQ_DEALER, "data");
    void *bulk = connected(&served, ZMQ_DEALER, "data.bulk");
    say(data, &beat, NULL, 0);
    cr_assert_eq(heard(data).message.kind, CNV_KIND_REJOIN);
    say(bulk, &chunk, "12345678", 8);
    cr_assert_eq(heard(bulk).message.kind, CNV_KIND_REJOIN);
    struct cnv_message message = hello("a");
    say(data, &message, NULL, 0);
    struct answer answer = heard_kind(data, CNV_KIND_WELCOME);
    cr_assert_not_null(strstr(answer.payload, "problem/kind=logistic"));
    cr_assert_not_null(strstr(answer.message.welcome.bulk, "data.bulk"));
    free(answer.payload);
    json_t *status = asked_json(&served, "status");
    const json_t *agents = json_object_get(json_object_get(status, "data"), "agents");
    cr_assert_eq(json_array_size(agents), 1);
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(agents, 0), "name")), "a");
    json_decref(status);
    cr_assert_eq(zmq_close(data), 0);
    cr_assert_eq(zmq_close(bulk), 0);
    served_close(&served);
}

Test(control, answers_dealer_and_req_and_refuses_in_words, .timeout = 30)
{
    static const char *const json_commands[] = { "status", "agents", "rounds", "policy" };
    static const char *const wrong[] = { "after", "after ", "after x", "after 1 2", "before 1" };
    struct cnv_message message = { .kind = CNV_KIND_COMMAND };
    struct served served;

    served_open(&served, NULL);
    for (size_t i = 0; i < 4; i++) {
        json_decref(asked_json(&served, json_commands[i]));
    }
    struct answer answer = asked(&served, "rounds", "csv");
    cr_assert_str_eq(answer.message.reply.type, "text/csv");
    cr_assert_eq(strncmp(answer.payload, "round,seconds,", 14), 0);
    free(answer.payload);
    answer = asked(&served, "rounds", "after 3");
    cr_assert_eq(answer.message.reply.code, 0);
    cr_assert_not_null(strstr(answer.payload, "\"rows\":[{"),
                       "the model's own row is always there");
    free(answer.payload);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        answer = asked(&served, "rounds", wrong[i]);
        cr_assert_eq(answer.message.reply.code, -CNV_E_INPUT, "%s", wrong[i]);
        free(answer.payload);
    }
    answer = asked(&served, "model", "");
    cr_assert_eq(answer.message.reply.code, -CNV_E_UNEXPECTED, "there is none yet");
    cr_assert_not_null(strstr(answer.payload, "\"ok\":false"));
    free(answer.payload);
    answer = asked(&served, "dance", "");
    cr_assert_eq(answer.message.reply.code, -CNV_E_INPUT);
    cr_assert_not_null(strstr(answer.message.reply.text, "status"));
    free(answer.payload);

    void *req = connected(&served, ZMQ_REQ, "control");
    strcpy(message.command.command, "policy");
    say(req, &message, NULL, 0);
    answer = heard(req);
    cr_assert_eq(answer.message.reply.code, 0);
    free(answer.payload);
    cr_assert_eq(zmq_send(req, "rubbish", 7, 0), 7);
    answer = heard(req);
    cr_assert_eq(answer.message.reply.code, -CNV_E_MALFORMED);
    free(answer.payload);
    cr_assert_eq(zmq_close(req), 0);
    served_close(&served);
}

/* What an asker has sent is quoted and cut in refusals: the answer must be text all the same. */
Test(control, answers_what_is_no_text, .timeout = 30)
{
    static const char *const settings[] = { "run/name=\xff\xfe", "\xff\xfe=1", "run/name=a\0b" };
    static const size_t lens[] = { 11, 4, 12 };
    struct cnv_message submit = { .kind = CNV_KIND_COMMAND };
    struct served served;
    char longest[200] = "set fixed local-steps=x";

    served_open(&served, NULL);
    for (size_t i = 0; i < 80; i++) { /* characters of two bytes: one is cut in the middle */
        strcat(longest, "\xc3\xa9");
    }
    for (size_t shift = 0; shift < 2; shift++) { /* wherever the cut falls */
        struct answer answer = asked(&served, "policy", longest);

        cr_assert_eq(answer.message.reply.code, -CNV_E_INPUT);
        cr_assert_not_null(strstr(answer.payload, "\"ok\":false"));
        free(answer.payload);
        longest[strlen("set fixed local-steps=")] = '\0';
        strcat(longest, "xx");
        for (size_t i = 0; i < 80; i++) {
            strcat(longest, "\xc3\xa9");
        }
    }
    void *socket = connected(&served, ZMQ_DEALER, "control");
    strcpy(submit.command.command, "submit");
    for (size_t i = 0; i < 3; i++) {
        say(socket, &submit, settings[i], lens[i]);
        struct answer answer = heard(socket);

        cr_assert_eq(answer.message.reply.code, -CNV_E_INPUT, "%zu", i);
        free(answer.payload);
    }
    cr_assert_eq(zmq_close(socket), 0);
    served_close(&served);
}

Test(daemon, outlives_many_who_only_knock, .timeout = 60)
{
    static const char *const few[] = { "limits/members=1", NULL };
    struct served served;

    served_open(&served, few);
    for (int i = 0; i < 1500; i++) {
        void *data = connected(&served, ZMQ_DEALER, "data");

        cr_assert_eq(zmq_send(data, "x", 1, 0), 1);
        if (i % 50 == 0) {
            free(heard_kind(data, CNV_KIND_ERROR).payload);
        }
        cr_assert_eq(zmq_close(data), 0);
    }
    json_decref(asked_json(&served, "status"));
    served_close(&served);
}

Test(daemon, disconnects_who_sends_too_much_at_once, .timeout = 30)
{
    struct served served;
    static const char large[8 << 20];

    served_open(&served, NULL);
    void *data = connected(&served, ZMQ_DEALER, "data");
    cr_assert_eq(zmq_send(data, large, sizeof(large), 0), sizeof(large));
    json_decref(asked_json(&served, "status"));
    struct cnv_message beat = { .kind = CNV_KIND_BEAT };
    void *other = connected(&served, ZMQ_DEALER, "data");
    say(other, &beat, NULL, 0);
    cr_assert_eq(heard(other).message.kind, CNV_KIND_REJOIN);
    cr_assert_eq(zmq_close(data), 0);
    cr_assert_eq(zmq_close(other), 0);
    served_close(&served);
}

/* Brings an agent to where it is sent the model of the start, of 2^20 coordinates, on bulk. */
static void join_and_stop_reading(struct served *served, void **ret_data, void **ret_bulk)
{
    struct cnv_message message = hello("slow");
    void *data = connected(served, ZMQ_DEALER, "data");
    void *bulk = connected(served, ZMQ_DEALER, "data.bulk");
    struct answer answer;

    say(data, &message, NULL, 0);
    answer = heard_kind(data, CNV_KIND_WELCOME);
    free(answer.payload);
    message = (struct cnv_message){ .kind = CNV_KIND_ATTACH };
    message.attach.token = answer.message.welcome.token;
    say(bulk, &message, NULL, 0);
    message = (struct cnv_message){ .kind = CNV_KIND_LOADED };
    message.loaded.rows = message.loaded.features = 1;
    say(data, &message, NULL, 0);
    free(heard_kind(data, CNV_KIND_SHAPE).payload);
    message = (struct cnv_message){ .kind = CNV_KIND_READY };
    message.ready.dimension = 1 << 20;
    say(data, &message, NULL, 0);
    answer = heard_kind(data, CNV_KIND_COMMIT);
    free(answer.payload);
    cr_assert_gt(answer.message.commit.transfer, 0);
    message = (struct cnv_message){ .kind = CNV_KIND_CREDIT };
    message.credit.transfer = answer.message.commit.transfer;
    message.credit.limit = 1 << 20;
    say(data, &message, NULL, 0);
    *ret_data = data;
    *ret_bulk = bulk;
}

static json_int_t server_number(struct served *served, const char *name)
{
    json_t *status = asked_json(served, "status");
    const json_t *server = json_object_get(json_object_get(status, "data"), "server");
    json_int_t number = json_integer_value(json_object_get(server, name));

    json_decref(status);
    return number;
}

Test(daemon, bounds_what_a_peer_that_stopped_reading_pins, .timeout = 30)
{
    /* Credit is for 8 chunks, twice the limit. */
    static const char *const settings[] = { "limits/pinned=2097152", "limits/chunk=524288", NULL };
    const json_int_t limit = 2097152;
    json_int_t most = 0;
    struct served served;
    void *data = NULL;
    void *bulk = NULL;

    served_open(&served, settings);
    join_and_stop_reading(&served, &data, &bulk);
    for (int steady = 0; steady < 100 || most < limit / 2; steady++) {
        json_int_t pinned = server_number(&served, "pinned_bytes");

        cr_assert_leq(pinned, limit);
        if (pinned > most) {
            most = pinned;
            steady = 0;
        }
    }
    cr_assert_eq(zmq_close(data), 0);
    cr_assert_eq(zmq_close(bulk), 0);
    served_close(&served);
}
