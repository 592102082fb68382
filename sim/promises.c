/*
 * promises.c - what must hold after each step, whatever goes wrong (DESIGN.md, section 7).
 *
 *   2  A version grows by one. Each member's count of contributions grows by at most one with a
 *      version, and the new model is, bit for bit, the old one plus the weighted mean of what the
 *      trainers of exactly these members computed for the round, in rank order.
 *   3  The committed model is finite; nobody holds a version with other bits.
 *   4  Whether the run goes on is the caller's to see: cnv_sim_run has a time limit.
 *   5  Chunks stay below their credit, credit within the window, and the blobs that are alive
 *      within what models, windows, packets and agents account for.
 *
 * The mean is computed here anew from the definition, not by the server's code.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/mem.h"
#include "encodings/encoding.h"
#include "proto/plan.h"
#include "proto/vector.h"
#include "state.h"

enum { AGENT_BLOBS = 16, SERVER_BLOBS = 32, MEMBER_BLOBS = 4 };

/* A vector somebody computed or was told: a contribution, or a settled result. */
struct vector_note {
    struct vector_note *next;
    const struct sim_agent *agent; /* NULL: a settled result */
    uint64_t round;
    uint64_t attempt;
    uint32_t exchange;
    uint64_t samples;
    bool is_scaled;
    double factor;
    uint32_t reference;
    double *values;
    size_t length;
};

/* A committed version, as bytes. */
struct version_note {
    uint8_t *bytes;
    size_t len;
};

struct sim_promises {
    struct vector_note *notes;
    struct version_note *versions;
    size_t version_count;
    uint32_t digest;
    size_t blobs_before; /* alive when the simulation began */
};

struct sim_promises *sim_promises_new(void)
{
    struct sim_promises *promises = cnv_object_new(struct sim_promises);

    if (promises != NULL) {
        promises->blobs_before = cnv_blob_alive();
    }
    return promises;
}

/* Drops the notes of rounds up to this one. */
static void forget_notes(struct sim_promises *promises, uint64_t round)
{
    struct vector_note **at = &promises->notes;

    while (*at != NULL) {
        struct vector_note *note = *at;

        if (note->round > round) {
            at = &note->next;
            continue;
        }
        *at = note->next;
        cnv_free(note->values);
        cnv_free(note);
    }
}

void sim_promises_destroy(struct sim_promises *promises)
{
    if (promises == NULL) {
        return;
    }
    forget_notes(promises, UINT64_MAX);
    for (size_t i = 0; i < promises->version_count; i++) {
        cnv_free(promises->versions[i].bytes);
    }
    cnv_free(promises->versions);
    cnv_free(promises);
}

static void note_vector(struct cnv_sim *sim, const struct vector_note *from, const double *values)
{
    struct vector_note *note = cnv_object_new(struct vector_note);

    if (note == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "notes");
        return;
    }
    *note = *from;
    if (values != NULL) {
        note->values = cnv_array_new(note->length, sizeof(*values));
        if (note->values == NULL) {
            cnv_free(note);
            sim_fail(sim, CNV_E_NOMEM, "notes");
            return;
        }
        memcpy(note->values, values, note->length * sizeof(*values));
    }
    note->next = sim->promises->notes;
    sim->promises->notes = note;
}

void sim_promises_contribution(struct cnv_sim *sim,
                               struct sim_agent *agent,
                               const convene_contribution *contribution)
{
    struct vector_note note = {
        .agent = agent,
        .round = contribution->round,
        .attempt = contribution->attempt,
        .exchange = contribution->exchange,
        .samples = contribution->samples,
        .is_scaled = contribution->is_scaled,
        .factor = contribution->factor,
        .reference = contribution->reference,
        .length = contribution->length,
    };

    if (sim->promises != NULL && contribution->exchange + 1 == agent->plan_count) {
        note_vector(sim, &note, contribution->values);
    }
}

/* The newest result of this exchange that was told in this attempt. */
static const struct vector_note *find_result(const struct sim_promises *promises,
                                             uint64_t round,
                                             uint64_t attempt,
                                             uint32_t exchange)
{
    for (const struct vector_note *note = promises->notes; note != NULL; note = note->next) {
        if (note->agent == NULL && note->round == round && note->attempt == attempt &&
            note->exchange == exchange) {
            return note;
        }
    }
    return NULL;
}

