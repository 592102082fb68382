/*
 * bfgs.c - BFGS on the global objective: one iteration a round, the comparator of LocalNewton.
 *
 * A comparator in Gupta et al. 2021: gradients are computed by the agents, the search direction
 * from one inverse Hessian estimate B, the step by backtracking. A round has three exchanges:
 *   0 gradient   mean of grad f_k(w), with f_k(w) and the age of B as scalars: g and F
 *   1 loss       scalars only: f_k(w - eta_i B g) at the candidates eta_i = start shrink^i
 *   2 model      -eta B g for the first eta_i with F_i <= F - armijo eta_i g'B g, or the last
 * Every agent keeps the same B, since it is made of settled numbers alone: with s = w - w', y = g -
 * g' of the round before, B := (I - s y'/y's) B (I - y s'/y's) + s s'/y's wherever y's > 0; before
 * the first update B is (y's/y'y) I (Nocedal and Wright 2006, 6.17 and 6.20). Who was not in the
 * last commit has another B; then the ages differ, everybody sees that in their settled mean and
 * mean square, and all begin again with B = I. B advances only when the contribution was counted.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/vector.h"
#include "solver/solver.h"

enum { GRADIENT, LOSS, MODEL, EXCHANGES };
enum { CANDIDATES = 16 };

static const char *const exchange_names[EXCHANGES] = { "gradient", "loss", "model" };

struct bfgs {
    struct cnv_problem *problem;
    double start;
    double shrink;
    double armijo;
    const double *model;
    double loss;     /* F */
    double slope;    /* g'p */
    double eta;      /* the step that the search chose */
    double age;      /* of the B counted: pairs seen; 0: B = I */
    bool is_new;     /* the ages differ: begin again */
    double *vectors; /* what the next six point into */
    double *local;   /* what is contributed; the trial points */
    double *g;
    double *p;     /* B g */
    double *old_w; /* of the last round we were counted in */
    double *old_g;
    double *work;
    double *inverse; /* [n x n] B as of that round */
    double *pending; /* [n x n] B of the round in hand */
};

static enum cnv_status
bfgs_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct bfgs *bfgs = state;
    size_t n = setup->problem->dimension;
    size_t square = 0;

    bfgs->problem = setup->problem;
    bfgs->start = cnv_config_real(setup->config, "solver/search-from");
    bfgs->shrink = cnv_config_real(setup->config, "solver/shrink");
    bfgs->armijo = cnv_config_real(setup->config, "solver/armijo");
    if (!__builtin_mul_overflow(n, n, &square) && n <= SIZE_MAX / 6) {
        bfgs->vectors = cnv_array_new(6 * n, sizeof(double));
        bfgs->inverse = cnv_array_new(square, sizeof(double));
        bfgs->pending = cnv_array_new(square, sizeof(double));
    }
    if (bfgs->vectors == NULL || bfgs->inverse == NULL || bfgs->pending == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "solver bfgs: two matrices of %zu x %zu", n, n);
    }
    bfgs->local = bfgs->vectors;
    bfgs->g = bfgs->local + n;
    bfgs->p = bfgs->g + n;
    bfgs->old_w = bfgs->p + n;
    bfgs->old_g = bfgs->old_w + n;
    bfgs->work = bfgs->old_g + n;
    return CNV_OK;
}

static void bfgs_fini(void *state)
{
    struct bfgs *bfgs = state;

    cnv_free(bfgs->vectors);
    cnv_free(bfgs->inverse);
    cnv_free(bfgs->pending);
    *bfgs = (struct bfgs){ 0 };
}

static void bfgs_begin(void *state, const struct cnv_solver_round *round)
{
    struct bfgs *bfgs = state;

    bfgs->model = round->model;
}

/* All the work is in the exchanges: a local step alone moves nothing. */
static enum cnv_status bfgs_step(void *state, struct cnv_error *err)
{
    (void) state;
    (void) err;
    return CNV_OK;
}

static void set_identity(size_t n, double factor, double *matrix)
{
    cnv_vector_zero(n * n, matrix);
    for (size_t i = 0; i < n; i++) {
        matrix[i * n + i] = factor;
    }
}

static void multiply(size_t n, const double *matrix, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = cnv_vector_dot(n, matrix + i * n, x);
    }
}

/*
 * B of this round into pending: the update written out, with q = B y and rho = 1 / y's,
 *     B - rho (s q' + q s') + rho (1 + rho y'q) s s'
 */
static void update(struct bfgs *bfgs)
{
    size_t n = bfgs->problem->dimension;
    double *s = bfgs->local;
    double *y = bfgs->p;
    double *q = bfgs->work;

    cnv_vector_move(n, bfgs->model, -1.0, bfgs->old_w, s);
    cnv_vector_move(n, bfgs->g, -1.0, bfgs->old_g, y);
    double curvature = cnv_vector_dot(n, y, s);
    if (bfgs->age > 1.0) {
        cnv_vector_copy(n * n, bfgs->inverse, bfgs->pending);
    } else {
        double square = cnv_vector_dot(n, y, y);

        set_identity(n, curvature > 0.0 && square > 0.0 ? curvature / square : 1.0, bfgs->pending);
    }
    if (!(curvature > 0.0)) {
        return;
    }
    multiply(n, bfgs->pending, y, q);
    double rho = 1.0 / curvature;
    double extra = rho * (1.0 + rho * cnv_vector_dot(n, y, q));
    for (size_t i = 0; i < n; i++) {
        double *row = bfgs->pending + i * n;

        for (size_t j = 0; j < n; j++) {
            row[j] += extra * s[i] * s[j] - rho * (s[i] * q[j] + q[i] * s[j]);
        }
    }
}

