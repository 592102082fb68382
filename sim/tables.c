/*
 * tables.c - what a server optimiser with a table makes of contributions, by its definition.
 *
 * The table is kept anew here, row by row, from what those who are in a version had sent: agent i
 * of shard i has row i with sega-table, the i-th of the rows drawn for the iteration with
 * saga-table.
 */
#include "tables.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

bool sim_tables_are_there(const struct cnv_sim *sim)
{
    return sim_is_kind(sim, "optimiser/kind", "sega-table") ||
           sim_is_kind(sim, "optimiser/kind", "saga-table");
}

bool sim_tables_note(const convene_contribution *contribution, struct vector_note *note)
{
    note->sent = cnv_array_new(contribution->length, sizeof(*note->sent));
    for (size_t i = 0; note->sent != NULL && i < contribution->block_count; i++) {
        size_t first = contribution->blocks[i] * contribution->block;

        for (size_t j = first; j < first + contribution->block && j < contribution->length; j++) {
            note->sent[j] = true;
        }
    }
    return note->sent != NULL;
}

static uint64_t total_rows(const struct cnv_sim *sim)
{
    struct cnv_engine_view view;

    cnv_engine_view(sim->engine, &view);
    return view.total_rows;
}

static size_t agents_of(const struct cnv_sim *sim)
{
    return (size_t) cnv_config_integer(sim->setup.config, "run/agents");
}

double sim_tables_weight(const struct cnv_sim *sim, const struct contributor *contributor)
{
    bool is_uniform = sim_is_kind(sim, "aggregate/weighting", "uniform");

    return is_uniform || sim_is_kind(sim, "optimiser/kind", "saga-table")
               ? 1.0 / (double) agents_of(sim)
               : (double) contributor->note->samples / (double) total_rows(sim);
}

/* The row of the table that is the contributor's. */
static size_t row_of(const struct cnv_sim *sim, const struct contributor *contributor)
{
    uint64_t seed = (uint64_t) cnv_config_integer(sim->setup.config, "run/seed");
    size_t row = contributor->shard - 1;

    if (sim_is_kind(sim, "optimiser/kind", "saga-table")) {
        uint64_t *rows = cnv_array_new(contributor->shard, sizeof(*rows));
        struct cnv_rng rng;

        if (rows != NULL) {
            cnv_rng_init(&rng, seed, CNV_RNG_ROWS, 0, sim->promises->iteration);
            cnv_rng_distinct(&rng, total_rows(sim), contributor->shard, rows);
            row = (size_t) rows[contributor->shard - 1];
        }
        cnv_free(rows);
    }
    return row;
}

/* What the contributor sent of coordinate j less what its row says. */
static double
difference(const struct cnv_sim *sim, const struct contributor *contributor, size_t row, size_t j)
{
    const struct vector_note *note = contributor->note;
    const double *table = sim->promises->table;

    return note->values[j] - (table == NULL ? 0 : table[row * note->length + j]);
}

void sim_tables_compare(const struct cnv_sim *sim,
                        const struct contributor *contributor,
                        double *values)
{
    const struct vector_note *note = contributor->note;
    const double *mean =
        sim_is_kind(sim, "optimiser/kind", "saga-table") ? sim->promises->momentum : NULL;
    size_t row = row_of(sim, contributor);

    for (size_t j = 0; j < note->length; j++) {
        values[j] = 0;
        if (note->sent[j]) {
            values[j] = difference(sim, contributor, row, j) + (mean == NULL ? 0 : mean[j]);
        }
    }
}

void sim_tables_mean(const struct cnv_sim *sim,
                     const struct contributor *contributors,
                     size_t count,
                     double *momentum)
{
    if (!sim_is_kind(sim, "optimiser/kind", "saga-table")) {
        return;
    }
    size_t length = contributors[0].note->length;
    for (size_t j = 0; j < length; j++) {
        momentum[j] = sim->promises->momentum == NULL ? 0 : sim->promises->momentum[j];
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = row_of(sim, &contributors[i]);

        for (size_t j = 0; j < length; j++) {
            if (contributors[i].note->sent[j]) {
                momentum[j] += difference(sim, &contributors[i], row, j) / (double) total_rows(sim);
            }
        }
    }
}

void sim_tables_keep(struct cnv_sim *sim, const struct contributor *contributors, size_t count)
{
    struct sim_promises *promises = sim->promises;
    size_t rows = sim_is_kind(sim, "optimiser/kind", "saga-table") ? (size_t) total_rows(sim)
                                                                   : agents_of(sim);

    if (!sim_tables_are_there(sim)) {
        return;
    }
    if (promises->table == NULL) {
        promises->table = cnv_array_new(rows, contributors[0].note->length * sizeof(double));
    }
    if (promises->table == NULL) {
        sim_fail(sim, CNV_E_NOMEM, "table");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct vector_note *note = contributors[i].note;
        double *row = promises->table + row_of(sim, &contributors[i]) * note->length;

        for (size_t j = 0; j < note->length; j++) {
            row[j] = note->sent[j] ? note->values[j] : row[j];
        }
    }
}
