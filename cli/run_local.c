/*
 * run_local.c - convene run with processes: starts them, watches them, asks how it goes.
 *
 * Happy path: make a private directory, start convened and the agents, ask for status ten times a
 * second until the run is over, fetch rows and model, end the children.
 * What can fail: a program is missing; a child ends early (bad data: its line and its exit code
 * become ours); the daemon dies; all agents die (the daemon would wait for ever, we do not);
 * Ctrl-C (drain, then fetch what there is; a second one gives up).
 * Invariant: when cnv_run_local returns, no child is left.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "base/mem.h"
#include "children.h"
#include "config/config.h"
#include "control.h"
#include "envelope.h"
#include "interrupt.h"
#include "run.h"
#include "workspace.h"

enum { POLL_MS = 100, CALL_MS = 1000, FETCH_MS = 60000, END_MS = 9000 };

void cnv_run_result_fini(struct cnv_run_result *result)
{
    json_decref(result->status);
    cnv_blob_unref(result->rows);
    cnv_blob_unref(result->model);
    if (result->workspace[0] != '\0') {
        cnv_directory_remove(result->workspace);
        (void) close(result->workspace_lock);
    }
    *result = (struct cnv_run_result){ 0 };
}

struct local {
    const struct cnv_run_setup *setup;
    struct cnv_run_result *result;
    struct cnv_child *children; /* [0] the daemon, then the agents in the order of their shards */
    size_t count;
    char daemon_program[CNV_PATH_SIZE];
    char agent_program[CNV_PATH_SIZE];
    char data[CNV_PATH_SIZE]; /* endpoints */
    char bulk[CNV_PATH_SIZE];
    char control_endpoint[CNV_PATH_SIZE];
    struct cnv_control *control;
    bool has_begun; /* round 1 was announced */
    bool is_draining;
};

/* Sockets, keys and lingering are ours to set, whatever the user's configuration says of them. */
static bool is_ours(const char *path)
{
    return strncmp(path, "listen/", 7) == 0 || strncmp(path, "security/", 9) == 0 ||
           strcmp(path, "run/linger") == 0 || strcmp(path, "data/test") == 0;
}

/* Every setting that was given or differs from its default, as --set. */
static bool add_settings(const struct local *local, struct cnv_arguments *arguments)
{
    const struct cnv_config *config = local->setup->config;
    bool ok = true;

    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL && ok; key++) {
        bool is_other =
            cnv_config_is_given(config, key->path) || cnv_config_is_set(config, key->path);

        if (!is_ours(key->path) && is_other) {
            ok = cnv_arguments_add_set(arguments, key->path, cnv_config_value(config, key->path));
        }
    }
    return ok;
}

static enum cnv_status start_daemon(struct local *local, struct cnv_error *err)
{
    struct cnv_arguments arguments = { 0 };
    enum cnv_status status = CNV_OK;

    if (cnv_arguments_add(&arguments, "convened") && add_settings(local, &arguments) &&
        cnv_arguments_add_set(&arguments, "listen/data", local->data) &&
        cnv_arguments_add_set(&arguments, "listen/bulk", local->bulk) &&
        cnv_arguments_add_set(&arguments, "listen/control", local->control_endpoint) &&
        cnv_arguments_add_set(&arguments, "run/linger", "true")) {
        status = cnv_child_start(&local->children[0], local->daemon_program, arguments.at, err);
    } else {
        status = cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    cnv_arguments_fini(&arguments);
    return status;
}

/* The first agent alone scores the model, on the whole test file. */
static enum cnv_status start_agent(struct local *local, size_t number, struct cnv_error *err)
{
    struct cnv_arguments arguments = { 0 };
    const char *test = number == 1 ? cnv_config_text(local->setup->config, "data/test") : "";
    char shard[64];
    enum cnv_status status = CNV_OK;

    (void) snprintf(shard, sizeof(shard), "%zu/%zu", number, local->count - 1);
    if (cnv_arguments_add(&arguments, "convene-agent") && add_settings(local, &arguments) &&
        cnv_arguments_add(&arguments, "--server") && cnv_arguments_add(&arguments, local->data) &&
        cnv_arguments_add(&arguments, "--name") &&
        cnv_arguments_add(&arguments, local->children[number].name) &&
        cnv_arguments_add(&arguments, "--shard") && cnv_arguments_add(&arguments, shard) &&
        cnv_arguments_add(&arguments, "--data") &&
        cnv_arguments_add(&arguments, local->setup->data) &&
        (*test == '\0' || cnv_arguments_add_set(&arguments, "data/test", test))) {
        status = cnv_child_start(&local->children[number], local->agent_program, arguments.at, err);
    } else {
        status = cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    cnv_arguments_fini(&arguments);
    return status;
}

static enum cnv_status start_all(struct local *local, struct cnv_error *err)
{
    enum cnv_status status = start_daemon(local, err);

    for (size_t i = 1; i < local->count && status == CNV_OK; i++) {
        status = start_agent(local, i, err);
    }
    return status;
}

/* A private directory with short paths: a socket's path has at most 107 bytes. */
static enum cnv_status make_workspace(struct local *local, struct cnv_error *err)
{
    char *workspace = local->result->workspace;
    const char *control = cnv_config_text(local->setup->config, "listen/control");

