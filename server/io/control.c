/*
 * control.c - commands of people and tools, answered from what the engine shows.
 *
 * Every command gets exactly one reply. Short answers are made at once; the model and the table of
 * rounds are made on the worker pool, so that the loop goes on. Over TCP a command needs a key
 * whose name begins with "operator": an agent's key is not enough to stop everybody's run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/internal.h"
#include "proto/text.h"
#include "report/report.h"

enum { FRAMES_MAX = 4 };

static const char json_mime[] = "application/json";

static void reply_send(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       struct cnv_message *reply,
                       struct cnv_blob *body)
{
    void *socket = daemon->control.socket;
    uint8_t header[CNV_HEADER_MAX];
    zmq_msg_t payload;

    reply->kind = CNV_KIND_REPLY;
    reply->reply.id = asker->id;
    size_t len = cnv_message_encode(reply, header, sizeof(header));
    if (socket == NULL ||
        cnv_frame_from_blob(&payload, body, 0, cnv_blob_len(body), &daemon->pinned) != CNV_OK) {
        return;
    }
    if (zmq_send(socket, asker->route, asker->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        (asker->has_delimiter && zmq_send(socket, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) ||
        zmq_send(socket, header, len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_msg_send(&payload, socket, ZMQ_DONTWAIT) < 0) {
        (void) zmq_msg_close(&payload); /* who asked is gone, or does not read */
    }
}

void cnv_control_reply(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       const char *type,
                       struct cnv_blob *body)
{
    struct cnv_message reply = { .kind = CNV_KIND_REPLY };

    /* A small answer is copied, and status must be had also when peers have stopped reading. */
    if (cnv_blob_len(body) >= CNV_FRAME_COPY_BELOW &&
        atomic_load(&daemon->pinned.bytes) + cnv_blob_len(body) > daemon->pinned_max) {
        cnv_control_refuse(daemon, asker, CNV_E_FULL, "limits/pinned is reached: ask again later");
        return;
    }
    (void) snprintf(reply.reply.type, sizeof(reply.reply.type), "%s", type);
    reply_send(daemon, asker, &reply, body);
}

struct cnv_blob *cnv_json_blob(json_t *root)
{
    size_t len = json_dumpb(root, NULL, 0, JSON_COMPACT);
    struct cnv_blob *blob = len == 0 ? NULL : cnv_blob_new(len);

    if (blob != NULL && json_dumpb(root, (char *) cnv_blob_edit(blob), len, JSON_COMPACT) != len) {
        cnv_blob_unref(blob);
        blob = NULL;
    }
    json_decref(root);
    return blob;
}

void cnv_control_refuse(struct cnv_daemon *daemon,
                        const struct cnv_asker *asker,
                        enum cnv_status status,
                        const char *text)
{
    struct cnv_message reply = { .kind = CNV_KIND_REPLY };

    reply.reply.code = (uint64_t) -status;
    (void) snprintf(reply.reply.text, sizeof(reply.reply.text), "%s", text);
    cnv_text_mend(reply.reply.text); /* it quotes the asker, and may be cut anywhere */
    struct cnv_blob *body = cnv_json_blob(json_pack("{s:i, s:b, s:{s:i, s:s, s:s}}",
                                                    "schema",
                                                    1,
                                                    "ok",
                                                    0,
                                                    "error",
                                                    "code",
                                                    -(int) status,
                                                    "name",
                                                    cnv_status_name(status),
                                                    "text",
                                                    reply.reply.text));
    if (body == NULL) {
        return;
    }
    (void) snprintf(reply.reply.type, sizeof(reply.reply.type), "%s", json_mime);
    reply_send(daemon, asker, &reply, body);
    cnv_blob_unref(body);
}

void cnv_control_json(struct cnv_daemon *daemon, const struct cnv_asker *asker, json_t *data)
{
    json_t *root =
        data == NULL ? NULL : json_pack("{s:i, s:b, s:o}", "schema", 1, "ok", 1, "data", data);
    struct cnv_blob *body = root == NULL ? NULL : cnv_json_blob(root);

    if (body == NULL) {
        cnv_control_refuse(daemon, asker, CNV_E_NOMEM, "no memory for the answer");
        return;
    }
    cnv_control_reply(daemon, asker, json_mime, body);
    cnv_blob_unref(body);
}

static void
on_status(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    (void) argument;
    cnv_control_json(daemon, asker, cnv_daemon_report(daemon));
}

static void
on_agents(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    (void) argument;
    cnv_control_json(daemon, asker, cnv_report_agents(daemon->engine, cnv_daemon_now(daemon)));
}

static void
on_rounds(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    static const char after_word[] = "after ";
    bool is_csv = strcmp(argument, "csv") == 0;
    bool is_after = strncmp(argument, after_word, strlen(after_word)) == 0;
    const char *digits = is_after ? argument + strlen(after_word) : "";
    size_t len = strspn(digits, "0123456789");
    uint64_t after = 0;

    if (len > 0 && len < 20 && digits[len] == '\0') {
        after = strtoull(digits, NULL, 10);
    } else if (is_after || (!is_csv && argument[0] != '\0')) {
        cnv_control_refuse(daemon,
                           asker,
                           CNV_E_INPUT,
                           "rounds: the argument must be csv, after N (a round) or empty");
        return;
    }
    cnv_rounds_answer(daemon, asker, after, is_csv);
}

