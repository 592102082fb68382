/* pick.c - some rows of a shard as a shard of their own. */
#include <string.h>

#include "base/mem.h"
#include "data/shard.h"

/* Entries of a row in front of column features: they ascend. */
static size_t entries_of(const struct cnv_shard *shard, size_t row, size_t features)
{
    size_t count = 0;

    for (size_t i = shard->row_start[row]; i < shard->row_start[row + 1]; i++) {
        count += shard->columns[i] < features;
    }
    return count;
}

static bool fill_sparse(const struct cnv_shard *shard, const size_t *rows, struct cnv_shard *picked)
{
    size_t at = 0;

    picked->row_start = cnv_array_new(picked->rows + 1, sizeof(*picked->row_start));
    if (picked->row_start == NULL) {
        return false;
    }
    for (size_t i = 0; i < picked->rows; i++) {
        picked->row_start[i + 1] =
            picked->row_start[i] + entries_of(shard, rows[i], picked->features);
    }
    picked->columns = cnv_array_new(picked->row_start[picked->rows], sizeof(*picked->columns));
    picked->values = cnv_array_new(picked->row_start[picked->rows], sizeof(*picked->values));
    if (picked->columns == NULL || picked->values == NULL) {
        return false;
    }
    for (size_t i = 0; i < picked->rows; i++) {
        size_t from = shard->row_start[rows[i]];
        size_t count = picked->row_start[i + 1] - picked->row_start[i];

        memcpy(picked->columns + at, shard->columns + from, count * sizeof(*picked->columns));
        memcpy(picked->values + at, shard->values + from, count * sizeof(*picked->values));
        at += count;
    }
    return true;
}

static bool fill_dense(const struct cnv_shard *shard, const size_t *rows, struct cnv_shard *picked)
{
    size_t count = 0;

    if (__builtin_mul_overflow(picked->rows, picked->features, &count)) {
        return false;
    }
    picked->values = cnv_array_new(count, sizeof(*picked->values));
    if (picked->values == NULL) {
        return false;
    }
    for (size_t i = 0; i < picked->rows; i++) {
        memcpy(picked->values + i * picked->features,
               shard->values + rows[i] * shard->features,
               picked->features * sizeof(*picked->values));
    }
    return true;
}

enum cnv_status cnv_shard_pick(const struct cnv_shard *shard,
                               const size_t *rows,
                               size_t count,
                               size_t features,
                               struct cnv_shard **ret_shard,
                               struct cnv_error *err)
{
    struct cnv_shard *picked = cnv_object_new(struct cnv_shard);
    bool is_filled = false;

    if (picked != NULL) {
        picked->rows = count;
        picked->features = shard->features < features ? shard->features : features;
        picked->labels = cnv_array_new(count, sizeof(*picked->labels));
        is_filled =
            picked->labels != NULL && (shard->row_start == NULL ? fill_dense(shard, rows, picked)
                                                                : fill_sparse(shard, rows, picked));
    }
    if (!is_filled) {
        cnv_shard_destroy(picked);
        return cnv_fail(err, CNV_E_NOMEM, "no memory for %zu rows", count);
    }
    for (size_t i = 0; i < count; i++) {
        picked->labels[i] = shard->labels[rows[i]];
    }
    memcpy(picked->about, shard->about, sizeof(picked->about));
    *ret_shard = picked;
    return CNV_OK;
}
