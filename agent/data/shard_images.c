/*
 * shard_images.c - the rows of a shard from IDX images, read once since their header counts them.
 *
 * Bytes are collected as they come and become numbers when the last one was there: a header that
 * claims more images than follow cannot make us allocate eight times what it claims.
 */
#include <string.h>

#include "base/mem.h"
#include "data/idx.h"
#include "data/selection.h"

enum { IMAGE_STEP_BYTES = 1 << 22 };

static const double pixel_scale = 1.0 / 255.0;

/* The pixels of the kept images in the order of the file, bytes still; the caller frees them. */
static enum cnv_status collect_pixels(struct cnv_idx *idx,
                                      const struct cnv_selection *selection,
                                      uint8_t **ret_pixels,
                                      struct cnv_error *err)
{
    uint8_t *pixels = NULL;
    size_t capacity = 0;
    size_t used = 0;
    enum cnv_status status = CNV_OK;

    for (size_t row = 0; row < idx->rows && status == CNV_OK; row++) {
        status = cnv_idx_next(idx, row, err);
        if (status != CNV_OK || selection->slots[row] == CNV_NOT_KEPT) {
            continue;
        }
        if (capacity - used < idx->pixels) {
            size_t grown = capacity * 2 + IMAGE_STEP_BYTES + idx->pixels;
            size_t needed = selection->kept * idx->pixels;
            uint8_t *more = NULL;

            grown = grown < needed ? grown : needed;
            more = cnv_array_resize(pixels, capacity, grown, 1);
            if (more == NULL) {
                status =
                    cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", cnv_input_name(idx->images));
                continue;
            }
            pixels = more;
            capacity = grown;
        }
        memcpy(pixels + used, idx->image, idx->pixels);
        used += idx->pixels;
    }
    if (status == CNV_OK) {
        status = cnv_idx_finish(idx, err);
    }
    if (status != CNV_OK) {
        cnv_free(pixels);
        return status;
    }
    *ret_pixels = pixels;
    return CNV_OK;
}

static enum cnv_status place_images(const struct cnv_idx *idx,
                                    const struct cnv_selection *selection,
                                    const uint8_t *pixels,
                                    double scale,
                                    struct cnv_shard *shard,
                                    struct cnv_error *err)
{
    size_t count = 0;
    double scaled[UINT8_MAX + 1];

    shard->rows = selection->kept;
    shard->features = idx->pixels;
    shard->labels = cnv_array_new(shard->rows, sizeof(*shard->labels));
    if (!__builtin_mul_overflow(shard->rows, shard->features, &count)) {
        shard->values = cnv_array_new(count, sizeof(*shard->values));
    }
    if (shard->labels == NULL || shard->values == NULL) {
        return cnv_fail(err,
                        CNV_E_NOMEM,
                        "%s: no memory for %zu images",
                        cnv_input_name(idx->images),
                        shard->rows);
    }
    for (unsigned pixel = 0; pixel <= UINT8_MAX; pixel++) {
        scaled[pixel] = pixel * scale;
    }
    for (size_t row = 0; row < idx->rows; row++) {
        size_t slot = selection->slots[row];

        if (slot == CNV_NOT_KEPT) {
            continue;
        }
        shard->labels[slot] = idx->labels[row];
        for (size_t i = 0; i < idx->pixels; i++) {
            shard->values[slot * idx->pixels + i] = scaled[*pixels++];
        }
    }
    return CNV_OK;
}

enum cnv_status cnv_shard_read_images(const char *path,
                                      struct cnv_input *input,
                                      const struct cnv_data_options *options,
                                      struct cnv_shard *shard,
                                      struct cnv_error *err)
{
    double scale = options->scale == 0.0 ? pixel_scale : options->scale;
    struct cnv_idx idx = { 0 };
    struct cnv_selection selection = { 0 };
    uint8_t *pixels = NULL;
    enum cnv_status status = cnv_idx_open(path, input, &idx, err);

    if (status == CNV_OK) {
        status = cnv_selection_make(cnv_input_name(input), idx.rows, options, &selection, err);
    }
    if (status == CNV_OK) {
        status = collect_pixels(&idx, &selection, &pixels, err);
    }
    if (status == CNV_OK) {
        status = place_images(&idx, &selection, pixels, scale, shard, err);
    }
    cnv_free(pixels);
    cnv_free(selection.slots);
    cnv_idx_close(&idx);
    return status;
}