static void
on_policy(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    cnv_policy_answer(daemon, asker, argument);
}

static void on_model(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    (void) argument;
    cnv_model_answer(daemon, asker);
}

/* The run alone is drained: unless run/linger is false the daemon goes on serving model and status.
 */
static void on_drain(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    (void) argument;
    cnv_log(CNV_LOG_INFO, "command", "name=drain");
    cnv_engine_drain(daemon->engine, cnv_daemon_now(daemon), "an operator asked");
    cnv_daemon_settle(daemon);
    cnv_control_json(daemon, asker, cnv_report_run(daemon->engine, daemon->config));
}

static void on_stop(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    (void) argument;
    cnv_log(CNV_LOG_INFO, "command", "name=stop");
    cnv_life_leave(daemon, true, "an operator asked");
    cnv_control_json(daemon, asker, cnv_report_run(daemon->engine, daemon->config));
}

/* The settings come as the payload, lines "path=value". */
static void
on_submit(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument)
{
    struct cnv_error err;

    (void) argument;
    cnv_log(CNV_LOG_INFO, "command", "name=submit");
    if (asker->payload == NULL) {
        cnv_control_refuse(daemon, asker, CNV_E_INPUT, "submit: the settings are missing");
    } else if (cnv_submit(daemon, asker->payload, asker->payload_len, &err) == CNV_OK) {
        cnv_control_json(daemon, asker, cnv_next_run_report(daemon));
    } else {
        cnv_control_refuse(daemon, asker, err.status, err.text);
    }
}

static const struct {
    const char *name;
    void (*run)(struct cnv_daemon *daemon, const struct cnv_asker *asker, const char *argument);
} commands[] = {
    { "status", on_status }, { "agents", on_agents }, { "rounds", on_rounds },
    { "policy", on_policy }, { "model", on_model },   { "drain", on_drain },
    { "stop", on_stop },     { "submit", on_submit },
};

static void command_run(struct cnv_daemon *daemon,
                        const struct cnv_asker *asker,
                        const struct cnv_msg_command *command)
{
    char text[160];

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, command->command) == 0) {
            commands[i].run(daemon, asker, command->argument);
            return;
        }
    }
    (void) snprintf(
        text,
        sizeof(text),
        "no command %s: there are status, agents, rounds, policy, model, submit, drain, stop",
        command->command);
    cnv_control_refuse(daemon, asker, CNV_E_INPUT, text);
}

static bool user_may_command(const char *user)
{
    return user == NULL || strncmp(user, "operator", strlen("operator")) == 0;
}

static void command_handle(struct cnv_daemon *daemon, struct cnv_asker *asker, zmq_msg_t *header)
{
    struct cnv_message message = { .kind = CNV_KIND_NONE };
    struct cnv_error err;
    enum cnv_status status =
        cnv_message_decode(zmq_msg_data(header), zmq_msg_size(header), &message, &err);

    if (status == CNV_OK && message.kind != CNV_KIND_COMMAND) {
        status = cnv_fail(&err, CNV_E_UNEXPECTED, "only commands are answered here");
    }
    if (status == CNV_OK) {
        asker->id = message.command.id;
    }
    const char *user = zmq_msg_gets(header, "User-Id");
    (void) snprintf(asker->user, sizeof(asker->user), "%s", user == NULL ? "an operator" : user);
    if (status == CNV_OK && !user_may_command(user)) {
        status = cnv_fail(&err,
                          CNV_E_UNAUTHORIZED,
                          "key of %.64s may not command: its name must begin with \"operator\"",
                          user);
    }
    if (status == CNV_OK) {
        command_run(daemon, asker, &message.command);
    } else {
        cnv_control_refuse(daemon, asker, status, err.text);
    }
}

void cnv_control_message(void *self, void *socket)
{
    struct cnv_port *port = self;
    struct cnv_asker asker = { .id = 0 };
    zmq_msg_t frames[FRAMES_MAX];
    size_t count = 0;
    bool more = true;

    while (more && count < FRAMES_MAX) {
        (void) zmq_msg_init(&frames[count]);
        more = zmq_msg_recv(&frames[count], socket, ZMQ_DONTWAIT) >= 0 &&
               zmq_msg_more(&frames[count]) != 0;
        count++;
    }
    while (more) {
        zmq_msg_t spare;

        (void) zmq_msg_init(&spare);
        more = zmq_msg_recv(&spare, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&spare) != 0;
        (void) zmq_msg_close(&spare);
    }
    if (count >= 2) {
        asker.route_len = (uint8_t) zmq_msg_size(&frames[0]);
        memcpy(asker.route, zmq_msg_data(&frames[0]), asker.route_len);
        asker.has_delimiter = zmq_msg_size(&frames[1]) == 0;
        if (!asker.has_delimiter || count >= 3) {
            size_t header = asker.has_delimiter ? 2 : 1;

            if (count > header + 1) {
                asker.payload = zmq_msg_data(&frames[header + 1]);
                asker.payload_len = zmq_msg_size(&frames[header + 1]);
            }
            command_handle(port->daemon, &asker, &frames[header]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void) zmq_msg_close(&frames[i]);
    }
}
