/* test_client.c - the calls of convene.h against a server whose every answer the test decides. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "support/client_steps.h"

enum { LENGTH = 6 };

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

    cr_assert_eq(convene_ready_smooth(client, LENGTH, 1.5), CONVENE_OK);
    hear(server, CNV_KIND_READY, &message);
    cr_assert_eq(message.ready.dimension, LENGTH);
    cr_assert_eq(message.ready.smoothness, 1.5);
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
    cr_assert_lt(zclock_mono() - begin, 10000);
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

static bool is_child;

/* Asked by the leak sanitizer, which would look in vain for our threads in a child. */
int __lsan_is_turned_off(void); /* NOLINT: its name */
int __lsan_is_turned_off(void)  /* NOLINT: its name */
{
    return is_child ? 1 : 0;
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

        is_child = true;
        (void) convene_join(&options, &client, NULL);
        (void) convene_wait(client, 100, &event);
        exit(7); /* NOLINT(concurrency-mt-unsafe): that is the test */
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 7);
}
