/*
 * round.c - a round as one member sees it.
 *
 *   announce (kept until its version is in) ──► ROUND ──► [app: contribute] ──► offer
 *   settled  ──► SETTLED, next exchange                        (again for each exchange of the
 * plan) commit   ──► COMMIT, the round is over, an announce that waited for this version is
 * delivered
 *
 * What fails: an announce, settled or commit is lost (our beat says where we are and the server
 * sends it again: a repeated one is ignored here); a round begins anew (a higher attempt: the
 * contribution in hand is dropped); a contribution arrives for what has been overtaken (dropped
 * without a word).
 * Invariants: versions only grow; at most one contribution is in hand, for (work, exchange).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/session_state.h"
#include "encodings/blocks.h"

void cnv_session_forget_round(struct cnv_session *session)
{
    cnv_upload_drop(session);
    cnv_download_drop(session);
    session->work = (struct cnv_msg_announce){ 0 };
    session->plan.count = 0;
    session->newest_attempt = 0;
    session->exchange = 0;
    session->place = 0;
    session->has_announce = false;
    session->has_report = false;
}

static bool is_newer(const struct cnv_msg_announce *announce, const struct cnv_msg_announce *than)
{
    return announce->round > than->round ||
           (announce->round == than->round && announce->attempt > than->attempt);
}

/* Begins the announced round, whose version is the one we hold. */
static void start_round(struct cnv_session *session)
{
    struct cnv_plan plan;

    session->has_announce = false;
    if (!cnv_plan_parse(session->announce.plan, &plan)) {
        cnv_session_lose(session, CNV_E_MISFIT, "the round's exchange plan is not known here");
        return;
    }
    struct cnv_event *event = cnv_session_event(session, CONVENE_ROUND);
    if (event == NULL) {
        return;
    }
    cnv_upload_drop(session);
    if (session->download.is_live && !session->download.is_commit) {
        cnv_download_drop(session);
    }
    session->work = session->announce;
    session->plan = plan;
    session->newest_attempt = session->work.attempt;
    session->exchange = 0;
    session->place = 0;
    event->event.round = session->work.round;
    event->event.attempt = session->work.attempt;
    event->event.version = session->work.version;
    event->event.iteration = session->work.iteration;
    event->event.local_steps = (uint32_t) session->work.local_steps;
    event->event.smoothness = session->work.smoothness;
    event->event.evaluate = session->work.evaluate;
    memcpy(event->solver, session->work.solver, sizeof(event->solver));
    memcpy(event->plan, session->work.plan, sizeof(event->plan));
    event->event.check_every = (uint32_t) session->work.check_every;
    memcpy(event->monitor, session->work.monitor, sizeof(event->monitor));
    cnv_event_set_model(event, session->values, session->commit.width);
    cnv_session_deliver(session, event);
}

void cnv_session_recv_announce(struct cnv_session *session, const struct cnv_msg_announce *announce)
{
    bool is_held = session->model != NULL && announce->version == session->commit.version;
    bool is_overtaken = session->model != NULL && announce->version < session->commit.version;

    if (session->is_follower || !session->is_ready || is_overtaken ||
        !is_newer(announce, &session->work) ||
        (session->has_announce && !is_newer(announce, &session->announce))) {
        return;
    }
    session->has_announce = true;
    session->announce = *announce;
    if (is_held) {
        start_round(session);
    }
}

/* --- Settled ------------------------------------------------------------------------------ */

static bool is_awaited(const struct cnv_session *session, const struct cnv_msg_settled *settled)
{
    return session->work.round > 0 && settled->round == session->work.round &&
           settled->attempt >= session->work.attempt && settled->exchange == session->exchange &&
           session->place < session->plan.count;
}

void cnv_session_take_settled(struct cnv_session *session,
                              const struct cnv_msg_settled *settled,
                              struct cnv_blob *bytes)
{
    struct cnv_blob *values = NULL;

    if (bytes != NULL) {
        values = cnv_vector_decode(bytes, settled->encoding, settled->length);
        if (values == NULL) {
            cnv_session_lose(session, CNV_E_NOMEM, "out of memory for a settled result");
            return;
        }
    }
    struct cnv_event *event = cnv_session_event(session, CONVENE_SETTLED);
    if (event == NULL) {
        cnv_blob_unref(values);
        return;
    }
    cnv_upload_drop(session);
    event->event.round = session->work.round;
    event->event.attempt = session->work.attempt;
    event->event.version = session->work.version;
    event->event.exchange = session->exchange;
    event->event.scalar_count = settled->scalars.count;
    memcpy(event->event.scalars,
           settled->scalars.at,
           settled->scalars.count * sizeof(*settled->scalars.at));
    cnv_event_set_values(event, values);
    cnv_blob_unref(values);
    event->event.again = settled->again;
    session->exchange++;
    session->place += settled->again ? 0 : 1;
    cnv_session_deliver(session, event);
}

