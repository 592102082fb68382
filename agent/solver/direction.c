/* direction.c - Cholesky with a pivot check and damping, or conjugate gradients. */
#include "solver/direction.h"

#include "base/mem.h"
#include "num/cg.h"
#include "num/cholesky.h"
#include "num/vector.h"

enum { RAISES_MAX = 3 };

enum cnv_status cnv_direction_init(struct cnv_direction *direction,
                                   const struct cnv_config *config,
                                   struct cnv_problem *problem,
                                   struct cnv_error *err)
{
    size_t n = problem->dimension;
    size_t above = (size_t) cnv_config_integer(config, "solver/cg-above");
    size_t square = 0;

    if (problem->ops->hessian_times == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem %s has no second derivatives, which the solver needs",
                        problem->ops->name);
    }
    *direction = (struct cnv_direction){
        .problem = problem,
        .is_dense =
            problem->ops->hessian != NULL && n <= above && !__builtin_mul_overflow(n, n, &square),
        .iterations = (size_t) cnv_config_integer(config, "solver/cg-iterations"),
        .tolerance = cnv_config_real(config, "solver/cg-tolerance"),
    };
    if (direction->is_dense) {
        direction->hessian = cnv_array_new(square, sizeof(double));
        direction->diagonal = cnv_array_new(n, sizeof(double));
        if (direction->hessian == NULL || direction->diagonal == NULL) {
            return cnv_fail(
                err, CNV_E_NOMEM, "Hessian of %zu x %zu: lower solver/cg-above (%zu)", n, n, above);
        }
        return CNV_OK;
    }
    if (n <= SIZE_MAX / CNV_CG_SCRATCH) {
        direction->scratch = cnv_array_new(CNV_CG_SCRATCH * n, sizeof(double));
    }
    if (direction->scratch == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "conjugate gradients in %zu coordinates", n);
    }
    return CNV_OK;
}

void cnv_direction_fini(struct cnv_direction *direction)
{
    cnv_free(direction->hessian);
    cnv_free(direction->diagonal);
    cnv_free(direction->scratch);
    *direction = (struct cnv_direction){ 0 };
}

enum cnv_status
cnv_direction_at(struct cnv_direction *direction, const double *w, struct cnv_error *err)
{
    struct cnv_problem *problem = direction->problem;
    enum cnv_status status = problem->ops->curvature_at(problem->state, w, NULL, err);

    if (status != CNV_OK || !direction->is_dense) {
        return status;
    }
    problem->ops->hessian(problem->state, direction->hessian);
    return cnv_cholesky_factor(
        problem->dimension, direction->hessian, direction->diagonal, &direction->damping, err);
}

static enum cnv_status
solve_dense(struct cnv_direction *direction, const double *g, double *p, struct cnv_error *err)
{
    size_t n = direction->problem->dimension;
    enum cnv_status status = CNV_OK;

    for (int raise = 0; status == CNV_OK && raise < RAISES_MAX; raise++) {
        cnv_vector_copy(n, g, p);
        cnv_cholesky_solve(n, direction->hessian, p);
        if (cnv_vector_dot(n, p, g) > 0.0) {
            return CNV_OK;
        }
        status = cnv_cholesky_raise(
            n, direction->hessian, direction->diagonal, &direction->damping, err);
    }
    cnv_vector_copy(n, g, p);
    return status;
}

static void solve_by_products(struct cnv_direction *direction, const double *g, double *p)
{
    struct cnv_problem *problem = direction->problem;
    struct cnv_cg cg;
    size_t iterations = 0;

    cnv_cg_begin(&cg, problem->dimension, g, p, direction->scratch, direction->tolerance);
    while (!cnv_cg_is_done(&cg) && iterations < direction->iterations) {
        problem->ops->hessian_times(problem->state, cg.p, cg.hp);
        cnv_cg_step(&cg);
        iterations++;
    }
    if (!(cnv_vector_dot(problem->dimension, p, g) > 0.0)) {
        cnv_vector_copy(problem->dimension, g, p);
    }
}

enum cnv_status cnv_direction_solve(struct cnv_direction *direction,
                                    const double *g,
                                    double *p,
                                    struct cnv_error *err)
{
    size_t n = direction->problem->dimension;

    if (!(cnv_vector_dot(n, g, g) > 0.0)) {
        cnv_vector_copy(n, g, p);
        return CNV_OK;
    }
    if (direction->is_dense) {
        return solve_dense(direction, g, p, err);
    }
    solve_by_products(direction, g, p);
    return CNV_OK;
}
