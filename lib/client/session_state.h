/*
 * session_state.h - what a session remembers, shared by the files of the session alone.
 *
 *   session.c   the connection: hello, beats, patience, errors, the end
 *   join.c      becoming a member: welcome, loaded, shape, ready
 *   round.c     announcements, contributions, settled, commit
 *   upload.c    our contribution in hand
 *   download.c  the vector that is coming in
 */
#ifndef CNV_CLIENT_SESSION_STATE_H
#define CNV_CLIENT_SESSION_STATE_H

#include "client/event.h"
#include "client/session.h"
#include "encodings/encoding.h"
#include "proto/plan.h"

/* The contribution to the exchange in hand: kept until the server has settled it. */
struct cnv_upload {
    bool is_live;
    bool is_refused;            /* the application was told */
    bool is_in;                 /* the server has all of it: no need to repeat the offer */
    struct cnv_msg_offer offer; /* repeated with each beat */
    struct cnv_blob *payload;   /* NULL: scalars only */
    uint64_t chunks;            /* 0: travels with the offer */
    uint64_t attempt;           /* of the newest credit */
    uint64_t wanted;            /* first chunk the server still wanted by that credit */
    uint64_t sent;              /* chunks below this were sent for this attempt */
    uint64_t limit;             /* chunks below this may be sent */
};

/* The settled result or the model that is coming in by chunks: at most one, the newest. */
struct cnv_download {
    bool is_live;
    bool is_commit;
    struct cnv_msg_settled settled; /* which of the two: is_commit */
    struct cnv_msg_commit commit;
    struct cnv_blob *bytes; /* the vector as far as it has come */
    uint8_t *have;          /* [chunks] 1: is in */
    uint64_t transfer;
    uint64_t chunks;
    uint64_t next;      /* first chunk that is missing */
    uint64_t told;      /* limit in our last credit */
    uint64_t moved_ms;  /* when a chunk last came in, or was asked for again */
    uint64_t repeat_ms; /* we ask again so long after moved_ms */
};

struct cnv_session {
    struct cnv_session_io io;
    struct cnv_session_setup setup; /* name, host and role point into the fields below */
    char name[65];
    char host[65];
    char role[17];
    bool is_follower;
    bool is_over;
    struct cnv_event *spare; /* for LOST: there must be one even when memory is out */

    /* The connection. */
    bool is_connected;
    bool is_welcome;   /* the server answered our hello on this connection */
    bool is_confirmed; /* it has since shown that it knows us as a member */
    uint64_t heard_ms;
    uint64_t hello_ms;
    uint64_t beat_ms;
    uint64_t rejoin_ms; /* of the bulk socket */

    /* The run. */
    bool has_run;
    struct cnv_msg_welcome welcome;
    const struct cnv_encoding_ops *encoding_up;
    struct cnv_rounding rounding; /* of what is encoded next */
    bool is_bulk_used;
    bool is_loaded;
    struct cnv_msg_loaded loaded;
    struct cnv_blob *labels; /* payload of loaded; NULL: none */
    bool has_shape;
    bool is_ready;
    struct cnv_msg_ready ready;
    double steps_per_second;

    /* The newest model held whole. */
    struct cnv_blob *model;  /* encoded; NULL: none yet */
    struct cnv_blob *values; /* decoded: commit.width vectors, one behind the other */
    struct cnv_msg_commit commit;

    /* The round. round = 0: none. */
    bool has_announce; /* one waits for its version */
    struct cnv_msg_announce announce;
    struct cnv_msg_announce work; /* the round in hand */
    struct cnv_plan plan;
    uint64_t newest_attempt; /* of the round in hand, as announced or by credit */
    uint32_t exchange;       /* worked on or waited for */
    uint32_t place;          /* of it in the plan */
    struct cnv_upload upload;
    uint64_t transfers; /* numbers given so far */
    struct cnv_download download;
    bool has_report;
    struct cnv_msg_report report;
    bool is_waiting; /* the run is over, ENDED was delivered, and we stay for the next */
    bool has_finish; /* waits for the last model */
    struct cnv_msg_finish finish;
    uint64_t finish_ms;
};

