/*
 * run.c - the life of the run: its states, the stop rules, and the goodbye.
 *
 *   WAITING ──agents ready──► RUNNING ──stop rule──► FINISHED
 *      ▲ ◄──none left──────────┘ │ │
 *      │                         │ └─three empty rounds, no memory──► FAILED
 *      └──(drain, from either)──►DRAINING ──round committed or time is up──► FINISHED
 *
 * Happy path: a stop rule holds after a commit ► one more round asks for the loss of the final
 * model ► FINISHED ► everyone is told, those who still receive the final model when they have it.
 * What can fail: nobody is left for the last loss (it stays unknown); a drain takes too long (the
 * round in hand is given up); finish is lost (any beat brings it again).
 * Invariant: FINISHED and FAILED are final.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static const struct {
    enum cnv_run_state from;
    enum cnv_run_state to;
} run_moves[] = {
    { CNV_RUN_WAITING, CNV_RUN_RUNNING },   { CNV_RUN_RUNNING, CNV_RUN_WAITING },
    { CNV_RUN_WAITING, CNV_RUN_DRAINING },  { CNV_RUN_RUNNING, CNV_RUN_DRAINING },
    { CNV_RUN_WAITING, CNV_RUN_FINISHED },  { CNV_RUN_RUNNING, CNV_RUN_FINISHED },
    { CNV_RUN_DRAINING, CNV_RUN_FINISHED }, { CNV_RUN_WAITING, CNV_RUN_FAILED },
    { CNV_RUN_RUNNING, CNV_RUN_FAILED },    { CNV_RUN_DRAINING, CNV_RUN_FAILED },
};

void cnv_run_move(struct cnv_engine *engine, enum cnv_run_state state, const char *reason)
{
    bool is_allowed = false;

    for (size_t i = 0; i < sizeof(run_moves) / sizeof(run_moves[0]); i++) {
        is_allowed |= run_moves[i].from == engine->state && run_moves[i].to == state;
    }
    assert(is_allowed);
    engine->state = state;
    if (reason != engine->reason) {
        (void) snprintf(engine->reason, sizeof(engine->reason), "%s", reason);
    }
    cnv_note(engine, CNV_NOTE_STATE, NULL, CNV_OK, engine->reason);
}

bool cnv_run_is_over(const struct cnv_engine *engine)
{
    return engine->state == CNV_RUN_FINISHED || engine->state == CNV_RUN_FAILED;
}

double cnv_run_seconds(const struct cnv_engine *engine)
{
    uint64_t until = cnv_run_is_over(engine) ? engine->end_ms : engine->now_ms;

    return engine->is_started ? (double) (until - engine->start_ms) / 1000.0 : 0.0;
}

void cnv_run_dismiss(struct cnv_engine *engine, struct cnv_member *member)
{
    bool is_receiving = engine->model != NULL && member->download.parcel == engine->model;

    if (member->peer == 0 ||
        (is_receiving && engine->now_ms - engine->end_ms < engine->settings.drain_ms)) {
        return;
    }
    cnv_outbox_clear(member);
    cnv_post_finish(engine, member);
}

void cnv_run_end(struct cnv_engine *engine, enum cnv_run_state state, const char *reason)
{
    if (cnv_run_is_over(engine)) {
        return;
    }
    engine->end_ms = engine->now_ms;
    cnv_async_forget(engine);
    cnv_round_abandon(engine);
    cnv_run_move(engine, state, reason);
    for (size_t i = 0; i < engine->member_count; i++) {
        cnv_run_dismiss(engine, engine->members[i]);
    }
}

/* The first stop rule that holds, in words, into engine->ending. */
void cnv_run_check_stop(struct cnv_engine *engine)
{
    const struct cnv_settings *settings = &engine->settings;
    const struct cnv_round *round = &engine->round;
    uint64_t bytes = engine->bytes_up + engine->bytes_down;
    double rms = round->gradient_norm / sqrt((double) engine->dimension);
    char *text = engine->ending;
    size_t size = sizeof(engine->ending);

    if (text[0] != '\0') {
        return;
    }
    if (engine->state == CNV_RUN_DRAINING) {
        (void) snprintf(text, size, "%s", engine->reason);
    } else if (engine->decision.stop) {
        (void) snprintf(text, size, "policy stopped: %.120s", engine->decision.reason);
    } else if (settings->stop_loss > -INFINITY && round->loss <= settings->stop_loss) {
        (void) snprintf(text,
                        size,
                        "stop/loss=%g reached: loss %.9g before round %" PRIu64,
                        settings->stop_loss,
                        round->loss,
                        round->number);
    } else if (settings->stop_gradient > 0 && round->gradient_norm <= settings->stop_gradient) {
        (void) snprintf(text,
                        size,
                        "stop/gradient=%g reached: norm %.3g before round %" PRIu64,
                        settings->stop_gradient,
                        round->gradient_norm,
                        round->number);
    } else if (settings->stop_gradient_rms > 0 && rms <= settings->stop_gradient_rms) {
        (void) snprintf(text,
                        size,
                        "stop/gradient-rms=%g reached: %.3g before round %" PRIu64,
                        settings->stop_gradient_rms,
                        rms,
                        round->number);
    } else if (settings->stop_bytes > 0 && bytes >= settings->stop_bytes) {
        (void) snprintf(text,
                        size,
                        "stop/bytes=%" PRIu64 " reached: %" PRIu64 " bytes",
                        settings->stop_bytes,
                        bytes);
    } else if (settings->rounds > 0 && engine->version >= settings->rounds) {
        (void) snprintf(text, size, "run/rounds=%" PRIu64 " reached", settings->rounds);
    } else if (settings->iterations > 0 && engine->iteration >= settings->iterations) {
        (void) snprintf(text, size, "run/iterations=%" PRIu64 " reached", settings->iterations);
    } else if (settings->seconds > 0 && cnv_run_seconds(engine) >= settings->seconds) {
        (void) snprintf(text, size, "run/seconds=%g reached", settings->seconds);
    }
}

void cnv_engine_announce_next(struct cnv_engine *engine)
{
    engine->has_next = true;
}

bool cnv_engine_is_done(const struct cnv_engine *engine)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->peer != 0 && member->download.parcel != NULL) {
            return false;
        }
    }
    return cnv_run_is_over(engine);
}