/* g, F and the ages are settled: the direction. */
static void take_gradient(struct bfgs *bfgs, const struct cnv_solver_result *result)
{
    size_t n = bfgs->problem->dimension;
    double age = result->scalars[1];
    double spread = result->scalars[2] - age * age;

    cnv_vector_copy(n, result->values, bfgs->g);
    bfgs->loss = result->scalars[0];
    bfgs->is_new = spread > 1e-9 * (1.0 + age * age) || bfgs->age == 0.0;
    if (bfgs->is_new) {
        set_identity(n, 1.0, bfgs->pending);
    } else {
        update(bfgs);
    }
    multiply(n, bfgs->pending, bfgs->g, bfgs->p);
    bfgs->slope = cnv_vector_dot(n, bfgs->p, bfgs->g);
}

static double candidate(const struct bfgs *bfgs, size_t i)
{
    return bfgs->start * pow(bfgs->shrink, (double) i);
}

static void contribute_losses(struct bfgs *bfgs, struct cnv_solver_contribution *contribution)
{
    struct cnv_problem *problem = bfgs->problem;

    for (size_t i = 0; i < CANDIDATES; i++) {
        cnv_vector_move(problem->dimension, bfgs->model, -candidate(bfgs, i), bfgs->p, bfgs->local);
        double loss = problem->ops->loss(problem->state, bfgs->local, NULL);

        contribution->scalars[i] = isfinite(loss) ? loss : 1e300; /* a step far too long */
    }
    contribution->scalar_count = CANDIDATES;
}

static enum cnv_status bfgs_contribute(void *state,
                                       const char *exchange,
                                       uint32_t index,
                                       struct cnv_solver_contribution *contribution,
                                       struct cnv_error *err)
{
    struct bfgs *bfgs = state;
    struct cnv_problem *problem = bfgs->problem;
    size_t n = problem->dimension;

    *contribution = (struct cnv_solver_contribution){ 0 };
    if (index == 0 && strcmp(exchange, "loss") == 0) { /* the round that only evaluates */
        contribution->scalars[0] = problem->ops->loss(problem->state, bfgs->model, NULL);
        contribution->scalar_count = 1;
        return CNV_OK;
    }
    if (index >= EXCHANGES || strcmp(exchange, exchange_names[index]) != 0) {
        return cnv_fail(
            err, CNV_E_UNEXPECTED, "solver bfgs has no exchange %u \"%s\"", index, exchange);
    }
    if (index == LOSS) {
        contribute_losses(bfgs, contribution);
        return CNV_OK;
    }
    contribution->values = bfgs->local;
    contribution->length = n;
    if (index == GRADIENT) {
        contribution->scalars[0] =
            problem->ops->gradient(problem->state, bfgs->model, NULL, bfgs->local);
        contribution->scalars[1] = bfgs->age;
        contribution->scalars[2] = bfgs->age * bfgs->age;
        contribution->scalar_count = 3;
    } else {
        cnv_vector_copy(n, bfgs->p, bfgs->local);
        cnv_vector_scale(n, -bfgs->eta, bfgs->local);
    }
    return CNV_OK;
}

static void bfgs_settled(void *state,
                         const char *exchange,
                         uint32_t index,
                         const struct cnv_solver_result *result)
{
    struct bfgs *bfgs = state;
    size_t i = 0;

    if (index >= EXCHANGES || strcmp(exchange, exchange_names[index]) != 0) {
        return;
    }
    if (index == GRADIENT) {
        take_gradient(bfgs, result);
    } else if (index == LOSS) {
        while (
            i < CANDIDATES - 1 &&
            !(result->scalars[i] <= bfgs->loss - bfgs->armijo * candidate(bfgs, i) * bfgs->slope)) {
            i++;
        }
        bfgs->eta = candidate(bfgs, i);
    }
}

static void bfgs_concluded(void *state, bool counted)
{
    struct bfgs *bfgs = state;
    size_t n = bfgs->problem->dimension;
    double *kept = bfgs->inverse;

    if (counted) {
        bfgs->inverse = bfgs->pending;
        bfgs->pending = kept;
        bfgs->age = bfgs->is_new ? 1.0 : bfgs->age + 1.0;
        cnv_vector_copy(n, bfgs->model, bfgs->old_w);
        cnv_vector_copy(n, bfgs->g, bfgs->old_g);
    }
}

const struct cnv_solver_ops cnv_solver_bfgs = {
    .name = "bfgs",
    .text = "BFGS: gradients of all agents, one inverse Hessian estimate, a backtracking search",
    .paper = "Nocedal and Wright 2006, 6.1; comparator in Gupta et al. 2021, section 5",
    .keys = "solver/search-from solver/shrink solver/armijo",
    .state_size = sizeof(struct bfgs),
    .init = bfgs_init,
    .fini = bfgs_fini,
    .begin = bfgs_begin,
    .step = bfgs_step,
    .contribute = bfgs_contribute,
    .settled = bfgs_settled,
    .concluded = bfgs_concluded,
};
