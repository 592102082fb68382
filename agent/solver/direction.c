/* direction.c - Cholesky with a pivot check and damping, or conjugate gradients. */
#include "solver/direction.h"

#include <string.h>

#include "base/mem.h"
#include "num/cg.h"
#include "num/cholesky.h"
#include "num/vector.h"

enum { RAISES_MAX = 3 };

/* What conjugate gradients cost in dense rows, with the Hessian formed and without. */
static bool is_cheaper_formed(const struct cnv_problem *problem, size_t iterations)
{
    double s = (double) problem->rows;
    double q = (double) iterations;

    return (s + q) * (double) problem->dimension <= 4.0 * q * s;
}

static enum cnv_status
allocate(struct cnv_direction *direction, bool is_formed, size_t square, struct cnv_error *err)
{
    size_t n = direction->problem->dimension;

    if (is_formed) {
        direction->hessian = cnv_array_new(square, sizeof(double));
        if (direction->hessian == NULL) {
            return cnv_fail(err,
                            CNV_E_NOMEM,
                            "Hessian of %zu x %zu: solver/direction=factor and a lower "
                            "solver/cg-above do without",
                            n,
                            n);
        }
    }
    if (direction->is_factored) {
        direction->diagonal = cnv_array_new(n, sizeof(double));
    } else if (n <= SIZE_MAX / CNV_CG_SCRATCH) {
        direction->scratch = cnv_array_new(CNV_CG_SCRATCH * n, sizeof(double));
    }
    if (direction->diagonal == NULL && direction->scratch == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "a Newton direction in %zu coordinates", n);
    }
    return CNV_OK;
}

enum cnv_status cnv_direction_init(struct cnv_direction *direction,
                                   const struct cnv_config *config,
                                   struct cnv_problem *problem,
                                   struct cnv_error *err)
{
    size_t n = problem->dimension;
    size_t above = (size_t) cnv_config_integer(config, "solver/cg-above");
    bool is_cg = strcmp(cnv_config_text(config, "solver/direction"), "cg") == 0;
    size_t square = 0;

    if (problem->ops->hessian_times == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "problem %s has no second derivatives, which the solver needs",
                        problem->ops->name);
    }
    *direction = (struct cnv_direction){
        .problem = problem,
        .iterations = (size_t) cnv_config_integer(config, "solver/cg-iterations"),
        .counted = cnv_config_real(config, "solver/cg-tolerance"),
        .tighten = cnv_config_real(config, "solver/cg-tighten"),
    };
    direction->tolerance = direction->counted;
    bool is_formed = problem->ops->hessian != NULL && !__builtin_mul_overflow(n, n, &square) &&
                     (is_cg ? is_cheaper_formed(problem, direction->iterations) : n <= above);
    direction->is_factored = is_formed && !is_cg;
    return allocate(direction, is_formed, square, err);
}

void cnv_direction_fini(struct cnv_direction *direction)
{
    cnv_free(direction->hessian);
    cnv_free(direction->diagonal);
    cnv_free(direction->scratch);
    *direction = (struct cnv_direction){ 0 };
}

void cnv_direction_begin(struct cnv_direction *direction)
{
    direction->tolerance = direction->counted;
}

void cnv_direction_concluded(struct cnv_direction *direction, bool counted)
{
    if (counted) {
        direction->counted = direction->tolerance;
    }
}

enum cnv_status
cnv_direction_at(struct cnv_direction *direction, const double *w, struct cnv_error *err)
{
    struct cnv_problem *problem = direction->problem;
    enum cnv_status status = problem->ops->curvature_at(problem->state, w, NULL, err);

    if (status != CNV_OK || direction->hessian == NULL) {
        return status;
    }
    problem->ops->hessian(problem->state, direction->hessian);
    return direction->is_factored ? cnv_cholesky_factor(problem->dimension,
                                                        direction->hessian,
                                                        direction->diagonal,
                                                        &direction->damping,
                                                        err)
                                  : CNV_OK;
}

static enum cnv_status
solve_factored(struct cnv_direction *direction, const double *g, double *p, struct cnv_error *err)
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

static void hessian_times(struct cnv_direction *direction, const double *v, double *out)
{
    struct cnv_problem *problem = direction->problem;
    size_t n = problem->dimension;

    if (direction->hessian == NULL) {
        problem->ops->hessian_times(problem->state, v, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = cnv_vector_dot(n, direction->hessian + i * n, v);
    }
}

static void solve_by_cg(struct cnv_direction *direction, const double *g, double *p)
{
    size_t n = direction->problem->dimension;
    struct cnv_cg cg;
    size_t iterations = 0;

    cnv_cg_begin(&cg, n, g, p, direction->scratch, direction->tolerance);
    while (!cnv_cg_is_done(&cg) && iterations < direction->iterations) {
        hessian_times(direction, cg.p, cg.hp);
        cnv_cg_step(&cg);
        iterations++;
    }
    if (!cnv_cg_is_done(&cg)) {
        direction->tolerance *= direction->tighten;
    }
    if (!(cnv_vector_dot(n, p, g) > 0.0)) {
        cnv_vector_copy(n, g, p);
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
    if (direction->is_factored) {
        return solve_factored(direction, g, p, err);
    }
    solve_by_cg(direction, g, p);
    return CNV_OK;
}
