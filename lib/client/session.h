/*
 * session.h - the client's side of the protocol as a state machine: events in, actions out.
 *
 * Pure like the engine: no sockets, threads or clocks. The actor (actor.c) and the simulator feed
 * it messages and time, and carry out what it asks for.
 */
#ifndef CNV_CLIENT_SESSION_H
#define CNV_CLIENT_SESSION_H

#include "base/blob.h"
#include "base/status.h"
#include "client/convene.h"
#include "proto/message.h"

struct cnv_session;

struct cnv_session_io {
    void *self;
    /* As in the engine: shares blob; bytes of all frames, or 0 when nothing was queued. The first
     * message to CNV_BULK makes the shell connect it to session_bulk_endpoint. */
    size_t (*send)(void *self,
                   enum cnv_channel channel,
                   const struct cnv_message *message,
                   struct cnv_blob *blob,
                   size_t offset,
                   size_t len);
    /* Gives the event to the application, which releases it. Not re-entrant. */
    void (*deliver)(void *self, convene_event *event);
    /* Drop the connections and connect anew, because nothing was heard for patience. */
    void (*reconnect)(void *self);
};

struct cnv_session_setup {
    const char *name; /* copied, like host */
    const char *host;
    const char *role;
    uint64_t instance; /* random, not 0 */
    uint32_t cores;
    uint32_t shard;
    uint32_t shards;
    convene_stay stay;
};

CNV_MUST_CHECK enum cnv_status cnv_session_new(const struct cnv_session_setup *setup,
                                               const struct cnv_session_io *io,
                                               uint64_t now_ms,
                                               struct cnv_session **ret_session,
                                               struct cnv_error *err);
void cnv_session_destroy(struct cnv_session *session);

/* Says hello (again): at the start and after every reconnect. */
void cnv_session_connected(struct cnv_session *session, uint64_t now_ms);

void cnv_session_receive(struct cnv_session *session,
                         uint64_t now_ms,
                         enum cnv_channel channel,
                         const struct cnv_message *message,
                         struct cnv_blob *payload);

/* Time passed: beats, restated credit, repeated offers. Call at least every 100 ms. */
void cnv_session_tick(struct cnv_session *session, uint64_t now_ms);

/* What the application says; the same meanings as in convene.h. Bad arguments: CNV_E_INPUT;
 * a contribution to a round that is over is dropped without a word (its new round is on its way).
 */
enum cnv_status
cnv_session_loaded(struct cnv_session *session, uint64_t now_ms, const convene_data *data);
enum cnv_status cnv_session_ready(struct cnv_session *session,
                                  uint64_t now_ms,
                                  uint64_t dimension,
                                  double smoothness);
enum cnv_status cnv_session_contribute(struct cnv_session *session,
                                       uint64_t now_ms,
                                       const convene_contribution *contribution,
                                       struct cnv_error *err);
enum cnv_status
cnv_session_report(struct cnv_session *session, uint64_t now_ms, const convene_score *score);
void cnv_session_speed(struct cnv_session *session, double steps_per_second);
void cnv_session_leave(struct cnv_session *session, uint64_t now_ms, const char *reason);

/* True once FINISHED or LOST was delivered or we left: nothing more will come. */
bool cnv_session_is_over(const struct cnv_session *session);

/* Endpoint of the bulk socket as the welcome gave it; "" before. */
const char *cnv_session_bulk_endpoint(const struct cnv_session *session);

/* The newest model the session holds: 0 and NULL before the first. For the simulator's checks. */
uint64_t cnv_session_version(const struct cnv_session *session,
                             struct cnv_blob **ret_model,
                             uint32_t *ret_digest);

#endif
