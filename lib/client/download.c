/*
 * download.c - a settled result or a model on its way to us by chunks.
 *
 * Happy path: told of the transfer, we grant window chunks and more as they come in, in any
 * order; when all are in, the digest is checked and the vector is handed on. What fails: chunks
 * are lost (when none came for a heartbeat and as long as one takes on the slowest link, then less
 * and less often, or after a reconnect, we ask again from the first that is
 * missing, and say who we are on the bulk socket, whose connection may be new); the same vector
 * is told again under another number (what has come in is kept); the digest is wrong (from 0).
 * Invariants: next is the first missing chunk; told - next <= window.
 */
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "client/session_state.h"
#include "proto/vector.h"

bool cnv_vector_fits(const struct cnv_blob *bytes,
                     const char *encoding,
                     uint64_t length,
                     uint64_t digest)
{
    const struct cnv_encoding_ops *ops = cnv_encoding_find(encoding);

    return ops != NULL && cnv_encoding_is_dense(ops) &&
           cnv_blob_len(bytes) == ops->size((size_t) length) &&
           cnv_vector_digest(ops, cnv_blob_data(bytes), (size_t) length) == digest;
}

struct cnv_blob *
cnv_vector_decode(const struct cnv_blob *bytes, const char *encoding, uint64_t length)
{
    const struct cnv_encoding_ops *ops = cnv_encoding_find(encoding);
    struct cnv_blob *values = cnv_blob_new((size_t) length * sizeof(double));

    if (values != NULL) {
        double *out = (double *) (void *) cnv_blob_edit(values);

        ops->decode(cnv_blob_data(bytes), (size_t) length, NULL, out);
    }
    return values;
}

struct cnv_blob *cnv_model_decode(const struct cnv_blob *bytes, const struct cnv_msg_commit *commit)
{
    struct cnv_blob *wide = cnv_vector_decode(bytes, commit->encoding, commit->length);
    size_t width = (size_t) commit->width;
    size_t coordinates = (size_t) commit->length / width;

    if (width == 1 || wide == NULL) {
        return wide;
    }
    struct cnv_blob *values = cnv_blob_new((size_t) commit->length * sizeof(double));
    if (values != NULL) {
        const double *from = (const double *) (const void *) cnv_blob_data(wide);
        double *out = (double *) (void *) cnv_blob_edit(values);

        for (size_t k = 0; k < width; k++) {
            for (size_t j = 0; j < coordinates; j++) {
                out[k * coordinates + j] = from[j * width + k];
            }
        }
    }
    cnv_blob_unref(wide);
    return values;
}

static uint64_t download_digest(const struct cnv_download *download)
{
    return download->is_commit ? download->commit.digest : download->settled.digest;
}

static void grant(struct cnv_session *session, bool is_rewind)
{
    struct cnv_download *download = &session->download;
    struct cnv_message message = { .kind = CNV_KIND_CREDIT };
    uint64_t limit = download->next + session->welcome.window;

    if (!session->is_bulk_used) {
        cnv_session_attach(session);
    }
    download->told = limit < download->chunks ? limit : download->chunks;
    message.credit.transfer = download->transfer;
    message.credit.next = download->next;
    message.credit.limit = download->told;
    message.credit.rewind = is_rewind;
    (void) cnv_session_send(session, CNV_DATA, &message);
}

static uint64_t repeat_ms(const struct cnv_session *session)
{
    return session->welcome.heartbeat_ms + cnv_chunk_time_ms(session->welcome.chunk_bytes);
}

/* Makes room for a vector of so many bytes; false: nothing is under way. */
static bool start(struct cnv_session *session,
                  uint64_t now_ms,
                  const char *encoding,
                  uint64_t length,
                  uint64_t bytes)
{
    struct cnv_download *download = &session->download;
    const struct cnv_encoding_ops *ops = cnv_encoding_find(encoding);

    cnv_download_drop(session);
    if (ops == NULL || !cnv_encoding_is_dense(ops) || bytes != ops->size((size_t) length) ||
        bytes == 0) {
        return false;
    }
    download->chunks = cnv_chunk_count(bytes, session->welcome.chunk_bytes);
    download->bytes = cnv_blob_new((size_t) bytes);
    download->have = cnv_array_new((size_t) download->chunks, 1);
    if (download->bytes == NULL || download->have == NULL) {
        cnv_download_drop(session);
        cnv_session_lose(session, CNV_E_NOMEM, "out of memory for a vector");
        return false;
    }
    download->is_live = true;
    download->moved_ms = now_ms;
    download->repeat_ms = repeat_ms(session);
    return true;
}

