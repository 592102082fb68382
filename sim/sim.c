/*
 * sim.c - the loop: takes the next event, lets it happen, looks whether the promises hold.
 *
 * Happy path: server and agents start, exchange packets until the run has ended and all agents
 * have left. The first failure (a broken promise, an agent that cannot go on, no memory) is kept
 * and returned by the step that met it; after it the sim can only be destroyed.
 */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "state.h"

void sim_fail(struct cnv_sim *sim, enum cnv_status status, const char *format, ...)
{
    va_list args;

    if (sim->status != CNV_OK) {
        return;
    }
    va_start(args, format);
    (void) vsnprintf(sim->error.text, sizeof(sim->error.text), format, args);
    va_end(args);
    sim->error.status = status;
    sim->status = status;
}

void sim_put(struct cnv_sim *sim, uint64_t at_us, const struct sim_event *event)
{
    struct sim_event entry = *event;

    entry.at_us = at_us;
    if (!sim_calendar_put(&sim->calendar, &entry)) {
        if (event->kind == SIM_EVENT_PACKET) {
            sim_packet_destroy(sim, event->subject);
        }
        sim_fail(sim, CNV_E_NOMEM, "calendar");
    }
}

bool sim_is_faulty(const struct cnv_sim *sim)
{
    return sim->faults.until_ms == 0 || sim->now_us < sim->faults.until_ms * 1000;
}

bool sim_happens(struct cnv_sim *sim, double probability)
{
    return probability > 0 && sim_is_faulty(sim) && cnv_rng_uniform(&sim->rng) < probability;
}

uint64_t sim_draw_us(struct cnv_sim *sim, uint32_t ms)
{
    return ms == 0 ? 0 : cnv_rng_below(&sim->rng, (uint64_t) ms * 1000);
}

static uint64_t now_ms(const struct cnv_sim *sim)
{
    return sim->now_us / 1000;
}

/* --- Faults ------------------------------------------------------------------------------- */

/* When this fault befalls the agent next: after every_ms in the mean. */
static void
put_fault(struct cnv_sim *sim, size_t agent, enum sim_event_kind kind, uint32_t every_ms)
{
    struct sim_event event = { .kind = kind, .agent = agent };

    if (every_ms > 0 && sim_is_faulty(sim)) {
        sim_put(sim, sim->now_us + 2 * sim_draw_us(sim, every_ms), &event);
    }
}

static void put_back(struct cnv_sim *sim, size_t agent)
{
    struct sim_event event = { .kind = SIM_EVENT_BACK, .agent = agent };

    sim_put(sim, sim->now_us + sim_draw_us(sim, sim->faults.away_ms), &event);
}

static void befall(struct cnv_sim *sim, const struct sim_event *event)
{
    struct sim_agent *agent = sim->agents[event->agent];
    bool is_hit = sim_is_faulty(sim) && agent->is_alive && !agent->is_frozen;

    if (event->kind == SIM_EVENT_CUT) {
        if (is_hit) {
            cnv_sim_cut(sim, event->agent);
        }
        put_fault(sim, event->agent, event->kind, sim->faults.cut_every_ms);
        return;
    }
    if (event->kind == SIM_EVENT_KILL) {
        if (is_hit && sim_happens(sim, sim->faults.polite)) {
            cnv_sim_leave(sim, event->agent);
        } else if (is_hit) {
            cnv_sim_kill(sim, event->agent);
        }
        bool is_gone = strcmp(agent->name, sim->agents[0]->name) != 0 && sim->version > 0 &&
                       sim_happens(sim, sim->faults.gone);
        if (is_hit && !is_gone) {
            put_back(sim, event->agent);
        }
        put_fault(sim, event->agent, event->kind, sim->faults.kill_every_ms);
        return;
    }
    if (is_hit) {
        cnv_sim_freeze(sim, event->agent);
        put_back(sim, event->agent);
    }
    put_fault(sim, event->agent, event->kind, sim->faults.freeze_every_ms);
}

/* --- The loop ----------------------------------------------------------------------------- */

static void happen_to_agent(struct cnv_sim *sim, const struct sim_event *event)
{
    struct sim_agent *agent = sim->agents[event->agent];

    if (!agent->is_alive || agent->life != event->life) {
        return; /* meant for a process that is no more */
    }
    if (event->kind == SIM_EVENT_AGENT_TICK) {
        sim_process_tick(agent);
    } else if (event->kind == SIM_EVENT_WORK) {
        sim_process_work(agent);
    } else if (event->kind == SIM_EVENT_CONNECT && agent->is_frozen) {
        sim_put(sim, sim->now_us + SIM_TICK_US, event);
    } else if (event->kind == SIM_EVENT_CONNECT) {
        sim_process_connect(agent, event->number != 0);
    }
}

