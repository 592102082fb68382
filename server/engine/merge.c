/*
 * merge.c - the vectors of one exchange become one, slice by slice, on whatever threads there are.
 *
 * Happy path: as soon as all contributors' chunks of a slice are in, a job with its own references
 * to them is submitted; it decodes, checks, aggregates, applies (a model only), encodes its slice
 * of the result and its checksum. When all jobs are back the result is whole.
 * What can fail: a contribution is not finite (the job names all that are, the round goes on
 * without them); the sum is not finite; memory. The attempt may be given up while jobs are out:
 * the merge then lives on, abandoned, until the last of them is back, and its results are dropped.
 * Jobs end in any order and as late as they like.
 * Invariants: a job writes nothing but its slice of out, its row of the arrays, and its own memory;
 * inputs are immutable; chunks are let go of in order, when all slices before have been merged, so
 * that no more than a window per contributor is held.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "internal.h"

/* What the job of one slice leaves behind. */
struct slice_row {
    bool is_done;
    uint32_t crc;
    double variance;
    double square;
};

struct cnv_merge {
    struct cnv_merge *next; /* in the list of abandoned ones */
    bool is_abandoned;
    size_t outstanding; /* jobs submitted and not back */
    enum cnv_status status;

    /* Read by jobs, not written while one is out. */
    const struct cnv_aggregate_ops *aggregate;
    const void *aggregate_state;
    bool has_variance;                         /* it is wanted */
    const struct cnv_optimiser_ops *optimiser; /* NULL: not the model */
    void *optimiser_state;
    const struct cnv_encoding_ops *encoding; /* of the contributions */
    const struct cnv_encoding_ops *down;
    size_t length;
    size_t contributors; /* 1 for a relative encoding: all have sent the same */
    double *weights;
    double *scales;               /* NULL: contributions are taken as they are */
    struct cnv_parcel *base;      /* the committed model */
    struct cnv_parcel *reference; /* what a relative encoding refers to */
    uint8_t *out_bytes;

    struct cnv_blob *out;
    size_t slices;
    struct slice_row *rows; /* [slices] */
    bool *is_bad;           /* [contributors] */
    size_t submitted;       /* slices below have been submitted */
    size_t merged;          /* slices below are merged */
    size_t blocker;         /* contributors below have the chunks of slice `submitted` */
};

struct slice_job {
    struct cnv_job job;
    struct cnv_merge *merge;
    struct cnv_merge_input input;
    size_t slice;
    struct cnv_extent extent; /* of the slice in a contribution's payload */
    size_t first_offset;      /* where it begins in the first of its blobs */
    size_t blob_count;        /* blobs a contributor */
    struct cnv_blob **blobs;  /* [contributors * blob_count], shared */
    double *reference;        /* [count] for relative encodings; room of run */
    uint8_t *gather;          /* [extent.len] room of run, where an extent spans blobs */
    bool *is_bad;             /* [contributors] */
    enum cnv_status status;
};

/* --- On any thread ------------------------------------------------------------------------ */

static bool all_finite(const double *values, size_t count)
{
    bool is_finite = true;

    for (size_t i = 0; i < count; i++) {
        is_finite &= fabs(values[i]) <= DBL_MAX;
    }
    return is_finite;
}

/* The bytes of contributor i for this slice, in one piece. */
static const uint8_t *slice_bytes(const struct slice_job *job, size_t i)
{
    struct cnv_blob **blobs = job->blobs + i * job->blob_count;
    size_t offset = job->first_offset;
    size_t used = 0;

    if (job->blob_count == 1) {
        return cnv_blob_data(blobs[0]) + offset;
    }
    for (size_t k = 0; k < job->blob_count; k++) {
        size_t len = cnv_blob_len(blobs[k]) - offset;

        len = len < job->extent.len - used ? len : job->extent.len - used;
        memcpy(job->gather + used, cnv_blob_data(blobs[k]) + offset, len);
        used += len;
        offset = 0;
    }
    assert(used == job->extent.len);
    return job->gather;
}