static void
check_settled(struct cnv_sim *sim, const struct sim_agent *agent, const convene_event *event)
{
    const struct vector_note *known =
        find_result(sim->promises, event->round, event->attempt, event->exchange);
    struct vector_note note = {
        .round = event->round,
        .attempt = event->attempt,
        .exchange = event->exchange,
        .length = event->length,
    };

    if (known == NULL) {
        note_vector(sim, &note, event->values);
    } else if (known->length != event->length ||
               memcmp(known->values, event->values, event->length * sizeof(double)) != 0) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 3: %s was told another result of round %" PRIu64 ", exchange %u",
                 agent->name,
                 event->round,
                 event->exchange);
    }
}

void sim_promises_event(struct cnv_sim *sim, struct sim_agent *agent, const convene_event *event)
{
    struct cnv_plan plan;

    if (sim->promises == NULL) {
        return;
    }
    if (event->kind == CONVENE_ROUND && cnv_plan_parse(event->plan, &plan)) {
        agent->plan_count = strcmp(event->plan, CNV_PLAN_EVALUATE) == 0 ? 0 : plan.count;
    } else if (event->kind == CONVENE_SETTLED && event->values != NULL) {
        check_settled(sim, agent, event);
    }
}

/* --- A committed version is what its contributors computed -------------------------------- */

struct contributor {
    struct sim_agent *agent;
    const char *name;
    uint32_t shard;
    const struct vector_note *note;
};

static int by_rank(const void *a, const void *b)
{
    const struct contributor *left = a;
    const struct contributor *right = b;

    if (left->shard != right->shard) {
        return left->shard < right->shard ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static struct sim_agent *find_agent(const struct cnv_sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->agent_count; i++) {
        if (strcmp(sim->agents[i]->name, name) == 0) {
            return sim->agents[i];
        }
    }
    return NULL;
}

/* Who is in the newest version, in rank order: those whose count has grown by one. */
static size_t find_contributors(struct cnv_sim *sim, struct contributor *contributors)
{
    struct cnv_member_view member;
    size_t count = 0;

    for (size_t i = 0; cnv_engine_member(sim->engine, sim->now_us / 1000, i, &member); i++) {
        struct sim_agent *agent = find_agent(sim, member.name);

        if (agent == NULL || member.rounds == agent->counted) {
            continue;
        }
        if (member.rounds != agent->counted + 1) {
            sim_fail(sim,
                     CNV_E_UNEXPECTED,
                     "promise 2: contributions of %s went from %" PRIu64 " to %" PRIu64,
                     member.name,
                     agent->counted,
                     member.rounds);
        }
        agent->counted = member.rounds;
        contributors[count++] = (struct contributor){
            .agent = agent,
            .name = agent->name,
            .shard = member.shard,
        };
    }
    qsort(contributors, count, sizeof(*contributors), by_rank);
    return count;
}

/* What the agent computed last for the model exchange of this round, up to this attempt. */
static const struct vector_note *find_contribution(const struct sim_promises *promises,
                                                   const struct sim_agent *agent,
                                                   uint64_t round,
                                                   uint64_t attempt)
{
    for (const struct vector_note *note = promises->notes; note != NULL; note = note->next) {
        if (note->agent == agent && note->round == round && note->attempt <= attempt) {
            return note;
        }
    }
    return NULL;
}

/* Through the encoding and back: what the server can know of the vector. */
static bool pass(const char *name, double *values, size_t length)
{
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(name);
    uint8_t *bytes = cnv_array_new(encoding->size(length), 1);

    if (bytes == NULL) {
        return false;
    }
    encoding->encode(values, length, bytes);
    encoding->decode(bytes, length, NULL, values);
    cnv_free(bytes);
    return true;
}

/* The vector of a contribution as the server decodes it, into values[length]. */
static bool contributed(const struct cnv_sim *sim,
                        const struct vector_note *note,
                        double *values,
                        size_t length)
{
    const struct vector_note *result = NULL;

    if (!note->is_scaled) {
        if (note->values == NULL || note->length != length) {
            return false;
        }
        memcpy(values, note->values, length * sizeof(*values));
        return pass(cnv_config_text(sim->setup.config, "encoding/up"), values, length);
    }
    result = find_result(sim->promises, note->round, note->attempt, note->reference);
    if (result == NULL || result->length != length) {
        return false;
    }
    for (size_t j = 0; j < length; j++) {
        values[j] = note->factor * result->values[j];
    }
    return true;
}

/* Whether all sent the same multiple of a settled result. */
static bool agree(const struct contributor *contributors, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (!contributors[i].note->is_scaled ||
            contributors[i].note->factor != contributors[0].note->factor ||
            contributors[i].note->reference != contributors[0].note->reference) {
            return false;
        }
    }
    return true;
}

