/*
 * round.c - what lies between two commits: announce, offers, freeze, attempts, restarts.
 *
 *            members are there            all offers in              merged
 *   IDLE ─────────────────────► COLLECTING ──────────► PULLING ─┬─► COLLECTING (next exchange)
 *    ▲                            ▲    ▲                 │      └─► COMMITTING ──durable──► IDLE
 *    │ nobody left                │    └─ retry ─────────┤
 *    └────────────────────────────┴────── restart ───────┘
 *
 * Happy path: announce to all members; each offers; the set is frozen and merged; the exchange
 * settles; after the last one the model is committed.
 * What can fail:
 *   a member is lost           the round waits for it until its grace is over, then goes on without
 *                              it: in exchange 0 by a retry (the others' vectors are pulled again
 *                              under a higher attempt), later by a restart (announced anew)
 *   its offer was whole        it counts; nobody waits
 *   a new process comes back   it gets the announce of the round in hand; after exchange 0 has
 *                              settled the round restarts with it
 *   a contribution is refused  the same as a loss, but the member waits for the commit
 *   nothing valid is left      the round restarts with all; the third time in a row fails the run
 *   nobody is left             the run waits; who comes back opens the round under a higher attempt
 * Invariants: attempts grow; a contribution is in at most one settled attempt; late results of an
 * older attempt change nothing.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/smoothness.h"
#include "internal.h"

bool cnv_round_is_awaiting(const struct cnv_engine *engine, const struct cnv_member *member)
{
    bool is_asked = member->in_round && member->refusal == CNV_OK;

    switch (engine->round.phase) {
    case CNV_PHASE_IDLE:
        return !engine->is_started && member->state == CNV_MEMBER_JOINING;
    case CNV_PHASE_COLLECTING:
        return is_asked && !member->offer.is_here;
    case CNV_PHASE_PULLING:
        return is_asked && !cnv_offer_is_whole(&member->offer);
    case CNV_PHASE_COMMITTING:
        return false;
    }
    return false;
}

const char *cnv_round_exchange(const struct cnv_round *round)
{
    return round->place < round->plan.count ? round->plan.names[round->place] : "";
}

bool cnv_round_is_at(const struct cnv_round *round, const char *exchange)
{
    return strcmp(cnv_round_exchange(round), exchange) == 0;
}

bool cnv_round_has_frozen(const struct cnv_round *round, const struct cnv_member *member)
{
    for (size_t i = 0; i < round->frozen_count; i++) {
        if (round->frozen[i] == member) {
            return true;
        }
    }
    return false;
}

/* A contribution that was to be merged will not come: the others' have to be pulled again. */
static void round_miss(struct cnv_round *round, const struct cnv_member *member)
{
    round->must_restart |= round->exchange > 0;
    round->must_retry |= round->phase == CNV_PHASE_PULLING && cnv_round_has_frozen(round, member);
}

static size_t round_size(const struct cnv_engine *engine)
{
    size_t count = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        count += engine->members[i]->in_round;
    }
    return count;
}

/* What was settled in the round, and what is merged of the next exchange, is void. */
static void round_clear_exchanges(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    cnv_merge_abandon(engine);
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        member->settled_ms = 0;
        if (cnv_async_keeps(engine, member)) {
            continue;
        }
        cnv_offer_clear(&member->offer);
        if (member->download.parcel != engine->model) {
            cnv_outbox_clear(member); /* nor is an older model pinned by who stopped reading */
        }
    }
    cnv_result_clear(&round->last);
    cnv_parcel_unref(round->reference);
    round->reference = NULL;
    cnv_free(round->frozen);
    cnv_free(round->weights);
    cnv_free(round->scales);
    cnv_free(round->evaluators);
    round->frozen = NULL;
    round->weights = NULL;
    round->scales = NULL;
    round->evaluators = NULL;
    round->frozen_count = 0;
    round->evaluator_count = 0;
    round->exchange = 0;
    round->place = 0;
    round->must_restart = false;
    round->must_retry = false;
    round->loss = NAN;
    round->gradient_norm = NAN;
    round->variance = NAN;
    round->estimate = NAN;
}

