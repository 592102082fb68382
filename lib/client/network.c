/*
 * network.c - the network thread: a session between its sockets, the clock and the pipe.
 *
 * Happy path: connect the data socket, say hello, then carry messages one way, events the other,
 * and time to the session at least every TICK_MS; the bulk socket is connected when the session
 * first sends to it. What can go wrong: no server, or it goes away (libzmq connects anew and the
 * session says hello again); silence (the session asks for new sockets); refusal (LOST, for good).
 * Invariant: events ahead of the application are at most HANDED_MAX in the pipe, so that writing to
 * it never blocks; the rest waits in the backlog.
 */
#include "client/network.h"

#include <string.h>

#include "client/event.h"

enum {
    TICK_MS = 50,
    BATCH = 32,     /* messages in a row before other sockets and the clock get a look */
    HANDED_MAX = 8, /* events in the pipe */
    DATA_FRAME_MAX = 1 << 20,
    BULK_FRAME_MAX = (64 << 20) + CNV_HEADER_MAX, /* limits/chunk allows 64 MiB */
};

static uint64_t now_ms(void)
{
    return (uint64_t) zclock_mono();
}

/* --- What the session asks for ------------------------------------------------------------ */

static void hand_over(struct cnv_actor *actor)
{
    while (!actor->is_closed && actor->handed - atomic_load(&actor->fetched) < HANDED_MAX) {
        convene_event *event = cnv_backlog_take(&actor->backlog);

        if (event == NULL) {
            return;
        }
        if (zmq_send(zsock_resolve(actor->pipe), &event, sizeof(event), ZMQ_DONTWAIT) < 0) {
            convene_event_release(event);
            return;
        }
        actor->handed++;
    }
}

static void deliver(void *self, convene_event *event)
{
    struct cnv_actor *actor = self;

    actor->give_up_ms = 0;
    cnv_backlog_put(&actor->backlog, event);
    hand_over(actor);
}

/* "tcp://" "*" ":port" stands for the host of the data socket. */
static void bulk_endpoint(const struct cnv_actor *actor, char *text, size_t size)
{
    const char *given = cnv_session_bulk_endpoint(actor->session);
    const char *host_end = strrchr(actor->endpoint, ':');

    if (strncmp(given, "tcp://*:", 8) == 0 && strncmp(actor->endpoint, "tcp://", 6) == 0) {
        int host_len = (int) (host_end - actor->endpoint);

        (void) snprintf(text, size, "%.*s%s", host_len, actor->endpoint, given + 7);
    } else {
        (void) snprintf(text, size, "%s", given);
    }
}

static bool bulk_connect(struct cnv_actor *actor)
{
    char endpoint[2 * CNV_ENDPOINT_SIZE];

    if (actor->bulk != NULL) {
        return true;
    }
    bulk_endpoint(actor, endpoint, sizeof(endpoint));
    return cnv_link_new(endpoint,
                        actor->has_keys ? &actor->keys : NULL,
                        BULK_FRAME_MAX,
                        &actor->bulk,
                        NULL) == CNV_OK;
}

static size_t session_send(void *self,
                           enum cnv_channel channel,
                           const struct cnv_message *message,
                           struct cnv_blob *blob,
                           size_t offset,
                           size_t len)
{
    struct cnv_actor *actor = self;

    if (channel == CNV_DATA) {
        return actor->data == NULL ? 0 : cnv_link_send(actor->data, message, blob, offset, len);
    }
    if (message->kind == CNV_KIND_ATTACH) {
        actor->attach = *message;
    }
    return bulk_connect(actor) ? cnv_link_send(actor->bulk, message, blob, offset, len) : 0;
}

static void session_reconnect(void *self)
{
    struct cnv_actor *actor = self;

    /* Later: we may be called in the middle of one of these sockets. */
    actor->wants_reconnect = true;
}

const struct cnv_session_io cnv_network_io = { NULL, session_send, deliver, session_reconnect };

/* --- Connections -------------------------------------------------------------------------- */

void cnv_network_disconnect(struct cnv_actor *actor, int linger_ms)
{
    cnv_link_destroy(actor->bulk, 0);
    cnv_link_destroy(actor->data, linger_ms);
    actor->bulk = NULL;
    actor->data = NULL;
}

