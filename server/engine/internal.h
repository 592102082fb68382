/*
 * internal.h - what the files of the engine share: its state, and who may change which part.
 *
 * The engine owns its members, they own their offer and their download. Blobs are shared by count.
 * Each struct names the file that writes it; others read.
 */
#ifndef CNV_SERVER_ENGINE_INTERNAL_H
#define CNV_SERVER_ENGINE_INTERNAL_H

#include "aggregate/aggregate.h"
#include "encodings/encoding.h"
#include "engine/async.h"
#include "engine/engine.h"
#include "engine/pace.h"
#include "engine/quorum.h"
#include "engine/settings.h"
#include "optimiser/optimiser.h"
#include "proto/plan.h"

enum {
    CNV_NAME_SIZE = 65,
    CNV_WHY_SIZE = 160,
    CNV_FORMER_MAX = 4, /* instances remembered as replaced, for each name */
    CNV_LABELS_MAX = CNV_INLINE_MAX / 8,
    CNV_EMPTY_MAX = 3, /* attempts in a row without a valid contribution that fail the run */
};

/* A finished vector as it is sent: encoded bytes, digest, CRCs of its chunks. See parcel.c. */
struct cnv_parcel {
    unsigned refs;
    struct cnv_blob *blob;
    size_t length;
    uint32_t digest;
    uint64_t chunk_bytes;
    uint32_t *crcs; /* [chunks], valid where known */
    uint8_t *known; /* [chunks] */
};

/* What a member brings to the exchange in hand. Written by recv_offer.c and recv_chunk.c. */
struct cnv_offer {
    bool is_here;
    uint64_t instance;           /* the process that offered */
    uint64_t order;              /* of arrival in the run */
    struct cnv_parcel *snapshot; /* async: what it was made from, if the optimiser wants it */
    size_t slot;                 /* async: of the member in the optimiser's state */
    struct cnv_msg_offer head;
    const struct cnv_encoding_ops *encoding; /* NULL: scalars only */
    size_t slice;                            /* numbers of a slice of it, as they are sent */
    struct cnv_blob *vector;                 /* the whole vector where it came with the offer */
    struct cnv_blob *index;                  /* sparse: checked bytes that begin with the payload's
                                              * head; NULL: they have not come yet */
    /* Else it is pulled in chunks, while the members are frozen: */
    uint64_t chunks; /* 0: nothing to pull */
    uint64_t window;
    struct cnv_blob **ring; /* [window] chunk i lies at i % window; NULL: not pulled yet */
    uint64_t base;          /* chunks below are merged and let go of */
    uint64_t next;          /* chunks below have arrived */
    uint64_t limit;         /* chunks below may be sent; 0: no credit given */
    size_t slices;          /* slices whose chunks are all in */
    uint64_t moved_ms;      /* when the last new chunk came, or the pull began */
    uint64_t asked_ms;      /* the same, or when credit was restated */
    uint64_t repeat_ms;     /* credit is restated so long after asked_ms */
    uint64_t whole_ms;      /* when all of it was in; 0: it is not */
    uint64_t stalled_ms;    /* how long it had no credit, waiting for others */
};

/* A vector on its way to a member. Written by outbox.c. */
struct cnv_download {
    struct cnv_parcel *parcel; /* NULL: none under way */
    uint64_t transfer;
    uint64_t next;
    uint64_t limit;
};

/* A seat in the run: kept while its process is away. Written by member.c and the recv files. */
struct cnv_member {
    uint64_t id; /* of this name with this shard: equal sets of members are compared by it */
    char name[CNV_NAME_SIZE];
    char host[CNV_NAME_SIZE];
    bool is_follower;
    uint64_t instance;
    uint64_t former[CNV_FORMER_MAX]; /* instances that were replaced: they must stop */
    size_t former_count;
    cnv_peer_id peer;      /* 0: no connection */
    cnv_peer_id bulk_peer; /* 0: not attached */
    uint64_t token;
    uint64_t incarnation;
    enum cnv_member_state state; /* JOINING, READY, LOST or LEFT; see member.c */
    char why[CNV_WHY_SIZE];
    uint32_t shard;  /* 0: a follower */
    uint32_t shards; /* of how many; 1: data of its own */
    bool holds_shard;
    bool is_loaded;
    bool is_ready;  /* the process there now has built the problem */
    bool was_ready; /* this or an earlier process had: a new round waits for its return */
    uint64_t rows;
    double smoothness; /* L of its objective; 0: it does not say */
    size_t place;      /* among the run's agents, from 0, where there are places: places.c */
    uint64_t features;
    double *labels; /* [label_count] until the shape is fixed */
    size_t label_count;
    uint64_t heard_ms;
    uint64_t lost_ms;
    uint64_t grace_ms; /* LOST, or JOINING after it: the round waits until then */
    double steps_per_second;

