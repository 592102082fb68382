/*
 * growth.h - minibatches that grow while their gradients are mostly noise: the norm test.
 *
 * Lau, Li, Xu, Liu and Kolar 2024 (arXiv 2406.13936). In a round's last local step each agent
 * tests its minibatch of b rows, whose gradient is g. It wants
 *     ceil(V / (eta^2 |g|^2)) rows,
 * at least b, at most 2 b and solver/batch-max; V is the variance of one row's gradient, summed
 * over coordinates. The first exchange of the next round, batch, settles the mean over the agents,
 * and all take it, to the nearest row. It never falls, and the step size stays as it is.
 * |g|^2 itself holds V / b of noise, so that above an eta of 1 only chance lets a batch grow.
 *
 * Problems give no gradients by row, so V comes from the gradients p and q of the minibatch's two
 * parts, of i and j rows:  V = |p - q|^2 i j / (i + j).  Without bias: rows drawn without
 * replacement from a shard with variance V (Bessel's) have E |p - q|^2 = V (1/i + 1/j), and what
 * p and q share, the regulariser, cancels. As g = (i p + j q) / (i + j), no row is visited twice.
 */
#ifndef CNV_AGENT_SOLVER_GROWTH_H
#define CNV_AGENT_SOLVER_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "solver/solver.h"

/* Settings that cnv_growth_init reads. */
#define CNV_GROWTH_KEYS "solver/batch-eta solver/batch-max"

struct cnv_growth_state {
    size_t batch;  /* of the round, as settled */
    double wanted; /* for the next round; 0: this process has been in none */
};

struct cnv_growth {
    double eta; /* 0: batches do not grow */
    size_t max;
    struct cnv_growth_state counted; /* as of the last commit we were counted in */
    struct cnv_growth_state pending; /* of the round in hand */
    uint32_t steps_left;
};

void cnv_growth_init(struct cnv_growth *growth, const struct cnv_config *config);
void cnv_growth_begin(struct cnv_growth *growth, uint32_t local_steps);
void cnv_growth_concluded(struct cnv_growth *growth, bool counted);

/* Counts a local step. True: it is the round's last, which tests its minibatch. */
bool cnv_growth_is_due(struct cnv_growth *growth);

/* V. p: gradient over i > 0 rows, becomes that over all i + j; q: over j others, is overwritten. */
double cnv_growth_variance(size_t n, double *p, size_t i, double *q, size_t j);

/* The test, with V and |g|^2: what is wanted of the next round. */
void cnv_growth_test(struct cnv_growth *growth, double variance, double square);

/* Adds two scalars: the rows wanted and 1; 0 and 0 for one that does not know yet. */
void cnv_growth_offer(const struct cnv_growth *growth,
                      struct cnv_solver_contribution *contribution);

/* Takes the last two of what settled. */
void cnv_growth_settled(struct cnv_growth *growth, const struct cnv_solver_result *result);

#endif
