/*
 * upload.c - our contribution on its way to the server.
 *
 * Happy path: offered with its payload, or offered, granted credit and sent by chunks; dropped
 * when the exchange is settled. What fails: the offer is lost (it is repeated with each beat, until
 * credit says that its payload is in);
 * chunks are lost (the server's credit says rewind, or names a new attempt, and we go back to
 * what it wants); the bulk socket takes no more (the next tick goes on).
 * Invariants: sent <= limit <= chunks; a limit never shrinks within an attempt.
 */
#include "base/crc32c.h"
#include "client/session_state.h"
#include "proto/vector.h"

void cnv_upload_start(struct cnv_session *session,
                      const struct cnv_msg_offer *offer,
                      struct cnv_blob *payload)
{
    struct cnv_upload *upload = &session->upload;

    *upload =
        (struct cnv_upload){ .is_live = true, .offer = *offer, .payload = cnv_blob_ref(payload) };
    upload->offer.transfer = ++session->transfers;
    if (offer->bytes > CNV_INLINE_MAX) {
        upload->chunks = cnv_chunk_count(offer->bytes, session->welcome.chunk_bytes);
    } else if (payload != NULL) {
        upload->offer.crc = cnv_crc32c(0, cnv_blob_data(payload), cnv_blob_len(payload));
    }
    if (session->is_welcome) {
        cnv_upload_offer(session);
    }
}

void cnv_upload_offer(struct cnv_session *session)
{
    struct cnv_upload *upload = &session->upload;
    struct cnv_message message = { .kind = CNV_KIND_OFFER, .offer = upload->offer };
    struct cnv_blob *payload = upload->chunks == 0 ? upload->payload : NULL;

    message.offer.attempt = session->newest_attempt;
    (void) session->io.send(
        session->io.self, CNV_DATA, &message, payload, 0, cnv_blob_len(payload));
}

void cnv_upload_recv_credit(struct cnv_session *session, const struct cnv_msg_credit *credit)
{
    struct cnv_upload *upload = &session->upload;

    if (!upload->is_live || credit->transfer != upload->offer.transfer ||
        credit->attempt < upload->attempt || credit->next > upload->chunks) {
        return;
    }
    if (upload->chunks == 0) {
        upload->is_in = true;
        return;
    }
    if (credit->attempt > upload->attempt) {
        upload->attempt = credit->attempt;
        upload->sent = credit->next;
        upload->wanted = credit->next;
        upload->limit = 0;
    } else if (credit->rewind && credit->next < upload->sent) {
        upload->sent = credit->next;
    }
    if (credit->attempt > session->newest_attempt) {
        session->newest_attempt = credit->attempt;
    }
    if (credit->next > upload->wanted) {
        upload->wanted = credit->next;
    }
    if (credit->limit > upload->limit) {
        upload->limit = credit->limit < upload->chunks ? credit->limit : upload->chunks;
    }
    cnv_upload_pump(session);
}

void cnv_upload_pump(struct cnv_session *session)
{
    struct cnv_upload *upload = &session->upload;

    if (!upload->is_live || !session->is_welcome) {
        return;
    }
    if (upload->sent < upload->limit && !session->is_bulk_used) {
        cnv_session_attach(session);
    }
    while (upload->sent < upload->limit) {
        uint64_t chunk_bytes = session->welcome.chunk_bytes;
        size_t offset = (size_t) (upload->sent * chunk_bytes);
        size_t len = cnv_chunk_len(upload->offer.bytes, chunk_bytes, upload->sent);
        struct cnv_message message = { .kind = CNV_KIND_CHUNK };

        message.chunk.transfer = upload->offer.transfer;
        message.chunk.attempt = upload->attempt;
        message.chunk.index = upload->sent;
        message.chunk.crc = cnv_crc32c(0, cnv_blob_data(upload->payload) + offset, len);
        if (session->io.send(session->io.self, CNV_BULK, &message, upload->payload, offset, len) ==
            0) {
            return;
        }
        upload->sent++;
    }
}

void cnv_upload_rewind(struct cnv_session *session)
{
    if (session->upload.is_live && session->upload.wanted < session->upload.sent) {
        session->upload.sent = session->upload.wanted;
    }
    cnv_upload_pump(session);
}

void cnv_upload_drop(struct cnv_session *session)
{
    cnv_blob_unref(session->upload.payload);
    session->upload = (struct cnv_upload){ 0 };
}
