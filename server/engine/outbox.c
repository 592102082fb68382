/*
 * outbox.c - commits and results on their way to a member: inline if small, else paced by credit.
 *
 * Happy path: the header goes out with a transfer number; the member answers with credit; each
 * credit sends the chunks below its limit; credit for next = the end lets go of the vector.
 * What can fail: a chunk is not queued (the next tick tries again); chunks or credit are lost (the
 * member says credit with rewind); the header is lost (its beat brings it again, with the same
 * transfer number); the member stops reading (credit stops with it, a few words are kept, no
 * copy). A newer vector supersedes the one under way.
 * Invariants: one download a member; sent chunks never exceed the limit, the limit never exceeds
 * next + window.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "proto/vector.h"

void cnv_outbox_clear(struct cnv_member *member)
{
    cnv_parcel_unref(member->download.parcel);
    memset(&member->download, 0, sizeof(member->download));
}

/* The transfer number under which the member gets the vector: 0 when it rides inline. */
static uint64_t outbox_open(struct cnv_member *member, struct cnv_parcel *parcel)
{
    struct cnv_download *download = &member->download;

    if (cnv_blob_len(parcel->blob) <= CNV_INLINE_MAX) {
        cnv_outbox_clear(member);
        return 0;
    }
    if (download->parcel != parcel) {
        cnv_outbox_clear(member);
        download->parcel = cnv_parcel_ref(parcel);
        download->transfer = ++member->transfers;
    }
    return download->transfer;
}

/* Posts the header, with the vector if it is small. */
static void outbox_post(struct cnv_engine *engine,
                        struct cnv_member *member,
                        const struct cnv_message *message,
                        struct cnv_parcel *parcel)
{
    size_t bytes = parcel == NULL ? 0 : cnv_blob_len(parcel->blob);

    if (parcel != NULL && bytes <= CNV_INLINE_MAX) {
        (void) cnv_post(engine, member, CNV_DATA, message, parcel->blob, 0, bytes);
    } else {
        cnv_post_header(engine, member, message);
    }
}

void cnv_outbox_commit(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_parcel *model = engine->model;
    struct cnv_message message = { .kind = CNV_KIND_COMMIT };

    if (member->download.parcel == model && member->download.limit > 0) {
        return; /* it is under way and the member knows */
    }
    message.commit.run = engine->run;
    message.commit.round = engine->version;
    message.commit.version = engine->version;
    message.commit.iteration = engine->iteration;
    message.commit.contributors = engine->contributors;
    message.commit.counted =
        engine->settings.is_async
            ? member->counted_version > member->since_version
            : engine->version > 0 && member->counted_version == engine->version;
    message.commit.transfer = outbox_open(member, model);
    (void) snprintf(message.commit.encoding,
                    sizeof(message.commit.encoding),
                    "%s",
                    engine->settings.down->name);
    message.commit.length = model->length;
    message.commit.bytes = cnv_blob_len(model->blob);
    message.commit.digest = model->digest;
    message.commit.width = engine->width.kept;
    member->commit_ms = engine->now_ms;
    member->told_version = engine->version;
    outbox_post(engine, member, &message, model);
}

void cnv_outbox_settled(struct cnv_engine *engine, struct cnv_member *member)
{
    const struct cnv_result *result = &engine->round.last;
    struct cnv_parcel *vector = result->vector;
    struct cnv_message message = { .kind = CNV_KIND_SETTLED };

    if (vector != NULL && member->download.parcel == vector && member->download.limit > 0) {
        return;
    }
    message.settled.run = engine->run;
    message.settled.round = engine->round.number;
    message.settled.attempt = result->attempt;
    message.settled.exchange = result->exchange;
    message.settled.contributors = result->contributors;
    message.settled.again = result->is_again;
    if (vector != NULL) {
        message.settled.transfer = outbox_open(member, vector);
        (void) snprintf(message.settled.encoding,
                        sizeof(message.settled.encoding),
                        "%s",
                        engine->settings.down->name);
        message.settled.length = vector->length;
        message.settled.bytes = cnv_blob_len(vector->blob);
        message.settled.digest = vector->digest;
    }
    message.settled.scalars.count = result->scalar_count;
    memcpy(message.settled.scalars.at,
           result->scalars,
           result->scalar_count * sizeof(*result->scalars));
    member->settled_ms = engine->now_ms;
    outbox_post(engine, member, &message, vector);
}

void cnv_outbox_pump(struct cnv_engine *engine, struct cnv_member *member)
{
    struct cnv_download *download = &member->download;

    if (download->parcel == NULL || member->bulk_peer == 0) {
        return;
    }
    size_t bytes = cnv_blob_len(download->parcel->blob);
    uint64_t chunk_bytes = download->parcel->chunk_bytes;
    uint64_t chunks = cnv_chunk_count(bytes, chunk_bytes);

    while (download->next < download->limit && download->next < chunks) {
        struct cnv_message message = { .kind = CNV_KIND_CHUNK };

        message.chunk.transfer = download->transfer;
        message.chunk.index = download->next;
        message.chunk.crc = cnv_parcel_crc(download->parcel, download->next);
        if (cnv_post(engine,
                     member,
                     CNV_BULK,
                     &message,
                     download->parcel->blob,
                     (size_t) (download->next * chunk_bytes),
                     cnv_chunk_len(bytes, chunk_bytes, download->next)) == 0) {
            return;
        }
        download->next++;
    }
}

void cnv_recv_credit(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_msg_credit *credit)
{
    struct cnv_download *download = &member->download;

    if (download->parcel == NULL || credit->transfer != download->transfer) {
        return; /* superseded */
    }
    uint64_t chunks =
        cnv_chunk_count(cnv_blob_len(download->parcel->blob), download->parcel->chunk_bytes);
    if (credit->next >= chunks) {
        cnv_outbox_clear(member);
        if (cnv_run_is_over(engine)) {
            cnv_run_dismiss(engine, member);
        }
        return;
    }
    uint64_t most = credit->next + engine->settings.window;
    uint64_t limit = credit->limit < most ? credit->limit : most;

    if (credit->rewind) {
        download->next = credit->next;
        download->limit = limit;
    } else {
        download->next = download->next < credit->next ? credit->next : download->next;
        download->limit = download->limit < limit ? limit : download->limit;
    }
    cnv_outbox_pump(engine, member);
}
