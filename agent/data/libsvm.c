/*
 * libsvm.c - a strict reader of LIBSVM text that holds one row at a time.
 *
 * Strict, because a row misread is a wrong model without a sign of it: indices ascend from 1,
 * numbers are finite and end where a blank stands, every row has a label.
 */
#include "data/libsvm.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/number.h"

enum { ENTRIES = 256 };

struct reader {
    struct cnv_lines lines;
    uint32_t *columns; /* [entries] of the row in hand */
    double *values;
    size_t entries;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

static enum cnv_status fail_line(const struct reader *reader,
                                 const char *expected,
                                 const char *found,
                                 struct cnv_error *err)
{
    char shown[CNV_INPUT_SHOWN_SIZE];

    cnv_input_show(found, shown);
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s:%zu: expected %s, found \"%s\"",
                    cnv_input_name(reader->lines.input),
                    reader->lines.number,
                    expected,
                    shown);
}

static enum cnv_status fail_memory(const struct reader *reader, struct cnv_error *err)
{
    return cnv_fail(err,
                    CNV_E_NOMEM,
                    "%s:%zu: out of memory",
                    cnv_input_name(reader->lines.input),
                    reader->lines.number);
}

/* False when memory is out; what is there stays. */
static bool grow_entries(struct reader *reader)
{
    size_t entries = reader->entries == 0 ? ENTRIES : reader->entries * 2;
    uint32_t *columns =
        cnv_array_resize(reader->columns, reader->entries, entries, sizeof(*columns));
    double *values = NULL;

    if (columns == NULL) {
        return false;
    }
    reader->columns = columns;
    values = cnv_array_resize(reader->values, reader->entries, entries, sizeof(*values));
    if (values == NULL) {
        return false;
    }
    reader->values = values;
    reader->entries = entries;
    return true;
}

/* "index:" at *at, larger than the row's last one. */
static enum cnv_status parse_index(const struct reader *reader,
                                   const char **at,
                                   size_t last,
                                   size_t *ret_index,
                                   struct cnv_error *err)
{
    const char *start = *at;
    const char *digits = start + (*start == '-');
    const char *end = digits;
    uint64_t index = 0;

    for (; *end >= '0' && *end <= '9'; end++) {
        index = index > UINT32_MAX ? index : index * 10 + (uint64_t) (*end - '0');
    }
    if (strncmp(start, "qid:", 4) == 0) {
        return fail_line(
            reader, "no query ids (ranking is not a problem convene solves)", start, err);
    }
    if (end == digits || *end != ':') {
        return fail_line(reader, "index:value", start, err);
    }
    if (digits != start || index == 0 || index > UINT32_MAX) {
        return fail_line(reader, "an index from 1 to 4294967295", start, err);
    }
    if (index <= last) {
        char expected[64];

        (void) snprintf(expected, sizeof(expected), "an index above %zu (they ascend)", last);
        return fail_line(reader, expected, start, err);
    }
    *ret_index = (size_t) index;
    *at = end + 1;
    return CNV_OK;
}

static bool parse_number(const char **at, double *ret_number)
{
    const char *end = NULL;

    if (!cnv_number_parse(*at, &end, ret_number) || !(is_blank(*end) || *end == '\0')) {
        return false;
    }
    *at = end;
    return true;
}

/* The features behind the label. Explicit zeros count for the width and are not kept. */
static enum cnv_status
parse_features(struct reader *reader, const char *at, struct cnv_row *row, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;

    for (at = skip_blanks(at); *at != '\0'; at = skip_blanks(at)) {
        const char *pair = at;
        double value = 0.0;

        status = parse_index(reader, &at, row->width, &row->width, err);
        if (status != CNV_OK) {
            return status;
        }
        if (!parse_number(&at, &value)) {
            return fail_line(reader, "a finite number behind the index", pair, err);
        }
        if (value == 0.0) {
            continue;
        }
        if (row->count == reader->entries && !grow_entries(reader)) {
            return fail_memory(reader, err);
        }
        reader->columns[row->count] = (uint32_t) (row->width - 1);
        reader->values[row->count] = value;
        row->count++;
    }
    return CNV_OK;
}

/* Cuts the comment off; whether anything but blanks is left. */
static bool has_content(char *line)
{
    line[strcspn(line, "#")] = '\0';
    return *skip_blanks(line) != '\0';
}

static enum cnv_status
parse_row(struct reader *reader, const char *line, struct cnv_row *row, struct cnv_error *err)
{
    const char *at = skip_blanks(line);

    if (!parse_number(&at, &row->label)) {
        return fail_line(reader, "a finite number as the label", at, err);
    }
    row->label += 0.0; /* -0 and 0 are one label */
    row->line = reader->lines.number;
    return parse_features(reader, at, row, err);
}

static enum cnv_status read_rows(
    struct reader *reader, cnv_row_fn take, void *context, size_t *rows, struct cnv_error *err)
{
    for (;;) {
        struct cnv_row row = { .row = *rows };
        char *line = NULL;
        enum cnv_status status = cnv_lines_next(&reader->lines, &line, err);

        if (status != CNV_OK || line == NULL) {
            return status;
        }
        if (!has_content(line)) {
            continue;
        }
        status = parse_row(reader, line, &row, err);
        if (status == CNV_OK) {
            row.columns = reader->columns;
            row.values = reader->values;
            status = take(context, &row, err);
        }
        if (status != CNV_OK) {
            return status;
        }
        (*rows)++;
    }
}

enum cnv_status cnv_libsvm_read(struct cnv_input *input,
                                cnv_row_fn take,
                                void *context,
                                size_t *ret_rows,
                                struct cnv_error *err)
{
    struct reader reader = { .entries = 0 };
    size_t rows = 0;
    enum cnv_status status = cnv_lines_init(&reader.lines, input, err);

    if (status == CNV_OK && !grow_entries(&reader)) {
        status = fail_memory(&reader, err);
    }
    if (status == CNV_OK) {
        status = read_rows(&reader, take, context, &rows, err);
    }
    if (status == CNV_OK && rows == 0) {
        status =
            cnv_fail(err,
                     CNV_E_INPUT,
                     "%s: no rows; expected LIBSVM text (label index:value ...), CSV or IDX images",
                     cnv_input_name(input));
    }
    if (status == CNV_OK && ret_rows != NULL) {
        *ret_rows = rows;
    }
    cnv_lines_fini(&reader.lines);
    cnv_free(reader.columns);
    cnv_free(reader.values);
    return status;
}
