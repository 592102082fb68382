/*
 * recv_beat.c - where a member is; whatever it lacks is sent again. This repairs every loss.
 *
 * Happy path: the beat shows a member that is up to date, and nothing is sent.
 * What may have been lost, and what the beat brings back: the shape, the newest commit, the
 * announce of the round (or of its new attempt), the result of the exchange that settled last, the
 * end of the run. The agent repeats on its own what we may have lost: loaded, ready, offers.
 * Invariant: the same thing is not sent twice within half a heartbeat, so that a beat that crossed
 * a commit on its way does not cost a second model.
 */
#include <string.h>

#include "internal.h"

bool cnv_is_due(const struct cnv_engine *engine, uint64_t sent_ms)
{
    return sent_ms == 0 || engine->now_ms - sent_ms >= engine->settings.heartbeat_ms / 2;
}

static bool lacks_model(const struct cnv_engine *engine, const struct cnv_member *member)
{
    return engine->model != NULL && member->is_ready &&
           (!member->has_model || member->version < engine->version);
}

static bool lacks_announce(const struct cnv_engine *engine, const struct cnv_member *member)
{
    const struct cnv_round *round = &engine->round;

    return (round->phase == CNV_PHASE_COLLECTING || round->phase == CNV_PHASE_PULLING) &&
           member->in_round && member->is_ready && member->refusal == CNV_OK &&
           (member->at_round < round->number ||
            (member->at_round == round->number && member->at_attempt < round->announced));
}

static bool lacks_settled(const struct cnv_engine *engine, const struct cnv_member *member)
{
    const struct cnv_round *round = &engine->round;

    return (round->phase == CNV_PHASE_COLLECTING || round->phase == CNV_PHASE_PULLING) &&
           member->in_round && member->refusal == CNV_OK && round->last.is_here &&
           member->at_round == round->number && member->at_attempt >= round->announced &&
           member->at_exchange <= round->last.exchange && !member->offer.is_here;
}

void cnv_catch_up(struct cnv_engine *engine, struct cnv_member *member)
{
    if (cnv_run_is_over(engine)) {
        if (lacks_model(engine, member) && cnv_is_due(engine, member->commit_ms)) {
            cnv_outbox_commit(engine, member);
        }
        cnv_run_dismiss(engine, member);
        return;
    }
    if (cnv_async_keeps(engine, member)) {
        cnv_async_catch_up(engine, member);
        return;
    }
    if (lacks_model(engine, member) && cnv_is_due(engine, member->commit_ms)) {
        cnv_outbox_commit(engine, member);
    }
    if (lacks_announce(engine, member)) {
        if (cnv_is_due(engine, member->announce_ms)) {
            cnv_post_announce(engine, member);
        }
    } else if (lacks_settled(engine, member) && cnv_is_due(engine, member->settled_ms)) {
        cnv_outbox_settled(engine, member);
    }
}

/* Joining: which of its messages or ours got lost. */
static void beat_while_joining(struct cnv_engine *engine,
                               struct cnv_member *member,
                               const struct cnv_msg_beat *beat)
{
    if (strcmp(beat->state, "loading") == 0) {
        return;
    }
    if (!member->is_loaded) {
        cnv_post_welcome(engine, member);
    } else if (engine->has_shape) {
        cnv_post_shape(engine, member);
    }
}

void cnv_recv_beat(struct cnv_engine *engine,
                   struct cnv_member *member,
                   const struct cnv_msg_beat *beat)
{
    if (beat->run != engine->run) {
        return; /* from a session with an older server: its hello is on its way */
    }
    member->steps_per_second = beat->steps_per_second;
    if (member->is_follower || member->is_ready) {
        member->version = beat->version;
        member->at_round = beat->round;
        member->at_attempt = beat->attempt;
        member->at_exchange = beat->exchange;
        /* Version 0 may mean none: who works on a round has one. */
        member->has_model = beat->version > 0 || beat->round > 0;
        cnv_catch_up(engine, member);
    } else if (cnv_run_is_over(engine)) {
        cnv_post_finish(engine, member);
    } else {
        beat_while_joining(engine, member, beat);
    }
}
