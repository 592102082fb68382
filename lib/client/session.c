/*
 * session.c - joining a run and staying in it.
 *
 *   connected ──hello──► welcome ──► [app: loaded] ──► shape ──► [app: ready] ──► commit, announce
 *       ▲                                                                              │
 *       └── reconnect (silence), rejoin (the server lost the connection) ◄─────────────┘
 *
 * Happy path: the picture from left to right, then round.c. What fails: any message may be lost.
 * What has no answer yet is said again: hello every second, loaded, ready, report and offer with
 * each beat. After a rejoin the session says all of it from memory and goes on where it was,
 * unless the welcome names another run or shard: then the application starts anew with WELCOME.
 * Who stays after a run goes on beating: the server of the next run does not know the connection,
 * asks to rejoin, and the welcome names another run.
 * Invariants: nothing is delivered after FINISHED or LOST; an event is delivered once.
 */
#include "client/session.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/session_state.h"

enum { HELLO_AGAIN_MS = 1000, REJOIN_PAUSE_MS = 500, PATIENCE_DEFAULT_MS = 20000 };

size_t cnv_session_send(struct cnv_session *session,
                        enum cnv_channel channel,
                        const struct cnv_message *message)
{
    return session->io.send(session->io.self, channel, message, NULL, 0, 0);
}

struct cnv_event *cnv_session_event(struct cnv_session *session, convene_event_kind kind)
{
    struct cnv_event *event = cnv_event_new(kind);

    if (event == NULL) {
        cnv_session_lose(session, CNV_E_NOMEM, "out of memory");
    }
    return event;
}

void cnv_session_deliver(struct cnv_session *session, struct cnv_event *event)
{
    if (session->is_over) {
        convene_event_release(&event->event);
        return;
    }
    if (event->event.kind == CONVENE_FINISHED || event->event.kind == CONVENE_LOST) {
        session->is_over = true;
    }
    session->io.deliver(session->io.self, &event->event);
}

void cnv_session_lose(struct cnv_session *session, enum cnv_status status, const char *text)
{
    struct cnv_event *event = session->spare;

    if (event == NULL) {
        return;
    }
    session->spare = NULL;
    event->event.result = (convene_result) cnv_status_exit(status);
    cnv_event_set_text(event, text);
    cnv_session_deliver(session, event);
}

void cnv_session_finish(struct cnv_session *session)
{
    /* The application may want the final model: it is waited for once it has begun to come. */
    if (!session->has_finish || (session->download.is_live && session->download.is_commit)) {
        return;
    }
    bool stays = session->setup.stay == CONVENE_STAY_SERVER ||
                 (session->setup.stay == CONVENE_STAY_NEXT && session->finish.next);
    if (stays && session->is_waiting) {
        return; /* it comes with each beat */
    }
    struct cnv_event *event = cnv_session_event(session, stays ? CONVENE_ENDED : CONVENE_FINISHED);
    if (event == NULL) {
        return;
    }
    event->event.exit_code = session->finish.exit == 0 ? 0 : 1;
    event->event.version = session->finish.version;
    cnv_event_set_text(event, session->finish.reason);
    session->is_waiting = stays;
    cnv_session_deliver(session, event);
}

/* --- What we say -------------------------------------------------------------------------- */

static void say_hello(struct cnv_session *session, uint64_t now_ms)
{
    struct cnv_message message = { .version = CNV_PROTOCOL_OLDEST, .kind = CNV_KIND_HELLO };
    struct cnv_msg_hello *hello = &message.hello;

    hello->version_min = CNV_PROTOCOL_OLDEST;
    hello->version_max = CNV_PROTOCOL_VERSION;
    memcpy(hello->name, session->name, sizeof(hello->name));
    memcpy(hello->host, session->host, sizeof(hello->host));
    memcpy(hello->role, session->role, sizeof(hello->role));
    hello->instance = session->setup.instance;
    hello->cores = session->setup.cores;
    hello->shard = session->setup.shard;
    hello->shards = session->setup.shards;
    session->hello_ms = now_ms;
    (void) cnv_session_send(session, CNV_DATA, &message);
}

