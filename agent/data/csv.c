/*
 * csv.c - a strict reader of comma, semicolon or tab separated numbers, one line at a time.
 *
 * Happy path: split a line into fields in place, understand the first one (csv_columns.c), then
 * turn each into a row. What can fail names line and column: another number of fields, a value that
 * is missing or no number, a label that is not one of data/labels, a quote that does not end.
 */
#include "data/csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/csv_internal.h"
#include "data/number.h"

enum { FIELDS = 64, WORDS_BYTES = 81 };

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* --- Words ------------------------------------------------------------------------------- */

bool cnv_csv_is_number(const char *field, double *ret_number)
{
    const char *end = NULL;

    return cnv_number_parse(field, &end, ret_number) && *end == '\0';
}

bool cnv_csv_is_missing(const char *field)
{
    static const char *const words[] = { "", "?", "NA", "N/A", "nan", "null", "none" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(field, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool cnv_csv_list_find(const char *list, const char *word, size_t *ret_place)
{
    size_t len = strlen(word);

    for (size_t place = 0; *list != '\0'; place++) {
        size_t item = strcspn(list, ",");

        if (item == len && len > 0 && strncmp(list, word, len) == 0) {
            *ret_place = place;
            return true;
        }
        list += item + (list[item] == ',');
    }
    return false;
}

/* --- Failures ---------------------------------------------------------------------------- */

enum cnv_status cnv_csv_fail(const struct cnv_csv *csv,
                             size_t column,
                             const char *expected,
                             const char *found,
                             struct cnv_error *err)
{
    const char *name = csv->names == NULL || column >= csv->width ? "" : csv->names[column];

    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s:%zu: column %zu%s%.32s%s: expected %s, found \"%.40s\"",
                    cnv_input_name(csv->lines.input),
                    csv->lines.number,
                    column + 1,
                    *name == '\0' ? "" : " (",
                    name,
                    *name == '\0' ? "" : ")",
                    expected,
                    found);
}

enum cnv_status cnv_csv_fail_memory(const struct cnv_csv *csv, struct cnv_error *err)
{
    return cnv_fail(err,
                    CNV_E_NOMEM,
                    "%s:%zu: out of memory",
                    cnv_input_name(csv->lines.input),
                    csv->lines.number);
}

/* --- Fields ------------------------------------------------------------------------------ */

static bool is_blank(const struct cnv_csv *csv, char c)
{
    return c == ' ' || c == '\r' || (c == '\t' && csv->about.separator != '\t');
}

/* Unquotes in place what stands behind the quote at text; NULL: the quote does not end. */
static char *unquote(char *text, char **ret_field)
{
    char *to = text;

    *ret_field = text;
    for (char *from = text + 1; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"') {
            *to = '\0';
            return from + 1;
        }
        from += *from == '"';
        *to++ = *from;
    }
    return NULL;
}

static bool add_field(struct cnv_csv *csv, char *field)
{
    if (csv->count == csv->capacity) {
        size_t capacity = csv->capacity == 0 ? FIELDS : csv->capacity * 2;
        char **fields = cnv_array_resize(csv->fields, csv->capacity, capacity, sizeof(*fields));

        if (fields == NULL) {
            return false;
        }
        csv->fields = fields;
        csv->capacity = capacity;
    }
    csv->fields[csv->count++] = field;
    return true;
}

/* The field at *at, ended by a zero byte; *at moves behind its separator, *ret_is_last at the end.
 */
static enum cnv_status take_field(
    struct cnv_csv *csv, char **at, char **ret_field, bool *ret_is_last, struct cnv_error *err)
{
    char *end = NULL;
    char *last = NULL;

    while (is_blank(csv, **at)) {
        (*at)++;
    }
    *ret_field = *at;
    if (**at == '"') {
        last = unquote(*at, ret_field);
        if (last == NULL) {
            return cnv_csv_fail(
                csv, csv->count, "a quoted field that ends on its line", *at + 1, err);
        }
        for (end = last; is_blank(csv, *end); end++) {
        }
        if (*end != '\0' && *end != csv->about.separator) {
            return cnv_csv_fail(csv, csv->count, "a separator behind the quoted field", end, err);
        }
    } else {
        for (end = *at; *end != '\0' && *end != csv->about.separator; end++) {
        }
        for (last = end; last > *at && is_blank(csv, last[-1]); last--) {
        }
    }
    *ret_is_last = *end == '\0';
    *at = end + !*ret_is_last;
    /* Of a quoted field this is its own end, or behind it. */
    *last = '\0';
    return CNV_OK;
}

static enum cnv_status split(struct cnv_csv *csv, char *line, struct cnv_error *err)
{
    bool is_last = false;

    csv->count = 0;
    while (!is_last) {
        char *field = NULL;
        enum cnv_status status = take_field(csv, &line, &field, &is_last, err);

        if (status != CNV_OK) {
            return status;
        }
        if (!add_field(csv, field)) {
            return cnv_csv_fail_memory(csv, err);
        }
    }
    return CNV_OK;
}

/* A semicolon stands where the comma is the decimal point; then tabs; a comma else. */
static char detect_separator(const char *line)
{
    bool is_quoted = false;
    bool has_tab = false;

    for (; *line != '\0'; line++) {
        is_quoted ^= *line == '"';
        if (*line == ';' && !is_quoted) {
            return ';';
        }
        has_tab |= *line == '\t' && !is_quoted && line[1] != '\0';
    }
    return has_tab ? '\t' : ',';
}

/* Splits the next line that is not blank; ret_is_end: there is none. */
static enum cnv_status next_line(struct cnv_csv *csv, bool *ret_is_end, struct cnv_error *err)
{
    size_t mark = strlen(byte_order_mark);

    for (;;) {
        char *line = NULL;
        enum cnv_status status = cnv_lines_next(&csv->lines, &line, err);

        *ret_is_end = line == NULL;
        if (status != CNV_OK || line == NULL) {
            return status;
        }
        if (csv->lines.number == 1 && strncmp(line, byte_order_mark, mark) == 0) {
            line += mark;
        }
        if (line[strspn(line, " \t\r")] == '\0') {
            continue;
        }
        if (csv->about.separator == '\0') {
            csv->about.separator = detect_separator(line);
        }
        return split(csv, line, err);
    }
}

bool cnv_csv_matches(const char *start)
{
    const char *line = start;
    bool has_separator = false;

    if (strncmp(line, byte_order_mark, strlen(byte_order_mark)) == 0) {
        return true;
    }
    line += strspn(line, " \t\r\n");
    while (*line == '#') {
        line += strcspn(line, "\n");
        line += strspn(line, " \t\r\n");
    }
    for (const char *at = line; *at != '\0' && *at != '\n' && *at != '#';) {
        size_t digits = strspn(at, "0123456789");

        if (digits > 0 && at[digits] == ':') {
            return false;
        }
        at += strcspn(at, " \t\r\n#");
        has_separator |= *at == '\t' && strchr("\r\n", at[1]) == NULL;
        at += strspn(at, " \t\r");
    }
    return has_separator || line[strcspn(line, ",;\n#")] == ',' ||
           line[strcspn(line, ",;\n#")] == ';';
}

/* --- Rows -------------------------------------------------------------------------------- */

static enum cnv_status fail_missing(const struct cnv_csv *csv, size_t column, struct cnv_error *err)
{
    return cnv_csv_fail(csv,
                        column,
                        csv->roles[column] == CNV_CSV_LABEL
                            ? "a label (data/missing=drop leaves such rows out)"
                            : "a number (data/missing=drop leaves such rows out, =zero takes 0)",
                        csv->fields[column],
                        err);
}

/* Adds the word to the list if it is not there. False: there is no room, or it has a comma. */
static bool add_word(char list[WORDS_BYTES], const char *word)
{
    size_t used = strlen(list);
    size_t place = 0;

    if (cnv_csv_list_find(list, word, &place)) {
        return true;
    }
    if (used + strlen(word) + 2 > WORDS_BYTES || strchr(word, ',') != NULL) {
        return false;
    }
    (void) snprintf(list + used, WORDS_BYTES - used, "%s%s", used == 0 ? "" : ",", word);
    return true;
}

enum cnv_status
cnv_csv_fail_words(struct cnv_csv *csv, size_t column, const char *expected, struct cnv_error *err)
{
    char list[WORDS_BYTES] = "";
    char text[WORDS_BYTES + 120];
    char found[48];
    size_t line = csv->lines.number;
    bool is_whole = true;
    bool is_end = false;
    double number = 0.0;

    (void) snprintf(found, sizeof(found), "%.40s", csv->fields[column]);
    while (is_whole && !is_end) {
        const char *word = column < csv->count ? csv->fields[column] : "";

        if (cnv_csv_is_number(word, &number)) {
            csv->lines.number = line; /* no column of words: the word in hand is a name, or wrong */
            return cnv_csv_fail(csv, column, expected, found, err);
        }
        is_whole = (cnv_csv_is_missing(word) || add_word(list, word)) &&
                   next_line(csv, &is_end, NULL) == CNV_OK;
    }
    (void) snprintf(text,
                    sizeof(text),
                    "%.80s; labels in words need data/labels=%s",
                    expected,
                    is_whole ? list : "no,yes,... with all of them");
    csv->lines.number = line;
    return cnv_csv_fail(csv, column, text, found, err);
}

static enum cnv_status parse_label(struct cnv_csv *csv,
                                   const struct cnv_row *row,
                                   size_t column,
                                   double *ret_label,
                                   struct cnv_error *err)
{
    const char *labels = csv->options->labels;
    const char *field = csv->fields[column];
    size_t place = 0;

    if (labels != NULL && *labels != '\0') {
        if (!cnv_csv_list_find(labels, field, &place)) {
            char expected[128];

            (void) snprintf(
                expected, sizeof(expected), "one of data/labels=%.80s as the label", labels);
            return cnv_csv_fail(csv, column, expected, field, err);
        }
        *ret_label = (double) place;
        return CNV_OK;
    }
    if (!cnv_csv_is_number(field, ret_label)) {
        /* A word behind labels that are numbers is a mistake. */
        return row->row > 0 ? cnv_csv_fail(csv, column, "a number as the label", field, err)
                            : cnv_csv_fail_words(csv, column, "a number as the label", err);
    }
    *ret_label += 0.0; /* -0 and 0 are one label */
    return CNV_OK;
}

/* A field of a row. *is_dropped becomes true when the row is to be left out. */
static enum cnv_status parse_field(struct cnv_csv *csv,
                                   size_t column,
                                   struct cnv_row *row,
                                   bool *is_dropped,
                                   struct cnv_error *err)
{
    const char *field = csv->fields[column];
    bool is_label = csv->roles[column] == CNV_CSV_LABEL;
    double value = 0.0;

    if (cnv_csv_is_missing(field)) {
        if (csv->options->missing == CNV_CSV_MISSING_DROP) {
            *is_dropped = true;
        } else if (csv->options->missing == CNV_CSV_MISSING_ERROR || is_label) {
            return fail_missing(csv, column, err);
        } else {
            csv->about.zeroed++;
        }
    } else if (is_label) {
        return parse_label(csv, row, column, &row->label, err);
    } else if (!cnv_csv_is_number(field, &value)) {
        return cnv_csv_fail(csv, column, "a number (data/skip leaves a column out)", field, err);
    }
    if (!is_label) {
        csv->columns[row->count] = (uint32_t) row->width;
        csv->values[row->count] = value;
        row->count += value != 0.0;
        row->width++;
    }
    return CNV_OK;
}

static enum cnv_status
parse_row(struct cnv_csv *csv, struct cnv_row *row, bool *ret_is_dropped, struct cnv_error *err)
{
    *ret_is_dropped = false;
    if (csv->count != csv->width) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s:%zu: expected %zu fields as in the lines before, found %zu",
                        cnv_input_name(csv->lines.input),
                        csv->lines.number,
                        csv->width,
                        csv->count);
    }
    for (size_t i = 0; i < csv->width; i++) {
        if (csv->roles[i] != CNV_CSV_SKIPPED) {
            enum cnv_status status = parse_field(csv, i, row, ret_is_dropped, err);

            if (status != CNV_OK) {
                return status;
            }
        }
    }
    row->line = csv->lines.number;
    row->columns = csv->columns;
    row->values = csv->values;
    return CNV_OK;
}

