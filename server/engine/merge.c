/*
 * merge.c - the vectors of one exchange become one, slice by slice, on whatever threads there are.
 *
 * Happy path: as soon as all contributors' chunks of a slice are in, a job with its own references
 * to them is submitted; it decodes, checks, aggregates, applies (a model only), encodes its slice
 * of the result and its checksum. When all jobs are back the result is whole.
 * Where the aggregator looks at whole vectors first, all slices go through a pass of scores before;
 * chunks are let go of in the second pass only.
 * What can fail: a contribution is not finite (the job names all that are, the round goes on
 * without them); the sum is not finite; memory. The attempt may be given up while jobs are out:
 * the merge then lives on, abandoned, until the last of them is back, and its results are dropped.
 * Jobs end in any order and as late as they like.
 * Invariants: a job writes nothing but its slice of out, its row of the arrays, and its own memory;
 * inputs are immutable; chunks are let go of in order, when all slices before have been merged, so
 * that no more than a window per contributor is held.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "slice.h"

static void merge_destroy(struct cnv_merge *merge)
{
    /* Where none of its jobs was submitted, those of an older attempt may still be out: what is
     * pending is theirs. */
    if (merge->out != NULL && merge->submitted > 0 && merge->optimiser != NULL &&
        merge->optimiser->conclude != NULL) {
        merge->optimiser->conclude(merge->optimiser_state, false); /* it was not taken */
    }
    cnv_parcel_unref(merge->base);
    cnv_parcel_unref(merge->snapshot);
    cnv_parcel_unref(merge->reference);
    cnv_blob_unref(merge->out);
    cnv_free(merge->weights);
    cnv_free(merge->scales);
    cnv_free(merge->scores);
    cnv_free(merge->rows);
    cnv_free(merge->table_rows);
    cnv_free(merge->is_bad);
    cnv_free(merge);
}

static void slice_destroy(struct slice_job *job)
{
    for (size_t i = 0; job->parts != NULL && i < job->input.contributors; i++) {
        struct slice_part *part = &job->parts[i];

        for (size_t k = 0; part->blobs != NULL && k < part->blob_count; k++) {
            cnv_blob_unref(part->blobs[k]);
        }
        cnv_free(part->blobs);
        cnv_blob_unref(part->index);
    }
    cnv_free(job->parts);
    cnv_free(job->is_bad);
    cnv_free(job);
}

/* Room for the pass before merging, where there is one. False: out of memory. */
static bool merge_expect_scores(struct cnv_merge *merge)
{
    if (merge->aggregate->scoring == NULL || merge->contributors < 2) {
        return true;
    }
    merge->scoring = merge->aggregate->scoring;
    merge->is_scoring = true;
    merge->score_size = merge->scoring->size(merge->contributors);
    merge->scores = cnv_array_new(merge->slices * merge->score_size, sizeof(*merge->scores));
    if (merge->scales == NULL) {
        merge->scales = cnv_array_new(merge->contributors, sizeof(*merge->scales));
        for (size_t i = 0; merge->scales != NULL && i < merge->contributors; i++) {
            merge->scales[i] = 1;
        }
    }
    return merge->scores != NULL && merge->scales != NULL;
}

/* All slices are scored: what counts how much, and the slices from the start again. */
static void merge_judge(struct cnv_merge *merge)
{
    double *sums = merge->scores;

    for (size_t slice = 1; slice < merge->slices; slice++) {
        for (size_t k = 0; k < merge->score_size; k++) {
            sums[k] += merge->scores[slice * merge->score_size + k];
        }
    }
    merge->status = merge->scoring->judge(
        merge->aggregate_state, merge->contributors, sums, merge->weights, merge->scales);
    for (size_t slice = 0; slice < merge->slices; slice++) {
        merge->rows[slice].is_done = false;
    }
    merge->is_scoring = false;
    merge->submitted = 0;
    merge->merged = 0;
    merge->blocker = 0;
}