    /* Where the process is, by its last beat; and when it was last sent each repair. */
    bool has_model;
    uint64_t version;
    uint64_t at_round;
    uint64_t at_attempt;
    uint64_t at_exchange;
    uint64_t commit_ms; /* 0: not sent in this session */
    uint64_t announce_ms;
    uint64_t settled_ms;

    /* The round in hand. Written by round.c and exchange.c. */
    bool in_round;
    uint32_t local_steps;    /* L as it is told; kept from round to round. Written by balance.c */
    enum cnv_status refusal; /* not CNV_OK: its contribution is left out of this round */
    struct cnv_offer offer;
    struct cnv_pace pace;
    uint64_t counted_version; /* the newest version that what this process sent is in */
    struct cnv_task task;
    uint64_t since_version; /* async: what its newest offer was made from */
    uint64_t told_version;  /* of the newest commit sent to it */

    struct cnv_download download;
    uint64_t transfers;

    uint64_t rounds;
    uint64_t refused;
    uint64_t bytes_up;
    uint64_t bytes_down;

    uint64_t test_version;
    bool test_is_error;
    double test_value;
    uint64_t test_rows;
    uint64_t test_unknown;
};

/* Of one of the run's agents in the optimiser's table. Written by places.c. */
struct cnv_place {
    uint64_t rows;            /* of data; 0: nobody has had it */
    uint32_t shard;           /* whose it is, */
    uint32_t shards;          /* of how many; 0: data of its own, */
    char name[CNV_NAME_SIZE]; /* under this name */
};

/* One attempt at merging one vector, slice by slice. See merge.c. */
struct cnv_merge;

/* The result of the exchange that settled last. Written by exchange.c. */
struct cnv_result {
    bool is_here;
    uint64_t attempt;
    uint32_t exchange;
    bool is_again; /* the place of the plan comes once more */
    uint64_t contributors;
    struct cnv_parcel *vector; /* NULL: scalars only */
    uint32_t scalar_count;
    double scalars[16];
};

enum cnv_phase {
    CNV_PHASE_IDLE,       /* no round in hand */
    CNV_PHASE_COLLECTING, /* waiting for the offers of an exchange */
    CNV_PHASE_PULLING,    /* members frozen: vectors come in and are merged */
    CNV_PHASE_COMMITTING, /* the new model is being made durable */
};

/* The round in hand. Written by round.c, exchange.c and commit.c. */
struct cnv_round {
    enum cnv_phase phase;
    uint64_t number;
    uint64_t attempt;
    uint64_t announced; /* the attempt of the newest announce */
    uint64_t announced_ms;
    bool is_evaluation; /* only asks for the loss of the final model */
    struct cnv_plan plan;
    char plan_text[128];
    uint32_t exchange;
    uint32_t place;  /* of it in the plan: behind exchange where one came more than once */
    uint32_t steps;  /* local steps behind what a member offers next; in the end, of the round */
    double estimate; /* of the variance, by the newest monitor; NaN: none */
    struct cnv_decision decision; /* that set it up */
    bool must_restart;            /* from exchange 0, with those who remain */
    bool must_retry;              /* this exchange again, with those who remain */
    char because[CNV_WHY_SIZE];   /* why, in words */
    unsigned empty;               /* attempts without a valid contribution, in a row */
    struct cnv_member **frozen;   /* [frozen_count] contributors in rank order */
    size_t frozen_count;
    double *weights; /* [frozen_count] */
    double *scales;  /* [frozen_count] what updates are multiplied by; NULL: as they are */
    struct cnv_merge *merge;
    struct cnv_result last;
    struct cnv_parcel *reference; /* newest settled vector: what `scaled` may refer to */
    uint32_t reference_exchange;
    double loss;
    double gradient_norm;
    double variance;
    const struct cnv_member *late; /* who came last in the exchange settled last; NULL: nobody */
    uint64_t late_ms;              /* so long after the others */
    uint64_t *evaluators; /* [evaluator_count] ids of the members behind loss, in rank order */
    size_t evaluator_count;
    struct cnv_parcel *model; /* COMMITTING: what will be committed */
};

