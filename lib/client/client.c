/*
 * client.c - the calls of convene.h, each a few lines around the actor.
 *
 * Invariants: once FINISHED or LOST was handed out (or we were interrupted) no call reaches the
 * network any more; reason holds why the last call failed.
 */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"

static convene_result fill_error(convene_error *error, convene_result result, const char *text)
{
    if (error != NULL) {
        error->result = result;
        (void) snprintf(error->text, sizeof(error->text), "%s", text);
    }
    return result;
}

static convene_result answer(convene_client *client, enum cnv_status status, const char *text)
{
    if (status == CNV_OK) {
        return CONVENE_OK;
    }
    (void) snprintf(client->reason,
                    sizeof(client->reason),
                    "%s",
                    text[0] == '\0' ? cnv_status_text(status) : text);
    return (convene_result) cnv_status_exit(status);
}

static convene_result
command(convene_client *client, enum cnv_command_kind kind, const void *argument)
{
    struct cnv_error err = { CNV_OK, "" };

    if (client->is_over) {
        return answer(client, CNV_E_UNEXPECTED, "the session is over");
    }
    enum cnv_status status = cnv_actor_command(client->actor, kind, argument, &err);

    return answer(client, status, err.text);
}

/* --- Joining ------------------------------------------------------------------------------ */

static void default_name(char *name, size_t size)
{
    char host[64] = "";

    (void) gethostname(host, sizeof(host) - 1);
    (void) snprintf(name, size, "%.50s-%ld", host, (long) getpid());
    if (!cnv_name_is_valid(name)) {
        (void) snprintf(name, size, "agent-%ld", (long) getpid());
    }
}

static uint32_t cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : (uint32_t) count;
}

/* Everything the actor needs; texts point into options, file and name. */
static enum cnv_status prepare(const convene_options *options,
                               struct cnv_joinfile *file,
                               char *name,
                               size_t size,
                               struct cnv_actor_setup *ret_setup,
                               struct cnv_error *err)
{
    struct cnv_actor_setup setup = { .patience_ms = options->patience_ms };

    default_name(name, size);
    if (options->join_file != NULL) {
        enum cnv_status status = cnv_joinfile_read(options->join_file, file, err);

        if (status != CNV_OK) {
            return status;
        }
        if (options->name != NULL && strcmp(options->name, file->name) != 0) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "name %.64s: the keys in %.80s are for %s",
                            options->name,
                            options->join_file,
                            file->name);
        }
        (void) snprintf(name, size, "%s", file->name);
        setup.keys = file;
        setup.endpoint = file->endpoint;
    }
    setup.session.name = options->name != NULL ? options->name : name;
    setup.endpoint = options->server != NULL ? options->server : setup.endpoint;
    if (setup.endpoint == NULL || strlen(setup.endpoint) >= CNV_ENDPOINT_SIZE) {
        return cnv_fail(err, CNV_E_INPUT, "a server is needed: tcp://HOST:PORT or ipc://PATH");
    }
    if (!cnv_name_is_valid(setup.session.name)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "name \"%.80s\": 1 to 64 letters, digits, '.', '_' or '-' are allowed",
                        setup.session.name);
    }
    if (options->shard > options->shards || (options->shard == 0 && options->shards > 0)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "shard %u/%u: must be from 1/N to N/N, or 0/0 for a lease",
                        options->shard,
                        options->shards);
    }
    setup.session.role = options->role;
    setup.session.stay = options->stay;
    setup.session.shard = options->shard;
    setup.session.shards = options->shards;
    setup.session.cores = options->cores != 0 ? options->cores : cores();
    while (setup.session.instance == 0) {
        if (getrandom(&setup.session.instance, sizeof(setup.session.instance), 0) < 0) {
            return cnv_fail(err, CNV_E_SYSTEM, "no random numbers");
        }
    }
    *ret_setup = setup;
    return CNV_OK;
}