    enum cnv_status status = cnv_workspace_make(workspace, &local->result->workspace_lock, err);

    if (status != CNV_OK) {
        return status;
    }
    (void) snprintf(local->data, sizeof(local->data), "ipc://%.64s/data", workspace);
    (void) snprintf(local->bulk, sizeof(local->bulk), "ipc://%.64s/bulk", workspace);
    if (*control != '\0') {
        (void) snprintf(local->control_endpoint, sizeof(local->control_endpoint), "%s", control);
    } else {
        (void) snprintf(local->control_endpoint,
                        sizeof(local->control_endpoint),
                        "ipc://%.64s/control",
                        workspace);
    }
    for (size_t i = 0; i < local->count; i++) {
        struct cnv_child *child = &local->children[i];

        (void) snprintf(child->name, sizeof(child->name), i == 0 ? "convened" : "agent-%zu", i);
        (void) snprintf(child->log, sizeof(child->log), "%.64s/%s.log", workspace, child->name);
    }
    return CNV_OK;
}

/* The end of a child as a failure of the run, with its last words. */
static enum cnv_status fail_with_child(const struct cnv_child *child, struct cnv_error *err)
{
    static const enum cnv_status statuses[] = {
        [CNV_EXIT_DONE] = CNV_E_SYSTEM,     [CNV_EXIT_FAILED] = CNV_E_SYSTEM,
        [CNV_EXIT_USAGE] = CNV_E_INPUT,     [CNV_EXIT_REFUSED] = CNV_E_UNREACHABLE,
        [CNV_EXIT_TIMEOUT] = CNV_E_TIMEOUT,
    };
    char line[CNV_ERROR_TEXT_SIZE];
    const char *said = line;
    int code = child->exit_code;

    cnv_child_last_line(child, line, sizeof(line));
    /* "convene-agent: a9a:17: ..." names the program; we say which child it was. */
    if (strncmp(line, "convene", 7) == 0 && strstr(line, ": ") != NULL) {
        said = strstr(line, ": ") + 2;
    }
    if (code < 0) {
        return cnv_fail(err,
                        CNV_E_SYSTEM,
                        "%s was ended by signal %d (%s)",
                        child->name,
                        child->signal,
                        sigdescr_np(child->signal));
    }
    if (line[0] == '\0') {
        (void) snprintf(line, sizeof(line), "ended with exit code %d and said nothing", code);
    }
    return cnv_fail(err,
                    code <= CNV_EXIT_TIMEOUT ? statuses[code] : CNV_E_SYSTEM,
                    "%s: %.200s",
                    child->name,
                    said);
}

/* Tells of an agent that ended in mid-run, and how it can be brought back. */
static void tell_of_agent(const struct local *local, size_t number)
{
    const struct cnv_child *child = &local->children[number];
    struct cnv_error why;
    char line[CNV_PATH_SIZE];

    (void) fail_with_child(child, &why);
    (void) snprintf(line, sizeof(line), "%s; the run goes on without it", why.text);
    cnv_progress_say(local->setup->progress, line);
    (void) snprintf(line,
                    sizeof(line),
                    "  to bring it back: convene-agent --server %.128s --name %s --shard %zu/%zu "
                    "--data %.2048s",
                    local->data,
                    child->name,
                    number,
                    local->count - 1,
                    local->setup->data);
    cnv_progress_say(local->setup->progress, line);
}

/* Ends the run in order: what was committed so far is fetched as usual. */
static enum cnv_status drain(struct local *local, const char *why, struct cnv_error *err)
{
    struct cnv_blob *body = NULL;

    cnv_progress_say(local->setup->progress, why);
    enum cnv_status status = cnv_control_call(local->control, "drain", "", CALL_MS, &body, err);
    cnv_blob_unref(body);
    return status;
}

/* Looks at the children. A failure ends the run. */
static enum cnv_status check_children(struct local *local, struct cnv_error *err)
{
    size_t alive = 0;
    const struct cnv_child *last = NULL;