struct cnv_engine {
    const struct cnv_config *config;
    struct cnv_engine_io io;
    struct cnv_settings settings;
    bool has_next;          /* another run follows */
    struct cnv_blob *start; /* float64, what version 0 is to be; NULL: as the settings say */
    double *start_labels;   /* [start_label_count] what it was trained on */
    size_t start_label_count;
    bool has_start_labels;
    struct cnv_blob *spec_blob;
    char *bulk_endpoint;
    char run_name[CNV_NAME_SIZE];
    uint64_t run;
    uint64_t server;
    uint64_t token_seed;
    uint64_t now_ms;
    uint64_t beat_ms;  /* when the next beats are due */
    uint64_t chunk_ms; /* when a chunk of anybody's last came in */

    enum cnv_run_state state;
    char reason[CNV_WHY_SIZE];
    char ending[CNV_WHY_SIZE]; /* not empty: the run ends so, after the last evaluation */
    bool is_started;
    uint64_t start_ms;
    uint64_t end_ms;      /* over: when it ended */
    uint64_t deadline_ms; /* draining: the round in hand is given up then */
    uint64_t resume_ms;   /* waiting again: since when a member is ready; 0: none is */
    bool stops_at_commit; /* stop was said while a commit was being made durable */

    struct cnv_member **members;
    size_t member_count;
    size_t member_capacity;
    uint64_t next_id;
    uint64_t incarnation;

    uint32_t shards; /* 0: not yet known */
    bool has_shape;
    uint64_t features;
    double *labels;
    size_t label_count;
    uint64_t total_rows;
    uint64_t dimension;       /* 0: not yet known */
    double smoothness;        /* L of the run, from round 1 on; 0: not known */
    struct cnv_parcel *model; /* newest committed; NULL: none */
    uint64_t version;
    uint64_t contributors; /* members in it */
    uint64_t iteration;

    const struct cnv_policy_ops *policy;
    void *policy_state;
    char policy_set[CNV_WHY_SIZE]; /* by whom, until its first decision; "" */
    const struct cnv_aggregate_ops *aggregate;
    void *aggregate_state;
    const struct cnv_optimiser_ops *optimiser;
    void *optimiser_state;
    bool has_optimiser;
    struct cnv_place *places; /* [settings.agents]; NULL: the optimiser has no table */
    struct cnv_width width;   /* of the exchange model; kept: of engine->model */

    bool has_decision;
    struct cnv_decision decision; /* the newest: for the next round */
    double previous_loss;         /* of the round committed last that was evaluated */
    uint64_t *previous_evaluators;
    size_t previous_evaluator_count;

    struct cnv_round round;
    struct cnv_merge *abandoned; /* given up, with jobs still out */
    uint64_t offers;             /* that arrived so far */

    uint64_t exchanges;
    uint64_t bytes_up;
    uint64_t bytes_down;
    uint64_t payload_up;

    struct cnv_round_row *rows;
    size_t row_count;
    size_t row_capacity;
    double final_loss;
};

/* --- post.c: messages out, counted ------------------------------------------------------ */

/* Sends to a member's connection of that channel; 0 when there is none or nothing was queued. */
size_t cnv_post(struct cnv_engine *engine,
                struct cnv_member *member,
                enum cnv_channel channel,
                const struct cnv_message *message,
                struct cnv_blob *blob,
                size_t offset,
                size_t len);
/* Header only, on data. */
void cnv_post_header(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_message *message);
/* To a connection without a member. */
void cnv_post_stranger(struct cnv_engine *engine,
                       cnv_peer_id peer,
                       enum cnv_channel channel,
                       const struct cnv_message *message);
void cnv_post_error(struct cnv_engine *engine,
                    struct cnv_member *member,
                    enum cnv_status status,
                    uint64_t round,
                    const char *text);
/* A fatal error to a connection, which is then dropped. */
void cnv_post_refusal(struct cnv_engine *engine,
                      cnv_peer_id peer,
                      enum cnv_status status,
                      const char *text);