void cnv_session_attach(struct cnv_session *session)
{
    struct cnv_message message = { .kind = CNV_KIND_ATTACH };

    message.attach.token = session->welcome.token;
    session->is_bulk_used = true;
    (void) cnv_session_send(session, CNV_BULK, &message);
}

static void say_report(struct cnv_session *session)
{
    struct cnv_message message = { .kind = CNV_KIND_REPORT, .report = session->report };

    (void) cnv_session_send(session, CNV_DATA, &message);
}

static const char *state_name(const struct cnv_session *session)
{
    if (!session->is_ready && !session->is_follower) {
        return "loading";
    }
    if (session->upload.is_live) {
        return "offered";
    }
    return session->work.round > 0 && session->place < session->plan.count ? "working" : "idle";
}

static void say_beat(struct cnv_session *session, uint64_t now_ms)
{
    struct cnv_message message = { .kind = CNV_KIND_BEAT };
    struct cnv_msg_beat *beat = &message.beat;

    beat->run = session->welcome.run;
    beat->version = session->commit.version;
    beat->round = session->work.round;
    beat->attempt = session->newest_attempt;
    beat->exchange = session->exchange;
    (void) snprintf(beat->state, sizeof(beat->state), "%s", state_name(session));
    beat->steps_per_second = session->steps_per_second;
    session->beat_ms = now_ms;
    (void) cnv_session_send(session, CNV_DATA, &message);
}

void cnv_session_say_state(struct cnv_session *session, uint64_t now_ms)
{
    say_beat(session, now_ms);
    if (!session->is_confirmed) {
        cnv_session_say_member(session);
    }
    if (session->upload.is_live) {
        if (session->has_report) {
            say_report(session);
        }
        if (!session->upload.is_in) {
            cnv_upload_offer(session);
        }
    }
}

/* --- What we hear ------------------------------------------------------------------------- */

static void recv_error(struct cnv_session *session, const struct cnv_msg_error *error)
{
    enum cnv_status status =
        error->code > UINT8_MAX ? CNV_E_UNEXPECTED : (enum cnv_status)(-(int) error->code);

    if (error->fatal) {
        cnv_session_lose(session, status, error->text);
        return;
    }
    /* Which attempt it is about is not said, so that the offer is repeated all the same: the
     * server ignores what it has refused already. */
    bool is_refusal = cnv_status_scope(status) == CNV_SCOPE_ROUND || status == CNV_E_CHECKSUM;
    if (!is_refusal || error->round == 0 || error->round != session->work.round ||
        !session->upload.is_live || session->upload.is_refused) {
        return;
    }
    session->upload.is_refused = true;
    struct cnv_event *event = cnv_session_event(session, CONVENE_REFUSED_CONTRIBUTION);
    if (event == NULL) {
        return;
    }
    event->event.round = error->round;
    event->event.attempt = session->work.attempt;
    cnv_event_set_text(event, error->text);
    cnv_session_deliver(session, event);
}

static void recv_rejoin(struct cnv_session *session, uint64_t now_ms, enum cnv_channel channel)
{
    if (channel == CNV_DATA) {
        if (session->is_welcome) {
            session->is_welcome = false;
            say_hello(session, now_ms);
        }
        return; /* else a hello is under way */
    }
    /* Each chunk under way is answered so: once is enough. */
    if (session->is_welcome && now_ms - session->rejoin_ms >= REJOIN_PAUSE_MS) {
        session->rejoin_ms = now_ms;
        cnv_session_attach(session);
        cnv_upload_rewind(session);
    }
}

static void recv_replaced(struct cnv_session *session, const struct cnv_msg_replaced *replaced)
{
    char text[200];

    (void) snprintf(text,
                    sizeof(text),
                    "replaced: a newer process named %s runs on %s",
                    session->name,
                    replaced->host);
    cnv_session_lose(session, CNV_E_REPLACED, text);
}

