/*
 * sgd.c - local SGD: minibatch steps with momentum, models averaged.
 *
 * papers/adaptive-averaging.md, 1.3 (the local loop). At iteration k of the run:
 *     g := minibatch gradient at u;  v := momentum v + g;  u := u - step(k) v
 * The batch is drawn from (seed, shard, k), so a repeated round repeats its batches. v outlives
 * the round: it advances only when the contribution was counted.
 */
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/schedule.h"
#include "num/vector.h"
#include "solver/solver.h"

struct sgd {
    struct cnv_problem *problem;
    uint64_t seed;
    uint32_t shard;
    struct cnv_schedule schedule;
    double momentum;
    size_t batch;   /* rows; 0: the whole shard */
    size_t *order;  /* [rows] identity between draws */
    size_t *picked; /* [batch] where the draw swapped */
    const double *model;
    bool evaluate;
    uint64_t iteration;
    double *vectors;  /* what the next four point into */
    double *velocity; /* v as of the last commit we were counted in */
    double *pending;  /* v of the round in hand */
    double *u;
    double *g; /* also the update that is contributed */
};

static enum cnv_status
sgd_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct sgd *sgd = state;
    size_t n = setup->problem->dimension;
    size_t rows = setup->problem->rows;
    size_t batch = (size_t) cnv_config_integer(setup->config, "solver/batch");

    sgd->problem = setup->problem;
    sgd->seed = setup->seed;
    sgd->shard = setup->shard;
    sgd->momentum = cnv_config_real(setup->config, "solver/momentum");
    sgd->batch = batch < rows ? batch : 0;
    sgd->vectors = n <= SIZE_MAX / 4 ? cnv_array_new(4 * n, sizeof(double)) : NULL;
    sgd->order = cnv_array_new(rows, sizeof(*sgd->order));
    sgd->picked = cnv_array_new(sgd->batch, sizeof(*sgd->picked));
    if (sgd->vectors == NULL || sgd->order == NULL || sgd->picked == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "solver sgd in %zu coordinates, %zu rows", n, rows);
    }
    sgd->velocity = sgd->vectors;
    sgd->pending = sgd->velocity + n;
    sgd->u = sgd->pending + n;
    sgd->g = sgd->u + n;
    for (size_t i = 0; i < rows; i++) {
        sgd->order[i] = i;
    }
    return cnv_schedule_read(setup->config, &sgd->schedule, err);
}

static void sgd_fini(void *state)
{
    struct sgd *sgd = state;

    cnv_free(sgd->order);
    cnv_free(sgd->picked);
    cnv_free(sgd->vectors);
    *sgd = (struct sgd){ 0 };
}

static void sgd_begin(void *state, const struct cnv_solver_round *round)
{
    struct sgd *sgd = state;
    size_t n = sgd->problem->dimension;

    sgd->model = round->model;
    sgd->evaluate = round->evaluate;
    sgd->iteration = round->iteration;
    cnv_vector_copy(n, round->model, sgd->u);
    cnv_vector_copy(n, sgd->velocity, sgd->pending);
}

static void swap(size_t *order, size_t i, size_t j)
{
    size_t kept = order[i];

    order[i] = order[j];
    order[j] = kept;
}

/* The first batch places of a Fisher-Yates shuffle: rows drawn without replacement. */
static void draw_batch(struct sgd *sgd)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, sgd->seed, CNV_RNG_BATCH, sgd->shard, sgd->iteration);
    for (size_t i = 0; i < sgd->batch; i++) {
        sgd->picked[i] = i + (size_t) cnv_rng_below(&rng, sgd->problem->rows - i);
        swap(sgd->order, i, sgd->picked[i]);
    }
}

/* Takes the swaps back, so that the next draw does not depend on this one. */
static void undo_draw(struct sgd *sgd)
{
    for (size_t i = sgd->batch; i > 0; i--) {
        swap(sgd->order, i - 1, sgd->picked[i - 1]);
    }
}

static enum cnv_status sgd_step(void *state, struct cnv_error *err)
{
    struct sgd *sgd = state;
    struct cnv_problem *problem = sgd->problem;
    size_t n = problem->dimension;
    struct cnv_batch batch = { sgd->order, sgd->batch };

    (void) err;
    draw_batch(sgd);
    (void) problem->ops->gradient(problem->state, sgd->u, sgd->batch > 0 ? &batch : NULL, sgd->g);
    undo_draw(sgd);
    cnv_vector_move(n, sgd->g, sgd->momentum, sgd->pending, sgd->pending);
    cnv_vector_add(n, -cnv_schedule_step(&sgd->schedule, sgd->iteration), sgd->pending, sgd->u);
    sgd->iteration++;
    return CNV_OK;
}

static enum cnv_status sgd_contribute(void *state,
                                      const char *exchange,
                                      uint32_t index,
                                      struct cnv_solver_contribution *contribution,
                                      struct cnv_error *err)
{
    struct sgd *sgd = state;
    struct cnv_problem *problem = sgd->problem;
    bool is_model = strcmp(exchange, "model") == 0;

    if (index != 0 || (!is_model && strcmp(exchange, "loss") != 0)) {
        return cnv_fail(
            err, CNV_E_UNEXPECTED, "solver sgd has no exchange %u \"%s\"", index, exchange);
    }
    *contribution = (struct cnv_solver_contribution){ 0 };
    if (sgd->evaluate || !is_model) {
        contribution->scalars[0] = problem->ops->loss(problem->state, sgd->model, NULL);
        contribution->scalar_count = 1;
    }
    if (is_model) {
        cnv_vector_move(problem->dimension, sgd->u, -1.0, sgd->model, sgd->g);
        contribution->values = sgd->g;
        contribution->length = problem->dimension;
    }
    return CNV_OK;
}

static void sgd_settled(void *state,
                        const char *exchange,
                        uint32_t index,
                        const struct cnv_solver_result *result)
{
    (void) state;
    (void) exchange;
    (void) index;
    (void) result;
}

static void sgd_concluded(void *state, bool counted)
{
    struct sgd *sgd = state;

    if (counted) {
        cnv_vector_copy(sgd->problem->dimension, sgd->pending, sgd->velocity);
    }
}

const struct cnv_solver_ops cnv_solver_sgd = {
    .name = "sgd",
    .text = "local SGD: minibatches, momentum, step decay",
    .paper = "McMahan et al. 2017, Algorithm 1; Jiang and Agrawal 2020, local loop",
    .state_size = sizeof(struct sgd),
    .init = sgd_init,
    .fini = sgd_fini,
    .begin = sgd_begin,
    .step = sgd_step,
    .contribute = sgd_contribute,
    .settled = sgd_settled,
    .concluded = sgd_concluded,
};
