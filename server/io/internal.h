/*
 * internal.h - what the files of the shell share. One loop thread owns all of it; only the worker
 * pool's jobs and libzmq's release of sent frames (pinned) run elsewhere.
 *
 * Rule: whoever has called into the engine calls cnv_daemon_settle before it returns to the loop.
 */
#ifndef CNV_SERVER_IO_INTERNAL_H
#define CNV_SERVER_IO_INTERNAL_H

#include <jansson.h>
#include <uv.h>

#include "engine/engine.h"
#include "io/clock.h"
#include "io/daemon.h"
#include "io/peers.h"
#include "loop/zap.h"
#include "loop/zsocket_watch.h"
#include "net/frame.h"
#include "net/socket.h"
#include "run/pool.h"

enum {
    CNV_DATA_HWM = 64,        /* messages a peer: a stopped one holds so many of up to 64 KiB */
    CNV_DATA_BYTES = 1 << 20, /* largest frame on data */
    CNV_CONTROL_BYTES = 65536,
    CNV_ANSWERS_MAX = 64, /* answers under way at one time */
};

/* At most one line in a while for something others can make happen as often as they like. */
struct cnv_limiter {
    uint64_t next_ms;
    unsigned skipped;
};

/* One of the two sockets agents speak to, or the one for commands. */
struct cnv_port {
    struct cnv_daemon *daemon;
    const char *key; /* the setting it comes from */
    enum cnv_channel channel;
    void *socket; /* NULL while closed */
    struct cnv_watch *watch;
    struct cnv_watch *monitor;
    struct cnv_endpoint endpoint;
    bool is_bound;
    char text[CNV_ENDPOINT_SIZE + 16];
};

/* Where the answer to a command goes. */
struct cnv_asker {
    uint8_t route[CNV_ROUTE_MAX];
    uint8_t route_len;
    bool has_delimiter;  /* it is a REQ */
    const char *payload; /* [payload_len] of the command; borrowed while it is carried out */
    size_t payload_len;
    uint64_t id;
    char user[65]; /* the name of its key, or "an operator" */
};

struct cnv_turn_meter {
    uv_prepare_t prepare;
    uint64_t last_ns;
    uint64_t last_idle_ns;
    uint64_t max_ns;
};

/* What is left of the run before, until the present one has committed a round: model.c. */
struct cnv_run_before {
    struct cnv_blob *model; /* encoded; NULL: there is none, or the present run has one */
    const char *encoding;
    uint64_t dimension;
    size_t width;   /* numbers a coordinate in model */
    double *labels; /* [label_count] what it was trained on */
    size_t label_count;
    json_t *report; /* of the run, as status showed it; NULL: none */
};

struct cnv_next_run;
struct cnv_start;

struct cnv_daemon {
    const struct cnv_config *config; /* of the process and of the present run */
    struct cnv_config *own_config;   /* the same if it was submitted or changed, else NULL */
    struct cnv_next_run *next;       /* submit.c; NULL: none is queued */
    uv_loop_t loop;
    void *context;
    struct cnv_pool *pool;
    struct cnv_engine *engine;
    struct cnv_certificate certificate;
    bool has_certificate;
    struct cnv_allow *allow; /* NULL without security */
    uint64_t allow_generation;
    struct cnv_zap *zap;
    struct cnv_port data;
    struct cnv_port bulk;
    struct cnv_port control;
    struct cnv_peers peers;
    size_t peers_max;
    struct cnv_pinned pinned;
    size_t pinned_max;
    bool is_pinned_full; /* said so */

    uv_timer_t tick;
    uv_signal_t signals[3];
    struct cnv_turn_meter turn;
    uint64_t start_ms;
    struct cnv_clock clock;
    uint64_t allow_ms; /* when the allow list is to be looked at next */
    int probes;        /* ticks that are still to look for the dead */
    bool has_persisted;
    uint64_t persisted_version;

    /* life.c */
    bool is_alive;   /* its handles are open */
    bool is_leaving; /* told to end */
    uint64_t leave_ms;
    bool is_over;     /* the run is */
    uint64_t over_ms; /* since when that is known; 0: it is not */
    enum cnv_exit exit;

    /* model.c */
    struct cnv_blob *npy; /* the file of the model of npy_version, or NULL */
    uint64_t npy_version;
    size_t answers; /* under way */
    struct cnv_run_before before;

    struct cnv_limiter refused_log;
    struct cnv_limiter commit_log;
};

/* --- daemon.c ---------------------------------------------------------------------------- */

/* The engine's clock: the loop's, without our own absences. */
uint64_t cnv_daemon_now(struct cnv_daemon *daemon);

/* Tells the engine what its own actions have brought to light, until there is nothing left. */
void cnv_daemon_settle(struct cnv_daemon *daemon);

