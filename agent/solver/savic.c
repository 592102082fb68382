/*
 * savic.c - SAVIC: local steps scaled by one diagonal matrix that all agents share.
 *
 * Chezhegov et al. 2024 (SAVIC), global scaling. A round with two round trips (plan "scale,model"):
 *     agent i : Hs_i at w
 *     server  : D from the mean of the Hs_i ;  Dh := max(alpha, |D|), coordinate by coordinate
 *     agent i : u := w ;  L times
 *                   g := minibatch gradient at u ;  m := beta1 m + (1 - beta1) g
 *                   u := u - step(k) m / Dh
 *     server  : w := the mean of the u
 * and with one (plan "model", optimiser/kind=scaled), where Dh is that of the round before:
 *     agent i : u := w ;  L - 1 times the same ;  then g and Hs_i at u
 *     server  : D and the new Dh ;  w := mean of the u - step(k) (1 - beta1) (mean of the g) / Dh
 * D is refreshed, for the t-th time, by (base/scaling.h):
 *
 * - adam: Hs^2 = g * g; D^2 is the mean of the Hs^2, beta2 as memory, bias-corrected
 * - rmsprop: Hs^2 = g * g; D^2 := beta2 D^2 + (1 - beta2) Hs^2, the first Hs^2 at t = 1
 * - adagrad: Hs^2 = g * g; D^2 := D^2 + Hs^2
 * - oasis: Hs = v * (H v); D := beta2 D + (1 - beta2) Hs, the first Hs at t = 1
 * - adahessian: Hs^2 = (v * (H v))^2; as adam
 *
 * v is +-1, the same on all agents, fresh in each refresh. Squares are taken before the server's
 * mean.
 *
 * With two round trips the exchange `scale` comes before the local steps. The bias correction is
 * kept as a number c beside the sum V, D^2 = V / c (c = 1 - beta2^t): the same as the paper's
 * beta_t = (beta2 - beta2^(t+1)) / (1 - beta2^(t+1)).
 * Every rule is linear in V and c. So an agent does not offer Hs but the V and c that Hs would
 * make of its own, and what settles is the new V and c of all. Whoever was not there before - a
 * newcomer, or a process that died - begins with V = c = 0, offers its first estimate, and has
 * the same D as all others before its first local step; no server has to keep D. V, c and m
 * advance only when the contribution was counted.
 *
 * With one the last step of the round is left to the server: the agent sends u - w, that step's g
 * and, where D is made of curvature, h = v * (H v) of the same minibatch; the server refreshes D
 * from them, steps along the mean of g over the new Dh and broadcasts D with the model. Before
 * there is a D, in the first round, there are no local steps but that one. Of the last step's m the
 * agent takes the share beta1 m with the D it has.
 *
 * savic-local is the variant with a D of each agent's own ("local scaling"), refreshed at the
 * start of a round or in every step; only models travel. Agents then move in different metrics, and
 * on skewed data the mean is biased: by how much, row B3 of examples/papers measures.
 */
#include <string.h>

#include "base/rng.h"
#include "base/scaling.h"
#include "base/schedule.h"
#include "num/vector.h"
#include "solver/local.h"

/* What a refresh, or a step, needs of those before it. */
struct scale {
    double *v; /* [n] V */
    double c;
    double *m; /* [n] */
};

struct savic {
    struct cnv_local local;
    struct cnv_schedule schedule;
    struct cnv_scaling scaling;
    const char *name;
    bool is_local;
    bool is_refreshed; /* local: once in this round */
    bool every_step;   /* local */
    bool has_beside;   /* one round trip: the server refreshes D */
    bool has_matrix;   /* it has done so */
    uint32_t left;     /* one round trip: steps to come */
    double beta1;
    struct scale counted; /* as of the last commit we were counted in */
    struct scale pending; /* of the round in hand */
    double *dh;           /* [n] max(alpha, |D|) */
    double *signs;        /* [n] v */
    double *hs;           /* [n] Hs, or its square */
    double *offered;      /* [3 n] one round trip: u - w, g and h */
};

static enum cnv_status
init(struct savic *savic, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    size_t n = setup->problem->dimension;
    enum cnv_status status = cnv_local_init(&savic->local, setup, savic->name, 10, err);

    if (status != CNV_OK) {
        return status;
    }
    cnv_scaling_read(setup->config, &savic->scaling);
    savic->every_step =
        savic->is_local && strcmp(cnv_config_text(setup->config, "solver/refresh"), "step") == 0;
    savic->beta1 = cnv_config_real(setup->config, "solver/beta1");
    savic->counted.v = savic->local.vectors;
    savic->counted.m = savic->counted.v + n;
    savic->pending.v = savic->counted.m + n;
    savic->pending.m = savic->pending.v + n;
    savic->dh = savic->pending.m + n;
    savic->signs = savic->dh + n;
    savic->hs = savic->signs + n;
    savic->offered = savic->hs + n;
    return cnv_schedule_read(setup->config, &savic->schedule, err);
}

