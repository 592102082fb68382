/*
 * table.h - what the server optimisers share that remember what agents said: a row of the model's
 * size for each agent, or for each row of the data. Inside server/optimiser.
 *
 * An attempt notes what it is told in a log, slice by slice, 16 bytes a number; conclude enters it
 * into the rows, or forgets it. Until then the rows are as they were: all contributions of a round
 * are compared with the same table.
 */
#ifndef CNV_SERVER_OPTIMISER_TABLE_H
#define CNV_SERVER_OPTIMISER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "moments.h"
#include "optimiser/optimiser.h"

/* Settings that cnv_table_reserve reads. */
#define CNV_TABLE_KEYS "limits/table"

struct cnv_table {
    struct cnv_moments mean; /* m: of the rows, in the way of the method */
    size_t agents;           /* n */
    size_t rows;
    size_t length;
    double *values; /* [rows x length], zero at first; NULL: not reserved */
    size_t slices;
    struct cnv_table_log *logs; /* [slices] */
};

/* CNV_E_INPUT: more than limits/table allows. CNV_E_NOMEM. name: of the optimiser, for the text. */
CNV_MUST_CHECK enum cnv_status cnv_table_reserve(struct cnv_table *table,
                                                 const char *name,
                                                 const struct cnv_table_setup *setup,
                                                 uint64_t rows,
                                                 struct cnv_error *err);

/* What the row holds of the piece's coordinates: [piece->count]. */
const double *cnv_table_at(const struct cnv_table *table, const struct cnv_table_piece *piece);
/* The row is to hold the piece's values. */
void cnv_table_note(struct cnv_table *table, const struct cnv_table_piece *piece);

/* These fit the tables of an optimiser whose state is a struct cnv_table. */
void cnv_table_fini(void *state);
enum cnv_status
cnv_table_open(void *state, size_t slice, size_t first, size_t count, size_t values);
void cnv_table_conclude(void *state, bool committed);
size_t cnv_table_save(const void *state, uint8_t *bytes, size_t size);
enum cnv_status
cnv_table_load(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err);

#endif
