/*
 * async.c - sync/mode=async: nobody is waited for, a commit comes with every k contributions.
 *
 *   member   free ──task: newest version, round, attempt──► works ──offers──► waits ──commit──►
 * free ▲                                                       │ └──────────── refused, or too
 * stale ────────────────────┘
 *
 * Happy path: each member works from the version it was given. Its offer is taken in the order of
 * arrival; the first k make the frozen set of the round in hand, their mean, each damped by
 * (1 + s)^-a where s counts the versions since its own, is committed, and they alone are told and
 * get the newest version to go on from. The others work on. Fewer than k that could offer: so many.
 * What can fail: a contribution is more than sync/staleness versions old (refused by name; its
 * member gets the newest version at once); a member is lost (it is not counted on; what it offered
 * whole counts, and the same process goes on with its task when it is back); its commit is lost
 * (the beat shows it: it gets the newest version and a task anew).
 * Invariants: a member has at most one task and one offer; attempts grow over rounds as well, so
 * that credit of an older round is never taken for that of a newer; an older model is held only
 * for those who are receiving it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

bool cnv_async_is_on(const struct cnv_engine *engine)
{
    return engine->settings.is_async && !engine->round.is_evaluation;
}

bool cnv_async_keeps(const struct cnv_engine *engine, const struct cnv_member *member)
{
    return cnv_async_is_on(engine) && (member->task.round != 0 || member->offer.is_here);
}

void cnv_async_forget(struct cnv_engine *engine)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        cnv_async_drop(engine->members[i]);
    }
}

void cnv_async_drop(struct cnv_member *member)
{
    cnv_parcel_unref(member->task.snapshot);
    member->task = (struct cnv_task){ 0 };
}

void cnv_async_keep_offer(struct cnv_engine *engine, struct cnv_member *member)
{
    size_t seat = 0;

    if (!cnv_async_is_on(engine) || member->task.snapshot == NULL) {
        return;
    }
    while (engine->members[seat] != member) {
        seat++;
    }
    /* Shards of data that all share name the agents; with data of their own the seats do. */
    member->offer.slot = member->shards == engine->settings.agents ? member->shard - 1 : seat;
    member->offer.snapshot = cnv_parcel_ref(member->task.snapshot);
}

/* Gives the member the newest version to work on. */
static void async_task(struct cnv_engine *engine, struct cnv_member *member)
{
    cnv_async_drop(member);
    member->task = (struct cnv_task){
        .round = engine->round.number,
        .attempt = engine->round.attempt,
        .version = engine->version,
        .iteration = engine->iteration,
        .snapshot = engine->optimiser->wants_snapshot ? cnv_parcel_ref(engine->model) : NULL,
    };
    member->local_steps = engine->round.decision.local_steps;
    cnv_pace_ask(engine, member);
    if (member->told_version != engine->version) {
        cnv_outbox_commit(engine, member);
    }
    cnv_post_announce(engine, member);
}

void cnv_async_assign(struct cnv_engine *engine)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];
        bool is_there = member->state == CNV_MEMBER_READY && !member->is_follower;

        if (!is_there && member->offer.is_here && !cnv_offer_is_whole(&member->offer)) {
            cnv_offer_clear(&member->offer); /* it offers again when it is back */
        }
        if (is_there && member->task.round == 0 && !member->offer.is_here &&
            member->refusal == CNV_OK) {
            async_task(engine, member);
        }
        member->in_round = member->offer.is_here ||
                           (is_there && (member->task.round != 0 || member->refusal != CNV_OK));
    }
}

static uint64_t async_staleness(const struct cnv_engine *engine, const struct cnv_member *member)
{
    return engine->version - member->offer.head.version;
}

static void async_refuse_stale(struct cnv_engine *engine)
{
    char text[CNV_ERROR_TEXT_SIZE];

    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (!member->offer.is_here ||
            async_staleness(engine, member) <= engine->settings.staleness) {
            continue;
        }
        (void) snprintf(text,
                        sizeof(text),
                        "the update of %s is %" PRIu64 " versions old, sync/staleness allows "
                        "%" PRIu64,
                        member->name,
                        async_staleness(engine, member),
                        engine->settings.staleness);
        cnv_round_refuse(engine, member, CNV_E_STALE, text);
        member->refusal = CNV_OK; /* it need not wait: there is a newer version to work on */
    }
}

bool cnv_async_collect(struct cnv_engine *engine)
{
    uint64_t offers = 0;
    uint64_t working = 0;
    bool is_somebody_refused = false;

    engine->round.must_retry = false;
    async_refuse_stale(engine);
    cnv_async_assign(engine);
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        offers += member->offer.is_here;
        working += member->in_round && member->refusal == CNV_OK && !member->offer.is_here;
        is_somebody_refused |= member->in_round && member->refusal != CNV_OK;
    }
    if (offers + working == 0 && is_somebody_refused) {
        cnv_round_empty(engine, NULL);
        return true;
    }
    if (offers + working == 0) {
        cnv_round_abandon(engine);
        return true;
    }
    uint64_t wanted = engine->settings.contributions;
    if (offers < (wanted < offers + working ? wanted : offers + working)) {
        return false;
    }
    cnv_exchange_freeze(engine);
    return true;
}

static int compare_arrivals(const void *a, const void *b)
{
    uint64_t left = (*(struct cnv_member *const *) a)->offer.order;
    uint64_t right = (*(struct cnv_member *const *) b)->offer.order;

    return left < right ? -1 : left > right;
}

void cnv_async_pick(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    uint64_t most = engine->settings.contributions;

    for (size_t i = 0; i < engine->member_count; i++) {
        if (engine->members[i]->offer.is_here) {
            round->frozen[round->frozen_count++] = engine->members[i];
        }
    }
    qsort(round->frozen, round->frozen_count, sizeof(struct cnv_member *), compare_arrivals);
    round->frozen_count = round->frozen_count < most ? round->frozen_count : (size_t) most;
}

void cnv_async_weigh(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    for (size_t i = 0; cnv_async_is_on(engine) && i < round->frozen_count; i++) {
        double age = (double) async_staleness(engine, round->frozen[i]);

        round->weights[i] *= pow(1 + age, -engine->settings.damping);
    }
}

void cnv_async_catch_up(struct cnv_engine *engine, struct cnv_member *member)
{
    const struct cnv_task *task = &member->task;
    bool is_receiving = member->download.parcel != NULL && member->download.limit > 0;
    bool has_base = member->has_model && member->version >= task->version;

    if (member->offer.is_here || member->state != CNV_MEMBER_READY) {
        return;
    }
    if (!has_base) {
        if (!is_receiving && cnv_is_due(engine, member->commit_ms)) {
            member->told_version = UINT64_MAX; /* it may not have heard */
            async_task(engine, member);
        }
    } else if ((member->at_round < task->round ||
                (member->at_round == task->round && member->at_attempt < task->attempt)) &&
               cnv_is_due(engine, member->announce_ms)) {
        cnv_post_announce(engine, member);
    }
}
