/*
 * sim.h - a network and a clock in memory, around the real engine, sessions and trainers.
 *
 * Every message goes through the real codec; time is virtual; what the network, the hosts and the
 * processes do to a run is drawn from a seed, so that a run repeats event by event. Without faults
 * it is the engine of "convene run --inline":
 *
 *   struct cnv_sim_setup setup = { .config = config, .load = load, .committed = show, .self = me };
 *   bool is_more = true;
 *   cnv_sim_new(&setup, &sim, err);
 *   while (is_more && status == CNV_OK) {
 *       status = cnv_sim_step(sim, &is_more, err);
 *   }
 *   cnv_engine_view(cnv_sim_engine(sim), &view);    model, rows, state and reason
 *   cnv_sim_destroy(sim);
 *
 * One object per run, no globals, no threads.
 */
#ifndef CNV_SIM_SIM_H
#define CNV_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/param.h"
#include "base/status.h"
#include "data/shard.h"
#include "engine/engine.h"

struct cnv_sim;

/* What goes wrong. All zero: nothing, and messages arrive at once. Times in virtual milliseconds.
 */
struct cnv_sim_faults {
    uint32_t delay_ms;      /* a message takes 0 .. delay_ms; within a channel the order is kept */
    double loss;            /* probability that a message vanishes */
    double duplicate;       /* probability that it arrives twice */
    double reorder;         /* probability that it may be overtaken within its channel */
    double damage;          /* probability that a vector's bytes, or the header, arrive damaged */
    double poison;          /* probability that a contribution holds a NaN; never the first agent's,
                               or three of an agent left alone would end the run */
    uint32_t cut_every_ms;  /* mean time between cut links, for each agent; 0: never */
    uint32_t kill_every_ms; /* mean time between deaths, for each agent; 0: never */
    double gone;            /* probability that a dead agent stays dead: never the first, and nobody
                               before the first commit, which all are needed for */
    double polite;          /* probability that a process that ends says goodbye */
    uint32_t freeze_every_ms; /* mean time between freezes, for each agent; 0: never */
    uint32_t notice_ms; /* a closed connection is noticed after 0 .. notice_ms, by some never */
    uint32_t away_ms;   /* dead and frozen agents are back after 0 .. away_ms */
    uint32_t step_ms;   /* a local step takes up to this, by host */
    bool defers_jobs;   /* jobs and persists end later, in random order */
    uint64_t until_ms;  /* from this time on nothing goes wrong any more; 0: never ends */
};

struct cnv_sim_setup {
    const struct cnv_config *config;      /* of the run; borrowed for the sim's life */
    uint64_t seed;                        /* of the faults; the run has its own, run/seed */
    const struct cnv_engine_start *start; /* NULL: as run/start says; borrowed for the sim's life */
    uint32_t shards;                      /* the data is cut into; 0: run/agents */
    const struct cnv_sim_faults *faults;  /* NULL: none; copied */
    bool is_checked;                      /* after every step look whether its promises hold */
    FILE *trace;                          /* a line a message; NULL: none */
    void *self;                           /* given to the callbacks */
    /* Gives the shard of an agent and its test data (NULL: none); the agent takes them over. */
    enum cnv_status (*load)(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err);
    /* After each commit. May be NULL. */
    void (*committed)(void *self, const struct cnv_engine *engine);
    /* As the engine says it, for a log. May be NULL. */
    void (*note)(void *self, const struct cnv_engine_note *note);
    /*
     * A clock in microseconds. If given, a step of an agent takes as long in virtual time as it
     * took on this clock: agents count as working side by side. NULL: as faults->step_ms says.
     */
    uint64_t (*clock_us)(void *self);
};

/* Starts a server and run/agents agents, "agent-1" and so on, that hold the shards in this order.
 */
CNV_MUST_CHECK enum cnv_status
cnv_sim_new(const struct cnv_sim_setup *setup, struct cnv_sim **ret_sim, struct cnv_error *err);

/* NULL is fine. */
void cnv_sim_destroy(struct cnv_sim *sim);

