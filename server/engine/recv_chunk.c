/*
 * recv_chunk.c - a piece of a vector that is being pulled.
 *
 * Happy path: a new chunk within the credit is kept as it came; when it completes the next slices
 * of its member they may be merged.
 * What can be: an older attempt or transfer, a chunk that is here or merged already, one above the
 * credit: ignored. What can fail: a wrong length or CRC, a first chunk whose index of blocks
 * cannot be or does not end in it: the contribution is refused.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/crc32c.h"
#include "internal.h"
#include "proto/vector.h"

/* Counts the slices whose bytes are all in, after next has moved. */
static void chunk_count_slices(struct cnv_offer *offer, uint64_t chunk_bytes)
{
    size_t length = (size_t) offer->head.length;
    size_t slices = cnv_slice_count(length, offer->slice);
    uint64_t bytes = offer->next * chunk_bytes;

    if (offer->encoding->is_sparse && offer->index == NULL) {
        return;
    }
    while (offer->slices < slices) {
        size_t count = cnv_slice_len(length, offer->slice, offer->slices);
        struct cnv_extent extent = cnv_offer_extent(offer, offer->slices * offer->slice, count);

        if (offer->next < offer->chunks && extent.offset + extent.len > bytes) {
            return;
        }
        offer->slices++;
    }
}

void cnv_recv_chunk(struct cnv_engine *engine,
                    struct cnv_member *member,
                    const struct cnv_msg_chunk *chunk,
                    struct cnv_blob *payload)
{
    struct cnv_offer *offer = &member->offer;
    uint64_t chunk_bytes = engine->settings.chunk_bytes;
    char text[CNV_ERROR_TEXT_SIZE];

    if (offer->ring == NULL || chunk->transfer != offer->head.transfer ||
        chunk->attempt != engine->round.attempt || chunk->index < offer->base ||
        chunk->index >= offer->limit || cnv_offer_chunk(offer, chunk->index) != NULL) {
        return;
    }
    size_t len = cnv_chunk_len(offer->head.bytes, chunk_bytes, chunk->index);
    if (cnv_blob_len(payload) != len) {
        (void) snprintf(text,
                        sizeof(text),
                        "chunk %" PRIu64 " of %s has %zu bytes, not %zu",
                        chunk->index,
                        member->name,
                        cnv_blob_len(payload),
                        len);
        cnv_round_refuse(engine, member, CNV_E_SIZE, text);
        return;
    }
    if (cnv_crc32c(0, cnv_blob_data(payload), len) != chunk->crc) {
        (void) snprintf(text,
                        sizeof(text),
                        "chunk %" PRIu64 " of %s differs from its checksum",
                        chunk->index,
                        member->name);
        cnv_round_refuse(engine, member, CNV_E_CHECKSUM, text);
        return;
    }
    if (chunk->index == 0 && offer->encoding->is_sparse) {
        struct cnv_error err = { .status = CNV_OK };

        if (cnv_offer_learn(offer, payload, &err) != CNV_OK) {
            (void) snprintf(text, sizeof(text), "%.64s: %.160s", member->name, err.text);
            cnv_round_refuse(engine, member, err.status, text);
            return;
        }
    }
    offer->ring[chunk->index % offer->window] = cnv_blob_ref(payload);
    while (offer->next < offer->limit && cnv_offer_chunk(offer, offer->next) != NULL) {
        offer->next++;
    }
    offer->moved_ms = engine->now_ms;
    offer->asked_ms = engine->now_ms;
    offer->repeat_ms = cnv_offer_repeat_ms(engine);
    engine->chunk_ms = engine->now_ms;
    chunk_count_slices(offer, chunk_bytes);
    cnv_offer_extend(engine, member);
    cnv_pace_note(engine, member);
}
