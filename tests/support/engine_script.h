/*
 * engine_script.h - an engine behind a recording io table, and members that do what a test says.
 *
 * Every message the engine sends is kept, with a copy of its payload; jobs and persists run at
 * once after each event, or when the test says so. Time stands still unless the test moves it.
 */
#ifndef CNV_TESTS_ENGINE_SCRIPT_H
#define CNV_TESTS_ENGINE_SCRIPT_H

#include "config/config.h"
#include "engine/engine.h"

enum { SCRIPT_SENT_MAX = 20000, SCRIPT_JOBS_MAX = 512, SCRIPT_NOTES_MAX = 2000 };

struct script_sent {
    cnv_peer_id peer;
    enum cnv_channel channel;
    struct cnv_message message;
    uint8_t *bytes;
    size_t len;
};

struct script {
    struct cnv_config *config;
    struct cnv_engine *engine;
    uint64_t now_ms;
    struct script_sent *sent; /* [SCRIPT_SENT_MAX] */
    size_t sent_count;
    size_t mark;  /* what was sent before is not looked at: script_mark */
    bool is_full; /* io.send queues nothing */

    uint64_t calls;      /* of the engine, so far */
    uint64_t fail_call;  /* in this one of them ... */
    uint64_t fail_after; /* ... memory is out from this allocation on */

    bool holds_jobs; /* jobs wait for script_run_jobs */
    struct cnv_job *jobs[SCRIPT_JOBS_MAX];
    size_t job_count;
    size_t jobs_run;
    bool holds_persist;  /* persists wait for script_persisted */
    uint64_t persisting; /* version; 0: none */
    struct cnv_engine_record record;
    size_t persists;

    cnv_peer_id dropped[256];
    size_t dropped_count;
    struct {
        int what;
        char member[65];
        char text[256];
        enum cnv_status status;
    } notes[SCRIPT_NOTES_MAX];
    size_t note_count;
    uint64_t transfers[64]; /* by peer: uploads so far */
};

/* settings: "run/agents=2", ..., ended by NULL. */
struct script *script_new(const char *const *settings);
/* The next run, of the same settings, takes the place of the present one. */
void script_next_run(struct script *script);
/* Also checks that no blob is left. */
void script_destroy(struct script *script);

/* One event. payload may be NULL. */
void script_say(struct script *script,
                cnv_peer_id peer,
                const struct cnv_message *message,
                const void *payload,
                size_t len);
void script_say_bulk(struct script *script,
                     cnv_peer_id peer,
                     const struct cnv_message *message,
                     const void *payload,
                     size_t len);
/* Moves time in steps of at most 100 ms, with a tick after each. */
void script_wait(struct script *script, uint64_t ms);
/* The same, while these peers (ended by 0) beat once a second as at the round in hand. */
void script_wait_beating(struct script *script, uint64_t ms, const cnv_peer_id *peers);
/* Runs the jobs that are held, last submitted first when reversed. */
void script_run_jobs(struct script *script, bool is_reversed);
void script_persisted(struct script *script);

/* --- What members say ---------------------------------------------------------------------- */

void script_hello_as(struct script *script,
                     cnv_peer_id peer,
                     const char *name,
                     uint64_t instance,
                     uint32_t shard,
                     uint32_t shards);
/* instance = peer, shard leased. */
void script_hello(struct script *script, cnv_peer_id peer, const char *name);
/* 10 rows, 3 features, labels -1 and 1. */
void script_loaded(struct script *script, cnv_peer_id peer);
void script_ready(struct script *script, cnv_peer_id peer, uint64_t dimension);
/* hello, loaded. */
void script_load(struct script *script, cnv_peer_id peer, const char *name);
/* Agents 1..n join as a1..an, with a model of dimension coordinates. */
void script_join_all(struct script *script, size_t n, uint64_t dimension);
void script_attach(struct script *script, cnv_peer_id peer, cnv_peer_id bulk);
/* An offer for what is in hand: dimension values, each `value`; inline or by transfer. */
struct cnv_msg_offer
script_offer_head(struct script *script, cnv_peer_id peer, const char *encoding, uint64_t samples);
void script_offer(struct script *script, cnv_peer_id peer, double value);
void script_offer_values(struct script *script, cnv_peer_id peer, const double *values);
void script_offer_scalars(struct script *script, cnv_peer_id peer, const double *scalars, size_t n);
/* Sends an offer as it is, with its payload and CRC if it is small. */
void script_offer_message(struct script *script,
                          cnv_peer_id peer,
                          const struct cnv_msg_offer *offer,
                          const void *bytes);
/* Sends chunks [from, to) of the upload that the newest credit names; all of value `value`. */
void script_chunks(struct script *script,
                   cnv_peer_id peer,
                   cnv_peer_id bulk,
                   uint64_t from,
                   uint64_t to,
                   double value);
/* Answers credit until the upload of these peers (bulk = peer + 1000) is done. */
void script_upload_all(struct script *script, const cnv_peer_id *peers, const double *values);
void script_beat(struct script *script,
                 cnv_peer_id peer,
                 uint64_t version,
                 uint64_t round,
                 uint64_t attempt,
                 uint64_t exchange);
void script_leave(struct script *script, cnv_peer_id peer);
void script_gone(struct script *script, cnv_peer_id peer);

/* --- What the engine said ------------------------------------------------------------------ */

/* Forgets what was sent so far. */
void script_mark(struct script *script);
/* Messages of that kind to the peer since the mark; the newest of them, or NULL. */
size_t script_count(const struct script *script, cnv_peer_id peer, enum cnv_kind kind);
const struct script_sent *
script_last(const struct script *script, cnv_peer_id peer, enum cnv_kind kind);
/* Whether a note of that kind was made, and its text holds words. */
bool script_noted(const struct script *script, int what, const char *words);
bool script_was_dropped(const struct script *script, cnv_peer_id peer);
struct cnv_engine_view script_view(const struct script *script);
struct cnv_member_view script_member(const struct script *script, const char *name);
/* Coordinate i of the committed model. */
double script_model(const struct script *script, size_t i);

#endif
