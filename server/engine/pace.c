/*
 * pace.c - how long each member takes in a round, how long it waits for others, and they for it.
 *
 * Happy path: the announce starts a member's clock, its whole offer to the first exchange stops
 * it; from each whole offer on it waits, until the exchange settles. At the commit the figures of
 * the round become those that are shown.
 * What can be: the round is announced anew (the clock starts again, what was waited stays waited);
 * a new process takes the seat (its clock starts when it is ready); an upload is pulled again (the
 * offer is not whole any more).
 * Invariant: these figures never decide what is merged; they are read off the clock.
 */
#include "internal.h"

enum { LATE_MS = 100 }; /* who comes sooner after the others is not worth a word */

void cnv_pace_ask(struct cnv_engine *engine, struct cnv_member *member)
{
    member->pace.asked_ms = engine->now_ms;
}

void cnv_pace_note(struct cnv_engine *engine, struct cnv_member *member)
{
    if (member->offer.whole_ms != 0 || !cnv_offer_is_whole(&member->offer)) {
        return;
    }
    member->offer.whole_ms = engine->now_ms;
    if (engine->round.exchange == 0 && !engine->round.is_evaluation) {
        member->pace.took_ms = engine->now_ms - member->pace.asked_ms - member->offer.stalled_ms;
    }
}

void cnv_pace_settle(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    struct cnv_member *last = round->frozen[0];
    uint64_t before_ms = 0; /* when the last but one was whole */

    for (size_t i = 0; i < round->frozen_count; i++) {
        struct cnv_member *member = round->frozen[i];

        member->pace.waits_ms += engine->now_ms - member->offer.whole_ms + member->offer.stalled_ms;
        if (i > 0 && member->offer.whole_ms >= last->offer.whole_ms) {
            before_ms = last->offer.whole_ms;
            last = member;
        } else if (i > 0 && member->offer.whole_ms > before_ms) {
            before_ms = member->offer.whole_ms;
        }
    }
    round->late = NULL;
    if (round->frozen_count < 2) {
        return;
    }
    round->late_ms = last->offer.whole_ms - before_ms;
    last->pace.held_ms += round->late_ms;
    if (round->late_ms >= LATE_MS) {
        round->late = last;
    }
}

void cnv_pace_commit(struct cnv_engine *engine)
{
    for (size_t i = 0; i < engine->round.frozen_count; i++) {
        struct cnv_pace *pace = &engine->round.frozen[i]->pace;

        pace->busy_ms += pace->took_ms;
        pace->steps += engine->round.frozen[i]->offer.head.steps;
        pace->wait_ms = pace->waits_ms;
        pace->waited_ms += pace->waits_ms;
        pace->waits_ms = 0;
    }
    cnv_balance_learn(engine);
}
