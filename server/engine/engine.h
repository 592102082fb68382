/*
 * engine.h - the server's rules: events with their time in, actions out. No I/O of any kind.
 *
 * One engine serves one run. The shell (server/io) and the simulator (sim/) feed it messages,
 * ticks and completions, and carry out what it asks for through struct cnv_engine_io. The same
 * events give the same actions. Nothing here is re-entrant: an io function never calls back
 * into the engine; what it learns it reports as a later event.
 */
#ifndef CNV_SERVER_ENGINE_ENGINE_H
#define CNV_SERVER_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/param.h"
#include "base/status.h"
#include "policy/policy.h"
#include "proto/message.h"
#include "run/job.h"

struct cnv_engine;

/* A connection as the shell numbers it: never 0, never reused. */
typedef uint64_t cnv_peer_id;

/* Something worth a line in the log. Pointers are borrowed for the call. */
struct cnv_engine_note {
    enum {
        CNV_NOTE_JOINED,     /* member ready for its first round */
        CNV_NOTE_RETURNED,   /* a lost member is back */
        CNV_NOTE_LOST,       /* connection gone or silent for too long */
        CNV_NOTE_LEFT,       /* said goodbye */
        CNV_NOTE_REFUSED,    /* a join or a contribution was refused */
        CNV_NOTE_COMMITTED,  /* a new version stands */
        CNV_NOTE_BALANCED,   /* a member is given another number of local steps than before */
        CNV_NOTE_RESTARTED,  /* a round began a new attempt */
        CNV_NOTE_STATE,      /* the run's state changed */
        CNV_NOTE_POLICY,     /* an operator has set the policy */
        CNV_NOTE_SMOOTHNESS, /* L of the run is fixed, by this member's; or not known, for want of
                                it */
        CNV_NOTE_STEEP,      /* one that came later has an L above it */
    } what;
    const char *member; /* name, or NULL */
    uint64_t round;
    uint64_t version;
    enum cnv_status status; /* why, for REFUSED */
    const char *text;       /* one line, no newline */
};

/* What must not be lost once version is announced to anyone. Borrowed for the call. */
struct cnv_engine_record {
    uint64_t run;
    uint64_t version;
    uint64_t round;
    uint64_t iteration;
    struct cnv_blob *model; /* encoded as encoding/down; ref it to keep it */
    size_t width;           /* numbers a coordinate, of which the first is the model's */
    uint32_t digest;
    const char *policy; /* whose state this is: an operator may have set another than configured */
    const uint8_t *policy_state;
    size_t policy_state_len;
};

/* How the engine acts on the world. Every function is given self. */
struct cnv_engine_io {
    void *self;
    /*
     * Sends message, and payload bytes [offset, offset + len) of blob if blob is not NULL (shares
     * it). Returns the bytes of all frames, or 0 when nothing was queued: the engine tries a chunk
     * again at the next tick, and relies on beats for everything else. A peer found unreachable
     * is reported later through cnv_engine_gone.
     */
    size_t (*send)(void *self,
                   cnv_peer_id peer,
                   enum cnv_channel channel,
                   const struct cnv_message *message,
                   struct cnv_blob *blob,
                   size_t offset,
                   size_t len);
    /* Runs job->run on any thread; afterwards cnv_engine_job_done must be called with it. */
    void (*submit)(void *self, struct cnv_job *job);
    /* Makes the record durable; afterwards cnv_engine_persisted must be called. */
    void (*persist)(void *self, const struct cnv_engine_record *record);
    /* The session is over: nothing more will be sent to this peer. */
    void (*drop)(void *self, cnv_peer_id peer);
    void (*note)(void *self, const struct cnv_engine_note *note);
};

/* A model to start from, instead of what run/start says. Borrowed for the call. */
struct cnv_engine_start {
    struct cnv_blob *values; /* float64, one for each coordinate; shared */
    const double *labels;    /* [label_count] that it was trained on; ignored unless has_labels */
    size_t label_count;
    bool has_labels;
};

struct cnv_engine_setup {
    const struct cnv_config *config; /* borrowed for the engine's life, validated */
    const char *spec;                /* text sent in the welcome: "path=value" lines; copied */
    uint64_t run;                    /* random, not 0 */
    uint64_t server;                 /* random, not 0 */
    uint64_t token_seed;             /* secret: session tokens are drawn from it */
    const char *bulk_endpoint;       /* for the welcome; copied */
};

