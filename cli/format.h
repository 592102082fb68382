/* format.h - numbers as people read them, and tables with aligned columns. */
#ifndef CNV_CLI_FORMAT_H
#define CNV_CLI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CNV_FORMAT_SIZE = 32, CNV_TABLE_COLUMNS = 12, CNV_TABLE_CELL = 256 };

/* Each writes into text[CNV_FORMAT_SIZE] and returns it. */

/* "812 B", "1.4 kB", "64.0 MB": powers of 1000. */
const char *cnv_format_bytes(char text[CNV_FORMAT_SIZE], double bytes);

/* "0.31 s", "42 s", "3 min 05 s", "2 h 07 min". Unknown (NaN): "-". */
const char *cnv_format_seconds(char text[CNV_FORMAT_SIZE], double seconds);

/* digits significant digits; NaN: "-". */
const char *cnv_format_number(char text[CNV_FORMAT_SIZE], double value, int digits);

/*
 * A table is filled row by row and printed once the widths are known. A column is right-aligned
 * when its heading starts with '>' (which is not printed). Texts are copied, cut at
 * CNV_TABLE_CELL - 1 bytes.
 */
struct cnv_table;

/* headings ends with NULL. NULL when memory is out. */
struct cnv_table *cnv_table_new(const char *const *headings);
void cnv_table_destroy(struct cnv_table *table);

/* cells has one text for each heading. Out of memory: the row is left out. */
void cnv_table_add(struct cnv_table *table, const char *const *cells);
void cnv_table_print(const struct cnv_table *table, FILE *out);

#endif
