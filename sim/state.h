/*
 * state.h - what the files of the simulator share.
 *
 *   calendar.c   what happens when
 *   network.c    links, packets, and what befalls them
 *   process.c    an agent's process: session, trainer, and its life and death
 *   server.c     the engine's io: sends, jobs, persists
 *   promises.c   what must hold after each step
 *   averages.c   that a committed model follows from what its contributors computed
 *   sim.c        the loop
 *
 * Time is kept in microseconds; the engine and the sessions see milliseconds.
 */
#ifndef CNV_SIM_STATE_H
#define CNV_SIM_STATE_H

#include "base/rng.h"
#include "calendar.h"
#include "client/session.h"
#include "config/config.h"
#include "proto/plan.h"
#include "sim.h"
#include "trainer/trainer.h"

enum { SIM_NAME_SIZE = 32, SIM_TICK_MS = 100, SIM_TICK_US = 100000 };

/* A message under way. */
struct sim_packet {
    cnv_peer_id peer;
    bool is_to_server;
    bool is_damaged;
    size_t header_len;
    uint8_t *header;
    struct cnv_blob *payload;
    struct sim_packet *next; /* in the inbox of a frozen process */
};

/* A connection: a peer id, never used again. Index in the table + 1 is the peer id. */
struct sim_link {
    size_t agent;
    uint32_t life; /* of the agent when it connected */
    enum cnv_channel channel;
    bool is_closed;      /* nothing more is put on its way */
    bool is_cut;         /* nothing arrives any more */
    bool is_gone;        /* the server was told */
    uint64_t last_us[2]; /* when the newest in-order packet arrives: to the agent, to the server */
};

/* The credit one side has been given for the transfer in hand. */
struct sim_ledger {
    uint64_t transfer;
    uint64_t attempt;
    uint64_t limit;
};

struct sim_agent {
    struct cnv_sim *sim;
    size_t number;
    char name[SIM_NAME_SIZE];
    const char *role;
    uint32_t shard;

    /* The process. life counts the processes of the name. */
    uint32_t life;
    bool is_alive;
    bool is_frozen;
    bool is_over;
    bool is_poisoned;
    bool is_replaced;
    bool is_scheduled; /* an event WORK is in the calendar */
    struct cnv_config *config;
    struct cnv_session *session;
    struct cnv_trainer *trainer; /* NULL: a follower */
    convene_event **events;      /* [event_count] wait for the trainer */
    size_t event_count;
    size_t event_capacity;
    struct sim_packet *inbox; /* arrived while frozen, in order */
    struct sim_packet **inbox_end;
    cnv_peer_id peers[2]; /* by channel; 0: not connected */
    uint64_t step_us;

    /* Seen by the checks. */
    uint64_t seen_version;
    struct cnv_blob *seen_model; /* not shared: only compared */
    uint64_t counted;            /* contributions in committed models, by the server's count */
    struct sim_ledger up;
    struct sim_ledger down;

    struct cnv_plan plan; /* of the round its trainer works on */
    uint32_t place;       /* of its exchange in it */
    uint64_t version;     /* it started from */

    uint64_t contributions;
    uint64_t chunks_up;
    uint64_t refused;
};

struct sim_promises;

struct cnv_sim {
    struct cnv_sim_setup setup;
    struct cnv_sim_faults faults;
    uint32_t shards;
    struct cnv_rng rng;
    uint64_t now_us;
    struct sim_calendar calendar;
    struct cnv_engine *engine;
    char *spec;

    struct sim_agent **agents;
    size_t agent_count;
    struct sim_link *links;
    size_t link_count;
    size_t link_capacity;
    size_t payloads; /* packets under way that hold one */
    struct cnv_sim_tally tally;

    uint64_t version; /* newest seen committed */
    bool has_model;
    uint64_t persisted;
    struct sim_promises *promises; /* NULL: nothing is checked */

    enum cnv_status status; /* the first failure */
    struct cnv_error error;
};

/* Keeps the first failure: the step that met it returns it. */
void sim_fail(struct cnv_sim *sim, enum cnv_status status, const char *format, ...)
    CNV_PRINTF(3, 4);
void sim_put(struct cnv_sim *sim, uint64_t at_us, const struct sim_event *event);
/* True while things may go wrong. */
bool sim_is_faulty(const struct cnv_sim *sim);
/* True with this probability, while things may go wrong. */
bool sim_happens(struct cnv_sim *sim, double probability);
/* Uniform in [0, ms) milliseconds, in microseconds; 0 for ms = 0. */
uint64_t sim_draw_us(struct cnv_sim *sim, uint32_t ms);

/* network.c */
/* A new connection of the agent; 0 when memory is out. */
cnv_peer_id sim_link_open(struct cnv_sim *sim, size_t agent, enum cnv_channel channel);
/* The connection ends; what the agent has sent still arrives if it is_flushed. The server notices
 * later, or never. */
void sim_link_close(struct cnv_sim *sim, cnv_peer_id peer, bool is_flushed);
/* The server notices: the event SIM_EVENT_GONE. */
void sim_link_gone(struct cnv_sim *sim, cnv_peer_id peer);
size_t sim_network_send(struct cnv_sim *sim,
                        cnv_peer_id peer,
                        bool is_to_server,
                        const struct cnv_message *message,
                        struct cnv_blob *blob,
                        size_t offset,
                        size_t len);
/* The event SIM_EVENT_PACKET; takes the packet. */
void sim_network_deliver(struct cnv_sim *sim, struct sim_packet *packet);
/* Hands the packet to the agent's session; takes it. */
void sim_network_receive(struct cnv_sim *sim, struct sim_agent *agent, struct sim_packet *packet);
void sim_packet_destroy(struct cnv_sim *sim, struct sim_packet *packet);

/* process.c */
enum cnv_status sim_process_start(struct sim_agent *agent, struct cnv_error *err);
/* is_polite: what it has said still arrives. */
void sim_process_end(struct sim_agent *agent, bool is_polite);
/* It has time: the event SIM_EVENT_WORK. */
void sim_process_work(struct sim_agent *agent);
void sim_process_tick(struct sim_agent *agent);
/* The event SIM_EVENT_CONNECT. */
void sim_process_connect(struct sim_agent *agent, bool says_hello);
void sim_process_thaw(struct sim_agent *agent);

/* server.c */
struct cnv_engine_io sim_server_io(struct cnv_sim *sim);

/* promises.c, averages.c */
struct sim_promises *sim_promises_new(void);
void sim_promises_destroy(struct sim_promises *promises);
/* After each step. */
void sim_promises_check(struct cnv_sim *sim);
/* The session may hold another model than before. */
void sim_promises_session(struct cnv_sim *sim, struct sim_agent *agent);
/* What the trainer is told, and what it sends. */
void sim_promises_event(struct cnv_sim *sim, struct sim_agent *agent, const convene_event *event);
void sim_promises_contribution(struct cnv_sim *sim,
                               struct sim_agent *agent,
                               const convene_contribution *contribution);
/* Credit and chunks, on sending (is_sent) and on arrival. */
void sim_promises_transfer(struct cnv_sim *sim,
                           struct sim_agent *agent,
                           bool is_to_server,
                           bool is_sent,
                           const struct cnv_message *message);

#endif