CNV_MUST_CHECK enum cnv_status cnv_engine_new(const struct cnv_engine_setup *setup,
                                              const struct cnv_engine_io *io,
                                              uint64_t now_ms,
                                              struct cnv_engine **ret_engine,
                                              struct cnv_error *err);
/* Before the first member is ready: the run starts from this model, or fails in words once the
 * members' data shows that it does not fit. False: memory is out. */
CNV_MUST_CHECK bool cnv_engine_start_from(struct cnv_engine *engine,
                                          const struct cnv_engine_start *start);

/* No job may be outstanding. NULL is fine. */
void cnv_engine_destroy(struct cnv_engine *engine);

/*
 * A message arrived. payload may be NULL (shares it if needed); wire_bytes is the size of all its
 * frames. user is the name the peer's key is bound to, or NULL without security: a hello under
 * another name is refused.
 */
void cnv_engine_receive(struct cnv_engine *engine,
                        uint64_t now_ms,
                        cnv_peer_id peer,
                        enum cnv_channel channel,
                        const char *user,
                        const struct cnv_message *message,
                        struct cnv_blob *payload,
                        size_t wire_bytes);

/* The peer's header could not be decoded: answered on its channel with an error, never trusted. */
void cnv_engine_malformed(struct cnv_engine *engine,
                          uint64_t now_ms,
                          cnv_peer_id peer,
                          enum cnv_channel channel,
                          enum cnv_status status,
                          const struct cnv_error *err);

/* The connection of this peer is gone. */
void cnv_engine_gone(struct cnv_engine *engine, uint64_t now_ms, cnv_peer_id peer);

/* Some connection closed, it is not known whose: sends every member a beat, so that the dead are
 * found. */
void cnv_engine_probe(struct cnv_engine *engine, uint64_t now_ms);

/* Time passed: call at least every 100 ms. */
void cnv_engine_tick(struct cnv_engine *engine, uint64_t now_ms);

void cnv_engine_job_done(struct cnv_engine *engine, uint64_t now_ms, struct cnv_job *job);
void cnv_engine_persisted(struct cnv_engine *engine, uint64_t now_ms, uint64_t version);

/* Finish the round in hand if that takes less than limits/drain, then end the run. */
void cnv_engine_drain(struct cnv_engine *engine, uint64_t now_ms, const char *reason);

/* Asks a connection of an earlier engine, which this one does not know, to say hello. */
void cnv_engine_ask_hello(struct cnv_engine *engine, uint64_t now_ms, cnv_peer_id peer);

/*
 * Expects the agents that have a shard in the engine of the run before to come back to it: one that
 * lets the server choose is given the same shard, and none of theirs goes to another as long as
 * there is one that nobody had. To be called before the first event. Where memory or room is out,
 * the rest is not expected.
 */
void cnv_engine_expect(struct cnv_engine *engine, const struct cnv_engine *before);

/* Another run will follow on this server: members are told so with the end of this one. */
void cnv_engine_announce_next(struct cnv_engine *engine);

/* Whether the run is over and nobody is receiving its model any more. */
bool cnv_engine_is_done(const struct cnv_engine *engine);

/* End the run now; the round in hand is given up. */
void cnv_engine_stop(struct cnv_engine *engine, uint64_t now_ms, const char *reason);

/*
 * Sets another policy, or the same with other settings: it makes the next decision, as its first.
 * The round in hand goes on as it was decided. config differs from the one before in policy/ alone,
 * has passed cnv_config_check, and takes its place: borrowed for the engine's life. who asked is
 * shown in the reason of that decision.
 *
 * CNV_E_INPUT: there is no such policy, it refuses its settings, or the run is over. CNV_E_NOMEM.
 * On failure nothing has changed.
 */
CNV_MUST_CHECK enum cnv_status cnv_engine_set_policy(struct cnv_engine *engine,
                                                     uint64_t now_ms,
                                                     const struct cnv_config *config,
                                                     const char *who,
                                                     struct cnv_error *err);

/* --- Seen from outside ----------------------------------------------------------------- */

enum cnv_run_state {
    CNV_RUN_WAITING, /* for members: before round 1, or because none is left */
    CNV_RUN_RUNNING,
    CNV_RUN_DRAINING,
    CNV_RUN_FINISHED,
    CNV_RUN_FAILED,
};

const char *cnv_run_state_name(enum cnv_run_state state);

