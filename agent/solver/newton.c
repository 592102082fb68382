/*
 * newton.c - LocalNewton: damped Newton steps on the agent's own objective, models averaged.
 *
 * Gupta et al. 2021 (LocalNewton), Algorithm 1. Worker k, L times:
 *     g := grad f_k(u);  H := hess f_k(u);  p := H^-1 g;  alpha := armijo;  u := u - alpha p
 * and then contributes u - w, an update relative to the broadcast model w. Adaptive LocalNewton
 * (Algorithm 2) is this with an L that the server's policy adaptive-l lowers. The loss at w comes
 * for free with the first gradient. Nothing outlives a round, but CG's tolerance if it tightens.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/vector.h"
#include "solver/direction.h"
#include "solver/solver.h"

struct newton {
    struct cnv_problem *problem;
    struct cnv_direction direction;
    double beta;   /* Armijo's constant */
    double shrink; /* of the step, after each failure */
    int64_t halvings;
    const double *model;
    bool evaluate;
    bool has_loss;
    double loss;     /* f_k at the model */
    double *vectors; /* what the next four point into */
    double *u;
    double *g;
    double *p;
    double *trial; /* also the update that is contributed */
};

static enum cnv_status
newton_init(void *state, const struct cnv_solver_setup *setup, struct cnv_error *err)
{
    struct newton *newton = state;
    size_t n = setup->problem->dimension;

    newton->problem = setup->problem;
    newton->beta = cnv_config_real(setup->config, "solver/armijo");
    newton->shrink = cnv_config_real(setup->config, "solver/shrink");
    newton->halvings = cnv_config_integer(setup->config, "solver/halvings");
    newton->vectors = n <= SIZE_MAX / 4 ? cnv_array_new(4 * n, sizeof(double)) : NULL;
    if (newton->vectors == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "solver newton in %zu coordinates", n);
    }
    newton->u = newton->vectors;
    newton->g = newton->u + n;
    newton->p = newton->g + n;
    newton->trial = newton->p + n;
    return cnv_direction_init(&newton->direction, setup->config, setup->problem, err);
}

static void newton_fini(void *state)
{
    struct newton *newton = state;

    cnv_direction_fini(&newton->direction);
    cnv_free(newton->vectors);
    newton->vectors = NULL;
}

static void newton_begin(void *state, const struct cnv_solver_round *round)
{
    struct newton *newton = state;

    newton->model = round->model;
    cnv_direction_begin(&newton->direction);
    newton->evaluate = round->evaluate;
    newton->has_loss = false;
    cnv_vector_copy(newton->problem->dimension, round->model, newton->u);
}

/*
 * The line search (Eq. 5): the first alpha of 1, shrink, shrink^2, ... with
 * f(u - alpha p) <= f(u) - alpha beta p'g; 0 when none of them will do. Below rounding the rule
 * cannot be told from noise, so that much is let pass: a full step at the optimum is a full step.
 */
static double armijo(struct newton *newton, double loss)
{
    size_t n = newton->problem->dimension;
    double slope = cnv_vector_dot(n, newton->p, newton->g);
    double rounding = 4.0 * DBL_EPSILON * fabs(loss);
    double alpha = 1.0;

    for (int64_t i = 0; i <= newton->halvings; i++) {
        cnv_vector_move(n, newton->u, -alpha, newton->p, newton->trial);
        double trial = newton->problem->ops->loss(newton->problem->state, newton->trial, NULL);

        if (trial <= loss - alpha * newton->beta * slope + rounding) {
            return alpha;
        }
        alpha *= newton->shrink;
    }
    return 0.0;
}

static enum cnv_status newton_step(void *state, struct cnv_error *err)
{
    struct newton *newton = state;
    struct cnv_problem *problem = newton->problem;
    double loss = problem->ops->gradient(problem->state, newton->u, NULL, newton->g);

    if (!newton->has_loss) {
        newton->loss = loss;
        newton->has_loss = true;
    }
    enum cnv_status status = cnv_direction_at(&newton->direction, newton->u, err);
    if (status == CNV_OK) {
        status = cnv_direction_solve(&newton->direction, newton->g, newton->p, err);
    }
    if (status == CNV_OK) {
        double alpha = armijo(newton, loss);

        cnv_vector_add(problem->dimension, -alpha, newton->p, newton->u);
    }
    return status;
}

static enum cnv_status newton_contribute(void *state,
                                         const char *exchange,
                                         uint32_t index,
                                         struct cnv_solver_contribution *contribution,
                                         struct cnv_error *err)
{
    struct newton *newton = state;
    struct cnv_problem *problem = newton->problem;
    bool is_model = strcmp(exchange, "model") == 0;
    bool is_monitor = strcmp(exchange, "monitor") == 0;

    if (!is_model && !is_monitor && strcmp(exchange, "loss") != 0) {
        return cnv_fail(
            err, CNV_E_UNEXPECTED, "solver newton has no exchange %u \"%s\"", index, exchange);
    }
    *contribution = (struct cnv_solver_contribution){ 0 };
    if (!is_monitor && (newton->evaluate || !is_model)) {
        if (!newton->has_loss) {
            newton->loss = problem->ops->loss(problem->state, newton->model, NULL);
            newton->has_loss = true;
        }
        contribution->scalars[0] = newton->loss;
        contribution->scalar_count = 1;
    }
    if (is_model || is_monitor) {
        cnv_vector_move(problem->dimension, newton->u, -1.0, newton->model, newton->trial);
        contribution->values = newton->trial;
        contribution->length = problem->dimension;
    }
    return CNV_OK;
}

static void newton_settled(void *state,
                           const char *exchange,
                           uint32_t index,
                           const struct cnv_solver_result *result)
{
    (void) state;
    (void) exchange;
    (void) index;
    (void) result;
}

static void newton_concluded(void *state, bool counted)
{
    struct newton *newton = state;

    cnv_direction_concluded(&newton->direction, counted);
}

const struct cnv_solver_ops cnv_solver_newton = {
    .name = "newton",
    .text = "LocalNewton: damped Newton steps on the local objective",
    .paper = "Gupta et al. 2021, LocalNewton, Algorithm 1",
    .keys = "solver/armijo solver/shrink solver/halvings " CNV_DIRECTION_KEYS,
    .state_size = sizeof(struct newton),
    .init = newton_init,
    .fini = newton_fini,
    .begin = newton_begin,
    .step = newton_step,
    .contribute = newton_contribute,
    .settled = newton_settled,
    .concluded = newton_concluded,
};
