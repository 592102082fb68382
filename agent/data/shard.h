/*
 * shard.h - the rows an agent works on, in memory: compressed sparse rows or dense rows.
 *
 * A row's features are at columns 0 .. features-1 (a LIBSVM index i is column i-1). Rows without
 * features are genuine rows. Labels are as in the file; what they mean is the problem's business.
 */
#ifndef CNV_AGENT_DATA_SHARD_H
#define CNV_AGENT_DATA_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/csv.h"

enum { CNV_ABOUT_SIZE = 160 };

struct cnv_shard {
    size_t rows;
    size_t features;            /* highest column + 1 that occurs in the file (dense: the width) */
    double *labels;             /* [rows] */
    size_t *row_start;          /* [rows + 1], sparse only; NULL when dense */
    uint32_t *columns;          /* [nonzeros], ascending in a row, sparse only */
    double *values;             /* [nonzeros], or [rows x features] row-major when dense */
    char about[CNV_ABOUT_SIZE]; /* how the file was understood, for the log: key=value ... */
};

enum cnv_data_format {
    CNV_FORMAT_AUTO,
    CNV_FORMAT_LIBSVM,
    CNV_FORMAT_CSV,
    CNV_FORMAT_IDX,
    CNV_FORMAT_CIFAR10
};

/* How a file is read; all settings have their defaults when zero. */
struct cnv_data_options {
    uint64_t seed;  /* of the shuffle */
    bool shuffle;   /* permute the rows of the whole file before they are split */
    uint32_t shard; /* which part, from 1; 0: the whole file */
    uint32_t shards;
    double scale;    /* every value is multiplied by this; 0: 1/255 for IDX, 1 else */
    size_t max_rows; /* refuse larger files; 0: no limit */
    enum cnv_data_format format;
    struct cnv_csv_options csv;
};

/*
 * Reads path (LIBSVM text, CSV, CIFAR-10 records, or an IDX image file with its label file beside
 * it; plain, .gz, .xz), shuffles, and keeps one shard. Shard k of N holds rows [(k-1) n / N, k n /
 * N) of the order.
 *
 * CNV_E_INPUT: the file cannot be opened, or is malformed anywhere, also in the rows of other
 * shards; the line names file, line (or offset) and what was expected. CNV_E_SYSTEM: reading
 * failed. The format is told by the name (.csv, .tsv), else by content. Memory: the shard, and
 * while reading about 24 bytes for each row of the file (for images also a byte for each pixel of
 * the shard).
 */
CNV_MUST_CHECK enum cnv_status cnv_shard_read(const char *path,
                                              const struct cnv_data_options *options,
                                              struct cnv_shard **ret_shard,
                                              struct cnv_error *err);

/*
 * What is known from the start of that file: what its values are multiplied by, and, of a CSV file,
 * how its columns are understood, in words into ret_about[CNV_ABOUT_SIZE]; "" of others. Errors as
 * above.
 */
CNV_MUST_CHECK enum cnv_status cnv_shard_look(const char *path,
                                              const struct cnv_data_options *options,
                                              double *ret_scale,
                                              char *ret_about,
                                              struct cnv_error *err);

/*
 * A shard of the listed rows, in their order, without the columns from features on.
 *
 *   rows  [count] numbers of rows of the shard
 */
CNV_MUST_CHECK enum cnv_status cnv_shard_pick(const struct cnv_shard *shard,
                                              const size_t *rows,
                                              size_t count,
                                              size_t features,
                                              struct cnv_shard **ret_shard,
                                              struct cnv_error *err);

/* One row without features, its label 0: what stands for the data of a synthetic problem. */
CNV_MUST_CHECK enum cnv_status cnv_shard_blank(struct cnv_shard **ret_shard, struct cnv_error *err);

/* NULL is fine. */
void cnv_shard_destroy(struct cnv_shard *shard);

enum { CNV_LABELS_MAX = 4096 };

/*
 * The distinct labels in ascending order into ret_labels[CNV_LABELS_MAX]; false when there are
 * more than that, or one is not finite.
 */
bool cnv_shard_labels(const struct cnv_shard *shard, double *ret_labels, size_t *ret_count);

#endif
