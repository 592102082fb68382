/*
 * main.c - convene-agent: joins a run and works on its shard until the run is over.
 *
 * Happy path: options, join, events to the trainer, one step at a time between them, exit 0 when
 * the run is finished. What ends it otherwise: a wrong option or data that cannot be used (2), a
 * server that refuses or another process of our name (3), a failed run (1), a signal (0, after a
 * goodbye). Whatever ends it with another code than 0 says so in one line, the last one.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "client/convene.h"
#include "config/config.h"
#include "data/load.h"
#include "main/options.h"
#include "main/speed.h"
#include "main/stop.h"
#include "num/num.h"
#include "plugin/load.h"
#include "problem/problem.h"
#include "solver/solver.h"
#include "trainer/trainer.h"

enum {
    LOOK_MS = 200,  /* how often the state of the connection is looked at while idle */
    LATE_US = 2000, /* a rest ends at most so much later than it should */
};

struct file_mark {
    off_t size; /* -1: not there */
    struct timespec time;
};

struct agent {
    const struct cnv_agent_options *options;
    convene_client *client;
    struct cnv_trainer *trainer;
    convene_link link; /* as logged last */
    bool is_welcome;   /* the server has answered */
    uint64_t begin_us; /* of the wait for it */
    struct cnv_speed speed;
    uint64_t step_us; /* a local step takes at least so long: agent/step-seconds */
    uint64_t rest_us; /* until then, once it has been computed */
    uint64_t rounds;  /* commits we are in */
    uint64_t refusals;
    struct file_mark data_mark; /* of the files as they were loaded */
    struct file_mark test_mark;
    struct cnv_error why; /* the end, where it is a failure */
};

static uint64_t now_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

/* --- What the trainer asks for ------------------------------------------------------------- */

/* What tells a file from its older self. */
static struct file_mark mark_of(const char *path)
{
    struct stat facts;

    return stat(path, &facts) != 0 ? (struct file_mark){ .size = -1 }
                                   : (struct file_mark){ facts.st_size, facts.st_mtim };
}

static bool is_same_mark(const struct file_mark *a, const struct file_mark *b)
{
    return a->size == b->size && a->time.tv_sec == b->time.tv_sec &&
           a->time.tv_nsec == b->time.tv_nsec;
}

static bool is_unchanged(void *self)
{
    const struct agent *agent = self;
    struct file_mark data = mark_of(agent->options->data);
    struct file_mark test = mark_of(cnv_config_text(agent->options->config, "data/test"));

    return is_same_mark(&data, &agent->data_mark) && is_same_mark(&test, &agent->test_mark);
}

static enum cnv_status load(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err)
{
    struct agent *agent = self;
    uint64_t begin = now_us();

    agent->data_mark = mark_of(agent->options->data);
    agent->test_mark = mark_of(cnv_config_text(config, "data/test"));
    enum cnv_status status =
        cnv_data_load(agent->options->data, config, shard, shards, ret_shard, ret_test, err);

    if (status != CNV_OK) {
        return status;
    }
    cnv_log(CNV_LOG_INFO,
            "loaded",
            "file=%s shard=%" PRIu32 "/%" PRIu32 " rows=%zu features=%zu %s seconds=%.3f",
            cnv_log_quote(agent->options->data),
            shard,
            shards,
            (*ret_shard)->rows,
            (*ret_shard)->features,
            (*ret_shard)->about,
            (double) (now_us() - begin) / 1e6);
    return CNV_OK;
}

/* A call that the client refuses is our own mistake, but the run should hear of it, not wait. */
static void note(struct agent *agent, convene_result result)
{
    if (result != CONVENE_OK && agent->why.status == CNV_OK) {
        (void) cnv_fail(&agent->why, CNV_E_UNEXPECTED, "%s", convene_reason(agent->client));
    }
}

static void loaded(void *self, const convene_data *data)
{
    struct agent *agent = self;

    note(agent, convene_loaded(agent->client, data));
}

static void ready(void *self, uint64_t dimension, double smoothness)
{
    struct agent *agent = self;

    note(agent, convene_ready_smooth(agent->client, dimension, smoothness));
}

static void contribute(void *self, const convene_contribution *contribution)
{
    struct agent *agent = self;

    note(agent, convene_contribute(agent->client, contribution));
}

static void report(void *self, const convene_score *score)
{
    struct agent *agent = self;

    note(agent, convene_report(agent->client, score));
}

/* --- Events -------------------------------------------------------------------------------- */

/* The specification as one line: what has to agree across the run came from the server. */
static void log_joined(const convene_event *event)
{
    static const char more[] = " ...";
    char spec[3072];
    size_t used = 0;

    for (const char *line = event->spec; *line != '\0';) {
        size_t len = strcspn(line, "\n");

        if (used + len + sizeof(more) >= sizeof(spec)) {
            (void) snprintf(spec + used, sizeof(spec) - used, "%s", more);
            break;
        }
        used += (size_t) snprintf(spec + used, sizeof(spec) - used, " %.*s", (int) len, line);
        line += len + (line[len] == '\n');
    }
    cnv_log(CNV_LOG_INFO,
            "joined",
            "run=%s shard=%" PRIu32 "/%" PRIu32 "%s",
            cnv_log_quote(event->run_name),
            event->shard,
            event->shards,
            used == 0 ? "" : spec);
}

