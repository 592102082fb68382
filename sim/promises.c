/*
 * promises.c - what must hold after each step, whatever goes wrong.
 *
 *   2  A version grows by one. Each member's count of contributions grows by at most one with a
 *      version, and the new model is, bit for bit, the old one plus the weighted mean of what the
 *      trainers of exactly these members computed for the round, in rank order.
 *   3  The committed model is finite; nobody holds a version with other bits.
 *   4  Whether the run goes on is the caller's to see: cnv_sim_run has a time limit.
 *   5  Chunks stay below their credit, credit within the window, and the blobs that are alive
 *      within what models, windows, packets and agents account for.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/mem.h"
#include "encodings/encoding.h"
#include "promises.h"
#include "proto/vector.h"

enum { AGENT_BLOBS = 16, SERVER_BLOBS = 32, MEMBER_BLOBS = 4 };

struct sim_promises *sim_promises_new(void)
{
    struct sim_promises *promises = cnv_object_new(struct sim_promises);

    if (promises != NULL) {
        promises->blobs_before = cnv_blob_alive();
    }
    return promises;
}

void sim_promises_destroy(struct sim_promises *promises)
{
    if (promises == NULL) {
        return;
    }
    sim_averages_forget(promises, UINT64_MAX);
    for (size_t i = 0; i < promises->version_count; i++) {
        cnv_free(promises->versions[i].bytes);
    }
    cnv_free(promises->versions);
    cnv_free(promises->momentum);
    cnv_free(promises->table);
    cnv_free(promises);
}

static void check_finite(struct cnv_sim *sim, const struct cnv_engine_view *view, size_t length)
{
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(view->model_encoding);
    double *values = cnv_array_new(length, sizeof(*values));

    if (values == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "model");
        return;
    }
    encoding->decode(cnv_blob_data(view->model), length, NULL, values);
    for (size_t j = 0; j < length; j++) {
        if (!isfinite(values[j])) {
            sim_fail(sim,
                     CNV_E_UNEXPECTED,
                     "promise 3: coordinate %zu of version %" PRIu64 " is not finite",
                     j,
                     view->version);
            break;
        }
    }
    cnv_free(values);
}

static void check_commit(struct cnv_sim *sim, const struct cnv_engine_view *view)
{
    struct sim_promises *promises = sim->promises;
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(view->model_encoding);
    size_t dimension = (size_t) view->dimension;
    size_t length = dimension * view->model_width;
    struct version_note *versions = NULL;

    if (view->version != promises->version_count) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 2: version %" PRIu64 " follows %zu",
                 view->version,
                 promises->version_count - 1);
        return;
    }
    if (cnv_vector_digest(encoding, cnv_blob_data(view->model), length) != view->digest) {
        sim_fail(
            sim, CNV_E_UNEXPECTED, "the digest of version %" PRIu64 " is wrong", view->version);
    }
    versions = cnv_array_resize(promises->versions,
                                promises->version_count,
                                promises->version_count + 1,
                                sizeof(*versions));
    if (versions == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "versions");
        return;
    }
    promises->versions = versions;
    struct version_note *note = &versions[promises->version_count];
    note->len = cnv_blob_len(view->model);
    note->bytes = cnv_array_new(note->len, 1);
    if (note->bytes == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "versions");
        return;
    }
    memcpy(note->bytes, cnv_blob_data(view->model), note->len);
    promises->version_count++;
    promises->digest = view->digest;
    check_finite(sim, view, length);
    if (view->version > 0) {
        sim_averages_check(sim, view, dimension);
    }
}

/* --- Memory and credit -------------------------------------------------------------------- */

static uint64_t window_max(const struct cnv_sim *sim)
{
    uint64_t window = (uint64_t) cnv_config_integer(sim->setup.config, "limits/window");
    uint64_t chunk = (uint64_t) cnv_config_integer(sim->setup.config, "limits/chunk");
    uint64_t slice = 2 * (uint64_t) CNV_SLICE * sizeof(double) / chunk + 2;

    return window > slice ? window : slice;
}

/* Chunks of one member that may be held: a window, or all, where whole vectors are compared. */
static uint64_t held_max(const struct cnv_sim *sim, const struct cnv_engine_view *view)
{
    const char *kind = cnv_config_text(sim->setup.config, "aggregate/kind");
    uint64_t bytes = view->dimension * sizeof(double);
    uint64_t chunk = (uint64_t) cnv_config_integer(sim->setup.config, "limits/chunk");
    uint64_t whole = bytes / chunk + 1;
    uint64_t window = window_max(sim);

    return cnv_aggregate_find(kind)->scoring != NULL && whole > window ? whole : window;
}

