/*
 * screen.c - status, members and rounds as text: what is going on, and why, first.
 *
 * Reads the envelope's data leniently, so that an older or newer daemon can be shown too.
 */
#include "screen.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "envelope.h"
#include "format.h"

static void print_labels(const json_t *run, FILE *out)
{
    const json_t *labels = cnv_json_at(run, "labels");
    size_t count = json_array_size(labels);
    char text[CNV_FORMAT_SIZE];

    if (count == 0) {
        return;
    }
    (void) fprintf(out, ", %zu labels", count);
    for (size_t i = 0; i < count && count <= 12; i++) {
        (void) fprintf(out,
                       "%s%s",
                       i == 0 ? " " : ", ",
                       cnv_format_number(text, json_number_value(json_array_get(labels, i)), 6));
    }
}

static void print_waiting_for(const json_t *names, FILE *out)
{
    size_t count = json_array_size(names);

    if (count == 0) {
        return;
    }
    (void) fprintf(out, "           waiting for %zu:", count);
    for (size_t i = 0; i < count && i < 8; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        (void) fprintf(out, "%s %s", i == 0 ? "" : ",", name == NULL ? "?" : name);
    }
    (void) fprintf(out, "%s\n", count > 8 ? " ..." : "");
}

void cnv_screen_run(const json_t *data, FILE *out)
{
    const char *reason = cnv_json_text(data, "reason", "");

    (void) fprintf(out,
                   "run        %s: %s%s%s, version %" PRIu64 "\n",
                   cnv_json_text(data, "name", "?"),
                   cnv_json_text(data, "state", "?"),
                   *reason == '\0' ? "" : " - ",
                   reason,
                   cnv_json_count(data, "version"));
}

static void print_round(const json_t *run, FILE *out)
{
    if (cnv_json_count(run, "round") == 0 ||
        strcmp(cnv_json_text(run, "state", ""), "running") != 0) {
        return;
    }
    (void) fprintf(out,
                   "           round %" PRIu64 ", attempt %" PRIu64 ", exchange %s, after %" PRIu64
                   " local steps\n",
                   cnv_json_count(run, "round"),
                   cnv_json_count(run, "attempt"),
                   cnv_json_text(run, "exchange", "-"),
                   cnv_json_count(run, "iteration"));
}

void cnv_screen_policy(const json_t *data, FILE *out)
{
    static const char word[] = "policy ";
    const char *reason = cnv_json_text(data, "reason", "");
    const char *set = cnv_json_text(data, "set", "");

    if (*set != '\0') {
        (void) fprintf(out,
                       "policy     %s, from the next decision on\n"
                       "           until then L = %" PRIu64 ", solver %s\n",
                       set + (strncmp(set, word, strlen(word)) == 0 ? strlen(word) : 0),
                       cnv_json_count(data, "local_steps"),
                       cnv_json_text(data, "solver", "?"));
        return;
    }
    (void) fprintf(out,
                   "policy     %s, L = %" PRIu64 ", solver %s\n",
                   cnv_json_text(data, "kind", "?"),
                   cnv_json_count(data, "local_steps"),
                   cnv_json_text(data, "solver", "?"));
    if (*reason != '\0') {
        (void) fprintf(out, "           because %s\n", reason);
    }
}

static void print_test(const json_t *test, FILE *out)
{
    const char *metric = cnv_json_text(test, "metric", "");
    char text[CNV_FORMAT_SIZE];

    if (*metric != '\0') {
        (void) fprintf(out,
                       "           test %s %s on %" PRIu64 " rows, at version %" PRIu64 "\n",
                       metric,
                       cnv_format_number(text, cnv_json_number(test, "value"), 6),
                       cnv_json_count(test, "rows"),
                       cnv_json_count(test, "version"));
    }
}

