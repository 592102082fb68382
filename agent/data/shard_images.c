/*
 * shard_images.c - the rows of a shard from images: IDX, read once since their header counts them,
 * or records of CIFAR-10.
 *
 * Bytes are collected as they come and become numbers when the last one was there: a header that
 * claims more images than follow cannot make us allocate eight times what it claims.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/selection.h"

enum { IMAGE_STEP_BYTES = 1 << 22 };

/* The pixels of the kept images in the order of the file, bytes still. */
struct pixels {
    uint8_t *bytes; /* [used] */
    size_t used;
    size_t capacity;
    size_t most; /* that there will be */
};

static bool append_image(struct pixels *pixels, const uint8_t *image, size_t len)
{
    if (pixels->bytes == NULL || pixels->capacity - pixels->used < len) {
        size_t capacity = pixels->capacity * 2 + IMAGE_STEP_BYTES + len;
        uint8_t *bytes = NULL;

        capacity = capacity < pixels->most ? capacity : pixels->most;
        bytes = cnv_array_resize(pixels->bytes, pixels->capacity, capacity, 1);
        if (bytes == NULL) {
            return false;
        }
        pixels->bytes = bytes;
        pixels->capacity = capacity;
    }
    memcpy(pixels->bytes + pixels->used, image, len);
    pixels->used += len;
    return true;
}

static enum cnv_status collect_pixels(struct cnv_idx *idx,
                                      const struct cnv_selection *selection,
                                      struct pixels *pixels,
                                      struct cnv_error *err)
{
    pixels->most = selection->kept * idx->pixels;
    for (size_t row = 0; row < idx->rows; row++) {
        enum cnv_status status = cnv_idx_next(idx, row, err);

        if (status != CNV_OK) {
            return status;
        }
        if (selection->slots[row] != CNV_NOT_KEPT &&
            !append_image(pixels, idx->image, idx->pixels)) {
            return cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", cnv_input_name(idx->images));
        }
    }
    return cnv_idx_finish(idx, err);
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
    struct cnv_idx idx = { 0 };
    struct cnv_selection selection = { 0 };
    struct pixels pixels = { 0 };
    bool is_cifar = options->format == CNV_FORMAT_CIFAR10;
    enum cnv_status status =
        is_cifar ? cnv_cifar_open(input, &idx, err) : cnv_idx_open(path, input, &idx, err);

    if (status == CNV_OK) {
        status = cnv_selection_make(cnv_input_name(input), idx.rows, options, &selection, err);
    }
    if (status == CNV_OK) {
        status = collect_pixels(&idx, &selection, &pixels, err);
    }
    if (status == CNV_OK) {
        status = place_images(&idx, &selection, pixels.bytes, options->scale, shard, err);
    }
    (void) snprintf(shard->about, CNV_ABOUT_SIZE, "format=%s", is_cifar ? "cifar10" : "idx");
    cnv_free(pixels.bytes);
    cnv_free(selection.slots);
    cnv_idx_close(&idx);
    return status;
}
