/*
 * process.c - an agent's process: a session, a trainer, and the queue of events between them.
 *
 * The session is served whenever a message or a tick comes, as by the agent's network thread. The
 * trainer gets to work when it has time: it takes the events that wait, then does one step, and is
 * busy for as long as that takes. A frozen process does neither, its packets wait; a dead one is
 * gone with all it held, and the next of its name starts from nothing.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "state.h"

static uint64_t now_ms(const struct sim_agent *agent)
{
    return agent->sim->now_us / 1000;
}

/* Enters an event of this process, to come at once or later. */
static void put(struct sim_agent *agent, enum sim_event_kind kind, uint64_t number, uint64_t in_us)
{
    struct sim_event event = {
        .kind = kind,
        .agent = agent->number,
        .life = agent->life,
        .number = number,
    };

    sim_put(agent->sim, agent->sim->now_us + in_us, &event);
}

static void schedule_work(struct sim_agent *agent, uint64_t in_us)
{
    if (!agent->is_scheduled) {
        agent->is_scheduled = true;
        put(agent, SIM_EVENT_WORK, 0, in_us);
    }
}

/* --- What the session asks for ------------------------------------------------------------ */

static size_t session_send(void *self,
                           enum cnv_channel channel,
                           const struct cnv_message *message,
                           struct cnv_blob *blob,
                           size_t offset,
                           size_t len)
{
    struct sim_agent *agent = self;

    if (agent->peers[channel] == 0) {
        if (channel == CNV_DATA) {
            return 0; /* it is being connected anew */
        }
        agent->peers[channel] = sim_link_open(agent->sim, agent->number, channel);
    }
    return sim_network_send(agent->sim, agent->peers[channel], true, message, blob, offset, len);
}

static void session_deliver(void *self, convene_event *event)
{
    struct sim_agent *agent = self;

    if (agent->event_count == agent->event_capacity) {
        size_t capacity = agent->event_capacity == 0 ? 8 : 2 * agent->event_capacity;
        convene_event **events =
            cnv_array_resize(agent->events, agent->event_count, capacity, sizeof(*events));

        if (events == NULL) {
            convene_event_release(event);
            sim_fail(agent->sim, CNV_E_NOMEM, "events of %s", agent->name);
            return;
        }
        agent->events = events;
        agent->event_capacity = capacity;
    }
    agent->events[agent->event_count++] = event;
    schedule_work(agent, 0);
}

static void disconnect(struct sim_agent *agent, bool is_flushed)
{
    for (int channel = CNV_DATA; channel <= CNV_BULK; channel++) {
        sim_link_close(agent->sim, agent->peers[channel], is_flushed);
        agent->peers[channel] = 0;
    }
}

static void session_reconnect(void *self)
{
    struct sim_agent *agent = self;

    disconnect(agent, false);
    put(agent, SIM_EVENT_CONNECT, true, sim_draw_us(agent->sim, agent->sim->faults.notice_ms));
}

void sim_process_connect(struct sim_agent *agent, bool says_hello)
{
    if (agent->peers[CNV_DATA] == 0) {
        agent->peers[CNV_DATA] = sim_link_open(agent->sim, agent->number, CNV_DATA);
    }
    if (says_hello) {
        cnv_session_connected(agent->session, now_ms(agent));
    }
}

/* --- What the trainer asks for ------------------------------------------------------------ */

static enum cnv_status trainer_load(void *self,
                                    const struct cnv_config *config,
                                    uint32_t shard,
                                    uint32_t shards,
                                    struct cnv_shard **ret_shard,
                                    struct cnv_shard **ret_test,
                                    struct cnv_error *err)
{
    const struct cnv_sim_setup *setup = &((struct sim_agent *) self)->sim->setup;

    return setup->load(setup->self, config, shard, shards, ret_shard, ret_test, err);
}

static void check_call(struct sim_agent *agent, const char *call, enum cnv_status status)
{
    if (status != CNV_OK) {
        sim_fail(agent->sim,
                 status,
                 "%s: the session refuses %s: %s",
                 agent->name,
                 call,
                 cnv_status_text(status));
    }
}

static void trainer_loaded(void *self, const convene_data *data)
{
    struct sim_agent *agent = self;

    check_call(agent, "loaded", cnv_session_loaded(agent->session, now_ms(agent), data));
}

static void trainer_ready(void *self, uint64_t dimension, double smoothness)
{
    struct sim_agent *agent = self;

    check_call(
        agent, "ready", cnv_session_ready(agent->session, now_ms(agent), dimension, smoothness));
}