/* The vector under way was told of again: goes on with it under the number given now. */
static void resume(struct cnv_session *session, uint64_t transfer)
{
    session->download.transfer = transfer;
    grant(session, true);
}

void cnv_download_settled(struct cnv_session *session,
                          uint64_t now_ms,
                          const struct cnv_msg_settled *settled)
{
    struct cnv_download *download = &session->download;

    if (download->is_live && download->is_commit) {
        return; /* newer than this round */
    }
    if (download->is_live && download->settled.round == settled->round &&
        download->settled.exchange == settled->exchange &&
        download->settled.attempt == settled->attempt &&
        download->settled.digest == settled->digest) {
        if (download->transfer != settled->transfer) {
            resume(session, settled->transfer);
        }
        return;
    }
    if (start(session, now_ms, settled->encoding, settled->length, settled->bytes)) {
        download->settled = *settled;
        download->transfer = settled->transfer;
        grant(session, false);
    }
}

void cnv_download_commit(struct cnv_session *session,
                         uint64_t now_ms,
                         const struct cnv_msg_commit *commit)
{
    struct cnv_download *download = &session->download;

    if (download->is_live && download->is_commit && download->commit.version >= commit->version) {
        if (download->commit.version == commit->version && download->transfer != commit->transfer) {
            resume(session, commit->transfer);
        }
        return;
    }
    if (start(session, now_ms, commit->encoding, commit->length, commit->bytes)) {
        download->is_commit = true;
        download->commit = *commit;
        download->transfer = commit->transfer;
        grant(session, false);
    }
}

static void complete(struct cnv_session *session, uint64_t now_ms)
{
    struct cnv_download *download = &session->download;
    const char *encoding =
        download->is_commit ? download->commit.encoding : download->settled.encoding;
    uint64_t length = download->is_commit ? download->commit.length : download->settled.length;

    if (!cnv_vector_fits(download->bytes, encoding, length, download_digest(download))) {
        memset(download->have, 0, (size_t) download->chunks);
        download->next = 0;
        download->moved_ms = now_ms;
        grant(session, true);
        return;
    }
    /* Taken out first: the vector's arrival may start the next download. */
    struct cnv_download done = *download;
    *download = (struct cnv_download){ 0 };
    if (done.is_commit) {
        cnv_session_take_commit(session, &done.commit, done.bytes);
    } else {
        cnv_session_take_settled(session, &done.settled, done.bytes);
    }
    cnv_blob_unref(done.bytes);
    cnv_free(done.have);
}

void cnv_download_recv_chunk(struct cnv_session *session,
                             uint64_t now_ms,
                             const struct cnv_msg_chunk *chunk,
                             struct cnv_blob *payload)
{
    struct cnv_download *download = &session->download;

    if (!download->is_live || chunk->transfer != download->transfer ||
        chunk->index >= download->chunks || download->have[chunk->index] != 0) {
        return;
    }
    uint64_t bytes = cnv_blob_len(download->bytes);
    size_t len = cnv_chunk_len(bytes, session->welcome.chunk_bytes, chunk->index);
    if (cnv_blob_len(payload) != len || cnv_crc32c(0, cnv_blob_data(payload), len) != chunk->crc) {
        return;
    }
    memcpy(cnv_blob_edit(download->bytes) + chunk->index * session->welcome.chunk_bytes,
           cnv_blob_data(payload),
           len);
    download->have[chunk->index] = 1;
    download->moved_ms = now_ms;
    download->repeat_ms = repeat_ms(session);
    while (download->next < download->chunks && download->have[download->next] != 0) {
        download->next++;
    }
    /* Half a window at a time: the sender never runs dry, and credit stays a small part. */
    if (download->next == download->chunks ||
        (download->told < download->chunks &&
         download->told - download->next <= session->welcome.window / 2)) {
        grant(session, false);
    }
    if (download->next == download->chunks) {
        complete(session, now_ms);
    }
}

void cnv_download_rewind(struct cnv_session *session, uint64_t now_ms)
{
    if (session->download.is_live) {
        session->download.moved_ms = now_ms;
        cnv_session_attach(session);
        grant(session, true);
    }
}

void cnv_download_drop(struct cnv_session *session)
{
    cnv_blob_unref(session->download.bytes);
    cnv_free(session->download.have);
    session->download = (struct cnv_download){ 0 };
}