/* Which rows of the optimiser's table the contributors have, and what each weighs among all agents.
 * Differences to a table have no mean that they are scattered around: no variance. False: out of
 * memory. */
static bool merge_look_up(struct cnv_engine *engine, struct cnv_merge *merge)
{
    if (merge->optimiser == NULL || merge->optimiser->table == NULL) {
        return true;
    }
    uint64_t *rows = cnv_array_new(engine->settings.agents, sizeof(*rows));
    merge->table = merge->optimiser->table;
    merge->table_rows = cnv_array_new(merge->contributors, sizeof(*merge->table_rows));
    merge->has_variance = false;
    if (rows != NULL && merge->table_rows != NULL) {
        merge->table->rows(merge->optimiser_state, engine->iteration, rows);
        for (size_t i = 0; i < merge->contributors; i++) {
            const struct cnv_member *member = engine->round.frozen[i];

            merge->table_rows[i] = rows[member->place];
            merge->weights[i] = cnv_place_weight(engine, member);
        }
    }
    cnv_free(rows);
    return rows != NULL && merge->table_rows != NULL;
}

bool cnv_merge_begin(struct cnv_engine *engine)
{
    const struct cnv_round *round = &engine->round;
    const struct cnv_offer *first = &round->frozen[0]->offer;
    struct cnv_merge *merge = cnv_object_new(struct cnv_merge);

    if (merge == NULL) {
        return false;
    }
    merge->aggregate = engine->aggregate;
    merge->aggregate_state = engine->aggregate_state;
    merge->has_variance = cnv_round_is_at(round, "model") || cnv_round_is_at(round, "monitor");
    if (cnv_round_is_at(round, "model")) {
        merge->optimiser = engine->optimiser;
        merge->optimiser_state = engine->optimiser_state;
    }
    merge->encoding = first->encoding;
    merge->down = engine->settings.down;
    merge->width = cnv_exchange_width(engine);
    merge->coordinates = (size_t) first->head.length / merge->width.offered;
    merge->slice_len = CNV_SLICE / merge->width.kept;
    merge->version = engine->version;
    merge->last = engine->iteration + round->steps - 1;
    merge->contributors = first->encoding->is_relative ? 1 : round->frozen_count;
    merge->base = cnv_parcel_ref(engine->model);
    merge->reference = first->encoding->is_relative ? cnv_parcel_ref(round->reference) : NULL;
    if (merge->optimiser != NULL && first->snapshot != NULL) {
        merge->snapshot = cnv_parcel_ref(first->snapshot);
        merge->slot = first->slot;
    }
    merge->slices = cnv_slice_count(merge->coordinates, merge->slice_len);
    merge->out = cnv_blob_new_raw(merge->down->size(merge->coordinates * merge->width.kept));
    merge->weights = cnv_array_new(merge->contributors, sizeof(*merge->weights));
    if (round->scales != NULL) {
        merge->scales = cnv_array_new(merge->contributors, sizeof(*merge->scales));
    }
    merge->rows = cnv_array_new(merge->slices, sizeof(*merge->rows));
    merge->is_bad = cnv_array_new(merge->contributors, sizeof(*merge->is_bad));
    if (merge->out == NULL || merge->weights == NULL || merge->rows == NULL ||
        merge->is_bad == NULL || (round->scales != NULL && merge->scales == NULL)) {
        merge_destroy(merge);
        return false;
    }
    merge->out_bytes = cnv_blob_edit(merge->out);
    if (round->scales != NULL) {
        memcpy(merge->scales, round->scales, merge->contributors * sizeof(*merge->scales));
    }
    if (first->encoding->is_relative) {
        merge->weights[0] = 1; /* all factors are equal: the mean is the one */
    } else {
        memcpy(merge->weights, round->weights, merge->contributors * sizeof(*merge->weights));
    }
    if (!merge_expect_scores(merge) || !merge_look_up(engine, merge)) {
        merge_destroy(merge);
        return false;
    }
    engine->round.merge = merge;
    return true;
}