/* The next row that is not left out; the first line also tells the columns, or is their names. */
static enum cnv_status
next_row(struct cnv_csv *csv, struct cnv_row *row, bool *ret_is_end, struct cnv_error *err)
{
    const struct cnv_row empty = { .row = row->row };

    for (;;) {
        bool is_dropped = false;
        enum cnv_status status = next_line(csv, ret_is_end, err);

        if (status != CNV_OK || *ret_is_end) {
            return status;
        }
        if (csv->roles == NULL) {
            status = cnv_csv_columns(csv, err);
            if (status != CNV_OK) {
                return status;
            }
            if (csv->about.has_header) {
                continue;
            }
        }
        *row = empty;
        status = parse_row(csv, row, &is_dropped, err);
        if (status != CNV_OK || !is_dropped) {
            return status;
        }
        csv->about.dropped++;
    }
}

static enum cnv_status
read_rows(struct cnv_csv *csv, cnv_row_fn take, void *context, struct cnv_error *err)
{
    for (size_t rows = 0;; rows++) {
        struct cnv_row row = { .row = rows };
        bool is_end = false;
        enum cnv_status status = next_row(csv, &row, &is_end, err);

        if (status == CNV_OK && is_end) {
            return rows > 0 ? CNV_OK
                            : cnv_fail(err,
                                       CNV_E_INPUT,
                                       "%s: no rows%s",
                                       cnv_input_name(csv->lines.input),
                                       csv->about.dropped > 0 ? " without a missing value" : "");
        }
        if (status == CNV_OK) {
            status = take(context, &row, err);
        }
        if (status != CNV_OK) {
            return status;
        }
    }
}

