/* libsvm.h - LIBSVM text, row by row: "label index:value index:value ... # comment". */
#ifndef CNV_AGENT_DATA_LIBSVM_H
#define CNV_AGENT_DATA_LIBSVM_H

#include <stddef.h>

#include "base/status.h"
#include "data/input.h"
#include "data/text.h"

/*
 * Gives every row of the file to take, in order, and ends with the first failure, be it take's.
 * Blank lines and comments are no rows; a label alone is one. CNV_E_INPUT names file and line,
 * what was expected and what was found. ret_rows may be NULL.
 */
CNV_MUST_CHECK enum cnv_status cnv_libsvm_read(struct cnv_input *input,
                                               cnv_row_fn take,
                                               void *context,
                                               size_t *ret_rows,
                                               struct cnv_error *err);

#endif
