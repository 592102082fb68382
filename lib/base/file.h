/* file.h - a whole file in memory. */
#ifndef CNV_BASE_FILE_H
#define CNV_BASE_FILE_H

#include <stddef.h>

#include "base/blob.h"
#include "base/status.h"

/* Reads a regular file of at most most bytes; the caller unrefs the blob. CNV_E_INPUT names path
 * and reason. */
CNV_MUST_CHECK enum cnv_status
cnv_file_read(const char *path, size_t most, struct cnv_blob **ret_blob, struct cnv_error *err);

#endif
