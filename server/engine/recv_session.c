/*
 * recv_session.c - the small messages of a session: attach, report, credit for downloads.
 *
 * attach ties a bulk connection to a member by the token of its welcome. What was under way on an
 * older bulk connection may be lost: an upload is asked for again from its first missing chunk; a
 * download is taken up again by the member's own credit.
 */
#include <math.h>
#include <string.h>

#include "internal.h"

void cnv_recv_attach(struct cnv_engine *engine,
                     cnv_peer_id peer,
                     const struct cnv_msg_attach *attach,
                     size_t wire_bytes)
{
    struct cnv_member *member = NULL;

    for (size_t i = 0; i < engine->member_count && attach->token != 0; i++) {
        if (engine->members[i]->token == attach->token && engine->members[i]->peer != 0) {
            member = engine->members[i];
        }
    }
    if (member == NULL) {
        cnv_post_rejoin(engine, peer, CNV_BULK);
        return;
    }
    member->bytes_up += wire_bytes;
    member->heard_ms = engine->now_ms;
    if (member->bulk_peer == peer) {
        return;
    }
    struct cnv_member *other = cnv_member_by_peer(engine, CNV_BULK, peer);
    if (other != NULL) {
        other->bulk_peer = 0;
    }
    if (member->bulk_peer != 0 && member->bulk_peer != member->peer) {
        engine->io.drop(engine->io.self, member->bulk_peer);
    }
    member->bulk_peer = peer;
    cnv_offer_resume(engine, member);
    cnv_outbox_pump(engine, member);
}

void cnv_recv_report(struct cnv_engine *engine,
                     struct cnv_member *member,
                     const struct cnv_msg_report *report)
{
    bool is_error = strcmp(report->metric, "squared_error") == 0;

    if (report->run != engine->run || report->rows == 0 || !isfinite(report->value) ||
        report->version < member->test_version || report->version > engine->version ||
        (!is_error && strcmp(report->metric, "correct") != 0)) {
        return;
    }
    member->test_version = report->version;
    member->test_is_error = is_error;
    member->test_value = report->value;
    member->test_rows = report->rows;
    member->test_unknown = report->unknown;
}