static void log_event(struct agent *agent, const convene_event *event)
{
    switch (event->kind) {
    case CONVENE_WELCOME:
        agent->is_welcome = true;
        log_joined(event);
        break;
    case CONVENE_ROUND:
        cnv_speed_round(&agent->speed, event->local_steps);
        cnv_log(CNV_LOG_DEBUG,
                "round",
                "round=%" PRIu64 " attempt=%" PRIu64 " version=%" PRIu64 " local_steps=%" PRIu32
                " solver=%s plan=%s",
                event->round,
                event->attempt,
                event->version,
                event->local_steps,
                event->solver,
                event->plan);
        break;
    case CONVENE_COMMIT:
        agent->rounds += event->counted ? 1 : 0;
        cnv_log(CNV_LOG_DEBUG,
                "commit",
                "round=%" PRIu64 " version=%" PRIu64 " counted=%s",
                event->round,
                event->version,
                event->counted ? "true" : "false");
        break;
    case CONVENE_REFUSED_CONTRIBUTION:
        agent->refusals++;
        /* The 1st, 2nd, 4th, 8th ...: a run may refuse us in every round. */
        if ((agent->refusals & (agent->refusals - 1)) == 0) {
            cnv_log(CNV_LOG_WARN,
                    "contribution_refused",
                    "round=%" PRIu64 " times=%" PRIu64 " why=%s",
                    event->round,
                    agent->refusals,
                    cnv_log_quote(event->text));
        }
        break;
    case CONVENE_ENDED:
    case CONVENE_FINISHED:
        cnv_log(CNV_LOG_INFO,
                "finished",
                "rounds=%" PRIu64 " exit=%d stays=%s why=%s",
                agent->rounds,
                event->exit_code,
                event->kind == CONVENE_ENDED ? "true" : "false",
                cnv_log_quote(event->text));
        agent->rounds = 0;
        break;
    case CONVENE_SHAPE:
    case CONVENE_SETTLED:
    case CONVENE_LOST:
        break;
    }
}

static void log_link(struct agent *agent)
{
    convene_link link = convene_link_state(agent->client);
    const char *server = agent->options->server;

    if (link == agent->link) {
        return;
    }
    cnv_log(CNV_LOG_INFO,
            link == CONVENE_LINK_CONNECTED ? "connected" : "waiting_for_server",
            "server=%s",
            cnv_log_quote(server != NULL ? server : "as the join file says"));
    agent->link = link;
}

/* How the program ends when the run or the session has: FINISHED or LOST. */
static void take_end(struct agent *agent, const convene_event *event)
{
    static const enum cnv_status statuses[] = {
        [CONVENE_OK] = CNV_OK,
        [CONVENE_FAILED] = CNV_E_SYSTEM,
        [CONVENE_USAGE] = CNV_E_INPUT,
        [CONVENE_REFUSED] = CNV_E_UNREACHABLE,
        [CONVENE_TIMEOUT] = CNV_E_TIMEOUT,
    };

    if (event->kind == CONVENE_FINISHED && event->exit_code != 0) {
        (void) cnv_fail(&agent->why, CNV_E_SYSTEM, "the run failed: %s", event->text);
    } else if (event->kind == CONVENE_LOST) {
        (void) cnv_fail(&agent->why, statuses[event->result], "%s", event->text);
    }
}

/* --- Life ---------------------------------------------------------------------------------- */

/* False when there is nothing more to do; agent->why says why. */
static bool take_event(struct agent *agent, const convene_event *event)
{
    log_event(agent, event);
    if (event->kind == CONVENE_FINISHED || event->kind == CONVENE_LOST) {
        take_end(agent, event);
        return false;
    }
    return cnv_trainer_event(agent->trainer, event, &agent->why) == CNV_OK &&
           agent->why.status == CNV_OK;
}

static bool work(struct agent *agent)
{
    uint64_t begin = now_us();
    bool is_step = agent->speed.steps_left > 0;
    enum cnv_status status = cnv_trainer_step(agent->trainer, &agent->why);
    uint64_t busy_us = now_us() - begin;

    if (is_step && busy_us < agent->step_us) {
        /* From the end of the last rest, if we come from there: waits are rounded up. */
        uint64_t from = begin - agent->rest_us < LATE_US ? agent->rest_us : begin;

        busy_us = agent->step_us;
        agent->rest_us = from + agent->step_us;
    }
    if (cnv_speed_step(&agent->speed, busy_us)) {
        convene_speed(agent->client, agent->speed.steps_per_second);
    }
    return status == CNV_OK && agent->why.status == CNV_OK;
}

/* The milliseconds until there is a step to do: events are heard meanwhile. */
static int64_t rest_ms(const struct agent *agent)
{
    uint64_t now = now_us();

    if (!cnv_trainer_has_work(agent->trainer)) {
        return LOOK_MS;
    }
    return agent->rest_us > now ? (int64_t) ((agent->rest_us - now + 999) / 1000) : 0;
}

