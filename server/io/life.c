/*
 * life.c - time and signals: how the daemon lives, and how it ends.
 *
 * Happy path of the end: SIGTERM (or the command drain) asks the engine to finish the round in
 * hand; the run ends; members get the last model, take their leave or close; the loop stops.
 * Otherwise: the round takes longer than limits/drain: it is given up. Members do not go: they are
 * left behind after a while. A second signal: now.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "io/internal.h"

/* How long members get to take their leave after a run that was told to end. */
enum { FAREWELL_MS = 1000 };

static bool members_are_gone(struct cnv_daemon *daemon)
{
    struct cnv_member_view member;

    for (size_t i = 0; cnv_engine_member(daemon->engine, cnv_daemon_now(daemon), i, &member); i++) {
        if (member.state != CNV_MEMBER_LEFT && member.state != CNV_MEMBER_LOST) {
            return false;
        }
    }
    return true;
}

/* Ends the loop once there is nothing left to wait for. */
static void life_check(struct cnv_daemon *daemon)
{
    const uint64_t now_ms = uv_now(&daemon->loop);
    const double drain_ms = 1000 * cnv_config_real(daemon->config, "limits/drain");
    struct cnv_engine_view view;

    cnv_engine_view(daemon->engine, &view);
    daemon->is_over = view.state == CNV_RUN_FINISHED || view.state == CNV_RUN_FAILED;
    if (daemon->is_over && daemon->over_ms == 0) {
        daemon->over_ms = now_ms;
        daemon->exit = view.state == CNV_RUN_FAILED ? CNV_EXIT_FAILED : CNV_EXIT_DONE;
    }
    if (!daemon->is_over) {
        if (daemon->is_leaving && (double) (now_ms - daemon->leave_ms) >= drain_ms) {
            cnv_engine_stop(daemon->engine, cnv_daemon_now(daemon), "limits/drain is over");
            cnv_daemon_settle(daemon);
        }
        return;
    }
    if (!daemon->is_leaving &&
        (daemon->next != NULL || cnv_config_boolean(daemon->config, "run/linger"))) {
        cnv_submit_tick(daemon);
        return;
    }
    /* Members that still fetch the last model are given the time, unless we were told to go. */
    const double farewell_ms = daemon->is_leaving ? FAREWELL_MS : drain_ms;
    bool is_late = (double) (now_ms - daemon->over_ms) >= farewell_ms;
    if ((is_late || members_are_gone(daemon)) && daemon->answers == 0 &&
        cnv_pool_outstanding(daemon->pool) == 0) {
        uv_stop(&daemon->loop);
    }
}

static void life_on_tick(uv_timer_t *timer)
{
    struct cnv_daemon *daemon = timer->data;

    (void) cnv_daemon_now(daemon);
    if (daemon->clock.absent_ms != daemon->clock.told_ms) {
        cnv_log(CNV_LOG_WARN,
                "stalled",
                "seconds=%.1f",
                (double) (daemon->clock.absent_ms - daemon->clock.told_ms) / 1000);
        daemon->clock.told_ms = daemon->clock.absent_ms;
    }
    cnv_listen_check_allow(daemon, false);
    if (daemon->probes > 0) {
        daemon->probes--;
        cnv_engine_probe(daemon->engine, cnv_daemon_now(daemon));
        cnv_daemon_settle(daemon);
    }
    cnv_engine_tick(daemon->engine, cnv_daemon_now(daemon));
    cnv_daemon_settle(daemon);
    cnv_model_tick(daemon);
    life_check(daemon);
}

void cnv_life_leave(struct cnv_daemon *daemon, bool is_now, const char *reason)
{
    if (!daemon->is_leaving) {
        daemon->is_leaving = true;
        daemon->leave_ms = uv_now(&daemon->loop);
    }
    if (is_now) {
        cnv_engine_stop(daemon->engine, cnv_daemon_now(daemon), reason);
    } else {
        cnv_engine_drain(daemon->engine, cnv_daemon_now(daemon), reason);
    }
    cnv_daemon_settle(daemon);
}

static void life_on_signal(uv_signal_t *handle, int number)
{
    enum { SAME_WISH_MS = 250 };
    struct cnv_daemon *daemon = handle->data;
    const char *name = number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGHUP";

    cnv_log(CNV_LOG_INFO, "signal", "name=%s", name);
    if (number == SIGHUP) {
        cnv_listen_check_allow(daemon, true);
    } else {
        /* Whoever ends a group of processes may send two at once: that is one wish. */
        bool is_now =
            daemon->is_leaving && uv_now(&daemon->loop) - daemon->leave_ms >= SAME_WISH_MS;

        cnv_life_leave(daemon, is_now, name);
    }
}

/* The time between two waits: how long the loop kept everybody waiting. */
static void turn_on_prepare(uv_prepare_t *prepare)
{
    struct cnv_turn_meter *turn = prepare->data;
    const uint64_t now_ns = uv_hrtime();
    const uint64_t idle_ns = uv_metrics_idle_time(prepare->loop);
    const uint64_t busy_ns = now_ns - turn->last_ns - (idle_ns - turn->last_idle_ns);

    if (turn->last_ns != 0 && busy_ns > turn->max_ns) {
        turn->max_ns = busy_ns;
    }
    turn->last_ns = now_ns;
    turn->last_idle_ns = idle_ns;
}

static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

enum cnv_status cnv_life_start(struct cnv_daemon *daemon, struct cnv_error *err)
{
    (void) uv_timer_init(&daemon->loop, &daemon->tick);
    daemon->tick.data = daemon;
    (void) uv_prepare_init(&daemon->loop, &daemon->turn.prepare);
    daemon->turn.prepare.data = &daemon->turn;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void) uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
    }
    daemon->is_alive = true;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        int failed = uv_signal_start(&daemon->signals[i], life_on_signal, numbers[i]);

        if (failed != 0) {
            return cnv_fail(err, CNV_E_SYSTEM, "signal %d: %s", numbers[i], uv_strerror(failed));
        }
    }
    (void) uv_prepare_start(&daemon->turn.prepare, turn_on_prepare);
    (void) uv_timer_start(&daemon->tick, life_on_tick, CNV_TICK_MS, CNV_TICK_MS);
    return CNV_OK;
}

void cnv_life_stop_handles(struct cnv_daemon *daemon)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t all;
    sigset_t before;

    if (!daemon->is_alive) {
        return;
    }
    uv_close((uv_handle_t *) &daemon->tick, NULL);
    uv_close((uv_handle_t *) &daemon->turn.prepare, NULL);
    /* libuv gives a signal its default action back, which would make an end in order one by signal.
     * No other thread takes any: what comes meanwhile is held, and dropped when it is ignored. */
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, &before);
    for (size_t i = 0; i < sizeof(daemon->signals) / sizeof(daemon->signals[0]); i++) {
        uv_close((uv_handle_t *) &daemon->signals[i], NULL);
        (void) sigaction(numbers[i], &ignore, NULL);
    }
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    daemon->is_alive = false;
}