static enum cnv_status
savic_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct savic *savic = state;

    savic->name = "savic";
    return init(savic, setup, err);
}

static enum cnv_status
savic_local_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct savic *savic = state;

    savic->name = "savic-local";
    savic->is_local = true;
    return init(savic, setup, err);
}

static void savic_fini(void *state)
{
    struct savic *savic = state;

    cnv_local_fini(&savic->local);
}

static void copy_scale(size_t n, const struct scale *from, struct scale *to)
{
    cnv_vector_copy(n, from->v, to->v);
    cnv_vector_copy(n, from->m, to->m);
    to->c = from->c;
}

static void savic_begin(void *state, const struct cnv_solver_round *round)
{
    struct savic *savic = state;

    cnv_local_begin(&savic->local, round);
    copy_scale(savic->local.problem->dimension, &savic->counted, &savic->pending);
    savic->is_refreshed = false;
    savic->has_beside = !savic->is_local && round->beside != NULL;
    savic->has_matrix = savic->has_beside && round->iteration > 0;
    savic->left = round->local_steps;
    for (size_t i = 0; savic->has_matrix && i < savic->local.problem->dimension; i++) {
        savic->dh[i] = cnv_scaling_entry(&savic->scaling, round->beside[i]);
    }
}

/* v of this iteration. */
static void draw_signs(struct savic *savic)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, savic->local.seed, CNV_RNG_SCALE, 0, savic->local.iteration);
    for (size_t i = 0; i < savic->local.problem->dimension; i++) {
        savic->signs[i] = cnv_rng_u32(&rng) >> 31 == 0 ? 1.0 : -1.0;
    }
}

/* v * (H v), or g, at w. */
static enum cnv_status look(struct savic *savic, const double *w, struct cnv_error *err)
{
    size_t n = savic->local.problem->dimension;

    if (savic->scaling.kind->is_curvature) {
        draw_signs(savic);
        enum cnv_status status =
            cnv_local_hessian_times(&savic->local, w, savic->signs, savic->hs, err);
        if (status != CNV_OK) {
            return status;
        }
        for (size_t i = 0; i < n; i++) {
            savic->hs[i] *= savic->signs[i];
        }
    } else {
        cnv_local_gradient(&savic->local, w);
        cnv_vector_copy(n, savic->local.g, savic->hs);
    }
    return CNV_OK;
}

/* Hs at w, or its square where the rule is in squares. */
static enum cnv_status estimate(struct savic *savic, const double *w, struct cnv_error *err)
{
    enum cnv_status status = look(savic, w, err);

    for (size_t i = 0; savic->scaling.kind->is_square && i < savic->local.problem->dimension; i++) {
        savic->hs[i] *= savic->hs[i];
    }
    return status;
}

/* V and c with Hs in them. */
static void blend(struct savic *savic)
{
    struct scale *scale = &savic->pending;
    bool is_first = scale->c == 0.0;
    double keep = savic->scaling.beta2;
    double add = 1.0 - savic->scaling.beta2;
    enum cnv_scaling_memory memory = savic->scaling.kind->memory;

    if (memory == CNV_SCALING_SUM) {
        keep = 1.0;
        add = 1.0;
    } else if (memory == CNV_SCALING_CONSTANT && is_first) {
        keep = 0.0;
        add = 1.0;
    }
    for (size_t i = 0; i < savic->local.problem->dimension; i++) {
        scale->v[i] = keep * scale->v[i] + add * savic->hs[i];
    }
    scale->c = memory == CNV_SCALING_SUM ? 1.0 : keep * scale->c + add;
}

/* Dh := max(alpha, |D|) */
static void clip(struct savic *savic)
{
    const struct scale *scale = &savic->pending;

    for (size_t i = 0; i < savic->local.problem->dimension; i++) {
        savic->dh[i] = cnv_scaling_entry(&savic->scaling, scale->v[i] / scale->c);
    }
}

static enum cnv_status refresh_own(struct savic *savic, struct cnv_error *err)
{
    enum cnv_status status = estimate(savic, savic->local.u, err);

    if (status == CNV_OK) {
        blend(savic);
        clip(savic);
        savic->is_refreshed = true;
    }
    return status;
}

/* One round trip, last step: g, and h, for the server to step along; here what it cannot know. */
static enum cnv_status synchronise(struct savic *savic, struct cnv_error *err)
{
    struct cnv_local *local = &savic->local;
    size_t n = local->problem->dimension;
    double *m = savic->pending.m;
    double step = cnv_schedule_step(&savic->schedule, local->iteration) * savic->beta1;

