/*
 * slice.c - merges one slice, on any thread: decodes, checks, aggregates, applies (a model only),
 * encodes, measures.
 *
 * Invariants: writes nothing but its slice of the result, its row of the merge and its own memory;
 * what a sparse contribution leaves out is zero, and costs no time where sums allow it.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "encodings/blocks.h"
#include "slice.h"

static bool all_finite(const double *values, size_t count)
{
    bool is_finite = true;

    for (size_t i = 0; i < count; i++) {
        is_finite &= fabs(values[i]) <= DBL_MAX;
    }
    return is_finite;
}

static const struct slice_job *job_of(const struct cnv_merge_input *input)
{
    return (const struct slice_job *) ((const char *) input - offsetof(struct slice_job, input));
}

/* The bytes of a contributor for this slice, in one piece. */
static const uint8_t *slice_bytes(const struct slice_job *job, const struct slice_part *part)
{
    size_t offset = part->first_offset;
    size_t used = 0;

    if (part->blob_count == 1) {
        return cnv_blob_data(part->blobs[0]) + offset;
    }
    for (size_t k = 0; k < part->blob_count; k++) {
        size_t len = cnv_blob_len(part->blobs[k]) - offset;

        len = len < part->extent.len - used ? len : part->extent.len - used;
        memcpy(job->gather + used, cnv_blob_data(part->blobs[k]) + offset, len);
        used += len;
        offset = 0;
    }
    assert(used == part->extent.len);
    return job->gather;
}

/* The stretches of a slice that a sparse contribution has; bytes: the values of all of them. */
static const uint8_t *
slice_walk(const struct slice_job *job, size_t i, struct cnv_blocks_walk *ret_walk)
{
    const struct slice_part *part = &job->parts[i];

    cnv_blocks_begin(
        ret_walk, cnv_blob_data(part->index), job->merge->coordinates, job->first, job->count);
    return slice_bytes(job, part);
}

/* Contributor i's count numbers in buffer as they are to be taken; false: not all are finite. */
static bool slice_take(const struct slice_job *job, size_t i, double *buffer, size_t count)
{
    const double *scales = job->merge->scales;

    for (size_t j = 0; scales != NULL && j < count; j++) {
        buffer[j] *= scales[i];
    }
    return all_finite(buffer, count);
}

/* The values of the stretch the walk is at. */
static bool slice_stretch(const struct slice_job *job,
                          size_t i,
                          const struct cnv_blocks_walk *walk,
                          const uint8_t *bytes,
                          double *buffer)
{
    memcpy(buffer, bytes + walk->consumed * sizeof(*buffer), walk->len * sizeof(*buffer));
    return slice_take(job, i, buffer, walk->len);
}

bool cnv_slice_load(const struct cnv_merge_input *input, size_t i, double *buffer)
{
    const struct slice_job *job = job_of(input);
    const struct slice_part *part = &job->parts[i];

    struct cnv_blocks_walk walk;
    bool is_finite = true;

    if (job->offered != NULL) {
        const struct cnv_merge *merge = job->merge;

        merge->encoding->decode(
            slice_bytes(job, part), job->count * merge->width.offered, NULL, job->offered);
        merge->optimiser->widen(merge->optimiser_state, job->count, job->offered, buffer);
        return slice_take(job, i, buffer, input->count);
    }
    if (part->index == NULL) {
        job->merge->encoding->decode(slice_bytes(job, part), input->count, job->reference, buffer);
        return slice_take(job, i, buffer, input->count);
    }
    const uint8_t *bytes = slice_walk(job, i, &walk);
    memset(buffer, 0, input->count * sizeof(*buffer));
    while (cnv_blocks_next(&walk)) {
        is_finite &= slice_stretch(job, i, &walk, bytes, buffer + walk.at);
    }
    return is_finite;
}