/* May a line be written now? ret_skipped: how many were not, since the last one. */
bool cnv_limiter_allows(struct cnv_limiter *limiter,
                        uint64_t now_ms,
                        uint64_t every_ms,
                        unsigned *ret_skipped);

/* An engine for a run of that configuration (borrowed for its life), from that model if there is
 * one. */
CNV_MUST_CHECK enum cnv_status cnv_daemon_engine(struct cnv_daemon *daemon,
                                                 const struct cnv_config *config,
                                                 const struct cnv_start *start,
                                                 struct cnv_engine **ret_engine,
                                                 struct cnv_error *err);

/* --- listen.c ---------------------------------------------------------------------------- */

/* Keys, sockets, watches. What was opened is in the daemon, also on failure. */
CNV_MUST_CHECK enum cnv_status cnv_listen_open(struct cnv_daemon *daemon, struct cnv_error *err);

/* What the welcome names as bulk endpoint. Returns text. */
const char *cnv_listen_bulk_for_agents(const struct cnv_daemon *daemon, char *text, size_t size);

/* Starts handing messages to the engine. */
CNV_MUST_CHECK enum cnv_status cnv_listen_start(struct cnv_daemon *daemon, struct cnv_error *err);
void cnv_listen_close(struct cnv_daemon *daemon);

/* Once in a while: takes over a changed allow list, and ends the sessions of those no longer on it.
 */
void cnv_listen_check_allow(struct cnv_daemon *daemon, bool is_asked);

/* --- act.c: what the engine asks for ------------------------------------------------------ */

struct cnv_engine_io cnv_act_io(struct cnv_daemon *daemon);

/* Ends the session of a peer whose key is no longer allowed. */
void cnv_act_refuse(struct cnv_daemon *daemon, struct cnv_peer *peer);

/* --- receive.c ---------------------------------------------------------------------------- */

/* self is a struct cnv_port. */
void cnv_receive_message(void *self, void *socket);
void cnv_receive_event(void *self, void *socket);

/* --- control.c ---------------------------------------------------------------------------- */

/* self is the struct cnv_port of the control socket. */
void cnv_control_message(void *self, void *socket);

/* Answers with a body (shared), or with a failure: text for a person, JSON error as body. */
void cnv_control_reply(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       const char *type,
                       struct cnv_blob *body);
void cnv_control_refuse(struct cnv_daemon *daemon,
                        const struct cnv_asker *asker,
                        enum cnv_status status,
                        const char *text);

/* Answers with data, which it takes. */
void cnv_control_json(struct cnv_daemon *daemon, const struct cnv_asker *asker, json_t *data);

/* Takes root (NULL is fine). Its text as a blob; NULL when memory is out. */
struct cnv_blob *cnv_json_blob(json_t *root);

/* --- submit.c ----------------------------------------------------------------------------- */

/* Queues the run that the lines "path=value" describe. On failure nothing has changed. */
CNV_MUST_CHECK enum cnv_status
cnv_submit(struct cnv_daemon *daemon, const char *lines, size_t len, struct cnv_error *err);

/* Begins the queued run when the present one is done. */
void cnv_submit_tick(struct cnv_daemon *daemon);

/* What is queued, or null. */
json_t *cnv_next_run_report(const struct cnv_daemon *daemon);

/* NULL is fine. */
void cnv_next_run_destroy(struct cnv_next_run *next);

/* --- report.c ----------------------------------------------------------------------------- */

/* The data member of the answer to a command; NULL when memory is out. */
json_t *cnv_daemon_report(struct cnv_daemon *daemon);

/* --- model.c, rounds.c: answers made on the worker pool ------------------------------------ */

void cnv_model_answer(struct cnv_daemon *daemon, const struct cnv_asker *asker);
/* Lets go of the file of an older model, and of the run before. */
void cnv_model_tick(struct cnv_daemon *daemon);
/* The engine is about to be replaced: its model is served until the next one has its own. */
void cnv_model_keep(struct cnv_daemon *daemon);
void cnv_model_forget_before(struct cnv_daemon *daemon);
/* The rounds behind the given one, 0: all; then the current model's row. */
void cnv_rounds_answer(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       uint64_t after,
                       bool is_csv);

/* --- policy.c ------------------------------------------------------------------------------ */

/* The command "policy": shows it, or sets another. */
void cnv_policy_answer(struct cnv_daemon *daemon,
                       const struct cnv_asker *asker,
                       const char *argument);

/* --- life.c -------------------------------------------------------------------------------- */

CNV_MUST_CHECK enum cnv_status cnv_life_start(struct cnv_daemon *daemon, struct cnv_error *err);
/* The daemon ends once the run has ended: after its round (is_now false) or at once. */
void cnv_life_leave(struct cnv_daemon *daemon, bool is_now, const char *reason);
void cnv_life_stop_handles(struct cnv_daemon *daemon);

#endif