/* Shares the blobs that hold the slice. False: out of memory. */
static bool
slice_collect(struct slice_job *job, const struct cnv_offer *offer, uint64_t chunk_bytes, size_t i)
{
    struct slice_part *part = &job->parts[i];
    size_t width = job->merge->width.offered;
    uint64_t first_chunk = 0;

    part->extent = cnv_offer_extent(offer, job->first * width, job->count * width);
    part->first_offset = part->extent.offset;
    part->blob_count = part->extent.len > 0 ? 1 : 0;
    if (offer->chunks > 0 && part->extent.len > 0) {
        first_chunk = part->extent.offset / chunk_bytes;
        part->first_offset = part->extent.offset % chunk_bytes;
        part->blob_count =
            (size_t) ((part->extent.offset + part->extent.len - 1) / chunk_bytes - first_chunk + 1);
    }
    if (part->blob_count > 1 && part->extent.len > job->gather_len) {
        job->gather_len = part->extent.len;
    }
    part->index = offer->encoding->is_sparse ? cnv_blob_ref(offer->index) : NULL;
    part->blobs = cnv_array_new(part->blob_count, sizeof(struct cnv_blob *));
    for (size_t k = 0; part->blobs != NULL && k < part->blob_count; k++) {
        part->blobs[k] = cnv_blob_ref(offer->chunks == 0 ? offer->vector
                                                         : cnv_offer_chunk(offer, first_chunk + k));
    }
    return part->blobs != NULL;
}

static struct slice_job *slice_new(struct cnv_engine *engine, size_t slice)
{
    struct cnv_merge *merge = engine->round.merge;
    struct slice_job *job = cnv_object_new(struct slice_job);
    size_t values = 0;

    if (job == NULL) {
        return NULL;
    }
    job->job.run = cnv_slice_run;
    job->merge = merge;
    job->slice = slice;
    job->input.contributors = merge->contributors;
    job->input.weights = merge->weights;
    job->first = slice * merge->slice_len;
    job->count = cnv_slice_len(merge->coordinates, merge->slice_len, slice);
    job->input.first = job->first * merge->width.merged;
    job->input.count = job->count * merge->width.merged;
    job->input.load = cnv_slice_load;
    job->input.add = cnv_slice_add;
    job->parts = cnv_array_new(merge->contributors, sizeof(*job->parts));
    job->is_bad = cnv_array_new(merge->contributors, sizeof(*job->is_bad));
    if (job->parts == NULL || job->is_bad == NULL) {
        slice_destroy(job);
        return NULL;
    }
    for (size_t i = 0; i < merge->contributors; i++) {
        if (!slice_collect(job, &engine->round.frozen[i]->offer, engine->settings.chunk_bytes, i)) {
            slice_destroy(job);
            return NULL;
        }
        values += merge->encoding->is_sparse ? job->parts[i].extent.len / sizeof(double)
                                             : job->input.count;
    }
    job->job.cost = job->input.count + values;
    return job;
}

/* Whether every contributor's chunks of the next slice are in. */
static bool merge_has_slice(const struct cnv_engine *engine, struct cnv_merge *merge)
{
    while (merge->blocker < merge->contributors) {
        const struct cnv_offer *offer = &engine->round.frozen[merge->blocker]->offer;

        if (offer->chunks > 0 && offer->slices <= merge->submitted) {
            return false;
        }
        merge->blocker++;
    }
    return true;
}

void cnv_merge_submit(struct cnv_engine *engine)
{
    struct cnv_merge *merge = engine->round.merge;

    if (merge->optimiser != NULL && merge->optimiser->conclude != NULL &&
        engine->abandoned != NULL) {
        return; /* jobs of an older attempt may still write the optimiser's pending state */
    }
    while (merge->status == CNV_OK && merge->submitted < merge->slices &&
           merge_has_slice(engine, merge)) {
        struct slice_job *job = slice_new(engine, merge->submitted);

        if (job == NULL) {
            merge->status = CNV_E_NOMEM;
            return;
        }
        merge->submitted++;
        merge->blocker = 0;
        merge->outstanding++;
        engine->io.submit(engine->io.self, &job->job);
    }
}