static void happen_to_server(struct cnv_sim *sim, const struct sim_event *event)
{
    if (event->kind == SIM_EVENT_SERVER_TICK) {
        struct sim_event next = { .kind = SIM_EVENT_SERVER_TICK };

        cnv_engine_tick(sim->engine, now_ms(sim));
        sim_put(sim, sim->now_us + SIM_TICK_US, &next);
    } else if (event->kind == SIM_EVENT_GONE) {
        sim_link_gone(sim, event->number);
    } else if (event->kind == SIM_EVENT_JOB) {
        struct cnv_job *job = event->subject;

        job->run(job);
        cnv_engine_job_done(sim->engine, now_ms(sim), job);
    } else {
        sim->persisted = event->number > sim->persisted ? event->number : sim->persisted;
        cnv_engine_persisted(sim->engine, now_ms(sim), event->number);
    }
}

static void happen(struct cnv_sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_EVENT_PACKET:
        sim_network_deliver(sim, event->subject);
        break;
    case SIM_EVENT_SERVER_TICK:
    case SIM_EVENT_GONE:
    case SIM_EVENT_JOB:
    case SIM_EVENT_PERSISTED:
        happen_to_server(sim, event);
        break;
    case SIM_EVENT_AGENT_TICK:
    case SIM_EVENT_WORK:
    case SIM_EVENT_CONNECT:
        happen_to_agent(sim, event);
        break;
    case SIM_EVENT_CUT:
    case SIM_EVENT_KILL:
    case SIM_EVENT_FREEZE:
        befall(sim, event);
        break;
    case SIM_EVENT_BACK:
    default:
        if (sim->agents[event->agent]->is_frozen) {
            cnv_sim_thaw(sim, event->agent);
        } else {
            cnv_sim_revive(sim, event->agent);
        }
        break;
    }
}

static bool is_ended(const struct cnv_sim *sim, const struct cnv_engine_view *view)
{
    if (view->state != CNV_RUN_FINISHED && view->state != CNV_RUN_FAILED) {
        return false;
    }
    for (size_t i = 0; i < sim->agent_count; i++) {
        if (sim->agents[i]->is_alive) {
            return false;
        }
    }
    return true;
}

enum cnv_status cnv_sim_step(struct cnv_sim *sim, bool *ret_is_more, struct cnv_error *err)
{
    struct cnv_engine_view view;
    struct sim_event event;
    bool is_step = false;

    if (sim->status == CNV_OK && sim_calendar_take(&sim->calendar, &event)) {
        sim->now_us = event.at_us;
        happen(sim, &event);
        is_step = event.kind == SIM_EVENT_WORK && sim->agents[event.agent]->is_alive;
    }
    /* Most events are steps of agents that go on: the engine cannot have changed. */
    if (is_step && sim->status == CNV_OK && sim->promises == NULL) {
        *ret_is_more = true;
        return CNV_OK;
    }
    cnv_engine_view(sim->engine, &view);
    if (sim->status == CNV_OK && sim->promises != NULL) {
        sim_promises_check(sim);
    }
    if (sim->status != CNV_OK) {
        if (err != NULL) {
            *err = sim->error;
        }
        return sim->status;
    }
    bool is_new = view.model != NULL && (!sim->has_model || view.version != sim->version);
    sim->has_model = view.model != NULL;
    sim->version = view.version;
    if (is_new && view.version > 0 && sim->setup.committed != NULL) {
        sim->setup.committed(sim->setup.self, sim->engine);
    }
    *ret_is_more = !is_ended(sim, &view);
    return CNV_OK;
}

enum cnv_status cnv_sim_run(struct cnv_sim *sim, uint64_t for_ms, struct cnv_error *err)
{
    uint64_t end_ms = now_ms(sim) + for_ms;
    bool is_more = true;

    while (is_more) {
        enum cnv_status status = cnv_sim_step(sim, &is_more, err);

        if (status != CNV_OK) {
            return status;
        }
        if (is_more && now_ms(sim) > end_ms) {
            struct cnv_engine_view view;

            cnv_engine_view(sim->engine, &view);
            return cnv_fail(err,
                            CNV_E_TIMEOUT,
                            "after %" PRIu64 " ms the run is still %s (%s) in round %" PRIu64
                            ", attempt %" PRIu64 ", exchange %" PRIu64,
                            now_ms(sim),
                            cnv_run_state_name(view.state),
                            view.state_reason,
                            view.round,
                            view.attempt,
                            view.exchange);
        }
    }
    return CNV_OK;
}

/* --- Life --------------------------------------------------------------------------------- */

/* One more place for a process; NULL when memory is out. */
static struct sim_agent *agent_new(struct cnv_sim *sim, const char *role, uint32_t shard)
{
    size_t number = sim->agent_count;
    struct sim_agent *agent = cnv_object_new(struct sim_agent);
    struct sim_agent **agents =
        cnv_array_resize(sim->agents, number, number + 1, sizeof(struct sim_agent *));