static bool slice_load(const struct cnv_merge_input *input, size_t i, double *buffer)
{
    const struct slice_job *job =
        (const struct slice_job *) ((const char *) input - offsetof(struct slice_job, input));

    job->merge->encoding->decode(slice_bytes(job, i), input->count, job->reference, buffer);
    for (size_t j = 0; job->merge->scales != NULL && j < input->count; j++) {
        buffer[j] *= job->merge->scales[i];
    }
    return all_finite(buffer, input->count);
}

static void decode_parcel(const struct cnv_merge *merge,
                          const struct cnv_parcel *parcel,
                          const struct cnv_merge_input *input,
                          double *out)
{
    struct cnv_extent extent = merge->down->extent(merge->length, input->first, input->count);

    merge->down->decode(cnv_blob_data(parcel->blob) + extent.offset, input->count, NULL, out);
}

/* Sum of p_i |u_i - mean|^2 over the slice, in rank order. */
static double slice_variance(const struct slice_job *job, const double *mean, double *buffer)
{
    const struct cnv_merge_input *input = &job->input;
    double variance = 0;

    for (size_t i = 0; input->contributors > 1 && i < input->contributors; i++) {
        double square = 0;

        (void) slice_load(input, i, buffer);
        for (size_t j = 0; j < input->count; j++) {
            double distance = buffer[j] - mean[j];

            square += distance * distance;
        }
        variance += input->weights[i] * square;
    }
    return variance;
}

/* room: update, base, result, each [count]; then the aggregator's scratch. */
static enum cnv_status slice_merge(struct slice_job *job, double *room)
{
    struct cnv_merge *merge = job->merge;
    const struct cnv_merge_input *input = &job->input;
    struct slice_row *row = &merge->rows[job->slice];
    double *update = room;
    double *base = update + input->count;
    double *result = base + input->count;
    double *scratch = result + input->count;

    if (merge->aggregate->merge_slice(merge->aggregate_state, input, update, scratch) != CNV_OK) {
        for (size_t i = 0; i < input->contributors; i++) {
            job->is_bad[i] = !slice_load(input, i, result);
        }
        return CNV_E_NOT_FINITE;
    }
    const double *values = update;
    if (merge->has_variance) {
        row->variance = slice_variance(job, update, base);
    }
    if (merge->optimiser != NULL) {
        struct cnv_apply_input apply = {
            .first = input->first,
            .count = input->count,
            .base = base,
            .update = update,
        };

        decode_parcel(merge, merge->base, input, base);
        merge->optimiser->apply_slice(merge->optimiser_state, &apply, result);
        values = result;
    }
    struct cnv_extent extent = merge->down->extent(merge->length, input->first, input->count);
    uint8_t *bytes = merge->out_bytes + extent.offset;

    /* The result is what the encoding decodes to, so that is what is checked and measured. */
    merge->down->encode(values, input->count, bytes);
    merge->down->decode(bytes, input->count, NULL, base);
    row->crc = cnv_crc32c(0, bytes, extent.len);
    for (size_t j = 0; j < input->count; j++) {
        row->square += base[j] * base[j];
    }
    return all_finite(base, input->count) ? CNV_OK : CNV_E_NOT_FINITE;
}

static void slice_run(struct cnv_job *base)
{
    struct slice_job *job = (struct slice_job *) ((char *) base - offsetof(struct slice_job, job));
    struct cnv_merge *merge = job->merge;
    size_t count = job->input.count;
    size_t scratch =
        merge->aggregate->scratch_size(merge->aggregate_state, job->input.contributors, count);
    double *room = cnv_array_new(4 * count + scratch, sizeof(*room));

    job->gather = cnv_array_new(job->blob_count > 1 ? job->extent.len : 0, 1);
    job->status = CNV_E_NOMEM;
    if (room != NULL && job->gather != NULL) {
        if (merge->reference != NULL) {
            job->reference = room + 3 * count + scratch;
            decode_parcel(merge, merge->reference, &job->input, job->reference);
        }
        job->status = slice_merge(job, room);
    }
    cnv_free(job->gather);
    cnv_free(room);
}

/* --- On the loop -------------------------------------------------------------------------- */