/* The first event is WELCOME or LOST; a LOST is given as the result. */
static convene_result
await_welcome(convene_client *client, int64_t patience_ms, convene_error *error)
{
    /* The network thread gives up after patience_ms and says so. */
    convene_event *event = cnv_actor_wait(client->actor, patience_ms < 0 ? -1 : patience_ms + 1000);

    if (event == NULL) {
        return fill_error(error, CONVENE_REFUSED, "the server does not answer");
    }
    if (event->kind == CONVENE_LOST) {
        convene_result result = fill_error(error, event->result, event->text);

        convene_event_release(event);
        return result;
    }
    client->first = event;
    return CONVENE_OK;
}

convene_result
convene_join(const convene_options *options, convene_client **ret_client, convene_error *error)
{
    struct cnv_error err = { CNV_OK, "" };
    struct cnv_joinfile file;
    struct cnv_actor_setup setup;
    char name[CNV_NAME_SIZE];
    char host[64] = "";
    enum cnv_status status = prepare(options, &file, name, sizeof(name), &setup, &err);

    if (status != CNV_OK) {
        return fill_error(error, (convene_result) cnv_status_exit(status), err.text);
    }
    convene_client *client = cnv_object_new(convene_client);
    if (client == NULL) {
        return fill_error(error, CONVENE_FAILED, "out of memory");
    }
    client->rows = options->rows == 0 ? 1 : options->rows;
    (void) gethostname(host, sizeof(host) - 1);
    setup.session.host = host;
    if (options->patience_ms == 0) {
        setup.patience_ms = -1;
    }
    status = cnv_actor_new(&setup, &client->actor, &err);
    if (status != CNV_OK) {
        cnv_free(client);
        return fill_error(error, (convene_result) cnv_status_exit(status), err.text);
    }
    if (options->patience_ms != 0) {
        convene_result result = await_welcome(client, options->patience_ms, error);

        if (result != CONVENE_OK) {
            convene_leave(client, "not welcome");
            return result;
        }
    }
    *ret_client = client;
    return fill_error(error, CONVENE_OK, "");
}

/* --- The rest ----------------------------------------------------------------------------- */

convene_result convene_wait(convene_client *client, int64_t timeout_ms, convene_event **ret_event)
{
    convene_event *event = client->first;

    if (client->is_over) {
        return answer(client, CNV_E_UNEXPECTED, "the session is over: nothing more will come");
    }
    if (event == NULL) {
        event = cnv_actor_wait(client->actor, timeout_ms);
    }
    client->first = NULL;
    if (event == NULL) {
        return answer(client, CNV_E_TIMEOUT, "nothing happened in time");
    }
    client->is_over = event->kind == CONVENE_FINISHED || event->kind == CONVENE_LOST;
    *ret_event = event;
    return CONVENE_OK;
}

convene_result convene_loaded(convene_client *client, const convene_data *data)
{
    return command(client, CNV_COMMAND_LOADED, data);
}

convene_result convene_ready(convene_client *client, uint64_t dimension)
{
    return convene_ready_smooth(client, dimension, 0);
}

convene_result convene_ready_smooth(convene_client *client, uint64_t dimension, double smoothness)
{
    struct cnv_msg_ready ready = { .dimension = dimension, .smoothness = smoothness };

    return command(client, CNV_COMMAND_READY, &ready);
}

convene_result convene_contribute(convene_client *client, const convene_contribution *contribution)
{
    return command(client, CNV_COMMAND_CONTRIBUTE, contribution);
}

convene_result convene_report(convene_client *client, const convene_score *score)
{
    return command(client, CNV_COMMAND_REPORT, score);
}

const char *convene_reason(const convene_client *client)
{
    return client->reason;
}

convene_link convene_link_state(const convene_client *client)
{
    return cnv_actor_link(client->actor);
}

void convene_interrupt(convene_client *client)
{
    cnv_actor_interrupt(client->actor);
}

void convene_speed(convene_client *client, double steps_per_second)
{
    cnv_actor_speed(client->actor, steps_per_second);
}

void convene_leave(convene_client *client, const char *reason)
{
    if (client == NULL) {
        return;
    }
    cnv_actor_destroy(client->actor, reason == NULL ? "" : reason);
    convene_event_release(client->first);
    convene_event_release(client->base);
    cnv_free(client->update);
    cnv_free(client);
}
