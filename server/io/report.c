/* report.c - what the daemon shows, as JSON: the run (server/report) and itself. */
#include <unistd.h>

#include "io/internal.h"
#include "report/report.h"

static void put(json_t *object, const char *name, json_t *value)
{
    (void) json_object_set_new(object, name, value);
}

static json_t *report_server(struct cnv_daemon *daemon)
{
    json_t *server = json_object();
    size_t memory = 0;

    (void) uv_resident_set_memory(&memory);
    put(server, "version", json_string(CNV_VERSION));
    put(server,
        "uptime_seconds",
        json_real((double) (uv_now(&daemon->loop) - daemon->start_ms) / 1000));
    put(server, "memory_bytes", json_integer((json_int_t) memory));
    put(server, "pinned_bytes", json_integer((json_int_t) atomic_load(&daemon->pinned.bytes)));
    put(server, "turn_ms_max", json_real((double) daemon->turn.max_ns / 1e6));
    put(server, "data", json_string(daemon->data.text));
    put(server, "bulk", json_string(daemon->bulk.text));
    put(server, "control", json_string(daemon->control.text));
    put(server, "pid", json_integer((json_int_t) getpid()));
    return server;
}

json_t *cnv_daemon_report(struct cnv_daemon *daemon)
{
    uint64_t now_ms = cnv_daemon_now(daemon);
    json_t *data = cnv_report_agents(daemon->engine, now_ms);

    put(data, "run", cnv_report_run(daemon->engine, daemon->config));
    put(data,
        "before",
        daemon->before.report == NULL ? json_null() : json_incref(daemon->before.report));
    put(data, "next", cnv_next_run_report(daemon));
    put(data, "policy", cnv_report_policy(daemon->engine));
    put(data, "waiting_for", cnv_report_waiting(daemon->engine, now_ms));
    put(data, "server", report_server(daemon));
    return data;
}