static void check_blobs(struct cnv_sim *sim, const struct cnv_engine_view *view)
{
    size_t bound = sim->promises->blobs_before + SERVER_BLOBS + sim->payloads +
                   view->members * ((size_t) held_max(sim, view) + MEMBER_BLOBS);

    for (size_t i = 0; i < sim->agent_count; i++) {
        bound += sim->agents[i]->is_alive ? AGENT_BLOBS + sim->agents[i]->event_count : 0;
    }
    if (cnv_blob_alive() > bound) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 5: %zu blobs are alive, %zu can be accounted for",
                 cnv_blob_alive(),
                 bound);
    }
}

void sim_promises_check(struct cnv_sim *sim)
{
    struct cnv_engine_view view;

    cnv_engine_view(sim->engine, &view);
    if (view.model == NULL) {
        return;
    }
    if (sim->promises->version_count == 0 || view.version != sim->version) {
        check_commit(sim, &view);
    } else if (view.digest != sim->promises->digest) {
        sim_fail(sim, CNV_E_UNEXPECTED, "promise 1: version %" PRIu64 " has changed", view.version);
    }
    check_blobs(sim, &view);
}

void sim_promises_session(struct cnv_sim *sim, struct sim_agent *agent)
{
    struct cnv_blob *model = NULL;
    uint32_t digest = 0;
    uint64_t version = cnv_session_version(agent->session, &model, &digest);

    if (model == NULL || (model == agent->seen_model && version == agent->seen_version)) {
        return;
    }
    const struct version_note *note =
        version < sim->promises->version_count ? &sim->promises->versions[version] : NULL;
    if (note == NULL || (agent->seen_model != NULL && version <= agent->seen_version)) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 2: %s goes from version %" PRIu64 " to %" PRIu64,
                 agent->name,
                 agent->seen_version,
                 version);
    } else if (note->len != cnv_blob_len(model) ||
               memcmp(note->bytes, cnv_blob_data(model), note->len) != 0) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 3: %s holds version %" PRIu64 " with other bits",
                 agent->name,
                 version);
    }
    agent->seen_model = model;
    agent->seen_version = version;
}

static void grant(struct sim_ledger *ledger, const struct cnv_msg_credit *credit)
{
    bool is_newer = credit->transfer > ledger->transfer ||
                    (credit->transfer == ledger->transfer && credit->attempt > ledger->attempt);

    if (is_newer) {
        *ledger = (struct sim_ledger){ .transfer = credit->transfer, .attempt = credit->attempt };
    }
    if (credit->transfer == ledger->transfer && credit->attempt == ledger->attempt &&
        credit->limit > ledger->limit) {
        ledger->limit = credit->limit;
    }
}

void sim_promises_transfer(struct cnv_sim *sim,
                           struct sim_agent *agent,
                           bool is_to_server,
                           bool is_sent,
                           const struct cnv_message *message)
{
    /* Credit counts from its arrival at the sender of the vector, chunks from their sending. */
    if (message->kind == CNV_KIND_CREDIT && !is_sent) {
        grant(is_to_server ? &agent->down : &agent->up, &message->credit);
    }
    if (message->kind == CNV_KIND_CREDIT && is_sent &&
        message->credit.limit > message->credit.next + window_max(sim)) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 5: credit of %s reaches from chunk %" PRIu64 " to %" PRIu64,
                 agent->name,
                 message->credit.next,
                 message->credit.limit);
    }
    if (message->kind != CNV_KIND_CHUNK || !is_sent) {
        return;
    }
    const struct sim_ledger *ledger = is_to_server ? &agent->up : &agent->down;
    const struct cnv_msg_chunk *chunk = &message->chunk;
    bool is_known = chunk->transfer == ledger->transfer && chunk->attempt == ledger->attempt;
    if (chunk->transfer > ledger->transfer || (is_known && chunk->index >= ledger->limit)) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 5: chunk %" PRIu64 " of transfer %" PRIu64 " of %s (%s) is sent with "
                 "credit for %" PRIu64 " of transfer %" PRIu64,
                 chunk->index,
                 chunk->transfer,
                 agent->name,
                 is_to_server ? "up" : "down",
                 ledger->limit,
                 ledger->transfer);
    }
}

void sim_promises_smoothness(struct cnv_sim *sim, const char *name, double smoothness)
{
    struct sim_promises *promises = sim->promises;

    if (promises->has_smoothness && smoothness != promises->smoothness) {
        sim_fail(sim, CNV_E_UNEXPECTED, "%s was told another L than others: %g", name, smoothness);
    }
    promises->has_smoothness = true;
    promises->smoothness = smoothness;
}
