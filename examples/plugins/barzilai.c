/*
 * barzilai.c - a solver as a plug-in: local gradient steps whose size nobody has to tune.
 *
 * Barzilai and Borwein 1988: between two points of the path, s = u - u' and y = g - g'. The step
 *     alpha = s'y / y'y
 * is the one for which alpha times the change of the gradient is nearest to s: one over a
 * curvature that was just seen. Where it saw none (s'y <= 0) the last one is kept. The first step
 * of a round takes the size the agent ended the last round with, provided that round counted.
 *
 *   cc -O2 -shared -fPIC -std=c17 -I. -Ilib -Iserver -Iagent examples/plugins/barzilai.c \
 *       -o barzilai.so
 *   convene run --agents 4 --data FILE --plugin ./barzilai.so --set solver/kind=plugin:barzilai
 */
#include "num/vector.h"
#include "solver/local.h"

enum { FIRST, LONGEST, OPTIONS };

static const struct cnv_param options[] = {
    [FIRST] = { .path = "first",
                .type = CNV_PARAM_REAL,
                .unit = "",
                .low = 1e-12,
                .high = 1e12,
                .initial = "0.1",
                .text = "Size of the very first step." },
    [LONGEST] = { .path = "longest",
                  .type = CNV_PARAM_REAL,
                  .unit = "",
                  .low = 1e-12,
                  .high = 1e12,
                  .initial = "10",
                  .text = "No step is longer than this times the gradient." },
    [OPTIONS] = { .path = NULL },
};

struct barzilai {
    struct cnv_local local; /* own model u, gradient g */
    double values[OPTIONS];
    double alpha;   /* as of the last round that counted */
    double pending; /* of the round in hand */
    bool has_last;  /* there was a step in this round */
    double *last_u;
    double *last_g;
    double *y;
};

static enum cnv_status
barzilai_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct barzilai *self = state;
    size_t n = setup->problem->dimension;
    enum cnv_status status =
        cnv_options_read(setup->config, "solver/options", options, self->values, err);

    if (status == CNV_OK) {
        status = cnv_local_init(&self->local, setup, "barzilai", 3, err);
    }
    self->alpha = self->values[FIRST];
    if (status == CNV_OK) {
        self->last_u = self->local.vectors;
        self->last_g = self->last_u + n;
        self->y = self->last_g + n;
    }
    return status;
}

static void barzilai_fini(void *state)
{
    struct barzilai *self = state;

    cnv_local_fini(&self->local);
}

static void barzilai_begin(void *state, const struct cnv_solver_round *round)
{
    struct barzilai *self = state;

    cnv_local_begin(&self->local, round);
    self->pending = self->alpha;
    self->has_last = false;
}

/* The size of the next step, from where the last one led. */
static void barzilai_learn(struct barzilai *self, size_t n)
{
    double *s = self->last_u; /* overwritten: it is not needed again */

    cnv_vector_move(n, self->local.u, -1.0, self->last_u, s);
    cnv_vector_move(n, self->local.g, -1.0, self->last_g, self->y);
    double sy = cnv_vector_dot(n, s, self->y);
    double yy = cnv_vector_dot(n, self->y, self->y);
    if (sy > 0.0) {
        double alpha = sy / yy;

        self->pending = alpha < self->values[LONGEST] ? alpha : self->values[LONGEST];
    }
}

static enum cnv_status barzilai_step(void *state, struct cnv_error *err)
{
    struct barzilai *self = state;
    struct cnv_local *local = &self->local;
    struct cnv_problem *problem = local->problem;
    size_t n = problem->dimension;

    (void) err;
    (void) problem->ops->gradient(problem->state, local->u, NULL, local->g);
    if (self->has_last) {
        barzilai_learn(self, n);
    }
    cnv_vector_copy(n, local->u, self->last_u);
    cnv_vector_copy(n, local->g, self->last_g);
    self->has_last = true;
    cnv_vector_add(n, -self->pending, local->g, local->u);
    return CNV_OK;
}

static enum cnv_status barzilai_contribute(void *state,
                                           const char *exchange,
                                           uint32_t index,
                                           struct cnv_solver_contribution *contribution,
                                           struct cnv_error *err)
{
    struct barzilai *self = state;

    return cnv_local_contribute(&self->local, "barzilai", exchange, index, contribution, err);
}

static void barzilai_concluded(void *state, bool counted)
{
    struct barzilai *self = state;

    if (counted) {
        self->alpha = self->pending;
    }
}

static const struct cnv_solver_ops barzilai = {
    .name = "barzilai",
    .text = "local gradient steps over the whole shard, sized by the curvature they meet",
    .paper = "Barzilai and Borwein 1988",
    .keys = CNV_LOCAL_KEYS " solver/options",
    .state_size = sizeof(struct barzilai),
    .init = barzilai_init,
    .fini = barzilai_fini,
    .begin = barzilai_begin,
    .step = barzilai_step,
    .contribute = barzilai_contribute,
    .concluded = barzilai_concluded,
};

CNV_SOLVER_PLUGIN(&barzilai, options);
