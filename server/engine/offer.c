/*
 * offer.c - what a member brings to the exchange in hand, and how its vector is pulled.
 *
 * Happy path: a small vector comes with the offer and is whole at once. A larger one is pulled:
 * credit for a window of chunks as soon as it is offered, so that a slow link is in use while
 * others work; once the members are frozen and as slices are merged their chunks are let go of and
 * the credit rises, until the last chunk is in.
 * Where an aggregator looks at whole vectors first, chunks are held until it has, and the credit
 * rises as they come in.
 * Of a sparse vector the first chunk holds the index, which says in which chunks each slice lies;
 * it stays until the end.
 * What can fail: chunks or credit are lost (credit is restated with rewind when no chunk came for a
 * heartbeat and as long as one takes on the slowest link, then less and less often); the connection
 * changes (the same, at once); nothing comes for patience and as long again, from nobody, although
 * the member beats (its contribution is left out of the round).
 *
 *   0 ......... base ...... next ...... limit ...... chunks
 *     merged      in order    some in     not yet asked for
 *
 * Invariants: base <= next <= limit <= base + window; ring holds only chunks of [base, limit).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "encodings/blocks.h"
#include "internal.h"
#include "proto/vector.h"

size_t cnv_slice_count(size_t length, size_t slice_len)
{
    return length / slice_len + (length % slice_len != 0 ? 1 : 0);
}

size_t cnv_slice_len(size_t length, size_t slice_len, size_t slice)
{
    size_t first = slice * slice_len;

    return length - first < slice_len ? length - first : slice_len;
}

void cnv_offer_forget_pull(struct cnv_offer *offer)
{
    for (uint64_t i = 0; offer->ring != NULL && i < offer->window; i++) {
        cnv_blob_unref(offer->ring[i]);
    }
    cnv_free(offer->ring);
    if (offer->chunks > 0) {
        cnv_blob_unref(offer->index); /* it comes again, with the first chunk */
        offer->index = NULL;
    }
    offer->ring = NULL;
    offer->base = 0;
    offer->next = 0;
    offer->limit = 0;
    offer->slices = 0;
    offer->stalled_ms = 0;
    if (offer->chunks > 0) {
        offer->whole_ms = 0;
    }
}

void cnv_offer_clear(struct cnv_offer *offer)
{
    cnv_offer_forget_pull(offer);
    cnv_blob_unref(offer->vector);
    cnv_parcel_unref(offer->snapshot);
    cnv_blob_unref(offer->index);
    memset(offer, 0, sizeof(*offer));
}

bool cnv_offer_is_whole(const struct cnv_offer *offer)
{
    return offer->is_here && offer->next == offer->chunks;
}

enum cnv_status
cnv_offer_learn(struct cnv_offer *offer, struct cnv_blob *bytes, struct cnv_error *err)
{
    enum cnv_status status = cnv_blocks_check(cnv_blob_data(bytes),
                                              cnv_blob_len(bytes),
                                              offer->head.bytes,
                                              (size_t) offer->head.length,
                                              err);

    if (status == CNV_OK) {
        offer->index = cnv_blob_ref(bytes);
    }
    return status;
}

struct cnv_extent cnv_offer_extent(const struct cnv_offer *offer, size_t first, size_t count)
{
    size_t length = (size_t) offer->head.length;

    return offer->encoding->is_sparse
               ? cnv_blocks_extent(cnv_blob_data(offer->index), length, first, count)
               : offer->encoding->extent(length, first, count);
}

uint64_t cnv_offer_value_bytes(const struct cnv_offer *offer)
{
    return offer->index == NULL
               ? offer->head.bytes
               : offer->head.bytes - cnv_blocks_head_len(cnv_blob_data(offer->index));
}

struct cnv_blob *cnv_offer_chunk(const struct cnv_offer *offer, uint64_t index)
{
    return offer->ring[index % offer->window];
}

static void offer_post_credit(struct cnv_engine *engine, struct cnv_member *member, bool rewind)
{
    struct cnv_message message = { .kind = CNV_KIND_CREDIT };

    message.credit.transfer = member->offer.head.transfer;
    message.credit.attempt = engine->round.attempt;
    message.credit.next = member->offer.next;
    message.credit.limit = member->offer.limit;
    message.credit.rewind = rewind;
    cnv_post_header(engine, member, &message);
}

uint64_t cnv_offer_repeat_ms(const struct cnv_engine *engine)
{
    return engine->settings.heartbeat_ms + cnv_chunk_time_ms(engine->settings.chunk_bytes);
}