void cnv_session_recv_settled(struct cnv_session *session,
                              uint64_t now_ms,
                              const struct cnv_msg_settled *settled,
                              struct cnv_blob *payload)
{
    if (!is_awaited(session, settled)) {
        return;
    }
    if (settled->encoding[0] == '\0') {
        cnv_session_take_settled(session, settled, NULL);
    } else if (payload == NULL) {
        cnv_download_settled(session, now_ms, settled);
    } else if (cnv_vector_fits(payload, settled->encoding, settled->length, settled->digest)) {
        cnv_session_take_settled(session, settled, payload);
    }
}

/* --- Commit ------------------------------------------------------------------------------- */

static void deliver_commit(struct cnv_session *session, const struct cnv_msg_commit *commit)
{
    struct cnv_event *event = cnv_session_event(session, CONVENE_COMMIT);

    if (event == NULL) {
        return;
    }
    event->event.round = commit->round;
    event->event.version = commit->version;
    event->event.iteration = commit->iteration;
    event->event.counted = commit->counted;
    cnv_event_set_model(event, session->values, session->commit.width);
    cnv_session_deliver(session, event);
}

void cnv_session_take_commit(struct cnv_session *session,
                             const struct cnv_msg_commit *commit,
                             struct cnv_blob *bytes)
{
    struct cnv_blob *values = cnv_model_decode(bytes, commit);

    if (values == NULL) {
        cnv_session_lose(session, CNV_E_NOMEM, "out of memory for the model");
        return;
    }
    cnv_blob_unref(session->model);
    cnv_blob_unref(session->values);
    session->model = cnv_blob_ref(bytes);
    session->values = values;
    session->commit = *commit;
    if (session->download.is_live) {
        cnv_download_drop(session);
    }
    if (commit->round >= session->work.round) {
        /* The round is over. It is remembered, so that a late announce of it is not taken up. */
        cnv_upload_drop(session);
        session->plan.count = 0;
        session->exchange = 0;
        session->place = 0;
        session->has_report = false;
    }
    deliver_commit(session, commit);
    if (session->has_announce && session->announce.version == commit->version) {
        start_round(session);
    } else if (session->has_announce && session->announce.version < commit->version) {
        session->has_announce = false;
    }
    cnv_session_finish(session);
}

void cnv_session_recv_commit(struct cnv_session *session,
                             uint64_t now_ms,
                             const struct cnv_msg_commit *commit,
                             struct cnv_blob *payload)
{
    if ((session->model != NULL && commit->version <= session->commit.version) ||
        commit->width == 0 || commit->length % commit->width != 0) {
        return;
    }
    if (payload == NULL) {
        cnv_download_commit(session, now_ms, commit);
    } else if (cnv_vector_fits(payload, commit->encoding, commit->length, commit->digest)) {
        cnv_session_take_commit(session, commit, payload);
    }
}

/* --- Contribution ------------------------------------------------------------------------- */

/* What encoding `blocks` is given: without a word of where values differ from zero, one block. */
static struct cnv_blocks blocks_of(const convene_contribution *contribution)
{
    static const uint32_t only = 0;
    struct cnv_blocks blocks = {
        .values = contribution->values,
        .length = contribution->length,
        .block = contribution->block,
        .ids = contribution->blocks,
        .count = contribution->block_count,
    };

    if (contribution->blocks == NULL) {
        blocks.block = contribution->length;
        blocks.ids = &only;
        blocks.count = 1;
    }
    return blocks;
}

/* Whether the exchange in hand is monitor, whose vectors have a length of their own. */
static bool is_at_monitor(const struct cnv_session *session)
{
    return session->place < session->plan.count &&
           strcmp(session->plan.names[session->place], "monitor") == 0;
}

static enum cnv_status check_contribution(const convene_contribution *contribution,
                                          struct cnv_error *err)
{
    struct cnv_blocks blocks = blocks_of(contribution);
    if (contribution->values != NULL && cnv_blocks_size(&blocks) == 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "the contribution's blocks are not ascending numbers of blocks of %zu in "
                        "%zu coordinates",
                        contribution->block,
                        contribution->length);
    }
    if (contribution->is_scaled &&
        (contribution->values != NULL || contribution->reference >= contribution->exchange)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "a scaled contribution to exchange %u needs an earlier exchange to refer "
                        "to and no values",
                        contribution->exchange);
    }
    if (contribution->scalar_count > CONVENE_SCALARS_MAX) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%zu scalars, at most %d are allowed",
                        contribution->scalar_count,
                        CONVENE_SCALARS_MAX);
    }
    return CNV_OK;
}

