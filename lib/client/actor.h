/*
 * actor.h - the network thread of a client: owns sockets, session and timers.
 *
 * The caller's thread hands it commands and waits for each to be carried out (the network thread
 * never computes for long); events come back through the actor's pipe. Whatever the caller's
 * thread does in between, the server hears our beats.
 */
#ifndef CNV_CLIENT_ACTOR_H
#define CNV_CLIENT_ACTOR_H

#include <stdint.h>

#include "base/status.h"
#include "client/convene.h"
#include "client/joinfile.h"
#include "client/session.h"

struct cnv_actor;

struct cnv_actor_setup {
    const char *endpoint;
    const struct cnv_joinfile *keys; /* NULL: without CURVE */
    struct cnv_session_setup session;
    int64_t
        patience_ms; /* without a word from the server for so long at the start: LOST; -1: never */
};

enum cnv_command_kind {
    CNV_COMMAND_LOADED,     /* argument: const convene_data * */
    CNV_COMMAND_READY,      /* const uint64_t * */
    CNV_COMMAND_CONTRIBUTE, /* const convene_contribution * */
    CNV_COMMAND_REPORT,     /* const convene_score * */
    CNV_COMMAND_CLOSE,      /* const char *: says goodbye, and no event comes any more */
};

/* Everything in setup is borrowed for the call. */
CNV_MUST_CHECK enum cnv_status cnv_actor_new(const struct cnv_actor_setup *setup,
                                             struct cnv_actor **ret_actor,
                                             struct cnv_error *err);

/* Says goodbye and ends the thread; events that were not fetched are released. NULL is fine. */
void cnv_actor_destroy(struct cnv_actor *actor, const char *reason);

/* Has the network thread carry out the command, and gives what the session answered. argument is
 * borrowed for the call. */
CNV_MUST_CHECK enum cnv_status cnv_actor_command(struct cnv_actor *actor,
                                                 enum cnv_command_kind kind,
                                                 const void *argument,
                                                 struct cnv_error *err);

/* The next event, NULL when none came within timeout_ms (-1: forever). */
convene_event *cnv_actor_wait(struct cnv_actor *actor, int64_t timeout_ms);

/* Any thread, and signal handlers too. */
void cnv_actor_interrupt(struct cnv_actor *actor);

void cnv_actor_speed(struct cnv_actor *actor, double steps_per_second);
convene_link cnv_actor_link(const struct cnv_actor *actor);

#endif
