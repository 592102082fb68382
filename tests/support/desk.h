/*
 * desk.h - a session told by a script of messages, and a desk that notes what it does.
 *
 * The run of the tests: 3 coordinates (small) for what travels inline, BIG for what needs chunks.
 */
#ifndef CNV_TESTS_SUPPORT_DESK_H
#define CNV_TESTS_SUPPORT_DESK_H

#include "client/session.h"

enum {
    BIG = 9000,
    BIG_BYTES = 72000,
    NOTES = 256,
    RUN = 77,
    BEAT = 5000,
    PATIENCE = 20000,
    CHUNK = 4096,
    WINDOW = 4
};

struct desk {
    struct cnv_session *session;
    uint64_t now;
    size_t sent;
    struct cnv_message messages[NOTES];
    enum cnv_channel channels[NOTES];
    size_t lens[NOTES];
    uint8_t first[NOTES][16]; /* the payload's first bytes */
    size_t events;
    convene_event *event[NOTES];
    size_t reconnects;
    bool is_bulk_full;
};

extern const char spec_f64[];
extern double small[3];

/* A session that is not connected yet. */
enum cnv_status desk_try_open(struct desk *desk, const char *role);
/* The same for one that stays. */
enum cnv_status desk_try_stay(struct desk *desk, const char *role, convene_stay stay);
/* Forgets what was noted so far. */
void desk_clear(struct desk *desk);
/* Also checks that no blob is left. */
void desk_close(struct desk *desk);
/* The i-th message of the kind since the last clear; fails the test if there are not so many. */
const struct cnv_message *desk_said(const struct desk *desk, enum cnv_kind kind, size_t i);
size_t desk_count(const struct desk *desk, enum cnv_kind kind);
/* The session receives the message. */
void hear(struct desk *desk, const struct cnv_message *message, const void *bytes, size_t len);
void tick(struct desk *desk, uint64_t ms);
void hear_welcome_of(struct desk *desk, uint64_t run, uint64_t incarnation, const char *spec);
void hear_shape(struct desk *desk);
struct cnv_msg_commit commit_of(uint64_t version, const double *model, size_t length);
void hear_commit(struct desk *desk, uint64_t version, const double *model, size_t length);
void hear_announce(
    struct desk *desk, uint64_t round, uint64_t attempt, uint64_t version, const char *plan);
void hear_credit(struct desk *desk, const struct cnv_msg_credit *credit);
void hear_chunk(
    struct desk *desk, uint64_t transfer, uint64_t index, const void *vector, size_t bytes);
void contribute(
    struct desk *desk, uint64_t round, uint64_t attempt, const double *values, size_t length);
/* A session that has said hello. */
struct desk *desk_new(const char *role);
/* A member of the run that holds version 1, a model of so many coordinates. */
struct desk *member_new(const double *model, size_t length);
/* BIG numbers from seed on; the next call overwrites them. */
const double *big_vector(double seed);

#endif
