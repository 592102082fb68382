/*
 * table.c - see table.h.
 *
 * Invariants: a slice's log is written by that slice's job alone; no number of the table is noted
 * twice in an attempt, as all contributors have rows of their own; logs are empty after conclude.
 */
#include "table.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

struct table_entry {
    size_t at; /* in values */
    double value;
};

struct cnv_table_log {
    size_t used;
    size_t room;
    struct table_entry *entries; /* [room]; NULL: not open */
};

enum cnv_status cnv_table_reserve(struct cnv_table *table,
                                  const char *name,
                                  const struct cnv_table_setup *setup,
                                  uint64_t rows,
                                  struct cnv_error *err)
{
    uint64_t most = (uint64_t) cnv_config_integer(setup->config, "limits/table");
    uint64_t count = 0;
    uint64_t bytes = 0;

    if (__builtin_mul_overflow(rows, (uint64_t) setup->dimension, &count) ||
        __builtin_mul_overflow(count, sizeof(double), &bytes) || bytes > most) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "optimiser/kind=%s remembers %" PRIu64 " x %zu numbers, %.3g bytes: "
                        "limits/table allows %" PRIu64,
                        name,
                        rows,
                        setup->dimension,
                        (double) rows * (double) setup->dimension * (double) sizeof(double),
                        most);
    }
    table->rows = (size_t) rows;
    table->length = setup->dimension;
    table->slices = setup->slices;
    table->values = cnv_array_new((size_t) count, sizeof(*table->values));
    table->logs = cnv_array_new(setup->slices, sizeof(*table->logs));
    return table->values != NULL && table->logs != NULL
               ? CNV_OK
               : cnv_fail(err,
                          CNV_E_NOMEM,
                          "out of memory for a table of %" PRIu64 " x %zu numbers",
                          rows,
                          setup->dimension);
}

static void log_clear(struct cnv_table_log *log)
{
    cnv_free(log->entries);
    *log = (struct cnv_table_log){ 0 };
}

void cnv_table_fini(void *state)
{
    struct cnv_table *table = state;

    for (size_t i = 0; table->logs != NULL && i < table->slices; i++) {
        log_clear(&table->logs[i]);
    }
    cnv_free(table->logs);
    cnv_free(table->values);
    cnv_moments_fini(&table->mean);
    *table = (struct cnv_table){ 0 };
}

/* As long as nothing is told the mean stays. */
enum cnv_status cnv_table_open(void *state, size_t slice, size_t first, size_t count, size_t values)
{
    const struct cnv_table *table = state;
    struct cnv_table_log *log = &table->logs[slice];

    memcpy(table->mean.pending_m + first, table->mean.m + first, count * sizeof(double));
    log_clear(log);
    log->entries = cnv_array_new_raw(values, sizeof(*log->entries));
    if (log->entries == NULL) {
        return CNV_E_NOMEM;
    }
    log->room = values;
    return CNV_OK;
}

static size_t place_of(const struct cnv_table *table, const struct cnv_table_piece *piece)
{
    return (size_t) piece->row * table->length + piece->first;
}

const double *cnv_table_at(const struct cnv_table *table, const struct cnv_table_piece *piece)
{
    return table->values + place_of(table, piece);
}

void cnv_table_note(struct cnv_table *table, const struct cnv_table_piece *piece)
{
    struct cnv_table_log *log = &table->logs[piece->slice];
    size_t place = place_of(table, piece);

    assert(piece->row < table->rows && piece->first + piece->count <= table->length);
    assert(piece->count <= log->room - log->used);
    for (size_t j = 0; j < piece->count; j++) {
        log->entries[log->used++] = (struct table_entry){ place + j, piece->values[j] };
    }
}

void cnv_table_conclude(void *state, bool committed)
{
    struct cnv_table *table = state;

    cnv_moments_conclude(&table->mean, committed);
    for (size_t i = 0; i < table->slices; i++) {
        struct cnv_table_log *log = &table->logs[i];

        for (size_t k = 0; committed && k < log->used; k++) {
            table->values[log->entries[k].at] = log->entries[k].value;
        }
        log_clear(log);
    }
}

/* The mean, then the rows. */
size_t cnv_table_save(const void *state, uint8_t *bytes, size_t size)
{
    const struct cnv_table *table = state;
    size_t first = cnv_moments_save(&table->mean, NULL, 0);
    size_t second = table->rows * table->length * sizeof(double);

    if (size >= first + second) {
        (void) cnv_moments_save(&table->mean, bytes, first);
        if (second > 0) {
            memcpy(bytes + first, table->values, second);
        }
    }
    return first + second;
}

enum cnv_status
cnv_table_load(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct cnv_table *table = state;
    size_t first = cnv_moments_save(&table->mean, NULL, 0);
    size_t count = table->rows * table->length;

    if (size != first + count * sizeof(double)) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "state of the server optimiser has %zu bytes, not %zu",
                        size,
                        first + count * sizeof(double));
    }
    for (size_t j = 0; j < count; j++) {
        double value = 0;

        memcpy(&value, bytes + first + j * sizeof(value), sizeof(value));
        if (!isfinite(value)) {
            return cnv_fail(err, CNV_E_NOT_FINITE, "state of the server optimiser is not sound");
        }
    }
    enum cnv_status status = cnv_moments_load(&table->mean, bytes, first, err);
    if (status == CNV_OK && count > 0) {
        memcpy(table->values, bytes + first, count * sizeof(double));
    }
    return status;
}
