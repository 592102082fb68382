/* local.c - see local.h. */
#include "solver/local.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/vector.h"

enum cnv_status cnv_local_init(struct cnv_local *local,
                               const struct cnv_solver_setup *setup,
                               const char *solver,
                               size_t more,
                               struct cnv_error *err)
{
    size_t n = setup->problem->dimension;
    size_t rows = setup->problem->rows;
    size_t batch = (size_t) cnv_config_integer(setup->config, "solver/batch");

    local->problem = setup->problem;
    local->seed = setup->seed;
    local->shard = setup->shard;
    local->batch = batch < rows ? batch : 0;
    local->is_shuffled = strcmp(cnv_config_text(setup->config, "solver/sampling"), "shuffle") == 0;
    local->all = n <= SIZE_MAX / (2 + more) ? cnv_array_new((2 + more) * n, sizeof(double)) : NULL;
    local->order = cnv_array_new(rows, sizeof(*local->order));
    local->picked = cnv_array_new(local->batch, sizeof(*local->picked));
    if (local->all == NULL || local->order == NULL || local->picked == NULL) {
        return cnv_fail(
            err, CNV_E_NOMEM, "solver %s in %zu coordinates, %zu rows", solver, n, rows);
    }
    local->u = local->all;
    local->g = local->u + n;
    local->vectors = local->g + n;
    for (size_t i = 0; i < rows; i++) {
        local->order[i] = i;
    }
    return CNV_OK;
}

enum cnv_status cnv_local_grow(struct cnv_local *local,
                               const struct cnv_config *config,
                               double *part,
                               struct cnv_error *err)
{
    size_t rows = local->problem->rows;

    cnv_growth_init(&local->growth, config);
    local->part = part;
    cnv_free(local->picked);
    local->picked =
        cnv_array_new(local->growth.max < rows ? local->growth.max : rows, sizeof(*local->picked));
    return local->picked == NULL ? cnv_fail(err, CNV_E_NOMEM, "minibatches of %zu rows", rows)
                                 : CNV_OK;
}

void cnv_local_fini(struct cnv_local *local)
{
    cnv_free(local->order);
    cnv_free(local->picked);
    cnv_free(local->all);
    *local = (struct cnv_local){ 0 };
}

/* The batch as it has grown: an agent with fewer rows takes all it has. */
static void take_batch(struct cnv_local *local)
{
    size_t batch = local->growth.pending.batch;

    local->batch = batch < local->problem->rows ? batch : 0;
}

void cnv_local_begin(struct cnv_local *local, const struct cnv_solver_round *round)
{
    local->model = round->model;
    local->evaluate = round->evaluate;
    local->iteration = round->iteration;
    local->ahead = round->ahead;
    if (local->growth.eta > 0.0) {
        cnv_growth_begin(&local->growth, round->local_steps);
        take_batch(local);
    }
    cnv_vector_copy(local->problem->dimension, round->model, local->u);
}

static void swap(size_t *order, size_t i, size_t j)
{
    size_t kept = order[i];

    order[i] = order[j];
    order[j] = kept;
}

static uint64_t steps_per_pass(const struct cnv_local *local)
{
    return (local->problem->rows + local->batch - 1) / local->batch;
}

/* The order of the pass that this iteration is in; kept until the next one. */
static void shuffle_pass(struct cnv_local *local)
{
    uint64_t pass = (local->iteration + local->ahead) / steps_per_pass(local) + 1;
    struct cnv_rng rng;

    if (local->pass != pass) {
        cnv_rng_init(&rng, local->seed, CNV_RNG_BATCH, local->shard, pass);
        cnv_rng_permutation(&rng, local->order, local->problem->rows);
        local->pass = pass;
    }
}

/* The first batch places of a Fisher-Yates shuffle: rows drawn without replacement. */
static void draw_batch(struct cnv_local *local)
{
    struct cnv_rng rng;

    if (local->is_shuffled && local->batch > 0) {
        shuffle_pass(local);
        return;
    }
    cnv_rng_init(&rng, local->seed, CNV_RNG_BATCH, local->shard, local->iteration + local->ahead);
    for (size_t i = 0; i < local->batch; i++) {
        local->picked[i] = i + (size_t) cnv_rng_below(&rng, local->problem->rows - i);
        swap(local->order, i, local->picked[i]);
    }
}