/* model += sum of p_i x_i, in rank order; scratch[2 * length]. */
static bool add_mean(const struct cnv_sim *sim,
                     const struct contributor *contributors,
                     size_t count,
                     double *model,
                     size_t length,
                     double *scratch)
{
    bool is_uniform =
        strcmp(cnv_config_text(sim->setup.config, "aggregate/weighting"), "uniform") == 0;
    double *values = scratch;
    double *mean = scratch + length;
    double total = 0;

    /* What all agree on is taken once: a mean of equal numbers might round. */
    if (contributors[0].note->is_scaled) {
        is_uniform = true;
        count = agree(contributors, count) ? 1 : 0;
    }
    for (size_t i = 0; i < count; i++) {
        total += is_uniform ? 1.0 : (double) contributors[i].note->samples;
    }
    if (count == 0) {
        return false;
    }
    memset(mean, 0, length * sizeof(*mean));
    for (size_t i = 0; i < count; i++) {
        double weight = (is_uniform ? 1.0 : (double) contributors[i].note->samples) / total;

        if (!contributed(sim, contributors[i].note, values, length)) {
            return false;
        }
        for (size_t j = 0; j < length; j++) {
            mean[j] += weight * values[j];
        }
    }
    for (size_t j = 0; j < length; j++) {
        model[j] += mean[j];
    }
    return pass(cnv_config_text(sim->setup.config, "encoding/down"), model, length);
}

/* Whether the new model follows from the old one in this attempt of the round. */
static bool follows(struct cnv_sim *sim,
                    struct contributor *contributors,
                    size_t count,
                    uint64_t round,
                    uint64_t attempt,
                    const struct cnv_encoding_ops *encoding,
                    size_t length)
{
    const struct version_note *versions = sim->promises->versions;
    size_t newest = sim->promises->version_count - 1;
    double *work = cnv_array_new(4 * length, sizeof(*work));
    bool is_equal = work != NULL;

    for (size_t i = 0; i < count && is_equal; i++) {
        contributors[i].note =
            find_contribution(sim->promises, contributors[i].agent, round, attempt);
        is_equal = contributors[i].note != NULL;
    }
    if (is_equal) {
        encoding->decode(versions[newest - 1].bytes, length, NULL, work);
        encoding->decode(versions[newest].bytes, length, NULL, work + length);
        is_equal = add_mean(sim, contributors, count, work, length, work + 2 * length) &&
                   memcmp(work, work + length, length * sizeof(*work)) == 0;
    }
    cnv_free(work);
    return is_equal;
}

static void check_follows(struct cnv_sim *sim, const struct cnv_engine_view *view, size_t length)
{
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(view->model_encoding);
    struct cnv_round_row row;
    struct contributor *contributors = cnv_array_new(sim->agent_count, sizeof(*contributors));
    size_t count = contributors == NULL ? 0 : find_contributors(sim, contributors);
    uint64_t newest_attempt = 0;
    bool is_met = false;

    cnv_engine_row(sim->engine, cnv_engine_rows(sim->engine) - 2, &row);
    for (const struct vector_note *note = sim->promises->notes; note != NULL; note = note->next) {
        if (note->round == row.round && note->attempt > newest_attempt) {
            newest_attempt = note->attempt;
        }
    }
    for (uint64_t attempt = newest_attempt; attempt > 0 && !is_met && count > 0; attempt--) {
        is_met = follows(sim, contributors, count, row.round, attempt, encoding, length);
    }
    if (!is_met || count != row.contributors) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 2: version %" PRIu64 " is not the old model plus the mean of its %zu "
                 "contributors (the server says %" PRIu64 ") in round %" PRIu64,
                 view->version,
                 count,
                 row.contributors,
                 row.round);
    }
    forget_notes(sim->promises, row.round);
    cnv_free(contributors);
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
    size_t length = (size_t) view->dimension;
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
        check_follows(sim, view, length);
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

static void check_blobs(struct cnv_sim *sim, const struct cnv_engine_view *view)
{
    size_t bound = sim->promises->blobs_before + SERVER_BLOBS + sim->payloads +
                   view->members * ((size_t) window_max(sim) + MEMBER_BLOBS);

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
