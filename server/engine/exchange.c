/*
 * exchange.c - one averaging of one named vector: from the frozen set to the settled result.
 *
 * Happy path: contributors in rank order ► weights ► vectors merged, scalars averaged ► settled,
 * or the model of the next version.
 * What can fail: members disagree on what they send (most of them are right, of equally many those
 * with the first in rank; the others are refused); nobody is left (the round is empty); memory.
 * Invariants: weights, scalars and vectors belong to the same set; the same set gives the same
 * bits; a settled result is what the down encoding decodes to.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sketch.h"
#include "internal.h"

void cnv_result_clear(struct cnv_result *result)
{
    cnv_parcel_unref(result->vector);
    memset(result, 0, sizeof(*result));
}

static int compare_ranks(const void *a, const void *b)
{
    return cnv_member_compare(*(struct cnv_member *const *) a, *(struct cnv_member *const *) b);
}

/* Fills round->frozen; false when memory is out. */
static bool exchange_gather(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    cnv_free(round->frozen);
    cnv_free(round->weights);
    cnv_free(round->scales);
    round->scales = NULL;
    round->frozen_count = 0;
    round->frozen = cnv_array_new(engine->member_count, sizeof(struct cnv_member *));
    round->weights = cnv_array_new(engine->member_count, sizeof(*round->weights));
    if (round->frozen == NULL || round->weights == NULL) {
        return false;
    }
    if (cnv_async_is_on(engine)) {
        cnv_async_pick(engine);
    }
    for (size_t i = 0; !cnv_async_is_on(engine) && i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (member->in_round && member->refusal == CNV_OK) {
            round->frozen[round->frozen_count++] = member;
        }
    }
    qsort(round->frozen, round->frozen_count, sizeof(struct cnv_member *), compare_ranks);
    return true;
}

/* CNV_OK, or how b differs from what a has sent. */
static enum cnv_status
exchange_agree(const struct cnv_member *a, const struct cnv_member *b, char *text, size_t size)
{
    const struct cnv_offer *first = &a->offer;
    const struct cnv_offer *other = &b->offer;

    if (first->head.scalars.count != other->head.scalars.count) {
        (void) snprintf(text,
                        size,
                        "%s sent %u scalars, %s %u",
                        b->name,
                        other->head.scalars.count,
                        a->name,
                        first->head.scalars.count);
        return CNV_E_SIZE;
    }
    if (first->encoding != other->encoding) {
        (void) snprintf(text,
                        size,
                        "%s sent encoding '%s', %s '%s'",
                        b->name,
                        other->head.encoding,
                        a->name,
                        first->head.encoding);
        return CNV_E_SIZE;
    }
    if (first->encoding != NULL && first->encoding->is_relative &&
        memcmp(cnv_blob_data(first->vector),
               cnv_blob_data(other->vector),
               cnv_blob_len(first->vector)) != 0) {
        (void) snprintf(text, size, "%s and %s disagree on the factor", b->name, a->name);
        return CNV_E_DISAGREE;
    }
    return CNV_OK;
}

/* The member that most others agree with; of equals the first in rank. */
static const struct cnv_member *exchange_speaker(const struct cnv_round *round)
{
    const struct cnv_member *speaker = round->frozen[0];
    char text[CNV_ERROR_TEXT_SIZE];
    size_t most = 0;

    for (size_t i = 0; i < round->frozen_count && most < round->frozen_count; i++) {
        size_t agreeing = 0;

        for (size_t k = 0; k < round->frozen_count; k++) {
            agreeing +=
                exchange_agree(round->frozen[i], round->frozen[k], text, sizeof(text)) == CNV_OK;
        }
        if (agreeing > most) {
            most = agreeing;
            speaker = round->frozen[i];
        }
    }
    return speaker;
}

/* False: somebody was refused. */
static bool exchange_check(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    const struct cnv_member *speaker = exchange_speaker(round);
    char text[CNV_ERROR_TEXT_SIZE];
    bool is_agreed = true;

    for (size_t i = 0; i < round->frozen_count; i++) {
        enum cnv_status status = exchange_agree(speaker, round->frozen[i], text, sizeof(text));

        if (status != CNV_OK) {
            cnv_round_refuse(engine, round->frozen[i], status, text);
            is_agreed = false;
        }
    }
    return is_agreed;
}