    if (agents != NULL) {
        sim->agents = agents;
    }
    if (agent == NULL || agents == NULL) {
        cnv_free(agent);
        return NULL;
    }
    agent->sim = sim;
    agent->number = number;
    agent->role = strcmp(role, "follower") == 0 ? "follower" : "worker";
    agent->shard = shard;
    agent->step_us = sim_draw_us(sim, sim->faults.step_ms);
    (void) snprintf(agent->name, sizeof(agent->name), "agent-%zu", number + 1);
    sim->agents[number] = agent;
    sim->agent_count++;
    put_fault(sim, number, SIM_EVENT_CUT, sim->faults.cut_every_ms);
    put_fault(sim, number, SIM_EVENT_KILL, sim->faults.kill_every_ms);
    put_fault(sim, number, SIM_EVENT_FREEZE, sim->faults.freeze_every_ms);
    return agent;
}

enum cnv_status cnv_sim_add(
    struct cnv_sim *sim, const char *role, uint32_t shard, size_t *ret_agent, struct cnv_error *err)
{
    struct sim_agent *agent = agent_new(sim, role, shard);

    if (agent == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "agent");
    }
    if (ret_agent != NULL) {
        *ret_agent = agent->number;
    }
    return sim_process_start(agent, err);
}

enum cnv_status
cnv_sim_twin(struct cnv_sim *sim, size_t agent, size_t *ret_twin, struct cnv_error *err)
{
    struct sim_agent *twin = agent_new(sim, sim->agents[agent]->role, sim->agents[agent]->shard);

    if (twin == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "agent");
    }
    memcpy(twin->name, sim->agents[agent]->name, sizeof(twin->name));
    *ret_twin = twin->number;
    return sim_process_start(twin, err);
}

static enum cnv_status start(struct cnv_sim *sim, struct cnv_error *err)
{
    struct sim_event tick = { .kind = SIM_EVENT_SERVER_TICK };
    struct cnv_engine_io io = sim_server_io(sim);
    struct cnv_engine_setup setup = {
        .config = sim->setup.config,
        .run = cnv_rng_u64(&sim->rng) | 1,
        .server = cnv_rng_u64(&sim->rng) | 1,
        .token_seed = cnv_rng_u64(&sim->rng),
        .bulk_endpoint = "sim://bulk",
    };
    uint32_t agents = (uint32_t) cnv_config_integer(sim->setup.config, "run/agents");

    sim->shards = sim->setup.shards == 0 ? agents : sim->setup.shards;
    sim->spec = cnv_config_spec(sim->setup.config);
    if (sim->spec == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "specification");
    }
    setup.spec = sim->spec;
    if (sim->setup.is_checked) {
        sim->promises = sim_promises_new();
        if (sim->promises == NULL) {
            return cnv_fail(err, CNV_E_NOMEM, "promises");
        }
    }
    enum cnv_status status = cnv_engine_new(&setup, &io, now_ms(sim), &sim->engine, err);
    if (status == CNV_OK && sim->setup.start != NULL &&
        !cnv_engine_start_from(sim->engine, sim->setup.start)) {
        status = cnv_fail(err, CNV_E_NOMEM, "the model to start from");
    }
    for (uint32_t i = 0; i < agents && status == CNV_OK; i++) {
        status = cnv_sim_add(sim, "worker", i + 1, NULL, err);
    }
    sim_put(sim, sim->now_us, &tick);
    return status;
}

enum cnv_status
cnv_sim_new(const struct cnv_sim_setup *setup, struct cnv_sim **ret_sim, struct cnv_error *err)
{
    struct cnv_sim *sim = cnv_object_new(struct cnv_sim);

    if (sim == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "simulation");
    }
    sim->setup = *setup;
    if (setup->faults != NULL) {
        sim->faults = *setup->faults;
    }
    sim->now_us = 1000000; /* 0 is no time: the engine and the sessions use it for "never" */
    cnv_rng_init(&sim->rng, setup->seed, CNV_RNG_SIM, 0, 0);
    enum cnv_status status = start(sim, err);
    if (status != CNV_OK) {
        cnv_sim_destroy(sim);
        return status;
    }
    *ret_sim = sim;
    return CNV_OK;
}

/* The engine lets no job go unfinished: they are run, for nobody. */
static void finish_jobs(struct cnv_sim *sim)
{
    struct sim_event event;

    while (sim_calendar_take(&sim->calendar, &event)) {
        if (event.kind == SIM_EVENT_JOB) {
            struct cnv_job *job = event.subject;

            job->run(job);
            cnv_engine_job_done(sim->engine, now_ms(sim), job);
        } else if (event.kind == SIM_EVENT_PACKET) {
            sim_packet_destroy(sim, event.subject);
        }
    }
}

