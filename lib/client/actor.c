/*
 * actor.c - the caller's side of the network thread: starting, commands, events, the end.
 *
 * A command lies on the caller's stack while the network thread carries it out; the semaphore in it
 * says when that is done.
 */
#include "client/actor.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "client/network.h"

/* --- The end of the process ----------------------------------------------------------------- */

/* A program may exit without leaving. CZMQ would then close our sockets under our threads, so the
 * threads are ended first. */
static struct cnv_actor *living;
static pthread_mutex_t living_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t living_once = PTHREAD_ONCE_INIT;

static void end_living(void)
{
    (void) pthread_mutex_lock(&living_lock);
    for (struct cnv_actor *actor = living; actor != NULL; actor = actor->next) {
        zactor_destroy(&actor->thread);
    }
    (void) pthread_mutex_unlock(&living_lock);
}

static void register_end(void)
{
    /* Signals are the application's business, not CZMQ's. */
    zsys_handler_set(NULL);
    /* What is registered later runs earlier: CZMQ registers its own end here. */
    (void) zsys_init();
    (void) atexit(end_living);
}

static void living_add(struct cnv_actor *actor)
{
    (void) pthread_mutex_lock(&living_lock);
    actor->next = living;
    living = actor;
    (void) pthread_mutex_unlock(&living_lock);
}

static void living_remove(const struct cnv_actor *actor)
{
    (void) pthread_mutex_lock(&living_lock);
    for (struct cnv_actor **at = &living; *at != NULL; at = &(*at)->next) {
        if (*at == actor) {
            *at = actor->next;
            break;
        }
    }
    (void) pthread_mutex_unlock(&living_lock);
}

/* --- The caller's side -------------------------------------------------------------------- */

enum cnv_status cnv_actor_new(const struct cnv_actor_setup *setup,
                              struct cnv_actor **ret_actor,
                              struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    struct cnv_actor *actor = cnv_object_new(struct cnv_actor);
    struct cnv_session_io io = cnv_network_io;

    if (actor == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "client %.80s", setup->session.name);
    }
    (void) pthread_once(&living_once, register_end);
    (void) snprintf(actor->endpoint, sizeof(actor->endpoint), "%s", setup->endpoint);
    actor->has_keys = setup->keys != NULL;
    if (setup->keys != NULL) {
        actor->keys = *setup->keys;
    }
    if (setup->patience_ms >= 0) {
        actor->give_up_ms = (uint64_t) zclock_mono() + (uint64_t) setup->patience_ms + 1;
    }
    io.self = actor;
    status = cnv_session_new(&setup->session, &io, (uint64_t) zclock_mono(), &actor->session, err);
    if (status != CNV_OK) {
        goto fail;
    }
    status = cnv_network_connect(actor, err);
    if (status != CNV_OK) {
        goto fail;
    }
    actor->thread = zactor_new(cnv_network_thread, actor);
    if (actor->thread == NULL) {
        status = cnv_fail(err, CNV_E_SYSTEM, "no network thread");
        goto fail;
    }
    living_add(actor);
    *ret_actor = actor;
    return CNV_OK;

fail:
    cnv_actor_destroy(actor, "");
    return status;
}

enum cnv_status cnv_actor_command(struct cnv_actor *actor,
                                  enum cnv_command_kind kind,
                                  const void *argument,
                                  struct cnv_error *err)
{
    struct cnv_command command = { .kind = kind, .argument = argument, .err = err };
    struct cnv_command *sent = &command;

    if (sem_init(&command.is_done, 0, 0) != 0) {
        return cnv_fail(err, CNV_E_SYSTEM, "no semaphore");
    }
    if (zmq_send(zsock_resolve(actor->thread), (void *) &sent, sizeof(sent), 0) < 0) {
        (void) sem_destroy(&command.is_done);
        return cnv_fail(err, CNV_E_SYSTEM, "the network thread is gone");
    }
    while (sem_wait(&command.is_done) != 0) {
        /* A signal came in between: the answer is still on its way. */
    }
    (void) sem_destroy(&command.is_done);
    return command.status;
}

convene_event *cnv_actor_wait(struct cnv_actor *actor, int64_t timeout_ms)
{
    void *pipe = zsock_resolve(actor->thread);
    uint64_t until = (uint64_t) zclock_mono() + (timeout_ms > 0 ? (uint64_t) timeout_ms : 0);
    convene_event *event = NULL;

    while (zmq_recv(pipe, (void *) &event, sizeof(event), ZMQ_DONTWAIT) < 0) {
        zmq_pollitem_t item = { pipe, 0, ZMQ_POLLIN, 0 };
        uint64_t now = (uint64_t) zclock_mono();

        if (timeout_ms >= 0 && now >= until) {
            return NULL;
        }
        (void) zmq_poll(&item, 1, timeout_ms < 0 ? -1 : (long) (until - now));
    }
    atomic_fetch_add(&actor->fetched, 1);
    return event;
}

void cnv_actor_destroy(struct cnv_actor *actor, const char *reason)
{
    convene_event *event = NULL;

    if (actor == NULL) {
        return;
    }
    living_remove(actor);
    if (actor->thread != NULL) {
        if (cnv_actor_command(actor, CNV_COMMAND_CLOSE, reason, NULL) == CNV_OK) {
            while ((event = cnv_actor_wait(actor, 0)) != NULL) {
                convene_event_release(event);
            }
        }
        zactor_destroy(&actor->thread);
    }
    cnv_network_disconnect(actor, 0);
    cnv_session_destroy(actor->session);
    cnv_free(actor);
}

void cnv_actor_interrupt(struct cnv_actor *actor)
{
    atomic_store(&actor->is_interrupted, true);
}

void cnv_actor_speed(struct cnv_actor *actor, double steps_per_second)
{
    atomic_store(&actor->steps_per_second, steps_per_second);
}

convene_link cnv_actor_link(const struct cnv_actor *actor)
{
    return (convene_link) atomic_load(&actor->link_state);
}
