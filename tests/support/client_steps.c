/* client_steps.c - see client_steps.h. */
#include "support/client_steps.h"

#include <criterion/criterion.h>

convene_client *join(const struct fake_server *server)
{
    convene_options options = { .server = server->data, .name = "a1", .shard = 2, .shards = 5 };
    convene_client *client = NULL;
    convene_error error;

    cr_assert_eq(convene_join(&options, &client, &error), CONVENE_OK, "%s", error.text);
    return client;
}

convene_event *expect(convene_client *client, convene_event_kind kind)
{
    convene_event *event = NULL;

    cr_assert_eq(convene_wait(client, 30000, &event), CONVENE_OK, "waiting for event %d", kind);
    cr_assert_eq(event->kind, kind, "event %d instead of %d: %s", event->kind, kind, event->text);
    return event;
}

void expect_and_release(convene_client *client, convene_event_kind kind)
{
    convene_event_release(expect(client, kind));
}

void hear(struct fake_server *server, enum cnv_kind kind, struct cnv_message *ret_message)
{
    cr_assert(
        fake_server_expect(server, CNV_DATA, kind, ret_message), "no %s", cnv_kind_name(kind));
}

void open_round(struct fake_server *server, convene_client *client, size_t length)
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