static void print_model(const json_t *run, const json_t *before, FILE *out)
{
    char text[CNV_FORMAT_SIZE];

    if (cnv_json_count(run, "dimension") == 0) {
        if (json_is_object(before)) {
            (void) fprintf(out,
                           "model      none yet; \"model get\" gives version %" PRIu64
                           " of run %s, the one before\n",
                           cnv_json_count(before, "version"),
                           cnv_json_text(before, "name", "?"));
        }
        return;
    }
    (void) fprintf(out,
                   "model      %" PRIu64 " coordinates, %" PRIu64 " features",
                   cnv_json_count(run, "dimension"),
                   cnv_json_count(run, "features"));
    print_labels(run, out);
    (void) fprintf(out, "; trained on %" PRIu64 " rows\n", cnv_json_count(run, "total_rows"));
    if (!isnan(cnv_json_number(run, "smoothness"))) {
        (void) fprintf(out,
                       "           smoothness L = %s, the same for all agents\n",
                       cnv_format_number(text, cnv_json_number(run, "smoothness"), 6));
    }
    if (!isnan(cnv_json_number(run, "loss"))) {
        (void) fprintf(out,
                       "           loss %s at the start of round %" PRIu64 "\n",
                       cnv_format_number(text, cnv_json_number(run, "loss"), 10),
                       cnv_json_count(run, "loss_round"));
    }
    print_test(cnv_json_at(run, "test"), out);
}

static void print_traffic(const json_t *run, FILE *out)
{
    char up[CNV_FORMAT_SIZE];
    char payload[CNV_FORMAT_SIZE];
    char down[CNV_FORMAT_SIZE];
    char time[CNV_FORMAT_SIZE];

    (void) fprintf(out,
                   "traffic    up %s (vectors %s), down %s; %" PRIu64 " exchanges in %s\n",
                   cnv_format_bytes(up, cnv_json_number(run, "bytes_up")),
                   cnv_format_bytes(payload, cnv_json_number(run, "payload_up")),
                   cnv_format_bytes(down, cnv_json_number(run, "bytes_down")),
                   cnv_json_count(run, "exchanges"),
                   cnv_format_seconds(time, cnv_json_number(run, "seconds")));
}

static void print_server(const json_t *server, FILE *out)
{
    char memory[CNV_FORMAT_SIZE];
    char pinned[CNV_FORMAT_SIZE];
    char up[CNV_FORMAT_SIZE];
    char turn[CNV_FORMAT_SIZE];

    (void) fprintf(out,
                   "server     convened %s, process %" PRIu64
                   ", up %s, memory %s, held for slow peers %s, longest turn %s ms\n"
                   "           data %s  bulk %s  control %s\n",
                   cnv_json_text(server, "version", "?"),
                   cnv_json_count(server, "pid"),
                   cnv_format_seconds(up, cnv_json_number(server, "uptime_seconds")),
                   cnv_format_bytes(memory, cnv_json_number(server, "memory_bytes")),
                   cnv_format_bytes(pinned, cnv_json_number(server, "pinned_bytes")),
                   cnv_format_number(turn, cnv_json_number(server, "turn_ms_max"), 3),
                   cnv_json_text(server, "data", "-"),
                   cnv_json_text(server, "bulk", "-"),
                   cnv_json_text(server, "control", "-"));
}

/* One member as a row of the table. */
static void add_agent(struct cnv_table *table, const json_t *agent)
{
    char shard[CNV_FORMAT_SIZE];
    char rows[CNV_FORMAT_SIZE];
    char rounds[CNV_FORMAT_SIZE];
    char refused[CNV_FORMAT_SIZE];
    char up[CNV_FORMAT_SIZE];
    char down[CNV_FORMAT_SIZE];
    char speed[CNV_FORMAT_SIZE];
    char local_steps[CNV_FORMAT_SIZE];
    char took[CNV_FORMAT_SIZE];
    char waited[CNV_FORMAT_SIZE];
    char heard[CNV_FORMAT_SIZE];
    double steps = cnv_json_number(agent, "steps_per_second");

    (void) snprintf(shard,
                    sizeof(shard),
                    "%" PRIu64 "/%" PRIu64,
                    cnv_json_count(agent, "shard"),
                    cnv_json_count(agent, "shards"));
    (void) snprintf(rows, sizeof(rows), "%" PRIu64, cnv_json_count(agent, "rows"));
    (void) snprintf(rounds, sizeof(rounds), "%" PRIu64, cnv_json_count(agent, "rounds"));
    (void) snprintf(refused, sizeof(refused), "%" PRIu64, cnv_json_count(agent, "refused"));
    (void) snprintf(
        local_steps, sizeof(local_steps), "%" PRIu64, cnv_json_count(agent, "local_steps"));
    const char *const cells[] = {
        cnv_json_text(agent, "name", "?"),
        cnv_json_text(agent, "host", "?"),
        cnv_json_text(agent, "state", "?"),
        shard,
        rows,
        rounds,
        refused,
        cnv_format_bytes(up, cnv_json_number(agent, "bytes_up")),
        cnv_format_bytes(down, cnv_json_number(agent, "bytes_down")),
        cnv_format_number(speed, steps > 0.0 ? steps : (double) NAN, 3),
        local_steps,
        cnv_format_seconds(took, cnv_json_number(agent, "round_seconds")),
        cnv_format_seconds(waited, cnv_json_number(agent, "waited_seconds")),
        cnv_format_seconds(heard, cnv_json_number(agent, "last_heard_seconds")),
        cnv_json_text(agent, "why", ""),
    };
    cnv_table_add(table, cells);
}