enum cnv_status cnv_network_connect(struct cnv_actor *actor, struct cnv_error *err)
{
    return cnv_link_new(
        actor->endpoint, actor->has_keys ? &actor->keys : NULL, DATA_FRAME_MAX, &actor->data, err);
}

static void end_session(struct cnv_actor *actor, enum cnv_status status, const char *text)
{
    struct cnv_event *event = cnv_event_new(CONVENE_LOST);

    cnv_network_disconnect(actor, CNV_LINGER_MS);
    cnv_session_destroy(actor->session);
    actor->session = NULL;
    if (event != NULL) {
        event->event.result = (convene_result) cnv_status_exit(status);
        cnv_event_set_text(event, text);
        deliver(actor, &event->event);
    }
}

static void reconnect(struct cnv_actor *actor)
{
    struct cnv_error err;

    actor->wants_reconnect = false;
    cnv_network_disconnect(actor, 0);
    atomic_store(&actor->link_state, CONVENE_LINK_WAITING);
    if (cnv_network_connect(actor, &err) != CNV_OK) {
        end_session(actor, err.status, err.text);
    }
}

static void watch_data(struct cnv_actor *actor)
{
    char why[CNV_ERROR_TEXT_SIZE];
    enum cnv_link_news news = cnv_link_watch(actor->data, now_ms(), why, sizeof(why));

    switch (news) {
    case CNV_LINK_UP:
        atomic_store(&actor->link_state, CONVENE_LINK_CONNECTED);
        cnv_session_connected(actor->session, now_ms());
        break;
    case CNV_LINK_DOWN:
    case CNV_LINK_ABSENT:
        atomic_store(&actor->link_state, CONVENE_LINK_WAITING);
        break;
    case CNV_LINK_REFUSED:
        end_session(actor, CNV_E_UNREACHABLE, why);
        break;
    case CNV_LINK_NOTHING:
        break;
    }
}

static void watch_bulk(struct cnv_actor *actor)
{
    char why[CNV_ERROR_TEXT_SIZE];
    enum cnv_link_news news = cnv_link_watch(actor->bulk, now_ms(), why, sizeof(why));

    if (news == CNV_LINK_UP) {
        (void) cnv_link_send(actor->bulk, &actor->attach, NULL, 0, 0);
        /* What the session could not send before goes now. */
        cnv_session_tick(actor->session, now_ms());
    } else if (news == CNV_LINK_REFUSED) {
        end_session(actor, CNV_E_UNREACHABLE, why);
    }
}

static void complain(struct cnv_link *link, enum cnv_status status)
{
    struct cnv_message answer = { .kind = CNV_KIND_ERROR };

    answer.error.code = (uint64_t) (-(int) status);
    (void) snprintf(answer.error.text, sizeof(answer.error.text), "%s", cnv_status_text(status));
    (void) cnv_link_send(link, &answer, NULL, 0, 0);
}

static void receive(struct cnv_actor *actor, enum cnv_channel channel)
{
    struct cnv_message message;
    struct cnv_blob *payload = NULL;
    enum cnv_status status = CNV_OK;

    for (unsigned i = 0; i < BATCH && actor->session != NULL; i++) {
        struct cnv_link *link = channel == CNV_DATA ? actor->data : actor->bulk;

        if (!cnv_link_receive(link, &message, &payload, &status)) {
            return;
        }
        if (status == CNV_OK) {
            cnv_session_receive(actor->session, now_ms(), channel, &message, payload);
        } else if (message.kind != CNV_KIND_ERROR) {
            complain(link, status);
        }
        cnv_blob_unref(payload);
    }
}

/* --- The thread --------------------------------------------------------------------------- */

static void close_session(struct cnv_actor *actor, const char *reason)
{
    actor->is_closed = true;
    if (actor->session != NULL && !cnv_session_is_over(actor->session)) {
        cnv_session_leave(actor->session, now_ms(), reason);
    }
    cnv_backlog_clear(&actor->backlog);
}