/* False: the server was not there in time. */
static bool is_patient(struct agent *agent)
{
    int64_t patience_ms = agent->options->patience_ms;

    if (agent->is_welcome || patience_ms < 0 ||
        now_us() - agent->begin_us < (uint64_t) patience_ms * 1000U) {
        return true;
    }
    (void) cnv_fail(&agent->why,
                    CNV_E_UNREACHABLE,
                    "no server answered within %.3g s",
                    (double) patience_ms / 1e3);
    return false;
}

static void run(struct agent *agent)
{
    bool goes_on = true;

    agent->begin_us = now_us();
    agent->step_us =
        (uint64_t) (1e6 * cnv_config_real(agent->options->config, "agent/step-seconds"));
    while (goes_on && !cnv_stop_is_wanted()) {
        int64_t wait_ms = rest_ms(agent);
        convene_event *event = NULL;
        convene_result result = convene_wait(agent->client, wait_ms, &event);

        log_link(agent);
        if (result == CONVENE_OK) {
            goes_on = take_event(agent, event);
            convene_event_release(event);
        } else if (result != CONVENE_TIMEOUT) {
            (void) cnv_fail(&agent->why, CNV_E_UNEXPECTED, "%s", convene_reason(agent->client));
            goes_on = false;
        } else {
            goes_on = cnv_trainer_has_work(agent->trainer) ? work(agent) : is_patient(agent);
        }
    }
}

static void join_and_run(struct agent *agent)
{
    const struct cnv_agent_options *options = agent->options;
    convene_options join = {
        .server = options->server,
        .name = options->name[0] == '\0' ? NULL : options->name,
        .join_file = options->join_file,
        .shard = options->shard,
        .shards = options->shards,
        .cores = options->cores,
        .stay = cnv_config_boolean(options->config, "agent/stay") ? CONVENE_STAY_SERVER
                                                                  : CONVENE_STAY_NEXT,
    };
    convene_error error;
    struct cnv_trainer_io io = {
        .self = agent,
        .name = options->name,
        .load = load,
        .is_unchanged = is_unchanged,
        .loaded = loaded,
        .ready = ready,
        .contribute = contribute,
        .report = report,
    };
    convene_result result = convene_join(&join, &agent->client, &error);

    if (result != CONVENE_OK) {
        (void) cnv_fail(
            &agent->why, result == CONVENE_USAGE ? CNV_E_INPUT : CNV_E_SYSTEM, "%s", error.text);
        return;
    }
    cnv_stop_client(agent->client);
    if (cnv_trainer_new(options->config, &io, &agent->trainer, &agent->why) == CNV_OK) {
        run(agent);
    }
    cnv_stop_client(NULL);
    convene_leave(agent->client, cnv_stop_is_wanted() ? "interrupted" : agent->why.text);
    cnv_trainer_destroy(agent->trainer);
}

static void warn_unknown(const char *name)
{
    cnv_log(CNV_LOG_WARN, "unknown_variable", "name=%s", name);
}

static enum cnv_exit end(const struct cnv_error *why)
{
    if (cnv_stop_is_wanted() || why->status == CNV_OK) {
        return CNV_EXIT_DONE;
    }
    (void) fprintf(stderr, "convene-agent: %s\n", why->text);
    return cnv_status_exit(why->status);
}

/* Only what this agent's own operator names: never the server. */
static enum cnv_status load_plugins(const struct cnv_config *config, struct cnv_error *err)
{
    static const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS] = {
        [CNV_PLUGIN_SOLVER] = cnv_solver_adopt,
        [CNV_PLUGIN_PROBLEM] = cnv_problem_adopt,
    };

    return cnv_plugin_load_list(cnv_config_text(config, "agent/plugins"), adopt, err);
}

int main(int argc, char **argv)
{
    struct cnv_agent_options options;
    struct agent agent = { .options = &options };

    cnv_log_open("convene-agent", CNV_LOG_INFO, false);
    if (cnv_agent_options_read(argc, argv, environ, warn_unknown, &options, &agent.why) != CNV_OK) {
        return (int) end(&agent.why);
    }
    if (options.wants_help || options.wants_version) {
        if (options.wants_help) {
            cnv_agent_options_help(stdout);
        } else {
            (void) printf("convene-agent %s\n", CNV_VERSION);
        }
        return CNV_EXIT_DONE;
    }
    cnv_log_open("convene-agent",
                 cnv_log_level_find(cnv_config_text(options.config, "log/level")),
                 cnv_config_boolean(options.config, "log/json"));
    (void) signal(SIGPIPE, SIG_IGN);
    cnv_num_init();
    if (load_plugins(options.config, &agent.why) != CNV_OK) {
        /* said below */
    } else if (cnv_stop_start()) {
        join_and_run(&agent);
    } else {
        (void) cnv_fail(&agent.why, CNV_E_SYSTEM, "no thread for signals");
    }
    cnv_agent_options_fini(&options);
    return (int) end(&agent.why);
}
