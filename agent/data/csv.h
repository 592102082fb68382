/* csv.h - tables of numbers as people have them: one row a line, fields between separators. */
#ifndef CNV_AGENT_DATA_CSV_H
#define CNV_AGENT_DATA_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "data/input.h"
#include "data/text.h"

enum cnv_csv_header { CNV_CSV_HEADER_AUTO, CNV_CSV_HEADER_YES, CNV_CSV_HEADER_NO };

/* What happens to a row in which a value is missing: refused, left out, or taken as 0. */
enum cnv_csv_missing { CNV_CSV_MISSING_ERROR, CNV_CSV_MISSING_DROP, CNV_CSV_MISSING_ZERO };

/* All defaults when zero. Texts are borrowed; NULL is like "". */
struct cnv_csv_options {
    enum cnv_csv_header header;
    enum cnv_csv_missing missing;
    char separator;     /* ',', ';' or tab; 0: told by the first line */
    const char *label;  /* first, last, a column's number from 1 or its name; "" or auto: told by
                           the header, else last */
    const char *labels; /* "no,yes": the word in place k, from 0, is label k; "": numbers */
    const char *skip;   /* columns that are neither label nor feature: numbers or names */
};

enum { CNV_CSV_NAME_SIZE = 33 };

/* How the file was understood. */
struct cnv_csv_about {
    char separator;
    bool has_header;
    size_t label;                 /* column, from 1 */
    char name[CNV_CSV_NAME_SIZE]; /* the label's in the header, cut to fit; "": none */
    size_t dropped;               /* rows left out */
    size_t zeroed;                /* values taken as 0 */
};

/*
 * Gives every row of the file to take, in order, and ends with the first failure, be it take's.
 * The features are the columns but label and skipped ones, in their order; zeros are not kept, so
 * that a row is the same as from LIBSVM text. ret_about may be NULL.
 *
 * CNV_E_INPUT names file, line and column, what was expected and what was found.
 */
CNV_MUST_CHECK enum cnv_status cnv_csv_read(struct cnv_input *input,
                                            const struct cnv_csv_options *options,
                                            cnv_row_fn take,
                                            void *context,
                                            struct cnv_csv_about *ret_about,
                                            struct cnv_error *err);

/* Understands the first line alone, in the same way. Errors as above. */
CNV_MUST_CHECK enum cnv_status cnv_csv_look(struct cnv_input *input,
                                            const struct cnv_csv_options *options,
                                            struct cnv_csv_about *ret_about,
                                            struct cnv_error *err);

/*
 * Whether a text that starts with these bytes (ended by a zero byte) is a table and not LIBSVM: its
 * first line has a separator, and no word of it is index:value.
 */
bool cnv_csv_matches(const char *start);

#endif