static void
recv_finish(struct cnv_session *session, uint64_t now_ms, const struct cnv_msg_finish *finish)
{
    /* A run that is over already answers hello with its end. */
    if (session->is_welcome && finish->run != session->welcome.run) {
        return;
    }
    if (!session->is_welcome) {
        cnv_download_drop(session);
    }
    /* It comes again with each beat; the wait for the last model began with the first. */
    session->finish_ms = session->has_finish ? session->finish_ms : now_ms;
    session->has_finish = true;
    session->finish = *finish;
    cnv_session_finish(session);
}

/* Messages of a run we have been welcomed to. */
static void recv_of_run(struct cnv_session *session,
                        uint64_t now_ms,
                        const struct cnv_message *message,
                        struct cnv_blob *payload)
{
    uint64_t run = session->welcome.run;

    if (message->kind == CNV_KIND_ANNOUNCE && message->announce.run == run) {
        cnv_session_recv_announce(session, &message->announce);
    } else if (message->kind == CNV_KIND_SETTLED && message->settled.run == run) {
        cnv_session_recv_settled(session, now_ms, &message->settled, payload);
    } else if (message->kind == CNV_KIND_COMMIT && message->commit.run == run) {
        cnv_session_recv_commit(session, now_ms, &message->commit, payload);
    } else if (message->kind == CNV_KIND_CREDIT) {
        cnv_upload_recv_credit(session, &message->credit);
    } else {
        return;
    }
    session->is_confirmed = true;
}

void cnv_session_receive(struct cnv_session *session,
                         uint64_t now_ms,
                         enum cnv_channel channel,
                         const struct cnv_message *message,
                         struct cnv_blob *payload)
{
    if (session->is_over) {
        return;
    }
    session->heard_ms = now_ms;
    if (message->kind == CNV_KIND_WELCOME) {
        cnv_session_recv_welcome(session, now_ms, &message->welcome, payload);
    } else if (message->kind == CNV_KIND_SHAPE) {
        cnv_session_recv_shape(session, &message->shape, payload);
    } else if (message->kind == CNV_KIND_REJOIN) {
        recv_rejoin(session, now_ms, channel);
    } else if (message->kind == CNV_KIND_REPLACED) {
        recv_replaced(session, &message->replaced);
    } else if (message->kind == CNV_KIND_ERROR) {
        recv_error(session, &message->error);
    } else if (message->kind == CNV_KIND_FINISH) {
        recv_finish(session, now_ms, &message->finish);
    } else if (message->kind == CNV_KIND_CHUNK) {
        cnv_download_recv_chunk(session, now_ms, &message->chunk, payload);
    } else if (session->is_welcome) {
        recv_of_run(session, now_ms, message, payload);
    }
}

/* --- Time --------------------------------------------------------------------------------- */

void cnv_session_connected(struct cnv_session *session, uint64_t now_ms)
{
    if (session->is_over) {
        return;
    }
    session->is_connected = true;
    session->is_welcome = false;
    session->heard_ms = now_ms;
    say_hello(session, now_ms);
}

static uint64_t patience_ms(const struct cnv_session *session)
{
    return session->has_run ? session->welcome.patience_ms : PATIENCE_DEFAULT_MS;
}

void cnv_session_tick(struct cnv_session *session, uint64_t now_ms)
{
    if (session->is_over || !session->is_connected) {
        return;
    }
    if (session->has_finish && !session->is_waiting &&
        now_ms - session->finish_ms >= patience_ms(session)) {
        cnv_download_drop(session);
        cnv_session_finish(session);
        return;
    }
    if (now_ms - session->heard_ms >= patience_ms(session)) {
        session->is_connected = false;
        session->is_welcome = false;
        session->io.reconnect(session->io.self);
        return;
    }
    if (!session->is_welcome) {
        if (now_ms - session->hello_ms >= HELLO_AGAIN_MS) {
            say_hello(session, now_ms);
        }
        return;
    }
    if (now_ms - session->beat_ms >= session->welcome.heartbeat_ms) {
        cnv_session_say_state(session, now_ms);
    }
    if (session->download.is_live &&
        now_ms - session->download.moved_ms >= session->download.repeat_ms) {
        cnv_download_rewind(session, now_ms);
        session->download.repeat_ms *= 2; /* less and less often, until something comes */
    }
    cnv_upload_pump(session);
}

