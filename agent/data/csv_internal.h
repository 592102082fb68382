/* csv_internal.h - what csv.c and csv_columns.c share. Private to this folder. */
#ifndef CNV_AGENT_DATA_CSV_INTERNAL_H
#define CNV_AGENT_DATA_CSV_INTERNAL_H

#include <stdint.h>

#include "data/csv.h"

enum cnv_csv_role { CNV_CSV_FEATURE, CNV_CSV_LABEL, CNV_CSV_SKIPPED };

struct cnv_csv {
    struct cnv_lines lines;
    const struct cnv_csv_options *options;
    struct cnv_csv_about about;
    char **fields; /* [count] of the line in hand, trimmed and unquoted */
    size_t count;
    size_t capacity;
    char **names;      /* [width] owned; NULL without a header */
    uint8_t *roles;    /* [width] enum cnv_csv_role; NULL before the first line was understood */
    size_t width;      /* fields of every line */
    uint32_t *columns; /* [width] of the row in hand */
    double *values;
};

bool cnv_csv_is_number(const char *field, double *ret_number);
bool cnv_csv_is_missing(const char *field);

/* The place of word in a list with commas between, from 0; false: it is not there. */
bool cnv_csv_list_find(const char *list, const char *word, size_t *ret_place);

/* "FILE:LINE: column 3 (age): expected WHAT, found "FOUND"". column is from 0. */
enum cnv_status cnv_csv_fail(const struct cnv_csv *csv,
                             size_t column,
                             const char *expected,
                             const char *found,
                             struct cnv_error *err);
enum cnv_status cnv_csv_fail_memory(const struct cnv_csv *csv, struct cnv_error *err);

/*
 * Fails as cnv_csv_fail does, for a word in the column of the label: expected is followed by the
 * setting that would take the words of the file as labels, for which it is read to its end.
 */
enum cnv_status
cnv_csv_fail_words(struct cnv_csv *csv, size_t column, const char *expected, struct cnv_error *err);

/*
 * Understands the first line, whose fields are in hand: is it a header, which column is the label,
 * which are skipped. Fills in names, roles, width and about.
 */
CNV_MUST_CHECK enum cnv_status cnv_csv_columns(struct cnv_csv *csv, struct cnv_error *err);

#endif
