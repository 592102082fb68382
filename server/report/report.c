/*
 * report.c - a run as JSON, from the engine's view of it. The members are part of the interface
 * (schema 1, documented in server/io/README.md): they may be added to, never renamed or removed.
 */
#include "report/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "config/config.h"

/* Sets a member to text; bytes outside ASCII are replaced if they are no UTF-8. */
static void put_text(json_t *object, const char *name, const char *text)
{
    json_t *value = json_string(text);

    if (value == NULL) {
        char safe[512];

        (void) snprintf(safe, sizeof(safe), "%s", text);
        for (char *at = safe; *at != '\0'; at++) {
            if ((unsigned char) *at >= 0x80) {
                *at = '?';
            }
        }
        value = json_string(safe);
    }
    (void) json_object_set_new(object, name, value);
}

static void put_integer(json_t *object, const char *name, uint64_t value)
{
    (void) json_object_set_new(object, name, json_integer((json_int_t) value));
}

/* A number, or null where it is not one. */
static void put_real(json_t *object, const char *name, double value)
{
    (void) json_object_set_new(object, name, isfinite(value) ? json_real(value) : json_null());
}

static void put_hex(json_t *object, const char *name, uint64_t value, int digits)
{
    char text[17];

    (void) snprintf(text, sizeof(text), "%0*" PRIx64, digits, value);
    put_text(object, name, text);
}

static void put_new(json_t *object, const char *name, json_t *value)
{
    (void) json_object_set_new(object, name, value);
}

/* The last loss that is known, and the round whose start it belongs to. */
static void put_loss(json_t *run, const struct cnv_engine *engine)
{
    struct cnv_round_row row = { .loss = NAN };
    size_t rows = cnv_engine_rows(engine);
    size_t i = rows;

    while (i > 0 && isnan(row.loss)) {
        cnv_engine_row(engine, --i, &row);
    }
    put_real(run, "loss", row.loss);
    /* The last row is the final model's: the round after the last. */
    put_integer(run, "loss_round", isnan(row.loss) ? 0 : i + 1);
}

static void put_test(json_t *run, const struct cnv_engine_view *view)
{
    if (view->test_metric[0] == '\0') {
        put_new(run, "test", json_null());
        return;
    }
    json_t *test = json_object();
    put_text(test, "metric", view->test_metric);
    put_real(test, "value", view->test_value);
    put_integer(test, "rows", view->test_rows);
    put_integer(test, "unknown", view->test_unknown);
    put_integer(test, "version", view->test_version);
    put_new(run, "test", test);
}

json_t *cnv_report_run(const struct cnv_engine *engine, const struct cnv_config *settings)
{
    struct cnv_engine_view view;
    json_t *labels = json_array();
    json_t *config = json_object();
    json_t *run = json_object();

    cnv_engine_view(engine, &view);
    put_text(run, "name", view.run_name);
    put_hex(run, "id", view.run, 16);
    put_text(run, "state", cnv_run_state_name(view.state));
    put_text(run, "reason", view.state_reason);
    put_integer(run, "version", view.version);
    put_integer(run, "round", view.round);
    put_integer(run, "attempt", view.attempt);
    put_text(run, "exchange", view.exchange_name);
    put_integer(run, "iteration", view.iteration);
    put_integer(run, "dimension", view.dimension);
    put_integer(run, "features", view.features);
    for (size_t i = 0; i < view.label_count; i++) {
        (void) json_array_append_new(labels, json_real(view.labels[i]));
    }
    put_new(run, "labels", labels);
    put_integer(run, "total_rows", view.total_rows);
    put_real(run, "smoothness", view.smoothness);
    put_real(run, "seconds", view.seconds);
    put_integer(run, "exchanges", view.exchanges);
    put_integer(run, "bytes_up", view.bytes_up);
    put_integer(run, "bytes_down", view.bytes_down);
    put_integer(run, "payload_up", view.payload_up);
    put_loss(run, engine);
    put_hex(run, "digest", cnv_engine_model_digest(engine), 8);
    put_test(run, &view);
    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
        put_text(config, key->path, cnv_config_value(settings, key->path));
    }
    put_new(run, "config", config);
    return run;
}

json_t *cnv_report_policy(const struct cnv_engine *engine)
{
    struct cnv_engine_view view;
    json_t *policy = json_object();

    cnv_engine_view(engine, &view);
    put_text(policy, "kind", view.policy);
    put_integer(policy, "local_steps", view.local_steps);
    put_text(policy, "solver", view.solver);
    put_text(policy, "reason", view.reason);
    put_text(policy, "set", view.policy_set);
    return policy;
}

static json_t *report_member(const struct cnv_member_view *member)
{
    json_t *agent = json_object();

    put_text(agent, "name", member->name);
    put_text(agent, "host", member->host);
    put_text(agent, "state", cnv_member_state_name(member->state));
    put_text(agent, "why", member->why);
    put_integer(agent, "shard", member->shard);
    put_integer(agent, "shards", member->shards);
    put_integer(agent, "rank", member->rank);
    put_integer(agent, "rows", member->rows);
    put_integer(agent, "rounds", member->rounds);
    put_integer(agent, "refused", member->refused);
    put_integer(agent, "incarnation", member->incarnation);
    put_integer(agent, "bytes_up", member->bytes_up);
    put_integer(agent, "bytes_down", member->bytes_down);
    put_real(agent, "steps_per_second", member->steps_per_second);
    put_integer(agent, "local_steps", member->local_steps);
    put_integer(agent, "steps", member->steps);
    put_real(agent, "busy_seconds", (double) member->busy_ms / 1000);
    put_real(agent, "round_seconds", (double) member->took_ms / 1000);
    put_real(agent, "wait_seconds", (double) member->wait_ms / 1000);
    put_real(agent, "waited_seconds", (double) member->waited_ms / 1000);
    put_real(agent, "held_seconds", (double) member->held_ms / 1000);
    put_real(agent, "last_heard_seconds", (double) member->heard_ms / 1000);
    return agent;
}

json_t *cnv_report_agents(const struct cnv_engine *engine, uint64_t now_ms)
{
    struct cnv_member_view member;
    json_t *agents = json_array();
    json_t *data = json_object();

    for (size_t i = 0; cnv_engine_member(engine, now_ms, i, &member); i++) {
        (void) json_array_append_new(agents, report_member(&member));
    }
    put_new(data, "agents", agents);
    return data;
}

json_t *cnv_report_waiting(const struct cnv_engine *engine, uint64_t now_ms)
{
    struct cnv_member_view member;
    json_t *names = json_array();

    for (size_t i = 0; cnv_engine_member(engine, now_ms, i, &member); i++) {
        if (member.is_waited_for) {
            (void) json_array_append_new(names, json_string(member.name));
        }
    }
    return names;
}
