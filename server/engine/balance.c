/*
 * balance.c - faster hosts take more local steps, so that all are done together.
 *
 * Happy path: at each commit the engine learns what a round took each contributor: its time a
 * step, as it says itself, and the rest of the time from announce to whole offer, which is its
 * link. From round 2 on these times divide the round's steps; the policy's L is their mean. Updates
 * that took unequal steps are normalised, or the model would drift towards the faster hosts' data:
 *     u_i := u_i (sum_k p_k tau_k) / tau_i        tau: steps taken, p: weights of the mean
 * What can be: a member that is not measured yet takes the policy's L and the others divide theirs;
 * a speed is not told (the whole time counts as steps); the plan has more than the one exchange
 * (nothing is balanced: such rounds are not made of local steps alone).
 * Invariants: without policy/balance=time, and wherever steps are equal, nothing is touched; a
 * member's L changes between rounds only, whatever attempts there are.
 * Source: Wang et al. 2020 (FedNova), section 4, with a weighted mean of the steps as tau_eff.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/shares.h"
#include "internal.h"

static const double shortest_s = 1e-6; /* of a step: what the clock cannot tell from nothing */

static bool balance_is_on(const struct cnv_engine *engine)
{
    return engine->settings.is_balanced && strcmp(engine->round.plan_text, "model") == 0;
}

/* --- Learning ------------------------------------------------------------------------------ */

static void pace_learn(struct cnv_pace *pace, uint32_t steps, double steps_per_second)
{
    double took_s = (double) pace->took_ms / 1000;
    double step_s = steps_per_second > 0 ? 1 / steps_per_second : took_s / steps;

    if (step_s * steps > took_s) {
        step_s = took_s / steps;
    }
    step_s = step_s < shortest_s ? shortest_s : step_s;
    double fixed_s = took_s > step_s * steps ? took_s - step_s * steps : 0;
    /* Half of each figure is the one before: a single slow round does not turn everything over. */
    pace->step_s = pace->is_measured ? (pace->step_s + step_s) / 2 : step_s;
    pace->fixed_s = pace->is_measured ? (pace->fixed_s + fixed_s) / 2 : fixed_s;
    pace->is_measured = true;
}

void cnv_balance_learn(struct cnv_engine *engine)
{
    for (size_t i = 0; balance_is_on(engine) && i < engine->round.frozen_count; i++) {
        struct cnv_member *member = engine->round.frozen[i];

        if (member->offer.instance == member->instance) {
            pace_learn(&member->pace, member->local_steps, member->steps_per_second);
        }
    }
}

/* --- Dividing ------------------------------------------------------------------------------ */

static void balance_note(struct cnv_engine *engine, const struct cnv_member *member)
{
    char text[CNV_WHY_SIZE];

    (void) snprintf(text,
                    sizeof(text),
                    "%u local steps where the policy says %u: %.3g s a step and %.3g s besides",
                    member->local_steps,
                    engine->round.decision.local_steps,
                    member->pace.step_s,
                    member->pace.fixed_s);
    cnv_note(engine, CNV_NOTE_BALANCED, member, CNV_OK, text);
}

/* "; balanced: 2 (slow) to 14 (fast) steps, 1.3 s each" */
static void balance_explain(struct cnv_engine *engine)
{
    struct cnv_decision *decision = &engine->round.decision;
    const struct cnv_member *fewest = NULL;
    const struct cnv_member *most = NULL;
    size_t used = strlen(decision->reason);
    double longest_s = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];
        const struct cnv_pace *pace = &member->pace;
        double time_s = pace->fixed_s + member->local_steps * pace->step_s;

        if (!member->in_round || !pace->is_measured) {
            continue;
        }
        fewest = fewest == NULL || member->local_steps < fewest->local_steps ? member : fewest;
        most = most == NULL || member->local_steps > most->local_steps ? member : most;
        longest_s = time_s > longest_s ? time_s : longest_s;
    }
    if (fewest != NULL) {
        (void) snprintf(decision->reason + used,
                        sizeof(decision->reason) - used,
                        "; balanced: %u (%.20s) to %u (%.20s) steps in %.2g s",
                        fewest->local_steps,
                        fewest->name,
                        most->local_steps,
                        most->name,
                        longest_s);
    }
}

/* The members whose times are known divide the steps they would have taken anyway. Out of memory:
 * they take what they took. */
static void balance_divide(struct cnv_engine *engine)
{
    uint32_t nominal = engine->round.decision.local_steps;
    uint32_t most = engine->settings.max_local_steps;
    struct cnv_share *shares = cnv_array_new(engine->member_count, sizeof(*shares));
    size_t n = 0;

    if (shares == NULL) {
        return;
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->in_round && member->pace.is_measured) {
            shares[n].owner = i;
            shares[n].fixed_s = member->pace.fixed_s;
            shares[n].step_s = member->pace.step_s;
            shares[n].steps = member->local_steps;
            n++;
        }
    }
    bool is_new = n > 0 && cnv_shares_divide(shares, n, nominal, most > nominal ? most : nominal);
    for (size_t k = 0; is_new && k < n; k++) {
        struct cnv_member *member = engine->members[shares[k].owner];

        if (member->local_steps != shares[k].steps) {
            member->local_steps = shares[k].steps;
            balance_note(engine, member);
        }
    }
    cnv_free(shares);
}

void cnv_balance_round(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    bool is_on = balance_is_on(engine);

    if (round->is_evaluation) {
        return; /* no steps at all */
    }
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (member->in_round && !(is_on && member->pace.is_measured)) {
            member->local_steps = round->decision.local_steps;
        }
    }
    if (is_on) {
        balance_divide(engine);
        balance_explain(engine);
    }
}

/* --- Normalising --------------------------------------------------------------------------- */

bool cnv_balance_weigh(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    bool is_unequal = false;
    double mean = 0;

    for (size_t i = 0; balance_is_on(engine) && i < round->frozen_count; i++) {
        uint64_t steps = round->frozen[i]->offer.head.steps;

        is_unequal |= steps != round->frozen[0]->offer.head.steps;
        mean += round->weights[i] * (double) steps;
    }
    if (!is_unequal) {
        return true;
    }
    round->scales = cnv_array_new(round->frozen_count, sizeof(*round->scales));
    for (size_t i = 0; round->scales != NULL && i < round->frozen_count; i++) {
        round->scales[i] = mean / (double) round->frozen[i]->offer.head.steps;
    }
    return round->scales != NULL;
}
