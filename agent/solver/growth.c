/* growth.c - see growth.h. */
#include "solver/growth.h"

#include <math.h>

#include "num/vector.h"

void cnv_growth_init(struct cnv_growth *growth, const struct cnv_config *config)
{
    size_t batch = (size_t) cnv_config_integer(config, "solver/batch");
    size_t max = (size_t) cnv_config_integer(config, "solver/batch-max");

    *growth = (struct cnv_growth){
        .eta = cnv_config_real(config, "solver/batch-eta"),
        .max = max > batch ? max : batch,
        .counted = { .batch = batch },
    };
}

void cnv_growth_begin(struct cnv_growth *growth, uint32_t local_steps)
{
    growth->pending = growth->counted;
    growth->steps_left = local_steps;
}

void cnv_growth_concluded(struct cnv_growth *growth, bool counted)
{
    if (counted) {
        growth->counted = growth->pending;
    }
}

bool cnv_growth_is_due(struct cnv_growth *growth)
{
    if (growth->eta == 0.0 || growth->steps_left == 0) {
        return false;
    }
    growth->steps_left--;
    if (growth->steps_left > 0) {
        return false;
    }
    growth->pending.wanted = (double) growth->pending.batch;
    return true;
}

double cnv_growth_variance(size_t n, double *p, size_t i, double *q, size_t j)
{
    double share = (double) j / (double) (i + j);

    cnv_vector_add(n, -1.0, p, q);
    cnv_vector_add(n, share, q, p);
    return cnv_vector_dot(n, q, q) * (double) i * share;
}

void cnv_growth_test(struct cnv_growth *growth, double variance, double square)
{
    double batch = (double) growth->pending.batch;
    double most = fmin(2.0 * batch, (double) growth->max);
    double allowed = growth->eta * growth->eta * square;

    /* Products, as the gradient may be 0. What is no number leaves the batch as it is. */
    if (variance > allowed * most) {
        growth->pending.wanted = most;
    } else if (variance > allowed * batch) {
        growth->pending.wanted = ceil(variance / allowed);
    }
}

void cnv_growth_offer(const struct cnv_growth *growth, struct cnv_solver_contribution *contribution)
{
    double *scalars = contribution->scalars + contribution->scalar_count;

    scalars[0] = growth->counted.wanted;
    scalars[1] = growth->counted.wanted > 0.0 ? 1.0 : 0.0;
    contribution->scalar_count += 2;
}

void cnv_growth_settled(struct cnv_growth *growth, const struct cnv_solver_result *result)
{
    const double *scalars = result->scalars + result->scalar_count - 2;
    double mean = scalars[1] > 0.0 ? round(scalars[0] / scalars[1]) : 0.0;

    if (mean > (double) growth->pending.batch && mean <= (double) growth->max) {
        growth->pending.batch = (size_t) mean;
    }
}