static void csv_fini(struct cnv_csv *csv)
{
    for (size_t i = 0; csv->names != NULL && i < csv->width; i++) {
        cnv_free(csv->names[i]);
    }
    cnv_free(csv->names);
    cnv_free(csv->fields);
    cnv_free(csv->roles);
    cnv_free(csv->columns);
    cnv_free(csv->values);
    cnv_lines_fini(&csv->lines);
}

enum cnv_status cnv_csv_look(struct cnv_input *input,
                             const struct cnv_csv_options *options,
                             struct cnv_csv_about *ret_about,
                             struct cnv_error *err)
{
    struct cnv_csv csv = { .options = options, .about.separator = options->separator };
    bool is_end = false;
    enum cnv_status status = cnv_lines_init(&csv.lines, input, err);

    if (status == CNV_OK) {
        status = next_line(&csv, &is_end, err);
    }
    if (status == CNV_OK && is_end) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: no rows", cnv_input_name(input));
    }
    if (status == CNV_OK) {
        status = cnv_csv_columns(&csv, err);
    }
    if (status == CNV_OK) {
        *ret_about = csv.about;
    }
    csv_fini(&csv);
    return status;
}

enum cnv_status cnv_csv_read(struct cnv_input *input,
                             const struct cnv_csv_options *options,
                             cnv_row_fn take,
                             void *context,
                             struct cnv_csv_about *ret_about,
                             struct cnv_error *err)
{
    struct cnv_csv csv = { .options = options, .about.separator = options->separator };
    enum cnv_status status = cnv_lines_init(&csv.lines, input, err);

    if (status == CNV_OK) {
        status = read_rows(&csv, take, context, err);
    }
    if (status == CNV_OK && ret_about != NULL) {
        *ret_about = csv.about;
    }
    csv_fini(&csv);
    return status;
}