/* What is absent adds a zero, which changes no bit of a sum that began at zero. */
bool cnv_slice_add(
    const struct cnv_merge_input *input, size_t i, double weight, double *sum, double *buffer)
{
    const struct slice_job *job = job_of(input);
    struct cnv_blocks_walk walk = { .at = 0, .len = input->count };
    bool is_finite = true;

    if (job->parts[i].index == NULL) {
        is_finite = cnv_slice_load(input, i, buffer);
        for (size_t j = 0; j < input->count; j++) {
            sum[j] += weight * buffer[j];
        }
        return is_finite;
    }
    const uint8_t *bytes = slice_walk(job, i, &walk);
    while (cnv_blocks_next(&walk)) {
        is_finite &= slice_stretch(job, i, &walk, bytes, buffer);
        for (size_t j = 0; j < walk.len; j++) {
            sum[walk.at + j] += weight * buffer[j];
        }
    }
    return is_finite;
}

/* Where the slice lies in what comes out. */
static struct cnv_extent kept_extent(const struct slice_job *job)
{
    const struct cnv_merge *merge = job->merge;
    size_t width = merge->width.kept;

    return merge->down->extent(merge->coordinates * width, job->first * width, job->count * width);
}

/* The slice of a model, or of a settled vector. */
static void decode_parcel(const struct slice_job *job, const struct cnv_parcel *parcel, double *out)
{
    const struct cnv_merge *merge = job->merge;
    const uint8_t *bytes = cnv_blob_data(parcel->blob) + kept_extent(job).offset;

    merge->down->decode(bytes, job->count * merge->width.kept, NULL, out);
}

/* Of every width numbers the first counts. */
static double distance_square(const double *a, const double *b, size_t count, size_t width)
{
    double square = 0;

    for (size_t j = 0; j < count; j += width) {
        double distance = a[j] - b[j];

        square += distance * distance;
    }
    return square;
}

/* |u_i - mean|^2 of a sparse contribution; mean_square: |mean|^2, its distance from zero. */
static double sparse_distance_square(
    const struct slice_job *job, size_t i, const double *mean, double mean_square, double *buffer)
{
    struct cnv_blocks_walk walk;
    const uint8_t *bytes = slice_walk(job, i, &walk);
    double square = mean_square;

    while (cnv_blocks_next(&walk)) {
        (void) slice_stretch(job, i, &walk, bytes, buffer);
        for (size_t j = 0; j < walk.len; j++) {
            square += buffer[j] * (buffer[j] - 2 * mean[walk.at + j]);
        }
    }
    return square > 0 ? square : 0; /* rounding may leave less than nothing */
}

/* Sum of p_i |u_i - mean|^2 over the slice, in rank order. */
static double slice_variance(const struct slice_job *job, const double *mean, double *buffer)
{
    const struct cnv_merge_input *input = &job->input;
    double mean_square = 0;
    double variance = 0;

    if (input->contributors == 1) {
        return 0;
    }
    for (size_t j = 0; j < input->count; j++) {
        mean_square += mean[j] * mean[j];
    }
    for (size_t i = 0; i < input->contributors; i++) {
        double square = 0;

        if (job->parts[i].index != NULL) {
            square = sparse_distance_square(job, i, mean, mean_square, buffer);
        } else {
            (void) cnv_slice_load(input, i, buffer);
            square = distance_square(buffer, mean, input->count, job->merge->width.merged);
        }
        variance += input->weights[i] * square;
    }
    return variance;
}

/* The update, by the optimiser's table. */
static enum cnv_status slice_compare(const struct slice_job *job, double *update, double *buffer)
{
    const struct cnv_merge *merge = job->merge;
    const struct cnv_merge_input *input = &job->input;
    size_t values = 0;

    for (size_t i = 0; i < input->contributors; i++) {
        values += job->parts[i].extent.len / sizeof(double);
    }
    if (merge->table->open_slice(
            merge->optimiser_state, job->slice, input->first, input->count, values) != CNV_OK) {
        return CNV_E_NOMEM;
    }
    memset(update, 0, input->count * sizeof(*update));
    for (size_t i = 0; i < input->contributors; i++) {
        struct cnv_blocks_walk walk;
        const uint8_t *bytes = slice_walk(job, i, &walk);

        while (cnv_blocks_next(&walk)) {
            struct cnv_table_piece piece = {
                .row = merge->table_rows[i],
                .weight = input->weights[i],
                .slice = job->slice,
                .first = input->first + walk.at,
                .count = walk.len,
                .values = buffer,
            };

            if (!slice_stretch(job, i, &walk, bytes, buffer)) {
                return CNV_E_NOT_FINITE;
            }
            merge->table->take(merge->optimiser_state, &piece, update + walk.at);
        }
    }
    return CNV_OK;
}

