/*
 * sega_table.c - the server's half of ISEGA where agents remember nothing (solver isega-raw).
 *
 * Mishchenko et al. 2020, Algorithm 2 and its first remark: agents send blocks of raw gradients,
 * the server keeps all h_i and forms the differences. A contribution is -gamma (grad f_i(x))_{U_i},
 * row i of the table H_i = -gamma h_i, M = -gamma h. With p_i the weight of agent i, 1/n where all
 * have as many rows:
 *
 *   Delta_i = (contribution - H_i)_{U_i}     D = sum_i p_i Delta_i
 *   x = prox_{gamma R}(x + (M + D / tau))     M = M + D     H_i = H_i + Delta_i
 *
 * An agent that has not answered has Delta_i = 0. One that comes back, or another that takes its
 * place, goes on with its row: nothing is lost. The row of one that is gone for good stays as it
 * is, and so does its part in M. State: (n + 2) d numbers, n = run/agents.
 */
#include "base/partition.h"
#include "registry.h"
#include "sega.h"
#include "table.h"

extern const struct cnv_optimiser_ops cnv_optimiser_sega_table;

static enum cnv_status sega_table_init(void *state,
                                       const struct cnv_config *config,
                                       size_t dimension,
                                       struct cnv_error *err)
{
    struct cnv_table *s = state;

    *s = (struct cnv_table){ .agents = (size_t) cnv_config_integer(config, "run/agents") };
    return cnv_sega_init(&s->mean, config, dimension, err);
}

static enum cnv_status
sega_table_reserve(void *state, const struct cnv_table_setup *setup, struct cnv_error *err)
{
    struct cnv_table *s = state;

    return cnv_table_reserve(s, cnv_optimiser_sega_table.name, setup, s->agents, err);
}

/* Each agent has a row of its own. */
static void sega_table_rows(const void *state, uint64_t iteration, uint64_t *ret_rows)
{
    const struct cnv_table *s = state;

    (void) iteration;
    for (size_t i = 0; i < s->agents; i++) {
        ret_rows[i] = i;
    }
}

static void sega_table_take(void *state, const struct cnv_table_piece *piece, double *update)
{
    struct cnv_table *s = state;
    const double *h = cnv_table_at(s, piece);

    for (size_t j = 0; j < piece->count; j++) {
        update[j] += piece->weight * (piece->values[j] - h[j]);
    }
    cnv_table_note(s, piece);
}

static const struct cnv_table_ops sega_table_ops = {
    .reserve = sega_table_reserve,
    .rows = sega_table_rows,
    .open_slice = cnv_table_open,
    .take = sega_table_take,
};

const struct cnv_optimiser_ops cnv_optimiser_sega_table = {
    .name = "sega-table",
    .text = "the server's half of ISEGA (solver isega-raw) with all that agents said: a row for "
            "each of them",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437), Algorithm 2",
    .keys = CNV_SEGA_KEYS " " CNV_TABLE_KEYS,
    .state_size = sizeof(struct cnv_table),
    .table = &sega_table_ops,
    .init = sega_table_init,
    .fini = cnv_table_fini,
    .apply_slice = cnv_sega_apply_slice,
    .conclude = cnv_table_conclude,
    .save = cnv_table_save,
    .load = cnv_table_load,
};