static void merge_unlist(struct cnv_engine *engine, const struct cnv_merge *merge)
{
    struct cnv_merge **link = &engine->abandoned;

    while (*link != merge) {
        link = &(*link)->next;
    }
    *link = merge->next;
}

void cnv_merge_job_done(struct cnv_engine *engine, struct cnv_job *job)
{
    struct slice_job *slice = (struct slice_job *) ((char *) job - offsetof(struct slice_job, job));
    struct cnv_merge *merge = slice->merge;

    merge->outstanding--;
    if (merge->is_abandoned) {
        slice_destroy(slice);
        if (merge->outstanding == 0) {
            merge_unlist(engine, merge);
            merge_destroy(merge);
        }
        return;
    }
    if (slice->status == CNV_OK) {
        merge->rows[slice->slice].is_done = true;
    } else if (merge->status != CNV_E_NOMEM) {
        merge->status = slice->status;
    }
    for (size_t i = 0; i < merge->contributors; i++) {
        merge->is_bad[i] |= slice->is_bad[i];
    }
    slice_destroy(slice);
    size_t before = merge->merged;
    while (merge->merged < merge->slices && merge->rows[merge->merged].is_done) {
        merge->merged++;
    }
    if (merge->is_scoring) {
        if (merge->merged == merge->slices) {
            merge_judge(merge);
        }
        return;
    }
    for (size_t i = 0; merge->merged > before && i < engine->round.frozen_count; i++) {
        cnv_offer_release(engine, engine->round.frozen[i], merge->merged);
    }
}

void cnv_merge_abandon(struct cnv_engine *engine)
{
    struct cnv_merge *merge = engine->round.merge;

    engine->round.merge = NULL;
    if (merge == NULL) {
        return;
    }
    if (merge->outstanding == 0) {
        merge_destroy(merge);
        return;
    }
    merge->is_abandoned = true;
    merge->next = engine->abandoned;
    engine->abandoned = merge;
}

void cnv_merge_forget(struct cnv_engine *engine)
{
    while (engine->abandoned != NULL) {
        struct cnv_merge *merge = engine->abandoned;

        engine->abandoned = merge->next;
        merge_destroy(merge);
    }
}

enum cnv_status cnv_merge_status(const struct cnv_merge *merge)
{
    return merge->status;
}

bool cnv_merge_is_bad(const struct cnv_merge *merge, size_t i)
{
    return merge->is_bad[merge->contributors == 1 ? 0 : i];
}

bool cnv_merge_is_done(const struct cnv_merge *merge)
{
    return !merge->is_scoring && merge->merged == merge->slices;
}

struct cnv_parcel *cnv_merge_take(struct cnv_engine *engine, struct cnv_merge *merge)
{
    struct cnv_blob *out = merge->out;
    uint32_t digest = 0;

    for (size_t i = 0; i < merge->slices; i++) {
        uint32_t crc = merge->rows[i].crc;
        uint8_t word[4] = {
            (uint8_t) crc, (uint8_t) (crc >> 8), (uint8_t) (crc >> 16), (uint8_t) (crc >> 24)
        };

        digest = cnv_crc32c(digest, word, sizeof(word));
    }
    merge->out = NULL;
    return cnv_parcel_new(
        out, merge->coordinates * merge->width.kept, digest, engine->settings.chunk_bytes);
}

double cnv_merge_variance(const struct cnv_merge *merge)
{
    double variance = merge->has_variance ? 0 : NAN;

    for (size_t i = 0; i < merge->slices; i++) {
        variance += merge->rows[i].variance;
    }
    return variance;
}

double cnv_merge_norm(const struct cnv_merge *merge)
{
    double square = 0;

    for (size_t i = 0; i < merge->slices; i++) {
        square += merge->rows[i].square;
    }
    return sqrt(square);
}