/* --- What the application says ------------------------------------------------------------ */

enum cnv_status
cnv_session_report(struct cnv_session *session, uint64_t now_ms, const convene_score *score)
{
    (void) now_ms;
    if (!session->has_run || score->rows == 0) {
        return CNV_E_INPUT;
    }
    session->report = (struct cnv_msg_report){
        .run = session->welcome.run,
        .version = score->version,
        .value = score->value,
        .rows = score->rows,
        .unknown = score->unknown,
    };
    (void) snprintf(session->report.metric,
                    sizeof(session->report.metric),
                    "%s",
                    score->is_error ? "squared_error" : "correct");
    session->has_report = true;
    if (session->is_welcome) {
        say_report(session);
    }
    return CNV_OK;
}

void cnv_session_speed(struct cnv_session *session, double steps_per_second)
{
    if (session->steps_per_second == 0.0 && steps_per_second > 0.0) {
        session->beat_ms =
            0; /* a short run ends before the next beat: the first speed is told now */
    }
    session->steps_per_second = steps_per_second;
}

void cnv_session_leave(struct cnv_session *session, uint64_t now_ms, const char *reason)
{
    struct cnv_message message = { .kind = CNV_KIND_LEAVE };

    (void) now_ms;
    if (!session->is_over) {
        (void) snprintf(
            message.leave.reason, sizeof(message.leave.reason), "%s", reason == NULL ? "" : reason);
        (void) cnv_session_send(session, CNV_DATA, &message);
        session->is_over = true;
    }
}

/* --- Life --------------------------------------------------------------------------------- */

static bool copy_text(char *to, size_t size, const char *from)
{
    int len = snprintf(to, size, "%s", from);

    return len >= 0 && (size_t) len < size;
}

enum cnv_status cnv_session_new(const struct cnv_session_setup *setup,
                                const struct cnv_session_io *io,
                                uint64_t now_ms,
                                struct cnv_session **ret_session,
                                struct cnv_error *err)
{
    struct cnv_session *session = cnv_object_new(struct cnv_session);

    if (session == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "session of %s", setup->name);
    }
    session->io = *io;
    session->setup = *setup;
    session->heard_ms = now_ms;
    session->spare = cnv_event_new(CONVENE_LOST);
    if (session->spare == NULL) {
        cnv_session_destroy(session);
        return cnv_fail(err, CNV_E_NOMEM, "session of %s", setup->name);
    }
    const char *role = setup->role == NULL ? "worker" : setup->role;
    if (!copy_text(session->name, sizeof(session->name), setup->name) ||
        !copy_text(session->role, sizeof(session->role), role) || session->name[0] == '\0') {
        cnv_session_destroy(session);
        return cnv_fail(err, CNV_E_INPUT, "name \"%s\": 1 to 64 letters are allowed", setup->name);
    }
    session->is_follower = strcmp(role, "follower") == 0;
    if (!session->is_follower && strcmp(role, "worker") != 0) {
        cnv_session_destroy(session);
        return cnv_fail(err, CNV_E_INPUT, "role \"%s\": worker or follower is allowed", role);
    }
    (void) copy_text(session->host, sizeof(session->host), setup->host == NULL ? "" : setup->host);
    *ret_session = session;
    return CNV_OK;
}

void cnv_session_destroy(struct cnv_session *session)
{
    if (session == NULL) {
        return;
    }
    cnv_session_forget_run(session);
    if (session->spare != NULL) {
        convene_event_release(&session->spare->event);
    }
    cnv_free(session);
}

bool cnv_session_is_over(const struct cnv_session *session)
{
    return session->is_over;
}

const char *cnv_session_bulk_endpoint(const struct cnv_session *session)
{
    return session->welcome.bulk;
}

uint64_t cnv_session_version(const struct cnv_session *session,
                             struct cnv_blob **ret_model,
                             uint32_t *ret_digest)
{
    *ret_model = session->model;
    *ret_digest = (uint32_t) session->commit.digest;
    return session->commit.version;
}
