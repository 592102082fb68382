/*
 * zsocket_watch.h - a ZeroMQ socket as a libuv handle that is readable.
 *
 * The socket's file descriptor only says "look again", once, and any call on the socket may use
 * that up; so the state is read anew before and after every wait (see zsocket_watch.c). Sending on
 * the socket from timers, jobs and other callbacks is fine; from a prepare callback it is not.
 */
#ifndef CNV_LOOP_ZSOCKET_WATCH_H
#define CNV_LOOP_ZSOCKET_WATCH_H

#include <uv.h>

#include "base/status.h"

enum {
    CNV_WATCH_MESSAGES = 32, /* at most so many messages of one socket in a turn of the loop, */
    CNV_WATCH_BUDGET_MS = 2, /* and no further one after so long */
};

struct cnv_watch;

/* Takes exactly one message off the socket; called while there is one. May close the watch. */
typedef void (*cnv_watch_fn)(void *self, void *socket);

/* Watches socket for messages. CNV_E_NOMEM, CNV_E_SYSTEM; then the socket is still the caller's. */
CNV_MUST_CHECK enum cnv_status cnv_watch_new(uv_loop_t *loop,
                                             void *socket,
                                             cnv_watch_fn on_message,
                                             void *self,
                                             struct cnv_watch **ret_watch,
                                             struct cnv_error *err);

/* Stops at once; closes the socket, then calls closed (may be NULL), in a later turn. NULL is fine,
 * and then closed is not called. */
void cnv_watch_close(struct cnv_watch *watch, void (*closed)(void *hint), void *hint);

#endif
