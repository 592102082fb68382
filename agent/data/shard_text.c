/*
 * shard_text.c - the rows of a shard from LIBSVM text or CSV.
 *
 * The text is read twice: the first pass checks every row and counts, the second puts the rows of
 * this shard where they belong. So no row of another shard is ever held, nothing is moved
 * afterwards, and a bad line anywhere is found by every agent before one of them starts.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/libsvm.h"
#include "data/selection.h"

enum { FIRST_CAPACITY = 1 << 12 };

/* What the passes over a text share. */
struct text_job {
    const char *name;
    double scale;
    size_t max_rows;
    size_t rows;
    size_t placed;    /* rows that the second pass has met */
    uint32_t *counts; /* [rows], capacity: nonzeros of each row of the file */
    size_t capacity;
    struct cnv_selection selection;
    struct cnv_shard *shard;
};

static enum cnv_status fail_changed(const char *name, struct cnv_error *err)
{
    return cnv_fail(err, CNV_E_INPUT, "%s: the file changed while it was read", name);
}

/* First pass: counts, and the highest feature: of all parts of a file the same, so that an agent
 * that joins later with another part never has a feature the run does not know. */
static enum cnv_status count_row(void *context, const struct cnv_row *row, struct cnv_error *err)
{
    struct text_job *job = context;

    if (job->max_rows > 0 && row->row >= job->max_rows) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s:%zu: expected at most %zu rows, found more",
                        job->name,
                        row->line,
                        job->max_rows);
    }
    if (row->row == job->capacity) {
        size_t capacity = job->capacity == 0 ? FIRST_CAPACITY : job->capacity * 2;
        uint32_t *counts = cnv_array_resize(job->counts, job->capacity, capacity, sizeof(*counts));

        if (counts == NULL) {
            return cnv_fail(err, CNV_E_NOMEM, "%s:%zu: out of memory", job->name, row->line);
        }
        job->counts = counts;
        job->capacity = capacity;
    }
    for (size_t i = 0; i < row->count; i++) {
        if (!isfinite(row->values[i] * job->scale)) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s:%zu: feature %u: expected a value that stays finite when scaled by "
                            "%g, found %g",
                            job->name,
                            row->line,
                            row->columns[i] + 1,
                            job->scale,
                            row->values[i]);
        }
    }
    job->shard->features = row->width > job->shard->features ? row->width : job->shard->features;
    job->counts[row->row] = (uint32_t) row->count;
    job->rows = row->row + 1;
    return CNV_OK;
}

/* Second pass: puts a row of this shard in its place. */
static enum cnv_status place_row(void *context, const struct cnv_row *row, struct cnv_error *err)
{
    struct text_job *job = context;
    struct cnv_shard *shard = job->shard;
    size_t slot = 0;
    size_t start = 0;

    if (row->row >= job->rows || row->count != job->counts[row->row]) {
        return fail_changed(job->name, err);
    }
    job->placed = row->row + 1;
    slot = job->selection.slots[row->row];
    if (slot == CNV_NOT_KEPT) {
        return CNV_OK;
    }
    start = shard->row_start[slot];
    shard->labels[slot] = row->label;
    memcpy(shard->columns + start, row->columns, row->count * sizeof(*row->columns));
    for (size_t i = 0; i < row->count; i++) {
        shard->values[start + i] = row->values[i] * job->scale;
    }
    return CNV_OK;
}

static enum cnv_status make_room(struct text_job *job, struct cnv_error *err)
{
    struct cnv_shard *shard = job->shard;
    size_t nonzeros = 0;

    shard->rows = job->selection.kept;
    shard->labels = cnv_array_new(shard->rows, sizeof(*shard->labels));
    shard->row_start = cnv_array_new(shard->rows + 1, sizeof(*shard->row_start));
    if (shard->labels == NULL || shard->row_start == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%s: no memory for %zu rows", job->name, shard->rows);
    }
    for (size_t i = 0; i < job->rows; i++) {
        if (job->selection.slots[i] != CNV_NOT_KEPT) {
            shard->row_start[job->selection.slots[i] + 1] = job->counts[i];
        }
    }
    for (size_t i = 0; i < shard->rows; i++) {
        shard->row_start[i + 1] += shard->row_start[i];
    }
    nonzeros = shard->row_start[shard->rows];
    shard->columns = cnv_array_new(nonzeros, sizeof(*shard->columns));
    shard->values = cnv_array_new(nonzeros, sizeof(*shard->values));
    if (shard->columns == NULL || shard->values == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%s: no memory for %zu nonzeros", job->name, nonzeros);
    }
    return CNV_OK;
}

/* One pass over the rows, in either format. */
static enum cnv_status read_rows(struct cnv_input *input,
                                 const struct cnv_data_options *options,
                                 cnv_row_fn take,
                                 struct text_job *job,
                                 struct cnv_csv_about *about,
                                 struct cnv_error *err)
{
    return options->format == CNV_FORMAT_CSV
               ? cnv_csv_read(input, &options->csv, take, job, about, err)
               : cnv_libsvm_read(input, take, job, NULL, err);
}

static void describe(const struct cnv_csv_about *about, char text[CNV_ABOUT_SIZE])
{
    const char *separator = about->separator == ','   ? "comma"
                            : about->separator == ';' ? "semicolon"
                                                      : "tab";

    (void) snprintf(text,
                    CNV_ABOUT_SIZE,
                    "format=csv separator=%s header=%s label_column=%zu dropped=%zu zeroed=%zu",
                    separator,
                    about->has_header ? "yes" : "no",
                    about->label,
                    about->dropped,
                    about->zeroed);
}

enum cnv_status cnv_shard_read_text(struct cnv_input *input,
                                    const struct cnv_data_options *options,
                                    struct cnv_shard *shard,
                                    struct cnv_error *err)
{
    struct text_job job = {
        .name = cnv_input_name(input),
        .scale = options->scale,
        .max_rows = options->max_rows,
        .shard = shard,
    };
    struct cnv_csv_about about = { .separator = '\0' };
    enum cnv_status status = read_rows(input, options, count_row, &job, &about, err);

    if (status == CNV_OK) {
        status = cnv_selection_make(job.name, job.rows, options, &job.selection, err);
    }
    if (status == CNV_OK) {
        status = make_room(&job, err);
    }
    if (status == CNV_OK) {
        status = cnv_input_rewind(input, err);
    }
    if (status == CNV_OK) {
        status = read_rows(input, options, place_row, &job, &about, err);
    }
    if (status == CNV_OK && job.placed != job.rows) {
        status = fail_changed(job.name, err);
    }
    if (options->format == CNV_FORMAT_CSV) {
        describe(&about, shard->about);
    } else {
        (void) snprintf(shard->about, CNV_ABOUT_SIZE, "format=libsvm");
    }
    cnv_free(job.selection.slots);
    cnv_free(job.counts);
    return status;
}
