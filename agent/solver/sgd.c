/*
 * sgd.c - local SGD: minibatch steps with momentum, models averaged.
 *
 * Jiang and Agrawal 2020, the local loop. At iteration k of the run:
 *     g := minibatch gradient at u;  v := momentum v + g;  u := u - step(k) v
 * v outlives the round: it advances only when the contribution was counted.
 *
 * sgd-batch is the same with minibatches that grow (growth.h).
 */
#include "base/schedule.h"
#include "num/vector.h"
#include "solver/local.h"

struct sgd {
    struct cnv_local local;
    struct cnv_schedule schedule;
    double momentum;
    double *velocity; /* v as of the last commit we were counted in */
    double *pending;  /* v of the round in hand */
};

/* As the solver of that name does: with `more` vectors. */
static enum cnv_status sgd_make(void *state,
                                const struct cnv_solver_setup *setup,
                                const char *solver,
                                size_t more,
                                struct cnv_error *err)
{
    struct sgd *sgd = state;
    enum cnv_status status = cnv_local_init(&sgd->local, setup, solver, more, err);

    if (status != CNV_OK) {
        return status;
    }
    sgd->momentum = cnv_config_real(setup->config, "solver/momentum");
    sgd->velocity = sgd->local.vectors;
    sgd->pending = sgd->velocity + setup->problem->dimension;
    return cnv_schedule_read(setup->config, &sgd->schedule, err);
}

static enum cnv_status
sgd_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    return sgd_make(state, setup, "sgd", 2, err);
}

static enum cnv_status
sgd_batch_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct sgd *sgd = state;
    enum cnv_status status = sgd_make(state, setup, "sgd-batch", 3, err);

    return status != CNV_OK
               ? status
               : cnv_local_grow(
                     &sgd->local, setup->config, sgd->pending + setup->problem->dimension, err);
}

static void sgd_fini(void *state)
{
    struct sgd *sgd = state;

    cnv_local_fini(&sgd->local);
}

static void sgd_begin(void *state, const struct cnv_solver_round *round)
{
    struct sgd *sgd = state;

    cnv_local_begin(&sgd->local, round);
    cnv_vector_copy(sgd->local.problem->dimension, sgd->velocity, sgd->pending);
}

static enum cnv_status sgd_step(void *state, struct cnv_error *err)
{
    struct sgd *sgd = state;
    struct cnv_local *local = &sgd->local;
    size_t n = local->problem->dimension;

    (void) err;
    cnv_local_gradient(local, local->u);
    cnv_vector_move(n, local->g, sgd->momentum, sgd->pending, sgd->pending);
    cnv_vector_add(n, -cnv_schedule_step(&sgd->schedule, local->iteration), sgd->pending, local->u);
    local->iteration++;
    return CNV_OK;
}

static enum cnv_status sgd_contribute(void *state,
                                      const char *exchange,
                                      uint32_t index,
                                      struct cnv_solver_contribution *contribution,
                                      struct cnv_error *err)
{
    struct sgd *sgd = state;

    return cnv_local_contribute(&sgd->local, "sgd", exchange, index, contribution, err);
}

static void sgd_batch_settled(void *state,
                              const char *exchange,
                              uint32_t index,
                              const struct cnv_solver_result *result)
{
    struct sgd *sgd = state;

    (void) index;
    cnv_local_grown(&sgd->local, exchange, result);
}

static void sgd_concluded(void *state, bool counted)
{
    struct sgd *sgd = state;

    cnv_growth_concluded(&sgd->local.growth, counted);
    if (counted) {
        cnv_vector_copy(sgd->local.problem->dimension, sgd->pending, sgd->velocity);
    }
}

const struct cnv_solver_ops cnv_solver_sgd = {
    .name = "sgd",
    .text = "local SGD: minibatches, momentum, step decay",
    .paper = "McMahan et al. 2017, Algorithm 1; Jiang and Agrawal 2020, local loop",
    .keys = "solver/momentum " CNV_LOCAL_KEYS " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct sgd),
    .init = sgd_init,
    .fini = sgd_fini,
    .begin = sgd_begin,
    .step = sgd_step,
    .contribute = sgd_contribute,
    .settled = cnv_local_settled,
    .concluded = sgd_concluded,
};

const struct cnv_solver_ops cnv_solver_sgd_batch = {
    .name = "sgd-batch",
    .text = "local SGD whose minibatches grow by the norm test, to the same size for all",
    .paper = "Lau et al. 2024, adaptive batch sizes for local gradient methods (arXiv 2406.13936)",
    .keys = "solver/momentum " CNV_GROWTH_KEYS " " CNV_LOCAL_KEYS " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct sgd),
    .settled_before_steps = 1,
    .init = sgd_batch_init,
    .fini = sgd_fini,
    .begin = sgd_begin,
    .step = sgd_step,
    .contribute = sgd_contribute,
    .settled = sgd_batch_settled,
    .concluded = sgd_concluded,
};