void cnv_post_rejoin(struct cnv_engine *engine, cnv_peer_id peer, enum cnv_channel channel);
void cnv_post_welcome(struct cnv_engine *engine, struct cnv_member *member);
void cnv_post_shape(struct cnv_engine *engine, struct cnv_member *member);
void cnv_post_announce(struct cnv_engine *engine, struct cnv_member *member);
void cnv_post_beat(struct cnv_engine *engine, struct cnv_member *member);
void cnv_post_finish(struct cnv_engine *engine, struct cnv_member *member);
/* The same for a connection without a member. */
void cnv_post_finish_stranger(struct cnv_engine *engine, cnv_peer_id peer);
void cnv_note(struct cnv_engine *engine,
              int what,
              const struct cnv_member *member,
              enum cnv_status status,
              const char *text);

/* --- parcel.c ---------------------------------------------------------------------------- */

/* Takes blob (also on failure). NULL when memory is out. */
struct cnv_parcel *
cnv_parcel_new(struct cnv_blob *blob, size_t length, uint32_t digest, uint64_t chunk_bytes);
struct cnv_parcel *cnv_parcel_ref(struct cnv_parcel *parcel);
void cnv_parcel_unref(struct cnv_parcel *parcel);
/* CRC-32C of a chunk, computed when first asked for. */
uint32_t cnv_parcel_crc(struct cnv_parcel *parcel, uint64_t index);

/* --- member.c ---------------------------------------------------------------------------- */

struct cnv_member *cnv_member_by_name(const struct cnv_engine *engine, const char *name);
struct cnv_member *
cnv_member_by_peer(const struct cnv_engine *engine, enum cnv_channel channel, cnv_peer_id peer);
/* A new seat, JOINING; NULL when memory or the limit is reached (err says which). */
struct cnv_member *
cnv_member_new(struct cnv_engine *engine, const char *name, struct cnv_error *err);
void cnv_member_destroy(struct cnv_member *member);
/* Moves to another state; the pair must be in the table. why is for people, "" for none. */
void cnv_member_move(struct cnv_member *member, enum cnv_member_state state, const char *why);
/* Its connection is gone, or it is silent: LOST, waited for until grace_ms. */
void cnv_member_lose(struct cnv_engine *engine,
                     struct cnv_member *member,
                     uint64_t grace_ms,
                     const char *why);
/* Heard again after a silence on the same connection. */
void cnv_member_return(struct cnv_engine *engine, struct cnv_member *member);
/* Gone for good: seat and shard are free. */
void cnv_member_leave(struct cnv_engine *engine, struct cnv_member *member, const char *why);
/* Leaves, after a fatal error to its connection. */
void cnv_member_refuse(struct cnv_engine *engine,
                       struct cnv_member *member,
                       enum cnv_status status,
                       const char *text);
/* Forgets what a process knew: a new one has the name. */
void cnv_member_reset(struct cnv_member *member);
/* Order of rank: (shard, name). */
int cnv_member_compare(const struct cnv_member *a, const struct cnv_member *b);
bool cnv_member_is_connected(const struct cnv_member *member);
/* READY, and no follower. */
size_t cnv_member_count_ready(const struct cnv_engine *engine);

/* --- recv_*.c: one message each, checks first, effect last ------------------------------- */

void cnv_recv_hello(struct cnv_engine *engine,
                    cnv_peer_id peer,
                    const char *user,
                    const struct cnv_msg_hello *hello,
                    size_t wire_bytes);
void cnv_recv_loaded(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_msg_loaded *loaded,
                     struct cnv_blob *payload);
void cnv_recv_ready(struct cnv_engine *engine,
                    struct cnv_member *member,
                    const struct cnv_msg_ready *ready);
void cnv_recv_offer(struct cnv_engine *engine,
                    struct cnv_member *member,
                    const struct cnv_msg_offer *offer,
                    struct cnv_blob *payload);
void cnv_recv_chunk(struct cnv_engine *engine,
                    struct cnv_member *member,
                    const struct cnv_msg_chunk *chunk,
                    struct cnv_blob *payload);
void cnv_recv_credit(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_msg_credit *credit);
void cnv_recv_beat(struct cnv_engine *engine,
                   struct cnv_member *member,
                   const struct cnv_msg_beat *beat);
void cnv_recv_report(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_msg_report *report);
void cnv_recv_attach(struct cnv_engine *engine,
                     cnv_peer_id peer,
                     const struct cnv_msg_attach *attach,
                     size_t wire_bytes);