/*
 * Handles the next event. *ret_is_more is false once the run has ended and all agents have left.
 * Fails with the first broken promise (CNV_E_UNEXPECTED), or with what ended an agent: its data
 * (CNV_E_INPUT), its solver (CNV_E_NUMERIC), a server that refused it.
 */
CNV_MUST_CHECK enum cnv_status
cnv_sim_step(struct cnv_sim *sim, bool *ret_is_more, struct cnv_error *err);

/* Steps until the run has ended, or for so much virtual time; then CNV_E_TIMEOUT. */
CNV_MUST_CHECK enum cnv_status
cnv_sim_run(struct cnv_sim *sim, uint64_t for_ms, struct cnv_error *err);

/* What is seen from outside: state, rows, members, model. Borrowed. */
const struct cnv_engine *cnv_sim_engine(const struct cnv_sim *sim);
uint64_t cnv_sim_now_ms(const struct cnv_sim *sim);

/* As an operator would say it. */
void cnv_sim_drain(struct cnv_sim *sim, const char *reason);
void cnv_sim_stop(struct cnv_sim *sim, const char *reason);
/* See cnv_engine_set_policy; config is borrowed for the sim's life. */
CNV_MUST_CHECK enum cnv_status cnv_sim_set_policy(struct cnv_sim *sim,
                                                  const struct cnv_config *config,
                                                  const char *who,
                                                  struct cnv_error *err);

/* --- For stories: what happens to one agent. Agents count from 0. ------------------------ */

/* Starts one more agent, "agent-N" in the role "worker" or "follower", with the shard so numbered;
 * 0: it asks the server for one. Returns its number. */
CNV_MUST_CHECK enum cnv_status cnv_sim_add(struct cnv_sim *sim,
                                           const char *role,
                                           uint32_t shard,
                                           size_t *ret_agent,
                                           struct cnv_error *err);

void cnv_sim_kill(struct cnv_sim *sim, size_t agent);   /* kill -9: its connections close */
void cnv_sim_leave(struct cnv_sim *sim, size_t agent);  /* SIGTERM: it says goodbye and ends */
void cnv_sim_revive(struct cnv_sim *sim, size_t agent); /* a new process under the same name */
void cnv_sim_freeze(struct cnv_sim *sim, size_t agent); /* SIGSTOP */
void cnv_sim_thaw(struct cnv_sim *sim, size_t agent);   /* SIGCONT */
void cnv_sim_cut(struct cnv_sim *sim, size_t agent);    /* its links break and are made anew */
void cnv_sim_poison(struct cnv_sim *sim, size_t agent); /* its next contribution holds a NaN */

/* A second process under the agent's name, with its shard: another number of this sim. */
CNV_MUST_CHECK enum cnv_status
cnv_sim_twin(struct cnv_sim *sim, size_t agent, size_t *ret_twin, struct cnv_error *err);

/* Counters to wait for. */
struct cnv_sim_agent_view {
    bool is_alive;
    bool is_frozen;
    bool is_over;           /* has left, because the run ended or it was replaced */
    bool is_replaced;       /* by a newer process of its name */
    uint64_t version;       /* newest model it holds */
    uint64_t contributions; /* computed, by this and earlier processes of the name */
    uint64_t chunks_up;     /* of its vectors, that reached the server */
    uint64_t refused;       /* contributions the server told it were refused */
};

void cnv_sim_agent(const struct cnv_sim *sim, size_t agent, struct cnv_sim_agent_view *ret_view);
size_t cnv_sim_agents(const struct cnv_sim *sim);

/* How much went wrong so far. */
struct cnv_sim_tally {
    uint64_t lost; /* messages */
    uint64_t damaged;
    uint64_t cuts;
    uint64_t kills;
    uint64_t leaves;
    uint64_t freezes;
    uint64_t poisoned; /* contributions */
};

void cnv_sim_tally(const struct cnv_sim *sim, struct cnv_sim_tally *ret_tally);

#endif