    if (cnv_child_poll(&local->children[0])) {
        return fail_with_child(&local->children[0], err);
    }
    for (size_t i = 1; i < local->count; i++) {
        struct cnv_child *child = &local->children[i];

        if (!cnv_child_poll(child)) {
            alive++;
            continue;
        }
        last = child;
        if (!local->has_begun) {
            return fail_with_child(child, err);
        }
        if (child->exit_code != 0 && !child->is_told) {
            child->is_told = true;
            tell_of_agent(local, i);
        }
    }
    /* With exit code 0 an agent has seen the end of the run, which status will show. */
    if (alive == 0 && last != NULL && last->exit_code != 0 && !local->result->is_deserted) {
        local->result->is_deserted = true;
        return drain(local, "no agent is left: keeping what was learnt", err);
    }
    return CNV_OK;
}

static double now_s(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

/* Asks for status; what is not there yet, or slow, is asked again later. */
static void ask_status(struct local *local)
{
    struct cnv_blob *body = NULL;
    struct cnv_error err;
    json_t *root = NULL;

    if (cnv_control_call(local->control, "status", "", CALL_MS, &body, &err) == CNV_OK &&
        cnv_envelope_parse(body, &root, &err) == CNV_OK) {
        json_decref(local->result->status);
        local->result->status = json_incref(json_object_get(root, "data"));
        json_decref(root);
    }
    cnv_blob_unref(body);
}

static void show_progress(struct local *local)
{
    const json_t *status = local->result->status;
    struct cnv_progress_view view = {
        .state = cnv_json_text(status, "run/state", "waiting"),
        .reason = cnv_json_text(status, "run/reason", ""),
        .version = cnv_json_count(status, "run/version"),
        .iteration = cnv_json_count(status, "run/iteration"),
        .local_steps = (uint32_t) cnv_json_count(status, "policy/local_steps"),
        .solver = cnv_json_text(status, "policy/solver", ""),
        .loss = cnv_json_number(status, "run/loss"),
        .loss_round = cnv_json_count(status, "run/loss_round"),
        .bytes =
            cnv_json_number(status, "run/bytes_up") + cnv_json_number(status, "run/bytes_down"),
        .seconds = cnv_json_number(status, "run/seconds"),
    };

    local->has_begun = local->has_begun || cnv_json_count(status, "run/round") > 0;
    cnv_progress_show(local->setup->progress, &view, now_s());
}

static bool is_finished(const struct local *local)
{
    const char *state = cnv_json_text(local->result->status, "run/state", "");

    return strcmp(state, "finished") == 0 || strcmp(state, "failed") == 0;
}

/* Ctrl-C: the first drains, the second gives up. */
static enum cnv_status heed_interrupts(struct local *local, struct cnv_error *err)
{
    int count = cnv_interrupts();

    if (count >= 2 || (count == 1 && !local->has_begun)) {
        return cnv_fail(err, CNV_E_SYSTEM, "interrupted");
    }
    if (count == 1 && !local->is_draining) {
        local->is_draining = true;
        return drain(local, "interrupted: finishing the round in hand", err);
    }
    return CNV_OK;
}

static enum cnv_status watch(struct local *local, struct cnv_error *err)
{
    const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
    enum cnv_status status = CNV_OK;

    for (;;) {
        ask_status(local);
        show_progress(local);
        if (is_finished(local)) {
            return CNV_OK;
        }
        status = check_children(local, err);
        if (status == CNV_OK) {
            status = heed_interrupts(local, err);
        }
        if (status != CNV_OK) {
            return status;
        }
        (void) nanosleep(&pause, NULL);
    }
}

static enum cnv_status fetch(struct local *local, struct cnv_error *err)
{
    enum cnv_status status =
        cnv_control_call(local->control, "rounds", "csv", FETCH_MS, &local->result->rows, err);

    /* A run that failed before its shape was fixed has none. */
    if (status == CNV_OK && cnv_json_count(local->result->status, "run/dimension") > 0) {
        status =
            cnv_control_call(local->control, "model", "", FETCH_MS, &local->result->model, err);
    }
    return status;
}

static void say_where(const struct local *local)
{
    char line[CNV_PATH_SIZE];

    (void) snprintf(line,
                    sizeof(line),
                    "%zu agents on %.2048s; look in with: convene status --control %.128s",
                    local->count - 1,
                    local->setup->data,
                    local->control_endpoint);
    cnv_progress_say(local->setup->progress, line);
}

static enum cnv_status run_all(struct local *local, struct cnv_error *err)
{
    enum cnv_status status = cnv_program_find("convened", local->daemon_program, err);

    if (status == CNV_OK) {
        status = cnv_program_find("convene-agent", local->agent_program, err);
    }
    if (status == CNV_OK) {
        status = make_workspace(local, err);
    }
    if (status == CNV_OK) {
        status = start_all(local, err);
    }
    /* After the forks: libzmq has threads. */
    if (status == CNV_OK) {
        status = cnv_control_open(local->control_endpoint, NULL, true, &local->control, err);
    }
    if (status == CNV_OK) {
        say_where(local);
        status = watch(local, err);
    }
    if (status == CNV_OK) {
        status = fetch(local, err);
    }
    cnv_progress_end(local->setup->progress);
    return status;
}

enum cnv_status cnv_run_local(const struct cnv_run_setup *setup,
                              struct cnv_run_result *result,
                              struct cnv_error *err)
{
    struct local *local = cnv_object_new(struct local);
    enum cnv_status status = CNV_E_NOMEM;
    size_t agents = (size_t) cnv_config_integer(setup->config, "run/agents");

    if (local != NULL) {
        local->children = cnv_array_new(agents + 1, sizeof(*local->children));
    }
    if (local == NULL || local->children == NULL) {
        cnv_free(local);
        return cnv_fail(err, CNV_E_NOMEM, "out of memory");
    }
    local->setup = setup;
    local->result = result;
    local->count = agents + 1;
    status = run_all(local, err);
    cnv_control_close(local->control);
    cnv_children_end(local->children, local->count, status == CNV_OK ? END_MS : 0);
    cnv_free(local->children);
    cnv_free(local);
    return status;
}
