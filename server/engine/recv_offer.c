/*
 * recv_offer.c - a member offers its contribution to an exchange.
 *
 * Happy path: an offer for the exchange in hand from a member of the round is kept, with its vector
 * if that came along.
 * What can be: the same offer again (nothing changes, credit says that its vector is in); one of an
 * older attempt (ignored: the announce of the new one is on its way); one of another run, an older
 * round or version, or a settled exchange (`stale`); one from a member that was refused (told so
 * again); a new process offers what its predecessor had offered whole (ignored: it counts once).
 * What can fail: sizes, encoding, checksum, scalars: the contribution is refused for this round.
 * Invariant: a member has at most one offer, so at most one upload.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "encodings/blocks.h"
#include "internal.h"
#include "proto/vector.h"

/* Coordinates of the vector that the exchange in hand takes; 0: it takes scalars only. */
static uint64_t exchange_length(const struct cnv_engine *engine)
{
    const struct cnv_round *round = &engine->round;

    if (cnv_round_is_at(round, "monitor")) {
        return cnv_monitor_length(round->decision.monitor, engine->dimension);
    }
    if (cnv_round_is_at(round, "loss") || cnv_round_is_at(round, "batch")) {
        return 0;
    }
    return engine->dimension * cnv_exchange_width(engine).offered;
}

/* What its vectors travel in, beside relative encodings. */
static const struct cnv_encoding_ops *exchange_encoding(const struct cnv_engine *engine)
{
    return cnv_round_is_at(&engine->round, "monitor") ? cnv_encoding_find(CNV_MONITOR_ENCODING)
                                                      : engine->settings.up;
}

static bool size_may_be(const struct cnv_encoding_ops *encoding, size_t length, uint64_t bytes)
{
    return encoding->is_sparse ? cnv_blocks_may_be(length, bytes) : bytes == encoding->size(length);
}

static enum cnv_status check_encoding(const struct cnv_engine *engine,
                                      const struct cnv_msg_offer *offer,
                                      const struct cnv_encoding_ops *encoding,
                                      struct cnv_error *err)
{
    const struct cnv_round *round = &engine->round;
    const struct cnv_encoding_ops *wanted = exchange_encoding(engine);
    uint64_t length = exchange_length(engine);

    if (encoding == NULL ||
        (encoding != wanted && !(encoding->is_relative && wanted == engine->settings.up))) {
        return cnv_fail(
            err, CNV_E_SIZE, "encoding '%s' instead of %s", offer->encoding, wanted->name);
    }
    if (offer->length != length || !size_may_be(encoding, (size_t) length, offer->bytes)) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "%" PRIu64 " coordinates in %" PRIu64
                        " bytes of %s for a model of %" PRIu64,
                        offer->length,
                        offer->bytes,
                        encoding->name,
                        length);
    }
    if (encoding->is_relative &&
        (round->reference == NULL || offer->reference != round->reference_exchange)) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "exchange %" PRIu64 " is not the newest settled vector",
                        offer->reference);
    }
    return CNV_OK;
}

static enum cnv_status check_vector(const struct cnv_engine *engine,
                                    const struct cnv_msg_offer *offer,
                                    const struct cnv_blob *payload,
                                    struct cnv_error *err)
{
    bool is_scalar = exchange_length(engine) == 0;

    if (is_scalar != (offer->encoding[0] == '\0')) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "exchange %s takes %s",
                        cnv_round_exchange(&engine->round),
                        is_scalar ? "scalars only" : "a vector");
    }
    if (offer->encoding[0] == '\0') {
        return CNV_OK;
    }
    enum cnv_status status = check_encoding(engine, offer, cnv_encoding_find(offer->encoding), err);
    if (status != CNV_OK || offer->bytes > CNV_INLINE_MAX) {
        return status;
    }
    if (cnv_blob_len(payload) != offer->bytes) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "%zu bytes of a vector of %" PRIu64,
                        cnv_blob_len(payload),
                        offer->bytes);
    }
    if (cnv_crc32c(0, cnv_blob_data(payload), offer->bytes) != offer->crc) {
        return cnv_fail(err, CNV_E_CHECKSUM, "the vector differs from its checksum");
    }
    return cnv_encoding_find(offer->encoding)->is_sparse ? cnv_blocks_check(cnv_blob_data(payload),
                                                                            cnv_blob_len(payload),
                                                                            offer->bytes,
                                                                            (size_t) offer->length,
                                                                            err)
                                                         : CNV_OK;
}

static enum cnv_status check_scalars(const struct cnv_member *member,
                                     const struct cnv_msg_offer *offer,
                                     struct cnv_error *err)
{
    if (offer->samples == 0 || offer->samples > member->rows) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "%" PRIu64 " samples are behind the contribution of %" PRIu64 " rows",
                        offer->samples,
                        member->rows);
    }
    for (uint32_t i = 0; i < offer->scalars.count; i++) {
        if (!isfinite(offer->scalars.at[i])) {
            return cnv_fail(err, CNV_E_NOT_FINITE, "scalar %" PRIu32 " is not finite", i);
        }
    }
    return CNV_OK;
}

/* Updates are divided by the steps taken: who claimed fewer than it was told would weigh more. */
static enum cnv_status check_steps(const struct cnv_engine *engine,
                                   const struct cnv_member *member,
                                   const struct cnv_msg_offer *offer,
                                   struct cnv_error *err)
{
    const struct cnv_round *round = &engine->round;
    bool counts = engine->settings.is_balanced && round->decision.check_every == 0 &&
                  cnv_round_is_at(round, "model");

    if (counts && offer->steps != member->local_steps) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "%" PRIu64 " local steps taken, %" PRIu32 " were asked for",
                        offer->steps,
                        member->local_steps);
    }
    return CNV_OK;
}