void cnv_round_abandon(struct cnv_engine *engine)
{
    round_clear_exchanges(engine);
    cnv_parcel_unref(engine->round.model);
    engine->round.model = NULL;
    for (size_t i = 0; i < engine->member_count; i++) {
        engine->members[i]->in_round = false;
        engine->members[i]->refusal = CNV_OK;
    }
    engine->round.phase = CNV_PHASE_IDLE;
}

static void round_announce(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    round->attempt++;
    round->announced = round->attempt;
    round->announced_ms = engine->now_ms;
    round->steps = cnv_exchange_steps(round);
    round->phase = CNV_PHASE_COLLECTING;
    if (cnv_async_is_on(engine)) {
        cnv_async_assign(engine);
        return;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        cnv_pace_ask(engine, member);
        if (member->in_round && member->refusal == CNV_OK && member->is_ready) {
            cnv_post_announce(engine, member);
        }
    }
}

static void round_note_restart(struct cnv_engine *engine, const char *how)
{
    char text[CNV_WHY_SIZE + 64];

    (void) snprintf(text,
                    sizeof(text),
                    "attempt %" PRIu64 " of exchange %" PRIu32 " %s: %s",
                    engine->round.attempt,
                    engine->round.exchange,
                    how,
                    engine->round.because);
    cnv_note(engine, CNV_NOTE_RESTARTED, NULL, CNV_OK, text);
}

static void round_restart(struct cnv_engine *engine)
{
    round_note_restart(engine, "is given up, the round restarts");
    round_clear_exchanges(engine);
    round_announce(engine);
}

static void round_retry(struct cnv_engine *engine)
{
    round_note_restart(engine, "is pulled again");
    cnv_merge_abandon(engine);
    for (size_t i = 0; i < engine->member_count; i++) {
        cnv_offer_forget_pull(&engine->members[i]->offer);
    }
    engine->round.must_retry = false;
    engine->round.attempt++;
    engine->round.phase = CNV_PHASE_COLLECTING;
}

void cnv_round_forget(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_round *round = &engine->round;

    if (!member->in_round || round->phase == CNV_PHASE_COMMITTING ||
        cnv_offer_is_whole(&member->offer)) {
        return;
    }
    member->in_round = false;
    cnv_offer_clear(&member->offer);
    if (member->refusal != CNV_OK) {
        return;
    }
    round_miss(round, member);
    (void) snprintf(round->because,
                    sizeof(round->because),
                    "%s is %s",
                    member->name,
                    member->state == CNV_MEMBER_LEFT ? "gone" : "lost");
}

void cnv_round_refuse(struct cnv_engine *engine,
                      struct cnv_member *member,
                      enum cnv_status status,
                      const char *text)
{
    struct cnv_round *round = &engine->round;

    member->refusal = status;
    member->refused++;
    cnv_async_drop(member);
    cnv_offer_clear(&member->offer);
    round_miss(round, member);
    (void) snprintf(round->because, sizeof(round->because), "%.150s", text);
    cnv_note(engine, CNV_NOTE_REFUSED, member, status, text);
    cnv_post_error(engine, member, status, round->number, text);
}

/* Why no contribution was valid: "all 4 updates not finite: a smaller solver/step or a larger
 * problem/l2 may help". */
static void round_explain_empty(const struct cnv_engine *engine, char *text, size_t size)
{
    size_t refused = 0;
    size_t not_finite = 0;
    const struct cnv_member *first = NULL;

    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->in_round && member->refusal != CNV_OK) {
            first = first == NULL ? member : first;
            refused++;
            not_finite += member->refusal == CNV_E_NOT_FINITE;
        }
    }
    if (first == NULL) {
        (void) snprintf(text, size, "no contribution");
    } else if (not_finite == refused) {
        (void) snprintf(
            text,
            size,
            "all %zu updates not finite: a smaller solver/step or a larger problem/l2 may help",
            refused);
    } else {
        (void) snprintf(text,
                        size,
                        "none of %zu updates is valid, the one of %s because: %s",
                        refused,
                        first->name,
                        cnv_status_text(first->refusal));
    }
}

void cnv_round_empty(struct cnv_engine *engine, const char *text)
{
    struct cnv_round *round = &engine->round;
    char why[CNV_WHY_SIZE];

    if (text == NULL) {
        round_explain_empty(engine, why, sizeof(why));
    } else {
        (void) snprintf(why, sizeof(why), "%s", text);
    }
    if (round->is_evaluation) {
        cnv_run_end(engine, CNV_RUN_FINISHED, engine->ending);
        return;
    }
    if (++round->empty >= CNV_EMPTY_MAX) {
        cnv_run_end(engine, CNV_RUN_FAILED, why);
        return;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        engine->members[i]->refusal = CNV_OK;
    }
    memcpy(round->because, why, sizeof(round->because));
    round_restart(engine);
}

