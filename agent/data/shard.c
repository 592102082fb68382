/* shard.c - what kind of file it is, and the rows in memory once they are read. */
#include "data/shard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/idx.h"
#include "data/input.h"
#include "data/selection.h"

enum { START_BYTES = 4096 };

/* Whether a name ends so, packed or not: "table.csv", "table.csv.gz". */
static bool name_ends(const char *path, const char *kind)
{
    static const char *const packings[] = { "", ".gz", ".xz" };
    size_t len = strlen(path);

    for (size_t p = 0; p < sizeof(packings) / sizeof(packings[0]); p++) {
        char ending[16];
        int n = snprintf(ending, sizeof(ending), "%s%s", kind, packings[p]);

        if (len > (size_t) n && strcasecmp(path + len - n, ending) == 0) {
            return true;
        }
    }
    return false;
}

/* Text cannot start with the zero byte that IDX starts with. input is at its start again. */
static enum cnv_status detect_format(const char *path,
                                     struct cnv_input *input,
                                     enum cnv_data_format *format,
                                     struct cnv_error *err)
{
    uint8_t start[START_BYTES + 1] = { 0 };
    size_t len = 0;
    enum cnv_status status = CNV_OK;

    if (*format != CNV_FORMAT_AUTO) {
        return CNV_OK;
    }
    status = cnv_input_read_all(input, start, START_BYTES, &len, err);
    if (name_ends(path, ".bin")) {
        *format = CNV_FORMAT_CIFAR10;
    } else if (len >= 4 && cnv_idx_matches(start)) {
        *format = CNV_FORMAT_IDX;
    } else if (name_ends(path, ".csv") || name_ends(path, ".tsv") ||
               cnv_csv_matches((const char *) start)) {
        *format = CNV_FORMAT_CSV;
    } else {
        *format = CNV_FORMAT_LIBSVM;
    }
    return status == CNV_OK ? cnv_input_rewind(input, err) : status;
}

static bool is_of_images(enum cnv_data_format format)
{
    return format == CNV_FORMAT_IDX || format == CNV_FORMAT_CIFAR10;
}

static double scale_of(enum cnv_data_format format, double scale)
{
    return scale != 0.0 ? scale : is_of_images(format) ? 1.0 / UINT8_MAX : 1.0;
}

static void describe(const struct cnv_csv_about *about, char text[CNV_ABOUT_SIZE])
{
    const char *separator = about->separator == ','   ? "commas"
                            : about->separator == ';' ? "semicolons"
                                                      : "tabs";

    (void) snprintf(text,
                    CNV_ABOUT_SIZE,
                    "CSV with %s, %s header, the label is column %zu%s%s%s",
                    separator,
                    about->has_header ? "a" : "no",
                    about->label,
                    about->name[0] == '\0' ? "" : " (",
                    about->name,
                    about->name[0] == '\0' ? "" : ")");
}

enum cnv_status cnv_shard_look(const char *path,
                               const struct cnv_data_options *options,
                               double *ret_scale,
                               char *ret_about,
                               struct cnv_error *err)
{
    struct cnv_csv_about about = { .label = 0 };
    struct cnv_input *input = NULL;
    enum cnv_data_format format = options->format;
    enum cnv_status status = cnv_input_open(path, &input, err);

    if (status == CNV_OK) {
        status = detect_format(path, input, &format, err);
    }
    if (status == CNV_OK && format == CNV_FORMAT_CSV) {
        status = cnv_csv_look(input, &options->csv, &about, err);
    }
    if (status == CNV_OK) {
        *ret_scale = scale_of(format, options->scale);
        ret_about[0] = '\0';
    }
    if (status == CNV_OK && format == CNV_FORMAT_CSV) {
        describe(&about, ret_about);
    }
    cnv_input_close(input);
    return status;
}

enum cnv_status cnv_shard_read(const char *path,
                               const struct cnv_data_options *options,
                               struct cnv_shard **ret_shard,
                               struct cnv_error *err)
{
    struct cnv_input *input = NULL;
    struct cnv_shard *shard = NULL;
    struct cnv_data_options scaled = *options;
    enum cnv_status status = CNV_OK;

    if (options->shard > options->shards) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "shard %u of %u: expected the first number to be at most the second",
                        options->shard,
                        options->shards);
    }
    status = cnv_input_open(path, &input, err);
    if (status != CNV_OK) {
        return status;
    }
    shard = cnv_object_new(struct cnv_shard);
    if (shard == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", cnv_input_name(input));
        goto done;
    }
    status = detect_format(path, input, &scaled.format, err);
    scaled.scale = scale_of(scaled.format, options->scale);
    if (status == CNV_OK && is_of_images(scaled.format)) {
        status = cnv_shard_read_images(path, input, &scaled, shard, err);
    } else if (status == CNV_OK) {
        status = cnv_shard_read_text(input, &scaled, shard, err);
    }
    if (status == CNV_OK) {
        *ret_shard = shard;
        shard = NULL;
    }

done:
    cnv_shard_destroy(shard);
    cnv_input_close(input);
    return status;
}

enum cnv_status cnv_shard_blank(struct cnv_shard **ret_shard, struct cnv_error *err)
{
    struct cnv_shard *shard = cnv_object_new(struct cnv_shard);

    if (shard != NULL) {
        shard->rows = 1;
        shard->labels = cnv_array_new(1, sizeof(*shard->labels));
        shard->row_start = cnv_array_new(2, sizeof(*shard->row_start));
    }
    if (shard == NULL || shard->labels == NULL || shard->row_start == NULL) {
        cnv_shard_destroy(shard);
        return cnv_fail(err, CNV_E_NOMEM, "shard");
    }
    *ret_shard = shard;
    return CNV_OK;
}

void cnv_shard_destroy(struct cnv_shard *shard)
{
    if (shard != NULL) {
        cnv_free(shard->labels);
        cnv_free(shard->row_start);
        cnv_free(shard->columns);
        cnv_free(shard->values);
        cnv_free(shard);
    }
}

bool cnv_shard_labels(const struct cnv_shard *shard, double *ret_labels, size_t *ret_count)
{
    double labels[CNV_LABELS_MAX];
    size_t count = 0;

    for (size_t row = 0; row < shard->rows; row++) {
        double label = shard->labels[row];
        size_t low = 0;
        size_t high = count;

        while (low < high) {
            size_t middle = (low + high) / 2;

            if (labels[middle] < label) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < count && labels[low] == label) {
            continue;
        }
        if (count == CNV_LABELS_MAX || !isfinite(label)) {
            return false;
        }
        memmove(labels + low + 1, labels + low, (count - low) * sizeof(*labels));
        labels[low] = label;
        count++;
    }
    memcpy(ret_labels, labels, count * sizeof(*labels));
    *ret_count = count;
    return true;
}
