/*
 * cifar.c - reads CIFAR-10's binary records (Krizhevsky 2009), which have no header.
 *
 * So a first pass counts them and keeps the labels; pixels are as they come, the red ones of an
 * image first, then the green and the blue.
 */
#include "data/cifar.h"

#include "base/mem.h"

enum { LABEL_MAX = 9, PIXELS = 3 * 32 * 32, LABELS_STEP = 1 << 12 };

/* Room for one more label. */
static bool reserve_label(struct cnv_idx *idx, size_t *capacity)
{
    if (idx->rows == *capacity) {
        size_t grown = *capacity == 0 ? LABELS_STEP : *capacity * 2;
        uint8_t *labels = cnv_array_resize(idx->labels, *capacity, grown, 1);

        if (labels == NULL) {
            return false;
        }
        idx->labels = labels;
        *capacity = grown;
    }
    return true;
}

static enum cnv_status read_labels(struct cnv_idx *idx, struct cnv_error *err)
{
    const char *name = cnv_input_name(idx->images);
    uint8_t record[1 + PIXELS];
    size_t capacity = 0;

    for (;;) {
        size_t offset = idx->rows * sizeof(record);
        size_t len = 0;
        enum cnv_status status = cnv_input_read_all(idx->images, record, sizeof(record), &len, err);

        if (status != CNV_OK || len == 0) {
            return status;
        }
        if (len < sizeof(record)) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s: offset %zu: expected a CIFAR-10 record of %zu bytes, found %zu",
                            name,
                            offset,
                            sizeof(record),
                            len);
        }
        if (record[0] > LABEL_MAX) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s: offset %zu: expected the label of a CIFAR-10 record, 0 to %d, "
                            "found %u",
                            name,
                            offset,
                            LABEL_MAX,
                            record[0]);
        }
        if (!reserve_label(idx, &capacity)) {
            return cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", name);
        }
        idx->labels[idx->rows++] = record[0];
    }
}

enum cnv_status
cnv_cifar_open(struct cnv_input *images, struct cnv_idx *ret_idx, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;

    *ret_idx = (struct cnv_idx){ .images = images, .pixels = PIXELS, .prefix = 1 };
    ret_idx->image = cnv_array_new(PIXELS, 1);
    if (ret_idx->image == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", cnv_input_name(images));
    }
    status = read_labels(ret_idx, err);
    return status == CNV_OK ? cnv_input_rewind(images, err) : status;
}
