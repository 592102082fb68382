/* format.c - one way to write bytes, times, numbers and tables, used by every command. */
#include "format.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

struct table_row {
    char cells[CNV_TABLE_COLUMNS][CNV_TABLE_CELL];
};

struct cnv_table {
    size_t columns;
    size_t rows;
    size_t capacity;
    struct table_row *at; /* row 0 holds the headings */
};

const char *cnv_format_bytes(char text[CNV_FORMAT_SIZE], double bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
    size_t unit = 0;

    if (isnan(bytes)) {
        (void) snprintf(text, CNV_FORMAT_SIZE, "-");
        return text;
    }
    if (bytes < 999.5) {
        (void) snprintf(text, CNV_FORMAT_SIZE, "%.0f B", bytes);
        return text;
    }
    for (bytes /= 1000.0; bytes >= 999.95 && unit < 4; unit++) {
        bytes /= 1000.0;
    }
    (void) snprintf(text, CNV_FORMAT_SIZE, "%.1f %s", bytes, units[unit]);
    return text;
}

const char *cnv_format_seconds(char text[CNV_FORMAT_SIZE], double seconds)
{
    if (isnan(seconds)) {
        (void) snprintf(text, CNV_FORMAT_SIZE, "-");
    } else if (seconds < 9.995) {
        (void) snprintf(text, CNV_FORMAT_SIZE, "%.2f s", seconds);
    } else if (seconds < 119.5) {
        (void) snprintf(text, CNV_FORMAT_SIZE, "%.0f s", seconds);
    } else if (seconds < 7200.0) {
        unsigned long whole = (unsigned long) (seconds + 0.5);

        (void) snprintf(text, CNV_FORMAT_SIZE, "%lu min %02lu s", whole / 60, whole % 60);
    } else {
        double minutes = floor(fmin(seconds, 1e9) / 60.0);

        (void) snprintf(
            text, CNV_FORMAT_SIZE, "%.0f h %02.0f min", floor(minutes / 60.0), fmod(minutes, 60.0));
    }
    return text;
}

const char *cnv_format_number(char text[CNV_FORMAT_SIZE], double value, int digits)
{
    if (isnan(value)) {
        (void) snprintf(text, CNV_FORMAT_SIZE, "-");
    } else {
        (void) snprintf(text, CNV_FORMAT_SIZE, "%.*g", digits, value);
    }
    return text;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room on the screen. */
static size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width += ((unsigned char) *text & 0xC0U) != 0x80U;
    }
    return width;
}

struct cnv_table *cnv_table_new(const char *const *headings)
{
    struct cnv_table *table = cnv_object_new(struct cnv_table);

    if (table == NULL) {
        return NULL;
    }
    while (headings[table->columns] != NULL && table->columns < CNV_TABLE_COLUMNS) {
        table->columns++;
    }
    cnv_table_add(table, headings);
    if (table->rows == 0) {
        cnv_table_destroy(table);
        return NULL;
    }
    return table;
}

void cnv_table_destroy(struct cnv_table *table)
{
    if (table != NULL) {
        cnv_free(table->at);
        cnv_free(table);
    }
}

void cnv_table_add(struct cnv_table *table, const char *const *cells)
{
    if (table->rows == table->capacity) {
        size_t capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        struct table_row *grown =
            cnv_array_resize(table->at, table->capacity, capacity, sizeof(*grown));

        if (grown == NULL) {
            return;
        }
        table->at = grown;
        table->capacity = capacity;
    }
    for (size_t i = 0; i < table->columns; i++) {
        (void) snprintf(table->at[table->rows].cells[i], CNV_TABLE_CELL, "%s", cells[i]);
    }
    table->rows++;
}

void cnv_table_print(const struct cnv_table *table, FILE *out)
{
    size_t widths[CNV_TABLE_COLUMNS] = { 0 };

    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->at[r].cells[c];
            size_t width = text_width(cell) - (r == 0 && cell[0] == '>');

            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->at[r].cells[c];
            bool right = table->at[0].cells[c][0] == '>';
            bool last = c + 1 == table->columns;

            cell += r == 0 && right;
            int pad = (int) (widths[c] - text_width(cell));
            (void) fprintf(out,
                           "%s%*s%s%*s",
                           c == 0 ? "" : "  ",
                           right ? pad : 0,
                           "",
                           cell,
                           right || last ? 0 : pad,
                           "");
        }
        (void) fprintf(out, "\n");
    }
}