/* What is drawn: the whole shard is a draw as well, for problems with noise of their own. */
static struct cnv_batch batch_of(const struct cnv_local *local)
{
    uint64_t k = local->iteration + local->ahead;
    struct cnv_batch batch = { .count = local->problem->rows, .draw = k + 1 };

    if (local->batch > 0 && local->is_shuffled) {
        size_t first = (size_t) (k % steps_per_pass(local)) * local->batch;

        batch.rows = local->order + first;
        batch.count = batch.count - first < local->batch ? batch.count - first : local->batch;
    } else if (local->batch > 0) {
        batch.rows = local->order;
        batch.count = local->batch;
    }
    return batch;
}

/* Takes the swaps back, so that the next draw does not depend on this one. */
static void undo_draw(struct cnv_local *local)
{
    for (size_t i = local->is_shuffled ? 0 : local->batch; i > 0; i--) {
        swap(local->order, i - 1, local->picked[i - 1]);
    }
}

static void
gradient_and_test(struct cnv_local *local, const double *w, const struct cnv_batch *batch)
{
    struct cnv_problem *problem = local->problem;
    struct cnv_batch p = *batch;
    struct cnv_batch q = *batch;
    size_t n = problem->dimension;

    p.count = batch->count / 2;
    q.rows += p.count;
    q.count -= p.count;
    (void) problem->ops->gradient(problem->state, w, &p, local->g);
    (void) problem->ops->gradient(problem->state, w, &q, local->part);
    double variance = cnv_growth_variance(n, local->g, p.count, local->part, q.count);

    cnv_growth_test(&local->growth, variance, cnv_vector_dot(n, local->g, local->g));
}

void cnv_local_gradient(struct cnv_local *local, const double *w)
{
    struct cnv_problem *problem = local->problem;
    struct cnv_batch batch = batch_of(local);

    draw_batch(local);
    if (cnv_growth_is_due(&local->growth) && batch.rows != NULL && batch.count > 1) {
        gradient_and_test(local, w, &batch);
    } else {
        (void) problem->ops->gradient(problem->state, w, &batch, local->g);
    }
    undo_draw(local);
}

enum cnv_status cnv_local_hessian_times(
    struct cnv_local *local, const double *w, const double *v, double *out, struct cnv_error *err)
{
    struct cnv_problem *problem = local->problem;
    struct cnv_batch batch = batch_of(local);

    draw_batch(local);
    enum cnv_status status = problem->ops->curvature_at(problem->state, w, &batch, err);
    if (status == CNV_OK) {
        problem->ops->hessian_times(problem->state, v, out);
    }
    undo_draw(local);
    return status;
}

enum cnv_status cnv_local_contribute(struct cnv_local *local,
                                     const char *solver,
                                     const char *exchange,
                                     uint32_t index,
                                     struct cnv_solver_contribution *contribution,
                                     struct cnv_error *err)
{
    struct cnv_problem *problem = local->problem;
    bool is_model = strcmp(exchange, "model") == 0;
    bool is_monitor = strcmp(exchange, "monitor") == 0;
    bool is_batch = local->growth.eta > 0.0 && strcmp(exchange, "batch") == 0;

    if (!is_model && !is_monitor && !is_batch && strcmp(exchange, "loss") != 0) {
        return cnv_fail(
            err, CNV_E_UNEXPECTED, "solver %s has no exchange %u \"%s\"", solver, index, exchange);
    }
    *contribution = (struct cnv_solver_contribution){ 0 };
    if (!is_monitor && ((local->evaluate && index == 0) || (!is_model && !is_batch))) {
        contribution->scalars[0] = problem->ops->loss(problem->state, local->model, NULL);
        contribution->scalar_count = 1;
    }
    if (is_batch) {
        cnv_growth_offer(&local->growth, contribution);
    }
    if (is_model || is_monitor) {
        cnv_vector_move(problem->dimension, local->u, -1.0, local->model, local->g);
        contribution->values = local->g;
        contribution->length = problem->dimension;
    }
    return CNV_OK;
}

void cnv_local_settled(void *state,
                       const char *exchange,
                       uint32_t index,
                       const struct cnv_solver_result *result)
{
    (void) state;
    (void) exchange;
    (void) index;
    (void) result;
}

void cnv_local_grown(struct cnv_local *local,
                     const char *exchange,
                     const struct cnv_solver_result *result)
{
    if (strcmp(exchange, "batch") == 0) {
        cnv_growth_settled(&local->growth, result);
        take_batch(local);
    }
}
