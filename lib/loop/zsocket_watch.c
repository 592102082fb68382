/*
 * zsocket_watch.c - four libuv handles make one ZeroMQ socket readable.
 *
 *   prepare  before the wait: are there messages? Then the idle handle makes the wait zero long.
 *   poll     on the socket's descriptor: wakes the loop, its callback does nothing.
 *   check    after the wait: reads the state again and hands out messages, up to a bound.
 *   idle     started by prepare, stopped by check.
 *
 * What is left when the bound is reached is seen by the next prepare: fair, and nothing is lost.
 * Draining in the poll callback instead hangs as soon as anything else touches the socket, because
 * the descriptor is edge-triggered (tests/unit/test_loop.c has the case). Timers run after check
 * and before the next prepare, so that what they send is covered too.
 */
#include "loop/zsocket_watch.h"

#include <stdbool.h>
#include <zmq.h>

#include "base/mem.h"

struct cnv_watch {
    void *socket;
    cnv_watch_fn on_message;
    void *self;
    bool is_closing;
    int open; /* handles whose close callback has not come yet */
    void (*closed)(void *hint);
    void *hint;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_poll_t poll;
};

static bool watch_is_readable(const struct cnv_watch *watch)
{
    int events = 0;
    size_t size = sizeof(events);

    return zmq_getsockopt(watch->socket, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

static void watch_on_idle(uv_idle_t *idle)
{
    (void) idle; /* its being active is its whole effect, but libuv wants a callback */
}

static void watch_on_poll(uv_poll_t *poll, int status, int events)
{
    (void) poll;
    (void) status;
    (void) events;
}

static void watch_on_prepare(uv_prepare_t *prepare)
{
    struct cnv_watch *watch = prepare->data;

    if (watch_is_readable(watch)) {
        (void) uv_idle_start(&watch->idle, watch_on_idle);
    }
}

static void watch_on_check(uv_check_t *check)
{
    struct cnv_watch *watch = check->data;
    const uint64_t end = uv_hrtime() + (uint64_t) CNV_WATCH_BUDGET_MS * 1000000;

    (void) uv_idle_stop(&watch->idle);
    for (int i = 0; i < CNV_WATCH_MESSAGES && !watch->is_closing && watch_is_readable(watch); i++) {
        watch->on_message(watch->self, watch->socket);
        if (uv_hrtime() >= end) {
            break;
        }
    }
}

static void watch_handle_closed(uv_handle_t *handle)
{
    struct cnv_watch *watch = handle->data;

    if (--watch->open > 0) {
        return;
    }
    void (*closed)(void *hint) = watch->closed;
    void *hint = watch->hint;
    if (watch->socket != NULL) {
        (void) zmq_close(watch->socket);
    }
    cnv_free(watch);
    if (closed != NULL) {
        closed(hint);
    }
}

enum cnv_status cnv_watch_new(uv_loop_t *loop,
                              void *socket,
                              cnv_watch_fn on_message,
                              void *self,
                              struct cnv_watch **ret_watch,
                              struct cnv_error *err)
{
    struct cnv_watch *watch = cnv_object_new(struct cnv_watch);
    int fd = -1;
    size_t size = sizeof(fd);

    if (watch == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "socket watch");
    }
    watch->on_message = on_message;
    watch->self = self;
    (void) uv_prepare_init(loop, &watch->prepare);
    (void) uv_check_init(loop, &watch->check);
    (void) uv_idle_init(loop, &watch->idle);
    watch->prepare.data = watch->check.data = watch->idle.data = watch->poll.data = watch;
    watch->open = 3;
    int failed = zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0
                     ? uv_poll_init(loop, &watch->poll, fd)
                     : UV_EINVAL;
    if (failed == 0) {
        watch->open = 4;
        failed = uv_poll_start(&watch->poll, UV_READABLE, watch_on_poll);
    }
    if (failed != 0) {
        cnv_watch_close(watch, NULL, NULL);
        return cnv_fail(err, CNV_E_SYSTEM, "cannot watch a socket: %s", uv_strerror(failed));
    }
    (void) uv_prepare_start(&watch->prepare, watch_on_prepare);
    (void) uv_check_start(&watch->check, watch_on_check);
    watch->socket = socket;
    *ret_watch = watch;
    return CNV_OK;
}

void cnv_watch_close(struct cnv_watch *watch, void (*closed)(void *hint), void *hint)
{
    if (watch == NULL || watch->is_closing) {
        return;
    }
    bool has_poll = watch->open == 4;
    watch->is_closing = true;
    watch->closed = closed;
    watch->hint = hint;
    uv_close((uv_handle_t *) &watch->prepare, watch_handle_closed);
    uv_close((uv_handle_t *) &watch->check, watch_handle_closed);
    uv_close((uv_handle_t *) &watch->idle, watch_handle_closed);
    if (has_poll) {
        uv_close((uv_handle_t *) &watch->poll, watch_handle_closed);
    }
}
