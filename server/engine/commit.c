/*
 * commit.c - the only place where the model changes.
 *
 * Happy path: merged model ► the policy decides on the next round ► persist ► it is durable ► the
 * version counts, everyone gets it, a row is added, the next round may open.
 * What can fail: nothing once persist was asked for. A stop in between takes effect after the
 * commit; a message lost on its way is repaired by beats.
 * Invariants: nobody is told of a version before it is durable; version grows by one; contributors
 * of the frozen set, and no others, are told that they counted.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/partition.h"
#include "base/rng.h"
#include "internal.h"
#include "proto/vector.h"

/* One slice of the start model. Each slice has its own stream: the bits depend on the seed alone.
 */
static void commit_fill_start(const struct cnv_settings *settings, size_t slice, double *values)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, settings->seed, CNV_RNG_INIT, slice, 0);
    for (size_t i = 0; i < CNV_SLICE; i++) {
        values[i] = settings->start_mean;
        if (settings->start_scale > 0) {
            values[i] += settings->start_scale * cnv_rng_normal(&rng);
        }
    }
}

/* Whether the model to start from is one of this run's data. */
static enum cnv_status
commit_check_start(const struct cnv_engine *engine, size_t length, struct cnv_error *err)
{
    const struct cnv_blob *start = engine->start;

    if (start == NULL) {
        return CNV_OK;
    }
    if (cnv_blob_len(start) != length * sizeof(double)) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "run/start: that model has %zu coordinates, this run's has %zu",
                        cnv_blob_len(start) / sizeof(double),
                        length);
    }
    if (engine->has_start_labels && (engine->start_label_count != engine->label_count ||
                                     memcmp(engine->start_labels,
                                            engine->labels,
                                            engine->label_count * sizeof(*engine->labels)) != 0)) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "run/start: that model knows %zu labels, %g to %g, this run's data has "
                        "%zu, %g to %g",
                        engine->start_label_count,
                        engine->start_label_count == 0 ? 0.0 : engine->start_labels[0],
                        engine->start_label_count == 0
                            ? 0.0
                            : engine->start_labels[engine->start_label_count - 1],
                        engine->label_count,
                        engine->label_count == 0 ? 0.0 : engine->labels[0],
                        engine->label_count == 0 ? 0.0 : engine->labels[engine->label_count - 1]);
    }
    return CNV_OK;
}

/* Whether the settings of blocks fit a model of so many coordinates. */
static enum cnv_status
commit_check_blocks(const struct cnv_engine *engine, size_t length, struct cnv_error *err)
{
    struct cnv_partition partition;
    enum cnv_status status = CNV_OK;

    if (!engine->settings.up->is_sparse) {
        return CNV_OK;
    }
    status = cnv_partition_read(engine->config, length, &partition, err);
    if (status == CNV_OK && partition.drawn > (engine->settings.chunk_bytes - 8) / 4) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "encoding/block=%zu: the numbers of %zu blocks do not fit into one chunk "
                        "(limits/chunk=%llu): larger blocks will do",
                        partition.block,
                        partition.drawn,
                        (unsigned long long) engine->settings.chunk_bytes);
    }
    return status;
}

static enum cnv_status
commit_reserve_table(struct cnv_engine *engine, size_t length, struct cnv_error *err)
{
    struct cnv_table_setup setup = {
        .config = engine->config,
        .dimension = length,
        .slices = cnv_slice_count(length, CNV_SLICE),
        .rows = engine->total_rows,
    };

    return engine->optimiser->table == NULL
               ? CNV_OK
               : engine->optimiser->table->reserve(engine->optimiser_state, &setup, err);
}