void cnv_screen_agents(const json_t *data, FILE *out)
{
    static const char *const headings[] = { "agent",   "host",     "state",    ">shard",
                                            ">rows",   ">rounds",  ">refused", ">up",
                                            ">down",   ">steps/s", ">L",       ">took",
                                            ">waited", ">heard",   "",         NULL };
    const json_t *agents = cnv_json_at(data, "agents");
    struct cnv_table *table = cnv_table_new(headings);

    if (json_array_size(agents) == 0) {
        (void) fprintf(out, "no agents\n");
    } else if (table != NULL) {
        for (size_t i = 0; i < json_array_size(agents); i++) {
            add_agent(table, json_array_get(agents, i));
        }
        cnv_table_print(table, out);
    }
    cnv_table_destroy(table);
}

void cnv_screen_next(const json_t *data, FILE *out)
{
    const char *name = cnv_json_text(data, "name", "");

    if (*name != '\0') {
        (void) fprintf(out,
                       "next       %s: problem %s, starts from %s when the present run is over\n",
                       name,
                       cnv_json_text(data, "problem", "?"),
                       cnv_json_text(data, "start", "?"));
    }
}

void cnv_screen_status(const json_t *data, FILE *out)
{
    const json_t *run = cnv_json_at(data, "run");

    cnv_screen_run(run, out);
    print_round(run, out);
    print_waiting_for(cnv_json_at(data, "waiting_for"), out);
    cnv_screen_next(cnv_json_at(data, "next"), out);
    cnv_screen_policy(cnv_json_at(data, "policy"), out);
    print_model(run, cnv_json_at(data, "before"), out);
    print_traffic(run, out);
    print_server(cnv_json_at(data, "server"), out);
    (void) fprintf(out, "\n");
    cnv_screen_agents(data, out);
}

static void add_round(struct cnv_table *table, const json_t *row)
{
    static const char *const numbers[] = { "round",         "seconds",      "exchanges",
                                           "local_steps",   "contributors", "loss",
                                           "gradient_norm", "variance" };
    char texts[8][CNV_FORMAT_SIZE];
    char up[CNV_FORMAT_SIZE];
    char down[CNV_FORMAT_SIZE];
    const char *cells[11];

    for (size_t i = 0; i < 8; i++) {
        int digits = i == 5 ? 10 : i < 5 ? 6 : 4;

        cells[i] = cnv_format_number(texts[i], cnv_json_number(row, numbers[i]), digits);
    }
    cells[8] = cnv_format_bytes(up, cnv_json_number(row, "bytes_up"));
    cells[9] = cnv_format_bytes(down, cnv_json_number(row, "bytes_down"));
    cells[10] = cnv_json_text(row, "reason", "");
    cnv_table_add(table, cells);
}

void cnv_screen_rounds(const json_t *data, FILE *out)
{
    static const char *const headings[] = { ">round",  ">seconds", ">exchanges", ">L",
                                            ">agents", ">loss",    ">gradient",  ">variance",
                                            ">up",     ">down",    "because",    NULL };
    const json_t *rows = cnv_json_at(data, "rows");
    struct cnv_table *table = cnv_table_new(headings);

    if (table != NULL) {
        for (size_t i = 0; i < json_array_size(rows); i++) {
            add_round(table, json_array_get(rows, i));
        }
        cnv_table_print(table, out);
    }
    cnv_table_destroy(table);
}