static void carry_out(struct cnv_actor *actor, struct cnv_command *command)
{
    struct cnv_session *session = actor->session;
    const void *argument = command->argument;

    command->status = CNV_OK;
    if (command->kind == CNV_COMMAND_CLOSE) {
        close_session(actor, argument);
    } else if (session == NULL || cnv_session_is_over(session)) {
        /* Dropped without a word: FINISHED or LOST is on its way. */
    } else if (command->kind == CNV_COMMAND_LOADED) {
        command->status = cnv_session_loaded(session, now_ms(), argument);
    } else if (command->kind == CNV_COMMAND_READY) {
        const struct cnv_msg_ready *ready = argument;

        command->status = cnv_session_ready(session, now_ms(), ready->dimension, ready->smoothness);
    } else if (command->kind == CNV_COMMAND_CONTRIBUTE) {
        command->status = cnv_session_contribute(session, now_ms(), argument, command->err);
    } else {
        command->status = cnv_session_report(session, now_ms(), argument);
    }
    (void) sem_post(&command->is_done);
}

/* False: the thread is to end. */
static bool serve_pipe(struct cnv_actor *actor)
{
    zframe_t *frame = zframe_recv(actor->pipe);
    bool goes_on = frame != NULL && !zframe_streq(frame, "$TERM");

    if (goes_on) {
        struct cnv_command *command = NULL;

        memcpy((void *) &command, zframe_data(frame), sizeof(command));
        carry_out(actor, command);
    }
    zframe_destroy(&frame);
    return goes_on;
}

static void tick(struct cnv_actor *actor)
{
    uint64_t now = now_ms();

    hand_over(actor);
    if (actor->session == NULL) {
        return;
    }
    if (actor->give_up_ms != 0 && now >= actor->give_up_ms) {
        char text[CNV_ENDPOINT_SIZE + 64];

        (void) snprintf(text, sizeof(text), "no server answers at %s", actor->endpoint);
        end_session(actor, CNV_E_UNREACHABLE, text);
        return;
    }
    if (atomic_load(&actor->is_interrupted)) {
        cnv_session_leave(actor->session, now, "interrupted");
        end_session(actor, CNV_OK, "interrupted");
        return;
    }
    if (now >= actor->tick_ms) {
        actor->tick_ms = now + TICK_MS;
        cnv_session_speed(actor->session, atomic_load(&actor->steps_per_second));
        cnv_session_tick(actor->session, now);
    }
}

/* Waits for anything to do; false: the thread is to end. */
static bool turn(struct cnv_actor *actor)
{
    zmq_pollitem_t items[5] = { { zsock_resolve(actor->pipe), 0, ZMQ_POLLIN, 0 } };
    int count = 1;

    if (actor->data != NULL) {
        items[1] = (zmq_pollitem_t){ cnv_link_monitor(actor->data), 0, ZMQ_POLLIN, 0 };
        items[2] = (zmq_pollitem_t){ cnv_link_socket(actor->data), 0, ZMQ_POLLIN, 0 };
        count = 3;
    }
    if (actor->bulk != NULL) {
        items[3] = (zmq_pollitem_t){ cnv_link_monitor(actor->bulk), 0, ZMQ_POLLIN, 0 };
        items[4] = (zmq_pollitem_t){ cnv_link_socket(actor->bulk), 0, ZMQ_POLLIN, 0 };
        count = 5;
    }
    if (zmq_poll(items, count, TICK_MS) < 0) {
        return errno == EINTR;
    }
    /* Each step may end the session and with it the sockets. */
    if (items[1].revents != 0 && actor->data != NULL) {
        watch_data(actor);
    }
    if (items[2].revents != 0 && actor->data != NULL) {
        receive(actor, CNV_DATA);
    }
    if (items[3].revents != 0 && actor->bulk != NULL) {
        watch_bulk(actor);
    }
    if (items[4].revents != 0 && actor->bulk != NULL) {
        receive(actor, CNV_BULK);
    }
    if (items[0].revents != 0 && !serve_pipe(actor)) {
        return false;
    }
    tick(actor);
    if (actor->session != NULL && cnv_session_is_over(actor->session)) {
        cnv_network_disconnect(actor, CNV_LINGER_MS);
        cnv_session_destroy(actor->session);
        actor->session = NULL;
    }
    if (actor->wants_reconnect && actor->session != NULL) {
        reconnect(actor);
    }
    return true;
}

void cnv_network_thread(zsock_t *pipe, void *argument)
{
    struct cnv_actor *actor = argument;

    actor->pipe = pipe;
    (void) zsock_signal(pipe, 0);
    while (turn(actor)) {
    }
    cnv_network_disconnect(actor, CNV_LINGER_MS);
    cnv_session_destroy(actor->session);
    actor->session = NULL;
    cnv_backlog_clear(&actor->backlog);
}