void cnv_sim_destroy(struct cnv_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (size_t i = 0; i < sim->agent_count; i++) {
        sim_process_end(sim->agents[i], false);
    }
    finish_jobs(sim);
    for (size_t i = 0; i < sim->agent_count; i++) {
        cnv_free(sim->agents[i]);
    }
    cnv_engine_destroy(sim->engine);
    sim_promises_destroy(sim->promises);
    sim_calendar_fini(&sim->calendar);
    cnv_free(sim->spec);
    cnv_free(sim->agents);
    cnv_free(sim->links);
    cnv_free(sim);
}

/* --- Seen and done from outside ----------------------------------------------------------- */

const struct cnv_engine *cnv_sim_engine(const struct cnv_sim *sim)
{
    return sim->engine;
}

uint64_t cnv_sim_now_ms(const struct cnv_sim *sim)
{
    return now_ms(sim);
}

void cnv_sim_drain(struct cnv_sim *sim, const char *reason)
{
    cnv_engine_drain(sim->engine, now_ms(sim), reason);
}

void cnv_sim_stop(struct cnv_sim *sim, const char *reason)
{
    cnv_engine_stop(sim->engine, now_ms(sim), reason);
}

enum cnv_status cnv_sim_set_policy(struct cnv_sim *sim,
                                   const struct cnv_config *config,
                                   const char *who,
                                   struct cnv_error *err)
{
    return cnv_engine_set_policy(sim->engine, now_ms(sim), config, who, err);
}

void cnv_sim_kill(struct cnv_sim *sim, size_t agent)
{
    sim->tally.kills++;
    sim_process_end(sim->agents[agent], false);
}

void cnv_sim_leave(struct cnv_sim *sim, size_t agent)
{
    sim->tally.leaves++;
    if (sim->agents[agent]->is_alive) {
        cnv_session_leave(sim->agents[agent]->session, now_ms(sim), "SIGTERM");
        sim_process_end(sim->agents[agent], true);
    }
}

void cnv_sim_revive(struct cnv_sim *sim, size_t agent)
{
    struct cnv_error err = { 0 };

    if (!sim->agents[agent]->is_alive && !sim->agents[agent]->is_over &&
        sim_process_start(sim->agents[agent], &err) != CNV_OK) {
        sim_fail(sim, err.status, "%s", err.text);
    }
}

void cnv_sim_freeze(struct cnv_sim *sim, size_t agent)
{
    sim->tally.freezes++;
    sim->agents[agent]->is_frozen = sim->agents[agent]->is_alive;
}

void cnv_sim_thaw(struct cnv_sim *sim, size_t agent)
{
    if (sim->agents[agent]->is_frozen) {
        sim_process_thaw(sim->agents[agent]);
    }
}

void cnv_sim_cut(struct cnv_sim *sim, size_t agent)
{
    struct sim_agent *cut = sim->agents[agent];
    bool is_told = sim->faults.notice_ms == 0 || cnv_rng_below(&sim->rng, 2) == 0;
    struct sim_event event = {
        .kind = SIM_EVENT_CONNECT,
        .agent = agent,
        .life = cut->life,
        .number = is_told, /* else the session learns it from the server's answer */
    };

    sim->tally.cuts++;
    if (cut->is_alive) {
        sim_link_close(sim, cut->peers[CNV_DATA], false);
        sim_link_close(sim, cut->peers[CNV_BULK], false);
        cut->peers[CNV_DATA] = 0;
        cut->peers[CNV_BULK] = 0;
        sim_put(sim, sim->now_us + sim_draw_us(sim, sim->faults.notice_ms), &event);
    }
}

void cnv_sim_poison(struct cnv_sim *sim, size_t agent)
{
    sim->agents[agent]->is_poisoned = true;
}

void cnv_sim_agent(const struct cnv_sim *sim, size_t agent, struct cnv_sim_agent_view *ret_view)
{
    const struct sim_agent *seen = sim->agents[agent];
    struct cnv_blob *model = NULL;
    uint32_t digest = 0;

    *ret_view = (struct cnv_sim_agent_view){
        .is_alive = seen->is_alive,
        .is_frozen = seen->is_frozen,
        .is_over = seen->is_over,
        .is_replaced = seen->is_replaced,
        .contributions = seen->contributions,
        .chunks_up = seen->chunks_up,
        .refused = seen->refused,
    };
    if (seen->session != NULL) {
        ret_view->version = cnv_session_version(seen->session, &model, &digest);
    }
}

void cnv_sim_tally(const struct cnv_sim *sim, struct cnv_sim_tally *ret_tally)
{
    *ret_tally = sim->tally;
}

size_t cnv_sim_agents(const struct cnv_sim *sim)
{
    return sim->agent_count;
}
