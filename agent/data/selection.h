/* selection.h - which rows of a file a shard keeps, and where. Private to this folder. */
#ifndef CNV_AGENT_DATA_SELECTION_H
#define CNV_AGENT_DATA_SELECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/input.h"
#include "data/shard.h"

/* Slot of a row that another shard keeps. */
#define CNV_NOT_KEPT SIZE_MAX

struct cnv_selection {
    size_t *slots; /* [rows of the file] position in the shard, or CNV_NOT_KEPT */
    size_t kept;
};

/*
 * What the options select of the n rows of the file called name. CNV_E_INPUT: more shards than
 * rows, or more rows than allowed. The caller frees slots with cnv_free.
 */
CNV_MUST_CHECK enum cnv_status cnv_selection_make(const char *name,
                                                  size_t n,
                                                  const struct cnv_data_options *options,
                                                  struct cnv_selection *ret_selection,
                                                  struct cnv_error *err);

/*
 * Fill an empty shard from a file at its start: LIBSVM text or CSV, or IDX images. options->format
 * is not auto any more, and scale not 0. Errors as of cnv_shard_read; the caller destroys the
 * shard.
 */
CNV_MUST_CHECK enum cnv_status cnv_shard_read_text(struct cnv_input *input,
                                                   const struct cnv_data_options *options,
                                                   struct cnv_shard *shard,
                                                   struct cnv_error *err);
CNV_MUST_CHECK enum cnv_status cnv_shard_read_images(const char *path,
                                                     struct cnv_input *input,
                                                     const struct cnv_data_options *options,
                                                     struct cnv_shard *shard,
                                                     struct cnv_error *err);

#endif
