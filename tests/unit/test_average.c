/* test_average.c - convene_begin and convene_average: a training loop of three lines. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <pthread.h>
#include <string.h>

#include "client/convene.h"
#include "support/fake_server.h"

enum { LENGTH = 4 };

/* What the server's thread does, and what it saw. */
struct script {
    struct fake_server *server;
    void (*play)(struct script *script);
    double update[2][LENGTH];
    uint64_t samples;
    uint64_t scalars;
    bool is_through;
};

static bool hear(struct script *script, enum cnv_kind kind, struct cnv_message *message)
{
    return fake_server_expect(script->server, CNV_DATA, kind, message);
}

/* Until round 1 is announced. */
static bool play_opening(struct script *script, const char *plan)
{
    struct cnv_message message;

    if (!hear(script, CNV_KIND_HELLO, &message)) {
        return false;
    }
    fake_server_welcome(script->server);
    if (!hear(script, CNV_KIND_LOADED, &message) || message.loaded.features != LENGTH ||
        message.loaded.rows != 10) {
        return false;
    }
    fake_server_shape(script->server, LENGTH);
    if (!hear(script, CNV_KIND_READY, &message) || message.ready.dimension != LENGTH) {
        return false;
    }
    fake_server_commit(script->server, 0, 1, 0.5, LENGTH, 0);
    fake_server_announce(script->server, 1, 1, 1, plan);
    return true;
}

static void *play(void *argument)
{
    struct script *script = argument;

    script->play(script);
    return NULL;
}

static convene_client *start(struct script *script, pthread_t *thread)
{
    convene_client *client = NULL;
    convene_error error;

    script->server = fake_server_open(NULL, NULL);
    convene_options options = {
        .server = script->server->data, .name = "a1", .patience_ms = 30000, .rows = 10
    };
    cr_assert_eq(pthread_create(thread, NULL, play, script), 0);
    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_OK, "%s", error.text);
    return client;
}

static void stop(struct script *script, pthread_t thread, convene_client *client)
{
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert(script->is_through);
    convene_leave(client, NULL);
    fake_server_close(script->server);
}

/* Two rounds, of which the first is restarted, and a last one for the loss alone. */
static void play_run(struct script *script)
{
    struct cnv_message message;

    if (!play_opening(script, "model") || !hear(script, CNV_KIND_OFFER, &message)) {
        return;
    }
    script->samples = message.offer.samples;
    memcpy(script->update[0], script->server->payload, sizeof(script->update[0]));
    fake_server_announce(script->server, 1, 2, 1, "model");
    do {
        if (!hear(script, CNV_KIND_OFFER, &message)) {
            return;
        }
    } while (message.offer.attempt != 2);
    memcpy(script->update[1], script->server->payload, sizeof(script->update[1]));
    fake_server_commit(script->server, 1, 2, 2.5, LENGTH, 0);
    fake_server_announce(script->server, 2, 1, 2, "model");
    do {
        if (!hear(script, CNV_KIND_OFFER, &message)) {
            return;
        }
    } while (message.offer.round != 2);
    fake_server_commit(script->server, 2, 3, 4.5, LENGTH, 0);
    fake_server_announce(script->server, 3, 1, 3, "loss");
    do {
        if (!hear(script, CNV_KIND_OFFER, &message)) {
            return;
        }
    } while (message.offer.round != 3);
    script->scalars = message.offer.scalars.count;
    fake_server_finish(script->server, 0, "2 rounds done");
    script->is_through = message.offer.bytes == 0;
}

Test(average, a_run_is_a_loop_of_three_lines, .timeout = 20)
{
    struct script script = { .play = play_run, .scalars = 99 };
    pthread_t thread;
    convene_client *client = start(&script, &thread);
    convene_error error;
    double values[LENGTH];
    uint32_t local_steps = 0;

    cr_assert_eq(
        convene_begin(client, values, LENGTH, &local_steps, &error), CONVENE_OK, "%s", error.text);
    cr_assert_eq(local_steps, 3);
    cr_assert_float_eq(values[3], 0.5, 0.0);
    values[3] = 2.0;
    cr_assert_eq(convene_average(client, values, LENGTH, 11, &local_steps, &error), CONVENE_USAGE);
    cr_assert_not_null(strstr(error.text, "more than the rows"), "%s", error.text);
    cr_assert_eq(convene_average(client, values, LENGTH, 10, &local_steps, &error),
                 CONVENE_OK,
                 "%s",
                 error.text);
    cr_assert_eq(local_steps, 3);
    cr_assert_float_eq(values[0], 2.5, 0.0);
    cr_assert_eq(convene_average(client, values, LENGTH, 10, &local_steps, &error),
                 CONVENE_OK,
                 "%s",
                 error.text);
    cr_assert_eq(local_steps, 0);
    cr_assert_float_eq(values[0], 4.5, 0.0);
    stop(&script, thread, client);
    cr_assert_eq(script.samples, 10);
    cr_assert_eq(script.scalars, 0);
    cr_assert_float_eq(script.update[0][0], 0.0, 0.0);
    cr_assert_float_eq(script.update[0][3], 1.5, 0.0);
    /* The restarted round starts from the same model: the same work counts. */
    cr_assert_arr_eq(script.update[0], script.update[1], sizeof(script.update[0]));
}

static void play_failure(struct script *script)
{
    if (play_opening(script, "model")) {
        fake_server_finish(script->server, 1, "no valid contribution in 3 rounds");
        script->is_through = true;
    }
}

Test(average, a_failed_run_gives_its_reason, .timeout = 20)
{
    struct script script = { .play = play_failure };
    pthread_t thread;
    convene_client *client = start(&script, &thread);
    convene_error error;
    double values[LENGTH];
    uint32_t local_steps = 0;

    cr_assert_eq(convene_begin(client, values, LENGTH, &local_steps, &error), CONVENE_OK);
    cr_assert_eq(convene_average(client, values, LENGTH, 1, &local_steps, &error), CONVENE_FAILED);
    cr_assert_str_eq(error.text, "no valid contribution in 3 rounds");
    cr_assert_eq(local_steps, 0);
    stop(&script, thread, client);
}

static void play_giant(struct script *script)
{
    script->is_through = play_opening(script, "gradient,direction,loss,model");
}

Test(average, a_run_of_several_exchanges_is_refused_in_words, .timeout = 20)
{
    struct script script = { .play = play_giant };
    pthread_t thread;
    convene_client *client = start(&script, &thread);
    convene_error error;
    double values[LENGTH];
    uint32_t local_steps = 0;

    cr_assert_eq(convene_begin(client, values, LENGTH, &local_steps, &error), CONVENE_FAILED);
    cr_assert_not_null(strstr(error.text, "gradient,direction"), "%s", error.text);
    stop(&script, thread, client);
}

Test(average, averaging_before_the_beginning_is_refused, .timeout = 20)
{
    convene_options options = { .server = "tcp://127.0.0.1:9" };
    convene_client *client = NULL;
    convene_error error;
    double values[LENGTH] = { 0 };
    uint32_t local_steps = 0;

    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_OK);
    cr_assert_eq(convene_average(client, values, LENGTH, 1, &local_steps, &error), CONVENE_USAGE);
    cr_assert_not_null(strstr(error.text, "convene_begin"));
    convene_leave(client, NULL);
}