    if (savic->scaling.kind->is_curvature) {
        enum cnv_status status = look(savic, local->u, err);
        if (status != CNV_OK) {
            return status;
        }
        cnv_vector_copy(n, savic->hs, savic->offered + 2 * n);
    }
    cnv_local_gradient(local, local->u);
    cnv_vector_copy(n, local->g, savic->offered + n);
    for (size_t i = 0; i < n; i++) {
        local->u[i] -= savic->has_matrix ? step * m[i] / savic->dh[i] : 0.0;
        m[i] = savic->beta1 * m[i] + (1.0 - savic->beta1) * local->g[i];
    }
    local->iteration++;
    return CNV_OK;
}

/* u := u - step m / Dh, with a local m. */
static enum cnv_status savic_step(void *state, struct cnv_error *err)
{
    struct savic *savic = state;
    struct cnv_local *local = &savic->local;
    double *m = savic->pending.m;
    double step = cnv_schedule_step(&savic->schedule, local->iteration);

    if (savic->is_local && (savic->every_step || !savic->is_refreshed)) {
        enum cnv_status status = refresh_own(savic, err);
        if (status != CNV_OK) {
            return status;
        }
    }
    if (savic->has_beside && --savic->left == 0) {
        return synchronise(savic, err);
    }
    if (savic->has_beside && !savic->has_matrix) {
        local->iteration++;
        return CNV_OK;
    }
    cnv_local_gradient(local, local->u);
    for (size_t i = 0; i < local->problem->dimension; i++) {
        m[i] = savic->beta1 * m[i] + (1.0 - savic->beta1) * local->g[i];
        local->u[i] -= step * m[i] / savic->dh[i];
    }
    local->iteration++;
    return CNV_OK;
}

static enum cnv_status contribute_scale(struct savic *savic,
                                        struct cnv_solver_contribution *contribution,
                                        struct cnv_error *err)
{
    struct cnv_local *local = &savic->local;
    struct cnv_problem *problem = local->problem;
    enum cnv_status status = estimate(savic, local->model, err);

    if (status != CNV_OK) {
        return status;
    }
    blend(savic);
    *contribution = (struct cnv_solver_contribution){ .values = savic->pending.v,
                                                      .length = problem->dimension };
    if (local->evaluate) {
        contribution->scalars[contribution->scalar_count++] =
            problem->ops->loss(problem->state, local->model, NULL);
    }
    contribution->scalars[contribution->scalar_count++] = savic->pending.c;
    return CNV_OK;
}

static enum cnv_status savic_contribute(void *state,
                                        const char *exchange,
                                        uint32_t index,
                                        struct cnv_solver_contribution *contribution,
                                        struct cnv_error *err)
{
    struct savic *savic = state;

    if (!savic->is_local && index == 0 && strcmp(exchange, "scale") == 0) {
        return contribute_scale(savic, contribution, err);
    }
    enum cnv_status status =
        cnv_local_contribute(&savic->local, savic->name, exchange, index, contribution, err);
    if (status == CNV_OK && savic->has_beside && contribution->values != NULL) {
        cnv_vector_copy(contribution->length, contribution->values, savic->offered);
        contribution->values = savic->offered;
        contribution->width = savic->scaling.kind->is_curvature ? 3 : 2;
    }
    return status;
}

static void savic_settled(void *state,
                          const char *exchange,
                          uint32_t index,
                          const struct cnv_solver_result *result)
{
    struct savic *savic = state;

    if (index == 0 && strcmp(exchange, "scale") == 0) {
        cnv_vector_copy(savic->local.problem->dimension, result->values, savic->pending.v);
        savic->pending.c = result->scalars[result->scalar_count - 1];
        clip(savic);
    }
}

static void savic_concluded(void *state, bool counted)
{
    struct savic *savic = state;

    if (counted) {
        copy_scale(savic->local.problem->dimension, &savic->pending, &savic->counted);
    }
}

const struct cnv_solver_ops cnv_solver_savic = {
    .name = "savic",
    .text =
        "SAVIC: local steps scaled by one matrix for all; with optimiser/kind=scaled in one round "
        "trip instead of two",
    .paper = "Chezhegov et al. 2024, SAVIC (arXiv 2406.00846)",
    .keys = CNV_SCALING_KEYS " solver/beta1 " CNV_LOCAL_KEYS " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct savic),
    .settled_before_steps = 1,
    .init = savic_init,
    .fini = savic_fini,
    .begin = savic_begin,
    .step = savic_step,
    .contribute = savic_contribute,
    .settled = savic_settled,
    .concluded = savic_concluded,
};

const struct cnv_solver_ops cnv_solver_savic_local = {
    .name = "savic-local",
    .text = "SAVIC with a scaling matrix of each agent's own: biased where agents hold different "
            "labels",
    .paper = "Chezhegov et al. 2024, SAVIC, local scaling",
    .keys = CNV_SCALING_KEYS " solver/refresh solver/beta1 " CNV_LOCAL_KEYS " " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct savic),
    .init = savic_local_init,
    .fini = savic_fini,
    .begin = savic_begin,
    .step = savic_step,
    .contribute = savic_contribute,
    .settled = savic_settled,
    .concluded = savic_concluded,
};