static void merge_destroy(struct cnv_merge *merge)
{
    if (merge->out != NULL && merge->optimiser != NULL && merge->optimiser->conclude != NULL) {
        merge->optimiser->conclude(merge->optimiser_state, false); /* it was not taken */
    }
    cnv_parcel_unref(merge->base);
    cnv_parcel_unref(merge->reference);
    cnv_blob_unref(merge->out);
    cnv_free(merge->weights);
    cnv_free(merge->scales);
    cnv_free(merge->rows);
    cnv_free(merge->is_bad);
    cnv_free(merge);
}

static void slice_destroy(struct slice_job *job)
{
    for (size_t i = 0; job->blobs != NULL && i < job->input.contributors * job->blob_count; i++) {
        cnv_blob_unref(job->blobs[i]);
    }
    cnv_free(job->blobs);
    cnv_free(job->is_bad);
    cnv_free(job);
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
    merge->length = (size_t) first->head.length;
    merge->contributors = first->encoding->is_relative ? 1 : round->frozen_count;
    merge->base = cnv_parcel_ref(engine->model);
    merge->reference = first->encoding->is_relative ? cnv_parcel_ref(round->reference) : NULL;
    merge->slices = cnv_slice_count(merge->length);
    merge->out = cnv_blob_new_raw(merge->down->size(merge->length));
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
    if (merge->scales != NULL) {
        memcpy(merge->scales, round->scales, merge->contributors * sizeof(*merge->scales));
    }
    if (first->encoding->is_relative) {
        merge->weights[0] = 1; /* all factors are equal: the mean is the one */
    } else {
        memcpy(merge->weights, round->weights, merge->contributors * sizeof(*merge->weights));
    }
    engine->round.merge = merge;
    return true;
}

/* Shares the blobs that hold the slice. */
static void
slice_collect(struct slice_job *job, const struct cnv_engine *engine, uint64_t first_chunk)
{
    for (size_t i = 0; i < job->input.contributors; i++) {
        const struct cnv_offer *offer = &engine->round.frozen[i]->offer;

        for (size_t k = 0; k < job->blob_count; k++) {
            struct cnv_blob *blob =
                offer->chunks == 0 ? offer->vector : cnv_offer_chunk(offer, first_chunk + k);

            job->blobs[i * job->blob_count + k] = cnv_blob_ref(blob);
        }
    }
}

static struct slice_job *slice_new(struct cnv_engine *engine, size_t slice)
{
    struct cnv_merge *merge = engine->round.merge;
    const struct cnv_offer *first = &engine->round.frozen[0]->offer;
    struct slice_job *job = cnv_object_new(struct slice_job);
    uint64_t first_chunk = 0;

    if (job == NULL) {
        return NULL;
    }
    job->job.run = slice_run;
    job->merge = merge;
    job->slice = slice;
    job->input.contributors = merge->contributors;
    job->input.weights = merge->weights;
    job->input.first = slice * CNV_SLICE;
    job->input.count = cnv_slice_len(merge->length, slice);
    job->input.load = slice_load;
    job->job.cost = job->input.count * merge->contributors;
    job->extent = merge->encoding->extent(merge->length, job->input.first, job->input.count);
    job->first_offset = job->extent.offset;
    job->blob_count = 1;
    if (first->chunks > 0) {
        uint64_t chunk_bytes = engine->settings.chunk_bytes;

        first_chunk = job->extent.offset / chunk_bytes;
        job->first_offset = job->extent.offset % chunk_bytes;
        job->blob_count =
            (size_t) ((job->extent.offset + job->extent.len - 1) / chunk_bytes - first_chunk + 1);
    }
    job->blobs = cnv_array_new(merge->contributors * job->blob_count, sizeof(struct cnv_blob *));
    job->is_bad = cnv_array_new(merge->contributors, sizeof(*job->is_bad));
    if (job->blobs == NULL || job->is_bad == NULL) {
        slice_destroy(job);
        return NULL;
    }
    slice_collect(job, engine, first_chunk);
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
    return merge->merged == merge->slices;
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
    return cnv_parcel_new(out, merge->length, digest, engine->settings.chunk_bytes);
}

double cnv_merge_variance(const struct cnv_merge *merge)
{
    double variance = 0;

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
