/* rows_csv.h - the rows of rounds.csv as text, the same from the daemon and inline. */
#ifndef CNV_SERVER_REPORT_ROWS_CSV_H
#define CNV_SERVER_REPORT_ROWS_CSV_H

#include <stddef.h>

#include "engine/engine.h"

/* The first line, with its newline. */
extern const char cnv_rows_csv_head[];

/* Enough for any number, and for any row. */
enum { CNV_CSV_REAL_SIZE = 31, CNV_ROWS_CSV_SIZE = 12 * 32 + 2 * CNV_REASON_SIZE };

/* Writes value with as few digits as read back alike, nothing for NaN; returns the length. */
size_t cnv_csv_real(double value, char text[CNV_CSV_REAL_SIZE]);

/*
 * Writes one row with its newline and a NUL; returns its length. Numbers have as many
 * digits as reading the same bits back takes; what was not evaluated is empty. The last
 * row (row->round is 0) is the final model's: only loss, gradient_norm and what is cumulative.
 */
size_t cnv_rows_csv(const struct cnv_round_row *row, char text[CNV_ROWS_CSV_SIZE]);

/* The whole file; NULL when memory is out. */
struct cnv_blob *cnv_rows_csv_file(const struct cnv_round_row *rows, size_t count);

#endif