/* How long nothing may come. A link that others use too may be slow for all of them together. */
static bool offer_stands_still(const struct cnv_engine *engine, const struct cnv_member *member)
{
    uint64_t moved_ms = member->offer.moved_ms;
    uint64_t limit_ms = engine->settings.patience_ms;

    if (member->bulk_peer != 0) {
        limit_ms += cnv_chunk_time_ms(engine->settings.chunk_bytes);
        moved_ms = moved_ms > engine->chunk_ms ? moved_ms : engine->chunk_ms;
    }
    return engine->now_ms - moved_ms > limit_ms;
}

/* Whether nothing is let go of before all of it was looked at. */
static bool offer_is_held(const struct cnv_engine *engine)
{
    return engine->aggregate->scoring != NULL;
}

bool cnv_offer_fits(const struct cnv_engine *engine)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_offer *offer = &engine->members[i]->offer;

        bytes += offer->chunks > 0 ? offer->head.bytes : 0;
    }
    return !offer_is_held(engine) || bytes <= engine->settings.held_max;
}

void cnv_offer_extend(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_offer *offer = &member->offer;
    uint64_t window = engine->settings.window;

    if (!offer_is_held(engine) || offer->limit == offer->chunks ||
        offer->limit - offer->next > window / 2) {
        return;
    }
    offer->limit = offer->next + window < offer->chunks ? offer->next + window : offer->chunks;
    offer_post_credit(engine, member, false);
}

bool cnv_offer_pull(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_offer *offer = &member->offer;

    if (offer->chunks == 0) {
        return true;
    }
    cnv_offer_forget_pull(offer);
    offer->window = offer_is_held(engine) ? offer->chunks : engine->settings.window;
    offer->ring = cnv_array_new(offer->window, sizeof(struct cnv_blob *));
    if (offer->ring == NULL) {
        return false;
    }
    offer->limit =
        offer->chunks < engine->settings.window ? offer->chunks : engine->settings.window;
    offer->moved_ms = engine->now_ms;
    offer->asked_ms = engine->now_ms;
    offer->repeat_ms = cnv_offer_repeat_ms(engine);
    offer_post_credit(engine, member, false);
    return true;
}

static void offer_restate(struct cnv_engine *engine, struct cnv_member *member)
{
    member->offer.asked_ms = engine->now_ms;
    offer_post_credit(engine, member, true);
}

void cnv_offer_resume(struct cnv_engine *engine, struct cnv_member *member)
{
    if (member->offer.ring != NULL && member->offer.next < member->offer.limit) {
        offer_restate(engine, member);
    }
}

void cnv_offer_release(struct cnv_engine *engine, struct cnv_member *member, size_t done)
{
    struct cnv_offer *offer = &member->offer;
    size_t length = (size_t) offer->head.length;
    uint64_t base = offer->chunks;

    if (offer->chunks == 0) {
        return;
    }
    if (done < cnv_slice_count(length, offer->slice)) {
        size_t count = cnv_slice_len(length, offer->slice, done);

        base = cnv_offer_extent(offer, done * offer->slice, count).offset /
               engine->settings.chunk_bytes;
    }
    for (; offer->base < base; offer->base++) {
        cnv_blob_unref(offer->ring[offer->base % offer->window]);
        offer->ring[offer->base % offer->window] = NULL;
    }
    if (offer_is_held(engine)) {
        return; /* its credit rises with what comes in */
    }
    uint64_t limit = offer->base + offer->window;
    limit = limit < offer->chunks ? limit : offer->chunks;
    if (limit > offer->limit) {
        offer->stalled_ms += offer->next == offer->limit ? engine->now_ms - offer->moved_ms : 0;
        offer->limit = limit;
        offer->moved_ms = engine->now_ms; /* it stood still because we did */
        offer->asked_ms = engine->now_ms;
        offer_post_credit(engine, member, false);
    }
}

void cnv_offer_tick(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_offer *offer = &member->offer;
    char text[CNV_ERROR_TEXT_SIZE];

    if (offer->ring == NULL || offer->next == offer->limit || member->state != CNV_MEMBER_READY) {
        return;
    }
    if (offer_stands_still(engine, member)) {
        (void) snprintf(text,
                        sizeof(text),
                        "upload of %s stands still at chunk %llu of %llu",
                        member->name,
                        (unsigned long long) offer->next,
                        (unsigned long long) offer->chunks);
        cnv_round_refuse(engine, member, CNV_E_SLOW, text);
    } else if (engine->now_ms - offer->asked_ms >= offer->repeat_ms) {
        offer->repeat_ms *= 2;
        offer_restate(engine, member);
    }
}
