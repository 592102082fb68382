/*
 * saga_table.c - the server's half of ISAGA on shared data (solver isaga-shared), and of SAGA.
 *
 * Mishchenko et al. 2020, Algorithm 4. The table has a row alpha_j for each row of the data, N of
 * them. In iteration t agent i takes row j_i of n different ones, drawn from (run/seed, t) here as
 * by the agents, and sends -gamma (grad psi_{j_i}(x))_{U_i}. Table and mean are kept times -gamma:
 *
 *   D_i = (contribution - alpha_{j_i})_{U_i}      with the old alpha, and the old mean abar
 *   x = x + (1/n) sum_i (D_i + abar_{U_i})
 *   alpha_{j_i} = alpha_{j_i} + D_i               abar = abar + (1/N) sum_i D_i
 *
 * Printed, the mean is over n, or sums to n: it is over N (erratum). Sums are divided by n,
 * whoever answered: an agent that has not has no part in any of the three lines. With n = 1 and
 * tau = 1 it is SAGA. State: (N + 2) d numbers.
 */
#include <inttypes.h>

#include "base/rng.h"
#include "registry.h"
#include "table.h"

struct saga {
    struct cnv_table table;
    uint64_t seed;
};

extern const struct cnv_optimiser_ops cnv_optimiser_saga_table;

static enum cnv_status
saga_init(void *state, const struct cnv_config *config, size_t dimension, struct cnv_error *err)
{
    struct saga *saga = state;

    *saga = (struct saga){ .seed = (uint64_t) cnv_config_integer(config, "run/seed") };
    saga->table.agents = (size_t) cnv_config_integer(config, "run/agents");
    return cnv_moments_reserve(&saga->table.mean, dimension, CNV_MOMENTS_M, 0.0, err);
}

static enum cnv_status
saga_reserve(void *state, const struct cnv_table_setup *setup, struct cnv_error *err)
{
    struct saga *saga = state;

    if (setup->rows < saga->table.agents) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/agents=%zu agents cannot have a row each of %" PRIu64,
                        saga->table.agents,
                        setup->rows);
    }
    return cnv_table_reserve(&saga->table, cnv_optimiser_saga_table.name, setup, setup->rows, err);
}

static void saga_rows(const void *state, uint64_t iteration, uint64_t *ret_rows)
{
    const struct saga *saga = state;
    struct cnv_rng rng;

    cnv_rng_init(&rng, saga->seed, CNV_RNG_ROWS, 0, iteration);
    cnv_rng_distinct(&rng, saga->table.rows, saga->table.agents, ret_rows);
}

static void saga_take(void *state, const struct cnv_table_piece *piece, double *update)
{
    struct saga *saga = state;
    const double *alpha = cnv_table_at(&saga->table, piece);
    const double *mean = saga->table.mean.m + piece->first;
    double *pending_mean = saga->table.mean.pending_m + piece->first;

    for (size_t j = 0; j < piece->count; j++) {
        double d = piece->values[j] - alpha[j];

        update[j] += piece->weight * (d + mean[j]);
        pending_mean[j] += d / (double) saga->table.rows;
    }
    cnv_table_note(&saga->table, piece);
}

static void saga_apply_slice(void *state, const struct cnv_apply_input *input, double *out)
{
    (void) state;
    for (size_t i = 0; i < input->count; i++) {
        out[i] = input->base[i] + input->update[i];
    }
}

static const struct cnv_table_ops saga_table_ops = {
    .reserve = saga_reserve,
    .rows = saga_rows,
    .open_slice = cnv_table_open,
    .take = saga_take,
};

const struct cnv_optimiser_ops cnv_optimiser_saga_table = {
    .name = "saga-table",
    .text = "the server's half of ISAGA on shared data (solver isaga-shared), and of SAGA: the "
            "gradient of each row",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 4",
    .keys = "run/agents run/seed " CNV_TABLE_KEYS,
    .state_size = sizeof(struct saga),
    .table = &saga_table_ops,
    .init = saga_init,
    .fini = cnv_table_fini,
    .apply_slice = saga_apply_slice,
    .conclude = cnv_table_conclude,
    .save = cnv_table_save,
    .load = cnv_table_load,
};