/* session.c */
size_t cnv_session_send(struct cnv_session *session,
                        enum cnv_channel channel,
                        const struct cnv_message *message);
/* NULL: memory is out, and the session has ended. */
struct cnv_event *cnv_session_event(struct cnv_session *session, convene_event_kind kind);
void cnv_session_deliver(struct cnv_session *session, struct cnv_event *event);
/* Ends the session for good: LOST. */
void cnv_session_lose(struct cnv_session *session, enum cnv_status status, const char *text);
/* Says who we are on the bulk socket. */
void cnv_session_attach(struct cnv_session *session);
/* Delivers FINISHED if the server has said so and nothing holds it up. */
void cnv_session_finish(struct cnv_session *session);

/* A beat, and everything the server has not shown to know. */
void cnv_session_say_state(struct cnv_session *session, uint64_t now_ms);

/* join.c */
void cnv_session_recv_welcome(struct cnv_session *session,
                              uint64_t now_ms,
                              const struct cnv_msg_welcome *welcome,
                              struct cnv_blob *payload);
void cnv_session_recv_shape(struct cnv_session *session,
                            const struct cnv_msg_shape *shape,
                            struct cnv_blob *payload);
/* loaded and ready, as far as the application has said them. */
void cnv_session_say_member(struct cnv_session *session);
void cnv_session_forget_run(struct cnv_session *session);

/* round.c */
void cnv_session_recv_announce(struct cnv_session *session,
                               const struct cnv_msg_announce *announce);
void cnv_session_recv_settled(struct cnv_session *session,
                              uint64_t now_ms,
                              const struct cnv_msg_settled *settled,
                              struct cnv_blob *payload);
void cnv_session_recv_commit(struct cnv_session *session,
                             uint64_t now_ms,
                             const struct cnv_msg_commit *commit,
                             struct cnv_blob *payload);
/* bytes: the whole vector, its digest checked; shares it. */
void cnv_session_take_settled(struct cnv_session *session,
                              const struct cnv_msg_settled *settled,
                              struct cnv_blob *bytes);
void cnv_session_take_commit(struct cnv_session *session,
                             const struct cnv_msg_commit *commit,
                             struct cnv_blob *bytes);
/* Forgets round, contribution and download; keeps the model. */
void cnv_session_forget_round(struct cnv_session *session);

/* upload.c */
/* Offers it; shares payload (NULL: scalars only). */
void cnv_upload_start(struct cnv_session *session,
                      const struct cnv_msg_offer *offer,
                      struct cnv_blob *payload);
void cnv_upload_offer(struct cnv_session *session);
void cnv_upload_recv_credit(struct cnv_session *session, const struct cnv_msg_credit *credit);
/* Sends what credit allows. */
void cnv_upload_pump(struct cnv_session *session);
/* The server did not know the bulk connection: goes back to what it had asked for. */
void cnv_upload_rewind(struct cnv_session *session);
void cnv_upload_drop(struct cnv_session *session);

/* download.c */
/* Whether bytes are the vector the message describes: size and digest. */
bool cnv_vector_fits(const struct cnv_blob *bytes,
                     const char *encoding,
                     uint64_t length,
                     uint64_t digest);
/* A blob of float64; NULL when memory is out. */
struct cnv_blob *
cnv_vector_decode(const struct cnv_blob *bytes, const char *encoding, uint64_t length);
/* The same for a model: one vector behind the other where there lies more than one number beside a
 * coordinate. */
struct cnv_blob *cnv_model_decode(const struct cnv_blob *bytes,
                                  const struct cnv_msg_commit *commit);
void cnv_download_settled(struct cnv_session *session,
                          uint64_t now_ms,
                          const struct cnv_msg_settled *settled);
void cnv_download_commit(struct cnv_session *session,
                         uint64_t now_ms,
                         const struct cnv_msg_commit *commit);
void cnv_download_recv_chunk(struct cnv_session *session,
                             uint64_t now_ms,
                             const struct cnv_msg_chunk *chunk,
                             struct cnv_blob *payload);
/* Asks again for what is missing. */
void cnv_download_rewind(struct cnv_session *session, uint64_t now_ms);
void cnv_download_drop(struct cnv_session *session);

#endif
