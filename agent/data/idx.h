/* idx.h - MNIST's IDX pair: a file of images and, beside it, a file of their labels. */
#ifndef CNV_AGENT_DATA_IDX_H
#define CNV_AGENT_DATA_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/input.h"

enum { CNV_IDX_PREFIX_MAX = 1 };

/* The images of a file, of IDX or another format, read one by one, and all of its labels. */
struct cnv_idx {
    struct cnv_input *images; /* borrowed */
    uint8_t *labels;          /* [rows] */
    size_t rows;
    size_t pixels;  /* of an image */
    size_t header;  /* bytes before the first image */
    size_t prefix;  /* bytes before each, at most CNV_IDX_PREFIX_MAX */
    uint8_t *image; /* [pixels] the image read last */
};

/* Whether a file that starts with these four bytes can only be IDX. */
bool cnv_idx_matches(const uint8_t start[4]);

/*
 * Reads the header of images, which was opened at path, and the labels from the file beside it
 * whose name has "labels" for "images" and "idx1" for "idx3" (plain, .gz or .xz, as it is found).
 * images is borrowed until idx is closed. CNV_E_INPUT names file and offset. The caller closes
 * idx, also after a failure.
 */
CNV_MUST_CHECK enum cnv_status cnv_idx_open(const char *path,
                                            struct cnv_input *images,
                                            struct cnv_idx *ret_idx,
                                            struct cnv_error *err);

/* Reads the next image into idx->image. */
CNV_MUST_CHECK enum cnv_status cnv_idx_next(struct cnv_idx *idx, size_t row, struct cnv_error *err);

/* After the last image: fails unless the file ends there. */
CNV_MUST_CHECK enum cnv_status cnv_idx_finish(struct cnv_idx *idx, struct cnv_error *err);

void cnv_idx_close(struct cnv_idx *idx);

#endif