static bool exchange_weigh(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    struct cnv_contributor *contributors =
        cnv_array_new(round->frozen_count, sizeof(*contributors));

    if (contributors == NULL) {
        return false;
    }
    for (size_t i = 0; i < round->frozen_count; i++) {
        contributors[i].samples = round->frozen[i]->offer.head.samples;
        contributors[i].steps = round->frozen[i]->offer.head.steps;
    }
    engine->aggregate->weigh(
        engine->aggregate_state, contributors, round->frozen_count, round->weights);
    cnv_free(contributors);
    cnv_async_weigh(engine);
    return cnv_balance_weigh(engine);
}

void cnv_exchange_freeze(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    if (!exchange_gather(engine)) {
        goto out_of_memory;
    }
    if (round->frozen_count == 0) {
        cnv_round_empty(engine, NULL);
        return;
    }
    if (!exchange_check(engine)) {
        return;
    }
    if (!exchange_weigh(engine)) {
        goto out_of_memory;
    }
    round->phase = CNV_PHASE_PULLING;
    if (round->frozen[0]->offer.encoding == NULL) {
        return;
    }
    if (!cnv_merge_begin(engine)) {
        goto out_of_memory;
    }
    for (size_t i = 0; i < round->frozen_count; i++) {
        if (round->frozen[i]->offer.ring == NULL && !cnv_offer_pull(engine, round->frozen[i])) {
            goto out_of_memory;
        }
    }
    return;

out_of_memory:
    cnv_run_end(engine, CNV_RUN_FAILED, "out of memory for a round");
}

/* What the objective has beside what agents report of it at the committed model. */
static double exchange_l1(const struct cnv_engine *engine)
{
    double l1 = cnv_config_real(engine->config, "optimiser/l1");
    const struct cnv_encoding_ops *down = engine->settings.down;
    const uint8_t *bytes = cnv_blob_data(engine->model->blob);
    double values[512];
    double sum = 0;

    for (size_t first = 0; l1 > 0 && first < engine->model->length;) {
        size_t left = engine->model->length - first;
        size_t count = left < 512 ? left : 512;

        down->decode(bytes + down->size(first), count, NULL, values);
        for (size_t i = 0; i < count; i++) {
            sum += fabs(values[i]);
        }
        first += count;
    }
    return l1 * sum;
}

/* What the policy will be shown of this exchange. */
static bool exchange_observe(struct cnv_engine *engine, const double *scalars)
{
    struct cnv_round *round = &engine->round;

    /* Where agents are watched the models bring it, else the first exchange of the round. */
    bool is_for_loss = round->decision.check_every > 0 && !round->is_evaluation
                           ? cnv_round_is_at(round, "model")
                           : round->exchange == 0;

    if (cnv_round_is_at(round, "gradient") && round->merge != NULL) {
        round->gradient_norm = cnv_merge_norm(round->merge);
    }
    /* Who only averages may have no loss to offer: then none is known of this round. */
    if (!is_for_loss || !(round->decision.evaluate || round->is_evaluation) ||
        round->frozen[0]->offer.head.scalars.count == 0) {
        return true;
    }
    round->loss = scalars[0] + exchange_l1(engine);
    cnv_free(round->evaluators);
    round->evaluator_count = round->frozen_count;
    round->evaluators = cnv_array_new(round->frozen_count, sizeof(*round->evaluators));
    for (size_t i = 0; round->evaluators != NULL && i < round->frozen_count; i++) {
        round->evaluators[i] = round->frozen[i]->id;
    }
    return round->evaluators != NULL;
}

/* Keeps the result for those who have to hear of it. Takes vector. */
static void
exchange_keep(struct cnv_engine *engine, struct cnv_parcel *vector, const double *scalars)
{
    struct cnv_round *round = &engine->round;

    cnv_result_clear(&round->last);
    round->last.is_here = true;
    round->last.attempt = round->attempt;
    round->last.exchange = round->exchange;
    round->last.contributors = round->frozen_count;
    round->last.vector = vector;
    round->last.scalar_count = round->frozen[0]->offer.head.scalars.count;
    memcpy(round->last.scalars, scalars, round->last.scalar_count * sizeof(*scalars));
    if (vector != NULL) {
        cnv_parcel_unref(round->reference);
        round->reference = cnv_parcel_ref(vector);
        round->reference_exchange = round->exchange;
    }
}