enum cnv_status
cnv_commit_start(struct cnv_engine *engine, uint64_t dimension, struct cnv_error *err)
{
    const struct cnv_encoding_ops *down = engine->settings.down;
    size_t length = (size_t) dimension;
    struct cnv_blob *blob = NULL;
    double *values = NULL;
    enum cnv_status status = commit_check_start(engine, length, err);

    if (status == CNV_OK) {
        status = commit_check_blocks(engine, length, err);
    }
    if (status != CNV_OK) {
        goto fail;
    }
    status = engine->optimiser->init(engine->optimiser_state, engine->config, length, err);
    engine->has_optimiser = true;
    if (status == CNV_OK) {
        status = commit_reserve_table(engine, length, err);
    }
    if (status != CNV_OK) {
        goto fail;
    }
    if (engine->optimiser->width != NULL) {
        engine->width = engine->optimiser->width(engine->optimiser_state);
    }
    size_t width = engine->width.kept;
    blob = cnv_blob_new_raw(down->size(width * length)); /* every slice is encoded */
    values = cnv_array_new((1 + width) * CNV_SLICE, sizeof(*values));
    if (blob == NULL || values == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "out of memory for a model of %zu coordinates", length);
        goto fail;
    }
    double *wide = values + CNV_SLICE; /* what lies beside the model stays zero */
    for (size_t slice = 0; slice < cnv_slice_count(length, CNV_SLICE); slice++) {
        size_t count = cnv_slice_len(length, CNV_SLICE, slice);
        struct cnv_extent extent =
            down->extent(width * length, width * slice * CNV_SLICE, width * count);

        if (engine->start != NULL) {
            memcpy(values,
                   cnv_blob_data(engine->start) + slice * CNV_SLICE * sizeof(*values),
                   count * sizeof(*values));
        } else {
            commit_fill_start(&engine->settings, slice, values);
        }
        for (size_t j = 0; j < count; j++) {
            wide[width * j] = values[j];
        }
        down->encode(wide, width * count, cnv_blob_edit(blob) + extent.offset);
    }
    uint32_t digest = cnv_vector_digest(down, cnv_blob_data(blob), width * length);
    engine->model = cnv_parcel_new(blob, width * length, digest, engine->settings.chunk_bytes);
    blob = NULL;
    if (engine->model == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "out of memory for a model");
        goto fail;
    }
    engine->dimension = dimension;
    cnv_blob_unref(engine->start);
    engine->start = NULL;
fail:
    cnv_free(values);
    cnv_blob_unref(blob);
    return status;
}

static bool commit_is_same_set(const struct cnv_engine *engine)
{
    const struct cnv_round *round = &engine->round;

    return round->evaluator_count == engine->previous_evaluator_count &&
           memcmp(round->evaluators,
                  engine->previous_evaluators,
                  round->evaluator_count * sizeof(*round->evaluators)) == 0;
}

/* The last round takes no more local steps than run/iterations leaves. */
static void
commit_cut(const struct cnv_engine *engine, uint64_t iteration, struct cnv_decision *decision)
{
    uint64_t most = engine->settings.iterations;
    size_t used = strlen(decision->reason);

    if (most > iteration && decision->local_steps > most - iteration) {
        decision->local_steps = (uint32_t) (most - iteration);
        (void) snprintf(decision->reason + used,
                        sizeof(decision->reason) - used,
                        "; cut to the %u that run/iterations leaves",
                        decision->local_steps);
    }
}

/* A policy that was just set begins as before round 1: it judges no round that another decided. */
static void commit_blind(struct cnv_round_view *view)
{
    view->round = 0;
    view->loss = NAN;
    view->previous_loss = NAN;
    view->gradient_norm = NAN;
    view->variance = NAN;
    view->estimate = NAN;
}

/* Its first reason says who set it, and what was before. */
static void commit_say_set(struct cnv_engine *engine, struct cnv_decision *decision)
{
    char reason[CNV_REASON_ROOM];

    (void) snprintf(reason, sizeof(reason), "%.119s", decision->reason);
    (void) snprintf(
        decision->reason, sizeof(decision->reason), "%.100s: %s", engine->policy_set, reason);
    engine->policy_set[0] = '\0';
}

