/*
 * libsvm.c - a strict reader of LIBSVM text that holds one line at a time.
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

enum { TEXT_BYTES = 1 << 18, LINE_BYTES_MAX = 1 << 28, ENTRIES = 256 };

struct reader {
    struct cnv_input *input;
    char *text; /* [capacity], a zero byte behind what is filled */
    size_t capacity;
    size_t start;      /* of the line in hand */
    size_t end;        /* of what is filled */
    size_t line;       /* number of the line in hand */
    bool is_last;      /* nothing follows what is filled */
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
                    cnv_input_name(reader->input),
                    reader->line,
                    expected,
                    shown);
}

static enum cnv_status fail_memory(const struct reader *reader, struct cnv_error *err)
{
    return cnv_fail(
        err, CNV_E_NOMEM, "%s:%zu: out of memory", cnv_input_name(reader->input), reader->line);
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

/* Reads more behind what is filled, moving the line in hand to the front to make room. */
static enum cnv_status fill(struct reader *reader, struct cnv_error *err)
{
    size_t len = 0;
    enum cnv_status status = CNV_OK;

    if (reader->start > 0) {
        reader->end -= reader->start;
        memmove(reader->text, reader->text + reader->start, reader->end);
        reader->start = 0;
    }
    if (reader->end + 1 >= reader->capacity) {
        size_t capacity = reader->capacity * 2;
        char *text = NULL;

        if (capacity > LINE_BYTES_MAX) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s:%zu: expected lines of at most 128 MiB",
                            cnv_input_name(reader->input),
                            reader->line);
        }
        text = cnv_array_resize(reader->text, reader->capacity, capacity, 1);
        if (text == NULL) {
            return fail_memory(reader, err);
        }
        reader->text = text;
        reader->capacity = capacity;
    }
    status = cnv_input_read(
        reader->input, reader->text + reader->end, reader->capacity - reader->end - 1, &len, err);
    reader->is_last = len == 0;
    reader->end += len;
    reader->text[reader->end] = '\0';
    return status;
}

/* The next line, ended by a zero byte, and its length; NULL at the end of the file. */
static enum cnv_status
next_line(struct reader *reader, char **ret_line, size_t *ret_len, struct cnv_error *err)
{
    size_t searched = 0;

    reader->line++;
    for (;;) {
        char *line = reader->text + reader->start;
        size_t len = reader->end - reader->start;
        char *newline = memchr(line + searched, '\n', len - searched);
        enum cnv_status status = CNV_OK;

        if (newline != NULL || (reader->is_last && len > 0)) {
            len = newline == NULL ? len : (size_t) (newline - line);
            line[len] = '\0';
            reader->start += len + (newline != NULL);
            *ret_line = line;
            *ret_len = len;
            return CNV_OK;
        }
        if (reader->is_last) {
            *ret_line = NULL;
            return CNV_OK;
        }
        searched = len;
        status = fill(reader, err);
        if (status != CNV_OK) {
            return status;
        }
    }
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
static enum cnv_status parse_features(struct reader *reader,
                                      const char *at,
                                      struct cnv_libsvm_row *row,
                                      struct cnv_error *err)
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

static enum cnv_status parse_row(struct reader *reader,
                                 const char *line,
                                 struct cnv_libsvm_row *row,
                                 struct cnv_error *err)
{
    const char *at = skip_blanks(line);

    if (!parse_number(&at, &row->label)) {
        return fail_line(reader, "a finite number as the label", at, err);
    }
    row->label += 0.0; /* -0 and 0 are one label */
    row->line = reader->line;
    return parse_features(reader, at, row, err);
}

static enum cnv_status read_rows(struct reader *reader,
                                 cnv_libsvm_row_fn take,
                                 void *context,
                                 size_t *rows,
                                 struct cnv_error *err)
{
    for (;;) {
        struct cnv_libsvm_row row = { .row = *rows };
        char *line = NULL;
        size_t len = 0;
        enum cnv_status status = next_line(reader, &line, &len, err);

        if (status != CNV_OK || line == NULL) {
            return status;
        }
        if (strlen(line) != len) {
            return fail_line(reader, "text", "a zero byte", err);
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
                                cnv_libsvm_row_fn take,
                                void *context,
                                size_t *ret_rows,
                                struct cnv_error *err)
{
    struct reader reader = { .input = input, .capacity = TEXT_BYTES };
    size_t rows = 0;
    enum cnv_status status = CNV_OK;

    reader.text = cnv_array_new(reader.capacity, 1);
    if (reader.text == NULL || !grow_entries(&reader)) {
        status = fail_memory(&reader, err);
    } else {
        status = read_rows(&reader, take, context, &rows, err);
    }
    if (status == CNV_OK && rows == 0) {
        status = cnv_fail(err,
                          CNV_E_INPUT,
                          "%s: no rows; expected LIBSVM text (label index:value ...) or IDX images",
                          cnv_input_name(input));
    }
    if (status == CNV_OK && ret_rows != NULL) {
        *ret_rows = rows;
    }
    cnv_free(reader.text);
    cnv_free(reader.columns);
    cnv_free(reader.values);
    return status;
}