/* Sends the member whatever it lacks, as far as is known where it is. In recv_beat.c. */
void cnv_catch_up(struct cnv_engine *engine, struct cnv_member *member);
/* What was sent then may be sent again. */
bool cnv_is_due(const struct cnv_engine *engine, uint64_t sent_ms);

/* --- places.c: which of the run's agents a member is, where the optimiser has a table ------ */

/* All places are free; none where there is no table. False: memory is out. */
bool cnv_places_new(struct cnv_engine *engine);
/* Nobody has had any. */
void cnv_places_forget(struct cnv_engine *engine);
/* Gives a member that has so many rows its place, where there are places. CNV_E_FULL,
 * CNV_E_MISFIT. */
CNV_MUST_CHECK enum cnv_status cnv_place_take(struct cnv_engine *engine,
                                              struct cnv_member *member,
                                              uint64_t rows,
                                              struct cnv_error *err);
/* The member leaves: before the shape is fixed nothing is remembered of it. */
void cnv_place_free(struct cnv_engine *engine, const struct cnv_member *member);
/* Its weight among all agents, present or not. */
double cnv_place_weight(const struct cnv_engine *engine, const struct cnv_member *member);

/* --- offer.c: what a member brings -------------------------------------------------------- */

/* Lets go of everything. */
void cnv_offer_clear(struct cnv_offer *offer);
/* Lets go of the chunks: they will be pulled again. */
void cnv_offer_forget_pull(struct cnv_offer *offer);
/* All of the vector is here, or there is none. */
bool cnv_offer_is_whole(const struct cnv_offer *offer);
/* Begins to pull the vector from chunk 0. False: out of memory. */
bool cnv_offer_pull(struct cnv_engine *engine, struct cnv_member *member);
/* Whether what is offered may be held whole, where it has to be: limits/held. */
bool cnv_offer_fits(const struct cnv_engine *engine);
/* A chunk came in: where chunks are held, more may be sent. */
void cnv_offer_extend(struct cnv_engine *engine, struct cnv_member *member);
/* The member has a new connection: says the credit again, for it or what it brought may be lost. */
void cnv_offer_resume(struct cnv_engine *engine, struct cnv_member *member);
/* Slices below done are merged: lets go of their chunks and raises the credit. */
void cnv_offer_release(struct cnv_engine *engine, struct cnv_member *member, size_t done);
/* The credit of an upload is restated when no chunk came for so long. */
uint64_t cnv_offer_repeat_ms(const struct cnv_engine *engine);
/* Restates the credit of an upload that stands still; gives up one that did so for patience. */
void cnv_offer_tick(struct cnv_engine *engine, struct cnv_member *member);
/* Reads the head of a sparse payload of which the first bytes are here; shares them. */
CNV_MUST_CHECK enum cnv_status
cnv_offer_learn(struct cnv_offer *offer, struct cnv_blob *bytes, struct cnv_error *err);
/* Which bytes of the payload hold these coordinates. A sparse one's head has to be here. */
struct cnv_extent cnv_offer_extent(const struct cnv_offer *offer, size_t first, size_t count);
uint64_t cnv_offer_value_bytes(const struct cnv_offer *offer); /* without a sparse one's head */
/* The chunk at index, which is in the ring; borrowed. */
struct cnv_blob *cnv_offer_chunk(const struct cnv_offer *offer, uint64_t index);
/* Slices of so many numbers in a vector, and the length of one of them. */
size_t cnv_slice_count(size_t length, size_t slice_len);
size_t cnv_slice_len(size_t length, size_t slice_len, size_t slice);

/* --- round.c ------------------------------------------------------------------------------ */

/* Does whatever has become possible; called at the end of every event. */
void cnv_round_advance(struct cnv_engine *engine);
/* The member takes no part any more, unless its offer is whole. */
void cnv_round_forget(struct cnv_engine *engine, struct cnv_member *member);
/* The contribution is left out of this round, with an error to the member. */
void cnv_round_refuse(struct cnv_engine *engine,
                      struct cnv_member *member,
                      enum cnv_status status,
                      const char *text);
/* The exchange in hand; "" when there is none. */
const char *cnv_round_exchange(const struct cnv_round *round);
bool cnv_round_is_at(const struct cnv_round *round, const char *exchange);
/* Frees what belongs to the round in hand; phase becomes IDLE. */
void cnv_round_abandon(struct cnv_engine *engine);
/* No valid contribution: again, or the end of the run. */
void cnv_round_empty(struct cnv_engine *engine, const char *text);
bool cnv_round_is_awaiting(const struct cnv_engine *engine, const struct cnv_member *member);

