/*
 * csv_columns.c - what the columns of a table are: a header, the label, what is skipped.
 *
 * Nothing is guessed that could be wrong without a sign: a first line of names alone is a header,
 * one of numbers alone is not, and of any other the user is asked.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/csv_internal.h"

static const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* A column by its number from 1 or by its name in the header. */
static enum cnv_status find_column(const struct cnv_csv *csv,
                                   const char *key,
                                   const char *word,
                                   size_t *ret_column,
                                   struct cnv_error *err)
{
    const char *name = cnv_input_name(csv->lines.input);
    size_t digits = strspn(word, "0123456789");

    for (size_t i = 0; csv->names != NULL && i < csv->width; i++) {
        if (strcmp(csv->names[i], word) == 0) {
            *ret_column = i;
            return CNV_OK;
        }
    }
    if (digits > 0 && digits < 10 && word[digits] == '\0') {
        unsigned long number = strtoul(word, NULL, 10);

        if (number >= 1 && number <= csv->width) {
            *ret_column = (size_t) number - 1;
            return CNV_OK;
        }
    }
    if (csv->names == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: %s=%.40s: the file has no header; allowed is a column's number from 1 "
                        "to %zu",
                        name,
                        key,
                        word,
                        csv->width);
    }
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s: %s=%.40s: no such column; there are %zu, \"%.24s\" to \"%.24s\"",
                    name,
                    key,
                    word,
                    csv->width,
                    csv->names[0],
                    csv->names[csv->width - 1]);
}

/* The one column whose name says that it is the label, else the last. */
static size_t told_by_header(const struct cnv_csv *csv)
{
    static const char *const words[] = { "label", "target", "class", "y" };
    size_t found = csv->width;

    for (size_t i = 0; csv->names != NULL && i < csv->width; i++) {
        for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
            if (strcasecmp(csv->names[i], words[w]) == 0) {
                if (found < csv->width) {
                    return csv->width - 1;
                }
                found = i;
            }
        }
    }
    return found < csv->width ? found : csv->width - 1;
}

static enum cnv_status
find_label(const struct cnv_csv *csv, size_t *ret_column, struct cnv_error *err)
{
    const char *label = text_or_empty(csv->options->label);

    if (*label == '\0' || strcmp(label, "auto") == 0) {
        *ret_column = told_by_header(csv);
    } else if (strcmp(label, "first") == 0) {
        *ret_column = 0;
    } else if (strcmp(label, "last") == 0) {
        *ret_column = csv->width - 1;
    } else {
        return find_column(csv, "data/label", label, ret_column, err);
    }
    return CNV_OK;
}

static enum cnv_status mark_skipped(struct cnv_csv *csv, struct cnv_error *err)
{
    const char *list = text_or_empty(csv->options->skip);

    while (*list != '\0') {
        char word[256];
        size_t len = strcspn(list, ",");
        size_t column = 0;
        enum cnv_status status = CNV_OK;

        len = len < sizeof(word) ? len : sizeof(word) - 1;
        memcpy(word, list, len);
        word[len] = '\0';
        list += strcspn(list, ",");
        list += *list == ',';
        status = find_column(csv, "data/skip", word, &column, err);
        if (status != CNV_OK) {
            return status;
        }
        csv->roles[column] = CNV_CSV_SKIPPED;
    }
    return CNV_OK;
}

/* Keeps the names of the header. False when memory is out. */
static bool keep_names(struct cnv_csv *csv)
{
    csv->names = cnv_array_new(csv->width, sizeof(*csv->names));
    for (size_t i = 0; csv->names != NULL && i < csv->width; i++) {
        const char *name = csv->fields[i];

        /* numpy.savetxt begins its header with "# ". */
        if (i == 0 && *name == '#') {
            name += 1 + strspn(name + 1, " ");
        }
        csv->names[i] = cnv_string_new(name);
        if (csv->names[i] == NULL) {
            return false;
        }
    }
    return csv->names != NULL;
}

/* Without names yet: which fields of the first line are words, and is one of them a known label? */
static enum cnv_status
detect_header(struct cnv_csv *csv, bool *ret_is_header, struct cnv_error *err)
{
    size_t numbers = 0;
    size_t words = 0;
    size_t word = 0;
    size_t label = 0;
    size_t place = 0;
    double number = 0.0;

    for (size_t i = 0; i < csv->width; i++) {
        if (cnv_csv_is_number(csv->fields[i], &number)) {
            numbers++;
        } else if (!cnv_csv_is_missing(csv->fields[i])) {
            words++;
            word = i;
        }
    }
    *ret_is_header = numbers == 0;
    if (words == 0 || numbers == 0) {
        *ret_is_header = words > 0;
        return CNV_OK;
    }
    /* A name in data/label would need a header; that is found out below. */
    if (words == 1 && find_label(csv, &label, NULL) == CNV_OK && label == word) {
        return cnv_csv_list_find(text_or_empty(csv->options->labels), csv->fields[word], &place)
                   ? CNV_OK
                   : cnv_csv_fail_words(csv, word, "a number (a header: set data/header=yes)", err);
    }
    return cnv_csv_fail(
        csv, word, "a number (a header: set data/header=yes)", csv->fields[word], err);
}

static enum cnv_status take_header(struct cnv_csv *csv, struct cnv_error *err)
{
    bool is_header = csv->options->header == CNV_CSV_HEADER_YES;

    if (csv->options->header == CNV_CSV_HEADER_AUTO) {
        enum cnv_status status = detect_header(csv, &is_header, err);

        if (status != CNV_OK) {
            return status;
        }
    }
    csv->about.has_header = is_header;
    return !is_header || keep_names(csv) ? CNV_OK : cnv_csv_fail_memory(csv, err);
}

enum cnv_status cnv_csv_columns(struct cnv_csv *csv, struct cnv_error *err)
{
    size_t label = 0;
    enum cnv_status status = CNV_OK;

    csv->width = csv->count;
    csv->roles = cnv_array_new(csv->width, sizeof(*csv->roles));
    csv->columns = cnv_array_new(csv->width, sizeof(*csv->columns));
    csv->values = cnv_array_new(csv->width, sizeof(*csv->values));
    if (csv->roles == NULL || csv->columns == NULL || csv->values == NULL) {
        return cnv_csv_fail_memory(csv, err);
    }
    status = take_header(csv, err);
    if (status == CNV_OK) {
        status = mark_skipped(csv, err);
    }
    if (status == CNV_OK) {
        status = find_label(csv, &label, err);
    }
    if (status == CNV_OK && csv->roles[label] == CNV_CSV_SKIPPED) {
        status = cnv_fail(err,
                          CNV_E_INPUT,
                          "%s: column %zu is the label and cannot be in data/skip",
                          cnv_input_name(csv->lines.input),
                          label + 1);
    }
    if (status != CNV_OK) {
        return status;
    }
    csv->roles[label] = CNV_CSV_LABEL;
    csv->about.label = label + 1;
    if (csv->names != NULL) {
        strncpy(csv->about.name, csv->names[label], sizeof(csv->about.name) - 1);
    }
    return CNV_OK;
}