/* Somebody is ready and waits for the round to end. */
static bool exchange_has_guests(const struct cnv_engine *engine)
{
    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->state == CNV_MEMBER_READY && !member->is_follower && !member->in_round) {
            return true;
        }
    }
    return false;
}

/* Whether members go on alone after this monitor; false: their models are averaged now. */
static bool exchange_goes_on(struct cnv_engine *engine,
                             const struct cnv_parcel *vector,
                             double variance,
                             const double *scalars)
{
    struct cnv_round *round = &engine->round;
    const struct cnv_settings *settings = &engine->settings;
    double values[CNV_SKETCH_SIZE];
    struct cnv_monitor_view view = {
        .monitor = round->decision.monitor,
        .steps = round->steps,
        .scalars = scalars,
        .scalar_count = round->frozen[0]->offer.head.scalars.count,
        .variance = variance,
    };

    if (vector != NULL && vector->length <= CNV_SKETCH_SIZE) {
        settings->down->decode(cnv_blob_data(vector->blob), vector->length, NULL, values);
        view.vector = values;
        view.length = vector->length;
    }
    /* The policy may have been changed in mid-round for one that watches nobody. */
    bool is_time = engine->policy->sync_now == NULL ||
                   engine->policy->sync_now(engine->policy_state, &view, &round->estimate);
    return !is_time && round->steps < round->decision.local_steps &&
           engine->state != CNV_RUN_DRAINING && !exchange_has_guests(engine) &&
           (settings->seconds == 0 || cnv_run_seconds(engine) < settings->seconds);
}

struct cnv_width cnv_exchange_width(const struct cnv_engine *engine)
{
    return cnv_round_is_at(&engine->round, "model") ? engine->width : (struct cnv_width){ 1, 1, 1 };
}

uint32_t cnv_exchange_steps(const struct cnv_round *round)
{
    uint64_t steps = ((uint64_t) round->exchange + 1) * round->decision.check_every;

    return cnv_round_is_at(round, "monitor") && steps < round->decision.local_steps
               ? (uint32_t) steps
               : round->decision.local_steps;
}

/* Tells the members, and goes on to the next exchange. */
static void exchange_next(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    round->exchange++;
    if (round->last.is_again) {
        round->steps = cnv_exchange_steps(round);
    } else {
        round->place++;
    }
    round->phase = CNV_PHASE_COLLECTING;
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        cnv_offer_clear(&member->offer);
        if (member->in_round && member->refusal == CNV_OK) {
            cnv_outbox_settled(engine, member);
        }
    }
    if (round->place == round->plan.count) {
        engine->final_loss = round->loss;
        cnv_run_end(engine, CNV_RUN_FINISHED, engine->ending);
    }
}

void cnv_exchange_settle(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    struct cnv_parcel *vector = NULL;
    double scalars[16] = { 0 };
    double variance = NAN;
    bool is_again = false;

    cnv_pace_settle(engine);
    for (size_t i = 0; i < round->frozen_count; i++) {
        const struct cnv_msg_offer *head = &round->frozen[i]->offer.head;

        for (uint32_t k = 0; k < head->scalars.count; k++) {
            scalars[k] += round->weights[i] * head->scalars.at[k];
        }
        engine->payload_up += cnv_offer_value_bytes(&round->frozen[i]->offer);
    }
    engine->exchanges++;
    bool is_model = cnv_round_is_at(round, "model");
    bool is_monitor = cnv_round_is_at(round, "monitor");
    if (!exchange_observe(engine, scalars)) {
        goto out_of_memory;
    }
    if (round->merge != NULL) {
        variance = cnv_merge_variance(round->merge);
        vector = cnv_merge_take(engine, round->merge);
        if (vector == NULL) {
            goto out_of_memory;
        }
        cnv_merge_abandon(engine);
    }
    if (is_model) {
        /* Models that started from different versions have none. */
        round->variance = cnv_async_is_on(engine) ? NAN : variance;
        cnv_commit_prepare(engine, vector);
        return;
    }
    if (is_monitor) {
        is_again = exchange_goes_on(engine, vector, variance, scalars);
        cnv_parcel_unref(vector); /* the verdict is all that members need */
        vector = NULL;
    }
    exchange_keep(engine, vector, scalars);
    round->last.is_again = is_again;
    exchange_next(engine);
    return;

out_of_memory:
    cnv_run_end(engine, CNV_RUN_FAILED, "out of memory for a result");
}