/* Sends the contribution with a NaN in place of its first number. */
static enum cnv_status poison(struct sim_agent *agent, const convene_contribution *contribution)
{
    convene_contribution poisoned = *contribution;
    double *values = NULL;
    enum cnv_status status = CNV_OK;

    agent->is_poisoned = false;
    agent->sim->tally.poisoned++;
    if (contribution->values != NULL) {
        size_t length = contribution->length * (contribution->width > 1 ? contribution->width : 1);

        values = cnv_array_new(length, sizeof(*values));
        if (values == NULL) {
            return CNV_E_NOMEM;
        }
        memcpy(values, contribution->values, length * sizeof(*values));
        if (contribution->blocks == NULL || contribution->block_count > 0) { /* where it is sent */
            values[contribution->blocks == NULL ? 0
                                                : contribution->blocks[0] * contribution->block] =
                NAN;
        }
        poisoned.values = values;
    } else if (contribution->is_scaled) {
        poisoned.factor = NAN;
    } else {
        poisoned.scalars[0] = NAN;
    }
    sim_promises_contribution(agent->sim, agent, &poisoned);
    status = cnv_session_contribute(agent->session, now_ms(agent), &poisoned, NULL);
    cnv_free(values);
    return status;
}

static void trainer_contribute(void *self, const convene_contribution *contribution)
{
    struct sim_agent *agent = self;
    enum cnv_status status = CNV_OK;

    agent->contributions++;
    bool is_drawn =
        sim_happens(agent->sim, agent->sim->faults.poison) && agent != agent->sim->agents[0];

    if (agent->is_poisoned || is_drawn) {
        status = poison(agent, contribution);
    } else {
        sim_promises_contribution(agent->sim, agent, contribution);
        status = cnv_session_contribute(agent->session, now_ms(agent), contribution, NULL);
    }
    check_call(agent, "a contribution", status);
}

static void trainer_report(void *self, const convene_score *score)
{
    struct sim_agent *agent = self;

    check_call(agent, "a report", cnv_session_report(agent->session, now_ms(agent), score));
}

/* --- Work --------------------------------------------------------------------------------- */

/* True when this event ends the process. */
static bool take_event(struct sim_agent *agent, const convene_event *event)
{
    struct cnv_error err = { 0 };

    sim_promises_event(agent->sim, agent, event);
    if (event->kind == CONVENE_REFUSED_CONTRIBUTION) {
        agent->refused++;
    }
    if (event->kind == CONVENE_LOST && agent->is_replaced) {
        return true; /* as it should be */
    }
    if (event->kind == CONVENE_LOST) {
        sim_fail(agent->sim, CNV_E_MISFIT, "%s: %s", agent->name, event->text);
    }
    if (agent->trainer != NULL && cnv_trainer_event(agent->trainer, event, &err) != CNV_OK) {
        sim_fail(agent->sim, err.status, "%s: %s", agent->name, err.text);
    }
    return event->kind == CONVENE_LOST || event->kind == CONVENE_FINISHED;
}

/* True when the process has ended. */
static bool take_events(struct sim_agent *agent)
{
    bool is_over = false;

    for (size_t i = 0; i < agent->event_count; i++) {
        is_over = take_event(agent, agent->events[i]) || is_over;
        convene_event_release(agent->events[i]);
    }
    agent->event_count = 0;
    return is_over;
}

/*
 * A hello of a dead process may come in behind that of its successor, which then stops although
 * nobody has its place: whoever looks after it starts it again.
 */
static bool was_replaced_by_nobody(const struct sim_agent *agent)
{
    const struct cnv_sim *sim = agent->sim;

    for (size_t i = 0; i < sim->agent_count; i++) {
        if (sim->agents[i]->is_alive && strcmp(sim->agents[i]->name, agent->name) == 0) {
            return false;
        }
    }
    return agent->is_replaced;
}

/* Then nothing comes in between two steps, and unless each is looked at they are one event. */
static bool takes_no_time(const struct sim_agent *agent)
{
    return agent->sim->promises == NULL && agent->sim->setup.clock_us == NULL &&
           agent->step_us == 0;
}