/* A member that is away keeps its place as long as its grace lasts. */
static bool round_waits_for(const struct cnv_engine *engine, const struct cnv_member *member)
{
    return !member->is_follower && member->was_ready &&
           (member->state == CNV_MEMBER_LOST || member->state == CNV_MEMBER_JOINING) &&
           engine->now_ms < member->grace_ms;
}

/* A plug-in's plan is in the agents' shared object: the server takes it from solver/plan. */
static const char *round_plan(const struct cnv_engine *engine)
{
    const char *solver = engine->round.decision.solver;
    const char *plan = cnv_config_text(engine->config, "solver/plan");
    bool is_configured = strcmp(solver, cnv_config_text(engine->config, "solver/kind")) == 0;

    if (engine->round.decision.check_every > 0) {
        return CNV_PLAN_MONITOR;
    }
    if (engine->width.kept > 1) {
        return "model"; /* what other exchanges would settle lies beside it */
    }
    return is_configured && plan[0] != '\0' ? plan : cnv_plan_of_solver(solver);
}

static void round_begin(struct cnv_engine *engine, bool is_evaluation)
{
    struct cnv_round *round = &engine->round;
    const char *plan = NULL;

    if (!engine->has_decision) {
        cnv_commit_decide(engine);
    }
    if (round->number != engine->version + 1) {
        round->number = engine->version + 1;
        round->attempt = engine->settings.is_async ? round->attempt : 0;
        round->empty = 0;
    }
    if (is_evaluation) {
        cnv_async_forget(engine);
    }
    round->is_evaluation = is_evaluation; /* where it is one, no offer of before is kept */
    round_clear_exchanges(engine);
    round->decision = engine->decision;
    round->decision.evaluate &= !cnv_async_is_on(engine); /* there is no one model to evaluate */
    plan = is_evaluation ? CNV_PLAN_EVALUATE : round_plan(engine);
    (void) snprintf(round->plan_text, sizeof(round->plan_text), "%s", plan);
    if (!cnv_plan_parse(plan, &round->plan)) {
        cnv_run_end(engine, CNV_RUN_FAILED, "the plan of the solver is not known");
        return;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        member->refusal = CNV_OK;
        member->pace.waits_ms = 0;
        member->in_round = (member->state == CNV_MEMBER_READY && !member->is_follower) ||
                           round_waits_for(engine, member);
        if (engine->settings.is_async && is_evaluation && member->state == CNV_MEMBER_READY &&
            member->told_version != engine->version) {
            cnv_outbox_commit(engine, member);
        }
    }
    cnv_balance_round(engine);
    round_announce(engine);
}

static bool round_open_first(struct cnv_engine *engine, size_t ready)
{
    char text[CNV_WHY_SIZE];

    if (ready < engine->settings.agents) {
        (void) snprintf(engine->reason,
                        sizeof(engine->reason),
                        "waiting for %zu of %zu agents",
                        engine->settings.agents - ready,
                        engine->settings.agents);
        return false;
    }
    if (!cnv_smoothness_fix(engine)) {
        cnv_run_end(engine, CNV_RUN_FAILED, "out of memory for the first round");
        return false;
    }
    engine->is_started = true;
    engine->start_ms = engine->now_ms;
    (void) snprintf(text, sizeof(text), "all %zu agents are ready", ready);
    cnv_run_move(engine, CNV_RUN_RUNNING, text);
    round_begin(engine, false);
    return true;
}

/* Whether members that were lost together may still come back together. */
static bool round_gathers(struct cnv_engine *engine)
{
    bool is_somebody_away = false;

    if (engine->state != CNV_RUN_WAITING) {
        return false;
    }
    if (engine->resume_ms == 0) {
        engine->resume_ms = engine->now_ms;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        is_somebody_away |=
            member->was_ready && !member->is_follower &&
            (member->state == CNV_MEMBER_LOST || member->state == CNV_MEMBER_JOINING);
    }
    return is_somebody_away && engine->now_ms - engine->resume_ms < engine->settings.rejoin_ms;
}

