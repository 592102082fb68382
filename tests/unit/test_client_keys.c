/* test_client_keys.c - who has which keys, and how soon it is told. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <string.h>

#include "client/joinfile.h"
#include "support/client_steps.h"

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
    cr_assert_lt(zclock_mono() - begin, 15000);
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
