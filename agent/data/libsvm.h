/* libsvm.h - LIBSVM text, row by row: "label index:value index:value ... # comment". */
#ifndef CNV_AGENT_DATA_LIBSVM_H
#define CNV_AGENT_DATA_LIBSVM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/input.h"

/* One row. Borrowed for the call. */
struct cnv_libsvm_row {
    size_t row;              /* from 0 */
    size_t line;             /* from 1 */
    double label;            /* finite */
    const uint32_t *columns; /* [count] ascending, from 0 */
    const double *values;    /* [count] finite, not zero */
    size_t count;
    size_t width; /* highest index that occurs, also with an explicit zero */
};

typedef enum cnv_status (*cnv_libsvm_row_fn)(void *context,
                                             const struct cnv_libsvm_row *row,
                                             struct cnv_error *err);

/*
 * Gives every row of the file to take, in order, and ends with the first failure, be it take's.
 * Blank lines and comments are no rows; a label alone is one. CNV_E_INPUT names file and line,
 * what was expected and what was found. ret_rows may be NULL.
 */
CNV_MUST_CHECK enum cnv_status cnv_libsvm_read(struct cnv_input *input,
                                               cnv_libsvm_row_fn take,
                                               void *context,
                                               size_t *ret_rows,
                                               struct cnv_error *err);

#endif