enum cnv_member_state {
    CNV_MEMBER_JOINING, /* hello seen, not ready yet */
    CNV_MEMBER_READY,   /* takes part from the next round on, or waits for one */
    CNV_MEMBER_WORKING, /* in the round, has not offered */
    CNV_MEMBER_OFFERED, /* in the round, contribution offered or merged */
    CNV_MEMBER_LOST,    /* gone without a word; its seat is kept for its return */
    CNV_MEMBER_LEFT,
};

const char *cnv_member_state_name(enum cnv_member_state state);

/* Borrowed until the next call into the engine. */
struct cnv_member_view {
    const char *name;
    const char *host;
    enum cnv_member_state state;
    const char *why; /* in words for joining, lost and left; "" else */
    uint32_t shard;
    uint32_t shards;
    uint64_t rank; /* among the ready members; meaningless for others */
    uint64_t incarnation;
    uint64_t rows;
    uint64_t rounds;   /* contributions counted */
    uint64_t refused;  /* contributions refused */
    uint64_t bytes_up; /* whole messages */
    uint64_t bytes_down;
    double steps_per_second; /* 0: not yet known */
    uint64_t heard_ms;       /* time since last heard */
    uint32_t local_steps;    /* of the newest round; 0: of none yet */
    uint64_t steps;          /* local steps in the rounds it is in */
    uint64_t busy_ms;        /* took_ms of all those rounds */
    uint64_t took_ms;        /* the last round: from its announce to this member's whole offer */
    uint64_t wait_ms;        /* the last round: how long it then waited for others */
    uint64_t waited_ms;      /* all rounds, and the wait under way */
    uint64_t held_ms;        /* all rounds: how long others waited for it alone */
    bool is_waited_for;
};

struct cnv_engine_view {
    const char *run_name;
    uint64_t run;
    enum cnv_run_state state;
    const char *state_reason; /* "waiting for 2 of 4 agents", "run/rounds=100 reached" */
    uint64_t version;
    uint64_t round; /* the one in hand, or the last */
    uint64_t attempt;
    uint64_t exchange;
    const char *exchange_name;
    double estimate; /* of the model variance, by the newest monitor; NaN: there was none */
    uint64_t iteration;
    uint64_t dimension; /* 0: not yet fixed */
    uint64_t features;
    const double *labels;
    size_t label_count;
    uint64_t total_rows;
    double smoothness; /* L that step sizes follow from; NaN: none is used, or not fixed yet */
    const char *policy;
    uint32_t local_steps;
    const char *solver;
    const char *reason;     /* of the policy's last decision; where it was just set, who did that */
    const char *policy_set; /* who set a policy that has not decided yet, and which; "" */
    double seconds;         /* since round 1 was announced; stops with the run */
    uint64_t exchanges;
    uint64_t bytes_up;
    uint64_t bytes_down;
    uint64_t payload_up;
    size_t members;
    struct cnv_blob *model; /* newest committed, encoded as encoding/down; NULL: none yet */
    const char *model_encoding;
    size_t model_width;      /* numbers a coordinate, of which the first is the model's; see
                              * cnv_vector_first */
    uint32_t digest;         /* of all of it, as it is sent */
    const char *test_metric; /* "" : no report */
    double test_value;
    uint64_t test_rows;
    uint64_t test_unknown; /* of them, of labels that the run does not know */
    uint64_t test_version;
};

void cnv_engine_view(const struct cnv_engine *engine, struct cnv_engine_view *ret_view);

/* i-th member in order of joining; false past the last. */
bool cnv_engine_member(const struct cnv_engine *engine,
                       uint64_t now_ms,
                       size_t i,
                       struct cnv_member_view *ret_member);

/* One row of rounds.csv; cumulative figures at the commit of the round. */
struct cnv_round_row {
    uint64_t round;
    double seconds;
    uint64_t exchanges;
    uint32_t local_steps;
    uint64_t contributors;
    double loss;          /* at the model the round started from; NaN: not evaluated */
    double gradient_norm; /* NaN: not evaluated */
    double variance;      /* NaN: not evaluated */
    uint64_t bytes_up;
    uint64_t bytes_down;
    uint64_t payload_up;
    char reason[CNV_REASON_SIZE]; /* of the decision that set up the round */
};

/* The digest of the model alone, which a file of it has; 0: there is none yet. */
uint32_t cnv_engine_model_digest(const struct cnv_engine *engine);

/* Rows of committed rounds, and a last one for the current model (round fields 0 or NaN). */
size_t cnv_engine_rows(const struct cnv_engine *engine);
void cnv_engine_row(const struct cnv_engine *engine, size_t i, struct cnv_round_row *ret_row);

#endif