/* Its vectors side by side, as they travel; NULL: memory is out. */
static double *interleave(const convene_contribution *contribution)
{
    size_t width = contribution->width;
    size_t length = contribution->length;
    double *values =
        length <= SIZE_MAX / width ? cnv_array_new(width * length, sizeof(*values)) : NULL;

    for (size_t k = 0; values != NULL && k < width; k++) {
        for (size_t j = 0; j < length; j++) {
            values[j * width + k] = contribution->values[k * length + j];
        }
    }
    return values;
}

/* The payload of the contribution: NULL for scalars only, which is no failure. */
static enum cnv_status encode_contribution(struct cnv_session *session,
                                           const convene_contribution *contribution,
                                           struct cnv_msg_offer *offer,
                                           struct cnv_blob **ret_payload)
{
    const struct cnv_encoding_ops *encoding = session->encoding_up;
    const double *values = contribution->values;
    size_t count = contribution->length;
    double *wide = NULL;

    if (contribution->is_scaled) {
        encoding = cnv_encoding_find("scaled");
        values = &contribution->factor;
        count = 1;
        offer->length = session->commit.length / session->commit.width;
        offer->reference = contribution->reference;
    } else if (values == NULL) {
        return CNV_OK;
    } else {
        if (contribution->width > 1) {
            wide = interleave(contribution);
            values = wide;
            count *= contribution->width;
        }
        offer->length = count;
        encoding = is_at_monitor(session) ? cnv_encoding_find(CNV_MONITOR_ENCODING) : encoding;
    }
    if (encoding == NULL || (wide != NULL && encoding->is_sparse)) {
        cnv_free(wide);
        return CNV_E_MISFIT;
    }
    struct cnv_blocks blocks = blocks_of(contribution);
    offer->bytes =
        encoding->is_sparse ? cnv_blocks_size(&blocks) : encoding->size((size_t) offer->length);
    *ret_payload = values == NULL ? NULL : cnv_blob_new((size_t) offer->bytes);
    if (*ret_payload == NULL) {
        cnv_free(wide);
        return CNV_E_NOMEM;
    }
    if (encoding->is_sparse) {
        cnv_blocks_encode(&blocks, cnv_blob_edit(*ret_payload));
    } else if (encoding->encode_random != NULL) {
        session->rounding.contribution = session->work.round * CNV_PLAN_MAX + session->exchange;
        encoding->encode_random(values, count, &session->rounding, cnv_blob_edit(*ret_payload));
    } else {
        encoding->encode(values, count, cnv_blob_edit(*ret_payload));
    }
    cnv_free(wide);
    (void) snprintf(offer->encoding, sizeof(offer->encoding), "%s", encoding->name);
    return CNV_OK;
}

enum cnv_status cnv_session_contribute(struct cnv_session *session,
                                       uint64_t now_ms,
                                       const convene_contribution *contribution,
                                       struct cnv_error *err)
{
    struct cnv_msg_offer offer = {
        .run = session->work.run,
        .round = session->work.round,
        .exchange = session->exchange,
        .version = session->work.version,
        .samples = contribution->samples,
        .steps = contribution->steps,
    };
    struct cnv_blob *payload = NULL;
    enum cnv_status status = check_contribution(contribution, err);

    (void) now_ms;
    if (status != CNV_OK) {
        return status;
    }
    if (session->is_over || session->work.round == 0 ||
        contribution->round != session->work.round ||
        contribution->attempt != session->work.attempt ||
        contribution->exchange != session->exchange || session->place >= session->plan.count ||
        session->upload.is_live) {
        return CNV_OK;
    }
    uint64_t coordinates = session->commit.length / session->commit.width;
    if (contribution->values != NULL && contribution->length != coordinates &&
        !is_at_monitor(session)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "contribution has %zu coordinates, the model has %llu",
                        contribution->length,
                        (unsigned long long) coordinates);
    }
    status = encode_contribution(session, contribution, &offer, &payload);
    if (status != CNV_OK) {
        return cnv_fail(err,
                        status,
                        "contribution to round %llu cannot be encoded",
                        (unsigned long long) offer.round);
    }
    offer.scalars.count = (uint32_t) contribution->scalar_count;
    memcpy(offer.scalars.at,
           contribution->scalars,
           contribution->scalar_count * sizeof(*contribution->scalars));
    cnv_upload_start(session, &offer, payload);
    cnv_blob_unref(payload);
    return CNV_OK;
}
