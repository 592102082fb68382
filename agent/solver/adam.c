/*
 * adam.c - local Adam with decoupled weight decay (AdamW): models averaged, moments stay local.
 *
 * The inner optimiser of DiLoCo (Douillard et al. 2023). At local step t:
 *     g := minibatch gradient at u;  if clip > 0 and |g| > clip: g := g clip / |g|
 *     u := (1 - step weight_decay) u
 *     m := beta1 m + (1 - beta1) g;  v := beta2 v + (1 - beta2) g^2
 *     u := u - step (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 * m, v and t outlive the round and are never averaged nor reset at a commit; they advance
 * only when the contribution was counted.
 *
 * adam-batch is the same with minibatches that grow (growth.h).
 */
#include <math.h>

#include "base/schedule.h"
#include "num/vector.h"
#include "solver/local.h"

/* What a local step needs of the steps before it. */
struct moments {
    double *m; /* [n] */
    double *v; /* [n] */
    uint64_t t;
};

struct adam {
    struct cnv_local local;
    struct cnv_schedule schedule;
    double beta1;
    double beta2;
    double epsilon;
    double weight_decay;
    double clip;
    struct moments counted; /* as of the last commit we were counted in */
    struct moments pending; /* of the round in hand */
};

/* As the solver of that name does: with `more` vectors. */
static enum cnv_status adam_make(void *state,
                                 const struct cnv_solver_setup *setup,
                                 const char *solver,
                                 size_t more,
                                 struct cnv_error *err)
{
    struct adam *adam = state;
    size_t n = setup->problem->dimension;
    enum cnv_status status = cnv_local_init(&adam->local, setup, solver, more, err);

    if (status != CNV_OK) {
        return status;
    }
    adam->beta1 = cnv_config_real(setup->config, "solver/beta1");
    adam->beta2 = cnv_config_real(setup->config, "solver/beta2");
    adam->epsilon = cnv_config_real(setup->config, "solver/epsilon");
    adam->weight_decay = cnv_config_real(setup->config, "solver/weight-decay");
    adam->clip = cnv_config_real(setup->config, "solver/clip");
    adam->counted.m = adam->local.vectors;
    adam->counted.v = adam->counted.m + n;
    adam->pending.m = adam->counted.v + n;
    adam->pending.v = adam->pending.m + n;
    return cnv_schedule_read(setup->config, &adam->schedule, err);
}

static enum cnv_status
adam_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    return adam_make(state, setup, "adam", 4, err);
}

static enum cnv_status
adam_batch_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct adam *adam = state;
    enum cnv_status status = adam_make(state, setup, "adam-batch", 5, err);

    return status != CNV_OK
               ? status
               : cnv_local_grow(
                     &adam->local, setup->config, adam->pending.v + setup->problem->dimension, err);
}

static void adam_fini(void *state)
{
    struct adam *adam = state;

    cnv_local_fini(&adam->local);
}

static void copy_moments(size_t n, const struct moments *from, struct moments *to)
{
    cnv_vector_copy(n, from->m, to->m);
    cnv_vector_copy(n, from->v, to->v);
    to->t = from->t;
}

static void adam_begin(void *state, const struct cnv_solver_round *round)
{
    struct adam *adam = state;

    cnv_local_begin(&adam->local, round);
    copy_moments(adam->local.problem->dimension, &adam->counted, &adam->pending);
}

static void clip_gradient(double clip, size_t n, double *g)
{
    double norm = clip > 0.0 ? cnv_vector_norm(n, g) : 0.0;

    if (norm > clip) {
        cnv_vector_scale(n, clip / norm, g);
    }
}

static enum cnv_status adam_step(void *state, struct cnv_error *err)
{
    struct adam *adam = state;
    struct cnv_local *local = &adam->local;
    struct moments *moments = &adam->pending;
    size_t n = local->problem->dimension;
    double step = cnv_schedule_step(&adam->schedule, local->iteration);

    (void) err;
    cnv_local_gradient(local, local->u);
    clip_gradient(adam->clip, n, local->g);
    moments->t++;
    double bias1 = 1.0 - pow(adam->beta1, (double) moments->t);
    double bias2 = 1.0 - pow(adam->beta2, (double) moments->t);

    for (size_t i = 0; i < n; i++) {
        double g = local->g[i];

        moments->m[i] = adam->beta1 * moments->m[i] + (1.0 - adam->beta1) * g;
        moments->v[i] = adam->beta2 * moments->v[i] + (1.0 - adam->beta2) * g * g;
        local->u[i] *= 1.0 - step * adam->weight_decay;
        local->u[i] -=
            step * (moments->m[i] / bias1) / (sqrt(moments->v[i] / bias2) + adam->epsilon);
    }
    local->iteration++;
    return CNV_OK;
}

static enum cnv_status adam_contribute(void *state,
                                       const char *exchange,
                                       uint32_t index,
                                       struct cnv_solver_contribution *contribution,
                                       struct cnv_error *err)
{
    struct adam *adam = state;

    return cnv_local_contribute(&adam->local, "adam", exchange, index, contribution, err);
}

static void adam_batch_settled(void *state,
                               const char *exchange,
                               uint32_t index,
                               const struct cnv_solver_result *result)
{
    struct adam *adam = state;

    (void) index;
    cnv_local_grown(&adam->local, exchange, result);
}

static void adam_concluded(void *state, bool counted)
{
    struct adam *adam = state;

    cnv_growth_concluded(&adam->local.growth, counted);
    if (counted) {
        copy_moments(adam->local.problem->dimension, &adam->pending, &adam->counted);
    }
}

const struct cnv_solver_ops cnv_solver_adam = {
    .name = "adam",
    .text = "local Adam: minibatches, moments kept over rounds, weight decay, clipping",
    .paper = "Kingma and Ba 2015; Loshchilov and Hutter 2019; Douillard et al. 2023, DiLoCo, inner",
    .keys =
        "solver/beta1 solver/beta2 solver/epsilon solver/weight-decay solver/clip " CNV_LOCAL_KEYS
        " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct adam),
    .init = adam_init,
    .fini = adam_fini,
    .begin = adam_begin,
    .step = adam_step,
    .contribute = adam_contribute,
    .settled = cnv_local_settled,
    .concluded = adam_concluded,
};

const struct cnv_solver_ops cnv_solver_adam_batch = {
    .name = "adam-batch",
    .text = "local Adam whose minibatches grow by the norm test, to the same size for all",
    .paper = "Lau et al. 2024, adaptive batch sizes for local gradient methods (arXiv 2406.13936)",
    .keys =
        "solver/beta1 solver/beta2 solver/epsilon solver/weight-decay solver/clip " CNV_GROWTH_KEYS
        " " CNV_LOCAL_KEYS " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct adam),
    .settled_before_steps = 1,
    .init = adam_batch_init,
    .fini = adam_fini,
    .begin = adam_begin,
    .step = adam_step,
    .contribute = adam_contribute,
    .settled = adam_batch_settled,
    .concluded = adam_concluded,
};