void sim_process_work(struct sim_agent *agent)
{
    const struct cnv_sim_setup *setup = &agent->sim->setup;
    uint64_t start_us = setup->clock_us == NULL ? 0 : setup->clock_us(setup->self);
    uint64_t busy_us = 0;
    struct cnv_error err = { 0 };

    agent->is_scheduled = false;
    if (agent->is_frozen) {
        return; /* the thaw schedules it again */
    }
    if (take_events(agent)) {
        sim_process_end(agent, true);
        agent->is_over = !was_replaced_by_nobody(agent);
        if (!agent->is_over) {
            put(agent, SIM_EVENT_BACK, 0, sim_draw_us(agent->sim, agent->sim->faults.away_ms));
        }
        return;
    }
    if (agent->trainer == NULL || !cnv_trainer_has_work(agent->trainer)) {
        return;
    }
    do {
        if (cnv_trainer_step(agent->trainer, &err) != CNV_OK) {
            sim_fail(agent->sim, err.status, "%s: %s", agent->name, err.text);
            return;
        }
    } while (takes_no_time(agent) && cnv_trainer_has_work(agent->trainer));
    busy_us = setup->clock_us == NULL ? agent->step_us : setup->clock_us(setup->self) - start_us;
    if (busy_us > 0) {
        cnv_session_speed(agent->session, 1e6 / (double) busy_us);
    }
    schedule_work(agent, busy_us);
}

void sim_process_tick(struct sim_agent *agent)
{
    if (!agent->is_frozen) {
        cnv_session_tick(agent->session, now_ms(agent));
    }
    put(agent, SIM_EVENT_AGENT_TICK, 0, SIM_TICK_US);
}

void sim_process_thaw(struct sim_agent *agent)
{
    struct sim_packet *inbox = agent->inbox;

    agent->is_frozen = false;
    agent->inbox = NULL;
    agent->inbox_end = &agent->inbox;
    while (inbox != NULL) {
        struct sim_packet *packet = inbox;

        inbox = inbox->next;
        sim_network_receive(agent->sim, agent, packet);
    }
    schedule_work(agent, 0);
}

/* --- Life --------------------------------------------------------------------------------- */

enum cnv_status sim_process_start(struct sim_agent *agent, struct cnv_error *err)
{
    struct cnv_sim *sim = agent->sim;
    struct cnv_session_io session_io = {
        .self = agent,
        .send = session_send,
        .deliver = session_deliver,
        .reconnect = session_reconnect,
    };
    struct cnv_trainer_io trainer_io = {
        .self = agent,
        .name = agent->name,
        .load = trainer_load,
        .loaded = trainer_loaded,
        .ready = trainer_ready,
        .contribute = trainer_contribute,
        .report = trainer_report,
    };
    struct cnv_session_setup setup = {
        .name = agent->name,
        .host = "sim",
        .role = agent->role,
        .instance = cnv_rng_u64(&sim->rng) | 1,
        .cores = 1,
        .shard = agent->shard,
        .shards = agent->shard == 0 ? 0 : sim->shards,
    };
    bool is_follower = strcmp(agent->role, "follower") == 0;
    enum cnv_status status = CNV_OK;

    agent->life++;
    agent->up = (struct sim_ledger){ 0 };
    agent->down = (struct sim_ledger){ 0 };
    agent->is_alive = true;
    agent->is_replaced = false;
    agent->inbox_end = &agent->inbox;
    agent->config = cnv_config_copy(sim->setup.config);
    if (agent->config == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "configuration of %s", agent->name);
    }
    status = cnv_session_new(&setup, &session_io, now_ms(agent), &agent->session, err);
    if (status == CNV_OK && !is_follower) {
        status = cnv_trainer_new(agent->config, &trainer_io, &agent->trainer, err);
    }
    if (status != CNV_OK) {
        return status;
    }
    put(agent, SIM_EVENT_CONNECT, true, sim_draw_us(sim, sim->faults.delay_ms));
    put(agent, SIM_EVENT_AGENT_TICK, 0, sim_draw_us(sim, SIM_TICK_MS));
    return CNV_OK;
}

void sim_process_end(struct sim_agent *agent, bool is_polite)
{
    if (!agent->is_alive) {
        return;
    }
    disconnect(agent, is_polite);
    for (size_t i = 0; i < agent->event_count; i++) {
        convene_event_release(agent->events[i]);
    }
    cnv_free(agent->events);
    while (agent->inbox != NULL) {
        struct sim_packet *packet = agent->inbox;

        agent->inbox = packet->next;
        sim_packet_destroy(agent->sim, packet);
    }
    cnv_trainer_destroy(agent->trainer);
    cnv_session_destroy(agent->session);
    cnv_config_destroy(agent->config);
    agent->events = NULL;
    agent->event_count = 0;
    agent->event_capacity = 0;
    agent->trainer = NULL;
    agent->session = NULL;
    agent->config = NULL;
    agent->seen_model = NULL;
    agent->seen_version = 0;
    agent->is_alive = false;
    agent->is_frozen = false;
    agent->is_scheduled = false;
}