/* --- exchange.c --------------------------------------------------------------------------- */

/* It is one of the frozen contributors. */
bool cnv_round_has_frozen(const struct cnv_round *round, const struct cnv_member *member);
/* All offers are in: fixes the contributors and begins to merge. */
void cnv_exchange_freeze(struct cnv_engine *engine);
/* The vector of the exchange is merged (or there was none): its result stands. */
void cnv_exchange_settle(struct cnv_engine *engine);
void cnv_result_clear(struct cnv_result *result);
/* How many numbers a coordinate the vectors of the exchange in hand have. */
struct cnv_width cnv_exchange_width(const struct cnv_engine *engine);
/* Local steps that lie before the exchange in hand. */
uint32_t cnv_exchange_steps(const struct cnv_round *round);

/* --- merge.c ------------------------------------------------------------------------------ */

/* For the frozen contributors of the exchange in hand. False: out of memory. */
bool cnv_merge_begin(struct cnv_engine *engine);
/* Submits the slices whose chunks are in. */
void cnv_merge_submit(struct cnv_engine *engine);
bool cnv_merge_is_done(const struct cnv_merge *merge);
/* Lets go of engine->round.merge, now or once its last job is back. None is fine. */
void cnv_merge_abandon(struct cnv_engine *engine);
/* Frees what cnv_merge_abandon kept. No job may be out. */
void cnv_merge_forget(struct cnv_engine *engine);

/* A job is back, of the merge in hand or of an abandoned one; frees it. */
void cnv_merge_job_done(struct cnv_engine *engine, struct cnv_job *job);
/* OK so far; NOT_FINITE: see is_bad, or else the sum itself is; NOMEM. */
enum cnv_status cnv_merge_status(const struct cnv_merge *merge);
/* Contributor i sent a number that is not finite. */
bool cnv_merge_is_bad(const struct cnv_merge *merge, size_t i);
/* The merged vector, the caller's; NULL when memory is out. Once, when done. */
struct cnv_parcel *cnv_merge_take(struct cnv_engine *engine, struct cnv_merge *merge);
double
cnv_merge_variance(const struct cnv_merge *merge);    /* sum of p_i |u_i - mean|^2; of model
                                                         and monitor, else NaN; so with a table */
double cnv_merge_norm(const struct cnv_merge *merge); /* of the merged vector */

/* --- commit.c ----------------------------------------------------------------------------- */

/* Fixes the start model when the dimension is known. */
enum cnv_status
cnv_commit_start(struct cnv_engine *engine, uint64_t dimension, struct cnv_error *err);
/* Asks the policy what the next round is to be. */
void cnv_commit_decide(struct cnv_engine *engine);
/* Takes vector: asks for it to be made durable. */
void cnv_commit_prepare(struct cnv_engine *engine, struct cnv_parcel *model);
/* It is durable: the new version stands and is sent to everyone. */
void cnv_commit_stand(struct cnv_engine *engine);

/* --- run.c -------------------------------------------------------------------------------- */

void cnv_run_move(struct cnv_engine *engine, enum cnv_run_state state, const char *reason);
/* Ends the run: FINISHED or FAILED, and tells everyone. */
void cnv_run_end(struct cnv_engine *engine, enum cnv_run_state state, const char *reason);
bool cnv_run_is_over(const struct cnv_engine *engine);
/* Fills engine->ending when a stop rule holds after a commit. */
void cnv_run_check_stop(struct cnv_engine *engine);
double cnv_run_seconds(const struct cnv_engine *engine);
/* Says finish to a member that holds the final model, or cannot be waited for any longer. */
void cnv_run_dismiss(struct cnv_engine *engine, struct cnv_member *member);

/* --- outbox.c ----------------------------------------------------------------------------- */

void cnv_outbox_commit(struct cnv_engine *engine, struct cnv_member *member);
void cnv_outbox_settled(struct cnv_engine *engine, struct cnv_member *member);
/* Sends the chunks there is credit for. */
void cnv_outbox_pump(struct cnv_engine *engine, struct cnv_member *member);
void cnv_outbox_clear(struct cnv_member *member);

/* --- history.c ---------------------------------------------------------------------------- */

/* The row of the round just committed. */
void cnv_history_add(struct cnv_engine *engine);

#endif