/* The same where members work on tasks of their own. */
static bool offer_is_of_task(struct cnv_engine *engine,
                             struct cnv_member *member,
                             const struct cnv_msg_offer *offer)
{
    const struct cnv_task *task = &member->task;

    if (offer->run != engine->run || task->round == 0 || offer->round != task->round ||
        offer->version != task->version || offer->exchange != 0) {
        cnv_post_error(engine, member, CNV_E_STALE, 0, "the offer is for what is over");
        return false;
    }
    member->since_version = offer->version;
    return offer->attempt >= task->attempt && offer->attempt <= engine->round.attempt;
}

/* Whether the offer is for what is in hand; answers it where it is not. */
static bool offer_is_current(struct cnv_engine *engine,
                             struct cnv_member *member,
                             const struct cnv_msg_offer *offer)
{
    const struct cnv_round *round = &engine->round;
    bool is_open = round->phase == CNV_PHASE_COLLECTING || round->phase == CNV_PHASE_PULLING;

    if (offer->run != engine->run || !is_open || !member->in_round ||
        offer->round < round->number || offer->version != engine->version ||
        (offer->round == round->number && offer->exchange < round->exchange)) {
        cnv_post_error(engine, member, CNV_E_STALE, 0, "the offer is for what is over");
        return false;
    }
    if (offer->round > round->number || offer->exchange > round->exchange) {
        cnv_post_error(engine, member, CNV_E_UNEXPECTED, 0, "the offer is ahead of the round");
        return false;
    }
    return offer->attempt >= round->announced && offer->attempt <= round->attempt;
}

static void offer_keep(struct cnv_engine *engine,
                       struct cnv_member *member,
                       const struct cnv_msg_offer *head,
                       struct cnv_blob *payload)
{
    struct cnv_offer *offer = &member->offer;
    uint64_t most = engine->settings.samples_max;

    if (offer->is_here && engine->round.phase == CNV_PHASE_PULLING &&
        cnv_round_has_frozen(&engine->round, member)) {
        engine->round.must_retry = true; /* slices may hold chunks of the older one */
        (void) snprintf(
            engine->round.because, sizeof(engine->round.because), "%s offers anew", member->name);
    }
    cnv_offer_clear(offer);
    offer->is_here = true;
    offer->order = ++engine->offers;
    offer->instance = member->instance;
    offer->head = *head;
    if (most > 0 && offer->head.samples > most) {
        offer->head.samples = most;
    }
    cnv_async_keep_offer(engine, member);
    if (head->encoding[0] != '\0') {
        struct cnv_width width = cnv_exchange_width(engine);

        offer->encoding = cnv_encoding_find(head->encoding);
        offer->slice = CNV_SLICE / width.kept * width.offered;
        if (head->bytes <= CNV_INLINE_MAX) {
            offer->vector = cnv_blob_ref(payload);
            offer->index = offer->encoding->is_sparse ? cnv_blob_ref(payload) : NULL;
        } else {
            offer->chunks = cnv_chunk_count(head->bytes, engine->settings.chunk_bytes);
        }
    }
}

/* A vector that came with its offer is not to come with every beat: who repeats it is told. */
static void offer_confirm(struct cnv_engine *engine,
                          struct cnv_member *member,
                          const struct cnv_msg_offer *offer)
{
    struct cnv_message message = { .kind = CNV_KIND_CREDIT };

    if (member->offer.vector != NULL && member->offer.instance == member->instance &&
        member->offer.head.transfer == offer->transfer) {
        message.credit.transfer = offer->transfer;
        message.credit.attempt = engine->round.attempt;
        cnv_post_header(engine, member, &message);
    }
}

void cnv_recv_offer(struct cnv_engine *engine,
                    struct cnv_member *member,
                    const struct cnv_msg_offer *offer,
                    struct cnv_blob *payload)
{
    struct cnv_error err = { .status = CNV_OK };
    char text[CNV_ERROR_TEXT_SIZE + CNV_NAME_SIZE + 8];

    if (!(cnv_async_is_on(engine) ? offer_is_of_task(engine, member, offer)
                                  : offer_is_current(engine, member, offer))) {
        return;
    }
    if (member->refusal != CNV_OK) {
        cnv_post_error(engine,
                       member,
                       member->refusal,
                       engine->round.number,
                       "the contribution is left out of this round");
        return;
    }
    if (cnv_offer_is_whole(&member->offer) ||
        (member->offer.is_here && offer->transfer <= member->offer.head.transfer)) {
        offer_confirm(engine, member, offer);
        return;
    }
    if (check_vector(engine, offer, payload, &err) != CNV_OK ||
        check_scalars(member, offer, &err) != CNV_OK ||
        check_steps(engine, member, offer, &err) != CNV_OK) {
        (void) snprintf(text, sizeof(text), "%s: %s", member->name, err.text);
        cnv_round_refuse(engine, member, err.status, text);
        return;
    }
    offer_keep(engine, member, offer, payload);
    cnv_pace_note(engine, member);
    if (!cnv_offer_fits(engine)) {
        (void) snprintf(text,
                        sizeof(text),
                        "no room for the update of %s: limits/held=%llu bytes are taken",
                        member->name,
                        (unsigned long long) engine->settings.held_max);
        cnv_round_refuse(engine, member, CNV_E_FULL, text);
        return;
    }
    /* A first window comes in while others still work: its way is its own. Where nobody waits for
     * others it is pulled soon enough. */
    if (engine->round.phase == CNV_PHASE_COLLECTING && !cnv_async_is_on(engine) &&
        !cnv_offer_pull(engine, member)) {
        cnv_run_end(engine, CNV_RUN_FAILED, "out of memory for an upload");
    }
}