void cnv_commit_decide(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;
    bool is_first = !engine->has_decision;
    bool is_evaluated = !is_first && !isnan(round->loss);
    struct cnv_decision decision = { .local_steps = engine->settings.local_steps };
    struct cnv_round_view view = {
        .round = is_first ? 0 : round->number,
        .iteration = engine->iteration + (is_first ? 0 : round->steps),
        .local_steps = round->steps,
        .solver = round->decision.solver,
        .contributors = round->frozen_count,
        .loss = round->loss,
        .previous_loss = NAN,
        .gradient_norm = round->gradient_norm,
        .variance = round->variance,
        .estimate = round->estimate,
        .rows = engine->total_rows,
        .seconds = cnv_run_seconds(engine),
        .bytes = engine->bytes_up + engine->bytes_down,
    };
    uint64_t every = engine->settings.evaluate_every;
    uint64_t next = view.round + 1;

    if (is_evaluated && commit_is_same_set(engine)) {
        view.previous_loss = engine->previous_loss;
    }
    (void) snprintf(decision.solver,
                    sizeof(decision.solver),
                    "%s",
                    cnv_config_text(engine->config, "solver/kind"));
    decision.evaluate = every > 0 && (next - 1) % every == 0;
    bool is_set = engine->policy_set[0] != '\0';
    if (is_set) {
        commit_blind(&view);
    }
    engine->policy->decide(engine->policy_state, &view, &decision);
    if (is_set) {
        commit_say_set(engine, &decision);
    }
    decision.local_steps = decision.local_steps == 0 ? 1 : decision.local_steps;
    commit_cut(engine, view.iteration, &decision);
    engine->decision = decision;
    engine->has_decision = true;
    if (is_evaluated) {
        engine->previous_loss = round->loss;
        cnv_free(engine->previous_evaluators);
        engine->previous_evaluators = round->evaluators;
        engine->previous_evaluator_count = round->evaluator_count;
        round->evaluators = NULL;
        round->evaluator_count = 0;
    }
}

void cnv_commit_prepare(struct cnv_engine *engine, struct cnv_parcel *model)
{
    struct cnv_round *round = &engine->round;

    cnv_pace_commit(engine);
    cnv_commit_decide(engine);
    size_t size = engine->policy->save(engine->policy_state, NULL, 0);
    uint8_t *state = cnv_array_new(size, 1);
    if (state == NULL) {
        cnv_parcel_unref(model);
        cnv_run_end(engine, CNV_RUN_FAILED, "out of memory for a commit");
        return;
    }
    size = engine->policy->save(engine->policy_state, state, size);
    round->model = model;
    round->phase = CNV_PHASE_COMMITTING;

    struct cnv_engine_record record = {
        .run = engine->run,
        .version = engine->version + 1,
        .round = round->number,
        .iteration = engine->iteration + round->steps,
        .model = model->blob,
        .width = engine->width.kept,
        .digest = model->digest,
        .policy = engine->policy->name,
        .policy_state = state,
        .policy_state_len = size,
    };
    engine->io.persist(engine->io.self, &record);
    cnv_free(state);
}

/* The version counts from here on. */
static void commit_take_over(struct cnv_engine *engine)
{
    struct cnv_round *round = &engine->round;

    cnv_parcel_unref(engine->model);
    engine->model = round->model;
    round->model = NULL;
    engine->version++;
    engine->iteration += round->steps;
    engine->contributors = round->frozen_count;
    if (engine->optimiser->conclude != NULL) {
        engine->optimiser->conclude(engine->optimiser_state, true);
    }
    for (size_t i = 0; i < round->frozen_count; i++) {
        struct cnv_member *member = round->frozen[i];

        member->rounds++;
        if (cnv_async_is_on(engine)) {
            cnv_async_drop(member);
        }
        if (member->offer.instance == member->instance) {
            member->counted_version = engine->version;
        }
        if (cnv_async_is_on(engine)) {
            cnv_offer_clear(&member->offer);
        }
    }
}

void cnv_commit_stand(struct cnv_engine *engine)
{
    const struct cnv_round *round = &engine->round;
    char text[CNV_WHY_SIZE];
    int used = 0;

    commit_take_over(engine);
    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (member->state == CNV_MEMBER_READY && !cnv_async_keeps(engine, member)) {
            cnv_outbox_commit(engine, member);
        }
    }
    cnv_history_add(engine);
    used = snprintf(text,
                    sizeof(text),
                    "version %llu from %zu contributions",
                    (unsigned long long) engine->version,
                    round->frozen_count);
    if (round->late != NULL) {
        (void) snprintf(text + used,
                        sizeof(text) - (size_t) used,
                        ", %s came %.1f s after the others",
                        round->late->name,
                        (double) round->late_ms / 1000);
    }
    cnv_note(engine, CNV_NOTE_COMMITTED, NULL, CNV_OK, text);
    cnv_run_check_stop(engine);
    cnv_round_abandon(engine);
    if (engine->stops_at_commit) {
        cnv_run_end(engine, CNV_RUN_FINISHED, engine->ending);
    }
}
