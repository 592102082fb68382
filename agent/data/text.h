/* text.h - what the readers of text share: lines in, rows out. */
#ifndef CNV_AGENT_DATA_TEXT_H
#define CNV_AGENT_DATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/input.h"

/* One row. Borrowed for the call. */
struct cnv_row {
    size_t row;              /* from 0 */
    size_t line;             /* from 1 */
    double label;            /* finite */
    const uint32_t *columns; /* [count] ascending, from 0 */
    const double *values;    /* [count] finite, not zero */
    size_t count;
    size_t width; /* highest index that occurs, also where the value is zero */
};

typedef enum cnv_status (*cnv_row_fn)(void *context,
                                      const struct cnv_row *row,
                                      struct cnv_error *err);

/* The lines of an input, one at a time. */
struct cnv_lines {
    struct cnv_input *input; /* borrowed */
    char *text;              /* [capacity], a zero byte behind what is filled */
    size_t capacity;
    size_t start;  /* of the line in hand */
    size_t end;    /* of what is filled */
    size_t number; /* of the line in hand, from 1 */
    bool is_last;  /* nothing follows what is filled */
};

/* Leaves lines fit for fini, also when it fails: CNV_E_NOMEM. */
CNV_MUST_CHECK enum cnv_status
cnv_lines_init(struct cnv_lines *lines, struct cnv_input *input, struct cnv_error *err);
void cnv_lines_fini(struct cnv_lines *lines);

/*
 * The next line, without its newline and ended by a zero byte, or NULL at the end of the file. It
 * is the caller's to change until the next call. CNV_E_INPUT: a zero byte in it, or a line beyond
 * 128 MiB; errors of cnv_input_read.
 */
CNV_MUST_CHECK enum cnv_status
cnv_lines_next(struct cnv_lines *lines, char **ret_line, struct cnv_error *err);

#endif
