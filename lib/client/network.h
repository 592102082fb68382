/*
 * network.h - what the two threads of an actor share, for actor.c and network.c alone.
 *
 * Invariants: sockets and session belong to the network thread; what both threads touch is atomic
 * or handed over with a semaphore or the pipe.
 */
#ifndef CNV_CLIENT_NETWORK_H
#define CNV_CLIENT_NETWORK_H

#include <czmq.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "client/actor.h"
#include "client/backlog.h"
#include "client/link.h"

enum { CNV_LINGER_MS = 500 /* for the goodbye to leave */ };

struct cnv_command {
    enum cnv_command_kind kind;
    const void *argument;
    enum cnv_status status;
    struct cnv_error *err;
    sem_t is_done;
};

struct cnv_actor {
    struct cnv_actor *next; /* in the list of those that live */
    /* Both threads. */
    zactor_t *thread;
    atomic_bool is_interrupted;
    atomic_size_t fetched;
    atomic_int link_state;
    _Atomic double steps_per_second;
    /* The network thread alone, once it runs. */
    zsock_t *pipe;
    char endpoint[CNV_ENDPOINT_SIZE];
    struct cnv_joinfile keys;
    bool has_keys;
    uint64_t give_up_ms; /* when the server must have answered; 0: any time */
    struct cnv_session *session;
    struct cnv_link *data;
    struct cnv_link *bulk;
    struct cnv_message attach; /* the bulk socket's first message on every connection */
    bool wants_reconnect;
    struct cnv_backlog backlog;
    size_t handed;
    bool is_closed; /* the application has gone: nothing is handed over any more */
    uint64_t tick_ms;
};

/* What the session asks for: its io, whose self is the actor. */
extern const struct cnv_session_io cnv_network_io;

/* Connects the data socket; before the thread runs, and in it. */
CNV_MUST_CHECK enum cnv_status cnv_network_connect(struct cnv_actor *actor, struct cnv_error *err);
void cnv_network_disconnect(struct cnv_actor *actor, int linger_ms);

/* The thread's body: a zactor_fn whose argument is the actor. */
void cnv_network_thread(zsock_t *pipe, void *argument);

#endif