/* Opens the next round, if there is one and somebody to take part; false: nothing to do. */
static bool round_open(struct cnv_engine *engine)
{
    size_t ready = cnv_member_count_ready(engine);

    if (engine->state == CNV_RUN_DRAINING && engine->ending[0] == '\0') {
        cnv_run_end(engine, CNV_RUN_FINISHED, engine->reason);
        return false;
    }
    if (!engine->is_started) {
        return round_open_first(engine, ready);
    }
    if (ready == 0) {
        engine->resume_ms = 0;
        for (size_t i = 0; i < engine->member_count; i++) {
            if (round_waits_for(engine, engine->members[i])) {
                return false; /* back in a moment, or its grace runs out */
            }
        }
        if (engine->ending[0] != '\0') {
            cnv_run_end(engine, CNV_RUN_FINISHED, engine->ending);
        } else if (engine->state == CNV_RUN_RUNNING) {
            cnv_run_move(engine, CNV_RUN_WAITING, "waiting for agents: none is left");
        }
        return false;
    }
    if (round_gathers(engine)) {
        return false;
    }
    engine->resume_ms = 0;
    if (engine->state == CNV_RUN_WAITING) {
        cnv_run_move(engine, CNV_RUN_RUNNING, "agents are back");
    }
    round_begin(engine, engine->ending[0] != '\0');
    return true;
}

/* Members whose grace is over lose their place. */
static void round_expire(struct cnv_engine *engine)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (member->in_round && member->state != CNV_MEMBER_READY &&
            (cnv_async_is_on(engine) || engine->now_ms >= member->grace_ms)) {
            cnv_round_forget(engine, member);
        }
    }
}

static bool round_collect(struct cnv_engine *engine)
{
    if (cnv_async_is_on(engine)) {
        return cnv_async_collect(engine);
    }
    round_expire(engine);
    if (round_size(engine) == 0) {
        cnv_round_abandon(engine);
        return true;
    }
    if (engine->round.must_restart) {
        round_restart(engine);
        return true;
    }
    engine->round.must_retry = false;
    if (!cnv_quorum_closes(engine)) {
        return false;
    }
    cnv_exchange_freeze(engine);
    return true;
}

/* What the jobs that are back say; false: nothing new. */
static bool round_look_at_merge(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    enum cnv_status status = cnv_merge_status(round->merge);
    char text[CNV_ERROR_TEXT_SIZE];

    if (status == CNV_OK) {
        return false;
    }
    if (status == CNV_E_NOMEM) {
        cnv_run_end(engine, CNV_RUN_FAILED, "out of memory while merging");
        return true;
    }
    for (size_t i = 0; i < round->frozen_count; i++) {
        if (cnv_merge_is_bad(round->merge, i)) {
            (void) snprintf(
                text, sizeof(text), "the update of %s is not finite", round->frozen[i]->name);
            cnv_round_refuse(engine, round->frozen[i], CNV_E_NOT_FINITE, text);
        }
    }
    if (!round->must_retry && !round->must_restart) {
        cnv_round_empty(engine,
                        "the averaged model is not finite: a smaller solver/step or a larger "
                        "problem/l2 may help");
    }
    return true;
}

static bool round_pull(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    round_expire(engine);
    if (round->must_restart && round_size(engine) > 0) {
        round_restart(engine);
        return true;
    }
    if (round->must_retry) {
        round_retry(engine);
        return true;
    }
    if (round->merge != NULL) {
        cnv_merge_submit(engine);
        if (round_look_at_merge(engine)) {
            return true;
        }
        if (!cnv_merge_is_done(round->merge)) {
            return false;
        }
    }
    cnv_exchange_settle(engine);
    return true;
}

void cnv_round_advance(struct cnv_engine *engine)
{
    bool is_more = true;

    while (is_more && !cnv_run_is_over(engine)) {
        switch (engine->round.phase) {
        case CNV_PHASE_IDLE:
            is_more = round_open(engine);
            break;
        case CNV_PHASE_COLLECTING:
            is_more = round_collect(engine);
            break;
        case CNV_PHASE_PULLING:
            is_more = round_pull(engine);
            break;
        case CNV_PHASE_COMMITTING:
            is_more = false;
            break;
        }
    }
}