/* The update, by table or aggregator. */
static enum cnv_status slice_update(struct slice_job *job, double *update, double *scratch)
{
    const struct cnv_merge *merge = job->merge;

    if (merge->table != NULL) {
        return slice_compare(job, update, scratch);
    }
    return merge->aggregate->merge_slice(merge->aggregate_state, &job->input, update, scratch);
}

/* room: update, base, result, snapshot, each of the count that is merged; then the aggregator's
 * scratch. */
static enum cnv_status slice_merge(struct slice_job *job, double *room)
{
    struct cnv_merge *merge = job->merge;
    const struct cnv_merge_input *input = &job->input;
    struct slice_row *row = &merge->rows[job->slice];
    double *update = room;
    double *base = update + input->count;
    double *result = base + input->count;
    double *snapshot = result + input->count;
    double *scratch = snapshot + input->count;

    enum cnv_status status = slice_update(job, update, merge->table == NULL ? scratch : base);
    if (status != CNV_OK) {
        for (size_t i = 0; i < input->contributors; i++) {
            job->is_bad[i] = !cnv_slice_load(input, i, result);
        }
        return status;
    }
    const double *values = update;
    if (merge->has_variance) {
        row->variance = slice_variance(job, update, base);
    }
    if (merge->optimiser != NULL) {
        struct cnv_apply_input apply = {
            .first = job->first,
            .count = job->count,
            .version = merge->version,
            .last = merge->last,
            .base = base,
            .update = update,
            .snapshot = merge->snapshot == NULL ? NULL : snapshot,
            .slot = merge->slot,
        };

        decode_parcel(job, merge->base, base);
        if (merge->snapshot != NULL) {
            decode_parcel(job, merge->snapshot, snapshot);
        }
        merge->optimiser->apply_slice(merge->optimiser_state, &apply, result);
        values = result;
    }
    struct cnv_extent extent = kept_extent(job);
    size_t count = job->count * merge->width.kept;
    uint8_t *bytes = merge->out_bytes + extent.offset;

    /* The result is what the encoding decodes to, so that is what is checked and measured. */
    merge->down->encode(values, count, bytes);
    merge->down->decode(bytes, count, NULL, base);
    row->crc = cnv_crc32c(0, bytes, extent.len);
    for (size_t j = 0; j < count; j++) {
        row->square += base[j] * base[j];
    }
    return all_finite(base, count) ? CNV_OK : CNV_E_NOT_FINITE;
}

/* The pass before merging. */
static enum cnv_status slice_score(struct slice_job *job, double *room)
{
    struct cnv_merge *merge = job->merge;
    const struct cnv_merge_input *input = &job->input;
    enum cnv_status status =
        merge->scoring->score_slice(merge->aggregate_state,
                                    input,
                                    merge->scores + job->slice * merge->score_size,
                                    room + input->count);

    for (size_t i = 0; status != CNV_OK && i < input->contributors; i++) {
        job->is_bad[i] = !cnv_slice_load(input, i, room);
    }
    return status;
}

void cnv_slice_run(struct cnv_job *base)
{
    struct slice_job *job = (struct slice_job *) ((char *) base - offsetof(struct slice_job, job));
    struct cnv_merge *merge = job->merge;
    size_t count = job->input.count;
    size_t scratch =
        merge->aggregate->scratch_size(merge->aggregate_state, job->input.contributors, count);
    bool is_wide = merge->optimiser != NULL && merge->optimiser->widen != NULL;
    double *room = cnv_array_new((is_wide ? 6 : 5) * count + scratch, sizeof(*room));

    job->gather = cnv_array_new(job->gather_len, 1);
    job->status = CNV_E_NOMEM;
    if (room != NULL && job->gather != NULL) {
        if (merge->reference != NULL) {
            job->reference = room + 4 * count + scratch;
            decode_parcel(job, merge->reference, job->reference);
        }
        job->offered = is_wide ? room + 5 * count + scratch : NULL;
        job->status = merge->is_scoring ? slice_score(job, room) : slice_merge(job, room);
    }
    cnv_free(job->gather);
    cnv_free(room);
}
